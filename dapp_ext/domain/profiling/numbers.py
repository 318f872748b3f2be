"""What is in a column of numbers, dates or times, taken in batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.profiling.sketches import Bins, Floats, Tally
from dapp_ext.schema.datasets import Column, ColumnProfile, Histogram, ValueCount

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TOP = 10
SHOWN_ROWS = 20
_BINS = 20
_EXACT_DOUBLE = 2**53
_EXTREMES = 50


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
            squares = float(((values - mean) ** 2).sum())
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


@dataclass
class _Extremes:
    """The largest (or, with the sign turned, smallest) values and the rows they stand in."""

    sign: int
    values: Floats = field(default_factory=lambda: np.zeros(0))
    rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def add(self, values: Floats, rows: npt.NDArray[np.int64], best: float) -> None:
        """Take values; ``best`` is the largest or smallest of them."""
        if len(self.values) == _EXTREMES and best * self.sign <= self.values[-1] * self.sign:
            return
        together, places = np.concatenate([self.values, values]), np.concatenate([self.rows, rows])
        if len(together) > _EXTREMES:
            chosen = np.argpartition(-self.sign * together, _EXTREMES - 1)[:_EXTREMES]
            together, places = together[chosen], places[chosen]
        order = np.argsort(-self.sign * together, kind="stable")
        self.values, self.rows = together[order], places[order]


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
        self.infinite_rows: list[int] = []
        self.infinite = 0
        self.tally = Tally(limit)
        self.moments = _Moments()
        self.largest, self.smallest = _Extremes(1), _Extremes(-1)
        self.bins: Bins | None = None
        self.minimum: Any = None
        self.maximum: Any = None
        self._sample: list[Floats] = []

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
        plain = _countable(array)
        floats = _as_floats(plain)
        empty = np.isnan(floats)
        gone = int(empty.sum())
        self._note_missing(empty, gone)
        finite_rows = np.flatnonzero(np.isfinite(floats))
        finite = floats if len(finite_rows) == len(floats) else floats[finite_rows]
        self._note_infinite(floats, len(floats) - gone - len(finite))
        present = plain if not gone else plain.filter(pa.array(~empty))
        if len(present):
            self.tally.add(pc.cast(present, pa.string()) if pa.types.is_decimal(present.type) else present)
        if len(finite):
            self._note_range(plain, finite, finite_rows + self.rows)
            self.moments.add(finite)
        if self.bins is not None:
            self.bins.add(finite)
        self._sample.append(floats if picked is None else floats[picked])
        self.rows += len(array)

    def _note_missing(self, empty: npt.NDArray[np.bool_], gone: int) -> None:
        self.missing += gone
        if gone and len(self.missing_rows) < SHOWN_ROWS:
            self.missing_rows += [int(row) + self.rows for row in np.flatnonzero(empty)[: SHOWN_ROWS - len(self.missing_rows)]]

    def _note_infinite(self, floats: Floats, number: int) -> None:
        self.infinite += number
        if number and len(self.infinite_rows) < SHOWN_ROWS:
            self.infinite_rows += [int(row) + self.rows for row in np.flatnonzero(np.isinf(floats))[: SHOWN_ROWS - len(self.infinite_rows)]]

    def _note_range(self, plain: pa.Array, finite: Floats, rows: npt.NDArray[np.int64]) -> None:
        low, high = float(finite.min()), float(finite.max())
        self.largest.add(finite, rows, high)
        self.smallest.add(finite, rows, low)
        # Whole numbers keep their digits; a double would round the large ones.
        ends = (low, high) if pa.types.is_floating(plain.type) else tuple(pc.min_max(plain).as_py().values())
        self.minimum = ends[0] if self.minimum is None else min(self.minimum, ends[0])
        self.maximum = ends[1] if self.maximum is None else max(self.maximum, ends[1])

    def thin(self, stay: npt.NDArray[np.intp]) -> None:
        """Keep these rows of the sample only; what the others said is kept in bins."""
        sample = self.sample()
        if self.bins is None:
            self.bins = Bins()
            self.bins.add(sample[np.isfinite(sample)])
        self._sample = [sample[stay]]

    def sample(self) -> Floats:
        """The sampled values; NaN for missing."""
        if len(self._sample) != 1:
            self._sample = [np.concatenate(self._sample)] if self._sample else [np.zeros(0)]
        return self._sample[0]

    def sample_values(self) -> Floats:
        """The finite values of the sample."""
        sample = self.sample()
        return sample[np.isfinite(sample)]

    def beyond(self, low: float, high: float) -> int:
        """How many values lie outside."""
        if self.bins is not None:
            return self.bins.beyond(low, high)
        values = self.sample_values()
        return int(((values < low) | (values > high)).sum())

    def profile(self, column: Column) -> ColumnProfile:
        """What is in the column."""
        values = self.sample_values()
        quantiles: dict[str, Any] = {}
        if len(values):
            found = np.quantile(values, QUANTILES)
            quantiles = {str(share): self._shown(float(value)) for share, value in zip(QUANTILES, found, strict=True)}
        return ColumnProfile(
            name=column.name,
            kind=column.kind,
            missing=self.missing,
            distinct=self.tally.distinct,
            distinct_exact=self.tally.exact,
            minimum=self._shown(self.minimum),
            maximum=self._shown(self.maximum),
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
        return Histogram(edges=[self._shown(float(edge)) for edge in edges], counts=counts)

    def _edges(self, low: float, high: float) -> Floats:
        spread = high - low
        whole = not pa.types.is_floating(self.type)
        if whole and spread < _BINS:
            # One bin for each whole number.
            return np.arange(low - 0.5, high + 1.0) if self.is_number else np.arange(low, high + 1.5)
        if not np.isfinite(spread):
            return np.concatenate([np.linspace(low, 0.0, _BINS // 2 + 1), np.linspace(0.0, high, _BINS // 2 + 1)[1:]])
        return np.linspace(low, high, _BINS + 1)

    def _text(self, value: Any) -> str:
        shown = self._shown(value)
        if isinstance(shown, bool):
            return "true" if shown else "false"
        return shown if isinstance(shown, str) else repr(shown) if isinstance(shown, float) else str(shown)

    def _shown(self, value: Any) -> Any:
        """A value as it goes into the profile: a number, or ISO 8601 text."""
        if value is None:
            return None
        if pa.types.is_date(self.type):
            return (date(1970, 1, 1) + timedelta(days=round(value))).isoformat()
        if pa.types.is_timestamp(self.type):
            moment = datetime(1970, 1, 1, tzinfo=UTC if self.type.tz else None) + timedelta(microseconds=round(value))
            return moment.isoformat()
        if pa.types.is_time(self.type):
            return (datetime.min + timedelta(microseconds=min(max(round(value), 0), 86_399_999_999))).time().isoformat()
        if pa.types.is_duration(self.type):
            return value / 1e6
        if pa.types.is_decimal(self.type) or (isinstance(value, int) and abs(value) > _EXACT_DOUBLE):
            return value if isinstance(value, float) else str(value)
        return value


def _countable(array: pa.Array) -> pa.Array:
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
