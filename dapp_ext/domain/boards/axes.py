"""The directions of a chart: names, equal bins with round edges, steps of time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from dapp_ext.domain.boards.columns import Array, Axis, ColumnDesk
from dapp_ext.errors import Invalid
from dapp_ext.schema.datasets import Filter, TimeBucket

MOST_STEPS = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = 1_000_000
_UNIT = {"year": "Y", "quarter": "M", "month": "M", "week": "D", "day": "D", "hour": "h"}
_NUMBERS = ("integer", "decimal", "duration")
_LOWER, _UPPER = ("ge", "gt", "between"), ("le", "lt", "between")


def name_axis(desk: ColumnDesk, name: str) -> Axis:
    """The different values of a column."""
    levels = desk.levels(name, always=True)
    assert levels is not None
    ordered = desk.column(name).kind not in ("category", "text")
    return Axis(levels.codes, levels.size, names=tuple(desk.cells(levels)), ordered=ordered)


def bin_axis(desk: ColumnDesk, name: str, bins: int, filters: Sequence[Filter] = (), *, log: bool = False) -> Axis:
    """Equal bins with round edges over the column's whole range, or over the part of it that filters leave.

    With ``log``, bins of equal width on a scale of factors; what is not above nought is in none of them.

    Raises
    ------
    Invalid
        If the column holds no numbers; with ``log``, none above nought.
    """
    kind = desk.column(name).kind
    if kind not in _NUMBERS:
        raise Invalid(f"Column {name!r} holds no numbers that could be divided into bins. Group it by its values.")
    window = _window(filters, name)
    key = (*desk.key, "bins", name, bins, window, log)
    made: Axis = desk.keeper.get(key, lambda: _bin_axis(desk, name, bins, window, log=log), lambda it: int(it.codes.nbytes))
    return made


def _bin_axis(desk: ColumnDesk, name: str, bins: int, window: tuple[float | None, float | None], *, log: bool) -> Axis:
    levels = desk.levels(name)
    numbers = levels.numbers() if levels is not None else desk.numbers(name)
    known = numbers[numbers > 0] if log else numbers[~np.isnan(numbers)]
    if log and len(known) == 0:
        raise Invalid(f"Column {name!r} holds nothing above nought, so its bins cannot grow by a factor. Use even steps.")
    if len(known) == 0:
        return Axis(np.zeros(desk.rows, np.uint8), 0, edges=(0.0,))
    low = float(known.min()) if window[0] is None else max(float(known.min()), window[0])  # with log, above nought as well
    high = float(known.max()) if window[1] is None else min(float(known.max()), window[1])
    whole = desk.column(name).kind == "integer"
    edges = factor_edges(low, max(low, high), bins) if log else round_edges(low, max(low, high), bins, whole=whole)
    places = np.searchsorted(edges, numbers, side="right").astype(np.int64) - 1
    size = len(edges) - 1
    places[numbers == edges[-1]] = size - 1  # the last bin holds its upper edge
    places[(places < 0) | (places >= size) | np.isnan(numbers)] = size
    small = places.astype(np.uint8 if size < 255 else np.uint16)
    return Axis(small[levels.codes] if levels is not None else small, size, edges=tuple(float(each) for each in edges), ordered=True)


def round_edges(low: float, high: float, bins: int, *, whole: bool) -> Array:
    """At most about ``bins`` equal bins that hold low to high, at multiples of 1, 2, 2.5 or 5 times a power of ten."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return np.array([low, low + (1.0 if whole or low == 0 else abs(low) * 0.01)])
    # A bin narrower than what parts two numbers of this size would have no numbers in it.
    rough = max(span / bins, 4.0 * float(np.spacing(max(abs(low), abs(high)))))
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= rough * 0.999), 10 * power)
    if whole:
        step = max(1.0, float(math.ceil(step)))
    first = math.floor(low / step)
    last = math.floor(high / step) + 1 if whole or high / step != math.floor(high / step) else math.floor(high / step)
    return np.arange(first, max(last, first + 1) + 1) * step


def factor_edges(low: float, high: float, bins: int) -> Array:
    """About ``bins`` bins that hold low to high, both above nought, each reaching the same factor further; powers of ten are edges."""
    steps = max(1, min(50, int(bins / max(math.log10(high / low), bins / 50))))
    first, last = math.floor(math.log10(low) * steps + 1e-9), math.ceil(math.log10(high) * steps - 1e-9)
    edges: Array = 10.0 ** (np.arange(first, max(last, first + 1) + 1) / steps)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    return edges


def _window(filters: Sequence[Filter], name: str) -> tuple[float | None, float | None]:
    low: float | None = None
    high: float | None = None
    for each in filters:
        if each.column != name:
            continue
        ends = each.value if each.op == "between" and isinstance(each.value, list) and len(each.value) == 2 else (each.value, each.value)
        if each.op in _LOWER and _is_number(ends[0]):
            low = float(ends[0]) if low is None else max(low, float(ends[0]))
        if each.op in _UPPER and _is_number(ends[1]):
            high = float(ends[1]) if high is None else min(high, float(ends[1]))
    return low, high


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def time_axis(desk: ColumnDesk, name: str, bucket: TimeBucket) -> Axis:
    """Steps of time without a gap; weeks begin on Monday.

    Raises
    ------
    Invalid
        If the column holds no dates, or the steps are too many to draw.
    """
    kind = desk.column(name).kind
    if kind not in ("date", "datetime"):
        raise Invalid(f"Column {name!r} holds no dates, so it has no {bucket}s. Group it by its values or by bins.")
    made: Axis = desk.keeper.get((*desk.key, "steps", name, bucket), lambda: _time_axis(desk, name, bucket), lambda it: int(it.codes.nbytes))
    return made


def _time_axis(desk: ColumnDesk, name: str, bucket: TimeBucket) -> Axis:
    levels = desk.levels(name)
    numbers = levels.numbers() if levels is not None else desk.numbers(name)
    known = ~np.isnan(numbers)
    if not known.any():
        return Axis(np.zeros(desk.rows, np.uint8), 0)
    steps = _steps(numbers[known].astype(np.int64), bucket)
    first, last = int(steps.min()), int(steps.max())
    size = last - first + 1
    if size > MOST_STEPS:
        raise Invalid(f"There are {size:,} {bucket}s from the first to the last. Choose longer steps, or filter by time first.")
    codes = np.full(len(numbers), size, np.uint16)
    codes[known] = steps - first
    names = tuple(_start(step, bucket) for step in range(first, last + 1))
    return Axis(codes[levels.codes] if levels is not None else codes, size, names=names, ordered=True)


def _steps(moments: Array, bucket: TimeBucket) -> Array:
    """The number of each moment's step since 1970."""
    steps: Array = moments.view("datetime64[us]").astype(f"datetime64[{_UNIT[bucket]}]").astype(np.int64)
    if bucket == "quarter":
        return np.floor_divide(steps, 3)
    return np.floor_divide(steps + 3, 7) if bucket == "week" else steps


def _start(step: int, bucket: TimeBucket) -> str:
    months = {"year": 12, "quarter": 3, "month": 1}.get(bucket)
    if months is not None:
        year, month = divmod(step * months, 12)
        return f"{1970 + year:04d}-{month + 1:02d}-01"
    if bucket == "hour":
        return (_EPOCH + timedelta(hours=step)).strftime("%Y-%m-%dT%H:00:00")
    return (_EPOCH + timedelta(days=step * 7 - 3 if bucket == "week" else step)).strftime("%Y-%m-%d")
