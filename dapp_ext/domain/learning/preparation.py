"""What is learned about columns before a learner sees them; fitted inside each fold, on its training rows only.

Trees get numbers as they are, categories as codes and texts as a few components; linear learners get medians for
missing values with a mark, scaled or binned numbers, one column per frequent category, and components of texts.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from dapp_ext.domain.learning.features import MISSING, UNSEEN, Encoded
from dapp_ext.domain.learning.means import TargetMeans

Array = npt.NDArray[Any]
MOST_NATIVE = 200
MOST_ONE_HOT = 60
FEWEST_OF_A_CATEGORY = 10
SPARSE_SHARE = 0.9
FAR = 3.0


def load_libraries(X: Encoded) -> None:
    """Load what the preparation of these rows needs; called by each thread before anything else.

    Libraries ask whether something is a frame of another one by looking at what is loaded, and stumble over one that
    another thread has loaded half.
    """
    if X.texts.shape[1]:
        import_module("skrub")


class TextComponents(TransformerMixin, BaseEstimator):
    """Free texts as components of their character n-grams (skrub's StringEncoder), one encoder per column."""

    def __init__(self, components: int = 12, seed: int = 0) -> None:
        self.components = components
        self.seed = seed

    def fit_transform(self, X: Array, y: Any = None, **_: Any) -> Array:
        """Learn from the texts (n, t) and return (n, t * components)."""
        del y
        self.encoders_: list[Any] = []
        return self._stack([self._fit_one(X[:, i]) for i in range(X.shape[1])], len(X))

    def fit(self, X: Array, y: Any = None) -> Self:
        """Learn from the texts."""
        self.fit_transform(X, y)
        return self

    def _fit_one(self, texts: Array) -> Array:
        import pandas as pd
        from skrub import StringEncoder

        encoder = StringEncoder(n_components=self.components, random_state=self.seed)
        out = encoder.fit_transform(pd.Series(texts, name="text", dtype="str"))
        self.encoders_.append(encoder)
        return np.asarray(out, dtype=np.float32)

    def transform(self, X: Array) -> Array:
        """Components of other texts."""
        import pandas as pd

        return self._stack(
            [np.asarray(e.transform(pd.Series(X[:, i], name="text", dtype="str")), dtype=np.float32) for i, e in enumerate(self.encoders_)], len(X)
        )

    def _stack(self, blocks: list[Array], rows: int) -> Array:
        return np.hstack(blocks) if blocks else np.empty((rows, 0), dtype=np.float32)


class TreePreparation(TransformerMixin, BaseEstimator):
    """Numbers, category codes and text components in one float32 array; ``categorical_`` are the columns of codes.

    Codes beyond the ``MOST_NATIVE`` most frequent count as one; columns with more values than that get a second column
    with the mean of the target, cross-fitted.
    """

    def __init__(self, task: str = "binary", fill: bool = False, components: int = 12, seed: int = 0) -> None:
        self.task = task
        self.fill = fill
        self.components = components
        self.seed = seed

    def fit_transform(self, X: Encoded, y: Any = None, **_: Any) -> Array:
        """Learn from the rows and return them prepared, cross-fitted where the target is used."""
        n, c = X.numbers.shape[1], X.codes.shape[1]
        self.many_ = [i for i in range(c) if int(X.codes[:, i].max(initial=-1)) >= MOST_NATIVE]
        self.natives_ = [_most_frequent(X.codes[:, i]) for i in self.many_]
        self.categorical_ = list(range(n, n + c))
        self.medians_ = _medians(X.numbers) if self.fill else None
        blocks = [self._numbers(X), self._codes(X)]
        self.means_: Any = None
        if self.many_:
            self.means_ = TargetMeans(self.task, self.seed)
            blocks.append(self.means_.fit_transform(X.codes[:, self.many_], y))
        self.texts_: Any = TextComponents(self.components, self.seed) if X.texts.shape[1] else None
        if self.texts_ is not None:
            blocks.append(self.texts_.fit_transform(X.texts))
        return np.hstack(blocks)

    def fit(self, X: Encoded, y: Any = None) -> Self:
        """Learn from the rows."""
        self.fit_transform(X, y)
        return self

    def transform(self, X: Encoded) -> Array:
        """Other rows, prepared."""
        blocks = [self._numbers(X), self._codes(X)]
        if self.means_ is not None:
            blocks.append(self.means_.transform(X.codes[:, self.many_]))
        if self.texts_ is not None:
            blocks.append(self.texts_.transform(X.texts))
        return np.hstack(blocks)

    def _numbers(self, X: Encoded) -> Array:
        return X.numbers if self.medians_ is None else np.where(np.isnan(X.numbers), self.medians_, X.numbers)

    def _codes(self, X: Encoded) -> Array:
        codes = X.codes.astype(np.float32)
        for i, renamed in zip(self.many_, self.natives_, strict=True):
            codes[:, i] = renamed[np.minimum(X.codes[:, i], len(renamed) - 3) + 2]
        codes[codes < 0] = -1.0 if self.fill else np.nan
        return codes


class LinearPreparation(TransformerMixin, BaseEstimator):
    """Everything as numbers of similar size, dense or sparse, whichever is smaller.

    Parameters
    ----------
    bins : int
        0 to use numbers as they are; else each number with enough different values also becomes that many bins of
        equal counts, which lets a linear learner follow curves.
    squash : bool
        Whether far values are drawn in smoothly (as Holzmüller et al. 2024 do for networks).
    """

    squash = False  # models that were stored before there was a choice

    def __init__(self, bins: int = 0, task: str = "binary", components: int = 24, seed: int = 0, squash: bool = False) -> None:
        self.bins = bins
        self.squash = squash
        self.task = task
        self.components = components
        self.seed = seed

    def fit_transform(self, X: Encoded, y: Any = None, **_: Any) -> Any:
        """Learn from the rows and return them prepared."""
        self.medians_ = _medians(X.numbers)
        self.marked_ = np.flatnonzero(np.isnan(X.numbers).any(axis=0))
        self.spreads_ = _spreads(X.numbers) if self.squash else None
        self.edges_ = [_edges(X.numbers[:, i], self.bins) for i in range(X.numbers.shape[1])] if self.bins else []
        filled = self._numbers(X)
        # Columns that are nearly always zero stay sparse: they are scaled but not moved.
        mostly_zero = (filled == 0).mean(axis=0) > SPARSE_SHARE if len(filled) else np.zeros(filled.shape[1], dtype=bool)
        self.sparse_, self.dense_ = np.flatnonzero(mostly_zero), np.flatnonzero(~mostly_zero)
        self.scaler_ = StandardScaler().fit(filled[:, self.dense_]) if len(self.dense_) else None
        self.sparse_scaler_ = StandardScaler(with_mean=False).fit(filled[:, self.sparse_]) if len(self.sparse_) else None
        blocks = self._scaled(filled)
        self.one_hot_: Any = None
        self.means_: Any = None
        if X.codes.shape[1]:
            self.one_hot_ = OneHotEncoder(
                handle_unknown="infrequent_if_exist", min_frequency=FEWEST_OF_A_CATEGORY, max_categories=MOST_ONE_HOT, dtype=np.float64
            )
            blocks.append(self.one_hot_.fit_transform(X.codes))
        self.many_ = [i for i in range(X.codes.shape[1]) if int(X.codes[:, i].max(initial=-1)) + 1 > MOST_ONE_HOT]
        if self.many_:
            self.means_ = TargetMeans(self.task, self.seed)
            self.means_scaler_ = StandardScaler()
            blocks.append(self.means_scaler_.fit_transform(self.means_.fit_transform(X.codes[:, self.many_], y).astype(np.float64)))
        self.texts_: Any = TextComponents(self.components, self.seed) if X.texts.shape[1] else None
        if self.texts_ is not None:
            self.text_scaler_ = StandardScaler()
            blocks.append(self.text_scaler_.fit_transform(self.texts_.fit_transform(X.texts).astype(np.float64)))
        return self._join(X, blocks)

    def fit(self, X: Encoded, y: Any = None) -> Self:
        """Learn from the rows."""
        self.fit_transform(X, y)
        return self

    def transform(self, X: Encoded) -> Any:
        """Other rows, prepared."""
        blocks = self._scaled(self._numbers(X))
        if self.one_hot_ is not None:
            blocks.append(self.one_hot_.transform(X.codes))
        if self.means_ is not None:
            blocks.append(self.means_scaler_.transform(self.means_.transform(X.codes[:, self.many_]).astype(np.float64)))
        if self.texts_ is not None:
            blocks.append(self.text_scaler_.transform(self.texts_.transform(X.texts).astype(np.float64)))
        return self._join(X, blocks)

    def _numbers(self, X: Encoded) -> Array:
        missing = np.isnan(X.numbers)
        filled = np.where(missing, self.medians_, X.numbers).astype(np.float64)
        if self.squash and self.spreads_ is not None:
            far = (filled - self.medians_) / self.spreads_
            filled = far / np.sqrt(1 + (far / FAR) ** 2)
        return np.hstack([filled, missing[:, self.marked_].astype(np.float64)])

    def _scaled(self, filled: Array) -> list[Any]:
        blocks: list[Any] = [self.scaler_.transform(filled[:, self.dense_])] if self.scaler_ is not None else []
        if self.sparse_scaler_ is not None:
            blocks.append(self.sparse_scaler_.transform(sp.csr_matrix(filled[:, self.sparse_])))
        return blocks

    def _join(self, X: Encoded, blocks: list[Any]) -> Any:
        for i, edges in enumerate(self.edges_):
            if len(edges):
                blocks.append(_one_hot(np.searchsorted(edges, np.nan_to_num(X.numbers[:, i], nan=float(self.medians_[i]))), len(edges) + 1))
        if not blocks:
            return np.zeros((len(X), 1))
        if any(sp.issparse(b) for b in blocks):
            joined = sp.hstack([sp.csr_matrix(b) for b in blocks], format="csr")
            return joined.toarray() if joined.nnz > 0.3 * joined.shape[0] * joined.shape[1] else joined
        return np.hstack(blocks)


def _most_frequent(codes: Array) -> Array:
    """New codes by old code + 2: the most frequent keep an own one, in their order; all others, and the last, share one."""
    counts = np.bincount(codes[codes >= 0], minlength=1)
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_NATIVE])
    renamed = np.full(len(counts) + 3, MOST_NATIVE, dtype=np.int32)
    renamed[0], renamed[1] = UNSEEN, MISSING
    renamed[kept + 2] = np.arange(len(kept))
    return renamed


