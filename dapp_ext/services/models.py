"""Models: asked for, followed while they are searched for, understood, taken away."""

from __future__ import annotations

from typing import get_args

from dapp_ext.domain.access import access_level
from dapp_ext.domain.learning import MEASURES, measure
from dapp_ext.errors import ColumnUnknown, Conflict, Invalid, ModelNotFound, NameTaken, NotReady, TargetUnusable
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Page, Subject, now
from dapp_ext.schema.datasets import ColumnProfile, Profile
from dapp_ext.schema.events import ModelEvent
from dapp_ext.schema.models import Family, Leaderboard, ModelRead, ModelUpdate, Results, Score, TrainRequest, Trial
from dapp_ext.services import files
from dapp_ext.services.context import Change, Context, list_cursor
from dapp_ext.services.files import Download
from dapp_ext.services.jobs import add_job, end_jobs
from dapp_ext.services.names import clean_name, free_name
from dapp_ext.services.reads import require_ready
from dapp_ext.services.scorers import Scorers
from dapp_ext.services.tables import Tables
from dapp_ext.services.things import thing_for, thing_of
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import grants
from dapp_ext.store import models as store
from dapp_ext.store.database import Session
from dapp_ext.store.datasets import describe_jobs, name_key
from dapp_ext.store.datasets import files as files_of
from dapp_ext.store.tables import Model, TrialRow


