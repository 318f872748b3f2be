"""The notebook behind the click: a trained model as plain scikit-learn, skrub and LightGBM code that reaches its score again.

The notebook holds no DAPP code. It divides the rows exactly as the training did, fits the same learners with the same
settings on the same rows, and ends by comparing its score with the one that was told, to a stated tolerance.
"""

from __future__ import annotations

from typing import Any

from dapp_ext.domain.learning.recipes_as_code import FITTERS, HELPERS, SCORERS
from dapp_ext.errors import Invalid
from dapp_ext.schema.models import Results, Score, Trial

SOURCE = "table.parquet"


def tolerance(score: Score) -> float:
    """How far the notebook's score may be from the one told: half of the score's 95 % interval, which is what luck makes of it."""
    return float(f"{max((score.high - score.low) / 2, 0.01 * abs(score.value), 1e-6):.3g}")


def make_notebook(results: Results, source: str = SOURCE) -> dict[str, Any]:
    """A notebook (nbformat 4) that trains this model again.

    Parameters
    ----------
    source : str
        The file that the notebook reads: the processed data of the same dataset version, as Parquet.

    Raises
    ------
    Invalid
        The model was not found by a search, so there is no recipe to write down.
    """
    members = _members(results)
    headline = results.scores[0]
    cells = [
        _text(f"# {results.model.name}\n\n{results.sentence}\n\n{results.split.sentence}\n"),
        _text(
            f"Run with scikit-learn {results.libraries.get('scikit-learn', '')}, LightGBM {results.libraries.get('lightgbm', '')}, skrub, pandas and pyarrow. "
            f"The data is version {results.dataset_version} of “{results.dataset.name}”: download it as Parquet and put it beside this notebook.\n"
        ),
        _code(_settings(results, source, members)),
        _text("## The rows\n\nRows without a target are left out, values that stand for missing become missing, and rows are cleaned as asked."),
        _code(HELPERS["rows"]),
        _text("## The locked test part\n\nDivided as in the training: equal rows stay together, classes keep their shares."),
        _code(HELPERS["split"]),
        _text("## From columns to numbers\n\nEverything that is learned here is learned from training rows only."),
        _code(HELPERS["prepare"]),
        _text("## The learners"),
        _code("\n\n".join(FITTERS[family] for family in dict.fromkeys(m["family"] for m in members))),
        _code(HELPERS["fit"]),
        _text("## The score"),
        _code(SCORERS),
        _code(HELPERS["check"]),
        _text(
            f"Told was {headline.label} {headline.value:,.8g} (95 % interval {headline.low:,.8g} to {headline.high:,.8g}); the tolerance is {tolerance(headline):,.8g}."
        ),
    ]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def code_of(notebook: dict[str, Any]) -> str:
    """The notebook's code as one script."""
    return "\n\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")


def _members(results: Results) -> list[dict[str, Any]]:
    by_number = {t.number: t for t in results.leaderboard}
    best = results.best
    if best.family == "ensemble":
        shares = {int(name.removeprefix("trial ")): float(weight) for name, weight in best.params.items()}
        found: list[tuple[Trial | None, float]] = [(by_number.get(number), weight) for number, weight in shares.items()]
    else:
        found = [(best, 1.0)]
    made = [{"family": t.family, "params": t.params, "weight": w} for t, w in found if t is not None and t.family in FITTERS]
    if not made or len(made) < len(found):
        raise Invalid("This model was not found by a search of this platform, so there is no recipe to write down as a notebook.")
    return made


def _settings(results: Results, source: str, members: list[dict[str, Any]]) -> str:
    recipe = results.recipe
    held = [n for g in results.guards if g.code == "leakage" for n in g.columns if n not in {c.name for c in results.features}]
    headline = results.scores[0]
    values = {
        "SOURCE": source,
        "TARGET": results.target,
        "TASK": results.task,
        "CLASSES": results.classes or [],
        "KINDS": {c.name: c.kind for c in results.features},
        "HELD_BACK": held,
        "MISSING": recipe.get("missing", {}),
        "CLEAN": recipe.get("clean", []),
        "VALIDATION": results.split.validation,
        "SPLIT_COLUMN": results.split.column,
        "FOLDS": results.split.folds,
        "REPEATS": results.split.repeats,
        "SEED": results.split.seed,
        "MEMBERS": members,
        "METRIC": headline.name,
        "TOLD": headline.value,
        "TOLERANCE": tolerance(headline),
    }
    return HELPERS["imports"] + "\n\n" + "\n".join(f"{name} = {value!r}" for name, value in values.items())


def _text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source.strip("\n").splitlines(keepends=True)}
