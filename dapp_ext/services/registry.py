"""The registry: versions of a model side by side, and which of them is the champion."""

from __future__ import annotations

from typing import Any

from dapp_ext.errors import Conflict
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Subject, now
from dapp_ext.schema.models import ModelRead, Results, Score
from dapp_ext.schema.registry import Comparison, Difference, PromotionRead, ReasonRequest, ScorePair, VersionsRead
from dapp_ext.services.context import Change, Context
from dapp_ext.services.models import Models, place_of, read, read_all, require_trained, tell
from dapp_ext.services.things import thing_for
from dapp_ext.store import models as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Model, Promotion

_UNLIKE = "The two models answer different questions, so their scores cannot be compared."


class Registry:
    """The service."""

    def __init__(self, context: Context, models: Models) -> None:
        self._context = context
        self._models = models

    def versions(self, actor: Actor, ref: str) -> VersionsRead:
        """All versions of a model's name that the actor may see, and how its champion changed."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.read")
            rows = [each for each in store.versions(session, model) if self._context.allows(actor, "model.read", thing_for(session, actor, each))]
            numbers = {each.id: each.version for each in rows}
            changes = [_promotion(self._context, session, each, numbers) for each in store.promotions(session, model)]
            return VersionsRead(
                name=model.name,
                champion=next((each.version for each in rows if each.champion), None),
                versions=read_all(self._context, session, rows),
                promotions=[each for each in changes if each is not None],
            )

    def promote(self, actor: Actor, ref: str, request: ReasonRequest) -> ModelRead:
        """Make a version the champion of its name: predictions by name go to it from now on."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.promote")
        with self._context.change(actor, "model.promote", Subject(kind="model", id=model.id)) as change:
            model = self._models.find(actor, change.session, model.id, "model.promote")
            require_trained(model)
            if model.champion:
                raise Conflict(f"Version {model.version} of {model.name!r} is the champion already.")
            return self._crown(change, model, request.reason, "promote")

    def rollback(self, actor: Actor, ref: str, request: ReasonRequest) -> ModelRead:
        """Bring back the champion before the present one."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.rollback")
        with self._context.change(actor, "model.rollback", Subject(kind="model", id=model.id)) as change:
            versions = store.versions(change.session, model)
            champion = next((each for each in versions if each.champion), None)
            if champion is None:
                raise Conflict(f"{model.name!r} has no champion to roll back from. Promote a version.")
            earlier = _before(store.promotions(change.session, model), champion.id, {each.id: each for each in versions})
            if earlier is None:
                raise Conflict(f"{model.name!r} had no other champion before that still exists. Promote another version instead.")
            self._context.permit(actor, "model.rollback", thing_for(change.session, actor, earlier))
            change.subject = Subject(kind="model", id=earlier.id)
            return self._crown(change, earlier, request.reason, "rollback")

    def _crown(self, change: Change, model: Model, reason: str, kind: str) -> ModelRead:
        assert change.actor is not None
        former = None
        for each in store.versions(change.session, model):
            if each.champion:
                former = each
                each.champion = False
                change.session.add(each)
        model.champion, model.updated_at = True, now()
        change.session.add(model)
        row = Promotion(
            name_key=store.family(model),
            model_id=model.id,
            previous_id=former.id if former else None,
            kind=kind,
            actor_id=change.actor.account_id,
            actor_name=change.actor.name,
        )
        row.sealed = self._context.seal(change.session, model.id, _place(row), {"reason": reason.strip()})
        change.session.add(row)
        change.details.update({"version": model.version, "before": former.version if former else None})
        change.session.flush()
        if former is not None:
            tell(change, "model.changed", former)
        tell(change, "model.promoted", model)
        return read(self._context, change.session, model)

    def compare(self, actor: Actor, a: str, b: str) -> Comparison:
        """Two trained models side by side: scores, recipe, columns and the data they learned from."""
        with self._context.database.read() as session:
            models = [self._models.find(actor, session, ref, "model.read") for ref in (a, b)]
            results = [self._models.stored_results(session, each) for each in models]
            reads = [read(self._context, session, each) for each in models]
            recipes = [self._context.unseal(session, each.id, place_of(each), each.sealed).get("recipe", {}) for each in models]
        for each in models:
            self._models.count_look(actor, each.id)
        one, other = results
        same = one.dataset.id == other.dataset.id and one.dataset_version == other.dataset_version and one.target == other.target and one.split == other.split
        alike = (one.target, one.task) == (other.target, other.task)
        scores = _score_pairs(one, other) if alike else [pair.model_copy(update={"better": None, "apart": False}) for pair in _score_pairs(one, other)]
        mine, theirs = ({column.name for column in each.features} for each in results)
        facts = [_facts(read, result, recipe) for read, result, recipe in zip(reads, results, recipes, strict=True)]
        return Comparison(
            a=reads[0],
            b=reads[1],
            sentence=_sentence(reads, one, scores, same) if alike else _UNLIKE,
            same_rows=same,
            scores=scores,
            recipe=[Difference(name=name, a=facts[0].get(name), b=facts[1].get(name)) for name in facts[0] if facts[0].get(name) != facts[1].get(name)],
            columns_only_a=sorted(mine - theirs),
            columns_only_b=sorted(theirs - mine),
            columns_both=len(mine & theirs),
        )


def _before(promotions: list[Promotion], champion: str, known: dict[str, Model]) -> Model | None:
    """The champion that the present one took over from, past those that do not exist any more; promotions come latest first."""
    wanted, seen = champion, {champion}
    for each in promotions:
        if each.kind != "promote" or each.model_id != wanted:
            continue
        if each.previous_id is None:
            return None
        wanted = each.previous_id
        if wanted in known and wanted not in seen:
            return known[wanted]
        seen.add(wanted)
    return None


def _place(row: Promotion) -> str:
    return f"promotions/{row.id}"


def _promotion(context: Context, session: Session, row: Promotion, numbers: dict[str, int]) -> PromotionRead | None:
    if row.model_id not in numbers:
        return None  # that version was deleted, and the reason with its key
    reason = context.unseal(session, row.model_id, _place(row), row.sealed)["reason"]
    by = Named(id=row.actor_id, name=row.actor_name)
    return PromotionRead(model=row.model_id, version=numbers[row.model_id], kind=row.kind, reason=reason, by=by, at=row.at)


def _score_pairs(a: Results, b: Results) -> list[ScorePair]:
    left, right = ({score.name: score for score in each.scores} for each in (a, b))
    return [_pair(name, left.get(name), right.get(name)) for name in dict.fromkeys([*left, *right])]


def _pair(name: str, a: Score | None, b: Score | None) -> ScorePair:
    known = a or b
    assert known is not None
    pair = ScorePair(name=name, label=known.label, greater_is_better=known.greater_is_better, a=a.value if a else None, b=b.value if b else None)
    if a is None or b is None or a.value == b.value:
        return pair
    apart = a.low > b.high or b.low > a.high
    return pair.model_copy(update={"better": "a" if (a.value > b.value) == known.greater_is_better else "b", "apart": apart})


def _facts(read: ModelRead, results: Results, recipe: dict[str, Any]) -> dict[str, Any]:
    """What a person would call the recipe, by name."""
    return {
        "origin": read.origin,
        "dataset": read.dataset.name,
        "dataset version": read.dataset_version,
        "target": results.target,
        "task": results.task,
        "metric": results.metric,
        "validation": results.split.validation,
        "rows to learn from": results.split.rows_train,
        "rows to check on": results.split.rows_test,
        "time budget": read.time_budget,
        "trials": recipe.get("trials"),
        "families": recipe.get("families"),
        "parameters": recipe.get("params") or None,
        "left out": recipe.get("exclude") or None,
        "seed": recipe.get("seed"),
        "best learner": results.best.label,
        "scikit-learn": results.libraries.get("scikit-learn"),
    }


def _sentence(reads: list[ModelRead], results: Results, scores: list[ScorePair], same: bool) -> str:
    pair = next((each for each in scores if each.name == results.metric), None)
    names = {"a": f"{reads[0].name!r} version {reads[0].version}", "b": f"{reads[1].name!r} version {reads[1].version}"}
    if pair is None or pair.a is None or pair.b is None:
        return _UNLIKE
    if pair.better is None:
        said = f"Both reach the same {pair.label}."
    elif pair.apart:
        said = f"{names[pair.better]} is better by {pair.label}, beyond what chance explains."
    else:
        said = f"{names[pair.better]} is a little better by {pair.label}, but the difference may be chance."
    return said if same else f"{said} They were scored on different rows, so small differences mean nothing."
