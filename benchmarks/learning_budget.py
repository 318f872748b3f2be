"""Is the budget kept, and is a wish to stop answered soon? Wall times of trainings on tables of every shape.

Usage::

    python benchmarks/learning_budget.py [--seconds 10 30] [--only NAME ...] [--threads 2] [--stop-after 6]

Each table is trained on for each budget; target: wall time ≤ budget + 10 % + 5 s, always with a model. Then somebody asks
to stop after so many seconds; target: the model is there less than 2 s later.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as a worker does, before the libraries load

import numpy as np
import pyarrow as pa
from automl import Quiet
from learning_floor import kind_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dapp_ext.domain.learning import Recipe, train
from dapp_ext.schema.datasets import Column


class Stopping(Quiet):
    """Asks to stop after so many seconds, and remembers when."""

    def __init__(self, after: float) -> None:
        super().__init__()
        self.after, self.started, self.asked = after, time.monotonic(), 0.0

    def should_stop(self) -> bool:
        """Whether the time has come."""
        late = time.monotonic() - self.started > self.after
        if late and not self.asked:
            self.asked = time.monotonic()
        return late


def numbers(rows: int, columns: int) -> pa.Table:
    """Numbers of which a few make the target."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns)).astype(np.float32)
    y = X[:, 0] + np.sin(3 * X[:, 1]) + X[:, 2] * X[:, 3] + rng.normal(size=rows)
    return pa.table({**{f"x{i}": X[:, i] for i in range(columns)}, "y": y})


def classes(rows: int, columns: int, many: int) -> pa.Table:
    """Several classes by two columns."""
    table = numbers(rows, columns)
    rank = np.argsort(np.argsort(table["y"].to_numpy())) * many // rows
    return table.set_column(columns, "y", pa.array([f"c{k}" for k in rank]))


def messy(rows: int) -> pa.Table:
    """Numbers, categories with many values, dates and texts."""
    rng = np.random.default_rng(1)
    shop = rng.integers(0, 3000, rows)
    words = np.array(["late", "broken", "fine", "again", "price", "call", "thanks", "never"])
    told = [" ".join(w) for w in words[rng.integers(0, 8, (rows, 7))]]
    when = np.datetime64("2020-01-01T00:00", "us") + rng.integers(0, 10**8, rows).astype("timedelta64[s]")
    y = rng.random(3000)[shop] + np.array([("late" in t) + 0.5 * ("thanks" in t) for t in told]) + rng.normal(size=rows) > 1.5
    return pa.table({"shop": [f"s{k}" for k in shop], "told": told, "when": pa.array(when), "amount": rng.gamma(2, 50, rows), "y": y})


TABLES: dict[str, Callable[[], pa.Table]] = {
    "small": lambda: numbers(300, 10),
    "middle": lambda: numbers(20_000, 30),
    "long": lambda: numbers(300_000, 40),
    "longer": lambda: numbers(1_000_000, 20),
    "wide": lambda: numbers(8_000, 1_500),
    "wide_long": lambda: numbers(60_000, 400),
    "classes": lambda: classes(50_000, 20, 60),
    "messy": lambda: messy(100_000),
}


def columns_of(table: pa.Table) -> list[Column]:
    """Columns by their types; long texts are texts."""
    return [Column(name=f.name, kind="text" if f.name == "told" else kind_of(f.type)) for f in table.schema]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, nargs="*", default=[10.0, 30.0])
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--stop-after", type=float, default=6.0)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    for name, make in TABLES.items():
        if given.only and name not in given.only:
            continue
        table = make()
        columns = columns_of(table)
        for seconds in given.seconds:
            watch, began = Quiet(), time.monotonic()
            trained = train(table, columns, Recipe(target="y", time_budget=seconds, threads=given.threads), watch)
            wall, score = time.monotonic() - began, trained.facts["scores"][0]
            mark = "ok  " if wall <= 1.1 * seconds + 5 else "LATE"
            print(
                f"{mark} {name:10} budget {seconds:4.0f} s, took {wall:5.1f} s, {watch.trials} trials, {score.label} {score.value:.4g} ({score.baseline:.4g})",
                flush=True,
            )
        stopping = Stopping(given.stop_after)
        train(table, columns, Recipe(target="y", time_budget=300.0, threads=given.threads), stopping)
        late = time.monotonic() - stopping.asked if stopping.asked else 0.0
        print(f"{'ok  ' if late < 2 else 'LATE'} {name:10} stopped after {given.stop_after:.0f} s, the model was there {late:.1f} s later", flush=True)


if __name__ == "__main__":
    main()
