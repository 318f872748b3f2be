"""Groups and their figures as expressions: values, equal bins, buckets of time; counts, sums, means, quantiles, extremes, boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import polars as pl

from dapp_ext.domain.conditions import Place
from dapp_ext.errors import Invalid
from dapp_ext.schema.datasets import Grouping, Measure

_EVERY = {"year": "1y", "quarter": "1q", "month": "1mo", "week": "1w", "day": "1d", "hour": "1h"}
_ROWS = "rows"
BOX = ("low", "q1", "median", "q3", "high", "outside")
_QUARTILES = {"q1": 0.25, "median": 0.5, "q3": 0.75}
_WHISKER = 1.5
_FIRST_DAY = date(1970, 1, 1)
_BOX = pl.Struct({name: pl.Int64 if name == "outside" else pl.Float64 for name in BOX})


def measured(measure: Measure, place: Place | None) -> pl.Expr:
    """One figure as an expression over the rows of a group. Missing values are left out; without any value the figure is missing, a count is 0.

    Raises
    ------
    Invalid
        If the column cannot have that figure.
    """
    op = measure.op
    if place is None:
        if op != "count":
            raise Invalid(f"Say which column the {op} is of.")
        return pl.len()
    expression, kind = place.expression, place.kind
    if op == "count":
        return expression.count()
    if op == "distinct":
        return expression.n_unique() - (expression.null_count() > 0).cast(pl.UInt32)
    if op in ("min", "max"):
        expression = place.text if place.is_text else expression
        return expression.min() if op == "min" else expression.max()
    if not (kind.is_numeric() or kind in (pl.Boolean, pl.Duration)):
        raise Invalid(f"The {op} needs numbers, but column {place.column.name!r} has none. Use count, distinct, min or max.")
    if op == "sum":
        return pl.when(expression.count() > 0).then(_summable(place).sum())
    expression = expression.cast(pl.Float64) if kind == pl.Boolean or kind.is_decimal() else expression
    if op == "quantile":
        if measure.q is None:
            raise Invalid(f"Say which quantile of {place.column.name!r} is wanted, as q from 0 to 1.")
        return expression.quantile(measure.q, "linear")
    if op == "box":
        raise Invalid("A box is several figures; ask for it in a query of its own.")
    if op == "std":
        return expression.cast(pl.Float64).std() if kind != pl.Duration else expression.std()
    return expression.mean() if op == "mean" else expression.median()


def expanded(measure: Measure) -> list[tuple[str, str]]:
    """The figures behind a measure, each as its name's beginning and its operation: six for a box, else one."""
    if measure.op == "box":
        return [(name, name) for name in BOX]
    return [(f"q{measure.q:g}" if measure.op == "quantile" and measure.q is not None else measure.op, measure.op)]


@dataclass(frozen=True)
class BoxPart:
    """One of the six figures of a box; all six come out of one look at the values."""

    key: str
    part: str
    whole: pl.Expr


def boxed(part: str, place: Place) -> BoxPart:
    """A part of a box plot (Tukey 1977): the quartiles, whiskers at the outermost values within 1.5 interquartile ranges, and how many lie beyond.

    Raises
    ------
    Invalid
        If the column holds no numbers.
    """
    if not place.kind.is_numeric():
        raise Invalid(f"A box plot needs numbers, but column {place.column.name!r} has none.")
    whole = place.expression.cast(pl.Float64).map_batches(_box, return_dtype=_BOX, returns_scalar=True)
    return BoxPart(f"box {place.column.name}", part, whole)


def _box(values: pl.Series) -> pl.Series:
    numbers = values.drop_nulls().to_numpy()
    if not len(numbers):
        return pl.Series([dict.fromkeys(BOX) | {"outside": 0}], dtype=_BOX)
    low, middle, high = np.quantile(numbers, list(_QUARTILES.values()))
    reach = _WHISKER * (high - low)
    within = numbers[(numbers >= low - reach) & (numbers <= high + reach)] if np.isfinite(reach) else numbers
    found = (within.min(), low, middle, high, within.max(), len(numbers) - len(within))
    return pl.Series([dict(zip(BOX, found, strict=True))], dtype=_BOX)


