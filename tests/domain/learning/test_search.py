"""The search under a short time: fewer folds rather than unfinished models, larger steps rather than too few, no hopeless candidates."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dapp_ext.domain.learning import learners
from dapp_ext.domain.learning.clock import Clock
from dapp_ext.domain.learning.families import KINDS, Shape
from dapp_ext.domain.learning.features import Encoded
from dapp_ext.domain.learning.learners import Material, Problem, fit_boosted
from dapp_ext.domain.learning.search import Checked, Ground, Search
from dapp_ext.domain.learning.splits import Rows, cross_folds
from dapp_ext.schema.base import now
from dapp_ext.schema.models import Trial

NUMBERS = Problem("regression", 0, "rmse", 1, 0)


def ground(rows: int = 500) -> Ground:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 3)).astype(np.float32)
    encoded = Encoded(X, np.empty((rows, 0), dtype=np.int32), np.empty((rows, 0), dtype=object))
    folds = cross_folds(Rows(np.zeros(rows, dtype=np.int64), np.arange(rows)), 5, 1, 0)
    return Ground(encoded, X[:, 0] + 0.1 * rng.normal(size=rows), folds, NUMBERS)


def trial(number: int, score: float) -> Trial:
    return Trial(number=number, family="linear", label="line", params={"alpha": float(number)}, score=score, at=now())


class FewRounds:
    """A time that holds so many rounds, each of which takes one tick of the clock that the learner looks at."""

    def __init__(self, rounds: int, whole: bool) -> None:
        self.rounds, self.whole, self.ticks = rounds, whole, 0

    def monotonic(self) -> float:
        self.ticks += 1
        return float(self.ticks)

    def left(self) -> float:
        return float(self.rounds - self.ticks)

    def over(self) -> bool:
        return self.ticks >= self.rounds


def test_a_candidate_that_is_kept_takes_larger_steps_where_time_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1500, 5))
    y = 10 * np.sin(X[:, 0]) + 5 * X[:, 1] * X[:, 2]
    params = {**KINDS["lightgbm"].first(NUMBERS, Shape(1000, 5)), "learning_rate": 0.02}
    losses, rates = [], []
    for whole in (False, True):
        allowance: Any = FewRounds(60, whole)
        monkeypatch.setattr(learners, "time", SimpleNamespace(monotonic=allowance.monotonic))
        fitted = fit_boosted(Material(X[:1000], y[:1000], X[1000:], y[1000:]), params, NUMBERS, allowance)
        assert fitted.cut
        losses.append(float(np.sqrt(np.mean((fitted.model.predict(X[1000:]) - y[1000:]) ** 2))))
        rates.append(fitted.rate)
    assert losses[0] < 0.6 * losses[1]
    assert rates[0] is not None
    assert 0.05 < rates[0] <= 0.3
    assert rates[1] is None, "what is worth nothing unfinished does not change its settings"


@pytest.mark.parametrize(("whole", "stopped", "rounds"), [(False, False, learners.FEWEST_ROUNDS), (True, False, 1), (False, True, 1)])
def test_what_is_kept_makes_a_few_steps_even_when_its_time_is_over(whole: bool, stopped: bool, rounds: int) -> None:
    X = np.random.default_rng(1).normal(size=(400, 3))
    allowance = Clock(30.0, lambda: stopped).allow(0.0)
    allowance.whole = whole
    fitted = fit_boosted(Material(X, X[:, 0]), {**KINDS["lightgbm"].first(NUMBERS, Shape(400, 3)), "learning_rate": 0.02}, NUMBERS, allowance)
    assert fitted.cut
    assert fitted.rounds == rounds
    if rounds > 1:
        assert fitted.rate is not None
        assert fitted.rate > 0.2


def test_the_first_candidate_leaves_time_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(material: Material, *rest: Any) -> Any:
        time.sleep(0.8)
        return KINDS["linear"].fit(material, *rest)

    monkeypatch.setitem(KINDS, "forest", replace(KINDS["linear"], family="forest", fit=slow))
    place = ground()
    search = Search(place, Clock(4.0, lambda: False), lambda made: None, {}, ["forest"])
    search.run(None, lambda best: 0.0)
    first = search.checked[0]
    assert len(place.folds) == 2, "two of the five folds fit into the first candidate's share of four seconds"
    assert first.trial.score is not None
    assert first.out is not None
    assert len(search.checked) >= 2


def test_a_guided_candidate_far_behind_is_given_up() -> None:
    search = Search(ground(), Clock(60.0, lambda: False), lambda made: None, {}, ["linear"])
    search.checked = [Checked(trial(1, 0.5), folds=[0.5] * 5)]
    search.guided = True
    assert search._behind([0.6], 0, 5)
    assert not search._behind([0.505], 0, 5)
    assert not search._behind([0.6] * 5, 4, 5), "at the end it has its score"
    search.guided = False
    assert not search._behind([0.6], 0, 5), "the first settings of a family are tried to their end"


def test_what_time_changed_in_a_candidate_does_not_make_it_another_one() -> None:
    search = Search(ground(), Clock(60.0, lambda: False), lambda made: None, {}, ["forest"])
    family, params = search.next_candidate(1)
    tried = trial(1, 0.5).model_copy(update={"family": family, "params": {**params, "trees": 31}})
    search.checked = [Checked(tried)]
    assert search.next_candidate(2)[1]["kind"] != params["kind"]


def test_a_forest_settles_for_fewer_trees_where_time_is_short() -> None:
    search = Search(ground(300), Clock(8.0, lambda: False), lambda made: None, {"forest": {"trees": 100_000}}, ["linear", "forest"])
    search.run(None, lambda best: 0.0)
    forest = next(c for c in search.checked if c.trial.family == "forest")
    assert forest.trial.status == "done"
    assert 30 <= forest.trial.params["trees"] < 100_000
    repeatable = Search(ground(300), Clock(1.0, lambda: False), lambda made: None, {"forest": {"trees": 100_000}}, ["linear", "forest"])
    repeatable.run(3, lambda best: 0.0)
    assert {c.trial.status for c in repeatable.checked if c.trial.family == "forest"} == {"stopped"}, "a number of candidates asks for all of each"
