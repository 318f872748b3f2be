"""A few rows through the usual steps of a pipeline without scikit-learn's own way, which costs much more than the work itself.

scikit-learn asks each tree of a boosted model one after the other, and checks its input at every step: a millisecond or two
for one row. Here the trees stand in one set of arrays and all of them go down one level at a time. The sums are made in
scikit-learn's order, so the answers are the same to the last bit; a pipeline for which that does not hold on rows made
from its own thresholds is not walked at all.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

Array = npt.NDArray[Any]
Step = Callable[[Array], Array]
# Beyond so many rows scikit-learn's own loops are the quicker ones.
FEW_ROWS = 32
CHECKED_ROWS = 200


@dataclass(frozen=True)
class Trees:
    """Trees in one set of arrays: node numbers go through all of them; a leaf leads to itself."""

    feature: Array
    threshold: Array
    left: Array
    right: Array
    missing_left: Array
    value: Array
    roots: Array
    depth: int

    def sums(self, X: Array, start: Array) -> Array:
        """``start`` plus the leaves of (n, features) rows, summed tree by tree: (n, outputs)."""
        rows = np.arange(len(X))[:, None]
        node = np.repeat(self.roots[None, :], len(X), axis=0)
        gaps = bool(np.isnan(X).any())
        for _ in range(self.depth):
            values = X[rows, self.feature[node]]
            down = values <= self.threshold[node]
            if gaps:
                down |= np.isnan(values) & self.missing_left[node]
            node = np.where(down, self.left[node], self.right[node])
        leaves = self.value[node].reshape(len(X), -1, len(start))
        # A running sum adds one after the other; a plain sum would add in pairs.
        return np.concatenate([np.broadcast_to(start, (len(X), 1, len(start))), leaves], axis=1).cumsum(axis=1)[:, -1, :]


def walk_of(pipeline: Any, columns: int) -> Callable[[Array], Array | None] | None:
    """A function from (n, columns) numbers to what the pipeline answers, or ``None`` where it has steps of another kind.

    The function gives probabilities (n, classes) or values (n,); ``None`` for rows that it was not checked on.
    """
    steps = [step for _, step in pipeline.steps] if isinstance(pipeline, Pipeline) else [pipeline]
    try:
        ahead = [_scaling(step) for step in steps[:-1]]
        trees, answer = _boosting(steps[-1])
    except (TypeError, ValueError, AttributeError, KeyError, IndexError):
        return None
    walked = _chain([*ahead, answer])
    probes = _probes(trees, steps[:-1], columns)
    if probes is None:
        return None
    same = _same(pipeline, walked, probes)
    if not same:
        return None
    gaps = np.where(np.random.default_rng(1).random(probes.shape) < 0.2, np.nan, probes)
    takes_gaps = _same(pipeline, walked, gaps)

    def answers(X: Array) -> Array | None:
        if len(X) > FEW_ROWS or (not takes_gaps and np.isnan(X).any()):
            return None
        return walked(X)

    return answers


def _chain(steps: Sequence[Step]) -> Step:
    def walked(X: Array) -> Array:
        for step in steps:
            X = step(X)
        return X

    return walked


def _scaling(step: Any) -> Step:
    if type(step) is not StandardScaler:
        raise TypeError
    mean, scale = step.mean_ if step.with_mean else None, step.scale_ if step.with_std else None

    def scaled(X: Array) -> Array:
        X = X.copy()
        if mean is not None:
            X -= mean
        if scale is not None:
            X /= scale
        return X

    return scaled


def _boosting(model: Any) -> tuple[Trees, Step]:
    if type(model) not in (HistGradientBoostingClassifier, HistGradientBoostingRegressor):
        raise TypeError
    parts = [tree.nodes for each in model._predictors for tree in each]
    if any(part["is_categorical"].any() for part in parts):
        raise ValueError
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    nodes = np.concatenate(parts)
    offsets = np.repeat(starts, [len(part) for part in parts])
    own, leaf = np.arange(len(nodes)), nodes["is_leaf"].astype(bool)
    trees = Trees(
        feature=np.where(leaf, 0, nodes["feature_idx"]).astype(np.int64),
        threshold=np.where(leaf, np.inf, nodes["num_threshold"]).astype(np.float64),
        left=np.where(leaf, own, nodes["left"] + offsets),
        right=np.where(leaf, own, nodes["right"] + offsets),
        missing_left=leaf | nodes["missing_go_to_left"].astype(bool),
        value=nodes["value"].astype(np.float64),
        roots=starts,
        depth=max(int(part["depth"].max()) for part in parts),
    )
    base = np.asarray(model._baseline_prediction, dtype=np.float64).reshape(-1)
    loss = model._loss

    def answer(X: Array) -> Array:
        sums = np.asfortranarray(trees.sums(X, base))
        found = loss.predict_proba(sums) if isinstance(model, HistGradientBoostingClassifier) else loss.link.inverse(sums.ravel())
        return np.asarray(found, dtype=np.float64)

    return trees, answer


def _probes(trees: Trees, ahead: Sequence[Any], columns: int) -> Array | None:
    """Rows at and beside the thresholds of the trees, as they are before the steps ahead of them."""
    rng = np.random.default_rng(0)
    probes = rng.normal(size=(CHECKED_ROWS, columns))
    for column in range(columns):
        at = trees.threshold[(trees.feature == column) & np.isfinite(trees.threshold)]
        if len(at):
            drawn = rng.choice(at, CHECKED_ROWS)
            probes[:, column] = np.where(rng.random(CHECKED_ROWS) < 0.5, drawn, np.nextafter(drawn, np.inf))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for step in reversed(ahead):
            probes = step.inverse_transform(probes)
    return probes if np.isfinite(probes).all() else None


def _same(pipeline: Any, walked: Step, X: Array) -> bool:
    """Whether both answer the same to the last bit, all rows together and each alone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about names of features, which an array has not
            ask = pipeline.predict_proba if hasattr(pipeline, "predict_proba") else pipeline.predict
            expected = np.asarray(ask(X), dtype=np.float64)
            alone = np.asarray(ask(X[:1]), dtype=np.float64)
        together = [walked(X[start : start + FEW_ROWS]) for start in range(0, len(X), FEW_ROWS)]
        return np.array_equal(np.concatenate(together), expected) and np.array_equal(walked(X[:1]), alone)
    except (TypeError, ValueError, IndexError, AttributeError):
        return False
