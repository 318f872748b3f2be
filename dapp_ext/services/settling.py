"""Between a job's row and its process: what the process is given, and what becomes of its result.

A result is published (renamed) before the transaction that makes it known. Should the worker die between the two, the
files are unknown to everybody and swept away later, and the job is done again.
"""

from __future__ import annotations

from typing import Any

from dapp_ext.domain.fixes.offers import Asked
from dapp_ext.domain.learning import Recipe
from dapp_ext.errors import DatasetNotFound, Internal, JobCancelled, ModelNotFound, NotReady
from dapp_ext.schema.base import Named, Subject, now
from dapp_ext.schema.datasets import Column, Profile, ReadOptions
from dapp_ext.schema.events import PredictionEvent, TrialEvent
from dapp_ext.schema.fixes import FixOptions
from dapp_ext.schema.models import Results, Trial
from dapp_ext.services import files, models, prediction_log, reads
from dapp_ext.services.cluster import cluster_of
from dapp_ext.services.context import Change, Context
from dapp_ext.services.jobs import change_for, finish_job
from dapp_ext.services.jobs import place_of as place_of_job
from dapp_ext.services.passes import FilePass
from dapp_ext.services.things import thing_of
from dapp_ext.services.work import (
    FixOrder,
    GuardsChecked,
    IngestOrder,
    ModelMade,
    Order,
    PredictOrder,
    RegisterOrder,
    RescoreOrder,
    ScoredAgain,
    SearchBegan,
    TableMade,
    TrainOrder,
    TrialEnded,
)
from dapp_ext.store import datasets as datasets_store
from dapp_ext.store import models as models_store
from dapp_ext.store import queue
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Dataset, DatasetVersion, Job, Model, PredictionGroup, TrialRow


