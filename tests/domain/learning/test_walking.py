"""One row through a boosted pipeline without scikit-learn's own way: the same answers to the last bit, or none."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from dapp_ext.domain.learning.walking import FEW_ROWS, walk_of

Array = npt.NDArray[Any]


def rows(count: int = 600, *, gaps: bool = False) -> Array:
    rng = np.random.default_rng(2)
    X = np.column_stack([rng.normal(size=count), rng.integers(0, 9, count), 1e6 * rng.gamma(2.0, size=count), rng.choice([0.1, 0.3], count)])
    if gaps:
        X[rng.random(X.shape) < 0.1] = np.nan
    return X


def target(X: Array, kind: str) -> Array:
    score = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1]) / 4
    return {"binary": np.where(score > 1, "b", "a"), "three": np.digitize(score, [0.5, 1.5]), "amount": 3 * score, "counts": np.exp(score / 2)}[kind]


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("kind", ["binary", "three", "amount", "counts"])
@pytest.mark.parametrize("scaled", [False, True])
def test_the_same_to_the_last_bit(kind: str, scaled: bool, gaps: bool) -> None:
    X = rows(gaps=gaps)
    given: dict[str, Any] = {"max_iter": 15, "max_leaf_nodes": 9, "random_state": 0}
    model = HistGradientBoostingClassifier(**given)
    if kind in ("amount", "counts"):
        model = HistGradientBoostingRegressor(**given, loss="poisson" if kind == "counts" else "squared_error")
    pipeline = make_pipeline(*([StandardScaler()] if scaled else []), model).fit(X, target(X, kind))
    walk = walk_of(pipeline, X.shape[1])
    assert walk is not None
    ask = getattr(pipeline, "predict_proba", None) or pipeline.predict
    odd = np.array([[np.nan] * 4, [3e38, -3e38, 0.0, -0.0], [1e-300, 2.0, np.nan, 0.1 + 0.2]])
    for some in (X[:1], X[7:20], odd, odd[1:2], rows(gaps=True)[:FEW_ROWS]):
        found = walk(some)
        assert found is not None
        np.testing.assert_array_equal(found, ask(some))
    assert walk(X) is None, "many rows go the usual way"


def test_other_steps_are_not_walked() -> None:
    X, plain = rows(), HistGradientBoostingClassifier(max_iter=3)
    y = target(X, "binary")
    assert walk_of(LogisticRegression().fit(X[:, :2], y), 2) is None
    assert walk_of(RandomForestRegressor(2).fit(X, X[:, 0]), 4) is None
    assert walk_of(make_pipeline(FunctionTransformer(), plain).fit(X, y), 4) is None
    assert walk_of(HistGradientBoostingClassifier(max_iter=3, categorical_features=[3]).fit(X, y), 4) is None


class Other(HistGradientBoostingClassifier):  # type: ignore[misc]
    """Answers otherwise than its trees say."""

    def predict_proba(self, X: Any) -> Array:
        return np.asarray(super().predict_proba(X)[:, ::-1])


def test_what_answers_otherwise_is_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    X = rows()
    fitted = Other(max_iter=3).fit(X, target(X, "binary"))
    assert walk_of(fitted, 4) is None, "a class of its own"
    plain = HistGradientBoostingClassifier(max_iter=3).fit(X, target(X, "binary"))
    assert walk_of(plain, 4) is not None
    monkeypatch.setattr(HistGradientBoostingClassifier, "predict_proba", lambda self, X: 1 - self._loss.predict_proba(self._raw_predict(X)))
    assert walk_of(plain, 4) is None, "it was checked against the pipeline itself"
