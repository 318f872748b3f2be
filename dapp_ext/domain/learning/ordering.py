"""Order and groups of rows: which columns give them, and how rows should be held back, with the reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dapp_ext.domain.learning.fixes import forward_split, group_by
from dapp_ext.domain.learning.guards import ID_NAME, guard
from dapp_ext.domain.learning.reading import as_moments, as_texts, one_array
from dapp_ext.domain.learning.splits import folds_for
from dapp_ext.domain.learning.targets import Target
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Guard, Validation, ValidationGuess

Array = npt.NDArray[Any]
FEWEST_GROUPS, REPEATS = 10, 2.0
MANY_VALUES = 30


def date_column(table: pa.Table, columns: list[Column]) -> str | None:
    """The column that orders the rows in time: the date column with the fewest missing and then the most different values."""
    dated = [c for c in columns if c.kind in ("date", "datetime")]
    if not dated:
        return None

    def rank(column: Column) -> tuple[int, int]:
        array = one_array(table.column(column.name))
        return array.null_count, -len(array.unique())

    best = min(dated, key=rank)
    return best.name if len(one_array(table.column(best.name)).drop_null().unique()) > 1 else None


def moments_of(values: pa.ChunkedArray) -> Array:
    """Dates as numbers that grow with time, NaN for missing."""
    moments = as_moments(values)[0].cast(pa.int64())
    return np.asarray(moments.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def group_codes(values: pa.ChunkedArray) -> Array:
    """A number for each value; every row without a value is a group of its own."""
    codes = np.asarray(as_texts(values).dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return codes


def group_column(table: pa.Table, columns: list[Column]) -> str | None:
    """The column that names the same person or thing in several rows, judged by its name and how often its values repeat."""
    best: tuple[int, str] | None = None
    for column in columns:
        if column.kind not in ("integer", "category", "text") or not ID_NAME.search(column.name):
            continue
        known = one_array(table.column(column.name)).drop_null()
        distinct = len(known.unique())
        if distinct >= max(FEWEST_GROUPS, MANY_VALUES if column.kind == "integer" else FEWEST_GROUPS) and len(known) >= REPEATS * distinct:
            best = max(best or (0, ""), (distinct, column.name))
    return best[1] if best else None


def guard_time(date: str | None, validation: Validation) -> Guard:
    """Whether the rows have an order in time, and whether the split heeds it."""
    if date is None:
        return guard("time_order", "passed", "info", "No column holds dates, so the rows have no order in time.")
    if validation == "time":
        return guard("time_order", "done", "info", f"The rows were split by “{date}”: the model is tested on the latest rows only.", columns=[date])
    sentence = (
        f"The rows have dates in “{date}” but were split at random. If the model is to predict the future, ask for validation by time: "
        "the score here may be too friendly."
    )
    return guard("time_order", "alerted", "warning", sentence, columns=[date], fixes=[forward_split(date)])


def guard_groups(table: pa.Table, name: str | None, validation: Validation, target: Target) -> Guard:
    """Whether several rows are about the same thing, and whether the split keeps them together."""
    if name is None:
        return guard("groups", "passed", "info", "No column names the same person or thing in several rows.")
    codes = group_codes(table.column(name))
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    several = counts[inverse] > 1
    what = f"“{name}” has {len(counts):,} values in {len(codes):,} rows"
    if validation == "group":
        sentence = f"{what}; rows of the same one were kept together, so the model is tested on ones that it has never met."
        return guard("groups", "done", "info", sentence, columns=[name])
    sentence = (
        f"{what}, so several rows are about the same one. Split at random, the model is tested on ones that it has already met: "
        "the score may be too friendly for new ones."
    )
    return guard("groups", "alerted", "warning", sentence, columns=[name], rows=target.rows[several], fixes=[group_by(name)])


def suggest_validation(rows: int, classes: int, date: str | None, group: str | None) -> ValidationGuess:
    """How rows should be held back, by what the columns are, with the reason."""
    folds, repeats = folds_for(rows)
    if date is not None:
        reason = f"The rows have dates in “{date}”, and what a model is for usually lies later: it should be tested on the latest rows."
        return ValidationGuess(validation="time", reason=reason, column=date, folds=folds)
    if group is not None:
        reason = f"Several rows share a value of “{group}”: the model should be tested on ones that it has not met."
        return ValidationGuess(validation="group", reason=reason, column=group, folds=folds, repeats=repeats)
    if classes:
        return ValidationGuess(validation="stratified", reason=_sized(rows, "with equal shares of each class on every side"), folds=folds, repeats=repeats)
    return ValidationGuess(validation="random", reason=_sized(rows, "at random"), folds=folds, repeats=repeats)


def _sized(rows: int, how: str) -> str:
    folds, repeats = folds_for(rows)
    if repeats > 1:
        return f"Few rows, so {folds} parts take turns, {repeats} times over, {how}."
    return f"{folds} parts take turns, {how}." if folds > 1 else f"So many rows that one part held back is enough, {how}."