class Settling:
    """What a worker needs besides :class:`~dapp_ext.services.jobs.Jobs`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def order(self, job: Job) -> Order:
        """What the job's process is given."""
        with self._context.database.read() as session:
            spec = self._context.unseal(session, job.subject_id, place_of_job(job), job.sealed)
            if job.kind == "ingest":
                return self._ingest_order(session, job, spec)
            if job.kind == "fix":
                return self._fix_order(session, job, spec)
            if job.kind == "train":
                return self._train_order(session, job, spec)
            if job.kind == "register":
                return self._register_order(session, job, spec)
            if job.kind == "rescore":
                return self._rescore_order(session, job, spec)
            return self._predict_order(session, job, spec)

    def begin(self, job: Job) -> None:
        """Show that work on it has begun."""
        if job.kind == "rescore":  # the model stays what it is
            return
        with change_for(self._context, job) as change:
            if job.subject_kind == "dataset":
                dataset = change.session.get(Dataset, job.subject_id)
                if dataset is not None:
                    reads.tell(change, "dataset.processing", dataset, datasets_store.version_of_job(change.session, job.id))
                return
            model = change.session.get(Model, job.subject_id)
            if model is not None:
                model.status, model.updated_at = "training", now()
                change.session.add(model)
                models.tell(change, "model.changed", model)

    def hear(self, job: Job, message: Any) -> None:
        """Keep what a search told on its way."""
        if isinstance(message, TrialEnded):
            self._keep_trial(job, message)
        elif isinstance(message, SearchBegan):
            self._keep_in_model(job, {"task": message.task, "metric": message.metric})
        elif isinstance(message, GuardsChecked):
            self._keep_in_model(job, {"guards": [guard.model_dump(mode="json") for guard in message.guards]})

    def settle(self, job: Job, made: TableMade | ModelMade | ScoredAgain) -> None:
        """Make a result known."""
        if isinstance(made, ModelMade):
            self._settle_model(job, made)
        elif isinstance(made, ScoredAgain):
            self._settle_score(job, made)
        else:
            self._settle_table(job, made)

    # -- orders -------------------------------------------------------------------------------------------------

    def _ingest_order(self, session: Session, job: Job, spec: dict[str, Any]) -> IngestOrder:
        version = datasets_store.version_of(session, job.subject_id, spec["version"])
        if version is None:
            raise DatasetNotFound
        original = files.stored_pass(self._context, session, version.original_id)
        table = files.new_own_pass(self._context, version.version, "table")
        return IngestOrder(original, table, version.filename, ReadOptions.model_validate(spec.get("options", {})))

    def _fix_order(self, session: Session, job: Job, spec: dict[str, Any]) -> FixOrder:
        version = datasets_store.version_of_job(session, job.id)
        source = datasets_store.version_of(session, job.subject_id, spec["source"])
        if version is None or source is None:
            raise DatasetNotFound
        asked = Asked(spec["fix"], spec["columns"], FixOptions.model_validate(spec["options"]))
        given, columns = self._table(session, job.subject_id, source.version)
        profile = files.stored_pass(self._context, session, source.profile_id)
        return FixOrder(given, profile, columns, files.new_own_pass(self._context, version.version, "table"), asked)

    def _train_order(self, session: Session, job: Job, spec: dict[str, Any]) -> TrainOrder:
        model = session.get(Model, job.subject_id)
        if model is None:
            raise ModelNotFound
        table, columns = self._table(session, model.dataset_id, model.dataset_version)
        finished = [
            Trial.model_validate(self._context.unseal(session, model.id, models.trial_place(row), row.sealed)) for row in models_store.trials(session, model.id)
        ]
        return TrainOrder(
            table=table,
            columns=columns,
            recipe=Recipe(**spec["recipe"]),
            finished=finished,
            artifact=files.new_pass(self._context, session, model.id, model.version, "model"),
            results=files.new_pass(self._context, session, model.id, model.version, "results"),
            reference=files.new_pass(self._context, session, model.id, model.version, "reference"),
            model=Named(id=model.id, name=model.name),
            dataset=Named(id=model.dataset_id, name=model.dataset_name),
            dataset_version=model.dataset_version,
            cluster=cluster_of(self._context.settings),
        )

    def _register_order(self, session: Session, job: Job, spec: dict[str, Any]) -> RegisterOrder:
        model = session.get(Model, job.subject_id)
        if model is None:
            raise ModelNotFound
        table, columns = self._table(session, model.dataset_id, model.dataset_version)
        return RegisterOrder(
            table=table,
            columns=columns,
            pipeline=files.stored_pass(self._context, session, model.pipeline_id),
            asked=spec["asked"],
            artifact=files.new_pass(self._context, session, model.id, model.version, "model"),
            results=files.new_pass(self._context, session, model.id, model.version, "results"),
            reference=files.new_pass(self._context, session, model.id, model.version, "reference"),
            model=Named(id=model.id, name=model.name),
            dataset=Named(id=model.dataset_id, name=model.dataset_name),
            dataset_version=model.dataset_version,
        )

    def _rescore_order(self, session: Session, job: Job, spec: dict[str, Any]) -> RescoreOrder:
        model = session.get(Model, job.subject_id)
        if model is None:
            raise ModelNotFound
        table, columns = self._table(session, model.dataset_id, model.dataset_version)
        return RescoreOrder(table, columns, Recipe(**spec["recipe"]), Trial.model_validate(spec["learner"]), spec["change"])

    def _predict_order(self, session: Session, job: Job, spec: dict[str, Any]) -> PredictOrder:
        model = session.get(Model, spec["model"])
        if model is None:
            raise ModelNotFound("The model was deleted before the prediction began.")
        source, columns = self._table(session, spec["source"], spec["source_version"])
        table = files.new_own_pass(self._context, 1, "table")
        policy = spec.get("policy")
        return PredictOrder(
            artifact=files.stored_pass(self._context, session, model.artifact_id),
            source=source,
            columns=columns,
            table=table,
            threshold=policy["threshold"] if policy else None,
            reference=files.stored_pass(self._context, session, model.reference_id) if model.reference_id else None,
            profile=self._profile(session, spec["source"], spec["source_version"]),
            cluster=cluster_of(self._context.settings),
        )

    def _profile(self, session: Session, dataset_id: str, number: int) -> FilePass | None:
        version = datasets_store.version_of(session, dataset_id, number)
        if version is None or version.profile_id is None:
            return None
        return files.stored_pass(self._context, session, version.profile_id)

    def _table(self, session: Session, dataset_id: str, number: int) -> tuple[FilePass, list[Column]]:
        version = datasets_store.version_of(session, dataset_id, number)
        if version is None:
            raise DatasetNotFound("The dataset was deleted before the work began.")
        if version.table_id is None:
            raise NotReady("The file could not be read, so there is nothing to work on. The dataset's page says why.")
        inside = reads.inside_of(self._context, session, version)
        columns = [Column.model_validate(each) for each in inside["schema"]]
        return files.stored_pass(self._context, session, version.table_id), columns

    # -- on the way ---------------------------------------------------------------------------------------------

    def _keep_trial(self, job: Job, message: TrialEnded) -> None:
        trial = message.trial
        with change_for(self._context, job) as change:
            model = change.session.get(Model, job.subject_id)
            if model is None or queue.held(change.session, job.id, job.attempt) is None:
                return
            row = TrialRow(model_id=model.id, number=trial.number, at=trial.at)
            row.sealed = self._context.seal(change.session, model.id, models.trial_place(row), trial.model_dump(mode="json"))
            change.session.merge(row)
            model.seconds_left = message.seconds_left
            change.session.add(model)
            data = TrialEvent(
                name=model.name, number=trial.number, family=trial.family, score=trial.score, is_best=trial.is_best, seconds_left=message.seconds_left
            )
            change.tell("model.trial", Subject(kind="model", id=model.id), data, thing_of(model))

    def _keep_in_model(self, job: Job, values: dict[str, Any]) -> None:
        with change_for(self._context, job) as change:
            model = change.session.get(Model, job.subject_id)
            if model is None or queue.held(change.session, job.id, job.attempt) is None:
                return
            models.write_inside(self._context, change, model, values)
            models.tell(change, "model.changed", model)

    # -- results ------------------------------------------------------------------------------------------------

    def _settle_table(self, job: Job, made: TableMade) -> None:
        files.publish(self._context, made.table)
        number = made.table.label.generation
        table = files.OwnFile(made.table.label, made.stored, made.table.key)
        profile = files.put_own(self._context, number, "profile", files.json_bytes(made.profile))
        with change_for(self._context, job) as change:
            if finish_job(change, job) is None:
                return
            dataset = change.session.get(Dataset, job.subject_id)
            version = datasets_store.version_of(change.session, job.subject_id, number)
            if dataset is None or version is None:
                raise Internal("A dataset vanished while its job was being settled.")
            version.table_id = files.record_own(self._context, change.session, dataset.id, table)
            version.profile_id = files.record_own(self._context, change.session, dataset.id, profile)
            version.rows, version.column_count = made.rows, len(made.columns)
            version.size = version.size or made.stored.plain_size
            version.format = made.report.format if made.report else version.format or "parquet"
            before = reads.inside_of(self._context, change.session, version)
            if job.kind == "fix":  # how the file was read stays what it was; what was done to it since is said beside
                before["made"]["sentence"] = " ".join(made.notes)
            inside = before | {
                "schema": [column.model_dump(mode="json") for column in made.columns],
                "report": _report(made, before),
                "likely_target": made.profile.likely_target,
                "health": _health(made.profile),
            }
            version.sealed = self._context.seal(change.session, dataset.id, reads.place_of(version), inside)
            change.session.add(version)
            if number >= dataset.version:  # a later one may have been ready before
                dataset.version, dataset.status, dataset.updated_at = number, "ready", now()
                change.session.add(dataset)
            reads.tell(change, "dataset.ready", dataset, version)
            if job.kind == "predict":
                _tell_prediction(change, "prediction.ready", version, dataset)
                self._log_batch(change, job, made, dataset)

    def _log_batch(self, change: Change, job: Job, made: TableMade, dataset: Dataset) -> None:
        """Count a predicted dataset in the log of its model; its rows and answers are in the dataset itself."""
        spec = self._context.unseal(change.session, job.subject_id, place_of_job(job), job.sealed)
        model = change.session.get(Model, spec["model"])
        if model is None:
            return
        milliseconds = made.seconds * 1000
        group = PredictionGroup(model_id=model.id, calls=1, rows=made.rows, milliseconds=milliseconds, slowest=milliseconds)
        group.sealed = self._context.seal(
            change.session, model.id, prediction_log.stats_place(group), {"milliseconds": prediction_log.time_buckets([milliseconds]), "counts": made.counts}
        )
        by = change.by
        line = {
            "id": job.id,
            "at": now().isoformat(),
            "by": [by.id, by.name] if by else None,
            "policy": (spec.get("policy") or {}).get("version"),
            "ms": round(milliseconds, 3),
            "count": made.rows,
            "dataset": [dataset.id, dataset.name],
        }
        if self._context.settings.prediction_log_days > 0:
            group.entries = prediction_log.seal_entries(self._context, change.session, group, [line])
        change.session.add(group)

    def _settle_model(self, job: Job, made: ModelMade) -> None:
        files.publish(self._context, made.artifact)
        files.publish(self._context, made.results_pass)
        files.publish(self._context, made.reference_pass)
        with change_for(self._context, job) as change:
            if finish_job(change, job) is None:
                return
            model = change.session.get(Model, job.subject_id)
            if model is None:
                raise Internal("A model vanished while its job was being settled.")
            model.artifact_id = files.record(change.session, model.id, made.artifact.label, made.artifact_stored)
            model.results_id = files.record(change.session, model.id, made.results_pass.label, made.results_stored)
            model.reference_id = files.record(change.session, model.id, made.reference_pass.label, made.reference_stored)
            models.write_inside(self._context, change, model, _headline(made.results))
            model.status, model.seconds_left, model.updated_at = "ready", None, now()
            change.session.add(model)
            models.tell(change, "model.trained", model)

    def _settle_score(self, job: Job, made: ScoredAgain) -> None:
        with change_for(self._context, job) as change:
            kept = finish_job(change, job)
            model = change.session.get(Model, job.subject_id)
            if kept is None or model is None:
                return
            about = self._context.unseal(change.session, job.subject_id, place_of_job(job), job.sealed)["about"]
            models.keep_second_score(self._context, change, model, made.second.model_copy(update=about))
            models.tell(change, "model.changed", model)