class Models:
    """The service."""

    def __init__(self, context: Context, tables: Tables, scorers: Scorers) -> None:
        self._context = context
        self._tables = tables
        self._scorers = scorers

    def train(self, actor: Actor, request: TrainRequest) -> ModelRead:
        """Queue a search for the best model.

        Raises
        ------
        ColumnUnknown, TargetUnusable, NotReady, NameTaken
            Whatever can be known before the search begins is said now.
        """
        self._context.permit(actor, "model.train")
        with self._context.database.read() as session:
            dataset, version = self._tables.find(actor, session, request.dataset, request.version, "dataset.use")
            require_ready(dataset, version)
            profile = Profile.model_validate_json(files.read_stored(self._context, session, version.profile_id))
        target = request.target or profile.likely_target
        if target is None:
            raise TargetUnusable("It is not clear which column to predict. Name one as the target.")
        _check_columns(profile, target, request)
        recipe = request.model_dump(mode="json", exclude={"dataset", "version", "name"}) | {"target": target}
        with self._context.change(actor, "model.train") as change:
            name = self._name(change.session, request.name, dataset.name, actor.account_id)
            model = Model(
                name=name,
                name_key=name_key(name),
                owner_id=actor.account_id,
                visibility=dataset.visibility,
                dataset_id=dataset.id,
                dataset_name=dataset.name,
                dataset_version=version.version,
                time_budget=request.time_budget,
            )
            change.subject = Subject(kind="model", id=model.id)
            self._context.new_key(change.session, model.id)
            change.session.add(model)
            change.session.flush()
            model.sealed = self._context.seal(change.session, model.id, place_of(model), {"target": target, "task": request.task, "metric": request.metric})
            job = add_job(self._context, change, "train", thing_of(model), change.subject, model.name, {"recipe": recipe})
            model.job_id = job.id
            change.session.add(model)
            tell(change, "model.training", model)
            return self._shown(actor, change.session, model)

    def list(self, actor: Actor, *, search: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[ModelRead]:
        """Models that the actor may see, newest first."""
        self._context.permit(actor, "model.list")
        limit = max(1, min(limit, 500))
        with self._context.database.read() as session:
            rows = store.page(session, actor.account_id, search=search, limit=limit + 1, before=list_cursor(cursor))
            names = accounts_store.names(session, {model.owner_id for model in rows})
            counts = store.trial_counts(session, [model.id for model in rows])
            items = [_with_access(session, actor, model, read(self._context, session, model, names, counts)) for model in rows[:limit]]
        return Page(items=items, next=items[-1].id if len(rows) > limit else None)

    def get(self, actor: Actor, ref: str) -> ModelRead:
        """One model by id or name."""
        with self._context.database.read() as session:
            return self._shown(actor, session, self.find(actor, session, ref, "model.read"))

    def update(self, actor: Actor, ref: str, request: ModelUpdate) -> ModelRead:
        """Rename, or change who may see it."""
        with self._context.database.read() as session:
            model = self.find(actor, session, ref, "model.update")
            if request.visibility not in (None, model.visibility):
                self.find(actor, session, model.id, "model.share")
        with self._context.change(actor, "model.update", Subject(kind="model", id=model.id)) as change:
            model = self.find(actor, change.session, model.id, "model.update")
            if request.name is not None:
                name = clean_name(request.name)
                other = store.find(change.session, name, actor.account_id) or store.owned(change.session, model.owner_id, name)
                if other is not None and other.id != model.id:
                    raise NameTaken(f"There is a model named {name!r} already. Choose another name.")
                model.name, model.name_key = name, name_key(name)
            if request.visibility is not None:
                model.visibility = request.visibility
            model.updated_at = now()
            change.session.add(model)
            change.session.flush()
            describe_jobs(change.session, model.id, model.name, model.visibility)
            tell(change, "model.changed", model)
            return self._shown(actor, change.session, model)

    def delete(self, actor: Actor, ref: str) -> None:
        """Delete a model for good: its trials, its files and its key."""
        with self._context.database.read() as session:
            model = self.find(actor, session, ref, "model.delete")
        with self._context.change(actor, "model.delete", Subject(kind="model", id=model.id)) as change:
            model = self.find(actor, change.session, model.id, "model.delete")
            end_jobs(change, model.id)
            stored = list(files_of(change.session, model.id))
            tell(change, "model.deleted", model)
            store.erase(change.session, model)
        self._context.forget_key(model.id)
        files.remove(self._context, stored)

    def leaderboard(self, actor: Actor, ref: str) -> Leaderboard:
        """The trials so far, best first."""
        with self._context.database.read() as session:
            model = self.find(actor, session, ref, "model.read")
            inside = self._context.unseal(session, model.id, place_of(model), model.sealed)
            trials = [Trial.model_validate(self._context.unseal(session, model.id, trial_place(row), row.sealed)) for row in store.trials(session, model.id)]
        metric = inside.get("metric")
        measure = MEASURES.get(metric or "")
        greater = measure is None or measure.greater_is_better
        ranked = sorted(trials, key=lambda trial: (trial.score is None, -(trial.score or 0.0) if greater else (trial.score or 0.0), trial.number))
        best = next((trial.number for trial in ranked if trial.score is not None), None)
        return Leaderboard(
            model=model.id,
            status=model.status,
            metric=metric,
            metric_label=measure.label if measure else None,
            greater_is_better=greater,
            trials=[trial.model_copy(update={"is_best": trial.number == best}) for trial in ranked],
            seconds_left=model.seconds_left,
            time_budget=model.time_budget,
        )

    def results(self, actor: Actor, ref: str) -> Results:
        """All that is known about a trained model."""
        with self._context.database.read() as session:
            model = self.find(actor, session, ref, "model.read")
            require_trained(model)
            found = Results.model_validate_json(files.read_stored(self._context, session, model.results_id))
        self._scorers.warm()
        return found.model_copy(update={"model": Named(id=model.id, name=model.name)})

    def stop(self, actor: Actor, ref: str) -> ModelRead:
        """End the search now and keep the best model so far."""
        with self._context.database.read() as session:
            model = self.find(actor, session, ref, "model.stop")
        with self._context.change(actor, "model.stop", Subject(kind="model", id=model.id)) as change:
            model = self.find(actor, change.session, model.id, "model.stop")
            if model.status not in ("queued", "training"):
                raise Conflict("The search has ended already.")
            model.stop_requested = True
            change.session.add(model)
            tell(change, "model.changed", model)
            return self._shown(actor, change.session, model)

    def export(self, actor: Actor, ref: str, format: str = "skops") -> Download:
        """The trained pipeline as a file."""
        if format != "skops":
            raise Invalid("A model can be taken away as skops only.")
        with self._context.database.read() as session:
            model = self.find(actor, session, ref, "model.export")
            require_trained(model)
            reader, stored = files.open_stored(self._context, session, model.artifact_id)
        self._context.note(actor, "model.export", Subject(kind="model", id=model.id), "allow")
        return Download(f"{model.name}.skops", "application/octet-stream", files.pieces(reader), stored.plain_size)

    def find(self, actor: Actor, session: Session, ref: str, verb: str) -> Model:
        """A model that the actor may do this to."""
        model = store.find(session, ref, actor.account_id)
        if model is None:
            raise ModelNotFound
        self._context.permit(actor, verb, thing_for(session, actor, model), ModelNotFound)
        return model

    def _shown(self, actor: Actor, session: Session, model: Model) -> ModelRead:
        return _with_access(session, actor, model, read(self._context, session, model))

    def _name(self, session: Session, wanted: str | None, dataset_name: str, account_id: str) -> str:
        if wanted is None:
            stem = clean_name(f"{dataset_name} model")
            return free_name(stem, store.taken_names(session, stem, account_id))
        name = clean_name(wanted)
        if store.find(session, name, account_id) is not None:
            raise NameTaken(f"There is a model named {name!r} already. Choose another name.")
        return name


def _with_access(session: Session, actor: Actor, model: Model, shown: ModelRead) -> ModelRead:
    """What is shown of a model, with what the actor may do with it."""
    access = access_level(actor, "model", thing_for(session, actor, model))
    shared = grants.counts(session, "model", [model.id]).get(model.id, 0) if access == "owner" else None
    return shown.model_copy(update={"access": access, "shared_with": shared})


def _check_columns(profile: Profile, target: str, request: TrainRequest) -> None:
    by_name: dict[str, ColumnProfile] = {column.name: column for column in profile.columns}
    for name in (target, *request.exclude):
        if name not in by_name:
            raise ColumnUnknown(f"The dataset has no column named {name!r}. Choose one of its {len(by_name)} columns.")
    if target in request.exclude:
        raise Invalid("The target cannot be left out as well. Take it out of the excluded columns.")
    _check_wishes(by_name[target], request)
    if by_name[target].distinct < 2:
        raise TargetUnusable(f"The column {target!r} has only one value, so there is nothing to learn. Choose another target.")
    if len(by_name) - len(set(request.exclude)) < 2:
        raise Invalid("There is no column left to learn from. Leave out fewer columns.")


def _check_wishes(target: ColumnProfile, request: TrainRequest) -> None:
    words = target.kind in ("text", "category", "boolean")
    if request.task == "regression" and words:
        raise TargetUnusable(f"The column {target.name!r} holds words, not numbers. Predict it as classes, or choose a column of numbers.")
    if request.metric is not None:
        task = request.task or ("multiclass" if words and target.distinct > 2 else "binary" if words else None)
        if task is not None:
            measure(request.metric, task)
        elif request.metric not in MEASURES:
            raise Invalid(f"There is no metric {request.metric!r}. Choose one of: {', '.join(MEASURES)}.")
    unknown = set(request.params) - set(get_args(Family))
    if unknown:
        raise Invalid(f"There is no family {min(unknown)!r}. Give parameters for: {', '.join(get_args(Family))}.")


def require_trained(model: Model) -> None:
    if model.status == "failed":
        raise NotReady(f"{model.name!r} could not be trained, so there is no result. Its page says why.")
    if model.status != "ready":
        raise NotReady(f"{model.name!r} is still being trained. Wait for it, or stop it and keep the best so far.")


def place_of(model: Model) -> str:
    """Where a model's sealed field is; bound to it."""
    return f"models/{model.id}"


def trial_place(row: TrialRow) -> str:
    return f"trials/{row.model_id}/{row.number}"


def tell(change: Change, type: str, model: Model) -> None:
    """Add an event about a model; neither its target nor its sentence is in it."""
    dataset = Named(id=model.dataset_id, name=model.dataset_name)
    data = ModelEvent(name=model.name, status=model.status, dataset=dataset, error=model.error_code)
    change.tell(type, Subject(kind="model", id=model.id), data, thing_of(model))


def read(context: Context, session: Session, model: Model, names: dict[str, str] | None = None, counts: dict[str, int] | None = None) -> ModelRead:
    """A model as it is shown."""
    owners = names if names is not None else accounts_store.names(session, {model.owner_id})
    trials = counts if counts is not None else store.trial_counts(session, [model.id])
    inside = context.unseal(session, model.id, place_of(model), model.sealed)
    return ModelRead(
        id=model.id,
        name=model.name,
        version=model.version,
        status=model.status,
        error=inside.get("error"),
        owner=Named(id=model.owner_id, name=owners.get(model.owner_id, "")),
        visibility=model.visibility,
        dataset=Named(id=model.dataset_id, name=model.dataset_name),
        dataset_version=model.dataset_version,
        target=inside.get("target"),
        task=inside.get("task"),
        metric=inside.get("metric"),
        score=Score.model_validate(inside["score"]) if inside.get("score") else None,
        sentence=inside.get("sentence"),
        trials=trials.get(model.id, 0),
        time_budget=model.time_budget,
        job_id=model.job_id,
        created_at=model.created_at,
        updated_at=model.updated_at,
    )
