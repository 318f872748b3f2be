"""Predictions: a few rows now, or a whole dataset in the background."""

from __future__ import annotations

from dapp_ext.errors import RowsMismatch
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Subject, new_id
from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.schema.models import BatchPredictRead, BatchPredictRequest, PredictRead, PredictRequest
from dapp_ext.services import files, models
from dapp_ext.services.context import Context
from dapp_ext.services.jobs import add_job
from dapp_ext.services.models import Models
from dapp_ext.services.reads import tell
from dapp_ext.services.scorers import Scorers
from dapp_ext.services.tables import Tables
from dapp_ext.services.things import thing_of
from dapp_ext.services.writing import Origin, add_version, new_dataset


class Predictions:
    """The service."""

    def __init__(self, context: Context, tables: Tables, models_service: Models, scorers: Scorers) -> None:
        self._context = context
        self._tables = tables
        self._models = models_service
        self._scorers = scorers

    def predict(self, actor: Actor, ref: str, request: PredictRequest) -> PredictRead:
        """Predict some rows now. What is missing or new in them is said in ``notes``."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.predict", request.version)
            models.require_trained(model)
            artifact = files.stored_pass(self._context, session, model.artifact_id)
        width = len({name for row in request.rows for name in row})
        if width == 0:
            raise RowsMismatch("The rows are empty. Give each as an object of column names and values.")
        answers, notes = self._scorers.predict(artifact, request.rows)
        return PredictRead(model=Named(id=model.id, name=model.name), model_version=model.version, predictions=answers, notes=notes)

    def predict_batch(self, actor: Actor, ref: str, request: BatchPredictRequest) -> BatchPredictRead:
        """Predict a whole dataset; the answer becomes a dataset of its own."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.predict_batch", request.model_version)
            models.require_trained(model)
        self._context.permit(actor, "dataset.create")
        source = self._tables.open(actor, request.dataset, request.version, "dataset.use")
        needed = {feature.name for feature in self._models.results(actor, model.id).features}
        if not needed & {column.name for column in source.columns}:
            raise RowsMismatch(f"{source.name!r} has none of the columns that {model.name!r} learned from. Choose another dataset.")
        name = request.name
        upload = DatasetUpload(filename=f"{source.name} predicted by {model.name}"[:255], name=name, visibility=model.visibility)
        dataset_id, key = new_id(), self._context.keyring.new_data_key()
        with self._context.change(actor, "model.predict_batch", Subject(kind="model", id=model.id)) as change:
            dataset = new_dataset(self._context, change, upload, dataset_id, key)
            version = add_version(self._context, change, dataset, Origin("prediction", f"{source.name} predicted by {model.name}"))
            version.filename, version.format = upload.filename, "parquet"
            version.source_model_id, version.source_model_version = model.id, model.version
            version.source_dataset_id, version.source_dataset_version = source.dataset_id, source.version
            spec = {"version": 1, "model": model.id, "source": source.dataset_id, "source_version": source.version}
            job = add_job(self._context, change, "predict", thing_of(dataset), Subject(kind="dataset", id=dataset.id), dataset.name, spec)
            version.job_id = job.id
            change.session.add(version)
            change.details["dataset"] = dataset.id
            tell(change, "dataset.processing", dataset, version)
        return BatchPredictRead(job_id=job.id, dataset_id=dataset.id, dataset_name=dataset.name)

    def close(self) -> None:
        self._scorers.close()
