"""How long answers take, for whoever looks after the platform: each process notes its own, and every process can read all.

A process writes a few numbers into the run folder of the home every few seconds while it answers; nothing of what was asked.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

import psutil

from dapp_ext.schema.system import LatencyRead
from dapp_ext.settings import Settings

SPAN = 300.0
_EVERY = 3.0
_MOST = 1000


class Pace:
    """The times of the last minutes, by door."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.run_folder
        self._path = self._folder / f"{os.getpid()}.pace"
        self._noted: defaultdict[str, deque[tuple[float, float]]] = defaultdict(lambda: deque(maxlen=_MOST))
        self._lock = threading.Lock()
        self._written = 0.0

    def note(self, door: str, seconds: float) -> None:
        """An answer at a door took this long; now and then the figures are written for others."""
        if self.add(door, seconds):
            self.write()

    def add(self, door: str, seconds: float) -> bool:
        """The same without writing, which takes a moment: True when :meth:`write` is due."""
        moment = time.time()
        with self._lock:
            self._noted[door].append((moment, seconds))
            if moment - self._written < _EVERY:
                return False
            self._written = moment
            return True

    def write(self) -> None:
        """Write the figures of this process for others."""
        moment = time.time()
        with self._lock:
            found = {name: [each for at, each in noted if at > moment - SPAN] for name, noted in self._noted.items()}
        with contextlib.suppress(OSError):  # a full disk must not keep an answer from going out
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = self._path.with_suffix(".new")
            temporary.touch(mode=0o600)
            temporary.write_text(
                json.dumps({"at": moment, "pid": os.getpid(), "doors": {name: [round(each, 5) for each in times] for name, times in found.items()}})
            )
            temporary.replace(self._path)

    def read(self, waits: Sequence[float] = ()) -> list[LatencyRead]:
        """The figures of all processes of this home on this machine; ``waits`` are the seconds that jobs waited for a worker."""
        gathered: defaultdict[str, list[float]] = defaultdict(list)
        for path in self._folder.glob("*.pace"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                given = json.loads(path.read_text("utf-8"))
                if not psutil.pid_exists(given["pid"]):
                    path.unlink(missing_ok=True)
                elif given["at"] > time.time() - SPAN:
                    for door, times in given["doors"].items():
                        gathered[door].extend(times)
        return [*(_figures(door, times) for door, times in sorted(gathered.items()) if times), *([_figures("queue", waits)] if waits else [])]

    def close(self) -> None:
        """Take the own figures away."""
        self._path.unlink(missing_ok=True)


def _figures(door: str, times: Iterable[float]) -> LatencyRead:
    ordered = sorted(times)
    last = len(ordered) - 1

    def share(percent: int) -> float:
        return round(ordered[round(last * percent / 100)] * 1000, 2)

    return LatencyRead(door=door, answers=len(ordered), p50_ms=share(50), p95_ms=share(95), slowest_ms=share(100))
