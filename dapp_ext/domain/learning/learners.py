"""Fitting one learner inside a given time: boosted trees, forests and linear models.

Each ``fit_*`` checks the clock between rounds, trees or iterations and keeps what it has when the time is over.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from dapp_ext.domain.learning.clock import Allowance
from dapp_ext.errors import IntegrityFailed
from dapp_ext.schema.models import Task

Array = npt.NDArray[Any]
PATIENCE = 30
LARGEST_BAG = 120_000
MOST_NEIGHBOURS = 20_000
CELLS_FOR_ONE_THREAD = 200_000
ROWS_FOR_ONE_THREAD = 256
# What is kept in any case makes at least so many rounds, where that takes no longer than this beyond its time.
FEWEST_ROUNDS, GRACE_SECONDS = 10, 1.5
BATCH_SECONDS = 0.7
FEWEST_TREES = 30
# Rounds times rate after which boosting usually has learned most of what there is, and the largest rate that still learns well.
LEARNED_WELL, LARGEST_RATE = 8.0, 0.3


@dataclass(frozen=True)
class Problem:
    """What is learned: the task, the number of classes (0 for regression), the metric, threads, seed, and whether amounts have a long tail."""

    task: Task
    classes: int
    metric: str
    threads: int
    seed: int
    tailed: bool = False


@dataclass
class Material:
    """Prepared rows to learn from, and rows to stop at when boosting; ``memo`` keeps what is worth keeping between fits."""

    X: Any
    y: Array
    X_valid: Any = None
    y_valid: Array | None = None
    categorical: list[int] | None = None
    memo: dict[str, Any] | None = None


@dataclass(frozen=True)
class Fitted:
    """A fitted learner, whether the clock cut it short, how many rounds were best (boosting), and what time changed:
    the rate (boosting), or the trees or epochs that it settled for."""

    model: Any
    cut: bool = False
    rounds: int | None = None
    rate: float | None = None
    settled: dict[str, int] | None = None


class BoostedTrees(BaseEstimator):
    """LightGBM's trees, kept as LightGBM's own text so that the stored form is plain.

    Parameters
    ----------
    text : str
        ``Booster.model_to_string()``.
    classes : int
        0 for regression, 2 or more for classes.
    threads : int
        Threads used to predict.
    """

    def __init__(self, text: str = "", classes: int = 0, threads: int = 1) -> None:
        self.text = text
        self.classes = classes
        self.threads = threads
        self._booster: Any = None

    @classmethod
    def of(cls, booster: Any, classes: int, threads: int) -> BoostedTrees:
        """Wrap a trained booster; its text is made when it is first needed."""
        made = cls("", classes, threads)
        made._booster = booster
        return made

    @property
    def classes_(self) -> Array:
        """Codes of the classes."""
        return np.arange(self.classes)

    def booster(self) -> Any:
        """The booster, read from its text at first use."""
        if self._booster is None:
            import lightgbm

            if not self.text.startswith("tree\n") or "\nend of trees\n" not in self.text:
                raise IntegrityFailed("The stored trees are not complete. Train the model again or restore it from a backup.")
            self._booster = lightgbm.Booster(model_str=self.text)
        return self._booster

    def raw(self, X: Any) -> Array:
        """Probabilities or values as LightGBM returns them."""
        # Threads share the rows: a few are answered before a second thread has woken up, and each answer stays the same.
        threads = self.threads if X.shape[0] > ROWS_FOR_ONE_THREAD else 1
        return np.asarray(self.booster().predict(X, num_threads=threads, validate_features=False))

    def predict_proba(self, X: Any) -> Array:
        """Probabilities, (n, classes)."""
        out = self.raw(X)
        return np.column_stack([1 - out, out]) if self.classes == 2 else out

    def predict(self, X: Any) -> Array:
        """Values, or codes of the likeliest classes."""
        return np.asarray(self.predict_proba(X).argmax(axis=1)) if self.classes else self.raw(X)

    def __getstate__(self) -> dict[str, Any]:
        return {"text": self.text or self.booster().model_to_string(), "classes": self.classes, "threads": self.threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.text, self.classes, self.threads = str(state["text"]), int(state["classes"]), int(state["threads"])
        self._booster = None

    def __sklearn_is_fitted__(self) -> bool:
        return bool(self.text) or self._booster is not None


class _Brake:
    """LightGBM callback: ends when the validation loss has not got better for a while, or when time is over.

    Work that is kept even when it is cut short learns faster where the time cannot hold the rounds that its rate needs: a
    few large steps are worth more than many small ones that end half way.
    """

    order = 30
    before_iteration = False

    def __init__(self, allowance: Allowance, patience: int, rate: float) -> None:
        self.allowance = allowance
        self.patience = patience
        self.losses: list[float] = []
        self.rounds = 0
        self.cut = False
        self.rate = rate
        self.learned = 0.0
        self.began: float | None = None

    def __call__(self, env: Any) -> None:
        from lightgbm.callback import EarlyStopException

        self.rounds = env.iteration + 1
        self.learned += self.rate
        if env.evaluation_result_list:
            self.losses.append(float(env.evaluation_result_list[0][2]))
            if len(self.losses) - self.best() >= self.patience:
                raise EarlyStopException(env.iteration, env.evaluation_result_list)
        if self.allowance.over():
            if self._is_too_few():
                self.rate = LARGEST_RATE
                env.model.reset_parameter({"learning_rate": LARGEST_RATE})
                return
            self.cut = True
            raise EarlyStopException(env.iteration, env.evaluation_result_list or [])
        self._hurry(env)

    def _is_too_few(self) -> bool:
        """Whether the time alone has ended what is kept before it says anything: a few large steps more are soon made."""
        if self.allowance.whole or self.rounds >= FEWEST_ROUNDS or self.allowance.left() <= -GRACE_SECONDS:
            return False
        return not (self.allowance.clock.stopped() or self.allowance.clock.unwanted())

    def _hurry(self, env: Any) -> None:
        now = time.monotonic()
        if self.began is None:
            self.began = now  # the first round also builds the bins
            return
        if self.allowance.whole or (self.rounds > 5 and self.rounds % 5):
            return
        possible = self.allowance.left() / max((now - self.began) / (self.rounds - 1), 1e-6)
        needed = min((LEARNED_WELL - self.learned) / max(possible, 1.0), LARGEST_RATE)
        if needed > 1.2 * self.rate:
            self.rate = needed
            env.model.reset_parameter({"learning_rate": needed})

    def best(self) -> int:
        """The round with the lowest loss, from 1."""
        return int(np.argmin(self.losses)) + 1 if self.losses else self.rounds


def fit_boosted(material: Material, params: dict[str, Any], problem: Problem, allowance: Allowance) -> Fitted:
    """Boost trees with LightGBM (Ke et al. 2017); ``params["rounds"]`` is the limit."""
    import lightgbm

    settings = _boosting_settings(material, params, problem)
    memo = material.memo if material.memo is not None else {}
    key = "boosted-lines" if settings.get("linear_tree") else "boosted"
    if key not in memo:
        memo[key] = _datasets(material, settings)
    train, valid = memo[key]
    rate = float(params["learning_rate"])
    brake = _Brake(allowance, PATIENCE if rate >= 0.04 else 2 * PATIENCE, rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        booster = lightgbm.train(
            settings,
            train,
            num_boost_round=int(params["rounds"]),
            valid_sets=[valid] if valid is not None else None,
            callbacks=[brake],
            keep_training_booster=True,
        )
    best = max(brake.best(), 1)
    booster.best_iteration = best
    hurried = float(f"{brake.learned / brake.rounds:.3g}") if brake.rate != rate else None
    return Fitted(BoostedTrees.of(booster, problem.classes, problem.threads), brake.cut, best, hurried)


def _datasets(material: Material, settings: dict[str, Any]) -> tuple[Any, Any]:
    import lightgbm

    train = lightgbm.Dataset(material.X, material.y, categorical_feature=material.categorical or [], params=settings, free_raw_data=False)
    valid = None
    if material.X_valid is not None:
        valid = lightgbm.Dataset(material.X_valid, material.y_valid, reference=train, params=settings, free_raw_data=False)
    return train, valid


def _boosting_settings(material: Material, params: dict[str, Any], problem: Problem) -> dict[str, Any]:
    wide = material.X.shape[1] > 200
    objective = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}[problem.task]
    if problem.metric == "mae":
        objective = "regression_l1"
    settings = {
        "objective": objective,
        # Few cells are done sooner by one thread than several threads can be told of them.
        "num_threads": 1 if material.X.shape[0] * material.X.shape[1] < CELLS_FOR_ONE_THREAD else problem.threads,
        "seed": problem.seed,
        "verbosity": -1,
        "deterministic": True,
        "force_col_wise" if wide else "force_row_wise": True,
        "feature_pre_filter": False,
        "max_bin": 255,
        "bagging_freq": 1,
        "boost_from_average": True,
        "extra_trees": bool(params.get("random_cuts")),
        **{k: v for k, v in params.items() if k not in ("rounds", "random_cuts", "linear_leaves", "log_target")},
    }
    if params.get("linear_leaves") and objective != "regression_l1":
        settings |= {"linear_tree": True, "linear_lambda": 1.0}
    if problem.task == "multiclass":
        settings["num_class"] = problem.classes
    return settings


def fit_forest(material: Material, params: dict[str, Any], problem: Problem, allowance: Allowance) -> Fitted:
    """Grow a forest (Breiman 2001) or extremely randomised trees (Geurts et al. 2006), a few trees at a time."""
    extra = params["kind"] == "extra"
    if problem.task == "regression":
        cls = ExtraTreesRegressor if extra else RandomForestRegressor
    else:
        cls = ExtraTreesClassifier if extra else RandomForestClassifier
    rows = material.X.shape[0]
    forest = cls(
        n_estimators=1,
        min_samples_leaf=params["min_samples_leaf"],
        max_features=params["max_features"] if isinstance(params["max_features"], str) else float(params["max_features"]),
        bootstrap=not extra or rows > LARGEST_BAG,
        max_samples=LARGEST_BAG if rows > LARGEST_BAG else None,
        warm_start=True,
        n_jobs=problem.threads,
        random_state=problem.seed,
    )
    grown, cut, batch, began = 0, False, problem.threads, time.monotonic()
    wanted = params["trees"]
    while grown < wanted:
        # scikit-learn gives each tree its own seed by its place, so the forest does not depend on the batches.
        grown = min(grown + batch, wanted)
        forest.set_params(n_estimators=grown)
        started = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            forest.fit(material.X, material.y)
        batch = int(np.clip(batch * BATCH_SECONDS / max(time.monotonic() - started, 1e-3), 1, 4 * batch))
        each = (time.monotonic() - began) / grown
        wanted = max(allowance.settle(wanted, each, FEWEST_TREES), min(grown, wanted))
        if grown < wanted and (allowance.over() or allowance.hopeless(each * (wanted - grown))):
            cut = True
            break
    return Fitted(forest, cut, settled={"trees": wanted} if wanted < params["trees"] else None)


def fit_neighbours(material: Material, params: dict[str, Any], problem: Problem, allowance: Allowance) -> Fitted:
    """The nearest rows (Fix and Hodges 1951), of at most MOST_NEIGHBOURS rows, since each answer looks at all of them."""
    del allowance
    kind = KNeighborsClassifier if problem.classes else KNeighborsRegressor
    rows = np.arange(material.X.shape[0])
    if len(rows) > MOST_NEIGHBOURS:
        rows = np.sort(np.random.default_rng([problem.seed, 51]).permutation(rows)[:MOST_NEIGHBOURS])
    nearest = kind(min(params["neighbours"], len(rows)), weights=params["weights"], algorithm="brute", n_jobs=problem.threads)
    return Fitted(nearest.fit(material.X[rows], material.y[rows]))


def fit_linear(material: Material, params: dict[str, Any], problem: Problem, allowance: Allowance) -> Fitted:
    """Logistic regression (L-BFGS, some iterations at a time) or ridge regression."""
    if problem.task == "regression":
        solver = "sparse_cg" if sp.issparse(material.X) else "cholesky"
        ridge = Ridge(alpha=params["alpha"], solver=solver)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ridge.fit(material.X, material.y)
        return Fitted(ridge)
    step = int(np.clip(4e8 / max(_cells(material.X) * max(problem.classes - 1, 1), 1), 10, 300))
    model = LogisticRegression(C=params["C"], max_iter=step, warm_start=True)
    done, cut = 0, False
    while done < params["iterations"]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            model.fit(material.X, material.y)
        used = int(np.max(model.n_iter_))
        done += used
        if used < step:
            break
        if allowance.over():
            cut = True
            break
    return Fitted(model, cut)


def _cells(X: Any) -> int:
    return int(X.nnz) if sp.issparse(X) else int(X.shape[0] * X.shape[1])


def outputs(model: Any, X: Any, problem: Problem) -> Array:
    """Predictions as one array: probabilities (n, classes), with zeros for classes it never met, or values (n,)."""
    if not problem.classes:
        return np.asarray(model.predict(X), dtype=np.float64)
    found = np.asarray(model.predict_proba(X), dtype=np.float64)
    codes = np.asarray(model.classes_, dtype=np.int64)
    if len(codes) == problem.classes:
        return found
    out = np.zeros((found.shape[0], problem.classes))
    out[:, codes] = found
    return out