def fail(context: Context, change: Change, job: Job, code: str, sentence: str) -> None:
    """Say at a dataset or model why its job ended without a result. The sentence is sealed; the event tells the code."""
    if job.subject_kind == "dataset":
        dataset = change.session.get(Dataset, job.subject_id)
        version = datasets_store.version_of_job(change.session, job.id) if dataset else None
        if dataset is None or version is None:
            return
        version.error_code = code
        inside = reads.inside_of(context, change.session, version) | {"error": sentence}
        version.sealed = context.seal(change.session, dataset.id, reads.place_of(version), inside)
        change.session.add(version)
        if version.version == dataset.version:  # an older version that can be used stays in use
            dataset.status, dataset.updated_at = "failed", now()
            change.session.add(dataset)
        reads.tell(change, "dataset.failed", dataset, version)
        if job.kind == "predict":
            _tell_prediction(change, "prediction.failed", version, dataset)
        return
    model = change.session.get(Model, job.subject_id)
    if model is None or job.kind == "rescore":  # what could not be scored again is as good as it was
        return
    cancelled = code == JobCancelled.code
    model.status, model.error_code = ("cancelled", None) if cancelled else ("failed", code)
    model.seconds_left, model.updated_at = None, now()
    models.write_inside(context, change, model, {"error": sentence})
    models.tell(change, "model.cancelled" if cancelled else "model.failed", model)


