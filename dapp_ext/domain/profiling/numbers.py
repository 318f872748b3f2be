"""What is in a column of numbers, dates or times, taken in batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.findings import SHOWN_ROWS
from dapp_ext.domain.profiling.sketches import Bins, Floats, Tally
from dapp_ext.schema.datasets import Column, ColumnProfile, Histogram, ValueCount

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TOP = 10
_BINS = 20
_EXACT_DOUBLE = 2**53


@dataclass
class _Moments:
    """Count, mean and sum of squared differences, merged batch by batch (Chan, Golub and LeVeque, 1983)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, values: Floats) -> None:
        count = len(values)
        if not count:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(values.mean())
            self._merge(count, mean, float(((values - mean) ** 2).sum()))

    def add_counted(self, values: Floats, counts: npt.NDArray[np.int64]) -> None:
        """Take different values, each so often as its count says."""
        count = int(counts.sum())
        mean = float(np.dot(values, counts)) / count
        self._merge(count, mean, float(np.dot((values - mean) ** 2, counts)))

    def _merge(self, count: int, mean: float, squares: float) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            total = self.count + count
            delta = mean - self.mean
            self.squares += squares + delta * delta * self.count * count / total
            self.mean += delta * count / total
        self.count = total

    @property
    def std(self) -> float | None:
        """Sample standard deviation; None for fewer than two values or where it is beyond the range of a double."""
        if self.count < 2 or not np.isfinite(self.squares):
            return None
        return float(np.sqrt(self.squares / (self.count - 1)))


