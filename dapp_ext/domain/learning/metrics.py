"""Metrics on weighted rows, their 95 % bootstrap intervals and what guessing reaches.

All functions take row weights so that a bootstrap resample is a vector of counts: nothing is sorted twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dapp_ext.domain.learning.measures import MEASURES, Measure, measures_of
from dapp_ext.schema.models import Score, Task

Array = npt.NDArray[Any]
RESAMPLES = 500
RESAMPLED_ROWS = 1e7
SMALL_TEST = 5000
TINY = 1e-15
Scorer = Callable[[Array], float]


@dataclass(frozen=True)
class Truth:
    """True values and predictions of some rows: codes with probabilities (n, classes), or values with values."""

    task: Task
    y: Array
    out: Array


def scorer(name: str, truth: Truth) -> Scorer:
    """A function from row weights (n,) to the metric; what does not depend on the weights is computed once."""
    if truth.task == "regression":
        return _regression_scorer(name, truth)
    if name == "log_loss":
        return _mean_of(-np.log(np.clip(_normal(truth.out)[np.arange(len(truth.y)), truth.y], TINY, 1.0)))
    if name == "roc_auc":
        return _roc_auc(truth.y, truth.out[:, 1])
    if name == "average_precision":
        return _average_precision(truth.y, truth.out[:, 1])
    return _of_confusion(name, truth.y, truth.out.argmax(axis=1), truth.out.shape[1])


def score_of(name: str, truth: Truth) -> float:
    """The metric on all rows alike."""
    return scorer(name, truth)(np.ones(len(truth.y)))


def _normal(out: Array) -> Array:
    total = out.sum(axis=1, keepdims=True)
    return np.asarray(out / np.where(total > 0, total, 1.0))


def _mean_of(values: Array) -> Scorer:
    return lambda w: float(w @ values / w.sum())


def _regression_scorer(name: str, truth: Truth) -> Scorer:
    errors = truth.y - truth.out
    squares = errors**2
    if name == "mae":
        return _mean_of(np.abs(errors))
    if name == "rmse":
        return lambda w: float(np.sqrt(w @ squares / w.sum()))

    def r2(w: Array) -> float:
        mean = w @ truth.y / w.sum()
        total = float(w @ (truth.y - mean) ** 2)
        return 1.0 - float(w @ squares) / total if total > 0 else 0.0

    return r2


def _sorted_by(score: Array) -> tuple[Array, Array]:
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    return order, ends


def _roc_auc(y: Array, score: Array) -> Scorer:
    order, ends = _sorted_by(score)
    hit = y[order] == 1

    def auc(w: Array) -> float:
        ranked = w[order]
        positive = np.concatenate([[0.0], np.cumsum(ranked * hit)[ends]])
        negative = np.concatenate([[0.0], np.cumsum(ranked * ~hit)[ends]])
        if positive[-1] == 0 or negative[-1] == 0:
            return float("nan")
        area = np.sum(np.diff(negative) * (positive[1:] + positive[:-1]) / 2)
        return float(area / (positive[-1] * negative[-1]))

    return auc


def _average_precision(y: Array, score: Array) -> Scorer:
    order, ends = _sorted_by(score)
    hit = y[order] == 1

    def precision(w: Array) -> float:
        ranked = w[order]
        positive = np.cumsum(ranked * hit)[ends]
        named = np.cumsum(ranked)[ends]
        if positive[-1] == 0:
            return float("nan")
        share = positive / np.maximum(named, TINY)
        return float(np.sum(np.diff(np.concatenate([[0.0], positive])) * share) / positive[-1])

    return precision


def _of_confusion(name: str, y: Array, named: Array, classes: int) -> Scorer:
    cells = y * classes + named

    def value(w: Array) -> float:
        counts = np.bincount(cells, weights=w, minlength=classes * classes).reshape(classes, classes)
        return from_confusion(name, counts)

    return value


def from_confusion(name: str, counts: Array) -> float:
    """Accuracy, balanced accuracy, F1 of the last of two classes or macro F1, from counts (true, predicted)."""
    right, true, named = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    if name == "accuracy":
        return float(right.sum() / max(counts.sum(), TINY))
    if name == "balanced_accuracy":
        return float(np.mean(right[true > 0] / true[true > 0]))
    f1 = 2 * right / np.maximum(true + named, TINY)
    return float(f1[1]) if name == "f1" else float(np.mean(f1[(true + named) > 0]))


def scores(truth: Truth, guess: Array, seed: int, pool: Truth | None = None) -> list[Score]:
    """All metrics of the task with percentile bootstrap intervals (Efron 1979) and the value that ``guess`` reaches.

    ``guess`` is one row of outputs that does not depend on the features: class shares (classes,) or the mean (1,).
    ``pool`` are validated rows of the same model: a small test part may lack the rare bad miss that they hold, so the
    interval also covers what test parts of this size, drawn from both, would score.
    """
    n = len(truth.y)
    flat = np.tile(guess, (n, 1)) if truth.task != "regression" else np.full(n, float(guess[0]))
    facts = measures_of(truth.task)
    measured = [scorer(f.name, truth) for f in facts]
    rng = np.random.default_rng([seed, 9])
    drawn = _draw(measured, (n, n), rng)
    wider = np.empty((0, len(facts)))
    if pool is not None and n < SMALL_TEST:
        both = Truth(truth.task, np.concatenate([truth.y, pool.y]), np.concatenate([truth.out, pool.out]))
        wider = _draw([scorer(f.name, both) for f in facts], (len(both.y), n), rng)
    return [
        _score(f, of(np.ones(n)), (drawn[:, i], wider[:, i]), score_of(f.name, Truth(truth.task, truth.y, flat)))
        for i, (f, of) in enumerate(zip(facts, measured, strict=True))
    ]


def _draw(measured: list[Scorer], sizes: tuple[int, int], rng: np.random.Generator) -> Array:
    """Scores of resamples, (resamples, metrics): so many rows drawn from so many."""
    rows, wanted = sizes
    drawn = np.empty((int(np.clip(RESAMPLED_ROWS / max(rows, 1), 50, RESAMPLES)), len(measured)))
    for row in drawn:
        weights = np.bincount(rng.integers(0, rows, wanted), minlength=rows).astype(np.float64)
        row[:] = [of(weights) for of in measured]
    return drawn


def _score(facts: Measure, value: float, samples: tuple[Array, ...], baseline: float) -> Score:
    ends = [np.quantile(known, [0.025, 0.975]) for drawn in samples if len(known := drawn[np.isfinite(drawn)])]
    low, high = (min(e[0] for e in ends), max(e[1] for e in ends)) if ends else (value, value)
    return Score(
        name=facts.name,
        label=facts.label,
        value=_finite(value),
        low=_finite(min(low, value)),
        high=_finite(max(high, value)),
        baseline=_finite(baseline),
        greater_is_better=facts.greater_is_better,
    )


def _finite(value: Any) -> float:
    return float(value) if np.isfinite(value) else 0.0


def better(name: str, one: float, other: float) -> bool:
    """Whether the first value of a metric is better than the second."""
    return one > other if MEASURES[name].greater_is_better else one < other
