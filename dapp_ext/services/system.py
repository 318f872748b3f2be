"""The running platform: its processes, where they answer, and whether it is ready."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import psutil

from dapp_ext import __version__
from dapp_ext.errors import DappError
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.base import now
from dapp_ext.schema.system import NumbersRead, StatusRead, WorkerRead
from dapp_ext.services.context import Context
from dapp_ext.services.maintenance import read_maintenance
from dapp_ext.services.pace import Pace
from dapp_ext.settings import PYTHON, Settings, process_environment
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import backups, feed, queue
from dapp_ext.store import datasets as datasets_store
from dapp_ext.store.folders import make_private, open_private

log = logging.getLogger(__name__)
AddressKind = Literal["api", "jupyterlab", "dashboard", "service"]
KEEPER_SECONDS = 3.0
# Longer than any upload or job takes: a file that is just being made is left alone.
SWEEP_AGE_SECONDS = 24 * 3600.0
ISOLATION = "none: kernels run as the same user as this server, so roles are guard rails here, not walls"
ISOLATED = "service: no kernel runs under the account that holds the keys, so roles are walls"


class System:
    """The service."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.pace = Pace(context.settings)

    @property
    def settings(self) -> Settings:
        return self._context.settings

    def status(self, actor: Actor) -> StatusRead:
        """Addresses, isolation, workers, the length of the queue, and how long answers take."""
        self._context.permit(actor, "system.read")
        with self._context.database.read() as session:
            workers = queue.recent_workers(session)
            counts = queue.counts(session)
            maintained = read_maintenance(session)
            waits = queue.waits(session)
        addresses, here = self.addresses(), socket.gethostname()
        return StatusRead(
            version=__version__,
            home=str(self._context.settings.home) if actor.role is Role.admin else "",
            isolation=ISOLATED if "service" in addresses and "jupyterlab" not in addresses else ISOLATION,
            api=addresses.get("api"),
            jupyterlab=addresses.get("jupyterlab"),
            dashboard=addresses.get("dashboard"),
            workers=[WorkerRead.model_validate(row.model_dump()) for row in workers if row.host != here or _runs(row.pid)],
            maintenance=maintained,
            latency=self.pace.read(waits),
            **counts,
        )

    def numbers(self, actor: Actor) -> NumbersRead:
        """What a monitoring system watches."""
        self._context.permit(actor, "system.read")
        redis = self._context.redis
        with self._context.database.read() as session:
            oldest = queue.oldest_queued(session)
            objects, stored = datasets_store.stored(session)
            return NumbersRead(
                **queue.counts(session),
                oldest_queued_seconds=max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0,
                workers=len(queue.recent_workers(session)),
                events=feed.head(session),
                objects=objects,
                stored_bytes=stored,
                cached_bytes=self._context.frames.held_bytes,
                shared_cache=None if redis is None else redis.answers,
            )

    def ready(self) -> bool:
        """Whether the database takes writes and the keys are here."""
        try:
            with self._context.database.write() as session:
                queue.counts(session)
        except DappError as error:
            log.warning("Not ready: %s", error.message)
            return False
        return True

    def sweep(self) -> list[str]:
        """Clear away what killed processes left behind; asked by a worker now and then.

        Returns the names of objects that no row knows; they are kept in quarantine for a week.
        """
        with self._context.database.read() as session:
            known = backups.known_files(session)
        moved = self._context.objects.sweep(known, SWEEP_AGE_SECONDS)
        if moved:
            log.warning("%d stored files that nothing knows were put into quarantine", len(moved))
        return moved

    def shell_actor(self) -> Actor:
        """Who works at the machine's own shell: whoever can read the home folder rules it anyway."""
        with self._context.database.read() as session:
            owner = accounts_store.owner(session)
        assert owner is not None
        return Actor(account_id=owner.id, email=owner.email, name=owner.name, role=Role.admin, door="cli")

    @contextmanager
    def announce_address(self, kind: AddressKind, url: str) -> Iterator[None]:
        """Let other processes of this home find this one, as long as the block lasts."""
        folder = self._context.settings.run_folder
        make_private(folder)
        path = folder / f"{kind}-{os.getpid()}.json"
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps({"kind": kind, "url": url.rstrip("/"), "pid": os.getpid()}), "utf-8")
        temporary.chmod(0o600)
        temporary.replace(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

    def addresses(self) -> dict[str, str]:
        """Where the processes of this home answer, by kind; those that are gone are left out."""
        found: dict[str, str] = {}
        for path in sorted(self._context.settings.run_folder.glob("*-*.json"), key=lambda each: each.stat().st_mtime if each.exists() else 0.0):
            with contextlib.suppress(OSError, ValueError, KeyError):
                given = json.loads(path.read_text("utf-8"))
                if _runs(given["pid"]):
                    found[given["kind"]] = given["url"]
                else:
                    path.unlink(missing_ok=True)
        return found

    def dashboard_address(self) -> str | None:
        """Where people open the dashboard: as configured, or where one answers now."""
        found = self._context.settings.dashboard_url or self.addresses().get("dashboard")
        return found.rstrip("/") if found else None


class WorkerKeeper:
    """Sees to it that a home has a worker, as long as this server runs. The worker ends with it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="dapp-worker-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop the worker that this one started."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if (self._process is None or self._process.poll() is not None) and self._is_free():
                command = [*PYTHON, "-m", "dapp_ext.worker", "--if-free", "--parent", str(os.getpid())]
                self._process = subprocess.Popen(command, env=process_environment(self._settings), stdin=subprocess.DEVNULL, start_new_session=True)
            self._stopping.wait(KEEPER_SECONDS)

    def _is_free(self) -> bool:
        path = self._settings.run_folder / "worker.lock"
        make_private(path.parent)
        with open_private(path) as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
