"""A real Dask cluster over TLS: searches and scoring go there, and come back whole when workers are killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning import Recipe, load_predictor, train
from dapp_ext.domain.learning.wide import score_wide
from dapp_ext.errors import SettingInvalid
from dapp_ext.schema.models import Trial
from dapp_ext.services.cluster import Cluster, DaskEngine, cluster_of, engine_of
from dapp_ext.settings import Settings
from tests import servers
from tests.domain.learning.conftest import Notebook, columns_of

TRIALS = 6


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Cluster]:
    with servers.cluster(tmp_path_factory.mktemp("dask")) as found:
        yield found


@pytest.fixture
def cluster(running: servers.Cluster) -> Cluster:
    return Cluster(running.address, str(running.folder))


def table(rows: int = 1500) -> pa.Table:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(rows, 4))
    y = X[:, 0] + X[:, 1] ** 2 + 0.3 * rng.normal(size=rows) > 0.5
    return pa.table({**{f"x{i}": X[:, i] for i in range(4)}, "hit": y})


class Killer(Notebook):
    """Kills a worker after the first trial."""

    def __init__(self, victim: Any) -> None:
        super().__init__()
        self.victim = victim

    def trial(self, trial: Trial, seconds_left: float | None) -> None:
        super().trial(trial, seconds_left)
        self.victim.kill()


def search(engine: DaskEngine | None, watch: Notebook, **asked: Any) -> Any:
    recipe = Recipe("hit", **{"trials": TRIALS, "time_budget": 240.0, "families": ["lightgbm", "linear"], **asked})
    data = table()
    return train(data, columns_of(data), recipe, watch, (), engine)


def is_whole(watch: Notebook, count: int) -> bool:
    """Whether each candidate was told of once, in order, and none went wrong; one that is far behind may have been stopped."""
    found = watch.trials[:count]
    return [trial.number for trial in found] == list(range(1, count + 1)) and {trial.status for trial in found} <= {"done", "stopped"}


def told(watch: Notebook) -> list[tuple[Any, ...]]:
    return [(trial.number, trial.family, trial.label, trial.score) for trial in watch.trials]


@pytest.mark.long
def test_a_search_on_the_cluster_is_whole_and_the_same_again(cluster: Cluster) -> None:
    first, second = Notebook(), Notebook()
    with DaskEngine(cluster) as engine:
        assert engine.width == 4
        trained = search(engine, first)
        search(engine, second)
        assert told(first) == told(second)
        assert is_whole(first, TRIALS)
        alone = Notebook()
        search(None, alone)
        # The first settings of each family are the same wherever they are checked, and score the same.
        assert told(first)[:2] == told(alone)[:2]
        model = trained.dump()
        rows = table(5000)
        slices = [rows.slice(start, 700) for start in range(0, 5000, 700)]
        answered = list(score_wide(engine, model, slices, _not_here))
    assert [piece.num_rows for piece, _, _ in answered] == [piece.num_rows for piece in slices]
    here, _ = load_predictor(model).predict(rows)
    assert pa.concat_tables([answers for _, answers, _ in answered]).to_pydict() == here.to_pydict()


def _not_here(_rows: Any) -> Any:
    raise AssertionError("this was to be done on the cluster")


@pytest.mark.long
def test_a_killed_worker_costs_what_it_was_doing_only(tmp_path: Path) -> None:
    with servers.cluster(tmp_path) as found, DaskEngine(Cluster(found.address, str(tmp_path))) as engine:
        watch = Killer(found.processes[-1])
        search(engine, watch, trials=4)
        assert is_whole(watch, 4)
        assert found.processes[-1].poll() is not None


@pytest.mark.long
def test_a_cluster_that_goes_away_is_done_without(tmp_path: Path) -> None:
    with servers.cluster(tmp_path) as found, DaskEngine(Cluster(found.address, str(tmp_path))) as engine:
        watch = Notebook()
        thread = threading.Timer(0.3, lambda: [process.kill() for process in found.processes])
        thread.start()
        search(engine, watch)
        thread.join()
        assert is_whole(watch, TRIALS)


@pytest.mark.long
def test_a_wish_to_stop_is_heard(cluster: Cluster) -> None:
    with DaskEngine(cluster) as engine:
        watch = Notebook(stop_after=2)
        began = time.monotonic()
        search(engine, watch, trials=None, time_budget=60.0)
    assert time.monotonic() - began < 30
    assert len([trial for trial in watch.trials if trial.family != "ensemble"]) < 10


def test_a_cluster_that_does_not_answer_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapp_ext.services.cluster.CONNECT_SECONDS", 0.5)
    with engine_of(Cluster(f"tcp://127.0.0.1:{servers.free_port()}")) as engine:
        assert engine is None
    with engine_of(None) as engine:
        assert engine is None


def test_data_does_not_travel_in_clear(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert cluster_of(settings) is None
    assert cluster_of(replace(settings, dask_address="tls://far:8786", dask_certificates="/c")) == Cluster("tls://far:8786", "/c")
    for address in ("tcp://far:8786", "far:8786", "http://far"):
        with pytest.raises(SettingInvalid, match="tls://"):
            cluster_of(replace(settings, dask_address=address))