def quantile_of(measure: Measure) -> float | None:
    """Which quantile a measure is, if it is one."""
    return 0.5 if measure.op == "median" else measure.q if measure.op == "quantile" else None


def quantiled(q: float, every: Sequence[float], place: Place) -> BoxPart | None:
    """A quantile of a whole column of numbers, where all that are asked for come out of one look at the values; nothing for other columns.

    They are found without sorting the values, and interpolated linearly (Hyndman and Fan 1996, type 7).
    """
    if not (place.kind.is_integer() or place.kind == pl.Float64):
        return None
    kind = pl.Struct({repr(each): pl.Float64 for each in every})
    whole = place.expression.map_batches(lambda values: pl.Series([_quantiles(values, every)], dtype=kind), return_dtype=kind, returns_scalar=True)
    return BoxPart(f"quantiles {place.column.name}", repr(q), whole)


def _quantiles(values: pl.Series, every: Sequence[float]) -> dict[str, float | None]:
    numbers = values.drop_nulls().to_numpy()
    if not len(numbers):
        return dict.fromkeys(map(repr, every))
    places = [each * (len(numbers) - 1) for each in every]
    parted = np.partition(numbers, sorted({at(place) for place in places for at in (math.floor, math.ceil)}))
    found: dict[str, float | None] = {}
    for q, place in zip(every, places, strict=True):
        low, high = float(parted[math.floor(place)]), float(parted[math.ceil(place)])
        found[repr(q)] = low if low == high else low + (high - low) * (place - math.floor(place))
    return found


def arranged(figures: Sequence[pl.Expr | BoxPart]) -> tuple[list[pl.Expr], list[pl.Expr]]:
    """What is computed, and what is taken out of it then, so that the figures are ``m0``, ``m1``, …"""
    boxes = {figure.key: figure.whole.alias(figure.key) for figure in figures if isinstance(figure, BoxPart)}
    plain = [figure.alias(f"m{i}") for i, figure in enumerate(figures) if isinstance(figure, pl.Expr)]
    parts = [pl.col(figure.key).struct.field(figure.part).alias(f"m{i}") for i, figure in enumerate(figures) if isinstance(figure, BoxPart)]
    return [*plain, *boxes.values()], parts


def _summable(place: Place) -> pl.Expr:
    if place.kind in (pl.Int64, pl.UInt64) and not place.narrow:
        return place.expression.cast(pl.Int128)  # the sum of large numbers is exact
    if place.rounded and place.kind.is_decimal():
        return place.expression.cast(pl.Float64)
    return place.expression


def _begun(every: str, days: pl.Series) -> pl.Series:
    """The days on which the buckets of days begin; worked out once for each day where they are not too far apart."""
    low, high = days.min(), days.max()
    if not isinstance(low, date) or not isinstance(high, date) or (high - low).days > len(days):
        return days.dt.truncate(every)
    table = pl.date_range(low, high, eager=True).dt.truncate(every)
    return table.gather(days.to_physical() - (low - _FIRST_DAY).days).alias(days.name)


