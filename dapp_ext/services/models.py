"""Models: asked for, followed while they are searched for, understood, taken away."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dapp_ext.domain.access import access_level
from dapp_ext.domain.learning import MEASURES, Recipe
from dapp_ext.errors import Conflict, Invalid, ModelNotFound, NameTaken, NotReady, TargetUnusable
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Page, Subject, now
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.events import ModelEvent
from dapp_ext.schema.models import (
    Advice,
    ExtendRequest,
    Leaderboard,
    ModelRead,
    ModelUpdate,
    Results,
    Score,
    SecondScore,
    SkipRequest,
    TrainRequest,
    Trial,
)
from dapp_ext.services import files, recipes
from dapp_ext.services.context import Change, Context, list_cursor
from dapp_ext.services.files import Download
from dapp_ext.services.jobs import add_job, end_jobs
from dapp_ext.services.names import clean_name, free_name
from dapp_ext.services.reads import inside_of, known, require_ready
from dapp_ext.services.reports import Parts, concerned
from dapp_ext.services.scorers import Scorers
from dapp_ext.services.scoring import AdviceOrder
from dapp_ext.services.tables import Tables
from dapp_ext.services.things import thing_for, thing_of
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import grants
from dapp_ext.store import models as store
from dapp_ext.store.database import Session
from dapp_ext.store.datasets import describe_jobs, name_key
from dapp_ext.store.datasets import files as files_of
from dapp_ext.store.tables import Dataset, DatasetVersion, Job, Model, TrialRow

LOOK_SECONDS = 60.0
MOST_SECOND_SCORES = 50


@dataclass(frozen=True)
class Asked:
    """A training that may be queued: everything about it is settled."""

    request: TrainRequest
    target: str
    dataset: Dataset
    version: DatasetVersion


class Models:
    """The service. Versions, champions and comparisons are in :mod:`dapp_ext.services.registry`."""

    def __init__(self, context: Context, tables: Tables, scorers: Scorers) -> None:
        self._context = context
        self._tables = tables
        self._scorers = scorers
        self._looked: dict[tuple[str, str], float] = {}

    # -- asking -------------------------------------------------------------------------------------------------

    def train(self, actor: Actor, request: TrainRequest) -> ModelRead:
        """Queue a search for the best model. The name of one's own model makes the next version of it.

        Raises
        ------
        ColumnUnknown, TargetUnusable, NotReady, NameTaken
            Whatever can be known before the search begins is said now.
        """
        self._context.permit(actor, "model.train")
        asked = self.ask(actor, request)
        with self._context.change(actor, "model.train") as change:
            model, _ = self.queue(change, asked)
            return self._shown(actor, change.session, model)

    def advise(self, actor: Actor, request: TrainRequest) -> Advice:
        """What a training would do, said before it starts: task, metric, validation and what the columns alone show.

        Raises
        ------
        ColumnUnknown, TargetUnusable, Invalid
            What would end the training at once.
        """
        self._context.permit(actor, "model.train")
        asked = self.ask(actor, request)
        with self._context.database.read() as session:
            table = files.stored_pass(self._context, session, asked.version.table_id)
            columns = [Column.model_validate(each) for each in inside_of(self._context, session, asked.version)["schema"]]
        return self._scorers.advise(AdviceOrder(table, columns, Recipe(**recipe_of(asked))))

    def ask(self, actor: Actor, request: TrainRequest) -> Asked:
        """Check a training against its dataset."""
        with self._context.database.read() as session:
            dataset, version = self._tables.find(actor, session, request.dataset, request.version, "dataset.use")
            require_ready(dataset, version)
            columns = known(self._context, session, version).columns
            stored = files.read_stored(self._context, session, version.profile_id)
        parts = Parts.of(stored)
        target = request.target or parts.light.likely_target
        if target is None:
            raise TargetUnusable("It is not clear which column to predict. Name one as the target.")
        recipes.check(columns, concerned(parts, (target,)), target, request)
        return Asked(request, target, dataset, version)

    def queue(self, change: Change, asked: Asked, parent: Job | None = None) -> tuple[Model, Job]:
        """Add a model and the job that trains it to a change."""
        recipe = recipe_of(asked)
        model = self.new_version(change, asked.request.name, asked.dataset, asked.version.version)
        model.time_budget = asked.request.time_budget
        inside = {"target": asked.target, "task": asked.request.task, "metric": asked.request.metric, "recipe": recipe}
        model.sealed = self._context.seal(change.session, model.id, place_of(model), inside)
        job = add_job(self._context, change, "train", thing_of(model), Subject(kind="model", id=model.id), model.name, {"recipe": recipe}, parent=parent)
        model.job_id = job.id
        change.session.add(model)
        tell(change, "model.training", model)
        return model, job

    def new_version(self, change: Change, name: str | None, dataset: Dataset, dataset_version: int, key: bytes | None = None) -> Model:
        """Add the next version of a name, or the first one, to a change.

        A name has one owner: versions that an administrator adds belong to whom the name belongs. ``key`` is the data
        key, where something was sealed under it before.
        """
        assert change.actor is not None
        session, actor = change.session, change.actor
        model = Model(
            name="",
            name_key="",
            owner_id=actor.account_id,
            visibility=dataset.visibility,
            dataset_id=dataset.id,
            dataset_name=dataset.name,
            dataset_version=dataset_version,
            time_budget=0,
        )
        if name is None:
            stem = clean_name(f"{dataset.name} model")
            model.name = free_name(stem, store.taken_names(session, stem, actor.account_id))
        else:
            model.name = clean_name(name)
            earlier = store.by_name(session, model.name, actor.account_id)
            if earlier is not None:
                latest = store.versions(session, earlier)[0]
                self._follow(session, actor, model, latest)
                grants.copy(session, "model", latest.id, model.id)  # a new version is for the same people
        model.name_key = name_key(model.name)
        change.subject = Subject(kind="model", id=model.id)
        self._context.keep_key(session, model.id, key or self._context.keyring.new_data_key())
        session.add(model)
        session.flush()
        return model

    def _follow(self, session: Session, actor: Actor, model: Model, latest: Model) -> None:
        taken = f"There is a model named {latest.name!r} already, which is not yours. Choose another name."
        if not self._context.allows(actor, "model.update", thing_for(session, actor, latest)):
            raise NameTaken(taken)
        private = "private" in (model.visibility, latest.visibility)
        if private and latest.owner_id != actor.account_id:
            raise NameTaken(taken)
        model.name, model.version = latest.name, latest.version + 1
        model.owner_id, model.visibility = latest.owner_id, "private" if private else "team"

    # -- looking ------------------------------------------------------------------------------------------------

    def list(self, actor: Actor, *, search: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[ModelRead]:
        """Models that the actor may see, each version a line, newest first."""
        self._context.permit(actor, "model.list")
        limit = max(1, min(limit, 500))
        with self._context.database.read() as session:
            rows = store.page(session, actor.account_id, search=search, limit=limit + 1, before=list_cursor(cursor))
            items = [with_access(session, actor, model, shown) for model, shown in zip(rows, read_all(self._context, session, rows[:limit]), strict=False)]
        return Page(items=items, next=items[-1].id if len(rows) > limit else None)

    def get(self, actor: Actor, ref: str) -> ModelRead:
        """One model by id, ``name@version``, or name: then the champion, else the latest trained version."""
        with self._context.database.read() as session:
            return self._shown(actor, session, self.find(actor, session, ref, "model.read"))

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
            time_budget=model.time_budget + model.extra_seconds,
            skipped=model.skipped.split(),
        )

    def results(self, actor: Actor, ref: str) -> Results:
        """All that is known about a trained model. Looking at it is counted: who chooses by the test part wears it out."""
        with self._context.database.read() as session:
            model = self.find(actor, session, ref, "model.read")
            found = self.stored_results(session, model)
        self._context.note_read(actor, "model.look", Subject(kind="model", id=model.id), model.version)
        self._scorers.warm()
        looks = model.test_looks + self.count_look(actor, model.id)
        return found.model_copy(update={"model": Named(id=model.id, name=model.name), "test_looks": looks})

    def stored_results(self, session: Session, model: Model) -> Results:
        """The results as they were made, without counting a look."""
        require_trained(model)
        found = Results.model_validate_json(files.read_stored(self._context, session, model.results_id))
        since = self._context.unseal(session, model.id, place_of(model), model.sealed).get("second_scores", [])
        return with_second_scores(found, [SecondScore.model_validate(each) for each in since])

    def count_look(self, actor: Actor, model_id: str) -> int:
        """Count that somebody looks at the scores of the test part, once a minute; how many were counted."""
        key, moment = (actor.account_id, model_id), time.monotonic()
        if moment - self._looked.get(key, -LOOK_SECONDS) < LOOK_SECONDS:
            return 0
        if len(self._looked) > 10_000:
            self._looked.clear()
        self._looked[key] = moment
        with self._context.database.write() as session:
            store.count_look(session, model_id)
        return 1

    # -- changing -----------------------------------------------------------------------------------------------

    def update(self, actor: Actor, ref: str, request: ModelUpdate) -> ModelRead:
        """Rename or share a model with all its versions; note something about this one."""
        with self._context.database.read() as session:
            model = self.find(actor, session, ref, "model.update")
            if request.visibility not in (None, model.visibility):
                self.find(actor, session, model.id, "model.share")
        with self._context.change(actor, "model.update", Subject(kind="model", id=model.id)) as change:
            model = self.find(actor, change.session, model.id, "model.update")
            self._change_all(change, model, request)
            given = request.model_dump(include={"notes", "tags"}, exclude_none=True)
            if given:
                if "tags" in given:
                    given["tags"] = list(dict.fromkeys(tag.strip() for tag in given["tags"] if tag.strip()))
                write_inside(self._context, change, model, given)
            model.updated_at = now()
            change.session.add(model)
            tell(change, "model.changed", model)
            return self._shown(actor, change.session, model)

    def _change_all(self, change: Change, model: Model, request: ModelUpdate) -> None:
        """Change what all versions share."""
        assert change.actor is not None
        versions, earlier = store.versions(change.session, model), store.promotions(change.session, model)
        name = clean_name(request.name) if request.name is not None else model.name
        if name_key(name) != model.name_key:
            known = store.by_name(change.session, name, change.actor.account_id)
            if known is not None or store.owned(change.session, model.owner_id, name_key(name)):
                raise NameTaken(f"There is a model named {name!r} already. Choose another name.")
        for each in versions:
            each.name, each.name_key = name, name_key(name)
            each.visibility = request.visibility or each.visibility
            change.session.add(each)
        for promotion in earlier:
            promotion.name_key = store.family(model)
            change.session.add(promotion)
        change.session.flush()
        for each in versions:
            describe_jobs(change.session, each.id, each.name, each.visibility)

    def delete(self, actor: Actor, ref: str) -> None:
        """Delete a version of a model for good: its trials, its files and its key. Other versions stay."""
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

    # -- while it is searched for -------------------------------------------------------------------------------

    def stop(self, actor: Actor, ref: str) -> ModelRead:
        """End the search now and keep the best model so far."""

        def wish(model: Model) -> dict[str, Any]:
            model.stop_requested = True
            return {}

        return self._steer(actor, ref, "model.stop", wish)

    def extend(self, actor: Actor, ref: str, request: ExtendRequest) -> ModelRead:
        """Give the search more time."""

        def wish(model: Model) -> dict[str, Any]:
            if model.stop_requested:
                raise Conflict("The search was stopped a moment ago and cannot go on. Train again under the same name.")
            model.extra_seconds += request.seconds
            if model.seconds_left is not None:
                model.seconds_left += request.seconds
            return {"seconds": request.seconds}

        return self._steer(actor, ref, "model.extend", wish)

    def skip(self, actor: Actor, ref: str, request: SkipRequest) -> ModelRead:
        """Leave a family of learners out of the rest of the search."""

        def wish(model: Model) -> dict[str, Any]:
            with self._context.database.read() as session:
                recipe = self._context.unseal(session, model.id, place_of(model), model.sealed).get("recipe", {})
            tried = recipe.get("families") or recipes.all_families()
            if request.family not in tried:
                raise Invalid(f"{request.family} is not among the families of this search: {', '.join(tried)}.")
            skipped = [*dict.fromkeys([*model.skipped.split(), request.family])]
            if not set(tried) - set(skipped):
                raise Conflict("This is the last family of the search. Stop the search instead, to keep the best so far.")
            model.skipped = " ".join(skipped)
            return {"family": request.family}

        return self._steer(actor, ref, "model.skip", wish)

    def _steer(self, actor: Actor, ref: str, verb: str, wish: Any) -> ModelRead:
        with self._context.database.read() as session:
            model = self.find(actor, session, ref, verb)
        with self._context.change(actor, verb, Subject(kind="model", id=model.id)) as change:
            model = self.find(actor, change.session, model.id, verb)
            if model.status not in ("queued", "training") or model.origin != "search":
                raise Conflict("The search has ended already.")
            change.details.update(wish(model))
            model.updated_at = now()
            change.session.add(model)
            tell(change, "model.changed", model)
            return self._shown(actor, change.session, model)

    def export(self, actor: Actor, ref: str, format: str = "skops") -> Download:
        """The model taken away: the pipeline as skops, the code that makes it again as a notebook, or its card as a page."""
        with self._context.database.read() as session:
            model = self.find(actor, session, ref, "model.export")
            results = self.stored_results(session, model).model_copy(update={"model": Named(id=model.id, name=model.name)})
            shown = read(self._context, session, model)
            reader, stored = files.open_stored(self._context, session, model.artifact_id)
        if format == "skops":
            found = Download(f"{model.name}.skops", "application/octet-stream", files.pieces(reader), stored.plain_size)
        else:
            reader.close()
            name, media_type, text = _written(results, shown, format)
            found = Download(name, media_type, iter([text.encode()]), len(text.encode()))
        self._context.note(actor, "model.export", Subject(kind="model", id=model.id), "allow", {"format": format})
        return found

    def find(self, actor: Actor, session: Session, ref: str, verb: str, version: int | None = None) -> Model:
        """A model that the actor may do this to; with ``version``, that one of its versions."""
        model = store.find(session, ref, actor.account_id)
        if model is None:
            raise ModelNotFound
        self._context.permit(actor, verb, thing_for(session, actor, model), ModelNotFound)
        if version is None or version == model.version:
            return model
        other = store.of_version(session, model, version)
        if other is None:
            raise ModelNotFound(f"{model.name!r} has no version {version}.")
        self._context.permit(actor, verb, thing_for(session, actor, other), ModelNotFound)
        return other

    def _shown(self, actor: Actor, session: Session, model: Model) -> ModelRead:
        return with_access(session, actor, model, read(self._context, session, model))


def with_access(session: Session, actor: Actor, model: Model, shown: ModelRead) -> ModelRead:
    """What is shown of a model, with what the actor may do with it."""
    access = access_level(actor, "model", thing_for(session, actor, model))
    shared = grants.counts(session, "model", [model.id]).get(model.id, 0) if access == "owner" else None
    return shown.model_copy(update={"access": access, "shared_with": shared})


def _written(results: Results, model: ModelRead, format: str) -> tuple[str, str, str]:
    """File name, media type and text of a model as a notebook or as a card."""
    from dapp_ext.domain.learning import make_card, make_notebook  # they bring numpy along

    if format == "notebook":
        return f"{model.name}.ipynb", "application/x-ipynb+json", json.dumps(make_notebook(results), ensure_ascii=False, indent=1)
    if format != "card":
        raise Invalid("A model can be taken away as skops, notebook or card.")
    told = {"Owner": model.owner.name, "Version": str(model.version), "Made": f"{model.created_at:%Y-%m-%d %H:%M} UTC"}
    return f"{model.name}.html", "text/html; charset=utf-8", make_card(results, told | ({"Notes": model.notes} if model.notes else {}))


def recipe_of(asked: Asked) -> dict[str, Any]:
    """What the learning engine is asked for."""
    return asked.request.model_dump(mode="json", exclude={"dataset", "version", "name"}) | {"target": asked.target}


def require_trained(model: Model) -> None:
    if model.status == "failed":
        raise NotReady(f"{model.name!r} could not be trained, so there is no result. Its page says why.")
    if model.status == "cancelled":
        raise NotReady(f"The training of {model.name!r} was cancelled, so there is no result. Train it again.")
    if model.status != "ready":
        raise NotReady(f"{model.name!r} is still being trained. Wait for it, or stop it and keep the best so far.")


def place_of(model: Model) -> str:
    """Where a model's sealed field is; bound to it."""
    return f"models/{model.id}"


