"""A search whose candidates are checked side by side: in the order of numbers, the same again, and whole where some are lost."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning import Recipe, train
from dapp_ext.domain.learning.clock import Allowance, Clock
from dapp_ext.domain.learning.learners import Material
from dapp_ext.domain.learning.recipe import Wishes
from dapp_ext.domain.learning.search import Checked, Memo, Search
from dapp_ext.domain.machines import Lost
from dapp_ext.schema.models import Trial
from tests.domain.learning.conftest import Notebook, columns_of


class OneAfterTheOther:
    """An engine that does the work when it is asked to; every candidate of ``losing`` is lost on its way."""

    way = 0.0

    def __init__(self, width: int = 3, losing: tuple[int, ...] = ()) -> None:
        self.width = width
        self.losing = losing
        self.sent = 0

    def keep(self, value: Any) -> Any:
        return value

    def submit(self, function: Callable[..., Any], *given: Any) -> Future[Any]:
        self.sent += 1
        outcome: Future[Any] = Future()
        if self.sent in self.losing:
            outcome.set_exception(Lost("a machine"))
        else:
            outcome.set_result(function(*given))
        return outcome


@pytest.fixture
def table() -> pa.Table:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 3))
    return pa.table({**{f"x{i}": X[:, i] for i in range(3)}, "hit": X[:, 0] + X[:, 1] > 0.2})


def told(table: pa.Table, engine: OneAfterTheOther | None, **asked: Any) -> list[tuple[Any, ...]]:
    watch = Notebook()
    recipe = Recipe("hit", **{"trials": 5, "time_budget": 120.0, "families": ["linear", "neighbours"], **asked})
    train(table, columns_of(table), recipe, watch, (), engine)
    return [(trial.number, trial.label, trial.status, trial.score) for trial in watch.trials if trial.family != "ensemble"]


def test_the_same_search_whatever_is_lost(table: pa.Table) -> None:
    whole = told(table, OneAfterTheOther())
    assert [number for number, *_ in whole] == [1, 2, 3, 4, 5]
    assert told(table, OneAfterTheOther()) == whole
    assert told(table, OneAfterTheOther(losing=(1, 4))) == whole
    assert told(table, OneAfterTheOther(losing=tuple(range(1, 100)))) == whole


def test_no_candidate_twice_and_the_time_ends_it(table: pa.Table) -> None:
    found = told(table, OneAfterTheOther(width=4), trials=None, time_budget=4.0)
    assert len(found) > 2
    assert len({label for _, label, *_ in found}) > 1


def test_a_search_by_time_checks_a_candidate_on_each_core(table: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    together, met = threading.Barrier(2), list[int]()
    usual = Search.attempt

    def attempt(self: Search, trial: Trial, allowance: Allowance, need_score: bool) -> Checked:
        if threading.current_thread() is not threading.main_thread() and trial.number <= 2:
            together.wait(20)  # breaks, and fails the training, where candidates come one after the other
            met.append(trial.number)
        return usual(self, trial, allowance, need_score)

    monkeypatch.setattr(Search, "attempt", attempt)
    monkeypatch.setattr(Search, "is_enough", lambda self: len(self.checked) >= 3)
    found = told(table, None, trials=None, time_budget=60.0, threads=2)
    assert sorted(met) == [1, 2]
    assert len(found) >= 3
    assert {status for number, _, status, _ in found if number <= 2} == {"done"}


def test_a_search_by_number_is_the_same_on_more_cores(table: pa.Table) -> None:
    assert told(table, None, threads=4) == told(table, None, threads=1)


def test_candidates_beside_each_other_hear_wishes(table: pa.Table) -> None:
    watch = Notebook(stop_after=1)
    began = time.monotonic()
    train(table, columns_of(table), Recipe("hit", time_budget=60.0, threads=2), watch)
    assert time.monotonic() - began < 30
    assert len([trial for trial in watch.trials if trial.family != "ensemble"]) <= 3
    skipped = Notebook()
    skipped.wanted = Wishes(skipped=frozenset({"lightgbm", "forest"}))
    train(table, columns_of(table), Recipe("hit", time_budget=4.0, threads=2), skipped)
    assert {"linear", "neighbours"} <= {trial.family for trial in skipped.trials if trial.status == "done"}
    assert not {trial.family for trial in skipped.trials[1:] if trial.status == "done"} & {"lightgbm", "forest"}


def test_only_the_family_that_a_thread_tries_is_unwanted_there() -> None:
    clock = Clock(10.0, lambda: False)
    clock.skipped = frozenset({"forest"})
    clock.trying = "forest"
    other: list[bool] = []
    thread = threading.Thread(target=lambda: other.append(clock.unwanted()))
    thread.start()
    thread.join()
    assert clock.unwanted()
    assert other == [False]


def test_prepared_folds_are_made_once_for_all_threads() -> None:
    memo, made = Memo(), []

    def make() -> tuple[Any, Material]:
        time.sleep(0.05)
        made.append(1)
        return "step", Material(np.zeros((2, 2)), np.zeros(2), np.zeros((1, 2)))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: memo.get(("plain", 0), make), range(8)))
    assert made == [1]
    assert len({id(material) for _, material in found}) == 1


LOADED_FIRST = """
import sys
import numpy as np
from dapp_ext.domain.learning.features import Encoded
from dapp_ext.domain.learning.learners import Problem
from dapp_ext.domain.learning.search import Ground, Search
from dapp_ext.domain.learning.wide import Terms, check

Search.attempt = lambda self, *given: "skrub" in sys.modules
ground = Ground(Encoded(np.zeros((2, 0)), np.zeros((2, 0)), np.array([["a"], ["b"]], dtype=object)), np.zeros(2), [], Problem("regression", 0, "rmse", 1, 0))
assert "skrub" not in sys.modules
assert check(ground, None, Terms(1.0, True, 1, 0.5, False, False, None))
"""


def test_no_thread_meets_a_library_that_another_one_is_loading() -> None:
    ended = subprocess.run([sys.executable, "-c", LOADED_FIRST], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
