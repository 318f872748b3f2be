"""A file-like object whose bytes are taken out as they come."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

PIECE_BYTES = 1024 * 1024


class Spout(io.RawIOBase):
    """Collects what a library writes, until :meth:`take` hands it on; it cannot be sought in."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        with memoryview(data).cast("B") as view:
            self._waiting += view
            return len(view)

    def take(self) -> Iterator[bytes]:
        """What was written since the last time, in pieces of at most 1 MiB."""
        taken, self._waiting = self._waiting, bytearray()
        for start in range(0, len(taken), PIECE_BYTES):
            yield bytes(taken[start : start + PIECE_BYTES])
