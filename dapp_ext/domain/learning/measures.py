"""The metrics by name: what they are called, which way is better. Computed in :mod:`metrics`; light to import."""

from __future__ import annotations

from dataclasses import dataclass

from dapp_ext.errors import Invalid
from dapp_ext.schema.models import Task


@dataclass(frozen=True)
class Measure:
    """One metric: its stable name, its label for people, the tasks it is for and which way is better."""

    name: str
    label: str
    greater_is_better: bool
    tasks: tuple[Task, ...]


MEASURES: dict[str, Measure] = {
    m.name: m
    for m in (
        Measure("log_loss", "Log loss", False, ("binary", "multiclass")),
        Measure("roc_auc", "ROC AUC", True, ("binary",)),
        Measure("average_precision", "Average precision", True, ("binary",)),
        Measure("accuracy", "Accuracy", True, ("binary", "multiclass")),
        Measure("balanced_accuracy", "Balanced accuracy", True, ("binary", "multiclass")),
        Measure("f1", "F1", True, ("binary",)),
        Measure("macro_f1", "Macro F1", True, ("multiclass",)),
        Measure("rmse", "Root mean squared error", False, ("regression",)),
        Measure("mae", "Mean absolute error", False, ("regression",)),
        Measure("r2", "R²", True, ("regression",)),
    )
}


def default_metric(task: Task) -> str:
    """The metric that a search goes by when none is asked for."""
    return "rmse" if task == "regression" else "log_loss"


def measure(name: str | None, task: Task) -> Measure:
    """The metric of that name, or the default of the task.

    Raises
    ------
    Invalid
        The metric does not exist or is for another task.
    """
    wanted = name or default_metric(task)
    known = [m.name for m in MEASURES.values() if task in m.tasks]
    if wanted not in known:
        kind = {"binary": "two classes", "multiclass": "several classes", "regression": "numbers"}[task]
        raise Invalid(f"The metric {wanted!r} cannot be used here. For {kind} choose one of: {', '.join(known)}.")
    return MEASURES[wanted]


def measures_of(task: Task) -> list[Measure]:
    """All metrics of a task, the default one first."""
    return [m for m in MEASURES.values() if task in m.tasks]
