"""Small generated tables and a watch that remembers what it was told."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning import Recipe, train
from dapp_ext.domain.learning.recipe import Wishes
from dapp_ext.schema.base import Named
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Guard, Results, Task, Trial


class Notebook:
    """A watch that writes everything down, and asks to stop after so many trials or seconds."""

    def __init__(self, stop_after: int | None = None, stop_seconds: float | None = None) -> None:
        self.told: list[str] = []
        self.guards_seen: list[Guard] = []
        self.trials: list[Trial] = []
        self.fractions: list[float] = []
        self.stop_after = stop_after
        self.stop_seconds = stop_seconds
        self.started = time.monotonic()
        self.stop_asked: float | None = None
        self.wanted = Wishes()

    def began(self, task: Task, metric: str) -> None:
        self.problem = (task, metric)

    def guards(self, guards: list[Guard]) -> None:
        self.told.append("guards")
        self.guards_seen = guards

    def trial(self, trial: Trial, seconds_left: float | None) -> None:
        self.told.append("trial")
        self.trials.append(trial)

    def progress(self, fraction: float, message: str) -> None:
        self.fractions.append(fraction)

    def wishes(self) -> Wishes:
        return self.wanted

    def should_stop(self) -> bool:
        enough = self.stop_after is not None and len(self.trials) >= self.stop_after
        late = self.stop_seconds is not None and time.monotonic() - self.started > self.stop_seconds
        if (enough or late) and self.stop_asked is None:
            self.stop_asked = time.monotonic()
        return enough or late


def columns_of(table: pa.Table) -> list[Column]:
    """Columns with the kinds that a reader would give them."""
    found = []
    for field in table.schema:
        kind: Any = "category"
        if pa.types.is_boolean(field.type):
            kind = "boolean"
        elif pa.types.is_integer(field.type):
            kind = "integer"
        elif pa.types.is_floating(field.type):
            kind = "decimal"
        elif pa.types.is_timestamp(field.type):
            kind = "datetime"
        elif pa.types.is_date(field.type):
            kind = "date"
        found.append(Column(name=field.name, kind=kind))
    return found


def results_of(trained: Any) -> Results:
    results: Results = trained.results(Named(id="m", name="model"), Named(id="d", name="data"), 3)
    return results


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def people() -> pa.Table:
    """600 people: whether they stay depends on age, plan and months; with missing values and a text category."""
    rng = np.random.default_rng(1)
    n = 600
    age = rng.integers(18, 80, n)
    months = rng.gamma(2.0, 12.0, n)
    plan = rng.choice(["basic", "plus", "pro"], n, p=[0.5, 0.3, 0.2])
    odds = 0.08 * (age - 45) + 0.06 * (months - 24) + np.where(plan == "pro", 2.0, 0.0)
    stays = rng.random(n) < 1 / (1 + np.exp(-odds))
    months_text = [None if rng.random() < 0.1 else float(m) for m in months]
    return pa.table({"age": age, "months": months_text, "plan": plan.tolist(), "noise": rng.normal(size=n), "stays": np.where(stays, "yes", "no").tolist()})


@pytest.fixture
def houses() -> pa.Table:
    """500 houses: the price depends on area, rooms and district."""
    rng = np.random.default_rng(2)
    n = 500
    area = rng.normal(100, 30, n)
    rooms = rng.integers(1, 7, n)
    district = rng.choice(["north", "south", "east"], n)
    price = 1000 * area + 9000 * rooms + np.where(district == "south", 30_000, 0) + rng.normal(0, 8000, n)
    return pa.table({"area": area, "rooms": rooms, "district": district.tolist(), "price": price})


@pytest.fixture
def quick() -> Callable[..., Any]:
    """Trains with few trials and one thread."""

    def run(table: pa.Table, target: str, watch: Notebook | None = None, **given: Any) -> Any:
        finished = given.pop("finished", ())
        columns = given.pop("columns", None) or columns_of(table)
        small = {"forest": {"trees": 20}, "neural": {"epochs": 4, "width": 8}}
        recipe = Recipe(**{"target": target, "time_budget": 240.0, "trials": 1, "families": ["linear"], "params": small, **given})
        return train(table, columns, recipe, watch or Notebook(), finished)

    return run
