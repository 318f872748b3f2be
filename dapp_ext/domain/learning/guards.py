"""Checks before anything is scored: what would make a score dishonest or a model useless, said in plain words.

Here are the checks of columns, which decide what is left out (constants, identifiers, what cannot be read); those of
rows are in :mod:`rowguards`, of order and groups in :mod:`ordering`. Each gives a guard that has passed, was dealt with,
or alerts, with the columns and rows that show it and a fix as one click.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.learning.features import usable
from dapp_ext.domain.learning.fixes import Asked, keep_columns
from dapp_ext.domain.learning.reading import as_numbers, as_texts, one_array
from dapp_ext.domain.learning.recipe import Recipe
from dapp_ext.schema.datasets import Column, Severity
from dapp_ext.schema.models import Guard, GuardState

Array = npt.NDArray[Any]
MOST_ROWS_SHOWN = 20
MOST_NAMES_SHOWN = 5
ID_NAME = re.compile(r"(^|[_\W])(p?id|uuid|guid|key|index|order|row|row ?n(o|r|umber|um)|nr|no)$|(?<=[a-z])(id|ID|Id|Uuid|Guid)$", re.IGNORECASE)
UNIQUE_SHARE = 0.95


def guard(code: str, state: GuardState, severity: Severity, sentence: str, **where: Any) -> Guard:
    """A guard with its ``columns``, ``rows`` (cut to the first few, all of them counted), ``values`` and ``fixes``."""
    found = where.pop("rows", [])
    rows = [int(r) for r in found[:MOST_ROWS_SHOWN]]
    return Guard(code=code, state=state, severity=severity, sentence=sentence, rows=rows, rows_count=len(found), **where)


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


def check_columns(table: pa.Table, columns: list[Column], asked: Asked | None = None) -> ColumnChecks:
    """Leave out constants, identifiers (unless allowed) and columns of types that nothing can be learned from."""
    asked = asked or Recipe(target="")
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
        elif column.name not in asked.allow and _is_identifier(column, values):
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
    if identifier:
        guards[1] = guards[1].model_copy(update={"fixes": [keep_columns(asked, identifier)]})
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
