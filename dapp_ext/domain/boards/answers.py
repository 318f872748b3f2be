"""What a chart or a key figure shows, from counted codes."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from dapp_ext.domain.boards.axes import bin_axis, name_axis, time_axis
from dapp_ext.domain.boards.columns import Array, Axis, ColumnDesk
from dapp_ext.domain.boards.spread import box_data, scatter_data
from dapp_ext.domain.boards.tally import ADDABLE, Cube, Tally, make_cube, measured, rows_body, tally
from dapp_ext.errors import Invalid
from dapp_ext.schema.boards import ChartRead, ChartRequest
from dapp_ext.schema.datasets import Aggregation, Filter, Measure

MOST_NAMES = 20
_LARGEST = ("sum", "max", "distinct")
MOST_PARTS = 8
MOST_SIDES = 60
_WORTH = 50_000
_seen_lock = threading.Lock()


def answer_figure(desk: ColumnDesk, measure: Measure, filters: Sequence[Filter]) -> Any:
    """One figure over the rows that pass."""
    if measure.column is None:
        if measure.op != "count":
            raise Invalid(f"Say which column the {measure.op} is of.")
        return int(_count(desk, [], None, "count", filters).rows.sum())
    if desk.column(measure.column).kind in ("date", "datetime") and measure.op in ("min", "max"):
        found = _count(desk, [], measure.column, measure.op, filters).values
        assert found is not None
        return None if np.isnan(found.flat[0]) else str(np.datetime64(int(found.flat[0]), "us"))
    counted = "distinct" if measure.op == "distinct" else measure.op
    if measure.op == "count":
        levels = desk.levels(measure.column, always=True)
        assert levels is not None
        mask = desk.mask(filters)
        return int(np.count_nonzero((levels.codes if mask is None else levels.codes[mask]) < levels.size))
    values = _count(desk, [], measure.column, counted, filters).values
    assert values is not None
    return _plain(values.flat[0])


def answer_chart(desk: ColumnDesk, chart: ChartRequest, filters: Sequence[Filter]) -> ChartRead:
    """The numbers of one chart over the rows that pass.

    Raises
    ------
    ColumnUnknown, Invalid
        If a column is not there, or does not fit the shape.
    """
    if chart.shape == "scatter":
        return _read(desk, chart, filters, *scatter_data(desk, chart, filters))
    if chart.shape == "box":
        return _read(desk, chart, filters, *box_data(desk, chart, filters, MOST_NAMES))
    if chart.shape == "histogram":
        return _read(desk, chart, filters, *_histogram(desk, chart, filters))
    if chart.shape == "bar":
        return _read(desk, chart, filters, *_bar(desk, chart, filters))
    if chart.shape == "line":
        return _read(desk, chart, filters, *_line(desk, chart, filters))
    return _read(desk, chart, filters, *_heat(desk, chart, filters))


def _read(desk: ColumnDesk, chart: ChartRequest, filters: Sequence[Filter], data: dict[str, Any], drawn: int) -> ChartRead:
    fit = int(_count(desk, [], None, "count", filters).rows.sum())
    return ChartRead(shape=chart.shape, rows=fit, drawn=drawn, data=data)


def _count(desk: ColumnDesk, axes: Sequence[tuple[Hashable, Axis]], value: str | None, measure: Aggregation, filters: Sequence[Filter]) -> Tally:
    """Count by axes; over rows at first, over a cube once the same columns are filtered again in another way."""
    plain = [axis for _, axis in axes]
    if value is not None and measure not in ADDABLE:
        return measured(desk, plain, value, desk.mask(filters), measure)
    key = (*desk.key, "cube", tuple(name for name, _ in axes), value, tuple(sorted({each.column for each in filters})))
    cube = _cube(desk, key, plain, value, filters) if desk.rows >= _WORTH else None
    if cube is not None:
        return tally(cube.body, cube.mask(desk, filters), measure)
    body = desk.keeper.get((*key[:-1], "rows"), lambda: rows_body(desk, plain, value), lambda it: int(it.places.nbytes) * 2)
    return tally(body, desk.mask(filters), measure)


def _cube(desk: ColumnDesk, key: tuple[Hashable, ...], axes: Sequence[Axis], value: str | None, filters: Sequence[Filter]) -> Cube | None:
    if not filters:
        return None
    if any(desk.levels(each.column) is None for each in filters):
        return None
    first = (*key, "seen")
    asked = "|".join(sorted(each.model_dump_json() for each in filters))
    with _seen_lock:
        before = desk.keeper.get(first, lambda: asked, lambda _: 512)
    if before == asked:
        return None  # worth its making only when other values of these columns are asked for
    made: tuple[Cube | None] = desk.keeper.get(key, lambda: (make_cube(desk, axes, value, key[-1]),), lambda it: it[0].nbytes if it[0] else 64)  # type: ignore[arg-type]
    return made[0]


def _side(desk: ColumnDesk, name: str, chart: ChartRequest, filters: Sequence[Filter], bins: int) -> tuple[Hashable, Axis]:
    """The axis that fits a column: bins for many numbers, steps for times, names else."""
    kind = desk.column(name).kind
    if kind in ("date", "datetime"):
        bucket = chart.bucket or "month"
        return ("time", name, bucket), time_axis(desk, name, bucket)
    levels = desk.levels(name)
    if kind in ("integer", "decimal", "duration") and (levels is None or levels.size > bins):
        axis = bin_axis(desk, name, bins, filters)
        return ("bins", name, axis.edges), axis
    return ("names", name), name_axis(desk, name)


def _split(desk: ColumnDesk, chart: ChartRequest, filters: Sequence[Filter]) -> list[tuple[Hashable, Axis]]:
    if chart.color is None:
        return []
    return [_side(desk, chart.color, chart, filters, MOST_PARTS)]


def _labels(axis: Axis) -> list[Any]:
    if axis.edges:
        return [f"{low:g} to {high:g}" for low, high in zip(axis.edges, axis.edges[1:], strict=False)]
    return list(axis.names)


def _parts(desk: ColumnDesk, split: tuple[Hashable, Axis], found: Tally, kept: Array, measure: Aggregation) -> dict[str, Any]:
    """What each colour shows at the kept places. The colours are those of the whole table, so that they stay when filters change."""
    name, axis = split
    top: Array = desk.keeper.get((*desk.key, "top", name), lambda: _top(axis), lambda it: int(it.nbytes))
    rows = found.rows[kept]
    names = _labels(axis)
    values = None if found.values is None or measure == "count" else [_column(found.values[kept][:, each]) for each in top]
    left_out = int(np.count_nonzero(rows.sum(axis=0)[: axis.size]) - np.count_nonzero(rows.sum(axis=0)[top]))
    return {"names": [names[each] for each in top], "rows": [rows[:, each].tolist() for each in top], "values": values, "left_out": left_out}


def _top(axis: Axis) -> Array:
    counts = np.bincount(axis.codes, minlength=axis.size + 1)[: axis.size]
    order = np.argsort(-counts, kind="stable")[:MOST_PARTS]
    order = order[counts[order] > 0]
    return np.sort(order) if axis.ordered else order


def _histogram(desk: ColumnDesk, chart: ChartRequest, filters: Sequence[Filter]) -> tuple[dict[str, Any], int]:
    axis = bin_axis(desk, chart.x, chart.bins, filters, log=chart.log)
    split = _split(desk, chart, filters)
    found = _count(desk, [(("bins", chart.x, axis.edges), axis), *split], None, "count", filters)
    whole = found.rows.sum(axis=1) if split else found.rows
    data = {"edges": list(axis.edges), "rows": whole[:-1].tolist(), "missing": int(whole[-1])}
    if chart.log:
        numbers, mask = desk.numbers(chart.x), desk.mask(filters)
        below = int(np.count_nonzero((numbers if mask is None else numbers[mask]) <= 0))
        data |= {"missing": data["missing"] - below, "below": below}
    if split:
        data["parts"] = _parts(desk, split[0], found, np.arange(axis.size), "count")
    return data, int(whole[:-1].sum())


def _bar(desk: ColumnDesk, chart: ChartRequest, filters: Sequence[Filter]) -> tuple[dict[str, Any], int]:
    axis_key, axis = _side(desk, chart.x, chart, filters, chart.bins)
    split = _split(desk, chart, filters)
    value = None if chart.measure == "count" else _need(chart)
    whole = _count(desk, [(axis_key, axis)], value, chart.measure, filters)
    rows, values = whole.rows, whole.values
    present = np.flatnonzero(rows[: axis.size])
    # The largest by what is asked for; an average of few rows says little, so there the names with the most rows are kept.
    weight = rows if values is None or chart.measure not in _LARGEST else np.nan_to_num(values, nan=-np.inf)
    by_weight = present[np.argsort(-weight[present], kind="stable")]
    kept, others = by_weight[:MOST_NAMES], by_weight[MOST_NAMES:]
    if axis.ordered:
        kept = np.sort(kept)
    elif values is not None:
        kept = kept[np.argsort(-np.nan_to_num(values[kept], nan=-np.inf), kind="stable")]
    names = _labels(axis)
    data: dict[str, Any] = {
        "names": [names[each] for each in kept],
        "rows": rows[kept].tolist(),
        "values": None if values is None else _column(values[kept]),
        "edges": [[axis.edges[each], axis.edges[each + 1]] for each in kept] if axis.edges else None,
        "missing": int(rows[axis.size]),
        "others": {"names": len(others), "rows": int(rows[others].sum())},
        "total": float(np.nansum(values[present])) if values is not None and chart.measure == "sum" else None,
    }
    if split:
        found = _count(desk, [(axis_key, axis), *split], value, chart.measure, filters)
        data["parts"] = _parts(desk, split[0], found, kept, chart.measure)
    return data, int(rows[kept].sum())


def _need(chart: ChartRequest) -> str:
    if chart.y is None:
        raise Invalid(f"Say which column the {chart.measure} is of.")
    return chart.y


def _line(desk: ColumnDesk, chart: ChartRequest, filters: Sequence[Filter]) -> tuple[dict[str, Any], int]:
    axis_key, axis = _side(desk, chart.x, chart, filters, chart.bins)
    split = _split(desk, chart, filters)
    value = None if chart.measure == "count" else _need(chart)
    whole = _count(desk, [(axis_key, axis)], value, chart.measure, filters)
    at = np.flatnonzero(whole.rows[: axis.size])
    kept = np.arange(at[0], at[-1] + 1) if len(at) else at
    names = _labels(axis) if axis.names else [float(each) for each in axis.edges[:-1]]
    data: dict[str, Any] = {
        "times": [names[each] for each in kept],
        "rows": whole.rows[kept].tolist(),
        "values": None if whole.values is None else _column(whole.values[kept]),
        "missing": int(whole.rows[axis.size]),
    }
    if split:
        found = _count(desk, [(axis_key, axis), *split], value, chart.measure, filters)
        data["parts"] = _parts(desk, split[0], found, kept, chart.measure)
    return data, int(whole.rows[: axis.size].sum())


def _heat(desk: ColumnDesk, chart: ChartRequest, filters: Sequence[Filter]) -> tuple[dict[str, Any], int]:
    if chart.y is None:
        raise Invalid("A heat map needs two columns. Choose the second one.")
    x_key, x = _side(desk, chart.x, chart, filters, chart.bins)
    y_key, y = _side(desk, chart.y, chart, filters, min(chart.bins, 30))
    measure = chart.measure if chart.color is not None else "count"
    value = chart.color if measure != "count" else None
    found = _count(desk, [(x_key, x), (y_key, y)], value, measure, filters)
    inside = found.rows[: x.size, : y.size]
    xs, ys = _sides(x, inside.sum(axis=1)), _sides(y, inside.sum(axis=0))
    grid = inside[np.ix_(xs, ys)]
    values = None if found.values is None else found.values[: x.size, : y.size][np.ix_(xs, ys)]
    cells = [[int(a), int(b), int(grid[a, b]), None if values is None else _plain(values[a, b])] for a, b in np.argwhere(grid > 0)]
    data = {"x": _shown(x, xs), "y": _shown(y, ys), "cells": cells, "left_out": {"x": _left(x, inside.sum(axis=1), xs), "y": _left(y, inside.sum(axis=0), ys)}}
    return data, int(grid.sum())


def _sides(axis: Axis, rows: Array) -> Array:
    if axis.edges or axis.ordered:
        at = np.flatnonzero(rows)
        return np.arange(at[0], at[-1] + 1) if len(at) and len(at) * 3 >= at[-1] - at[0] else at
    order = np.argsort(-rows, kind="stable")
    return order[rows[order] > 0][:MOST_SIDES]


def _left(axis: Axis, rows: Array, kept: Array) -> int:
    return int(np.count_nonzero(rows) - np.count_nonzero(rows[kept]))


def _shown(axis: Axis, kept: Array) -> dict[str, Any]:
    if axis.edges:
        return {"edges": [axis.edges[each] for each in (*kept, kept[-1] + 1)] if len(kept) else []}
    return {"names": [axis.names[each] for each in kept]}


def _column(values: Array) -> list[Any]:
    return [_plain(each) for each in values.tolist()]


def _plain(value: Any) -> Any:
    number = float(value)
    if np.isnan(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
