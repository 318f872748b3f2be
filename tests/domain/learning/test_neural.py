"""The network follows curves, keeps to its time, speaks in the target's units and can be stored."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning import load_predictor
from dapp_ext.domain.learning.clock import Clock
from dapp_ext.domain.learning.learners import Material, Problem
from dapp_ext.domain.learning.neural import fit_neural
from tests.domain.learning.conftest import Notebook, results_of

PARAMS = {"layers": 2, "width": 32, "rate": 0.005, "decay": 1e-4, "epochs": 40, "bins": 0}


def curve(rows: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(4).uniform(-3, 3, size=(rows, 2))
    return X, 1000 + 50 * np.sin(X[:, 0]) * X[:, 1]


def test_a_curve_is_followed_in_its_own_units() -> None:
    X, y = curve()
    clock = Clock(60.0, lambda: False)
    fitted = fit_neural(Material(X[:800], y[:800], X[800:], y[800:]), PARAMS, Problem("regression", 0, "rmse", 1, 0), clock.allow(60.0))
    assert not fitted.cut
    error = np.sqrt(np.mean((fitted.model.predict(X[800:]) - y[800:]) ** 2))
    assert error < 0.35 * y.std()


@pytest.mark.parametrize("whole", [True, False])
def test_a_short_time_is_kept(whole: bool) -> None:
    X, y = curve(20_000)
    allowance = Clock(60.0, lambda: False).allow(0.3)
    allowance.whole = whole
    began = time.monotonic()
    fitted = fit_neural(Material(X, y), PARAMS | {"epochs": 5000}, Problem("regression", 0, "rmse", 1, 0), allowance)
    assert time.monotonic() - began < 5.0
    assert fitted.cut == whole or not whole
    assert np.isfinite(fitted.model.predict(X[:5])).all()


def test_it_is_a_family_that_can_be_asked_for_and_stored(quick: Any, people: pa.Table) -> None:
    watch = Notebook()
    trained = quick(people, "stays", watch, trials=1, families=["neural"], params={"neural": {"epochs": 15, "width": 16}})
    results = results_of(trained)
    assert results.best.family == "neural"
    assert results.best.label == "Neural network (2 layers of 16)"
    assert {s.name: s.value for s in results.scores}["roc_auc"] > 0.75
    again = load_predictor(trained.dump())
    assert again.predict(people)[0].equals(trained.predictor.predict(people)[0])
