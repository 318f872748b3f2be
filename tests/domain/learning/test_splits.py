"""Splits keep groups whole, classes in proportion and time in order."""

from __future__ import annotations

import numpy as np

from dapp_ext.domain.learning.splits import Rows, cross_folds, folds_for, group_by_content, lock_test, sample_rows
from dapp_ext.domain.learning.splits import test_share as share_of_test


def rows_of(n: int, classes: int = 2, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    return Rows(rng.integers(0, classes, n), np.arange(n))


def test_the_test_part_keeps_the_shares_of_the_classes() -> None:
    strata = np.r_[np.zeros(900, dtype=int), np.ones(100, dtype=int)]
    split = lock_test(Rows(strata, np.arange(1000)), 0)
    assert len(split.valid) == 250
    assert strata[split.valid].sum() == 25
    assert not set(split.train) & set(split.valid)


def test_groups_are_never_torn_apart() -> None:
    groups = np.random.default_rng(0).integers(0, 150, 600)
    rows = Rows(np.zeros(600, dtype=int), groups)
    split = lock_test(rows, 3)
    assert not set(groups[split.train]) & set(groups[split.valid])
    for fold in cross_folds(rows.take(split.train), 5, 2, 3):
        inside = groups[split.train]
        assert not set(inside[fold.train]) & set(inside[fold.valid])


def test_each_row_is_checked_once_per_repeat_and_rare_classes_never() -> None:
    strata = np.r_[np.zeros(200, dtype=int), np.full(3, 1)]
    folds = cross_folds(Rows(strata, np.arange(203)), 5, 1, 0)
    checked = np.concatenate([f.valid for f in folds])
    assert sorted(checked) == list(range(200))
    assert all(set(range(200, 203)) <= set(f.train) for f in folds)


def test_the_same_seed_splits_alike_and_another_does_not() -> None:
    rows = rows_of(500)
    assert (lock_test(rows, 1).valid == lock_test(rows, 1).valid).all()
    assert set(lock_test(rows, 1).valid) != set(lock_test(rows, 2).valid)


def test_by_time_the_latest_are_tested_and_equal_moments_stay_together() -> None:
    order = np.repeat(np.arange(100.0), 3)[np.random.default_rng(0).permutation(300)]
    order[7] = np.nan
    rows = Rows(np.zeros(300, dtype=int), np.arange(300), order)
    split = lock_test(rows, 0)
    assert np.nanmax(order[split.train]) < order[split.valid].min()
    assert 7 in split.train
    for fold in cross_folds(rows.take(split.train), 4, 1, 0):
        inside = order[split.train]
        assert np.nanmax(inside[fold.train]) < inside[fold.valid].min()


def test_folds_follow_the_number_of_rows() -> None:
    assert [folds_for(n) for n in (500, 5000, 50_000, 500_000)] == [(5, 2), (5, 1), (3, 1), (1, 1)]


def test_the_test_part_is_a_quarter_a_fifth_or_a_hundred_thousand_rows() -> None:
    assert [share_of_test(n) * n for n in (400, 20_000, 2_000_000)] == [100, 4000, 100_000]


def test_a_sample_keeps_rare_classes() -> None:
    strata = np.zeros(5000, dtype=int)
    strata[:6] = 1
    chosen = sample_rows(Rows(strata, np.arange(5000)), 500, 0)
    assert set(range(6)) <= set(chosen)
    assert 500 <= len(chosen) <= 506


def test_equal_content_is_one_group() -> None:
    a, b = np.array([1, 1, 2, 1]), np.array([5, 5, 5, 6])
    groups = group_by_content([a, b])
    assert groups[0] == groups[1]
    assert len(set(groups)) == 3
