"""The hyperparameters that may be fixed, by family: light to import, so that a wrong name is refused before a search begins."""

from __future__ import annotations

from typing import Any

from dapp_ext.errors import Invalid
from dapp_ext.schema.models import Task

_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
# Family, then parameter, then the tasks that have it; a test compares this with the families themselves.
PARAMETERS: dict[str, dict[str, tuple[Task, ...]]] = {
    "lightgbm": dict.fromkeys(
        (
            "learning_rate",
            "num_leaves",
            "min_child_samples",
            "feature_fraction",
            "bagging_fraction",
            "lambda_l1",
            "lambda_l2",
            "random_cuts",
            "linear_leaves",
            "rounds",
        ),
        (*_CLASSES, "regression"),
    )
    | {"log_target": ("regression",)},
    "linear": {"C": _CLASSES, "iterations": _CLASSES, "alpha": ("regression",), "bins": (*_CLASSES, "regression"), "log_target": ("regression",)},
    "neighbours": dict.fromkeys(("neighbours", "weights"), (*_CLASSES, "regression")),
    "neural": dict.fromkeys(("layers", "width", "rate", "decay", "epochs", "bins"), (*_CLASSES, "regression")) | {"log_target": ("regression",)},
    "forest": dict.fromkeys(("kind", "trees", "min_samples_leaf", "max_features"), (*_CLASSES, "regression")),
}


def check_names(given: dict[str, Any], task: Task | None) -> None:
    """Pass fixed hyperparameters whose families and names exist for this task, or for any where it is not known yet.

    Raises
    ------
    Invalid
    """
    for family, values in given.items():
        if family not in PARAMETERS:
            raise Invalid(f"There is no family {family!r}. Give parameters for: {', '.join(PARAMETERS)}.")
        if not isinstance(values, dict):
            raise Invalid(f"Parameters of {family} are given as names with values, such as {{'{family}': {{…}}}}.")
        known = [name for name, tasks in PARAMETERS[family].items() if task is None or task in tasks]
        for name in values:
            if name not in known:
                raise Invalid(f"{family} has no parameter {name!r} here. It has: {', '.join(known)}.")
