"""Random processes of the running product are killed while it works: nothing that it answered "done" to may be lost."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import time
from pathlib import Path

import psutil
import pytest
from sqlmodel import select

from dapp_ext.errors import DatasetNotFound
from dapp_ext.schema.accounts import AccountCreate, Actor, Role
from dapp_ext.schema.jobs import FINAL_JOB_STATUSES
from dapp_ext.services import Services, open_services
from dapp_ext.services.backups import read_through
from dapp_ext.services.files import file_key
from dapp_ext.settings import Settings
from dapp_ext.store import backups
from dapp_ext.store.tables import Job, StoredFile
from tests.stories.conftest import Running, start, stop
from tests.torture.havoc import Book, Http, Inside, Visitor, Watch, kill_all, kill_one, summary

SHORT, LONG = 10, 100
RECOVERED_SECONDS = 35.0
# A JupyterLab that is started again on a busy machine takes its time; how long is no matter of this test.
COMES_BACK_SECONDS = 150.0
HTTP_ACTS = ("upload", "delete", "train", "role")
ALL_ACTS = (*HTTP_ACTS, "upload inside", "rotation", "rotation of the signing key")
EVERY_TIME = ("upload", "upload inside", "role")
# In so many rounds chance brings each of them.
LONG_ENOUGH = 25
# So often everything dies at once, the process that keeps the others running among it, and somebody starts it anew.
ALL_DIE = 0.08


@pytest.mark.story
def test_ten_rounds(tmp_path: Path) -> None:
    torture(tmp_path, SHORT, random.randrange(2**32), all_die=0.0)


@pytest.mark.story
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_hundred_rounds(tmp_path: Path) -> None:
    torture(tmp_path, int(os.environ.get("TORTURE_ROUNDS", LONG)), int(os.environ.get("TORTURE_SEED", random.randrange(2**32))), all_die=ALL_DIE)


def torture(base: Path, rounds: int, seed: int, *, all_die: float) -> None:
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    (base / "work").mkdir()
    running = start(base / "home", base / "work")
    book, killed = Book(), list[str]()
    try:
        with open_services(Settings(home=base / "home", start_worker=False)) as services:
            owner = services.system.shell_actor()
            for name in ("ann", "bob", "cyn"):
                made = services.accounts.create(owner, AccountCreate(email=f"{name}@example.org", name=name, role=Role.viewer, password=None))
                book.roles[made.id] = {"viewer"}
            http, inside = Http(book, running.address("jupyterlab"), services), Inside(book, services, owner)
            visitors = [
                Visitor(book, seed, [http.upload, http.upload, http.delete, http.train, http.change_role, http.change_role]),
                Visitor(book, seed + 1, [inside.upload, inside.rotate, inside.rotate_signing]),
            ]
            watch = Watch(services)
            for each in (*visitors, watch):
                each.start()
            root = psutil.Process(running.process.pid)
            for number in range(rounds):
                visitors[1].pausing.set() if number % 2 else visitors[1].pausing.clear()  # a rest for the queue
                wait_for_answers(book, running, killed)
                time.sleep(chance.uniform(0.0, 1.2))
                if chance.random() < all_die:
                    watch.resting.set()
                    killed.append(kill_all(root))
                    running.process.communicate(timeout=10)
                    running = start(base / "home", base / "work")
                    watch.resting.clear()
                    root, http.address = psutil.Process(running.process.pid), running.address("jupyterlab")
                else:
                    killed.append(kill_one(root, chance))
                assert running.process.poll() is None, "\n".join(running.lines) + running.logs()
            for each in visitors:
                each.ending.set()
            for each in visitors:
                each.join(60)
            http.close()
            settle(services, RECOVERED_SECONDS)
            watch.ending.set()
            watch.join()
            print(summary(book, killed, watch.longest))  # noqa: T201
            assert book.refused == []
            assert watch.longest <= RECOVERED_SECONDS
            idle = [what for what in (ALL_ACTS if rounds >= LONG_ENOUGH else EVERY_TIME) if not book.done.get(what)]
            assert not idle, f"a hand that kills while nothing goes on shows nothing: {idle}"
            check(services, owner, book)
    finally:
        code = stop(running)
    assert code == 0, running.logs()
    database = sqlite3.connect(base / "home" / "dapp.sqlite")
    assert backups.faults_of(database) == []
    database.close()


def wait_for_answers(book: Book, running: Running, killed: list[str]) -> None:
    """Let the visitors get something done between two killings: a product that is only down loses nothing."""
    until, before = time.monotonic() + COMES_BACK_SECONDS, sum(book.done.get(what, 0) for what in HTTP_ACTS)
    while sum(book.done.get(what, 0) for what in HTTP_ACTS) < before + 3:
        assert time.monotonic() < until, f"the product did not come back after {killed[-5:]}\n{running.logs()}"
        time.sleep(0.05)


def settle(services: Services, seconds: float) -> None:
    """Wait until no job is in the hands of a process that is gone."""
    until = time.monotonic() + seconds
    while True:
        with services.context.database.read() as session:
            alone = [job.id for job in session.exec(select(Job).where(Job.status == "running")) if (job.lease_until or 0) < time.time()]
            interrupted = [job.id for job in session.exec(select(Job).where(Job.status == "queued", Job.attempt > 0))]
        if not alone and not interrupted:
            return
        assert time.monotonic() < until, (alone, interrupted)
        time.sleep(0.5)


def check(services: Services, owner: Actor, book: Book) -> None:
    """Everything in the book is true, everything stored is whole."""
    for dataset, digest in book.uploads.items():
        try:
            data = b"".join(services.datasets.original(owner, dataset).chunks)
        except DatasetNotFound:
            assert dataset in book.doubtful, "an acknowledged upload is lost"
            continue
        assert hashlib.sha256(data).hexdigest() == digest
        assert dataset not in book.deleted, "an acknowledged delete was lost"
    roles = {each.id: each.role.value for each in services.accounts.list(owner)}
    for account, allowed in book.roles.items():
        assert roles[account] in allowed, "an acknowledged change of a role was lost"
    for model, job in book.models.items():
        assert services.models.get(owner, model).job_id == job
        assert services.jobs.get(owner, job).status in (*FINAL_JOB_STATUSES, "running", "queued")
    with services.context.database.read() as session:
        stored = list(session.exec(select(StoredFile)))
        for row in stored:
            path = services.context.objects.path_for(row.id, row.version, row.purpose)
            assert path.is_file(), f"half an object: {path.name} is known but not there"
            if not row.sha256 or row.sha256 != hashlib.sha256(path.read_bytes()).hexdigest():
                raise AssertionError(f"half an object: {path.name} is not what was written")
            own = services.context.own_key(session, row.id)
            read_through(path, row, own or file_key(services.context.data_key(session, row.subject_id), row.id))
    assert services.audit.verify(owner).ok
    final = services.keys.rotate(owner)
    assert {key.wraps for key in final.keys if key.state != "active"} <= {0}
    for old in [key.kid for key in final.keys if key.state == "old"]:
        services.keys.retire(owner, old)
