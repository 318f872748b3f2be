"""Values that stand for missing: 999, -1 or “?” among values that are otherwise of another kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.learning.fixes import Asked, mark_missing
from dapp_ext.domain.learning.guards import guard, name_list
from dapp_ext.domain.learning.reading import as_numbers, as_texts, one_array
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Guard

Array = npt.NDArray[Any]
NUMBERS = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0)
WORDS = frozenset(
    {"?", "-", "--", ".", "n/a", "na", "#n/a", "nan", "null", "nil", "missing", "not available", "not known", "(missing)", "<missing>", "tbd", ""}
)
FEWEST, SHARE = 5, 0.005
LOOKED_AT = 200_000


def mark(table: pa.Table, given: dict[str, list[Any]]) -> pa.Table:
    """The table with these values of these columns as missing."""
    for name, values in given.items():
        if name not in table.column_names:
            continue
        column = one_array(table.column(name))
        hit = _hits(column, values)
        place = table.column_names.index(name)
        table = table.set_column(place, name, pc.if_else(pa.array(hit), pa.scalar(None, type=column.type), column))
    return table


def _hits(column: pa.Array, values: list[Any]) -> Array:
    hit = np.isin(np.asarray(as_texts(column).fill_null("\0").to_numpy(zero_copy_only=False), dtype=object).astype(str), [str(v) for v in values])
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        wanted = [float(v) for v in values if isinstance(v, int | float)]
        hit |= np.isin(np.nan_to_num(as_numbers(column)[0].astype(np.float64), nan=np.inf), wanted)
    return hit


def check_disguised(table: pa.Table, columns: list[Column], rows: Array, asked: Asked) -> Guard:
    """One guard for all columns; ``rows`` are the numbers of the table's rows in the dataset."""
    found: dict[str, list[Any]] = {}
    shown: list[Array] = []
    some = table.slice(0, LOOKED_AT)
    for column in columns:
        values = one_array(some.column(column.name))
        stand_ins = _numbers(values) if column.kind in ("integer", "decimal") else _words(values) if column.kind in ("category", "text") else []
        if stand_ins:
            found[column.name] = stand_ins
            shown.append(np.flatnonzero(_hits(values, stand_ins)))
    if found:
        listed = [f"{v:g}" if isinstance(v, float) else f"“{v}”" for values in found.values() for v in values]
        which = ", ".join(dict.fromkeys(listed))
        sentence = f"{name_list(list(found))} {'holds' if len(found) == 1 else 'hold'} {which}, which seems to stand for a missing value."
        hit = rows[np.unique(np.concatenate(shown))]
        return guard("disguised_missing", "alerted", "warning", sentence, columns=list(found), rows=hit, fixes=[mark_missing(asked, found)])
    marked = [name for name in asked.missing if name in table.column_names]
    if marked:
        return guard("disguised_missing", "done", "info", f"The values that stand for missing in {name_list(marked)} were read as missing.", columns=marked)
    return guard("disguised_missing", "passed", "info", "No value seems to stand for a missing one.")


def _numbers(values: pa.Array) -> list[Any]:
    known = as_numbers(values)[0].astype(np.float64)
    known = known[~np.isnan(known)]
    if len(known) < 50:
        return []
    if float(known.min()) not in NUMBERS and float(known.max()) not in NUMBERS:
        return []
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) < 10:
        return []
    made = []
    for place in (0, -1):
        value, count = float(distinct[place]), int(counts[place])
        rest = distinct[1:] if place == 0 else distinct[:-1]
        spread = float(np.subtract(*np.quantile(known[known != value], [0.75, 0.25]))) if (known != value).any() else 0.0
        gap = float(rest[0] - value) if place == 0 else float(value - rest[-1])
        lonely = gap > max(1.5 * spread, 1e-9) or (value in (-1.0, -9.0) and rest[0] >= 0 and spread >= 3)
        if value in NUMBERS and count >= max(FEWEST, SHARE * len(known)) and count < 0.9 * len(known) and lonely:
            made.append(value)
    return made


def _words(values: pa.Array) -> list[Any]:
    counts = pc.value_counts(as_texts(values).drop_null())
    return [v for v in counts.field("values").to_pylist() if v.strip().lower() in WORDS] if len(counts) > 1 else []
