"""What a job's process takes of the machine: memory, seldom asked for and kept for a moment, and as many cores as are its own; what was loaded is left alone."""

from __future__ import annotations

import gc
import os
from pathlib import Path

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
