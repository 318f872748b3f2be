"""Columns that give the target away: how well each one predicts it alone, cross-validated.

After DataRobot's target-leakage check: the Gini norm (2 AUC - 1) or R² of a single column, 0.85 warns, 0.975 alerts.
Each column is cut into bins (or its categories), the target's mean of each bin is learned on four fifths of the rows
and scored on the last fifth.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dapp_ext.domain.learning.clock import Allowance
from dapp_ext.domain.learning.features import Encoded, TableEncoder
from dapp_ext.domain.learning.guards import guard, name_list
from dapp_ext.domain.learning.metrics import Truth, score_of
from dapp_ext.domain.learning.targets import Target
from dapp_ext.schema.models import Guard

Array = npt.NDArray[Any]
ALERT, WARNING = 0.975, 0.85
BINS, FOLDS, SMOOTHING = 200, 5, 1.0


def single_column_scores(encoder: TableEncoder, X: Encoded, target: Target, y: Array, allowance: Allowance) -> dict[str, float]:
    """How well each column alone predicts the target: Gini norm for classes (of the easiest class), R² for numbers.

    Parameters
    ----------
    X, y
        A sample of the rows and their target.
    """
    goals = _goals(target, y)
    part = np.random.default_rng(12345).permutation(len(y)) % FOLDS
    found: dict[str, float] = {}
    for name, place in encoder.places.items():
        if allowance.over():
            break
        if place.array == "texts":
            found[name] = 0.0
            continue
        values = X.numbers[:, place.columns] if place.array == "numbers" else X.codes[:, place.columns]
        codes = [_binned(values[:, i]) if place.array == "numbers" else values[:, i].astype(np.int64) + 2 for i in range(values.shape[1])]
        found[name] = max((_score(c, goal, part, target) for c in codes for goal in goals), default=0.0)
        if target.task == "regression" and place.array == "numbers":
            found[name] = max(found[name], *(_straight(values[:, i], y) for i in range(values.shape[1])))
    return found


def _goals(target: Target, y: Array) -> list[Array]:
    if target.task != "multiclass":
        return [y.astype(np.float64)]
    counts = np.bincount(y, minlength=len(target.labels))
    common = np.argsort(-counts)[:6]
    return [(y == k).astype(np.float64) for k in common if counts[k] >= 2 * FOLDS]


def _binned(values: Array) -> Array:
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(values), dtype=np.int64)
    distinct = np.unique(known)
    edges = distinct if len(distinct) <= BINS else np.unique(np.quantile(known, np.linspace(0, 1, min(BINS, max(len(known) // 10, 10)) + 1)[1:-1]))
    codes = np.searchsorted(edges, np.nan_to_num(values), side="left") + 1
    codes[np.isnan(values)] = 0
    return np.asarray(codes, dtype=np.int64)


def _score(codes: Array, goal: Array, part: Array, target: Target) -> float:
    width = int(codes.max()) + 1
    predicted = np.empty(len(goal))
    counts_all = np.bincount(codes, minlength=width).astype(np.float64)
    sums_all = np.bincount(codes, weights=goal, minlength=width)
    for k in range(FOLDS):
        held = part == k
        counts = counts_all - np.bincount(codes[held], minlength=width)
        sums = sums_all - np.bincount(codes[held], weights=goal[held], minlength=width)
        mean = sums.sum() / max(counts.sum(), 1.0)
        predicted[held] = ((sums + SMOOTHING * mean) / (counts + SMOOTHING))[codes[held]]
    if target.task == "regression":
        return score_of("r2", Truth("regression", goal, predicted))
    auc = score_of("roc_auc", Truth("binary", goal.astype(np.int64), np.column_stack([1 - predicted, predicted])))
    return abs(2 * auc - 1) if np.isfinite(auc) else 0.0


def _straight(values: Array, y: Array) -> float:
    known = ~np.isnan(values)
    if known.sum() < 30:
        return 0.0
    x = values[known].astype(np.float64)
    if x.std() == 0 or y[known].std() == 0:
        return 0.0
    return float(np.corrcoef(x, y[known])[0, 1] ** 2) * float(known.mean())


def check_leakage(scores: dict[str, float], columns: int, target: Target) -> list[Guard]:
    """One guard for columns that give the target away, one for columns that nearly do, or one that has passed.

    ``columns`` is how many there are; where time was too short to look at all of them, the sentence says so.
    """
    ranked = sorted(scores, key=lambda n: -scores[n])
    alerts = [n for n in ranked if scores[n] >= ALERT]
    warnings = [n for n in ranked if WARNING <= scores[n] < ALERT]
    made = []
    if alerts:
        one = len(alerts) == 1
        sentence = (
            f"{name_list(alerts)} alone {'gives' if one else 'give'} “{target.name}” away almost completely. "
            f"If {'it is' if one else 'they are'} not known before the answer is, leave {'it' if one else 'them'} out: "
            "the model would look far better than it will be."
        )
        made.append(guard("leakage", "alerted", "alert", sentence, columns=alerts))
    if warnings:
        one = len(warnings) == 1
        sentence = (
            f"{name_list(warnings)} alone {'predicts' if one else 'predict'} “{target.name}” very well. "
            f"Make sure that {'it is' if one else 'they are'} known before the answer is."
        )
        made.append(guard("leakage", "alerted", "warning", sentence, columns=warnings))
    looked = "" if len(scores) >= columns else f" ({len(scores):,} of {columns:,} columns could be looked at in the time)"
    return made or [guard("leakage", "passed", "info", f"No single column gives “{target.name}” away{looked}.")]
