"""The learning engine: a table in, an honest model out.

Pure: no files, no database, no settings. Nothing heavy is imported until :func:`train` or :func:`load_predictor`
is called, so that light processes may import the names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dapp_ext.domain.learning.measures import MEASURES, Measure, default_metric, measure
from dapp_ext.domain.learning.recipe import Recipe, Watch, Wishes

if TYPE_CHECKING:
    from dapp_ext.domain.learning.card import make_card
    from dapp_ext.domain.learning.fixes import apply_fix
    from dapp_ext.domain.learning.notebook import make_notebook
    from dapp_ext.domain.learning.predictor import Predictor
    from dapp_ext.domain.learning.rescoring import second_score
    from dapp_ext.domain.learning.storing import load_predictor
    from dapp_ext.domain.learning.thresholds import choose_threshold
    from dapp_ext.domain.learning.training import Trained, train

__all__ = [
    "MEASURES",
    "Measure",
    "Predictor",
    "Recipe",
    "Trained",
    "Watch",
    "Wishes",
    "apply_fix",
    "choose_threshold",
    "default_metric",
    "load_predictor",
    "make_card",
    "make_notebook",
    "measure",
    "preload",
    "second_score",
    "train",
]

_HOMES = {
    "train": "training",
    "Trained": "training",
    "load_predictor": "storing",
    "Predictor": "predictor",
    "second_score": "rescoring",
    "make_notebook": "notebook",
    "make_card": "card",
    "choose_threshold": "thresholds",
    "apply_fix": "fixes",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def preload() -> None:
    """Import everything that a training needs; for the process that others are forked from."""
    from importlib import import_module

    for part in ("training", "storing", "predictor", "explain"):
        import_module(f"{__name__}.{part}")
