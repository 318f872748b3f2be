"""A search that goes on is given more time, a family is left out, it is stopped: with a real worker and its child."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from dapp_ext.domain.learning import MEASURES
from dapp_ext.domain.learning.families import KINDS, Shape
from dapp_ext.domain.learning.learners import Problem
from dapp_ext.domain.learning.options import PARAMETERS
from dapp_ext.errors import Conflict, Denied, Invalid, TargetUnusable
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.models import ExtendRequest, Leaderboard, ModelRead, SkipRequest, TrainRequest
from dapp_ext.services import Services, open_services
from dapp_ext.settings import Settings
from dapp_ext.worker import Worker

Upload = Callable[..., DatasetRead]
Run = Callable[[], None]


@pytest.fixture
def table(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> DatasetRead:
    rows = "\n".join(f"{n * 37 % 101},{n * 7 % 13},{n * 11 % 17},{(n * 37 % 101) * 2 + n * 13 % 29}" for n in range(3000))
    made = upload(owner, f"a,b,c,y\n{rows}\n".encode(), "table.csv")
    run_jobs()
    return services.datasets.get(owner, made.id)


@pytest.fixture
def worker(settings: Settings) -> Iterator[Worker]:
    with open_services(settings) as services:
        found = Worker(services, settings)
        thread = threading.Thread(target=found.run)
        thread.start()
        yield found
        found.stop()
        thread.join()


def _until(look: Callable[[], Leaderboard], good: Callable[[Leaderboard], bool], seconds: float = 90) -> Leaderboard:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = look()
        if good(found):
            return found
        time.sleep(0.05)
    raise AssertionError(f"it never happened: {found}")


def test_a_search_is_steered_while_it_goes_on(services: Services, owner: Actor, table: DatasetRead, worker: Worker) -> None:
    model = services.models.train(owner, TrainRequest(dataset=table.id, target="y", time_budget=60))

    def board() -> Leaderboard:
        return services.models.leaderboard(owner, model.id)

    _until(board, lambda found: len(found.trials) >= 2)
    assert services.models.skip(owner, model.id, SkipRequest(family="lightgbm")).skipped == ["lightgbm"]
    assert services.models.extend(owner, model.id, ExtendRequest(seconds=600)).time_budget == 660
    time.sleep(2.0)
    tried = len(board().trials)
    later = _until(board, lambda found: len(found.trials) >= tried + 3)
    latest = sorted(later.trials, key=lambda trial: trial.number)[tried:]
    assert "lightgbm" not in {trial.family for trial in latest}
    assert later.seconds_left is not None
    assert 500 < later.seconds_left < 660
    began = time.monotonic()
    services.models.stop(owner, model.id)
    stopped = _until(board, lambda found: found.status == "ready", 30)
    assert time.monotonic() - began < 8  # 2 s on a machine of one's own
    assert len(stopped.trials) >= len(later.trials)
    assert services.models.results(owner, model.id).stopped_early
    for late in (lambda: services.models.extend(owner, model.id, ExtendRequest()), lambda: services.models.skip(owner, model.id, SkipRequest(family="forest"))):
        with pytest.raises(Conflict, match="ended already"):
            late()


def test_what_cannot_be_wished(services: Services, owner: Actor, table: DatasetRead, person: Callable[[str, Role], Actor]) -> None:
    model = services.models.train(owner, TrainRequest(dataset=table.id, target="y", families=["linear", "forest"]))
    with pytest.raises(Invalid, match="not among"):
        services.models.skip(owner, model.id, SkipRequest(family="lightgbm"))
    services.models.skip(owner, model.id, SkipRequest(family="linear"))
    with pytest.raises(Conflict, match="last family"):
        services.models.skip(owner, model.id, SkipRequest(family="forest"))
    services.models.stop(owner, model.id)
    with pytest.raises(Conflict, match="stopped"):
        services.models.extend(owner, model.id, ExtendRequest(seconds=60))
    alan = person("alan", Role.analyst)
    for refused in (
        lambda: services.models.extend(alan, model.id, ExtendRequest()),
        lambda: services.models.skip(alan, model.id, SkipRequest(family="linear")),
    ):
        with pytest.raises(Denied):
            refused()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"params": {"lightgbm": {"num_leavs": 3}}}, "no parameter 'num_leavs'"),
        ({"params": {"linear": {"C": 1.0}}, "task": "regression"}, "no parameter 'C'"),
        ({"params": {"linear": 3}}, "names with values"),
        ({"params": {"forest": {"trees": 10}}, "families": ["linear"]}, "not among the families"),
        ({"metric": "zzz"}, "no metric"),
        ({"validation": "time"}, "No column holds dates"),
        ({"exclude": ["a", "b", "c"]}, "no column left"),
    ],
)
def test_wrong_wishes_are_refused_at_the_door(services: Services, owner: Actor, table: DatasetRead, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        services.models.train(owner, TrainRequest.model_validate({"dataset": table.id, "target": "y", **wrong}))
    assert services.models.list(owner).items == []


def test_targets_that_cannot_be_learned(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> None:
    rows = "\n".join(f"{n},,2024-01-{n % 28 + 1:02d},{n if n < 10 else ''}" for n in range(60))
    made = upload(owner, f"a,empty,day,few\n{rows}\n".encode(), "bad.csv")
    run_jobs()
    for target, said in (("empty", "no value in any row"), ("day", "dates or times"), ("few", "Only 10 rows")):
        with pytest.raises(TargetUnusable, match=said):
            services.models.train(owner, TrainRequest(dataset=made.id, target=target))


def test_the_names_at_the_door_are_those_of_the_families() -> None:
    for family, kind in KINDS.items():
        for task, classes in (("binary", 2), ("multiclass", 3), ("regression", 0)):
            known = kind.first(Problem(task, classes, "log_loss" if classes else "rmse", 1, 0), Shape(1000, 10))
            assert set(known) == {name for name, tasks in PARAMETERS[family].items() if task in tasks}, (family, task)
    assert MEASURES


def test_a_cancelled_training_is_not_a_failed_one(services: Services, owner: Actor, table: DatasetRead) -> None:
    model: ModelRead = services.models.train(owner, TrainRequest(dataset=table.id, target="y"))
    services.jobs.cancel(owner, model.job_id or "")
    found = services.models.get(owner, model.id)
    assert found.status == "cancelled"
    assert found.error
