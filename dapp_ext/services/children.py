"""A process for each job: forked from a server that has the learning libraries loaded, watched, ended at will.

The fork server is started once per worker; a job's process is ready in about 0.02 s. It leads a process group of its
own, so that it ends with everything it started. It also ends by itself when its worker is gone: its pipe closes.
Memory is bounded by looking at what is really used, since a limit on address space breaks Arrow's and numba's pools.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from dapp_ext.errors import DappError, Internal, MemoryExceeded, TimeExceeded
from dapp_ext.logs import outline
from dapp_ext.services.allocation import keep_loaded, keep_memory
from dapp_ext.services.work import FixOrder, IngestOrder, Order, Say, TrainOrder, Wanted, perform

log = logging.getLogger(__name__)
POLL_SECONDS = 0.2
TERMINATE_SECONDS = 3.0
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


class ChildDied(Exception):
    """The process ended without an answer; says with which exit code."""


@dataclass(frozen=True)
class Done:
    value: Any


@dataclass(frozen=True)
class Failed:
    error: DappError


@dataclass(frozen=True)
class Limits:
    """``memory`` in bytes, ``seconds`` of wall time or None for no limit."""

    memory: int
    seconds: float | None = None


def start_fork_server(threads: int) -> Any:
    """The context that children are made from, with the libraries loaded ahead."""
    # Threads that wait spinning make a training many times slower when other programs want the cores too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)  # read when the libraries load, so it is set before
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dapp_ext.services.preload"])
    return context


class Child:
    """One order being worked on."""

    def __init__(self, context: Any, order: Order, limits: Limits) -> None:
        self._limits = limits
        self._began = time.monotonic()
        self._here, there = context.Pipe()
        self._process = context.Process(target=_main, args=(there,), daemon=False)
        self._process.start()
        there.close()
        self._here.send(order)

    def tell(self, wanted: Wanted) -> None:
        """Say what people want of it: to finish with what it has, to go on longer, to leave a family out."""
        with contextlib.suppress(OSError):
            self._here.send(wanted)

    def run(self, hear: Say, look: Callable[[], None]) -> Any:
        """Wait for the result.

        Parameters
        ----------
        hear : callable
            Gets everything that the child tells.
        look : callable
            Called about five times a second; raises to end the child.

        Raises
        ------
        DappError
            What the child raised, or ``MemoryExceeded``, ``TimeExceeded``.
        ChildDied
            When it ended without a word.
        """
        try:
            while True:
                message = self._next()
                if isinstance(message, Done):
                    return message.value
                if isinstance(message, Failed):
                    raise message.error
                if message is not None:
                    hear(message)
                look()
                self._check_limits()
        finally:
            self.end()

    def _next(self) -> Any:
        try:
            if self._here.poll(POLL_SECONDS):
                return self._here.recv()
        except (EOFError, OSError) as error:
            self._process.join(TERMINATE_SECONDS)
            raise ChildDied(f"exit code {self._process.exitcode}") from error
        return None

    def _check_limits(self) -> None:
        if self._limits.seconds is not None and time.monotonic() - self._began > self._limits.seconds:
            raise TimeExceeded(f"The work took longer than {self._limits.seconds / 60:,.0f} minutes and was stopped.")
        try:
            process = psutil.Process(self._process.pid)
            used = sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
        except psutil.Error:
            return
        if used > self._limits.memory:
            raise MemoryExceeded

    def end(self) -> None:
        """End the process and everything that it started; at once when it does not go by itself."""
        self._here.close()
        if self._process.is_alive():
            self._signal(signal.SIGTERM)
            self._process.join(TERMINATE_SECONDS if not self._process.is_alive() else 0.2)
        if self._process.is_alive():
            self._signal(signal.SIGKILL)
        self._process.join(TERMINATE_SECONDS)

    def _signal(self, number: int) -> None:
        pid = self._process.pid
        assert pid is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)  # it may not have become a leader yet


def step_back(steps: int) -> None:
    """Let all other processes come first, by so many steps.

    Linux weighs sessions against each other where it groups by them (autogroup): then a process's own nice level counts
    within its session only, and the session has one of its own. Batch work also does not push aside what has just woken up.
    """
    level = os.nice(steps)
    with contextlib.suppress(OSError, AttributeError):  # another system, or one without groups
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    for _ in range(3):
        try:
            Path("/proc/self/autogroup").write_text(str(level))
            return
        except BlockingIOError:  # one change in a tenth of a second on the whole machine
            time.sleep(0.11)
        except OSError:
            return


def _main(pipe: Connection) -> None:
    """The child: one order in, messages out."""
    os.setsid()  # a group of its own, for the system's scheduler too
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    keep_loaded()
    order = pipe.recv()
    # Work in the background must not slow down the pages that people look at, and a search takes whatever time it is given.
    step_back(15 if isinstance(order, TrainOrder) else 5)
    if isinstance(order, IngestOrder | FixOrder):
        keep_memory()
    wanted = Wanted()
    lock = threading.Lock()

    def listen() -> None:
        nonlocal wanted
        try:
            while True:
                wanted = pipe.recv()
        except (EOFError, OSError):  # the worker is gone: nobody waits for the result
            os.killpg(0, signal.SIGKILL)

    def say(message: Any) -> None:
        with lock:
            pipe.send(message)

    threading.Thread(target=listen, daemon=True).start()
    try:
        say(Done(perform(order, say, lambda: wanted)))
    except DappError as error:
        say(Failed(error))
    except MemoryError:
        say(Failed(MemoryExceeded()))
    except Exception as error:  # noqa: BLE001  told in the log and to the worker
        log.error("A job failed in an unforeseen way:\n%s", outline(error))
        say(Failed(Internal("The work failed in an unforeseen way. An administrator finds the reason in the worker's log.")))