class NumberColumn:
    """Evidence on a column of numbers, dates or times.

    Parameters
    ----------
    type_ : pa.DataType
        A stored type that is no string.
    limit : int
        Different values that are counted exactly.
    """

    def __init__(self, type_: pa.DataType, limit: int) -> None:
        self.type = type_
        self.rows = 0
        self.missing = 0
        self.missing_rows: list[int] = []
        self.present_rows: list[int] = []
        self.infinite_rows: list[int] = []
        self.infinite = 0
        self.tally = Tally(limit)
        self.moments = _Moments()
        self.highest: tuple[float, int] | None = None
        self.lowest: tuple[float, int] | None = None
        self.bins: Bins | None = None
        self.minimum: Any = None
        self.maximum: Any = None
        self._sample: list[Floats] = []
        self._sorted: Floats | None = None
        self._show = _shower(type_)

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers, and no dates or times."""
        return not pa.types.is_temporal(self.type)

    @property
    def values(self) -> int:
        """Number of values that are there."""
        return self.rows - self.missing

    def add(self, array: pa.Array, picked: npt.NDArray[np.intp] | None) -> None:
        """Take the next values.

        Parameters
        ----------
        picked : array of int, optional
            Places of the rows that belong to the sample; None for all.
        """
        plain = countable(array)
        if pa.types.is_integer(plain.type) and len(self.present_rows) == SHOWN_ROWS and self._add_narrow(plain, picked):
            return
        floats = _as_floats(plain)
        whole = not array.null_count and not pa.types.is_floating(plain.type)
        empty = None if whole else np.isnan(floats)
        gone = 0 if empty is None else int(np.count_nonzero(empty))
        if gone:
            self._note(self.missing_rows, empty)
            self.missing += gone
        if len(self.present_rows) < SHOWN_ROWS and gone < len(floats):
            self._note(self.present_rows, np.ones(len(floats), dtype=bool) if empty is None else ~empty)
        infinite = None if whole else np.isinf(floats)
        finite = floats
        if gone or (infinite is not None and infinite.any()):
            finite = floats[np.isfinite(floats)]
            self.infinite += len(floats) - gone - len(finite)
            self._note(self.infinite_rows, infinite)
        present = plain.drop_null() if gone else plain
        if len(present):
            self.tally.add(_written(present) if pa.types.is_decimal(present.type) else present)
        if len(finite):
            self._note_range(plain, floats, finite)
            self.moments.add(finite)
        if self.bins is not None:
            self.bins.add(finite)
        self._sorted = None
        self._sample.append(floats if picked is None else floats[picked])
        self.rows += len(array)

    def _add_narrow(self, plain: pa.Array, picked: npt.NDArray[np.intp] | None) -> bool:
        """Take the next values, if they are whole numbers of a narrow range: then how often each is there tells nearly all."""
        gone = plain.null_count
        present = plain.drop_null() if gone else plain
        found = self.tally.add_narrow(present)
        if found is None:
            return False
        if gone:
            if len(self.missing_rows) < SHOWN_ROWS:
                self._note(self.missing_rows, pc.is_null(plain).to_numpy(zero_copy_only=False))
            self.missing += gone
        low, counts = found
        used = np.flatnonzero(counts)
        values, weights = (used + low).astype(np.float64), counts[used]
        high = low + len(counts) - 1
        if self.lowest is None or float(low) < self.lowest[0]:
            self.lowest = (float(low), self.rows + pc.index(plain, pa.scalar(low, plain.type)).as_py())
        if self.highest is None or float(high) > self.highest[0]:
            self.highest = (float(high), self.rows + pc.index(plain, pa.scalar(high, plain.type)).as_py())
        self.minimum = low if self.minimum is None else min(self.minimum, low)
        self.maximum = high if self.maximum is None else max(self.maximum, high)
        self.moments.add_counted(values, weights)
        if self.bins is not None:
            self.bins.add(values, weights)
        self._sorted = None
        self._sample.append(_as_floats(plain if picked is None else plain.take(pa.array(picked))))
        self.rows += len(plain)
        return True

    def _note(self, rows: list[int], mask: npt.NDArray[np.bool_] | None) -> None:
        if mask is not None and len(rows) < SHOWN_ROWS:
            rows += [int(row) + self.rows for row in np.flatnonzero(mask)[: SHOWN_ROWS - len(rows)]]

    def _note_range(self, plain: pa.Array, floats: Floats, finite: Floats) -> None:
        low, high = float(finite.min()), float(finite.max())
        if self.lowest is None or low < self.lowest[0]:
            self.lowest = (low, self.rows + int((floats == low).argmax()))
        if self.highest is None or high > self.highest[0]:
            self.highest = (high, self.rows + int((floats == high).argmax()))
        # Whole numbers keep their digits; a double would round the large ones.
        exact = pa.types.is_floating(plain.type) or (max(-low, high) < _EXACT_DOUBLE and not _has_fractions(plain.type))
        ends = (low, high) if exact else tuple(pc.min_max(plain).as_py().values())
        if exact and not pa.types.is_floating(plain.type):
            ends = (bool(low), bool(high)) if pa.types.is_boolean(plain.type) else (int(low), int(high))
        self.minimum = ends[0] if self.minimum is None else min(self.minimum, ends[0])
        self.maximum = ends[1] if self.maximum is None else max(self.maximum, ends[1])

    def thin(self, stay: npt.NDArray[np.intp]) -> None:
        """Keep these rows of the sample only; what the others said is kept in bins."""
        sample = self.sample()
        if self.bins is None:
            self.bins = Bins()
            self.bins.add(sample[np.isfinite(sample)])
        self._sample, self._sorted = [sample[stay]], None

    def sample(self) -> Floats:
        """The sampled values; NaN for missing."""
        if len(self._sample) != 1:
            self._sample = [np.concatenate(self._sample)] if self._sample else [np.zeros(0)]
        return self._sample[0]

    def sorted_sample(self) -> Floats:
        """The finite values of the sample, in order."""
        if self._sorted is None:
            sample = self.sample()
            self._sorted = np.sort(sample[np.isfinite(sample)])
        return self._sorted

    def quantile(self, share: float) -> float:
        """A quantile of the sample, interpolated between its neighbours."""
        values = self.sorted_sample()
        place = share * (len(values) - 1)
        below = int(place)
        above = min(below + 1, len(values) - 1)
        return float(values[below] + (place - below) * (values[above] - values[below]))

    def rows_outside(self, low: float, high: float, sampled: npt.NDArray[np.int64]) -> list[int]:
        """Some rows whose values lie outside: those of the sample, and those of the extremes.

        Parameters
        ----------
        sampled : array of int
            The row numbers of the sample.
        """
        sample = self.sample()
        with np.errstate(invalid="ignore"):
            outside = np.isfinite(sample) & ((sample < low) | (sample > high))
        rows = {int(row) for row in sampled[outside][:SHOWN_ROWS]}
        rows.update(row for value, row in (self.lowest or (low, 0), self.highest or (high, 0)) if not low <= value <= high)
        return sorted(rows)[:SHOWN_ROWS]

    def farthest(self, sampled: npt.NDArray[np.int64], *, large: bool) -> list[int]:
        """Some rows whose values are the largest, or the smallest."""
        low, middle, high = self.quantile(0.05), self.quantile(0.5), self.quantile(0.95)
        bounds = (-np.inf, high + 3 * (high - middle)) if large else (low - 3 * (middle - low), np.inf)
        extreme = self.highest if large else self.lowest
        return self.rows_outside(*bounds, sampled) or ([] if extreme is None else [extreme[1]])

    def rows_of(self, values: npt.NDArray[np.int64], sampled: npt.NDArray[np.int64]) -> list[int]:
        """Some rows that have one of these values, as far as they are in the sample; the first of each."""
        sample = self.sample()
        rows = [sampled[found[0]] for value in values[:SHOWN_ROWS] if len(found := np.flatnonzero(sample == value))]
        return sorted(int(row) for row in rows)

    def beyond(self, low: float, high: float) -> int:
        """How many values lie outside."""
        if self.bins is not None:
            return self.bins.beyond(low, high)
        values = self.sorted_sample()
        return int(np.searchsorted(values, low, side="left") + len(values) - np.searchsorted(values, high, side="right"))

    def profile(self, column: Column) -> ColumnProfile:
        """What is in the column."""
        values = self.sorted_sample()
        quantiles = {str(share): self._show(self.quantile(share)) for share in QUANTILES} if len(values) else {}
        return ColumnProfile(
            name=column.name,
            kind=column.kind,
            missing=self.missing,
            distinct=self.tally.distinct,
            distinct_exact=self.tally.exact,
            minimum=None if self.minimum is None else self._show(self.minimum),
            maximum=None if self.maximum is None else self._show(self.maximum),
            mean=self._mean(),
            std=self._in_unit(self.moments.std),
            quantiles=quantiles,
            top=[ValueCount(value=self._text(value), count=count) for value, count in self.tally.top(TOP)],
            histogram=self._histogram(values),
        )

    def _mean(self) -> float | None:
        if not self.moments.count or not np.isfinite(self.moments.mean):
            return None
        return self._in_unit(self.moments.mean)

    def _in_unit(self, value: float | None) -> float | None:
        """Numbers as they are, durations in seconds, nothing for dates and times of day."""
        if value is None or self.is_number:
            return value
        return value / 1e6 if pa.types.is_duration(self.type) else None

    def _histogram(self, values: Floats) -> Histogram | None:
        if not len(values) or self.minimum is None or self.minimum == self.maximum or pa.types.is_boolean(self.type):
            return None
        edges = self._edges(float(self.minimum), float(self.maximum))
        counts = np.histogram(values, edges)[0].tolist() if self.bins is None else self.bins.over(edges)
        return Histogram(edges=[self._show(float(edge)) for edge in edges], counts=counts)

    def _edges(self, low: float, high: float) -> Floats:
        spread = high - low
        whole = not (pa.types.is_floating(self.type) or _has_fractions(self.type))
        if whole and spread < _BINS:
            # One bin for each whole number.
            return np.arange(low - 0.5, high + 1.0) if self.is_number else np.arange(low, high + 1.5)
        if not np.isfinite(spread):
            return np.concatenate([np.linspace(low, 0.0, _BINS // 2 + 1), np.linspace(0.0, high, _BINS // 2 + 1)[1:]])
        return np.linspace(low, high, _BINS + 1)

    def _text(self, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str) else str(self._show(value))


def _shower(type_: pa.DataType) -> Callable[[Any], Any]:
    """How values of a type go into the profile: as numbers, or as ISO 8601 text."""
    if pa.types.is_date(type_):
        return lambda value: _date(round(value))
    if pa.types.is_timestamp(type_):
        start = datetime(1970, 1, 1, tzinfo=UTC if type_.tz else None)
        return lambda value: _moment(start, round(value))
    if pa.types.is_time(type_):
        return lambda value: (datetime.min + timedelta(microseconds=min(max(round(value), 0), 86_399_999_999))).time().isoformat()
    if pa.types.is_duration(type_):
        return lambda value: value / 1e6
    if _has_fractions(type_):
        return lambda value: _exactly(value) if isinstance(value, Decimal) else value
    if pa.types.is_integer(type_) or pa.types.is_decimal(type_):
        return lambda value: str(value) if type(value) is not float and abs(value) > _EXACT_DOUBLE else value
    return lambda value: value


def _has_fractions(type_: pa.DataType) -> bool:
    """Whether decimals are kept with all their digits."""
    return bool(pa.types.is_decimal(type_) and type_.scale > 0)


def _exactly(value: Decimal) -> float | str:
    """A decimal as a number where that is the same, else as a text."""
    return float(value) if Decimal(repr(float(value))) == value else f"{value:f}".rstrip("0").rstrip(".")


def _written(array: pa.Array) -> pa.Array:
    """Decimals as texts, without zeros at the end of their fractions."""
    if not _has_fractions(array.type):
        return pc.cast(array, pa.string())
    plain = pa.array([f"{value:f}" for value in array.to_pylist()], pa.string())
    return pc.replace_substring_regex(plain, r"\.?0+$", "")


def _date(days: int) -> str:
    try:
        return (date(1970, 1, 1) + timedelta(days=days)).isoformat()
    except OverflowError:  # before the year 1 or after 9999
        return str(np.datetime64(days, "D"))


def _moment(start: datetime, microseconds: int) -> str:
    try:
        return (start + timedelta(microseconds=microseconds)).isoformat()
    except OverflowError:
        return str(np.datetime64(microseconds, "us"))


def countable(array: pa.Array) -> pa.Array:
    """Dates and times as the whole numbers they are stored as."""
    given = array.type
    if pa.types.is_date32(given):
        return array.view(pa.int32())
    if pa.types.is_temporal(given):
        return array.view(pa.int64())
    return array


def _as_floats(plain: pa.Array) -> Floats:
    """As doubles, NaN for missing."""
    given = plain.type
    if pa.types.is_boolean(given):
        plain = pc.cast(plain, pa.int8())
    if pa.types.is_decimal(given):
        plain = pc.cast(plain, pa.float64(), safe=False)
    return np.asarray(plain.to_numpy(zero_copy_only=False), dtype=np.float64)
