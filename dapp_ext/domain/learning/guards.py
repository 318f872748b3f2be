"""Checks before anything is scored: what would make a score dishonest or a model useless, said in plain words.

The first group looks at columns and decides which are left out (constants and identifiers); the second looks at rows.
Each gives a guard that has passed, was dealt with, or alerts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.learning.features import role_of, usable
from dapp_ext.domain.learning.reading import as_moments, as_numbers, as_texts, one_array
from dapp_ext.domain.learning.splits import group_by_content
from dapp_ext.domain.learning.targets import Target
from dapp_ext.schema.datasets import Column, Severity
from dapp_ext.schema.models import Guard, GuardState, Validation

Array = npt.NDArray[Any]
MOST_ROWS_SHOWN = 20
MOST_NAMES_SHOWN = 5
ID_NAME = re.compile(r"(^|[_\W])(p?id|uuid|guid|key|index|order|row|row ?n(o|r|umber|um)|nr|no)$|(?<=[a-z])(id|ID|Id|Uuid|Guid)$", re.IGNORECASE)
UNIQUE_SHARE = 0.95
RARE_ROWS = 10
FEW_ROWS = 500


def guard(code: str, state: GuardState, severity: Severity, sentence: str, **where: Any) -> Guard:
    """A guard; rows are cut to the first few."""
    rows = [int(r) for r in list(where.get("rows", []))[:MOST_ROWS_SHOWN]]
    return Guard(code=code, state=state, severity=severity, sentence=sentence, columns=list(where.get("columns", [])), rows=rows)


def name_list(names: list[str]) -> str:
    """Names in a sentence: the first few, then how many more."""
    shown = ", ".join(f"“{n}”" for n in names[:MOST_NAMES_SHOWN])
    more = len(names) - MOST_NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


@dataclass(frozen=True)
class ColumnChecks:
    """The columns that stay, and the guards that tell of the others."""

    kept: list[Column]
    guards: list[Guard]


def check_columns(table: pa.Table, columns: list[Column]) -> ColumnChecks:
    """Leave out constants, identifiers and columns of types that nothing can be learned from."""
    kept: list[Column] = []
    constant: list[str] = []
    identifier: list[str] = []
    nested: list[str] = []
    for column in columns:
        values = table.column(column.name)
        if not usable(column, values):
            nested.append(column.name)
        elif _is_constant(values):
            constant.append(column.name)
        elif _is_identifier(column, values):
            identifier.append(column.name)
        else:
            kept.append(column)
    if not kept and identifier:
        # Better to try than to refuse: the score will tell that nothing is in them.
        kept = [c for c in columns if c.name in identifier]
        identifier = []
    guards = [
        _left_out("constant", constant, "has the same value everywhere", "have the same value everywhere", "Every column has different values."),
        _left_out(
            "identifier",
            identifier,
            "is different in nearly every row, like a number or name of the row itself",
            "are different in nearly every row, like numbers or names of the rows themselves",
            "No column looks like a mere number or name of the row.",
        ),
    ]
    if nested:
        guards.append(_left_out("unreadable", nested, "holds lists or bytes", "hold lists or bytes", ""))
    return ColumnChecks(kept, guards)


def _left_out(code: str, names: list[str], one: str, many: str, passed: str) -> Guard:
    if not names:
        return guard(code, "passed", "info", passed)
    what = f"{name_list(names)} {one if len(names) == 1 else many} and {'was' if len(names) == 1 else 'were'} left out."
    return guard(code, "done", "info", what, columns=names)


def _is_constant(values: pa.ChunkedArray) -> bool:
    array = one_array(values)
    known = array.drop_null()
    if array.null_count and len(known):
        return False
    if pa.types.is_integer(known.type) or pa.types.is_floating(known.type):
        extremes = pc.min_max(known)
        return bool(extremes["min"].as_py() == extremes["max"].as_py())
    return len(known.unique()) < 2


def _is_identifier(column: Column, values: pa.ChunkedArray) -> bool:
    if column.kind not in ("integer", "category", "text"):
        return False
    array = one_array(values)
    known = array.drop_null()
    if len(known) < 30:
        return False
    distinct = len(known.unique())
    if distinct < UNIQUE_SHARE * len(known):
        return False
    if column.kind == "integer":
        exact = known if pa.types.is_integer(known.type) else pa.array(as_numbers(known)[0])
        numbers = np.asarray(exact.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
        steps = np.diff(numbers)
        counts_up = bool((steps > 0).all() or (steps < 0).all())
        return distinct == len(known) and (counts_up or bool(ID_NAME.search(column.name)))
    texts = as_texts(known).slice(0, 2000).to_pylist()
    words = float(np.mean([t.count(" ") + 1 for t in texts]))
    return words < 3 or bool(ID_NAME.search(column.name))


@dataclass(frozen=True)
class RowChecks:
    """Groups of rows that must not be torn apart, and the guards of the rows."""

    groups: Array
    guards: list[Guard]


def check_rows(table: pa.Table, columns: list[Column], target: Target, date: str | None, validation: Validation) -> RowChecks:
    """Look for duplicates, conflicting labels, missing targets, rare classes, imbalance, few rows and an order of time."""
    groups = group_by_content([_content(column, table.column(column.name)) for column in columns])
    if not len(groups):
        groups = np.arange(len(target.rows))
    guards = [_missing_target(target), _duplicates(groups, target), *_class_guards(groups, target), _few_rows(target), _time_order(date, validation)]
    return RowChecks(groups, guards)


def _content(column: Column, values: pa.ChunkedArray) -> Array:
    role = role_of(column.kind, 0, 1, 0.0)
    if role == "category":
        return np.asarray(as_texts(values).dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    if role == "moment":
        return np.asarray(as_moments(values)[0].cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    array = one_array(values)
    if pa.types.is_integer(array.type):
        return np.asarray(array.cast(pa.int64(), safe=False).fill_null(-(2**62)).to_numpy(zero_copy_only=False), dtype=np.int64)
    numbers = as_numbers(values)[0]
    return np.where(np.isnan(numbers), np.float32(-7.77e37), numbers + np.float32(0)).astype(np.float32).view(np.int32).astype(np.int64)


def _missing_target(target: Target) -> Guard:
    n = len(target.missing)
    if not n:
        return guard("missing_target", "passed", "info", f"Every row has a value in “{target.name}”.")
    share = n / (n + len(target.rows))
    rows = "1 row has" if n == 1 else f"{n:,} rows have"
    sentence = f"{rows} no value in “{target.name}” and {'was' if n == 1 else 'were'} left out."
    return guard("missing_target", "done", "warning" if share > 0.2 else "info", sentence, columns=[target.name], rows=target.missing)


def _repeated(groups: Array) -> tuple[Array, Array]:
    """How often each row's group occurs, and whether the row repeats an earlier one."""
    _, first, inverse, counts = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    again = np.ones(len(groups), dtype=bool)
    again[first] = False
    return counts[inverse], again


