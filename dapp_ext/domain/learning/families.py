"""The families of learners: their names for people, first settings, what a search may change, and how they are fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dapp_ext.domain.learning.adjusting import log_offset, log_values
from dapp_ext.domain.learning.clock import Allowance
from dapp_ext.domain.learning.learners import Fitted, Material, Problem, fit_boosted, fit_forest, fit_linear, fit_neighbours
from dapp_ext.domain.learning.neural import fit_neural
from dapp_ext.domain.learning.preparation import LinearPreparation, TreePreparation
from dapp_ext.errors import Invalid
from dapp_ext.schema.models import Family

Params = dict[str, Any]
FACTOR_ROWS = 5000
HELD_FROM = 0.1
MOST = {"layers": 8, "width": 4096, "epochs": 10_000}


@dataclass(frozen=True)
class Shape:
    """What first settings depend on: rows to learn from and columns."""

    rows: int
    columns: int


@dataclass(frozen=True)
class Knob:
    """One hyperparameter: the range (and whether on a log scale) or the choices that a search tries."""

    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()

    def draw(self, rng: np.random.Generator) -> Any:
        """A random value."""
        if self.choices:
            return self.choices[int(rng.integers(len(self.choices)))]
        value = float(np.exp(rng.uniform(np.log(self.low), np.log(self.high)))) if self.log else float(rng.uniform(self.low, self.high))
        return self._tidy(value)

    def near(self, value: Any, rng: np.random.Generator) -> Any:
        """A value not far from this one."""
        if self.choices:
            return self.draw(rng) if rng.random() < 0.3 else value
        if self.log:
            width = 0.2 * (np.log(self.high) - np.log(self.low))
            moved = float(np.exp(np.log(max(value, self.low)) + rng.normal(0, width)))
        else:
            moved = float(value + rng.normal(0, 0.2 * (self.high - self.low)))
        return self._tidy(float(np.clip(moved, self.low, self.high)))

    def _tidy(self, value: float) -> Any:
        return round(value) if self.whole else float(f"{value:.4g}")


@dataclass(frozen=True)
class Kind:
    """One family; ``bagged`` when the mean of its folds' models is better than one model of all rows, ``calibrated`` when
    its probabilities are worth putting right afterwards."""

    family: Family
    label: Callable[[Params], str]
    firsts: Callable[[Problem, Shape], list[Params]]
    knobs: Callable[[Problem], dict[str, Knob]]
    fit: Callable[[Material, Params, Problem, Allowance], Fitted]
    prepare: Callable[[Params, Problem], Any]
    prepare_key: Callable[[Params], str]
    bagged: bool = False
    calibrated: bool = False

    def learn(self, material: Material, params: Params, problem: Problem, allowance: Allowance) -> Fitted:
        """Fit on prepared rows; with ``log_target`` on the logarithms of the amounts."""
        if problem.classes or not params.get("log_target") or material.y.min() < 0:
            return self.fit(material, params, problem, allowance)
        offset = log_offset(material.y)
        held = None if material.y_valid is None else np.log(np.maximum(material.y_valid, 0.0) + max(offset, 1e-9))
        memo = None if material.memo is None else material.memo.setdefault("logs", {})
        fitted = self.fit(replace(material, y=np.log(material.y + offset), y_valid=held, memo=memo), params, problem, allowance)
        known = (material.X[:FACTOR_ROWS], material.y[:FACTOR_ROWS]) if material.y_valid is None else (material.X_valid, material.y_valid)
        return replace(fitted, model=log_values(fitted.model, offset, (known[0], np.maximum(known[1], 0.0))))

    def first(self, problem: Problem, shape: Shape) -> Params:
        """The settings that are tried first, with every name that may be fixed."""
        return self.firsts(problem, shape)[0]


def _boosted_firsts(problem: Problem, shape: Shape) -> list[Params]:
    size = 0 if shape.rows < 1000 else (1 if shape.rows < 3000 else 2)
    usual: Params = {
        "learning_rate": 0.06,
        "num_leaves": (7, 15, 31)[size],
        "min_child_samples": (5, 10, 20)[size],
        "feature_fraction": (0.6, 0.7, 0.8)[size],
        "bagging_fraction": (0.8, 0.8, 1.0)[size],
        "lambda_l1": 0.0,
        "lambda_l2": 1.0,
        "random_cuts": 0,
        "linear_leaves": 0,
        "rounds": 2000,
    }
    if not problem.classes:
        usual["log_target"] = 0
    random = {**usual, "random_cuts": 1, "log_target": int(problem.tailed)} if not problem.classes else {**usual, "random_cuts": 1}
    if size:
        return [usual, random]
    # Few rows: lines in the leaves need fewer cuts, random cuts steady them. Which of the three it is, validation tells.
    lines = {**usual, "num_leaves": 4, "min_child_samples": 20, "random_cuts": 1, "linear_leaves": 1}
    return [usual, lines, random]


def _tail_knob(problem: Problem) -> dict[str, Knob]:
    return {"log_target": Knob(choices=(0, 1))} if problem.tailed else {}


def _boosted_knobs(problem: Problem) -> dict[str, Knob]:
    return {
        **_tail_knob(problem),
        "learning_rate": Knob(0.015, 0.15, log=True),
        "num_leaves": Knob(6, 160, log=True, whole=True),
        "min_child_samples": Knob(3, 120, log=True, whole=True),
        "feature_fraction": Knob(0.3, 1.0),
        "bagging_fraction": Knob(0.5, 1.0),
        "lambda_l1": Knob(1e-3, 10.0, log=True),
        "lambda_l2": Knob(1e-3, 30.0, log=True),
        "random_cuts": Knob(choices=(0, 0, 1)),
    }


def _forest_firsts(problem: Problem, shape: Shape) -> list[Params]:
    few, wide = shape.rows < 5000, shape.columns >= 200
    if problem.classes:
        features: Any = 0.05 if wide else (0.5 if few else "sqrt")
        leaf = 2 if few or wide else 5
    else:
        features = 0.2 if wide else (1.0 if shape.columns < 20 else 0.5)
        leaf = 2 if shape.rows <= 20_000 else 5
    usual = {
        "kind": "random",
        "trees": 200 if shape.rows <= 20_000 else (120 if shape.rows <= 100_000 else 60),
        "min_samples_leaf": leaf,
        "max_features": features,
    }
    return [usual, {**usual, "kind": "extra"}]


def _forest_knobs(problem: Problem) -> dict[str, Knob]:
    features: tuple[Any, ...] = ("sqrt", 0.1, 0.3, 0.6) if problem.classes else ("sqrt", 0.2, 0.5, 1.0)
    return {
        "kind": Knob(choices=("random", "extra")),
        "min_samples_leaf": Knob(1, 20, log=True, whole=True),
        "max_features": Knob(choices=features),
    }


def _linear_firsts(problem: Problem, shape: Shape) -> list[Params]:
    # With nearly as many columns as rows a line that is free to do so learns the rows by heart.
    held = shape.columns > HELD_FROM * shape.rows
    if problem.classes:
        usual: Params = {"C": 0.02 if held else 1.0, "iterations": 1000, "bins": 0}
        return [usual, {**usual, "C": 0.02 if held else 0.1, "bins": 8}]
    usual = {"alpha": float(shape.columns) if held else 1.0, "bins": 0, "log_target": 0}
    return [usual, {**usual, "alpha": float(shape.columns) if held else 10.0, "bins": 8, "log_target": int(problem.tailed)}]


def _linear_knobs(problem: Problem) -> dict[str, Knob]:
    strength = {"C": Knob(1e-4, 30.0, log=True)} if problem.classes else {"alpha": Knob(1e-2, 3e3, log=True)}
    return {**strength, **_tail_knob(problem), "bins": Knob(choices=(0, 8, 20))}


def _neighbours_firsts(problem: Problem, shape: Shape) -> list[Params]:
    del problem
    return [{"neighbours": 7 if shape.rows < 1000 else 15, "weights": "distance"}]


def _neighbours_knobs(problem: Problem) -> dict[str, Knob]:
    del problem
    return {"neighbours": Knob(2, 60, log=True, whole=True), "weights": Knob(choices=("distance", "uniform"))}


def _neural_firsts(problem: Problem, shape: Shape) -> list[Params]:
    usual: Params = {
        "layers": 2,
        "width": 64 if shape.rows < 2000 else 128,
        "rate": 0.003,
        "decay": 0.2,
        "epochs": int(np.clip(300_000 // max(shape.rows, 1), 10, 50)),
        "bins": 0,
    }
    return [usual if problem.classes else {**usual, "log_target": int(problem.tailed)}]


def _neural_knobs(problem: Problem) -> dict[str, Knob]:
    return {
        **_tail_knob(problem),
        "layers": Knob(1, 3, whole=True),
        "width": Knob(32, 256, log=True, whole=True),
        "rate": Knob(0.0005, 0.01, log=True),
        "decay": Knob(1e-4, 3.0, log=True),
        "bins": Knob(choices=(0, 8)),
    }


def _neural_prepared(params: Params, problem: Problem) -> LinearPreparation:
    return LinearPreparation(bins=int(params.get("bins", 0)), task=problem.task, seed=problem.seed, squash=True)


def _boosted_label(params: Params) -> str:
    kind = [name for name, knob in (("random cuts", "random_cuts"), ("lines in the leaves", "linear_leaves")) if params.get(knob)]
    return f"Boosted trees (LightGBM{''.join(', ' + k for k in kind)})"


KINDS: dict[str, Kind] = {
    # In the order in which they are tried first: what is most likely to be good within a short time leads.
    "lightgbm": Kind(
        "lightgbm",
        _boosted_label,
        _boosted_firsts,
        _boosted_knobs,
        fit_boosted,
        lambda p, problem: TreePreparation(task=problem.task, seed=problem.seed),
        lambda p: "boosted",
        bagged=True,
    ),
    "linear": Kind(
        "linear",
        lambda p: ("Logistic regression" if "C" in p else "Ridge regression") + (", curves" if p.get("bins") else ""),
        _linear_firsts,
        _linear_knobs,
        fit_linear,
        lambda p, problem: LinearPreparation(bins=int(p.get("bins", 0)), task=problem.task, seed=problem.seed),
        lambda p: f"linear-{p.get('bins', 0)}",
    ),
    "forest": Kind(
        "forest",
        lambda p: "Extremely randomised trees" if p.get("kind") == "extra" else "Random forest",
        _forest_firsts,
        _forest_knobs,
        fit_forest,
        lambda p, problem: TreePreparation(task=problem.task, fill=True, components=3, seed=problem.seed),
        lambda p: "forest",
        calibrated=True,
    ),
    "neighbours": Kind(
        "neighbours",
        lambda p: f"Nearest rows ({p.get('neighbours', '')})",
        _neighbours_firsts,
        _neighbours_knobs,
        fit_neighbours,
        lambda p, problem: LinearPreparation(task=problem.task, seed=problem.seed),
        lambda p: "linear-0",
        calibrated=True,
    ),
    "neural": Kind(
        "neural",
        lambda p: f"Neural network ({p.get('layers', '')} layers of {p.get('width', '')})",
        _neural_firsts,
        _neural_knobs,
        fit_neural,
        _neural_prepared,
        lambda p: f"squashed-{p.get('bins', 0)}",
        bagged=True,
    ),
}


def check_params(given: dict[str, Any], problem: Problem) -> dict[str, Params]:
    """The fixed hyperparameters by family, or a sentence on what is not known.

    Raises
    ------
    Invalid
        A family or a name is not known, or a value cannot be used.
    """
    for family, values in given.items():
        if family not in KINDS:
            raise Invalid(f"There is no family {family!r}. Choose among: {', '.join(KINDS)}.")
        if not isinstance(values, dict):
            raise Invalid(f"Parameters of {family} are given as names with values, such as {{'{family}': {{…}}}}.")
        known = KINDS[family].first(problem, Shape(1000, 10))
        for name, value in values.items():
            if name not in known:
                raise Invalid(f"{family} has no parameter {name!r} here. It has: {', '.join(known)}.")
            _check_value(family, name, value, known[name])
    return {family: dict(values) for family, values in given.items()}


def _check_value(family: str, name: str, value: Any, like: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "kind":
        good = value in ("random", "extra")
    elif name == "max_features":
        good = value in ("sqrt", "log2") or (number and 0 < value <= 1)
    elif name in ("feature_fraction", "bagging_fraction"):
        good = number and 0 < value <= 1
    elif name in ("lambda_l1", "lambda_l2"):
        good = number and value >= 0
    elif name == "weights":
        good = value in ("distance", "uniform")
    elif name in ("random_cuts", "linear_leaves", "log_target"):
        good = value in (0, 1)
    elif name == "bins":
        good = isinstance(value, int) and not isinstance(value, bool) and (value == 0 or 2 <= value <= 100)
    elif isinstance(like, int):
        good = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100_000
    else:
        good = number and value > 0
    if name in MOST and good:
        good = value <= MOST[name]
    if name == "num_leaves" and good:
        good = value >= 2
    if not good:
        raise Invalid(f"The value of {name} for {family} cannot be used.")


def propose(kind: Kind, problem: Problem, shape: Shape, best: Params | None, rng: np.random.Generator) -> Params:
    """The next settings to try: near the best so far in two of three cases, else drawn at random."""
    first = kind.first(problem, shape)
    knobs = kind.knobs(problem)
    if best is not None and rng.random() < 0.67:
        moved = {name: knob.near(best[name], rng) if name in best and rng.random() < 0.6 else best.get(name, first[name]) for name, knob in knobs.items()}
    else:
        moved = {name: knob.draw(rng) for name, knob in knobs.items()}
    return {**first, **moved}
