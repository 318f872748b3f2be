"""The same search on this process's own cores and on a Dask cluster of two workers on the same cores.

Usage::

    python benchmarks/cluster.py [--rows 60000] [--columns 20] [--trials 10] [--rounds 2]

Starts its own scheduler and workers (see ``tests/servers.py``), over TLS on the loopback; each worker has one thread. Both
ways get the same number of candidates and no limit of time, in turns, and are timed from the table to the model.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as a worker does, before the libraries load

import numpy as np
import pyarrow as pa

from dapp_ext.domain.learning import Recipe, Wishes, train
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Guard, Trial
from dapp_ext.services.allocation import cores
from dapp_ext.services.cluster import Cluster, DaskEngine
from tests import servers


class Watch:
    """Counts candidates."""

    def __init__(self) -> None:
        self.trials = 0

    def began(self, task: str, metric: str) -> None: ...

    def guards(self, guards: list[Guard]) -> None: ...

    def trial(self, trial: Trial, seconds_left: float | None) -> None:
        self.trials += 1

    def progress(self, fraction: float, message: str) -> None: ...

    def should_stop(self) -> bool:
        return False

    def wishes(self) -> Wishes:
        return Wishes()


def table(rows: int, columns: int) -> pa.Table:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(rows, columns))
    y = X[:, 0] + X[:, 1] ** 2 + X[:, 2] * X[:, 3] + rng.normal(size=rows) > 1
    return pa.table({**{f"x{number}": X[:, number] for number in range(columns)}, "hit": y})


def search(data: pa.Table, trials: int, engine: DaskEngine | None) -> tuple[float, int]:
    """Seconds, and how many candidates were looked at."""
    columns = [Column(name=name, kind="boolean" if name == "hit" else "decimal") for name in data.column_names]
    watch, began = Watch(), time.monotonic()
    train(data, columns, Recipe("hit", trials=trials, time_budget=3600.0, families=["lightgbm", "linear", "forest"], threads=cores()), watch, (), engine)
    return time.monotonic() - began, watch.trials


def main() -> None:
    """Measure in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("rows", 60_000), ("columns", 20), ("trials", 10), ("rounds", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    data = table(options.rows, options.columns)
    ratios = []
    print("| round | here | cluster | here / cluster |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, servers.cluster(Path(folder)) as running, DaskEngine(Cluster(running.address, folder)) as engine:
        search(data.slice(0, 2000), 2, engine)  # loads the libraries everywhere
        for number in range(options.rounds):
            here, one = search(data, options.trials, None)
            there, two = search(data, options.trials, engine)
            ratios.append(here / there)
            print(f"| {number + 1} | {here:.1f} s, {one} candidates | {there:.1f} s, {two} candidates | {here / there:.2f} |", flush=True)
    print(f"Median {statistics.median(ratios):.2f} (aim 0.9).")


if __name__ == "__main__":
    main()
