"""Many processes over one PostgreSQL, killed and started again in any order: nothing runs twice, nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest

from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.services import Services, open_services
from dapp_ext.settings import Settings
from tests.servers import Redis, free_port
from tests.stories.test_team import API, SECRETS, Process, plain_environment, wait_for

pytestmark = [pytest.mark.story, pytest.mark.long]
SEED = int(os.environ.get("TORTURE_SEED", "7"))
FILES = 30
SECONDS = 40.0


@pytest.fixture
def shared(tmp_path: Path, postgres_url: str, redis_server: Redis) -> dict[str, str]:
    storage = f"file://{tmp_path / 'storage'}"
    own = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_server.url, "DAPP_STORAGE_URL": storage, "DAPP_START_WORKER": "false", **SECRETS}
    return plain_environment(tmp_path) | own


@pytest.fixture
def services(tmp_path: Path, shared: dict[str, str]) -> Iterator[Services]:
    given = Settings(home=tmp_path / "here", start_worker=False, database_url=shared["DATABASE_URL"], redis_url=shared["REDIS_URL"])
    given = replace(given, storage_url=shared["DAPP_STORAGE_URL"], secret_key=SECRETS["DAPP_SECRET_KEY"], encryption_key=SECRETS["DAPP_ENCRYPTION_KEY"])
    with open_services(given) as opened:
        yield opened


@pytest.fixture
def processes(tmp_path: Path, shared: dict[str, str], services: Services) -> Iterator[dict[str, Process]]:
    """Three workers, two services and a dashboard, each on a machine of its own."""
    made: dict[str, Process] = {}
    modules = {"worker-1": "worker", "worker-2": "worker", "worker-3": "worker", "service-1": "serve", "service-2": "serve", "dashboard": ""}
    for name, module in modules.items():
        environment = shared | {"DAPP_HOME": str(tmp_path / name), "DAPP_SERVICE_PORT": str(free_port()), "DAPP_DASHBOARD_PORT": str(free_port())}
        made[name] = Process(["-m", f"dapp_ext.{module}" if module else "dapp_panel"], environment, tmp_path / f"{name}.log")
    for each in made.values():
        each.start()
    try:
        yield made
    finally:
        for each in made.values():
            each.end(signal.SIGKILL)


def upload(services: Services, number: int) -> str:
    rows = b"".join(b"%d,%d,City %d\n" % (row, row * number % 97, row % 13) for row in range(4000))
    data = b"row,value,city\n" + rows
    incoming = services.datasets.begin_upload(services.system.shell_actor(), DatasetUpload(filename=f"file-{number}.csv", size=len(data)))
    incoming.write(data)
    return incoming.finish().id


def test_nothing_is_lost_and_nothing_runs_twice(services: Services, processes: dict[str, Process], redis_server: Redis, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    owner = services.system.shell_actor()
    port = processes["service-1"].environment["DAPP_SERVICE_PORT"]
    wait_for(f"http://127.0.0.1:{port}{API}/health/ready", processes["service-1"])
    cursor = services.events.head()
    waiting = list(range(FILES))
    made: list[str] = []
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends or waiting:
        for _ in range(chance.randrange(3)):
            if waiting:
                made.append(upload(services, waiting.pop()))
        name = chance.choice(list(processes))
        processes[name].end(chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)))
        time.sleep(chance.random())
        processes[name].start()
        if chance.random() < 0.1:
            redis_server.kill()
            redis_server.start()
        time.sleep(chance.random() * 2)
    until = time.monotonic() + 150  # a lease lasts half a minute
    while any(services.datasets.get(owner, each).status == "processing" for each in made) and time.monotonic() < until:
        time.sleep(0.5)
    undone = [job for job in services.jobs.list(owner, limit=500).items if job.status != "succeeded"]
    assert [services.datasets.get(owner, each).status for each in made] == ["ready"] * FILES, f"seed {SEED}: {undone} {services.system.status(owner).workers}"
    told = everything_after(services, cursor)
    for dataset_id in made:
        types = [type for subject, type in told if subject == dataset_id]
        assert types.count("dataset.ready") == 1, types
    assert services.audit.verify(owner).ok
    jobs = services.jobs.list(owner, limit=500).items
    assert sorted(job.status for job in jobs) == ["succeeded"] * FILES
    no_numbers_are_missing(services.settings.database_url)
    for name in ("service-1", "service-2"):
        port = processes[name].environment["DAPP_SERVICE_PORT"]
        wait_for(f"http://127.0.0.1:{port}{API}/health/ready", processes[name])
        pair = services.accounts.sign_in_owner(door="api", address="")
        headers = {"Authorization": f"Bearer {pair.access_token}"}
        answer = httpx.get(f"http://127.0.0.1:{port}{API}/datasets", params={"limit": 100}, headers=headers, trust_env=False, timeout=30)
        assert {each["id"] for each in answer.json()["items"]} == set(made)


def everything_after(services: Services, cursor: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    owner = services.system.shell_actor()
    more = True
    while more:
        page = services.events.page(owner, cursor, limit=1000)
        found += [(event.subject.id, event.type) for event in page.items]
        cursor, more = page.next, page.more
    return found


def no_numbers_are_missing(url: str) -> None:
    """The audit has no gaps; events may have them where a change was undone, but their times follow their numbers."""
    with psycopg.connect(url) as connection:
        numbers = [row[0] for row in connection.execute("SELECT id FROM audit ORDER BY id")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert connection.execute("SELECT count(*) FROM jobs WHERE deaths > 2").fetchone() == (0,)