def trial_place(row: TrialRow) -> str:
    return f"trials/{row.model_id}/{row.number}"


def write_inside(context: Context, change: Change, model: Model, values: dict[str, Any]) -> None:
    """Change what a model's sealed field holds."""
    inside = context.unseal(change.session, model.id, place_of(model), model.sealed) | values
    model.sealed = context.seal(change.session, model.id, place_of(model), inside)
    change.session.add(model)


def keep_second_score(context: Context, change: Change, model: Model, second: SecondScore) -> None:
    """Keep a score that was asked for after the training, in the place of an earlier one of the same kind."""
    inside = context.unseal(change.session, model.id, place_of(model), model.sealed)
    known = [SecondScore.model_validate(each) for each in inside.get("second_scores", [])]
    others = [each for each in known if (each.guard, each.fix, each.columns) != (second.guard, second.fix, second.columns)]
    kept = [*others, second][-MOST_SECOND_SCORES:]
    write_inside(context, change, model, {"second_scores": [each.model_dump(mode="json") for each in kept]})


def with_second_scores(results: Results, since: Sequence[SecondScore]) -> Results:
    """Results with the scores that were asked for since; the newest for a finding stands beside it."""
    if not since:
        return results
    newest = {each.guard: each for each in since if each.guard}
    guards = [guard.model_copy(update={"second": newest[guard.code]}) if guard.code in newest and guard.fixes else guard for guard in results.guards]
    worst = results.worst
    if worst is not None and worst.code in newest:
        worst = worst.model_copy(update={"second": newest[worst.code]})
    return results.model_copy(update={"guards": guards, "worst": worst, "second_scores": [*since]})


