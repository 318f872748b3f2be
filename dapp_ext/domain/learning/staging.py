"""All that is settled before a search: the target, the rows, the columns, the guards, the locked test part and the encoding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dapp_ext.domain.learning.adjusting import long_tailed
from dapp_ext.domain.learning.clock import Clock
from dapp_ext.domain.learning.disguised import check_disguised, mark
from dapp_ext.domain.learning.families import KINDS, check_params
from dapp_ext.domain.learning.features import Encoded, TableEncoder
from dapp_ext.domain.learning.guards import ColumnChecks, check_columns
from dapp_ext.domain.learning.leakage import Told, check_leakage, held_back, single_column_scores
from dapp_ext.domain.learning.learners import Problem
from dapp_ext.domain.learning.measures import measure
from dapp_ext.domain.learning.ordering import date_column, group_codes, group_column, guard_groups, guard_time, moments_of, suggest_validation
from dapp_ext.domain.learning.recipe import Recipe
from dapp_ext.domain.learning.rowguards import RowChecks, check_rows
from dapp_ext.domain.learning.shifting import Parts, check_shift
from dapp_ext.domain.learning.sizing import most_rows, threads_of
from dapp_ext.domain.learning.splits import Fold, Rows, lock_test, sample_rows
from dapp_ext.domain.learning.targets import Target, read_target
from dapp_ext.errors import ColumnUnknown, Invalid, TargetUnusable
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Guard, Validation, ValidationGuess

Array = npt.NDArray[Any]
SHARE_OF_LEAKAGE, SHARE_OF_SHIFT, BINS = 0.12, 0.03, 10
LEAK_ROWS_LEAST, LEAK_ROWS_MOST, LEAK_CELLS = 2000, 20_000, 6e6


@dataclass(frozen=True)
class Way:
    """How rows are held back: the kind, the column of dates or groups, and what would be advised."""

    validation: Validation
    date: str | None
    group: str | None
    advised: ValidationGuess

    @property
    def column(self) -> str | None:
        """The column that the split goes by."""
        return {"time": self.date, "group": self.group}.get(self.validation)


@dataclass(frozen=True)
class Stage:
    """All that is settled before the search: rows, columns, split, problem and guards; ``unasked`` rows of the locked part are left out of it."""

    target: Target
    way: Way
    features: list[Column]
    problem: Problem
    guards: list[Guard]
    rows: Rows
    encoder: TableEncoder
    X: Encoded
    y: Array
    X_test: Encoded
    y_test: Array
    column_scores: dict[str, Told]
    unasked: int = 0


def prepare_stage(table: pa.Table, columns: list[Column], recipe: Recipe, clock: Clock) -> Stage:
    """Check what is asked, read the target, look at columns and rows, lock the test part and encode.

    Raises
    ------
    TargetUnusable, ColumnUnknown, Invalid
        What is asked for cannot be done with this table; the sentence says why.
    """
    columns = check_wishes(table, columns, recipe)
    table = mark(table, recipe.missing)
    target = read_target(next(c for c in columns if c.name == recipe.target), table.column(recipe.target), recipe.task)
    metric = measure(recipe.metric, target.task)
    problem = Problem(target.task, len(target.labels), metric.name, threads_of(recipe), recipe.seed)
    check_params(recipe.params, problem)
    problem = replace(problem, tailed=not target.labels and long_tailed(target.y))
    target = _affordable(target, len(columns), recipe)
    rows = table.take(pa.array(target.rows)) if len(target.rows) < table.num_rows else table
    others = [c for c in columns if c.name != recipe.target]
    way = find_way(rows, others, target, recipe)
    usable = [c for c in others if c.name not in recipe.exclude and c.name != (way.group if way.validation == "group" else None)]
    checks = check_columns(rows, usable, recipe)
    if not checks.kept:
        raise Invalid("No column is left to learn from. Exclude fewer columns, or use a table with more columns.")
    row_checks = check_rows(rows, checks.kept, target, recipe)
    if len(row_checks.kept) < len(target.rows):
        rows = rows.take(pa.array(row_checks.kept))
    if len(row_checks.target.labels) != problem.classes:
        problem = replace(problem, task=row_checks.target.task, classes=len(row_checks.target.labels))
        problem = replace(problem, metric=measure(recipe.metric, problem.task).name)
    return _encode(rows, (checks, row_checks), (way, problem), recipe, clock)


def check_wishes(table: pa.Table, columns: list[Column], recipe: Recipe) -> list[Column]:
    """The columns, or a sentence on what is asked of them that cannot be."""
    by_name = {c.name: c for c in columns}
    if len(by_name) < len(columns):
        raise Invalid("Two columns have the same name. Give each column a name of its own.")
    asked = [recipe.target, *recipe.exclude, *(n for n in (recipe.group, recipe.time_column) if n)]
    for name in asked:
        if name not in by_name or name not in table.column_names:
            raise ColumnUnknown(f"There is no column “{name}”. Choose one of the dataset's columns.")
    for family in recipe.families or []:
        if family not in KINDS:
            raise Invalid(f"There is no family {family!r}. Choose among: {', '.join(KINDS)}.")
    if recipe.validation == "group" and recipe.group is None:
        raise Invalid("Name the column whose equal values stay together, as the group.")
    if recipe.target in (recipe.group, recipe.time_column):
        raise Invalid("The target cannot also say how the rows are divided. Choose another column for that.")
    return columns


def _affordable(target: Target, columns: int, recipe: Recipe) -> Target:
    """All rows with a target, or a random sample where the budget is too short to look at all of them."""
    most = most_rows(columns, recipe.time_budget)
    if len(target.rows) <= most:
        return target
    strata = target.y if target.labels else np.zeros(len(target.y), dtype=np.int64)
    chosen = sample_rows(Rows(strata, np.arange(len(strata))), most, recipe.seed)
    return replace(target, rows=target.rows[chosen], y=target.y[chosen], sampled_from=len(target.rows))


def find_way(rows: pa.Table, columns: list[Column], target: Target, recipe: Recipe) -> Way:
    """How the rows are held back: as asked, or as is usual, beside what would be advised."""
    date = recipe.time_column or date_column(rows, columns)
    group = recipe.group or group_column(rows, [c for c in columns if c.name not in recipe.exclude])
    if recipe.validation == "time" and date is None:
        raise Invalid("No column holds dates, so the rows cannot be split by time. Ask for a random split.")
    if recipe.time_column and not np.isfinite(moments_of(rows.column(recipe.time_column))).any():
        raise Invalid(f"“{recipe.time_column}” holds no dates that can be read, so the rows cannot be split by it. Choose another column.")
    usual: Validation = "stratified" if target.labels else "random"
    validation: Validation = recipe.validation or ("group" if recipe.group else "time" if recipe.time_column else usual)
    if validation == "group" and group is not None and len(np.unique(group_codes(rows.column(group)))) < 5:
        raise Invalid(f"“{group}” has fewer than five values, too few to learn from some and to test on others. Choose another column.")
    return Way(validation, date, group, suggest_validation(len(target.rows), len(target.labels), date, group))


def _encode(rows: pa.Table, checks: tuple[ColumnChecks, RowChecks], setting: tuple[Way, Problem], recipe: Recipe, clock: Clock) -> Stage:
    (column_checks, row_checks), (way, problem), target = checks, setting, checks[1].target
    if len(target.rows) < 30:
        raise TargetUnusable(f"Only {len(target.rows)} rows are left to learn from. At least 30 are needed; clean less, or add rows.")
    split_rows = _split_rows(rows, target, row_checks.groups, way)
    split = lock_test(split_rows, recipe.seed)
    if not len(split.valid) or not len(split.train):
        raise Invalid("The rows cannot be divided this way: one side would be empty. Choose another validation.")
    learned = rows.take(pa.array(split.train))
    y, y_test = target.y[split.train], target.y[split.valid]
    told = _tell_apart(learned, column_checks.kept, target, y, (recipe, clock))
    names = [c.name for c in column_checks.kept]
    back = held_back(told, names, recipe)
    features = [c for c in column_checks.kept if c.name not in back]
    encoder = TableEncoder(features)
    X = encoder.fit_transform(learned)
    X_test = encoder.transform(rows.take(pa.array(split.valid)))
    guards = [
        *check_leakage(told, names, target, recipe),
        *column_checks.guards,
        *row_checks.guards,
        guard_groups(rows, way.group, way.validation, target),
        guard_time(way.date, way.validation),
        check_disguised(rows, features, target.rows, recipe),
        check_shift(Parts(encoder, (X, y), (X_test, y_test)), target, recipe, clock.allow(SHARE_OF_SHIFT * recipe.time_budget, heed_stop=False)),
    ]
    return Stage(target, way, features, problem, guards, split_rows.take(split.train), encoder, X, y, X_test, y_test, told)


def _split_rows(rows: pa.Table, target: Target, groups: Array, way: Way) -> Rows:
    order = moments_of(rows.column(way.date)) if way.validation == "time" and way.date else None
    if way.validation == "group" and way.group:
        groups = group_codes(rows.column(way.group))
    strata = target.y if target.labels else np.zeros(len(target.y), dtype=np.int64)
    if way.validation == "stratified" and not target.labels:
        edges = np.unique(np.quantile(target.y, np.linspace(0, 1, BINS + 1)[1:-1]))
        strata = np.searchsorted(edges, target.y, side="right")
    return Rows(strata, groups, order)


def _tell_apart(learned: pa.Table, kept: list[Column], target: Target, y: Array, setting: tuple[Recipe, Clock]) -> dict[str, Told]:
    """How much each column alone tells, on a sample of the training rows."""
    recipe, clock = setting
    most = int(np.clip(LEAK_CELLS / max(len(kept), 1), LEAK_ROWS_LEAST, LEAK_ROWS_MOST))
    sample = np.random.default_rng([recipe.seed, 5]).permutation(len(y))[:most]
    probe = TableEncoder(kept)
    X = probe.fit_transform(learned.take(pa.array(sample)))
    return single_column_scores(probe, X, target, y[sample], clock.allow(SHARE_OF_LEAKAGE * recipe.time_budget, heed_stop=False))


__all__ = ["Fold", "Stage", "Way", "prepare_stage"]
