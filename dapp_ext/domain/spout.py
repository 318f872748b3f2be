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
        self._begun = bytearray()
        self._whole: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        with memoryview(data).cast("B") as view:
            size, place = len(view), PIECE_BYTES - len(self._begun)
            if size < place:
                self._begun += view
                return size
            # What is large is copied once, into the piece that is sent.
            self._whole.append(b"".join((self._begun, view[:place])))
            while size - place >= PIECE_BYTES:
                self._whole.append(bytes(view[place : place + PIECE_BYTES]))
                place += PIECE_BYTES
            self._begun = bytearray(view[place:])
            return size

    def take(self) -> Iterator[bytes]:
        """What was written since the last time, in pieces of at most 1 MiB."""
        whole, self._whole = self._whole, []
        if self._begun:
            whole.append(bytes(self._begun))
            self._begun = bytearray()
        # Each is let go of as soon as it is handed on.
        whole.reverse()
        while whole:
            yield whole.pop()
