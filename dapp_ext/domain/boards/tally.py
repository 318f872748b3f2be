"""Counting codes: rows and figures for each place of a chart, over all rows or over rows put together before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from dapp_ext.domain.boards.columns import Array, Axis, ColumnDesk
from dapp_ext.errors import Invalid
from dapp_ext.schema.datasets import Aggregation, Filter

ADDABLE: tuple[Aggregation, ...] = ("count", "sum", "mean", "min", "max")
MOST_PLACES = 2_000_000


@dataclass(frozen=True)
class Tally:
    """Rows, and where a measure was asked for the figure, of each place; one dimension for each axis, the last place of each is for rows not on it."""

    rows: Array
    values: Array | None = None


@dataclass(frozen=True)
class Body:
    """What is counted: single rows, or rows that were put together because they are equal in all that matters."""

    places: Array
    shape: tuple[int, ...]
    counts: Array | None = None
    sums: Array | None = None
    known: Array | None = None
    lows: Array | None = None
    highs: Array | None = None


def places_of(axes: Sequence[Axis], rows: int) -> tuple[Array, tuple[int, ...]]:
    """The place of each row as one number, and how many places each axis has.

    Raises
    ------
    Invalid
        If there are more places than anybody could see.
    """
    shape = tuple(axis.size + 1 for axis in axes)
    if int(np.prod(shape, dtype=np.float64)) > MOST_PLACES:
        raise Invalid("These columns have too many different values to be drawn against each other. Choose others, or filter first.")
    if not axes:
        return np.zeros(rows, np.uint8), (1,)
    if len(axes) == 1:
        return axes[0].codes, shape
    places: Array = axes[0].codes.astype(np.int32)
    for axis in axes[1:]:
        places = places * (axis.size + 1) + axis.codes
    return places, shape


def tally(body: Body, mask: Array | None, measure: Aggregation) -> Tally:
    """Count a body; ``measure`` is one of :data:`ADDABLE`."""
    size = int(np.prod(body.shape))

    def chosen(values: Array) -> Array:
        return values if mask is None else values[mask]

    places = chosen(body.places)
    rows = _added(places, None if body.counts is None else chosen(body.counts), size).astype(np.int64)
    if measure == "count" and body.sums is None:
        return Tally(rows.reshape(body.shape))
    assert body.sums is not None
    assert body.known is not None
    known = _added(places, chosen(body.known).astype(np.float64), size)
    if measure == "count":
        return Tally(rows.reshape(body.shape), known.reshape(body.shape))
    with np.errstate(invalid="ignore", divide="ignore"):
        if measure in ("sum", "mean"):
            sums = _added(places, chosen(body.sums), size)
            values = np.where(known > 0, sums / known if measure == "mean" else sums, np.nan)
        else:
            lows, highs = (body.sums, body.sums) if body.lows is None or body.highs is None else (body.lows, body.highs)
            values = np.full(size, np.inf if measure == "min" else -np.inf)
            has = chosen(body.known) > 0
            ends = chosen(lows if measure == "min" else highs)[has]
            (np.minimum if measure == "min" else np.maximum).at(values, places[has], ends)
            values[~np.isfinite(values)] = np.nan
    return Tally(rows.reshape(body.shape), values.reshape(body.shape))


def _added(places: Array, weights: Array | None, size: int) -> Array:
    return np.bincount(places, weights=weights, minlength=size)


def rows_body(desk: ColumnDesk, axes: Sequence[Axis], value: str | None) -> Body:
    """Every row for itself."""
    places, shape = places_of(axes, desk.rows)
    if value is None:
        return Body(places, shape)
    numbers = desk.numbers(value)
    known = ~np.isnan(numbers)
    return Body(places, shape, sums=np.where(known, numbers, 0.0), known=known)


@dataclass(frozen=True)
class Cube:
    """Rows put together that are at the same place and equal in some columns: conditions on those need no look at the rows."""

    body: Body
    codes: Mapping[str, Array]

    @property
    def nbytes(self) -> int:
        held = [self.body.places, self.body.counts, self.body.sums, self.body.known, self.body.lows, self.body.highs, *self.codes.values()]
        return sum(int(each.nbytes) for each in held if each is not None)

    def mask(self, desk: ColumnDesk, filters: Sequence[Filter]) -> Array | None:
        """Which of the groups pass conditions on the columns of the cube."""
        masks = []
        for each in filters:
            levels = desk.levels(each.column)
            assert levels is not None
            masks.append(desk.kept_values(each, levels)[self.codes[each.column]])
        return np.logical_and.reduce(masks) if masks else None


def make_cube(desk: ColumnDesk, axes: Sequence[Axis], value: str | None, names: Sequence[str]) -> Cube | None:
    """Put rows together by place and by the columns that are filtered; None where that would not make it much smaller."""
    every = [desk.levels(name) for name in names]
    levels = [each for each in every if each is not None]
    body = rows_body(desk, axes, value)
    room = float(np.prod(body.shape)) * float(np.prod([each.size + 1 for each in levels]))
    if len(levels) < len(names) or room >= 2**31:
        return None
    whole: Array = body.places.astype(np.int32)
    for each in levels:
        whole = whole * (each.size + 1) + each.codes
    # A table of all that is possible is quicker to fill than sorting, while it is not much longer than the rows.
    if room <= 4 * desk.rows + 1_000_000:
        counts = np.bincount(whole, minlength=int(room))
        groups = np.flatnonzero(counts)
        number: Array = np.zeros(int(room), np.int32)
        number[groups] = np.arange(len(groups), dtype=np.int32)
        inverse, counts = number[whole], counts[groups]
    else:
        groups, inverse, counts = np.unique(whole, return_inverse=True, return_counts=True)
    if len(groups) * 3 > desk.rows:
        return None
    rest, codes = groups.astype(np.int64), {}
    for name, each in zip(reversed(names), reversed(levels), strict=True):
        rest, codes[name] = np.divmod(rest, each.size + 1)
    return Cube(_gathered(body, rest, inverse, counts), codes)


def _gathered(body: Body, places: Array, inverse: Array, counts: Array) -> Body:
    if body.sums is None or body.known is None:
        return Body(places, body.shape, counts=counts.astype(np.float64))
    size = len(counts)
    known = np.bincount(inverse, weights=body.known, minlength=size)
    sums = np.bincount(inverse, weights=body.sums, minlength=size)
    ends = pl.DataFrame({"k": inverse[body.known], "v": body.sums[body.known]}).group_by("k").agg(pl.col("v").min().alias("l"), pl.col("v").max().alias("h"))
    lows, highs = np.full(size, np.nan), np.full(size, np.nan)
    at = ends.get_column("k").to_numpy()
    lows[at], highs[at] = ends.get_column("l").to_numpy(), ends.get_column("h").to_numpy()
    return Body(places, body.shape, counts.astype(np.float64), sums, known, lows, highs)


def measured(desk: ColumnDesk, axes: Sequence[Axis], value: str, mask: Array | None, measure: Aggregation) -> Tally:
    """Figures that cannot be added up from parts: the median, the number of different values."""
    places, shape = places_of(axes, desk.rows)
    size = int(np.prod(shape))
    chosen = places if mask is None else places[mask]
    rows = np.bincount(chosen, minlength=size)
    if measure == "median":
        numbers = desk.numbers(value)
        frame = pl.DataFrame({"k": chosen, "v": numbers if mask is None else numbers[mask]}).filter(pl.col("v").is_not_nan())
        figure = pl.col("v").median()
    else:
        levels = desk.levels(value, always=True)
        assert levels is not None
        frame = pl.DataFrame({"k": chosen, "v": levels.codes if mask is None else levels.codes[mask]}).filter(pl.col("v") < levels.size)
        figure = pl.col("v").n_unique()
    found = frame.group_by("k").agg(figure.cast(pl.Float64).alias("f"))
    values = np.full(size, np.nan if measure == "median" else 0.0)
    values[found.get_column("k").to_numpy()] = found.get_column("f").to_numpy()
    return Tally(rows.reshape(shape), values.reshape(shape))