def _duplicates(groups: Array, target: Target) -> Guard:
    _, again = _repeated(groups)
    n = int(again.sum())
    if not n:
        return guard("duplicates", "passed", "info", "No row repeats another one.")
    share = n / len(groups)
    what = "1 row repeats an earlier one" if n == 1 else f"{n:,} rows repeat earlier ones"
    sentence = f"{what} in everything that the model sees. Equal rows were kept on the same side, so the model is never tested on a row it has learned."
    return guard("duplicates", "done", "warning" if share > 0.1 else "info", sentence, rows=target.rows[again])


def _class_guards(groups: Array, target: Target) -> list[Guard]:
    if target.task == "regression":
        return [_conflicts(groups, target)]
    counts = np.bincount(target.y, minlength=len(target.labels))
    return [_conflicts(groups, target), _rare(counts, target), _imbalance(counts, target)]


def _conflicts(groups: Array, target: Target) -> Guard:
    seen, inverse = np.unique(groups, return_inverse=True)
    low, high = np.full(len(seen), np.inf), np.full(len(seen), -np.inf)
    np.minimum.at(low, inverse, target.y)
    np.maximum.at(high, inverse, target.y)
    torn = (low != high)[inverse]
    n = int(torn.sum())
    if not n:
        return guard("conflicting_labels", "passed", "info", "Rows that are equal have equal answers.")
    share = n / len(groups)
    state: GuardState = "alerted" if share > 0.01 else "done"
    sentence = f"{n:,} rows are equal in every column but differ in “{target.name}”; no model can tell them apart."
    return guard("conflicting_labels", state, "warning" if share > 0.01 else "info", sentence, columns=[target.name], rows=target.rows[torn])


def _rare(counts: Array, target: Target) -> Guard:
    rare = np.flatnonzero(counts < RARE_ROWS)
    if not len(rare):
        return guard("rare_classes", "passed", "info", f"Every value of “{target.name}” occurs at least {RARE_ROWS} times.")
    names = [(target.classes or [])[i] for i in rare]
    sentence = f"{name_list(names)} {'occurs' if len(rare) == 1 else 'occur'} fewer than {RARE_ROWS} times in “{target.name}”: too few to learn or to check."
    rows = target.rows[np.isin(target.y, rare)]
    return guard("rare_classes", "alerted", "warning", sentence, columns=[target.name], rows=rows)


def _imbalance(counts: Array, target: Target) -> Guard:
    share = counts.min() / counts.sum()
    name = (target.classes or [])[int(counts.argmin())]
    if share >= 0.2 or (target.task == "multiclass" and share >= 0.4 / len(counts)):
        return guard("imbalance", "passed", "info", f"All values of “{target.name}” are common enough.")
    percent = f"{100 * share:.1f}" if share < 0.1 else f"{100 * share:.0f}"
    often = (target.classes or [])[int(counts.argmax())]
    sentence = (
        f"Only {percent} % of the rows are “{name}”. The share of right answers says little here: "
        f"always saying “{often}” would be right in {100 * counts.max() / counts.sum():.0f} % of the rows."
    )
    return guard("imbalance", "alerted", "warning" if share < 0.05 else "info", sentence, columns=[target.name])


def _few_rows(target: Target) -> Guard:
    n = len(target.rows)
    if n >= FEW_ROWS:
        return guard("few_rows", "passed", "info", f"{n:,} rows are enough to learn from and to check on.")
    return guard("few_rows", "alerted", "warning", f"There are only {n} rows, so every score is uncertain. Look at the intervals, and add rows if you can.")


def _time_order(date: str | None, validation: Validation) -> Guard:
    if date is None:
        return guard("time_order", "passed", "info", "No column holds dates, so the rows have no order in time.")
    if validation == "time":
        return guard("time_order", "done", "info", f"The rows were split by “{date}”: the model is tested on the latest rows only.", columns=[date])
    sentence = (
        f"The rows have dates in “{date}” but were split at random. If the model is to predict the future, ask for validation by time: "
        "the score here may be too friendly."
    )
    return guard("time_order", "alerted", "warning", sentence, columns=[date])


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
