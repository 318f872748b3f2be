"""A small network of rectified units (scikit-learn's perceptron), taught with a falling rate inside a given time.

Beside trees it follows smooth curves; the mean of the folds' networks is what becomes the final model.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from dapp_ext.domain.learning.clock import Allowance
from dapp_ext.domain.learning.learners import Fitted, Material, Problem, outputs
from dapp_ext.domain.learning.metrics import Truth, score_of

Array = npt.NDArray[Any]
WARM_UP, LOOKED_AT = 0.1, 0.4
SMALLEST_BATCH, LARGEST_BATCH, STEPS = 16, 256, 20
FEWEST_EPOCHS = 10


@dataclass
class Best:
    """The weights that did best on the rows held back."""

    loss: float = np.inf
    weights: tuple[list[Array], list[Array]] | None = None


def fit_neural(material: Material, params: dict[str, Any], problem: Problem, allowance: Allowance) -> Fitted:
    """Teach a network for ``params["epochs"]`` rounds over the rows, or as many as the time holds."""
    # Small matrices: on a busy machine several threads would mostly wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        return _teach(material, params, problem, allowance)


def _teach(material: Material, params: dict[str, Any], problem: Problem, allowance: Allowance) -> Fitted:
    X = _single(material.X)
    middle, spread = (0.0, 1.0) if problem.classes else (float(material.y.mean()), float(material.y.std()) or 1.0)
    y = material.y if problem.classes else ((material.y - middle) / spread).astype(np.float32)
    model = _network(X.shape[0], params, problem)
    epochs, done, cut, best, began = int(params["epochs"]), 0, False, Best(), time.monotonic()
    while done < epochs:
        _set_rate(model, params["rate"] * _share(done / epochs))
        _epoch(model, X, y, problem)
        done += 1
        each = (time.monotonic() - began) / done
        if done == 1:
            epochs = allowance.settle(epochs, each, FEWEST_EPOCHS)
        if allowance.hopeless(each * (epochs - done)) or (allowance.over() and done < epochs):
            cut = True
            break
        if not allowance.whole:
            epochs = min(epochs, max(int(allowance.left() / each) + done, done + 1))
        if material.X_valid is not None and done >= LOOKED_AT * epochs:
            _look(model, (_single(material.X_valid), material.y_valid), (middle, spread), (problem, best))
    if best.weights is not None and not cut:
        model.coefs_, model.intercepts_ = best.weights
    settled = {"epochs": epochs} if allowance.whole and epochs < params["epochs"] else None
    return Fitted(_finished(model, middle, spread, problem), cut, settled=settled)


def _single(X: Any) -> Any:
    return X.astype(np.float32) if sp.issparse(X) else np.asarray(X, dtype=np.float32)


def _network(rows: int, params: dict[str, Any], problem: Problem) -> Any:
    kind = MLPClassifier if problem.classes else MLPRegressor
    batch = int(np.clip(rows // STEPS, SMALLEST_BATCH, LARGEST_BATCH))
    layers = (int(params["width"]),) * int(params["layers"])
    # Its own way of stopping is out of the way: one call teaches one epoch.
    return kind(hidden_layer_sizes=layers, alpha=params["decay"], batch_size=min(batch, rows), random_state=problem.seed, max_iter=1)


def _share(done: float) -> float:
    """The share of the largest rate: it rises at first, then falls along half a wave (Loshchilov and Hutter 2017)."""
    if done < WARM_UP:
        return 0.1 + 0.9 * done / WARM_UP
    return float(0.5 + 0.5 * np.cos(np.pi * (done - WARM_UP) / (1 - WARM_UP))) + 0.005


def _set_rate(model: Any, rate: float) -> None:
    if hasattr(model, "_optimizer"):
        model._optimizer.learning_rate_init = rate
    else:
        model.learning_rate_init = rate


def _epoch(model: Any, X: Any, y: Array, problem: Problem) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if problem.classes:
            model.partial_fit(X, y, classes=np.arange(problem.classes))
        else:
            model.partial_fit(X, y)


def _look(model: Any, held: tuple[Any, Any], scale: tuple[float, float], kept: tuple[Problem, Best]) -> None:
    """Keep the weights where they are the best so far on the rows held back."""
    (X, y), (middle, spread), (problem, best) = held, scale, kept
    out = outputs(model, X, problem)
    out = out if problem.classes else out * spread + middle
    loss = score_of("log_loss" if problem.classes else "rmse", Truth(problem.task, y, out))
    if loss < best.loss:
        best.loss, best.weights = loss, ([c.copy() for c in model.coefs_], [c.copy() for c in model.intercepts_])


def _finished(model: Any, middle: float, spread: float, problem: Problem) -> Any:
    """The network without what only teaching needs; its last layer speaks in the target's own units."""
    for name in ("_optimizer", "_random_state", "_best_coefs", "_best_intercepts"):
        if hasattr(model, name):
            delattr(model, name)
    if not problem.classes:
        model.coefs_[-1] = model.coefs_[-1].astype(np.float64) * spread
        model.intercepts_[-1] = model.intercepts_[-1].astype(np.float64) * spread + middle
    return model
