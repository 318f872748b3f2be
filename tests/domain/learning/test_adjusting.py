"""Amounts learned as logarithms come back as amounts; probabilities are put right where rows held back say so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression

from dapp_ext.domain.learning import load_predictor
from dapp_ext.domain.learning.adjusting import adjusted, find_calibration, log_offset, log_values, long_tailed
from dapp_ext.domain.learning.metrics import Truth, score_of
from tests.domain.learning.conftest import Notebook, results_of


def test_a_long_tail_is_told_from_an_even_spread() -> None:
    rng = np.random.default_rng(0)
    assert long_tailed(rng.lognormal(size=1000))
    assert not long_tailed(rng.normal(100, 10, 1000))
    assert not long_tailed(rng.lognormal(size=1000) - 1), "amounts below zero have no logarithm"
    assert not long_tailed(np.ones(100))


def test_logarithms_come_back_as_amounts_with_the_right_mean() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4000, 1))
    y = np.exp(1 + x[:, 0] + rng.normal(size=4000))
    offset = log_offset(y)
    model = log_values(LinearRegression().fit(x, np.log(y + offset)), offset, (x, y))
    assert model.predict(x).mean() == pytest.approx(y.mean(), rel=1e-6)
    assert model.factor == pytest.approx(np.exp(0.5), rel=0.15), "the mean of a lognormal lies above its median by this factor"
    assert np.isfinite(model.predict(np.array([[1e6], [-1e6]]))).all()
    assert log_offset(np.array([0.0, 1.0, 3.0])) == pytest.approx(0.2)


def test_probabilities_that_are_too_sure_are_softened() -> None:
    rng = np.random.default_rng(2)
    right = rng.dirichlet([1, 1, 1], 5000)
    y = np.array([rng.choice(3, p=p) for p in right])
    shares = np.bincount(y) / len(y)
    sure = adjusted(right, 2.0, 0.0, shares)
    found = find_calibration(sure, y, shares)
    assert found is not None
    assert found[0] == pytest.approx(0.5, abs=0.1)
    before, after = (score_of("log_loss", Truth("multiclass", y, out)) for out in (sure, adjusted(sure, *found, shares)))
    assert after < 0.95 * before
    assert find_calibration(right, y, shares) is None, "what is right stays as it is"
    assert find_calibration(sure[:50], y[:50], shares) is None, "few rows tell too little"


def test_a_calibrated_model_is_stored_and_answers_alike(quick: Any, people: pa.Table) -> None:
    watch = Notebook()
    trained = quick(people, "stays", watch, trials=1, families=["neighbours"], params={"neighbours": {"neighbours": 3}})
    assert "power" in watch.trials[0].params, "three neighbours are far too sure"
    again = load_predictor(trained.dump())
    assert again.predict(people)[0].equals(trained.predictor.predict(people)[0])
    assert results_of(trained).scores[0].value < 0.7


def test_a_line_of_logarithms_is_tried_for_amounts_with_a_tail(quick: Any) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(800, 3))
    table = pa.table({**{f"x{i}": X[:, i] for i in range(3)}, "price": np.exp(2 + X[:, 0] + 0.5 * X[:, 1] + 0.1 * rng.normal(size=800))})
    watch = Notebook()
    trained = quick(table, "price", watch, trials=2)
    scores = {t.params["log_target"]: t.score for t in watch.trials}
    assert scores[1] < 0.5 * scores[0]
    answers = trained.predictor.predict(table)[0]["prediction"].to_numpy()
    assert np.corrcoef(answers, table["price"].to_numpy())[0, 1] > 0.98
    assert load_predictor(trained.dump()).predict(table)[0].equals(trained.predictor.predict(table)[0])
