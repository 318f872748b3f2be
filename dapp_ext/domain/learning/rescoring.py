"""The score again after a fix: the same learner, with the same settings, cross-validated before and after the change."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from dapp_ext.domain.learning.clock import Clock
from dapp_ext.domain.learning.measures import MEASURES, measure
from dapp_ext.domain.learning.metrics import Truth, better, score_of
from dapp_ext.domain.learning.narrate import amount
from dapp_ext.domain.learning.options import PARAMETERS
from dapp_ext.domain.learning.recipe import Recipe
from dapp_ext.domain.learning.search import Ground, Search
from dapp_ext.domain.learning.sizing import threads_of
from dapp_ext.domain.learning.splits import cross_folds, sample_rows
from dapp_ext.domain.learning.staging import Stage, prepare_stage
from dapp_ext.errors import Invalid, TargetUnusable
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Family, Guard, SecondScore, Trial

ROWS, ROUNDS, CHOICES = 10_000, 200, 5
NOT_SCORED = "There was not enough time, or there are too few rows, to score again. Train a new version with the fix instead."
# Of the cells that can be read in a second (see sizing), how many are worth reading for a score that is told beside others.
SAMPLED_ROWS, WHOLE_ROWS, CELLS_A_SECOND, LEAST_SECONDS = 6000, 20_000, 1e6, 0.5
TRIED_AGAIN = (
    "leakage",
    "groups",
    "time_order",
    "conflicting_labels",
    "disguised_missing",
    "shift",
    "rare_classes",
    "duplicates",
    "identifier",
    "few_rows",
    "imbalance",
)
# What these change is the same on a sample of the rows.
SAMPLED_FIXES = frozenset({"exclude", "allow", "missing", "metric", "families"})
LEARNERS: tuple[Family, ...] = ("lightgbm", "linear", "forest", "neural", "neighbours")
SHOWN = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "mae"}


def second_score(table: pa.Table, columns: list[Column], recipe: Recipe, change: dict[str, Any], family: Family = "lightgbm") -> SecondScore:
    """Score before and after a fix.

    Parameters
    ----------
    recipe : Recipe
        As it was asked for; its time budget bounds each of the two scores.
    change : dict
        The fix's change of the request.

    Raises
    ------
    Invalid, TargetUnusable, ColumnUnknown
        The change cannot be made with this table.
    """
    return _compare(_Order(table, columns, recipe, change, family))


@dataclass(frozen=True)
class _Order:
    table: pa.Table
    columns: list[Column]
    recipe: Recipe
    change: dict[str, Any]
    family: Family
    should_stop: Callable[[], bool] = lambda: False

    def stage(self, recipe: Recipe) -> Stage:
        return prepare_stage(self.table, self.columns, replace(recipe, metric=None), Clock(recipe.time_budget, self.should_stop))


def _compare(order: _Order) -> SecondScore:
    recipe, change = order.recipe, order.change
    if set(change) == {"metric"}:
        return _compare_choices(order)
    names = recipe.__dataclass_fields__
    fixed = replace(recipe, **{k: v for k, v in change.items() if k in names})
    # A held-back column is in the score before, so that its fix can be seen to matter.
    back = [n for n in change.get("exclude", []) if n not in recipe.exclude]
    with threadpool_limits(limits=threads_of(recipe)):
        before = order.stage(replace(recipe, allow=[*recipe.allow, *back]))
        after = order.stage(fixed)
        metric = recipe.metric or SHOWN[before.problem.task]
        if metric not in MEASURES or before.problem.task not in MEASURES[metric].tasks or after.problem.task not in MEASURES[metric].tasks:
            metric = SHOWN[after.problem.task] if before.problem.task == after.problem.task else "accuracy"
        # A fix that keeps to some families is tried with the first of them.
        family: Family = order.family if order.family in change.get("families", [order.family]) else change["families"][0]
        values = [_score(stage, replace(recipe, metric=metric), each) for stage, each in ((before, order), (after, replace(order, family=family)))]
    facts = MEASURES[metric]
    return SecondScore(
        metric=metric,
        label=facts.label,
        greater_is_better=facts.greater_is_better,
        before=values[0],
        after=values[1],
        sentence=_sentence(facts.label, values, metric),
    )


def _compare_choices(order: _Order) -> SecondScore:
    """Another measure changes which candidate is chosen: some are tried once, and chosen by the one and by the other.

    The choice is made on the other folds and scored on each, so that choosing by a measure is not rewarded by itself.
    """
    recipe = order.recipe
    with threadpool_limits(limits=threads_of(recipe)):
        stage = order.stage(recipe)
        measures = [measure(each, stage.problem.task) for each in (recipe.metric, order.change["metric"])]
        search = _search(stage, replace(recipe, metric=measures[1].name), order, recipe.families or list(LEARNERS))
        search.run(CHOICES, lambda best: 0.0)
    tried = [each.out for each in search.checked if each.out is not None]
    if len(tried) < 2:
        raise Invalid(NOT_SCORED)
    ground, facts = search.ground, measures[1]
    by_fold = np.asarray(
        [[[score_of(m.name, Truth(stage.problem.task, ground.y[f.valid], out[f.valid])) for f in ground.folds] for out in tried] for m in measures]
    )
    signs = [1 if each.greater_is_better else -1 for each in measures]
    reached = np.zeros((2, len(ground.folds)))
    for fold in range(len(ground.folds)):
        others = np.arange(len(ground.folds)) != fold
        for which in range(2):
            chosen = int(np.argmax(signs[which] * by_fold[which][:, others].mean(axis=1)))
            reached[which, fold] = by_fold[1, chosen, fold]
    values = [float(each) for each in reached.mean(axis=1)]
    return SecondScore(
        metric=facts.name,
        label=facts.label,
        greater_is_better=facts.greater_is_better,
        before=values[0],
        after=values[1],
        sentence=_sentence(facts.label, values, facts.name),
    )


def score_again(table: pa.Table, columns: list[Column], recipe: Recipe, learner: Trial, change: dict[str, Any]) -> SecondScore:
    """The score after a change that was asked for, by the learner that did best; ``recipe.time_budget`` bounds it all.

    Raises
    ------
    Invalid, TargetUnusable, ColumnUnknown
        It cannot be scored; the sentence says why.
    """
    again = Again(table, columns, recipe, learner, Clock(recipe.time_budget, lambda: False))
    sampled = _table_for(again, change, recipe.time_budget)
    family, known = _learner(again)
    recipe = replace(recipe, time_budget=0.4 * recipe.time_budget, params=known, trials=None)
    return _compare(_Order(table if sampled is None else sampled, columns, recipe, change, family))


@dataclass(frozen=True)
class Again:
    """A training that has come to its model: what it was made from, the learner that did best alone, and its clock."""

    table: pa.Table
    columns: list[Column]
    recipe: Recipe
    learner: Trial
    clock: Clock


def second_seconds(guards: Sequence[Guard], recipe: Recipe) -> float:
    """Seconds of a training that are kept for scoring again after the fixes of what stands."""
    return float(np.clip(0.08 * recipe.time_budget, 0.0, 20.0)) if _worth(guards) else 0.0


def second_scores(again: Again, guards: Sequence[Guard], seconds: float) -> list[Guard]:
    """The guards, with the score before and after the first fix of each that stands, while the seconds last.

    The learner that did best alone is fitted again, with its own settings, on a sample where only columns change.
    """
    until, needed = time.monotonic() + seconds, LEAST_SECONDS
    made = {id(g): g for g in guards}
    for each in _worth(guards):
        left = until - time.monotonic()
        if again.clock.stopped() or left < needed:
            break
        began = time.monotonic()
        table = _table_for(again, each.fixes[0].change, left)
        if table is None:
            continue
        family, known = _learner(again)
        recipe = replace(again.recipe, time_budget=0.4 * left, params=known, trials=None)
        try:
            second = _compare(_Order(table, again.columns, recipe, each.fixes[0].change, family, again.clock.stopped))
        except (Invalid, TargetUnusable):  # too few rows, or too little time, once it is fixed: then there is no second score
            continue
        about = {"fix": each.fixes[0].label, "guard": each.code, "columns": each.columns}
        made[id(each)] = each.model_copy(update={"second": second.model_copy(update=about)})
        needed = max(LEAST_SECONDS, 1.2 * (time.monotonic() - began))
    return list(made.values())


def _worth(guards: Sequence[Guard]) -> list[Guard]:
    able = [g for g in guards if g.code in TRIED_AGAIN and g.fixes and g.state != "passed" and (g.state == "alerted" or g.rows_count)]
    return sorted(able, key=lambda g: (g.state != "alerted", g.severity != "alert", TRIED_AGAIN.index(g.code)))


def _table_for(again: Again, change: dict[str, Any], seconds: float) -> pa.Table | None:
    """All rows or a sample that can be read twice in the time; None where rows are changed and there are too many of them."""
    rows = again.table.num_rows
    most = int(0.3 * seconds * CELLS_A_SECOND / max(again.table.num_columns, 1))
    if not set(change) <= SAMPLED_FIXES:
        return again.table if rows <= min(WHOLE_ROWS, most) else None
    most = min(most, SAMPLED_ROWS)
    if rows <= most:
        return again.table
    return again.table.take(pa.array(np.sort(np.random.default_rng([again.recipe.seed, 61]).permutation(rows)[:most]))) if most >= 300 else None


def _learner(again: Again) -> tuple[Family, dict[str, Any]]:
    """The family that did best alone, and its settings that may be fixed."""
    family: Family = next((f for f in LEARNERS if f == again.learner.family), "lightgbm")
    settings = again.learner.params if family == again.learner.family else {}
    return family, {family: {name: value for name, value in settings.items() if name in PARAMETERS[family]}}


def _search(stage: Stage, recipe: Recipe, order: _Order, families: list[Family]) -> Search:
    problem = replace(stage.problem, metric=recipe.metric or stage.problem.metric)
    chosen = sample_rows(stage.rows, ROWS, recipe.seed)
    folds = cross_folds(stage.rows.take(chosen), 3, 1, recipe.seed)
    fixed: dict[str, dict[str, Any]] = {f: {**({"rounds": ROUNDS} if f == "lightgbm" else {}), **recipe.params.get(f, {})} for f in families}
    clock = Clock(recipe.time_budget, order.should_stop)
    return Search(Ground(stage.X.take(chosen), stage.y[chosen], folds, problem), clock, lambda trial: None, fixed, families)


def _score(stage: Stage, recipe: Recipe, order: _Order) -> float:
    search = _search(stage, recipe, order, [order.family])
    search.run(1, lambda best: 0.0)
    best = search.best()
    if best is None or best.trial.score is None or not np.isfinite(best.trial.score):
        raise Invalid(NOT_SCORED)
    return best.trial.score


def _sentence(label: str, values: list[float], metric: str) -> str:
    before, after = (amount(v) for v in values)
    if before == after:
        return f"{label} stays at {after} after the fix."
    how = (
        "better"
        if better(metric, values[1], values[0])
        else "worse, and more honest"
        if abs(values[1] - values[0]) > 0.02 * abs(values[0])
        else "a little worse"
    )
    return f"{label} goes from {before} to {after} after the fix: {how}."
