"""Predictions: a few rows now, or a whole dataset in the background."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dapp_ext.errors import DappError, Invalid, RowsMismatch
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Subject, new_id
from dapp_ext.schema.datasets import ColumnKind, DatasetRead, DatasetUpload
from dapp_ext.schema.models import BatchPredictRead, BatchPredictRequest, Prediction, PredictRead, PredictRequest, Reasons
from dapp_ext.schema.serving import CheckRead, CheckRequest, ScoredFileQuery
from dapp_ext.services import matching, models
from dapp_ext.services.context import Context
from dapp_ext.services.datasets import Datasets
from dapp_ext.services.jobs import add_job
from dapp_ext.services.models import Models
from dapp_ext.services.monitoring import Monitoring
from dapp_ext.services.prediction_log import Entry, PredictionLog
from dapp_ext.services.reads import tell
from dapp_ext.services.scorers import Scorers
from dapp_ext.services.scoring import Answered, Question
from dapp_ext.services.serving import Served, Serving, applied_policy
from dapp_ext.services.things import thing_of
from dapp_ext.services.uploads import Upload
from dapp_ext.services.writing import Origin, add_version, new_dataset
from dapp_ext.store.tables import Model

# Reasons take a thousand answers for each row.
MOST_EXPLAINED = 20


@dataclass(frozen=True)
class _Source:
    """What is predicted; ``job_id`` reads it, where that is still to be waited for."""

    id: str
    version: int
    name: str
    job_id: str | None = None


@dataclass(frozen=True)
class Back:
    """Where an answer goes: ``post`` leads to the thread that asked, ``then`` takes the answer there, or the error."""

    then: Callable[[PredictRead | DappError], None]
    post: Callable[..., Any]


@dataclass(frozen=True)
class _Asked:
    """A call for predictions, allowed and about to be answered."""

    actor: Actor
    served: Served
    request: PredictRequest
    began: float

    def question(self) -> Question:
        rows, policy = self.request.rows, self.served.policy
        if not any(rows):
            raise RowsMismatch("The rows are empty. Give each as an object of column names and values.")
        if self.request.explain and len(rows) > MOST_EXPLAINED:
            raise Invalid(f"Reasons are given for {MOST_EXPLAINED} rows at once at the most. Send fewer rows, or leave explain out.")
        return Question(self.served.artifact, rows, policy.threshold if policy else None, self.request.explain)


class ScoredFile:
    """A file that is coming in to be predicted."""

    def __init__(self, upload: Upload, then: Callable[[DatasetRead], BatchPredictRead]) -> None:
        self._upload = upload
        self._then = then

    def write(self, data: bytes) -> None:
        """Take some bytes; refuses as soon as there are too many."""
        self._upload.write(data)

    def finish(self) -> BatchPredictRead:
        """Bring the file to the disk, queue its reading and after that its predictions."""
        return self._then(self._upload.finish())

    def abort(self) -> None:
        """Forget the file; nothing is left of it."""
        self._upload.abort()


class Predictions:
    """The service."""

    def __init__(self, context: Context, datasets_service: Datasets, models_service: Models, scorers: Scorers) -> None:
        self._context = context
        self._tables = self._datasets = datasets_service
        self._models = models_service
        self._scorers = scorers
        self._serving = Serving(context, models_service)
        self.monitoring = Monitoring(context, models_service)
        self._log = PredictionLog(context, self.monitoring.look)

    def predict(self, actor: Actor, ref: str, request: PredictRequest) -> PredictRead:
        """Predict some rows now. What is missing or new in them is said in ``notes``; the call is logged."""
        began = time.perf_counter()
        asked = _Asked(actor, self._serving.find(actor, ref, request.version, "model.predict"), request, began)
        try:
            answered = self._scorers.predict(asked.question())
        except DappError as error:
            self._refused(asked, error)
            raise
        return self._answered(asked, answered)

    def prepare(self, actor: Actor, ref: str, version: int | None = None) -> None:
        """Look up a model that is about to be asked."""
        self._serving.find(actor, ref, version, "model.predict")

    def predict_soon(self, actor: Actor, ref: str, request: PredictRequest, back: Back) -> bool:
        """The same without waiting, for few rows of a model that was asked a moment ago; ``False`` when that does not hold.

        For callers on an event loop: nothing here waits for the disk, the database or another process.
        """
        began = time.perf_counter()
        served = self._serving.known(actor, ref, request.version, "model.predict")
        if served is None:
            return False
        asked = _Asked(actor, served, request, began)

        def then(answer: Answered | DappError) -> None:
            if isinstance(answer, DappError):
                self._refused(asked, answer)
                back.then(answer)
            else:
                back.then(self._answered(asked, answer))

        try:
            self._scorers.ask(asked.question(), then, back.post)
        except DappError as error:
            self._refused(asked, error)
            raise
        return True

    def _answered(self, asked: _Asked, answered: Answered) -> PredictRead:
        served, rows, notes = asked.served, asked.request.rows, answered.notes
        empty = sum(not row for row in rows)
        if empty:
            notes = [*notes, f"{'1 row is' if empty == 1 else f'{empty} rows are'} empty; the answer is what the model says without knowing anything."]
        answers = _predictions(answered)
        entry = Entry(served.id, asked.actor, rows, _since(asked.began), answers, served.policy.version if served.policy else None)
        self._log.add(entry)
        model = Named(id=served.id, name=served.name)
        return PredictRead(id=entry.id, model=model, model_version=served.version, policy=served.policy, at=entry.at, predictions=answers, notes=notes)

    def _refused(self, asked: _Asked, error: DappError) -> None:
        self._log.add(Entry(asked.served.id, asked.actor, asked.request.rows, _since(asked.began), error=error.code))

    def flush_log(self) -> None:
        """Bring the log of predictions to the disk now."""
        self._log.flush()

    def predict_batch(self, actor: Actor, ref: str, request: BatchPredictRequest) -> BatchPredictRead:
        """Predict a whole dataset; the answer becomes a dataset of its own."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.predict_batch", request.model_version)
            results = self._models.stored_results(session, model)
        self._context.permit(actor, "dataset.create")
        source = self._tables.open(actor, request.dataset, request.version, "dataset.use")
        if not {feature.name for feature in results.features} & {column.name for column in source.columns}:
            raise RowsMismatch(f"{source.name!r} has none of the columns that {model.name!r} learned from. Choose another dataset.")
        return self._queue(actor, model, _Source(source.dataset_id, source.version, source.name), request.name)

    def begin_file(self, actor: Actor, ref: str, query: ScoredFileQuery, size: int | None = None) -> ScoredFile:
        """Start to receive a file whose rows are predicted as soon as it is read; the answer is a dataset of its own."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.predict_batch")
            models.require_trained(model)
        request = DatasetUpload(filename=query.filename, visibility=query.visibility or model.visibility, size=size)
        upload = self._datasets.begin_upload(actor, request)
        return ScoredFile(upload, lambda made: self._queue(actor, model, _Source(made.id, made.version, made.name, made.job_id), query.name))

    def _queue(self, actor: Actor, model: Model, source: _Source, name: str | None) -> BatchPredictRead:
        upload = DatasetUpload(filename=f"{source.name} predicted by {model.name}"[:255], name=name, visibility=model.visibility)
        dataset_id, key = new_id(), self._context.keyring.new_data_key()
        with self._context.change(actor, "model.predict_batch", Subject(kind="model", id=model.id)) as change:
            dataset = new_dataset(self._context, change, upload, dataset_id, key)
            version = add_version(self._context, change, dataset, Origin("prediction", f"{source.name} predicted by {model.name}"))
            version.filename, version.format = upload.filename, "parquet"
            version.source_model_id, version.source_model_version = model.id, model.version
            version.source_dataset_id, version.source_dataset_version = source.id, source.version
            policy = applied_policy(self._context, change.session, model)
            spec = {"version": 1, "model": model.id, "policy": policy.model_dump() if policy else None, "source": source.id, "source_version": source.version}
            subject = Subject(kind="dataset", id=dataset.id)
            job = add_job(self._context, change, "predict", thing_of(dataset), subject, dataset.name, spec, after=source.job_id)
            version.job_id = job.id
            change.session.add(version)
            change.details["dataset"] = dataset.id
            tell(change, "dataset.processing", dataset, version)
        return BatchPredictRead(job_id=job.id, dataset_id=dataset.id, dataset_name=dataset.name, source_id=source.id)

    def check(self, actor: Actor, ref: str, request: CheckRequest) -> CheckRead:
        """How columns, or those of a dataset, fit a model: what is missing, new or of another kind, before it runs."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.predict")
            features = self._models.stored_results(session, model).features
        if (request.columns is None) == (request.dataset is None):
            raise Invalid("Give either columns or a dataset.")
        given: dict[str, ColumnKind | None]
        if request.dataset is not None:
            given = {column.name: column.kind for column in self._tables.open(actor, request.dataset, request.version, "dataset.read").columns}
        else:
            given = {column.name: column.kind for column in request.columns or ()}
        with self._context.database.read() as session:
            target = self._context.unseal(session, model.id, models.place_of(model), model.sealed).get("target")
        return matching.match(Named(id=model.id, name=model.name), model.version, features, given, target)

    def close(self) -> None:
        self._log.close()
        self._scorers.close()


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _predictions(answered: Answered) -> list[Prediction]:
    """The answers row by row. They come from our own process, so they are not validated again."""
    chances = list(answered.probabilities.items())
    reasons: list[Reasons | None] = [*answered.reasons] or [None] * len(answered.values)
    return [
        Prediction.model_construct(prediction=value, probabilities={name: each[index] for name, each in chances} or None, reasons=reasons[index])
        for index, value in enumerate(answered.values)
    ]