class Grouped:
    """An aggregate by one to three groupings.

    Parameters
    ----------
    frame : polars.DataFrame or polars.LazyFrame
        The rows.
    groups : sequence of (Grouping, Place)
    figures : sequence of polars.Expr or BoxPart
        Made by :func:`measured` and :func:`boxed`.
    ops : sequence of str
        The operation behind each figure.
    """

    def __init__(
        self, frame: pl.DataFrame | pl.LazyFrame, groups: Sequence[tuple[Grouping, Place]], figures: Sequence[pl.Expr | BoxPart], ops: Sequence[str]
    ) -> None:
        self._frame = frame
        self._groups = groups
        self._keys = [f"g{i}" for i in range(len(groups))]
        self._figures, self._parts = arranged(figures)
        self._names = [f"m{i}" for i in range(len(figures))]
        self._counts = [f"m{i}" for i, op in enumerate(ops) if op in ("count", "distinct", "outside")]
        self._edges: dict[str, pl.Series] = {}
        self._all_edges: dict[str, pl.Series] = {}

    def collect(self, limit: int) -> tuple[pl.DataFrame, bool]:
        """One row for each group, ordered by the groups; at most ``limit``, and whether there were more."""
        keys = [self._key(name, *group).alias(name) for name, group in zip(self._keys, self._groups, strict=True)]
        figures = [*self._figures, pl.len().alias(_ROWS)]
        grouped = self._frame.lazy().with_columns(keys).group_by(self._keys).agg(figures)
        answer = grouped.with_columns(self._parts).collect()
        if len(self._groups) == 1 and self._keys[0] in self._edges:
            answer = self._with_empty_bins(answer)
        truncated = answer.height > limit
        if truncated:
            order = [_ROWS, *self._keys]
            answer = answer.sort(order, descending=[True, *(False for _ in self._keys)], nulls_last=True).head(limit)
        answer = answer.sort(self._keys, nulls_last=True)
        named = [self._named(name) for name in self._keys]
        return answer.select([*named, *self._names]), truncated

    def bins(self) -> dict[int, pl.Series]:
        """All edges of the bins by the place of their grouping, once collected."""
        return {self._keys.index(name): edges for name, edges in self._all_edges.items()}

    def _key(self, name: str, group: Grouping, place: Place) -> pl.Expr:
        column = place.column.name
        if group.bins is not None and group.bucket is not None:
            raise Invalid(f"Group {column!r} either by bins or by a bucket of time, not both.")
        if group.bucket is not None:
            if place.kind not in (pl.Date, pl.Datetime):
                raise Invalid(f"Column {column!r} holds no dates, so it has no {group.bucket}s. Group it by its values or by bins.")
            if place.kind == pl.Date and group.bucket == "hour":
                raise Invalid(f"Column {column!r} holds days without a time. Use day or longer.")
            every = _EVERY[group.bucket]
            if place.kind == pl.Date:
                return place.expression if group.bucket == "day" else place.expression.map_batches(partial(_begun, every), return_dtype=pl.Date)
            return place.expression.dt.truncate(every)
        if group.bins is not None:
            return self._bin(name, group.bins, place)
        return place.expression

    def _bin(self, name: str, bins: int, place: Place) -> pl.Expr:
        """The number of the bin of each value, from 0; the last bin holds the highest value."""
        kind = place.kind
        if not (kind.is_numeric() or kind.is_temporal()):
            raise Invalid(f"Column {place.column.name!r} has no order that could be divided into bins. Group it by its values.")
        # Dates are divided as date-times, so that an edge may lie within a day.
        placed = place.expression.cast(pl.Datetime("us")) if kind == pl.Date else place.expression
        numbers = placed.to_physical().cast(pl.Float64) if kind.is_temporal() else placed.cast(pl.Float64)
        ends = numbers.filter(numbers.is_finite()) if kind.is_float() else numbers
        low, high = self._frame.lazy().select(ends.min().alias("low"), ends.max().alias("high")).collect().row(0)
        if low is None or low == high or not math.isfinite(high - low):
            edges, width = [low if low is not None else 0.0], 1.0
        else:
            width = (high - low) / bins
            edges = [low + width * i for i in range(bins)]
        every = pl.Series([*edges, edges[-1] + width if len(edges) == 1 else high], dtype=pl.Float64)
        if kind.is_temporal():
            every = every.round().cast(pl.Int64).cast(pl.Datetime("us") if kind == pl.Date else kind)
        self._edges[name], self._all_edges[name] = every.head(len(edges)), every
        number = ((numbers - edges[0]) / width).clip(0, len(edges) - 1)
        return number.cast(pl.UInt32, strict=False)

    def _with_empty_bins(self, answer: pl.DataFrame) -> pl.DataFrame:
        name = self._keys[0]
        every = pl.DataFrame({name: pl.Series(range(len(self._edges[name])), dtype=pl.UInt32)})
        missing = answer.filter(pl.col(name).is_null())
        full = every.join(answer, on=name, how="left").with_columns(pl.col([*self._counts, _ROWS]).fill_null(0))
        return pl.concat([full.select(answer.columns), missing], how="vertical_relaxed")

    def _named(self, name: str) -> pl.Expr:
        """A bin is named by its lower edge."""
        if name not in self._edges:
            return pl.col(name)
        return pl.lit(self._edges[name]).gather(pl.col(name)).alias(name)
