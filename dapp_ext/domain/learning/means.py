"""Categories as the mean of the target, cross-fitted (Micci-Barreca 2001; scikit-learn's TargetEncoder is the model).

Its own small class because scikit-learn's changed how its cross-fitting is asked for between the releases that we support.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

Array = npt.NDArray[Any]
FOLDS = 5
SMOOTHING = 10.0


class TargetMeans(TransformerMixin, BaseEstimator):
    """Codes (n, c) to smoothed means of the target, (n, c) or (n, c * classes) for more than two classes.

    The rows that it learns from get means of the other folds, so that no row sees its own target.

    Parameters
    ----------
    task : str
        binary, multiclass or regression.
    """

    def __init__(self, task: str = "binary", seed: int = 0) -> None:
        self.task = task
        self.seed = seed

    def fit(self, X: Array, y: Any = None) -> Self:
        """Learn the means."""
        goals = self._goals(y)
        self.overall_ = goals.mean(axis=0)
        self.tables_ = [_table(X[:, i], goals, int(X[:, i].max(initial=-1)) + 3) for i in range(X.shape[1])]
        return self

    def fit_transform(self, X: Array, y: Any = None, **_: Any) -> Array:
        """Learn the means and return them cross-fitted."""
        self.fit(X, y)
        goals = self._goals(y)
        part = np.random.default_rng([self.seed, 31]).permutation(len(X)) % FOLDS
        out = np.empty((len(X), X.shape[1] * goals.shape[1]), dtype=np.float32)
        for k in range(FOLDS):
            held = part == k
            for i, table in enumerate(self.tables_):
                place = slice(i * goals.shape[1], (i + 1) * goals.shape[1])
                out[held, place] = _table(X[~held, i], goals[~held], len(table))[X[held, i] + 2]
        return out

    def transform(self, X: Array) -> Array:
        """Means for other rows; categories never met get the overall mean."""
        blocks = []
        for i, table in enumerate(self.tables_):
            places = X[:, i] + 2
            known = places < len(table)
            blocks.append(np.where(known[:, None], table[np.where(known, places, 0)], self.overall_))
        return np.hstack(blocks).astype(np.float32)

    def _goals(self, y: Array) -> Array:
        if self.task != "multiclass":
            return np.asarray(y, dtype=np.float64)[:, None]
        if not hasattr(self, "classes_"):
            self.classes_ = np.unique(y)
        return (np.asarray(y)[:, None] == self.classes_).astype(np.float64)


def _table(codes: Array, goals: Array, width: int) -> Array:
    """Smoothed means by code + 2, as codes begin at -2."""
    places = codes + 2
    counts = np.bincount(places, minlength=width).astype(np.float64)[:, None]
    sums = np.column_stack([np.bincount(places, weights=goals[:, k], minlength=width) for k in range(goals.shape[1])])
    return np.asarray((sums + SMOOTHING * goals.mean(axis=0)) / (counts + SMOOTHING))
