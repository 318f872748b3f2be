"""Evidence on the locked test part: what matters, where it errs, and how far its probabilities can be trusted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dapp_ext.domain.learning.clock import Allowance
from dapp_ext.domain.learning.features import Encoded, TableEncoder
from dapp_ext.domain.learning.measures import MEASURES
from dapp_ext.domain.learning.metrics import Truth, score_of
from dapp_ext.schema.models import Confusion, Curve, Importance, Scatter, Task

Array = npt.NDArray[Any]
SAMPLE, FEWEST, REPEATS = 1500, 200, 4
# So many columns are looked at even when the time is over: a picture of one or two would mislead.
SURELY = 12
CURVE_POINTS, SCATTER_POINTS = 200, 500
# What is asked in one question; the clock is looked at between two.
ROWS_AT_ONCE, CELLS_AT_ONCE = 6000, 1_500_000


@dataclass(frozen=True)
class Evidence:
    """Test rows with their truth, and the function that predicts encoded rows."""

    encoder: TableEncoder
    X: Encoded
    y: Array
    task: Task
    metric: str
    predict: Callable[[Encoded], Array]
    seed: int


def importances(evidence: Evidence, order: Sequence[str], allowance: Allowance) -> list[Importance]:
    """Permutation importance (Breiman 2001): how much worse the metric gets when a column is shuffled.

    Columns are taken in the given order, the first twelve in any case and others while time is left, so the likeliest ones are never missed; the most
    important comes first. Units are those of the metric; zero or less means that the column does not matter.
    """
    rng = np.random.default_rng([evidence.seed, 11])
    rows = np.sort(rng.permutation(len(evidence.y))[:SAMPLE])
    X, y = evidence.X.take(rows), evidence.y[rows]
    sign = 1.0 if MEASURES[evidence.metric].greater_is_better else -1.0
    began = time.monotonic()
    base = score_of(evidence.metric, Truth(evidence.task, y, evidence.predict(X)))
    # A slow model is asked about fewer rows, so that all columns get their turn.
    share = allowance.left() / max((time.monotonic() - began) * max(len(order), 1), 1e-9)
    if share < 1 and len(y) > FEWEST:
        few = rows[: max(int(len(y) * share), FEWEST)] if share > 0 else rows[:FEWEST]
        few = np.sort(rng.permutation(rows)[: len(few)])
        X, y = evidence.X.take(few), evidence.y[few]
        base = score_of(evidence.metric, Truth(evidence.task, y, evidence.predict(X)))
    shuffles = [np.random.default_rng([evidence.seed, 12, r]).permutation(len(y)) for r in range(REPEATS)]
    losses: dict[str, list[float]] = {}
    most = min(ROWS_AT_ONCE, CELLS_AT_ONCE // max(X.shape[1], 1))
    for shuffle in shuffles:
        for names in _chunks(order, max(most // max(len(y), 1), 1)):
            if len(losses) >= min(SURELY, len(order)) and allowance.over():
                break
            # Several columns in one question, since much of a small question's time is the asking.
            out = evidence.predict(Encoded.joined([_shuffled(evidence, X, name, shuffle) for name in names]))
            for i, name in enumerate(names):
                worse = score_of(evidence.metric, Truth(evidence.task, y, out[i * len(y) : (i + 1) * len(y)]))
                losses.setdefault(name, []).append(sign * (base - worse))
    made = [Importance(column=n, value=float(np.mean(v)), std=float(np.std(v))) for n, v in losses.items()]
    return sorted(made, key=lambda i: (-i.value, i.column))


def _chunks(order: Sequence[str], size: int) -> list[Sequence[str]]:
    return [order[i : i + size] for i in range(0, len(order), size)]


def _shuffled(evidence: Evidence, X: Encoded, name: str, shuffle: Array) -> Encoded:
    place = evidence.encoder.places[name]
    moved = getattr(X, place.array).copy()
    moved[:, place.columns] = moved[shuffle][:, place.columns]
    return replace(X, **{place.array: moved})


def confusion(truth: Truth, classes: list[str]) -> Confusion:
    """Counts of true by named classes."""
    k = len(classes)
    counts = np.bincount(truth.y * k + truth.out.argmax(axis=1), minlength=k * k).reshape(k, k)
    return Confusion(classes=classes, counts=counts.tolist())


def curves(truth: Truth, classes: list[str] | None) -> list[Curve]:
    """ROC, precision-recall and calibration for two classes; the same against the rest for up to six classes; residuals for numbers."""
    if truth.task == "regression":
        return [_residuals(truth)]
    names = classes or []
    common = [1] if truth.task == "binary" else list(np.argsort(-np.bincount(truth.y, minlength=len(names)))[:6])
    made: list[Curve] = []
    for k in common:
        hit = truth.y == k
        if hit.all() or not hit.any():
            continue
        score = truth.out[:, k]
        made += [_roc(hit, score, names[k]), _precision_recall(hit, score, names[k]), _calibration(hit, score, names[k]), _gain(hit, score, names[k])]
    return made


def scatter(truth: Truth, seed: int) -> Scatter:
    """Predicted against actual on a sample of the test rows."""
    rows = np.sort(np.random.default_rng([seed, 13]).permutation(len(truth.y))[:SCATTER_POINTS])
    return Scatter(actual=[float(v) for v in truth.y[rows]], predicted=[float(v) for v in truth.out[rows]])


def _thin(*lines: Array) -> list[list[float]]:
    n = len(lines[0])
    keep = np.unique(np.linspace(0, n - 1, min(n, CURVE_POINTS)).round().astype(int))
    return [[round(float(v), 6) for v in line[keep]] for line in lines]


def _ranked(hit: Array, score: Array) -> tuple[Array, Array]:
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    return np.cumsum(hit[order])[ends].astype(float), np.cumsum(~hit[order])[ends].astype(float)


def _roc(hit: Array, score: Array, name: str) -> Curve:
    right, wrong = _ranked(hit, score)
    x, y = _thin(np.append(0, wrong / wrong[-1]), np.append(0, right / right[-1]))
    return Curve(kind="roc", label=name, x=x, y=y, x_label=f"Share of the others named “{name}”", y_label=f"Share of “{name}” found")


def _precision_recall(hit: Array, score: Array, name: str) -> Curve:
    right, wrong = _ranked(hit, score)
    x, y = _thin(right / right[-1], right / (right + wrong))
    return Curve(kind="precision_recall", label=name, x=x, y=y, x_label=f"Share of “{name}” found", y_label=f"Share right of those named “{name}”")


def _gain(hit: Array, score: Array, name: str) -> Curve:
    right, wrong = _ranked(hit, score)
    x, y = _thin(np.append(0, (right + wrong) / len(hit)), np.append(0, right / right[-1]))
    return Curve(kind="gain", label=name, x=x, y=y, x_label="Share of the rows looked at, likeliest first", y_label=f"Share of “{name}” found")


def _calibration(hit: Array, score: Array, name: str) -> Curve:
    bins = int(np.clip(len(score) // 50, 3, 20))
    parts = np.array_split(np.argsort(score, kind="stable"), bins)
    x = [round(float(score[p].mean()), 6) for p in parts if len(p)]
    y = [round(float(hit[p].mean()), 6) for p in parts if len(p)]
    return Curve(kind="calibration", label=name, x=x, y=y, x_label=f"Probability that the model gives “{name}”", y_label=f"Share that is “{name}”")


def _residuals(truth: Truth) -> Curve:
    order = np.argsort(truth.out, kind="stable")
    parts = np.array_split(order, int(np.clip(len(order) // 25, 3, 40)))
    x = [float(truth.out[p].mean()) for p in parts if len(p)]
    y = [float((truth.y[p] - truth.out[p]).mean()) for p in parts if len(p)]
    return Curve(kind="residuals", label="Mean error", x=x, y=y, x_label="Predicted", y_label="Actual minus predicted, mean")
