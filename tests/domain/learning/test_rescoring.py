"""The score again after a change that was asked for, and after another choice of the measure."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning import Recipe
from dapp_ext.domain.learning.rescoring import score_again
from dapp_ext.errors import ColumnUnknown
from dapp_ext.schema.base import now
from dapp_ext.schema.models import Trial
from tests.domain.learning.conftest import columns_of

LINEAR = Trial(number=1, family="linear", label="Linear model", params={"C": 1.0}, at=now(), score=0.5)


def told_away(rows: int = 400) -> pa.Table:
    """``y`` hangs on ``told`` fully and on ``x`` a little."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    y = np.where(x + 2 * rng.normal(size=rows) > 0, "yes", "no")
    return pa.table({"told": [1.0 if v == "yes" else 0.0 for v in y], "x": x, "y": y})


def test_the_score_without_a_column_tells_what_it_was_worth() -> None:
    table = told_away()
    recipe = Recipe(target="y", time_budget=20.0)
    second = score_again(table, columns_of(table), recipe, LINEAR, {"exclude": ["told"], "allow": []})
    assert second.before > 0.99, "a column that would be held back is in the score before"
    assert 0.6 < second.after < 0.8
    assert "honest" in second.sentence
    with pytest.raises(ColumnUnknown):
        score_again(table, columns_of(table), recipe, LINEAR, {"exclude": ["gone"]})


def test_a_model_of_another_kind_is_scored_by_trees() -> None:
    """A blend has no settings of its own, so boosted trees stand in for it."""
    table = told_away()
    blend = LINEAR.model_copy(update={"family": "ensemble", "params": {"weights": [0.5, 0.5]}})
    second = score_again(table, columns_of(table), Recipe(target="y", time_budget=20.0), blend, {"exclude": ["x"], "allow": ["told"]})
    assert second.after > 0.99


def test_another_measure_is_scored_by_what_it_chooses() -> None:
    """By accuracy the plain answer looks best; by the mean over classes the one that finds the rare class wins."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(600, 2))
    rare = rng.random(600) < 1 / (1 + np.exp(-(4 * x[:, 0] * x[:, 1] - 3)))
    table = pa.table({"a": x[:, 0], "b": x[:, 1], "y": np.where(rare, "yes", "no")})
    recipe = Recipe(target="y", time_budget=40.0, metric="accuracy", families=["linear", "neighbours", "lightgbm"])
    second = score_again(table, columns_of(table), recipe, LINEAR, {"metric": "average_precision"})
    assert second.metric == "average_precision"
    assert second.after >= second.before - 0.02
    assert second.after > float(np.mean(rare)), "better than guessing"