def tell(change: Change, type: str, model: Model) -> None:
    """Add an event about a model; neither its target nor its sentence is in it."""
    dataset = Named(id=model.dataset_id, name=model.dataset_name)
    data = ModelEvent(name=model.name, status=model.status, version=model.version, dataset=dataset, error=model.error_code)
    change.tell(type, Subject(kind="model", id=model.id), data, thing_of(model))


def read_all(context: Context, session: Session, rows: list[Model]) -> list[ModelRead]:
    """Models as they are shown, with their names and counts looked up together."""
    names = accounts_store.names(session, {model.owner_id for model in rows})
    counts = store.trial_counts(session, [model.id for model in rows])
    return [read(context, session, model, names, counts) for model in rows]


def read(context: Context, session: Session, model: Model, names: dict[str, str] | None = None, counts: dict[str, int] | None = None) -> ModelRead:
    """A model as it is shown."""
    owners = names if names is not None else accounts_store.names(session, {model.owner_id})
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
        plain_score=Score.model_validate(inside["plain_score"]) if inside.get("plain_score") else None,
        unit=inside.get("unit"),
        sentence=inside.get("sentence"),
        trials=(counts if counts is not None else store.trial_counts(session, [model.id])).get(model.id, 0),
        time_budget=model.time_budget + model.extra_seconds,
        job_id=model.job_id,
        champion=model.champion,
        origin=model.origin,
        notes=inside.get("notes"),
        tags=inside.get("tags", []),
        skipped=model.skipped.split(),
        policy_version=model.policy_version or None,
        alert=model.alert_code,
        concern=inside.get("concern"),
        created_at=model.created_at,
        updated_at=model.updated_at,
    )
