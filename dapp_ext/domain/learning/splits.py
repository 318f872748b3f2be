"""How rows are divided: a locked test part that the search never sees, and folds of the rest.

Rows that are equal in everything a model sees stay together (they share a group), classes keep their shares, and
classes too rare to be checked stay in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
RAREST = 5
LARGEST_TEST = 100_000


@dataclass(frozen=True)
class Rows:
    """What a split has to respect; all arrays have one entry per row.

    ``strata`` is the class (or zeros), ``groups`` numbers rows that must stay together, ``order`` is time (or None).
    """

    strata: Array
    groups: Array
    order: Array | None = None

    def take(self, rows: Array) -> Rows:
        """The same for some rows."""
        return Rows(self.strata[rows], self.groups[rows], None if self.order is None else self.order[rows])

    def __len__(self) -> int:
        return len(self.strata)


@dataclass(frozen=True)
class Fold:
    """Rows to learn from and rows to check on."""

    train: Array
    valid: Array


def test_share(rows: int) -> float:
    """The share of rows locked away: a quarter of small tables, a fifth of others, at most 100,000 rows."""
    return 0.25 if rows < 10_000 else min(0.2, LARGEST_TEST / rows)


def lock_test(rows: Rows, seed: int) -> Fold:
    """Training rows and the locked test part."""
    share = test_share(len(rows))
    if rows.order is not None:
        return _by_time(rows.order, 1 - share)
    parts = _deal(rows, max(round(1 / share), 2), np.random.default_rng([seed, 1]))
    return Fold(np.flatnonzero(parts != 0), np.flatnonzero(parts == 0))


def folds_for(rows: int) -> tuple[int, int]:
    """Folds and repeats for so many training rows: 5 to 20,000, 3 to 100,000, one holdout above; twice below 1,000."""
    if rows < 1000:
        return 5, 2
    if rows <= 20_000:
        return 5, 1
    return (3, 1) if rows <= 100_000 else (1, 1)


def cross_folds(rows: Rows, folds: int, repeats: int, seed: int) -> list[Fold]:
    """Folds of the training rows; in order of time each fold is checked on rows later than it learned from."""
    if rows.order is not None:
        cuts = [0.8] if folds == 1 else list(np.linspace(0.4, 1.0, folds + 1)[:-1])
        ends = [1.0] if folds == 1 else list(np.linspace(0.4, 1.0, folds + 1)[1:])
        made = [_by_time(rows.order, cut, end) for cut, end in zip(cuts, ends, strict=True)]
        return [f for f in made if len(f.train) and len(f.valid)] or [_by_time(rows.order, 0.7)]
    made = []
    for repeat in range(repeats):
        parts = _deal(rows, 5 if folds == 1 else folds, np.random.default_rng([seed, 2, repeat]))
        made += [Fold(np.flatnonzero(parts != k), np.flatnonzero(parts == k)) for k in range(folds)]
    return made


def sample_rows(rows: Rows, wanted: int, seed: int) -> Array:
    """Row numbers of a random sample that keeps the shares of the classes and all rows of rare ones, in table order."""
    if wanted >= len(rows):
        return np.arange(len(rows))
    rng = np.random.default_rng([seed, 3])
    chosen = rng.permutation(len(rows))[:wanted]
    counts = np.bincount(rows.strata)
    rare = np.flatnonzero(counts[rows.strata] <= max(RAREST * 4, 1)) if len(counts) > 1 else np.empty(0, dtype=np.int64)
    return np.unique(np.concatenate([chosen, rare]))


def _deal(rows: Rows, parts: int, rng: np.random.Generator) -> Array:
    """A part for each row, -1 for rows that are always learned from; groups whole, strata spread evenly."""
    _, first, groups = np.unique(rows.groups, return_index=True, return_inverse=True)
    # In the order in which the groups come, so that the division does not depend on how they are numbered.
    order = np.argsort(first)
    first, groups = first[order], np.argsort(order)[groups]
    strata = rows.strata[first]
    shuffled = rng.permutation(len(first))
    by_stratum = shuffled[np.argsort(strata[shuffled], kind="stable")]
    dealt = np.empty(len(first), dtype=np.int64)
    dealt[by_stratum] = (np.arange(len(first)) + rng.integers(parts)) % parts
    counts = np.bincount(strata)
    if len(counts) > 1:
        dealt[counts[strata] < max(RAREST, parts)] = -1
    out: Array = dealt[groups]
    return out


def _by_time(order: Array, cut: float, end: float = 1.0) -> Fold:
    """Rows before and after a share of time; rows of the same moment stay on one side, rows without one are early."""
    known = np.where(np.isnan(order), -np.inf, order)
    ranked = np.sort(known)
    n = len(ranked)
    border = ranked[min(int(n * cut), n - 1)]
    last = ranked[min(int(n * end), n) - 1]
    if border == ranked[0]:
        later = ranked[ranked > border]
        border = later[0] if len(later) else border
    return Fold(np.flatnonzero(known < border), np.flatnonzero((known >= border) & (known <= last)))


def group_by_content(columns: Sequence[Array]) -> Array:
    """A number per row, equal for rows that are equal in all the columns (integer arrays of one length)."""
    if not columns:
        return np.empty(0, dtype=np.int64)
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    prime = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        for i, column in enumerate(columns):
            value = column.astype(np.uint64) + np.uint64(i + 1) * prime
            value ^= value >> np.uint64(30)
            value *= np.uint64(0xBF58476D1CE4E5B9)
            value ^= value >> np.uint64(27)
            mixed = (mixed ^ value) * np.uint64(0x94D049BB133111EB)
            mixed ^= mixed >> np.uint64(31)
    return np.unique(mixed, return_inverse=True)[1].astype(np.int64)
