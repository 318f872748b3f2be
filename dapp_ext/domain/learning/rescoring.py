"""The score again after a fix: the same learner, with the same settings, cross-validated before and after the change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from dapp_ext.domain.learning.clock import Clock
from dapp_ext.domain.learning.measures import MEASURES
from dapp_ext.domain.learning.metrics import better
from dapp_ext.domain.learning.narrate import amount
from dapp_ext.domain.learning.recipe import Recipe
from dapp_ext.domain.learning.search import Ground, Search
from dapp_ext.domain.learning.splits import cross_folds, sample_rows
from dapp_ext.domain.learning.staging import Stage, prepare_stage
from dapp_ext.errors import Invalid
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Family, SecondScore

ROWS, ROUNDS = 10_000, 200
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
    names = recipe.__dataclass_fields__
    fixed = replace(recipe, **{k: v for k, v in change.items() if k in names})
    # A held-back column is in the score before, so that its fix can be seen to matter.
    back = [n for n in change.get("exclude", []) if n not in recipe.exclude]
    with threadpool_limits(limits=max(recipe.threads, 1)):
        before = _stage(table, columns, replace(recipe, allow=[*recipe.allow, *back]))
        after = _stage(table, columns, fixed)
        metric = recipe.metric or SHOWN[before.problem.task]
        if metric not in MEASURES or before.problem.task not in MEASURES[metric].tasks or after.problem.task not in MEASURES[metric].tasks:
            metric = SHOWN[after.problem.task] if before.problem.task == after.problem.task else "accuracy"
        values = [_score(stage, replace(recipe, metric=metric), family) for stage in (before, after)]
    facts = MEASURES[metric]
    return SecondScore(
        metric=metric,
        label=facts.label,
        greater_is_better=facts.greater_is_better,
        before=values[0],
        after=values[1],
        sentence=_sentence(facts.label, values, metric),
    )


def _stage(table: pa.Table, columns: list[Column], recipe: Recipe) -> Stage:
    return prepare_stage(table, columns, replace(recipe, metric=None), Clock(recipe.time_budget, lambda: False))


def _score(stage: Stage, recipe: Recipe, family: Family) -> float:
    problem = replace(stage.problem, metric=recipe.metric or stage.problem.metric)
    chosen = sample_rows(stage.rows, ROWS, recipe.seed)
    folds = cross_folds(stage.rows.take(chosen), 3, 1, recipe.seed)
    fixed = {"lightgbm": {"rounds": ROUNDS}}
    clock = Clock(recipe.time_budget, lambda: False)
    search = Search(Ground(stage.X.take(chosen), stage.y[chosen], folds, problem), clock, lambda trial: None, fixed, [family])
    search.run(1, lambda best: 0.0)
    best = search.best()
    if best is None or best.trial.score is None or not np.isfinite(best.trial.score):
        raise Invalid("There was not enough time, or there are too few rows, to score again. Train a new version with the fix instead.")
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
