"""The worker: claims jobs, runs each in a process of its own, tells how it goes.

It can be killed at any moment: what it had claimed is found by another worker, or by the next one, and done again.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import psutil

from dapp_ext import logs
from dapp_ext.errors import DappError, Internal, JobCancelled
from dapp_ext.schema.jobs import JobKind
from dapp_ext.services import Services, open_services
from dapp_ext.services.allocation import cores
from dapp_ext.services.children import Child, ChildDied, Limits, start_fork_server
from dapp_ext.services.jobs import Jobs
from dapp_ext.services.work import Progress, Wanted
from dapp_ext.settings import Settings, hide_secrets, read_settings
from dapp_ext.store.folders import make_private, open_private
from dapp_ext.store.queue import HEARTBEAT_SECONDS
from dapp_ext.store.tables import Job

log = logging.getLogger("dapp.worker")
IDLE_SECONDS = 2.0
RECOVER_SECONDS = 5.0
SWEEP_SECONDS = 1800.0
WISHES_SECONDS = 0.5
# Reading a file or scoring one must not wait behind a training that takes an hour: they have a place of their own.
LONG: tuple[JobKind, ...] = ("train",)
SHORT: tuple[JobKind, ...] = ("ingest", "fix", "predict", "register", "rescore")
SHORT_PLACES = 1


class _LostLease(Exception):
    """Somebody else holds the job by now."""


class Worker:
    """Runs up to ``settings.workers`` trainings and one shorter job at the same time until it is told to stop."""

    def __init__(self, services: Services, settings: Settings, *, parent: int | None = None) -> None:
        self._services = services
        self._settings = settings
        self._parent = parent
        self._stopping = threading.Event()
        self._places = {kinds: threading.BoundedSemaphore(count) for kinds, count in ((LONG, settings.workers), (SHORT, SHORT_PLACES))}
        self._me = services.jobs.enlist()
        self._children = start_fork_server(max(1, cores() // settings.workers))
        self._threads: set[threading.Thread] = set()
        memory = settings.job_memory or psutil.virtual_memory().total // 2
        self._limits = {
            "ingest": Limits(memory, settings.parse_seconds),
            "fix": Limits(memory, settings.parse_seconds),
            "train": Limits(memory),
            "predict": Limits(memory),
            "register": Limits(memory, settings.parse_seconds),
            "rescore": Limits(memory, settings.parse_seconds),
        }

    def stop(self) -> None:
        """Finish as soon as possible; running jobs are given back."""
        self._stopping.set()
        self._services.bell.wake()

    def run(self) -> None:
        """Claim and run jobs until told to stop."""
        log.info("Worker %s waits for jobs", self._me.id)
        self._warm_up()
        reported = recovered = 0.0
        swept = time.monotonic() - SWEEP_SECONDS
        while not self._stopping.is_set() and not self._is_orphan():
            moment = time.monotonic()
            try:
                if moment - recovered > RECOVER_SECONDS:
                    recovered = moment
                    self._services.jobs.recover()
                if moment - reported > HEARTBEAT_SECONDS:
                    reported = moment
                    self._me.jobs = len(self._threads)
                    self._services.jobs.report(self._me)
                self._services.herald.look_soon()
                if moment - swept > SWEEP_SECONDS:
                    swept = moment
                    threading.Thread(target=self._sweep, name="sweep", daemon=True).start()
                for kinds in self._places:
                    while self._start_one(kinds):
                        pass
            except DappError as error:
                log.warning("The queue does not answer and is asked again: %s", error.message)
            self._services.bell.wait(IDLE_SECONDS)
        self._stopping.set()
        for thread in list(self._threads):
            thread.join(10)
        self._services.jobs.leave(self._me)

    def _sweep(self) -> None:
        """Clear away what killed processes left; beside the queue, since a large home takes a while."""
        try:
            self._services.trash.purge()
            self._services.system.sweep()
        except DappError as error:
            log.warning("What killed processes left could not be cleared away: %s", error.message)

    def _warm_up(self) -> None:
        """Start the fork server now, so that the first job need not wait for it.

        On a thread, since the first start lasts until all libraries are loaded, and a signal must be heard meanwhile.
        """

        def start() -> None:
            process = self._children.Process(target=_nothing, daemon=True)
            process.start()
            process.join()

        threading.Thread(target=start, name="warm-up", daemon=True).start()

    def _is_orphan(self) -> bool:
        return self._parent is not None and not psutil.pid_exists(self._parent)

    def _start_one(self, kinds: tuple[JobKind, ...]) -> bool:
        place = self._places[kinds]
        if self._stopping.is_set() or not place.acquire(blocking=False):
            return False
        try:
            job = self._services.jobs.claim(self._me, kinds)
        except BaseException:
            place.release()
            raise
        if job is None:
            place.release()
            return False
        thread = threading.Thread(target=self._run_and_release, args=(job, place), name=f"job-{job.id}")
        self._threads.add(thread)
        thread.start()
        return True

    def _run_and_release(self, job: Job, place: threading.BoundedSemaphore) -> None:
        try:
            self._run(job)
        finally:
            self._threads.discard(threading.current_thread())
            place.release()
            self._services.bell.wake()

    def _run(self, job: Job) -> None:
        logs.JOB_ID.set(job.id)  # this thread is the job's own
        jobs = self._services.jobs
        try:
            self._work(job)
        except _LostLease:
            log.warning("Job %s is somebody else's by now", job.id)
        except ChildDied as death:
            if self._stopping.is_set():
                jobs.release(job)
            else:
                log.warning("The process of job %s died: %s", job.id, death)
                jobs.lost(job)
        except JobCancelled as error:
            jobs.fail(job, error.code, error.message, "cancelled")
        except DappError as error:
            log.info("Job %s failed: %s", job.id, error.code)
            jobs.fail(job, error.code, error.message)
        except Exception as error:  # noqa: BLE001  a defect of ours must end the job, not the worker
            log.error("Job %s failed in an unforeseen way:\n%s", job.id, logs.outline(error))
            jobs.fail(job, Internal.code, Internal.sentence)

    def _work(self, job: Job) -> None:
        settling = self._services.settling
        settling.begin(job)
        child = Child(self._children, settling.order(job), self._limits[job.kind])
        made = child.run(lambda message: self._hear(job, message), _Look(self._services.jobs, job, child, self._stopping))
        settling.settle(job, made)

    def _hear(self, job: Job, message: Any) -> None:
        if isinstance(message, Progress):
            self._services.jobs.progress(job, message.fraction, message.message)
        else:
            self._services.settling.hear(job, message)


class _Look:
    """Keeps the lease of a running job and brings what people want to its process."""

    def __init__(self, jobs: Jobs, job: Job, child: Child, stopping: threading.Event) -> None:
        self._jobs, self._job, self._child, self._stopping = jobs, job, child, stopping
        self._beaten = self._looked = time.monotonic()
        self._told = Wanted()

    def __call__(self) -> None:
        moment = time.monotonic()
        if self._stopping.is_set():
            raise ChildDied("the worker is being stopped")
        if moment - self._beaten > HEARTBEAT_SECONDS:
            self._beaten = moment
            wishes = self._jobs.beat(self._job)
        elif moment - self._looked > WISHES_SECONDS:
            wishes = self._jobs.wishes(self._job)
        else:
            return
        self._looked = moment
        if not wishes.held:
            raise _LostLease
        if wishes.cancel:
            raise JobCancelled
        if wishes.wanted != self._told:
            self._told = wishes.wanted
            self._child.tell(wishes.wanted)


def _nothing() -> None:
    """Work of the process that only starts the fork server."""


@contextlib.contextmanager
def _place(folder: Path, *, only_if_free: bool) -> Any:
    """Hold this home's place for a worker; yields whether there is one to hold."""
    make_private(folder)
    with open_private(folder / "worker.lock") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _note_pid(handle)
            yield True
        except BlockingIOError:
            yield not only_if_free


def _note_pid(handle: TextIO) -> None:
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()


def run_worker(settings: Settings, *, only_if_free: bool = False, parent: int | None = None) -> int:
    """Run a worker in this process until a signal ends it; returns its exit code."""
    logs.set_up(settings)
    with _place(settings.run_folder, only_if_free=only_if_free) as free:
        if not free:
            return 0
        with open_services(settings) as services:
            worker = Worker(services, settings, parent=parent)

            def stop(_number: int, _frame: FrameType | None) -> None:
                worker.stop()

            signal.signal(signal.SIGTERM, stop)
            signal.signal(signal.SIGINT, stop)
            worker.run()
    return 0


def main() -> int:
    """``python -m dapp_ext.worker``: how the other processes start one."""
    parser = argparse.ArgumentParser(description="Run a DAPP worker.")
    parser.add_argument("--if-free", action="store_true", help="end at once when this home has a worker already")
    parser.add_argument("--parent", type=int, help="end when this process ends")
    given = parser.parse_args()
    try:
        settings = read_settings()
        hide_secrets()  # before the fork server starts, which hands its environment to every job
        return run_worker(settings, only_if_free=given.if_free, parent=given.parent)
    except DappError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
