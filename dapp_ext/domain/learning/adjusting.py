"""Learners whose answers are put right afterwards: amounts learned on a log scale, and probabilities calibrated.

Amounts with a long tail (prices, counts) are often easier to learn as their logarithm; a factor brings the mean back
(after Duan's smearing, 1983). Probabilities of forests and neighbours are too shy or too sure: a power (temperature
scaling, Guo et al. 2017) and a pinch of the classes' shares put them right, both judged on rows held back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from dapp_ext.domain.learning.metrics import Truth, score_of

Array = npt.NDArray[Any]
POWERS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.12, 1.25, 1.4, 1.6, 1.8, 2.0, 2.4)
PINCHES = (0.0, 1e-4, 1e-3, 1e-2, 0.03)
GAIN, MOST_ROWS, FEWEST_ROWS = 0.005, 20_000, 200
FROM_SKEW = 1.0


class LogValues(BaseEstimator):
    """A learner of ``log(amount + offset)`` that answers with amounts.

    Parameters
    ----------
    model : estimator
    offset, factor : float
        Answers are ``exp(model's answer) * factor - offset``.
    low, high : float
        Bounds of the model's own answers, so that a line cannot run away.
    """

    def __init__(self, model: Any = None, offset: float = 0.0, factor: float = 1.0, low: float = -50.0, high: float = 50.0) -> None:
        self.model = model
        self.offset = offset
        self.factor = factor
        self.low = low
        self.high = high

    def predict(self, X: Any) -> Array:
        """Amounts."""
        return np.asarray(np.exp(np.clip(self.model.predict(X), self.low, self.high)) * self.factor - self.offset)

    def __sklearn_is_fitted__(self) -> bool:
        return self.model is not None


def long_tailed(y: Array) -> bool:
    """Whether amounts are never negative and have a long tail upwards."""
    if len(y) < 30 or y.min() < 0 or y.std() == 0:
        return False
    z = (y - y.mean()) / y.std()
    return bool((z**3).mean() > FROM_SKEW)


def log_offset(y: Array) -> float:
    """What is added before the logarithm: nothing where all amounts are far from zero."""
    middle = float(np.median(y[y > 0])) if (y > 0).any() else 1.0
    return 0.0 if y.min() > 0.001 * middle else 0.1 * middle


def log_values(model: Any, offset: float, known: tuple[Any, Array]) -> LogValues:
    """Wrap a learner of logarithms; ``known`` are rows with their amounts that tell the factor."""
    X, y = known
    logs = np.log(y + offset)
    spread = float(logs.max() - logs.min())
    made = LogValues(model, offset, 1.0, float(logs.min() - 0.1 * spread), float(logs.max() + 0.1 * spread))
    told = made.predict(X) + offset
    made.factor = float(np.clip((y + offset).sum() / max(told.sum(), 1e-12), 0.5, 2.0))
    return made


class Calibrated(BaseEstimator):
    """A classifier whose probabilities are raised to a power and mixed with a pinch of the classes' shares."""

    def __init__(self, model: Any = None, power: float = 1.0, pinch: float = 0.0, shares: list[float] | None = None) -> None:
        self.model = model
        self.power = power
        self.pinch = pinch
        self.shares = shares

    @property
    def classes_(self) -> Array:
        """Codes of the classes."""
        return np.asarray(self.model.classes_)

    def predict_proba(self, X: Any) -> Array:
        """Probabilities, (n, classes)."""
        shares = np.asarray(self.shares)[self.classes_.astype(np.int64)]
        return adjusted(np.asarray(self.model.predict_proba(X), dtype=np.float64), self.power, self.pinch, shares)

    def predict(self, X: Any) -> Array:
        """Codes of the likeliest classes."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def __sklearn_is_fitted__(self) -> bool:
        return self.model is not None


def adjusted(out: Array, power: float, pinch: float, shares: Array) -> Array:
    """Probabilities (n, classes) to a power and mixed with the shares."""
    raised = np.clip(out, 1e-12, 1.0) ** power
    return np.asarray((1 - pinch) * raised / raised.sum(axis=1, keepdims=True) + pinch * shares)


def find_calibration(out: Array, y: Array, shares: Array) -> tuple[float, float] | None:
    """The power and pinch that make rows held back clearly likelier, or None where the probabilities are good as they are."""
    if len(y) < FEWEST_ROWS:
        return None
    rows = np.random.default_rng(29).permutation(len(y))[:MOST_ROWS]
    out, y = out[rows], y[rows]
    task: Any = "binary" if out.shape[1] == 2 else "multiclass"

    def loss(power: float, pinch: float) -> float:
        return score_of("log_loss", Truth(task, y, adjusted(out, power, pinch, shares)))

    pinch = min(PINCHES, key=lambda p: loss(1.0, p))
    power = min(POWERS, key=lambda p: loss(p, pinch))
    pinch = min(PINCHES, key=lambda p: loss(power, p))
    return (power, pinch) if loss(power, pinch) < (1 - GAIN) * loss(1.0, 0.0) else None
