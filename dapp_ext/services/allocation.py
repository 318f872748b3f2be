"""How a job's process asks the system for memory: seldom, as it keeps taking and giving back the same few megabytes."""

from __future__ import annotations


def keep_memory() -> None:
    """Keep memory that was given back for a moment, instead of returning it to the system page by page.

    A stream of batches is filled and freed hundreds of times a second. Arrow's usual pool gives each of them back at once, and a
    part of the time of reading a table goes into new pages; jemalloc waits a second, at no more memory. To be called in a
    process that ends with its work. Does nothing where Arrow was built without it.
    """
    import pyarrow as pa

    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
