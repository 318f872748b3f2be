"""Several fitted learners as one: a weighted mean of their outputs, chosen greedily (Caruana et al. 2004)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from dapp_ext.domain.learning.features import Encoded, TableEncoder
from dapp_ext.domain.learning.learners import Problem, outputs
from dapp_ext.domain.learning.metrics import Truth, better, score_of
from dapp_ext.domain.learning.search import Checked

Array = npt.NDArray[Any]
CANDIDATES, ROUNDS, MEMBERS = 12, 25, 5
GAIN = 0.002


class Blend(BaseEstimator):
    """The weighted mean of members, each a fitted preparation and a fitted learner; works on encoded rows.

    Parameters
    ----------
    members : list of (preparation, learner)
    weights : list of float
        They sum to 1.
    classes : int
        0 for regression.
    """

    def __init__(self, members: list[Any], weights: list[float], classes: int) -> None:
        self.members = members
        self.weights = weights
        self.classes = classes

    def outputs(self, X: Encoded) -> Array:
        """Probabilities (n, classes) or values (n,)."""
        parts = [member_outputs(step, model, X, self.classes) for step, model in self.members]
        return np.asarray(sum(w * part for w, part in zip(self.weights, parts, strict=True)))

    def predict_proba(self, X: Encoded) -> Array:
        """Probabilities, (n, classes)."""
        return self.outputs(X)

    def predict(self, X: Encoded) -> Array:
        """Values, or codes of the likeliest classes."""
        out = self.outputs(X)
        return np.asarray(out.argmax(axis=1)) if self.classes else out

    def __sklearn_is_fitted__(self) -> bool:
        return bool(self.members)


def member_outputs(step: Any, model: Any, X: Encoded, classes: int) -> Array:
    """What one preparation and learner say about encoded rows."""
    task: Any = "regression" if not classes else ("binary" if classes == 2 else "multiclass")
    return outputs(model, step.transform(X), Problem(task, classes, "", 1, 0))


def as_pipeline(encoder: TableEncoder, members: list[Any], weights: list[float], classes: int) -> Pipeline:
    """One scikit-learn pipeline from a table to predictions."""
    if len(members) == 1:
        step, model = members[0]
        return Pipeline([("table", encoder), ("prepare", step), ("learn", model)])
    return Pipeline([("table", encoder), ("learn", Blend(members, weights, classes))])


def pipeline_outputs(pipeline: Pipeline, X: Encoded, classes: int) -> Array:
    """What a pipeline says about rows that its first step has already encoded."""
    steps = pipeline.named_steps
    if "prepare" in steps:
        return member_outputs(steps["prepare"], steps["learn"], X, classes)
    out: Array = steps["learn"].outputs(X)
    return out


def choose_blend(checked: Sequence[Checked], y: Array, problem: Problem) -> tuple[list[Checked], list[float]] | None:
    """Members and weights of a blend that is clearly better in validation than the best single candidate, or None."""
    able = [c for c in checked if c.out is not None and c.trial.score is not None]
    if len(able) < 2:
        return None
    able.sort(key=lambda c: c.trial.number)
    rows = np.all([np.isfinite(c.out).all(axis=1) for c in able if c.out is not None], axis=0)
    if rows.sum() < 50:
        return None
    truth = y[rows]

    def score(out: Array) -> float:
        return score_of(problem.metric, Truth(problem.task, truth, out if problem.classes else out[:, 0]))

    outs = [np.asarray(c.out)[rows] for c in able]
    alone = [score(out) for out in outs]
    order = _best_first(alone, problem.metric)[:CANDIDATES]
    chosen, total, reached = [order[0]], outs[order[0]].copy(), alone[order[0]]
    for _ in range(ROUNDS):
        pool = order if len(set(chosen)) < MEMBERS else sorted(set(chosen), key=chosen.index)
        tried = [(score((total + outs[i]) / (len(chosen) + 1)), i) for i in pool]
        ranked = _best_first([t[0] for t in tried], problem.metric)
        value, i = tried[ranked[0]]
        if not better(problem.metric, value, reached):
            break
        chosen.append(i)
        total, reached = total + outs[i], value
    if len(set(chosen)) < 2 or abs(reached - alone[order[0]]) < GAIN * max(abs(alone[order[0]]), 1e-12):
        return None
    members = sorted(set(chosen), key=chosen.index)
    return [able[i] for i in members], [chosen.count(i) / len(chosen) for i in members]


def _best_first(values: list[float], metric: str) -> list[int]:
    indices = list(range(len(values)))
    from dapp_ext.domain.learning.measures import MEASURES

    sign = -1 if MEASURES[metric].greater_is_better else 1
    return sorted(indices, key=lambda i: (sign * values[i], i))
