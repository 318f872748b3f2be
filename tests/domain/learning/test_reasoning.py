"""Reasons and dependence recover what a known model does; standings tell equals from worse ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning import load_predictor
from dapp_ext.domain.learning.search import Checked
from dapp_ext.domain.learning.standing import standings
from dapp_ext.errors import RowsMismatch
from dapp_ext.schema.base import now
from dapp_ext.schema.models import Trial
from tests.domain.learning.conftest import results_of


def test_reasons_add_up_and_follow_the_slopes(quick: Any, houses: pa.Table) -> None:
    trained = quick(houses, "price")
    predictor = load_predictor(trained.dump())
    row = pa.table({"area": [200.0], "rooms": [3], "district": ["south"]})
    told = predictor.reasons(row)
    effects = {r.column: r.effect for r in told.reasons}
    mean = float(np.nanmean(predictor.background.numbers[:, 0]))  # type: ignore[union-attr]
    assert effects["area"] == pytest.approx(1000 * (200 - mean), rel=0.1)
    assert sum(effects.values()) == pytest.approx(told.output - told.base, rel=0.02)
    assert told.reasons[0].column == "area"
    assert {r.column: r.value for r in told.reasons}["district"] == "south"
    with pytest.raises(RowsMismatch):
        predictor.reasons(pa.concat_tables([row, row]))


def test_dependence_follows_the_slope_and_names_categories(quick: Any, houses: pa.Table) -> None:
    results = results_of(quick(houses, "price"))
    lines = {d.column: d for d in results.dependence}
    area = lines["area"]
    slope = np.polyfit(area.values, area.mean, 1)[0]
    assert slope == pytest.approx(1000, rel=0.1)
    assert len(area.rows) == 20
    assert all(len(r) == len(area.values) for r in area.rows)
    assert set(lines["district"].values) == {"north", "south", "east"}
    assert max(zip(lines["district"].mean, lines["district"].values, strict=True))[1] == "south"


def test_an_interval_for_amounts_holds_what_it_promises(quick: Any) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=4000)
    coverage = results_of(quick(pa.table({"x": x, "z": rng.normal(size=4000), "y": 3 * x + 2 * rng.normal(size=4000)}), "y")).coverage
    assert coverage is not None
    assert coverage.reached == pytest.approx(0.9, abs=0.04)
    assert coverage.half_width == pytest.approx(1.645 * 2, rel=0.05)


def trial(number: int, family: str, score: float) -> Trial:
    return Trial(number=number, family=family, label=family, score=score, seconds=1.0, at=now())


def test_the_simplest_of_those_as_good_as_the_best_is_advised() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    best, equal, worse = y + rng.normal(size=400), y + 1.01 * rng.normal(size=400), y + 2 * rng.normal(size=400)
    checked = [
        Checked(trial(1, "lightgbm", float(np.sqrt(np.mean((y - best) ** 2)))), best[:, None]),
        Checked(trial(2, "linear", float(np.sqrt(np.mean((y - equal) ** 2)))), equal[:, None]),
        Checked(trial(3, "forest", float(np.sqrt(np.mean((y - worse) ** 2)))), worse[:, None]),
    ]
    board, score = standings(checked, y, ("regression", "rmse"), checked[0].trial, 0)
    found = {t.family: t for t in board}
    assert (found["lightgbm"].near_best, found["linear"].near_best, found["forest"].near_best) == (True, True, False)
    assert [t.family for t in board if t.recommended] == ["linear"]
    assert found["linear"].low is not None
    assert found["linear"].low < found["linear"].score < found["linear"].high  # type: ignore[operator]
    assert score is not None
    assert score.baseline == pytest.approx(y.std(), rel=0.01)


def test_results_lead_with_the_worst_finding_and_keep_the_recipe(quick: Any, people: pa.Table) -> None:
    closed = [1 if v == "no" else 0 for v in people["stays"].to_pylist()]
    results = results_of(quick(people.append_column("closed", pa.array(closed)), "stays"))
    assert results.worst is not None
    assert results.worst.code == "leakage"
    assert results.sentence.endswith("“closed” alone nearly gives the answer away and was not used.")
    assert results.recipe["target"] == "stays"
    assert results.decisions is not None
    assert results.decisions.positive == "yes"
    assert {c.kind for c in results.curves} >= {"gain"}
    assert results.cross_validated is not None
    assert results.cross_validated.low < results.cross_validated.value < results.cross_validated.high
    assert results.split.validation == "stratified"
    assert results.best.fit_seconds is not None
    assert results.best.predict_seconds is not None
    assert 0 < results.best.fit_seconds <= results.best.seconds
