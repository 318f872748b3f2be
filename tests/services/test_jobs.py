"""Jobs: claimed once, fenced, recovered, cancelled."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from dapp_ext.errors import Conflict, Denied, JobNotFound
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.base import new_id
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.services import Services, open_services
from dapp_ext.settings import Settings
from dapp_ext.store import queue
from dapp_ext.store.tables import Job, Worker

Upload = Callable[..., DatasetRead]
DATA = b"a,b\n1,2\n"


def _worker(services: Services, pid: int | None = None) -> Worker:
    worker = services.jobs.enlist()
    if pid is not None:
        worker.pid = pid
        worker.id = new_id()
        services.jobs.report(worker)
    return worker


def test_each_job_is_claimed_once(settings: Settings, services: Services, owner: Actor, upload: Upload) -> None:
    made = {upload(owner, DATA).job_id for _ in range(12)}
    claimed: list[Job] = []

    def take() -> None:
        with open_services(settings) as mine:
            worker = mine.jobs.enlist()
            while (job := mine.jobs.claim(worker)) is not None:
                claimed.append(job)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(job.id for job in claimed) == sorted(job_id for job_id in made if job_id)
    assert {job.attempt for job in claimed} == {1}


def test_a_lost_lease_fences_the_old_worker(services: Services, owner: Actor, upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(owner, DATA)
    first = services.jobs.claim(_worker(services))
    assert first is not None
    assert services.jobs.beat(first).held
    real = queue.time.time
    monkeypatch.setattr(queue.time, "time", lambda: real() + 31)
    services.jobs.recover()
    second = services.jobs.claim(_worker(services))
    assert second is not None
    assert (second.id, second.attempt) == (first.id, 2)
    assert not services.jobs.beat(first).held
    services.jobs.fail(first, "internal", "late words of the first")
    assert services.jobs.get(owner, first.id).status == "running"


def test_work_of_a_vanished_process_is_found_without_waiting(services: Services, owner: Actor, upload: Upload) -> None:
    dead = os.fork()
    if dead == 0:
        os._exit(0)
    os.waitpid(dead, 0)
    upload(owner, DATA)
    job = services.jobs.claim(_worker(services, pid=dead))
    assert job is not None
    services.jobs.recover()
    assert services.jobs.get(owner, job.id).status == "queued"


def test_three_deaths_end_a_job_and_say_so(services: Services, owner: Actor, upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "RETRY_AFTER_SECONDS", 0.0)
    dataset = upload(owner, DATA)
    for _ in range(3):
        job = services.jobs.claim(_worker(services))
        assert job is not None
        services.jobs.lost(job)
    ended = services.jobs.get(owner, dataset.job_id or "")
    assert (ended.status, ended.attempt) == ("dead", 3)
    failed = services.datasets.get(owner, dataset.id)
    assert failed.status == "failed"
    assert failed.error is not None
    assert "again and again" in failed.error


def test_a_job_is_not_blamed_for_the_end_of_its_worker(services: Services, owner: Actor, upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines restart, and workers are killed for reasons of their own; only a job that outlives none of many is given up."""
    dataset = upload(owner, DATA)
    real = queue.time.time
    for number in range(1, queue.ATTEMPTS_UNTIL_DEAD + 1):
        assert services.jobs.get(owner, dataset.job_id or "").status == "queued"
        job = services.jobs.claim(_worker(services))
        assert job is not None
        assert job.attempt == number
        monkeypatch.setattr(queue.time, "time", lambda number=number: real() + 31 * number)
        services.jobs.recover()
    assert services.jobs.get(owner, dataset.job_id or "").status == "dead"


def test_cancel_a_waiting_job(services: Services, owner: Actor, upload: Upload) -> None:
    dataset = upload(owner, DATA)
    assert services.jobs.cancel(owner, dataset.job_id or "").status == "cancelled"
    assert services.jobs.cancel(owner, dataset.job_id or "").status == "cancelled"
    assert services.datasets.get(owner, dataset.id).status == "failed"
    assert services.jobs.claim(_worker(services)) is None


def test_cancel_what_may_not_or_cannot_be_cancelled(services: Services, owner: Actor, person: Callable[[str, Role], Actor], upload: Upload) -> None:
    dataset = upload(owner, DATA)
    with pytest.raises(Denied):
        services.jobs.cancel(person("alan", Role.analyst), dataset.job_id or "")
    with pytest.raises(JobNotFound):
        services.jobs.cancel(owner, new_id())
    job = services.jobs.claim(_worker(services))
    assert job is not None
    services.jobs.fail(job, "file_unreadable", "no table in it")
    with pytest.raises(Conflict):
        services.jobs.cancel(owner, job.id)


def test_short_work_does_not_wait_behind_long_work(services: Services, owner: Actor, upload: Upload) -> None:
    upload(owner, DATA)
    worker = _worker(services)
    assert services.jobs.claim(worker, ("train",)) is None
    job = services.jobs.claim(worker, ("ingest", "predict"))
    assert job is not None
    assert job.kind == "ingest"


def test_owners_take_turns(services: Services, owner: Actor, person: Callable[[str, Role], Actor], upload: Upload) -> None:
    ada = person("ada", Role.analyst)
    for _ in range(3):
        upload(owner, DATA)
    upload(ada, DATA)
    worker = _worker(services)
    order = [job.owner_id for _ in range(4) if (job := services.jobs.claim(worker)) is not None]
    assert order[:2] == [owner.account_id, ada.account_id]
