"""A search whose candidates are checked side by side: in the order of numbers, the same again, and whole where some are lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning import Recipe, train
from dapp_ext.domain.machines import Lost
from tests.domain.learning.conftest import Notebook, columns_of


class OneAfterTheOther:
    """An engine that does the work when it is asked to; every candidate of ``losing`` is lost on its way."""

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