def _medians(numbers: Array) -> Array:
    if not numbers.size:
        return np.zeros(numbers.shape[1], dtype=np.float32)
    empty = np.isnan(numbers).all(axis=0)
    safe = np.where(empty, np.float32(0), numbers)
    return np.asarray(np.nanmedian(safe, axis=0), dtype=np.float32)


def _spreads(numbers: Array) -> Array:
    """The middle half's width in units of a normal spread; where it has none, the whole spread."""
    if not numbers.size:
        return np.ones(numbers.shape[1])
    safe = np.where(np.isnan(numbers).all(axis=0), np.float32(0), numbers)
    low, high = np.nanquantile(safe, [0.25, 0.75], axis=0)
    middle, whole = (high - low) / 1.349, np.nanstd(safe.astype(np.float64), axis=0)
    return np.asarray(np.where(middle > 1e-6 * whole, middle, np.where(whole > 0, whole, 1.0)), dtype=np.float64)


def _edges(values: Array, bins: int) -> Array:
    known = values[~np.isnan(values)]
    if len(known) < 50:
        return np.empty(0)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
    return edges if len(edges) >= 3 else np.empty(0)


def _one_hot(codes: Array, width: int) -> sp.csr_matrix:
    rows = len(codes)
    return sp.csr_matrix((np.ones(rows), codes.astype(np.int32), np.arange(rows + 1, dtype=np.int32)), shape=(rows, width))
