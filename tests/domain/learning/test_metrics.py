"""Every metric agrees with scikit-learn's, with and without weights, and the intervals hold the truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as M

from dapp_ext.domain.learning.measures import MEASURES, measure, measures_of
from dapp_ext.domain.learning.metrics import Truth, score_of, scorer, scores
from dapp_ext.errors import Invalid

RNG = np.random.default_rng(0)
Y2, P2 = RNG.integers(0, 2, 400), np.round(RNG.random(400), 2)
OUT2 = np.column_stack([1 - P2, P2])
Y3, OUT3 = RNG.integers(0, 3, 400), RNG.dirichlet([1, 1, 1], 400)
YR = RNG.normal(size=400)
OUTR = YR + RNG.normal(size=400)
WEIGHTS = RNG.integers(0, 4, 400).astype(float)

BINARY: dict[str, Callable[[Any], float]] = {
    "log_loss": lambda w: M.log_loss(Y2, np.clip(OUT2, 1e-15, 1), sample_weight=w),
    "roc_auc": lambda w: M.roc_auc_score(Y2, P2, sample_weight=w),
    "average_precision": lambda w: M.average_precision_score(Y2, P2, sample_weight=w),
    "accuracy": lambda w: M.accuracy_score(Y2, OUT2.argmax(1), sample_weight=w),
    "balanced_accuracy": lambda w: M.balanced_accuracy_score(Y2, OUT2.argmax(1), sample_weight=w),
    "f1": lambda w: M.f1_score(Y2, OUT2.argmax(1), sample_weight=w),
}
MULTICLASS: dict[str, Callable[[Any], float]] = {
    "log_loss": lambda w: M.log_loss(Y3, OUT3, sample_weight=w),
    "accuracy": lambda w: M.accuracy_score(Y3, OUT3.argmax(1), sample_weight=w),
    "balanced_accuracy": lambda w: M.balanced_accuracy_score(Y3, OUT3.argmax(1), sample_weight=w),
    "macro_f1": lambda w: M.f1_score(Y3, OUT3.argmax(1), average="macro", sample_weight=w),
}
REGRESSION: dict[str, Callable[[Any], float]] = {
    "rmse": lambda w: M.mean_squared_error(YR, OUTR, sample_weight=w) ** 0.5,
    "mae": lambda w: M.mean_absolute_error(YR, OUTR, sample_weight=w),
    "r2": lambda w: M.r2_score(YR, OUTR, sample_weight=w),
}
CASES = [(Truth("binary", Y2, OUT2), BINARY), (Truth("multiclass", Y3, OUT3), MULTICLASS), (Truth("regression", YR, OUTR), REGRESSION)]


@pytest.mark.parametrize(("truth", "known"), CASES, ids=["binary", "multiclass", "regression"])
def test_values_agree_with_scikit_learn(truth: Truth, known: dict[str, Callable[[Any], float]]) -> None:
    assert {m.name for m in measures_of(truth.task)} == set(known)
    for name, of in known.items():
        assert score_of(name, truth) == pytest.approx(of(None), abs=1e-9), name
        assert scorer(name, truth)(WEIGHTS) == pytest.approx(of(WEIGHTS), abs=1e-9), name


def test_intervals_hold_the_value_and_shrink_with_rows() -> None:
    few = {s.name: s for s in scores(Truth("regression", YR[:50], OUTR[:50]), np.array([0.0]), 0)}
    many = {s.name: s for s in scores(Truth("regression", YR, OUTR), np.array([0.0]), 0)}
    for name in few:
        assert few[name].low <= few[name].value <= few[name].high
        assert many[name].high - many[name].low < few[name].high - few[name].low


def test_an_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        errors = rng.normal(size=200)
        made = {s.name: s for s in scores(Truth("regression", errors, np.zeros(200)), np.array([0.0]), seed)}
        covered += made["mae"].low <= np.sqrt(2 / np.pi) <= made["mae"].high
    assert covered >= 43


def test_the_baseline_is_what_guessing_reaches() -> None:
    share = Y2.mean()
    made = {s.name: s for s in scores(Truth("binary", Y2, OUT2), np.array([1 - share, share]), 0)}
    assert made["roc_auc"].baseline == 0.5
    assert made["average_precision"].baseline == pytest.approx(share)
    assert made["log_loss"].baseline == pytest.approx(M.log_loss(Y2, np.full(400, share)))


def test_metrics_are_for_their_tasks() -> None:
    assert measure(None, "binary").name == measure(None, "multiclass").name == "log_loss"
    assert measure(None, "regression").name == "rmse"
    with pytest.raises(Invalid, match="choose one of: log_loss"):
        measure("f1", "multiclass")
    assert not MEASURES["rmse"].greater_is_better


def test_the_interval_of_a_small_test_part_knows_of_bad_misses_in_validation() -> None:
    out = np.tile([0.1, 0.9], (60, 1))
    y = np.ones(60, dtype=np.int64)
    missed = np.concatenate([np.ones(290, dtype=np.int64), np.zeros(10, dtype=np.int64)])
    alone = scores(Truth("binary", y, out), np.asarray([0.5, 0.5]), 0)[0]
    knowing = scores(Truth("binary", y, out), np.asarray([0.5, 0.5]), 0, Truth("binary", missed, np.tile([0.1, 0.9], (300, 1))))[0]
    assert (alone.name, alone.high) == ("log_loss", pytest.approx(-np.log(0.9)))
    assert knowing.value == alone.value
    assert knowing.high > alone.high + 0.05
