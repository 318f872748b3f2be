"""How a job's process asks the system for memory: seldom and in large pieces, as it keeps taking and giving back the same few megabytes."""

from __future__ import annotations

import ctypes
import platform
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # names of mallopt(3)
_LARGE = 256 * 1024 * 1024
_STEP = 16 * 1024 * 1024


def keep_memory() -> None:
    """Keep memory that was given back for what comes next, instead of returning it to the system page by page.

    A stream of batches is filled and freed hundreds of times a second. Arrow's usual pool and the C library's usual limits
    give each of them back at once, and a fifth of the time of reading a table went into new pages. To be called in a process
    that ends with its work: what it holds goes back then. Does nothing where the C library is not glibc.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    import pyarrow as pa

    library = ctypes.CDLL(None)
    for name, value in ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE), (_TOP_PAD, _STEP)):
        library.mallopt(name, value)
    pa.set_memory_pool(pa.system_memory_pool())
