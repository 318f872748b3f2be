"""What is learned about columns is learned from training rows only, and copes with what it has never met."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning.features import MISSING, UNSEEN, Encoded, TableEncoder, encode
from dapp_ext.domain.learning.means import TargetMeans
from dapp_ext.domain.learning.preparation import LinearPreparation, TreePreparation
from tests.domain.learning.conftest import columns_of


def encoded(rows: int, seed: int, categories: int = 5) -> Encoded:
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 3)).astype(np.float32)
    numbers[rng.random(rows) < 0.2, 1] = np.nan
    codes = rng.integers(MISSING, categories, (rows, 2)).astype(np.int32)
    return Encoded(numbers, codes, np.empty((rows, 0), dtype=object))


def test_categories_are_in_natural_order_and_strangers_are_told_apart_from_missing() -> None:
    codes, strangers = encode(pa.array(["b", None, "x"]), pa.array(["a", "b"]))
    assert codes.tolist() == [1, MISSING, UNSEEN]
    assert strangers == 1
    table = pa.table({"band": ["10-24", "1-9", "100+"] * 10})
    encoder = TableEncoder(columns_of(table)).fit(table)
    assert encoder.plan_[0]["values"] == ["1-9", "10-24", "100+"]


@pytest.mark.parametrize("step", [TreePreparation(), TreePreparation(fill=True), LinearPreparation(), LinearPreparation(bins=8)])
def test_other_rows_get_the_same_columns_and_nothing_infinite(step: Any) -> None:
    X, y = encoded(300, 0), np.random.default_rng(0).integers(0, 2, 300)
    ready = step.fit_transform(X, y)
    strange = encoded(20, 1)
    strange.codes[:] = UNSEEN
    strange.numbers[:] = np.nan
    other = step.transform(strange)
    assert other.shape[1] == ready.shape[1]
    dense = np.asarray(other.todense() if hasattr(other, "todense") else other)
    if not (isinstance(step, TreePreparation) and not step.fill):
        assert np.isfinite(dense).all()


def test_the_same_rows_prepared_again_are_the_same_for_linear_learners() -> None:
    X, y = encoded(300, 0), np.random.default_rng(0).integers(0, 2, 300)
    step = LinearPreparation(bins=8)
    first = step.fit_transform(X, y)
    again = step.transform(X)
    assert np.allclose(first.toarray(), again.toarray())


def test_target_means_do_not_tell_a_row_its_own_target() -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(400)[:, None].astype(np.int32)  # every row a category of its own
    y = rng.integers(0, 2, 400)
    means = TargetMeans("binary").fit_transform(codes, y)[:, 0]
    assert abs(np.corrcoef(means, y)[0, 1]) < 0.2
    useful = rng.integers(0, 4, (400, 1)).astype(np.int32)
    goal = (useful[:, 0] > 1).astype(int)
    assert np.corrcoef(TargetMeans("binary").fit_transform(useful, goal)[:, 0], goal)[0, 1] > 0.95


def test_many_categories_keep_the_frequent_ones_and_share_the_rest() -> None:
    rng = np.random.default_rng(0)
    codes = np.r_[np.full(500, 7), rng.integers(0, 600, 1500)].astype(np.int32)[:, None]
    X = Encoded(np.zeros((2000, 0), dtype=np.float32), codes, np.empty((2000, 0), dtype=object))
    step = TreePreparation()
    ready = step.fit_transform(X, rng.integers(0, 2, 2000))
    assert ready.shape == (2000, 2)
    assert len(np.unique(ready[:, 0])) == 201
    frequent = ready[codes[:, 0] == 7, 0]
    assert len(np.unique(frequent)) == 1
    assert (ready[codes[:, 0] != 7, 0] != frequent[0]).all()
    new = step.transform(Encoded(X.numbers[:1], np.array([[5000]], dtype=np.int32), X.texts[:1]))
    assert new[0, 0] == 200
