"""What a job's process takes of the machine: memory, seldom asked for and kept for a moment, and as many cores as are its own; what was loaded is left alone."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path

_WHOLE = 2
"""The generation of garbage collection that looks through everything."""
_LONG = 0.03
"""Seconds from which on such a look took long."""
_MOST_FREEZES = 5
# What a container may use of a machine's cores: microseconds of each period, or "max".
_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """The cores of this machine that this process may use: fewer in a container, or where somebody has tied it to some."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        given, period = _CPU_MAX.read_text().split()
        allowed = usable if given == "max" else max(1, round(int(given) / int(period)))
    except (OSError, ValueError):  # no such limit here
        allowed = usable
    return max(1, min(usable, allowed))


def cores_of_job() -> int:
    """The cores of one job: the worker that made its process has divided its own among its places."""
    return int(os.environ.get("OMP_NUM_THREADS", 0)) or cores()


def keep_loaded() -> None:
    """Take it that what is there now stays: to look through hundreds of thousands of loaded things for garbage takes longer than to read a small file.

    To be called in a process that was forked from one with the libraries loaded; it also keeps their pages shared.
    """
    gc.freeze()


def keep_memory() -> None:
    """Keep memory that was given back for a moment, instead of returning it to the system page by page.

    A stream of batches is filled and freed hundreds of times a second. Arrow's usual pool gives each of them back at once, and a
    part of the time of reading a table goes into new pages; jemalloc waits a second, at no more memory. To be called in a
    process that ends with its work. Does nothing where Arrow was built without it.
    """
    import pyarrow as pa

    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())


class _Settled:
    """Leaves alone what has survived a long look for garbage: libraries that were loaded since, which stay as long as the process."""

    def __init__(self) -> None:
        self.left = _MOST_FREEZES
        self._begun = 0.0

    def __call__(self, phase: str, about: dict[str, int]) -> None:
        if about["generation"] < _WHOLE:
            return
        if phase == "start":
            self._begun = time.perf_counter()
        elif self.left and time.perf_counter() - self._begun > _LONG:
            self.left -= 1
            gc.freeze()


def keep_settled() -> None:
    """Keep a server's calls from waiting for looks through everything that is loaded.

    Such a look holds all threads for more than a tenth of a second once the libraries are there, and comes in the middle of
    whatever makes many things at once, such as opening a table of ten thousand columns. What is there now is left out from now
    on; what is loaded later, after the first look that took long. Only a few times, as garbage in cycles that is left alone
    stays: what ends by itself is freed as ever.
    """
    if any(isinstance(each, _Settled) for each in gc.callbacks):
        return  # once for a process
    gc.callbacks.append(_Settled())
    gc.collect()
    gc.freeze()
