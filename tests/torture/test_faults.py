"""A full disk, a device that fails, a database that cannot be written: the declared answer, nothing half done, and well again by itself.

How the faults are made: a real limit on file size (``RLIMIT_FSIZE``) in a process of its own; the calls of the operating
system that write objects, keys and backups, failing at the first, second, third … time until the work succeeds; and for
the database SQLite's own ``max_page_count`` and ``query_only``, which make the library answer as on a full or read-only disk.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from dapp_ext.errors import DappError, KeyWrong, StorageFull, Unavailable
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.datasets import DatasetRead, DatasetUpdate, DatasetUpload, RowsRequest
from dapp_ext.services import BackupKey, Services, open_services
from dapp_ext.settings import Settings
from dapp_ext.store import backups

DATA = b"a,b\n" + b"1,2\n" * 9000
KEY = BackupKey("0123456789abcdefghijklmnopqrstuvwxyz", is_passphrase=False)


def upload(services: Services, owner: Actor, data: bytes = DATA) -> DatasetRead:
    incoming = services.datasets.begin_upload(owner, DatasetUpload(filename="table.csv"))
    try:
        incoming.write(data)
        return incoming.finish()
    except BaseException:
        incoming.abort()
        raise


LIMITED = """
import json, resource, signal, sys
from pathlib import Path
from dapp_ext.errors import DappError
from dapp_ext.services import open_services
from dapp_ext.settings import Settings
from tests.torture.test_faults import DATA, upload
said = []
with open_services(Settings(home=Path(sys.argv[1]), start_worker=False)) as services:
    owner = services.system.shell_actor()
    large = DATA * 40
    def attempt():
        try:
            said.append(["done", upload(services, owner, large).id])
        except DappError as error:
            said.append([error.code, ""])
        said.append(["listed", str(len(services.datasets.list(owner).items))])
    attempt()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
    attempt()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    attempt()
    assert services.audit.verify(owner).ok
    assert not list((Path(sys.argv[1]) / "objects" / "staging").iterdir())
print(json.dumps(said))
"""


def test_a_full_disk_by_a_real_limit(settings: Settings) -> None:
    assert resource.RLIMIT_FSIZE
    assert signal.SIGXFSZ
    open_services(settings).close()
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", LIMITED, str(settings.home)], capture_output=True, text=True, timeout=120, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert [each[0] for each in said] == ["done", "listed", "storage_full", "listed", "done", "listed"]
    assert [each[1] for each in said if each[0] == "listed"] == ["1", "1", "2"]


class Fault:
    """Lets the k-th of certain calls fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, number: int, at: int) -> None:
        self.calls = itertools.count(1)
        self.fired = False
        real = getattr(os, name)

        def call(*given: Any, **more: Any) -> Any:
            if next(self.calls) == at:
                self.fired = True
                raise OSError(number, os.strerror(number))
            return real(*given, **more)

        monkeypatch.setattr(os, name, call)


def acts(services: Services, owner: Actor, folder: Path) -> dict[str, Callable[[int], Any]]:
    """What is done while calls fail; each gets a number that makes its names new."""

    def delete(_: int) -> None:
        services.datasets.delete(owner, services.datasets.list(owner).items[-1].id)

    return {
        "upload": lambda _: upload(services, owner),
        "delete": delete,
        "rotate": lambda _: services.keys.rotate(owner),
        "backup": lambda number: services.backups.create(owner, folder / f"backup {number}", KEY),
    }


SWEEPS = [
    *(("upload", name, number) for name, number in (("fsync", errno.EIO), ("write", errno.ENOSPC), ("replace", errno.EIO), ("open", errno.EMFILE))),
    *(("backup", name, number) for name, number in (("fsync", errno.EIO), ("write", errno.ENOSPC), ("link", errno.EIO))),
    *(("rotate", name, number) for name, number in (("fsync", errno.EIO), ("open", errno.EMFILE))),
    *(("delete", name, number) for name, number in (("fsync", errno.EIO), ("open", errno.EMFILE))),
]


@pytest.mark.parametrize(("act", "name", "number"), SWEEPS)
def test_every_call_fails_once(services: Services, settings: Settings, owner: Actor, tmp_path: Path, act: str, name: str, number: int) -> None:
    run = acts(services, owner, tmp_path)[act]
    for _ in range(3):
        upload(services, owner)
    failures = 0
    for at in itertools.count(1):
        if act == "delete":
            upload(services, owner)
        with pytest.MonkeyPatch.context() as patch:
            before = {each.id for each in services.datasets.list(owner, limit=500).items}
            fault = Fault(patch, name, number, at)
            try:
                run(at)
                failed = False
            except (Unavailable, KeyWrong):
                failed = True  # said as what it is: a disk that is full, a device that does not take it; never as done
        after = {each.id for each in services.datasets.list(owner, limit=500).items}
        if act == "upload":
            assert len(after - before) == (0 if failed else 1)
        check(services, settings, owner)
        failures += failed
        if not fault.fired:
            break
        assert at < 60
    run(10_000)  # well again by itself
    assert not list((settings.objects_folder / "staging").iterdir())
    # A deletion is done once its key is gone; files that cannot be removed then are swept away later.
    assert failures == 0 if act == "delete" else failures > 0


def check(services: Services, settings: Settings, owner: Actor) -> None:
    """Whatever is known is whole and opens, in this process and in a new one."""
    with services.context.database.read() as session:
        known = backups.known_files(session)
    for name in known:
        assert (settings.objects_folder / name).is_file(), name
    with open_services(settings) as fresh:
        for each in fresh.datasets.list(owner, limit=500).items[:3]:
            assert b"".join(fresh.datasets.original(owner, each.id).chunks) == DATA


@contextmanager
def pragma(services: Services, on: str, off: str) -> Iterator[None]:
    """A setting of SQLite on every connection of these services."""
    engine = services.context.database.engine

    def set_it(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(f"PRAGMA {on}")

    def unset_it(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA {off}")

    event.listen(engine, "checkout", set_it)
    event.listen(engine, "checkin", unset_it)
    try:
        yield
    finally:
        event.remove(engine, "checkout", set_it)
        event.remove(engine, "checkin", unset_it)


@pytest.mark.parametrize(
    ("on", "off", "kind"),
    [("query_only=ON", "query_only=OFF", Unavailable), ("max_page_count=1", "max_page_count=1073741823", StorageFull)],
    ids=["read-only", "full"],
)
def test_a_database_that_takes_no_writes(
    services: Services, owner: Actor, add_dataset: Callable[..., DatasetRead], on: str, off: str, kind: type[DappError]
) -> None:
    dataset = add_dataset()
    rows = services.datasets.rows(owner, dataset.id, RowsRequest())
    services.context._reads.clear()
    count = services.audit.head(owner).seq
    with pragma(services, on, off):
        # A full database takes small rows as long as its last pages have room, so there are many.
        with pytest.raises(kind):
            for number in range(400):
                services.datasets.update(owner, dataset.id, DatasetUpdate(name=f"{'long ' * 30}{number}"))
        with pytest.raises(kind):
            for _ in range(400):
                upload(services, owner)
        assert services.datasets.rows(owner, dataset.id, RowsRequest()) == rows  # reading goes on
        if kind is Unavailable:
            assert not services.system.ready()
    assert services.system.ready()
    assert services.datasets.update(owner, dataset.id, DatasetUpdate(name="well again")).name == "well again"
    assert services.audit.verify(owner).ok
    assert services.audit.head(owner).seq > count
    assert not list((services.settings.objects_folder / "staging").iterdir())
