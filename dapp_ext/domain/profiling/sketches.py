"""Bounded memory for unbounded columns: distinct values, frequent values, a sample of rows, equal rows, bins.

Each structure is exact while the data is small and turns into an estimate, and says so, when it is large.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]
_FREQUENT = 500
_NEW = 100
"""So many values of a batch are taken for frequent ones that were not known before."""
_SMALLEST = 16_384
_NARROW = 65_536
_UPPER = np.uint64(48)
"""The bits left when the first sixteen of a hash are taken, which tell :data:`_NARROW` values apart."""
_PART = 8
"""One in so many values of a batch shows which ones are frequent, where the different ones are many."""


class Distinct:
    """Number of different hashes, by the *k* smallest (Bar-Yossef et al., "Counting distinct elements in a data stream", 2002).

    The relative error is about ``1 / sqrt(k)``, here 0.8 %; k is a power of two.
    """

    def __init__(self, k: int = _SMALLEST) -> None:
        self.k = k
        self.smallest: Hashes = np.zeros(0, dtype=np.uint64)
        # Those that may be among the smallest, put in order only when they are many.
        self._fresh: list[Hashes] = []
        self._fresh_size = 0
        # Nearly all of the kept ones, each where its last bits say, so that they are known when they come again.
        self._known: Hashes = np.zeros(0, dtype=np.uint64)

    def add(self, hashes: Hashes) -> None:
        """Take hashes; repeats do no harm."""
        if len(self.smallest) == self.k:
            hashes = hashes[hashes < self.smallest[-1]]
            if not len(self._known):
                self._known = np.zeros(8 * self.k, dtype=np.uint64)
                self._known[self.smallest & self._last_bits] = self.smallest
            hashes = hashes[self._known[hashes & self._last_bits] != hashes]
            self._known[hashes & self._last_bits] = hashes
        if len(hashes):
            self._fresh.append(hashes)
            self._fresh_size += len(hashes)
            if len(self.smallest) < self.k or self._fresh_size > self.k // 2:
                self._settle()

    def _settle(self) -> None:
        if self._fresh:
            together = np.sort(np.concatenate([self.smallest, *self._fresh]))
            self.smallest = together[np.append(True, together[1:] != together[:-1])][: self.k]
            self._fresh, self._fresh_size = [], 0

    @property
    def _last_bits(self) -> np.uint64:
        return np.uint64(8 * self.k - 1)

    def count(self) -> int:
        """The estimate, exact below k."""
        self._settle()
        if len(self.smallest) < self.k:
            return len(self.smallest)
        return round((self.k - 1) / (float(self.smallest[-1]) / 2.0**64))


class _Dense:
    """Counts whole numbers of a narrow range in an array, without looking each of them up."""

    def __init__(self) -> None:
        self.counts: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._base = 0
        self._wide = False

    def add(self, array: pa.Array, limit: int) -> tuple[int, npt.NDArray[np.int64]] | None:
        """Count values, if they are whole numbers of a narrow range with at most ``limit`` different ones.

        Returns the smallest of them, and how often it and each number after it is there.
        """
        if self._wide or not pa.types.is_integer(array.type) or not len(array):
            return None
        plain = array.to_numpy()
        low, high = int(plain.min()), int(plain.max())
        first = min(low, self._base) if len(self.counts) else low
        last = max(high, self._base + len(self.counts) - 1) if len(self.counts) else high
        self._wide = last - first >= _NARROW
        if self._wide:
            return None
        if not len(self.counts):
            self._base = first
        grown = np.pad(self.counts, (self._base - first, last - first + 1 - len(self.counts) - (self._base - first)))
        found = np.bincount(plain - low)
        grown[low - first : high - first + 1] += found
        self.counts, self._base = grown, first
        self._wide = int(np.count_nonzero(grown)) > limit
        return low, found

    def take(self) -> list[tuple[int, int]]:
        """What was counted; it is forgotten here."""
        places = np.flatnonzero(self.counts)
        found = list(zip((places + self._base).tolist(), self.counts[places].tolist(), strict=True))
        self.counts, self._wide = np.zeros(0, dtype=np.int64), True
        return found


class Tally:
    """How often each value of a column occurs: exactly up to a number of different values, then the frequent ones only.

    Parameters
    ----------
    limit : int
        Different values that are counted exactly.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._counts: dict[Hashable, int] = {}
        self._waiting: list[tuple[pa.Array, pa.Array]] = []
        self._waiting_values = 0
        self._dense = _Dense()
        self.many: Distinct | None = None

    @property
    def counts(self) -> dict[Hashable, int]:
        """How often each value occurs; of many values, how often the frequent ones do."""
        if len(self._dense.counts):
            for value, count in self._dense.take():
                self._counts[value] = self._counts.get(value, 0) + count
        if self._waiting:
            waiting, self._waiting, self._waiting_values = self._waiting, [], 0
            if len(waiting) == 1:
                self._merge(*waiting[0])
            else:
                table = pa.table([pa.concat_arrays([values for values, _ in waiting]), pa.concat_arrays([counts for _, counts in waiting])], ["v", "n"])
                table = table.group_by("v", use_threads=False).aggregate([("n", "sum")]).combine_chunks()
                self._merge(table.column("v"), table.column("n_sum"))
        return self._counts

    @property
    def exact(self) -> bool:
        """Whether every different value is counted."""
        return self.many is None

    @property
    def distinct(self) -> int:
        """Number of different values."""
        return len(self.counts) if self.many is None else self.many.count()

    def add(self, array: pa.Array) -> None:
        """Count values; null must not be among them."""
        if self.add_narrow(array) is not None:
            return
        if self.many is None:
            found = pc.value_counts(array)
            self.add_counted(found.field(0), found.field(1))
        else:
            self._add_to_many(array, self.many)

    def add_narrow(self, array: pa.Array) -> tuple[int, npt.NDArray[np.int64]] | None:
        """Count values, if they are whole numbers of a narrow range: the smallest, and how often it and each number after it is there."""
        return self._dense.add(array, self.limit) if self.many is None else None

    def add_counted(self, values: pa.Array, counts: pa.Array) -> None:
        """Take values, all different, with how often each occurs."""
        if self.many is None and len(values) > self.limit:
            self._overflow()
        if self.many is not None:
            self.many.add(hashes(values))
            if len(values) > _FREQUENT:
                order = np.argpartition(-counts.to_numpy(), _FREQUENT)[:_FREQUENT]
                values, counts = values.take(pa.array(order)), counts.take(pa.array(order))
            self._merge(values, counts)
            return
        self._waiting.append((values, counts))
        self._waiting_values += len(values)
        if self._waiting_values > 4 * self.limit and len(self.counts) > self.limit:
            self._overflow()

    def _add_to_many(self, array: pa.Array, many: Distinct) -> None:
        """Estimate the number of different values from all; count the frequent ones, as a part of the values shows which those are."""
        found = hashes(array)
        many.add(found)
        part = pc.value_counts(array[: max(len(array) // _PART, min(len(array), _FREQUENT))])
        often = part.filter(pc.greater(part.field(1), 1))
        often = often.field(0) if len(often) <= _NEW else often.field(0).take(pa.array(np.argpartition(-often.field(1).to_numpy(), _NEW)[:_NEW]))
        known = pa.concat_arrays([often, pa.array(list(self._counts), array.type)]).unique()
        # Few values share their first bits with a known one, so few have to be looked up.
        near = np.zeros(_NARROW, dtype=bool)
        near[hashes(known) >> _UPPER] = True
        some = array.filter(pa.array(near[found >> _UPPER]))
        counted = pc.value_counts(some.filter(pc.is_in(some, known)))
        self._merge(counted.field(0), counted.field(1))

    def _merge(self, values: pa.Array, counts: pa.Array) -> None:
        mine = self._counts
        for value, count in zip(values.to_pylist(), counts.to_pylist(), strict=True):
            mine[value] = mine.get(value, 0) + count
        if self.many is not None and len(mine) > 2 * _FREQUENT:
            self._counts = dict(self.top(_FREQUENT))

    def _overflow(self) -> None:
        counts = self.counts
        self.many = Distinct()
        if counts:
            self.many.add(hashes(pa.array(list(counts))))
            self._counts = dict(self.top(_FREQUENT))

    def top(self, number: int) -> list[tuple[Any, int]]:
        """The most frequent values, the first met first among equals."""
        return sorted(self.counts.items(), key=lambda item: -item[1])[:number]


def hashes(values: pa.Array) -> Hashes:
    """64-bit hashes, equal for equal values within one process."""
    import polars as pl

    return np.asarray(pl.Series(values).hash(7).to_numpy(), dtype=np.uint64)


class RowSample:
    """Chooses rows evenly at random, the same for all columns: first all, later those with the smallest random keys.

    Parameters
    ----------
    size : int
        Rows to keep; between compressions up to twice as many are kept.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.complete = True
        self._random = np.random.default_rng(20_240_229)
        self._keys: Floats = np.zeros(0)
        self._seen = 0
        self.rows: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._below = 1.0

    def pick(self, rows: int) -> npt.NDArray[np.intp] | None:
        """Places of the rows to keep out of the next ones; None for all."""
        keys = self._random.random(rows)
        first = self._seen
        self._seen += rows
        if self.complete and len(self._keys) + rows <= 2 * self.size:
            self._keys = np.concatenate([self._keys, keys])
            self.rows = np.concatenate([self.rows, np.arange(first, first + rows)])
            return None
        self.complete = False
        kept = np.flatnonzero(keys < self._below)
        self._keys = np.concatenate([self._keys, keys[kept]])
        self.rows = np.concatenate([self.rows, first + kept])
        return kept

    def compress(self) -> npt.NDArray[np.intp] | None:
        """Places of the kept rows that stay, when there are too many; to be applied to every column."""
        if len(self._keys) <= 2 * self.size:
            return None
        stay = np.sort(np.argpartition(self._keys, self.size)[: self.size])
        self._below = float(self._keys[stay].max())
        self._keys, self.rows = self._keys[stay], self.rows[stay]
        return stay


class EqualRows:
    """Finds rows that repeat an earlier row, by a hash of each row.

    Up to a bound all hashes are kept. Beyond it only those that end in some zero bits: equal rows have equal hashes, so
    the share of repeats among them estimates the whole.
    """

    def __init__(self, bound: int = 2**22) -> None:
        self.bound = bound
        self.bits = 0
        self._hashes: list[Hashes] = []
        self._rows: list[npt.NDArray[np.int64]] = []
        self._kept = 0

    def add(self, found: Hashes, first_row: int) -> None:
        """Take the hashes of the next rows."""
        rows = np.arange(first_row, first_row + len(found), dtype=np.int64)
        if self.bits:
            stays = found & np.uint64(2**self.bits - 1) == 0
            found, rows = found[stays], rows[stays]
        self._hashes.append(found)
        self._rows.append(rows)
        self._kept += len(found)
        while self._kept > self.bound:
            self.bits += 1
            self._thin()

    def _thin(self) -> None:
        together, rows = np.concatenate(self._hashes), np.concatenate(self._rows)
        stays = together & np.uint64(2**self.bits - 1) == 0
        self._hashes, self._rows = [together[stays]], [rows[stays]]
        self._kept = len(self._hashes[0])

    def repeats(self, number: int) -> tuple[int, list[int]]:
        """How many rows repeat an earlier one, and the first few of them."""
        if not self._hashes:
            return 0, []
        together, rows = np.concatenate(self._hashes), np.concatenate(self._rows)
        plain = np.sort(together)
        if not (plain[1:] == plain[:-1]).any():
            return 0, []
        order = np.argsort(together, kind="stable")
        again = order[1:][together[order[1:]] == together[order[:-1]]]
        first = np.sort(rows[again])[:number]
        return len(again) << self.bits, [int(row) for row in first]


class Bins:
    """A histogram whose bins grow with the range: 1,024 at least, of a width that is a power of two."""

    _MOST = 4096

    def __init__(self) -> None:
        self._exponent: int | None = None
        self._base = 0
        self._counts: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def add(self, values: Floats, counts: npt.NDArray[np.int64] | None = None) -> None:
        """Take finite values, each so often as its count says; once where there are no counts."""
        if not len(values):
            return
        low, high = float(values.min()), float(values.max())
        if self._exponent is None:
            spread = max(high - low, abs(high) * 2.0**-40, abs(low) * 2.0**-40, 2.0**-1000)
            self._exponent = int(np.floor(np.log2(spread))) - 10
        while not self._fits(low, high):
            self._coarsen()
        places = self._place(values)
        first, last = int(places.min()), int(places.max())
        self._reach(first, last)
        found = np.bincount(places - self._base, counts, minlength=len(self._counts))
        self._counts += found if counts is None else found.astype(np.int64)

    def _place(self, values: Floats) -> npt.NDArray[np.int64]:
        assert self._exponent is not None
        return np.floor(np.ldexp(values, -self._exponent)).astype(np.int64)

    def _fits(self, low: float, high: float) -> bool:
        assert self._exponent is not None
        with np.errstate(over="ignore"):  # what overflows does not fit
            ends = [np.ldexp(low, -self._exponent), np.ldexp(high, -self._exponent)]
        if max(abs(ends[0]), abs(ends[1])) > 2.0**52:
            return False
        known = [self._base, self._base + len(self._counts)] if len(self._counts) else []
        return max(*ends, *known) - min(*ends, *known) < self._MOST

    def _coarsen(self) -> None:
        assert self._exponent is not None
        self._exponent += 1
        if len(self._counts):
            places = (self._base + np.arange(len(self._counts))) >> 1
            self._base = int(places[0])
            self._counts = np.bincount(places - self._base, weights=self._counts).astype(np.int64)

    def _reach(self, first: int, last: int) -> None:
        if not len(self._counts):
            self._base, self._counts = first, np.zeros(last - first + 1, dtype=np.int64)
            return
        before = max(0, self._base - first)
        after = max(0, last - (self._base + len(self._counts)) + 1)
        if before or after:
            self._counts = np.concatenate([np.zeros(before, dtype=np.int64), self._counts, np.zeros(after, dtype=np.int64)])
            self._base -= before

    def over(self, edges: Floats) -> list[int]:
        """Counts between edges that cover all values; a fine bin belongs to where its middle lies."""
        assert self._exponent is not None
        middles = np.ldexp(self._base + np.arange(len(self._counts)) + 0.5, self._exponent)
        places = np.clip(np.searchsorted(edges, middles, side="right") - 1, 0, len(edges) - 2)
        return [int(count) for count in np.bincount(places, weights=self._counts, minlength=len(edges) - 1)]

    def beyond(self, low: float, high: float) -> int:
        """How many values lie below ``low`` or above ``high``."""
        assert self._exponent is not None
        middles = np.ldexp(self._base + np.arange(len(self._counts)) + 0.5, self._exponent)
        return int(self._counts[(middles < low) | (middles > high)].sum())
