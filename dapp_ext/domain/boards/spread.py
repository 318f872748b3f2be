"""Charts of how numbers lie: points or a raster of counts, and boxes of quartiles."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from dapp_ext.domain.boards.axes import bin_axis, name_axis
from dapp_ext.domain.boards.columns import Array, ColumnDesk
from dapp_ext.errors import Invalid
from dapp_ext.schema.boards import ChartRequest
from dapp_ext.schema.datasets import Filter

MOST_POINTS = 3_000
WIDTH, HEIGHT = 240, 140
_PARTS = 8
_WHISKER = 1.5


def scatter_data(desk: ColumnDesk, chart: ChartRequest, filters: Sequence[Filter]) -> tuple[dict[str, Any], int]:
    """Points while there are few of them; beyond, how many lie in each small cell, and which colour most of them have."""
    if chart.y is None:
        raise Invalid("Points need two columns of numbers. Choose the second one.")
    x, y = desk.numbers(chart.x), desk.numbers(chart.y)
    color = _colors(desk, chart.color)
    mask = desk.mask(filters)
    if mask is not None:
        x, y, color = x[mask], y[mask], None if color is None else (color[0][mask], color[1])
    known = ~(np.isnan(x) | np.isnan(y))
    if not known.all():
        x, y, color = x[known], y[known], None if color is None else (color[0][known], color[1])
    data: dict[str, Any] = {"parts": color[1] if color and color[1] else None}
    if len(x) <= MOST_POINTS:
        shades = [None] * len(x) if color is None else [None if np.isnan(each) else each for each in color[0].tolist()]
        data["points"] = [list(each) for each in zip(x.tolist(), y.tolist(), shades, strict=True)]
    else:
        whole = [desk.column(name).kind == "integer" for name in (chart.x, chart.y)]
        data["raster"] = _raster(x, y, color, whole)
    return data, len(x)


def _colors(desk: ColumnDesk, name: str | None) -> tuple[Array, list[Any]] | None:
    """The colour of each row: the number of its name, the last one for all others; or the number itself, without names."""
    if name is None:
        return None
    levels = desk.levels(name)
    if desk.column(name).kind in ("integer", "decimal", "duration") and (levels is None or levels.size > _PARTS):
        return desk.numbers(name), []
    axis = name_axis(desk, name)
    counts = np.bincount(axis.codes, minlength=axis.size + 1)[: axis.size]
    top = np.argsort(-counts, kind="stable")[:_PARTS]
    if axis.ordered:
        top = np.sort(top)
    place = np.full(axis.size + 1, len(top), np.float64)
    place[top] = np.arange(len(top))
    names = [axis.names[each] for each in top]
    return place[axis.codes], [*names, *(["others or none"] if axis.size > len(top) or (axis.codes == axis.size).any() else [])]


def _side(values: Array, most: int, *, whole: bool) -> tuple[float, float, int]:
    """From where to where, in how many cells: of few whole numbers each has one of its own, since others would stay empty."""
    low, high = float(values.min()), float(values.max())
    return (low - 0.5, high + 0.5, int(high - low) + 1) if whole and high - low < most else (low, high, most)


def _raster(x: Array, y: Array, color: tuple[Array, list[Any]] | None, whole: list[bool]) -> dict[str, Any]:
    # Of a few thousand points in fine cells each would be a speck.
    share = min(1.0, math.sqrt(len(x)) / WIDTH)
    low_x, high_x, width = _side(x, int(WIDTH * share), whole=whole[0])
    low_y, high_y, height = _side(y, int(HEIGHT * share), whole=whole[1])
    columns = _placed(x, low_x, high_x, width)
    cells = columns + _placed(y, low_y, high_y, height) * width
    counts = np.bincount(cells, minlength=width * height)
    bits = 16 if counts.max() < 2**16 else 32
    raster: dict[str, Any] = {"width": width, "height": height, "x": [low_x, high_x], "y": [low_y, high_y], "most": int(counts.max()), "bits": bits}
    raster["rows"] = _packed(counts.astype(f"<u{bits // 8}"))
    if color is not None:
        raster |= _shades(cells, counts, *color)
    return raster


def _placed(values: Array, low: float, high: float, size: int) -> Array:
    if high <= low:
        return np.zeros(len(values), np.int32)
    return np.minimum((values - low) * (size / (high - low)), size - 1).astype(np.int32)


def _shades(cells: Array, counts: Array, color: Array, names: list[Any]) -> dict[str, Any]:
    if names:
        parts = np.bincount(cells * len(names) + color.astype(np.int32), minlength=len(counts) * len(names)).reshape(-1, len(names))
        return {"color": _packed(parts.argmax(axis=1).astype(np.uint8))}
    known = ~np.isnan(color)
    sums, seen = (np.bincount(cells[known], weights=weights, minlength=len(counts)) for weights in (color[known], None))
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(seen > 0, sums / seen, np.nan)
    low, high = (float(np.nanmin(means)), float(np.nanmax(means))) if known.any() else (0.0, 1.0)
    scaled = np.nan_to_num((means - low) / ((high - low) or 1.0) * 254, nan=255.0)
    return {"color": _packed(scaled.astype(np.uint8)), "range": [low, high]}


def _packed(values: Array) -> str:
    return base64.b64encode(values.tobytes()).decode()


def box_data(desk: ColumnDesk, chart: ChartRequest, filters: Sequence[Filter], most: int) -> tuple[dict[str, Any], int]:
    """Quartiles for each name; whiskers reach the furthest value within one and a half times the box (Tukey 1977)."""
    if chart.y is None:
        raise Invalid("A box plot needs a column of numbers beside the names. Choose it.")
    values = desk.numbers(chart.y)
    levels = desk.levels(chart.x)
    binned = desk.column(chart.x).kind in ("integer", "decimal", "duration") and (levels is None or levels.size > most)
    axis = bin_axis(desk, chart.x, most, filters) if binned else name_axis(desk, chart.x)
    mask = desk.mask(filters)
    codes = axis.codes if mask is None else axis.codes[mask]
    numbers = values if mask is None else values[mask]
    rows = np.bincount(codes, minlength=axis.size + 1)[: axis.size]
    order = np.argsort(-rows, kind="stable")
    kept = order[rows[order] > 0][:most]
    frame = pl.DataFrame({"k": codes, "v": numbers}).lazy().filter(pl.col("v").is_not_nan() & pl.col("k").is_in(kept.tolist()))
    quarters = frame.group_by("k").agg(*(pl.col("v").quantile(at, "linear").alias(name) for at, name in ((0.25, "q1"), (0.5, "q2"), (0.75, "q3"))))
    fence = (pl.col("q3") - pl.col("q1")) * _WHISKER
    inside = pl.col("v").is_between(pl.col("q1") - fence, pl.col("q3") + fence)
    found = (
        frame.join(quarters, on="k")
        .group_by("k")
        .agg(
            pl.col("v").filter(inside).min().alias("low"),
            pl.col("q1", "q2", "q3").first(),
            pl.col("v").filter(inside).max().alias("high"),
            pl.len().alias("rows"),
            (~inside).sum().alias("outliers"),
        )
    ).collect()
    ranked = found.sort("k" if axis.ordered else "q2", descending=not axis.ordered)
    at = ranked.get_column("k").to_list()
    names = [f"{axis.edges[each]:g} to {axis.edges[each + 1]:g}" for each in at] if axis.edges else [axis.names[each] for each in at]
    data = {
        "names": names,
        "edges": [[axis.edges[each], axis.edges[each + 1]] for each in at] if axis.edges else None,
        "rows": ranked.get_column("rows").to_list(),
        "boxes": [list(each) for each in ranked.select("low", "q1", "q2", "q3", "high").iter_rows()],
        "outliers": ranked.get_column("outliers").to_list(),
        "others": {"names": int(np.count_nonzero(rows)) - len(kept), "rows": int(rows.sum() - rows[kept].sum())},
    }
    return data, int(ranked.get_column("rows").sum())