def _health(profile: Profile) -> dict[str, int]:
    found = [each.severity for each in profile.findings]
    return {"alerts": found.count("alert"), "warnings": found.count("warning"), "notes": found.count("info")}


def _report(made: TableMade, before: dict[str, Any]) -> dict[str, Any]:
    if made.report is not None:
        return made.report.model_dump(mode="json")
    kept: dict[str, Any] = before.get("report", {"format": "parquet", "notes": made.notes})
    return kept


def _headline(results: Results) -> dict[str, Any]:
    score = next((score for score in results.scores if score.name == results.metric), results.scores[0])
    plain = next((score for score in results.scores if score.name in ("accuracy", "mae")), score)
    return {
        "task": results.task,
        "metric": results.metric,
        "sentence": results.sentence,
        "concern": next((guard.sentence for guard in results.guards if guard.state == "alerted" and guard.severity == "alert"), None),
        "score": score.model_dump(mode="json"),
        "plain_score": plain.model_dump(mode="json"),
        "unit": results.target_column.unit if results.target_column else None,
    }


def _tell_prediction(change: Change, type: str, version: DatasetVersion, dataset: Dataset) -> None:
    model = change.session.get(Model, version.source_model_id) if version.source_model_id else None
    if model is not None:
        data = PredictionEvent(model=Named(id=model.id, name=model.name), dataset=Named(id=dataset.id, name=dataset.name), error=version.error_code)
        change.tell(type, Subject(kind="model", id=model.id), data, thing_of(dataset), of=Subject(kind="dataset", id=dataset.id))
