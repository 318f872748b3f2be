"""A file-like object whose bytes are taken out as they come."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

PIECE_BYTES = 1024 * 1024


class Spout(io.RawIOBase):
    """Collects what a library writes, until :meth:`take` hands it on; it cannot be sought in.

    Parameters
    ----------
    borrows : bool
        Whether what is written stays as it is for good. Then what is large is handed on from where it lies.
    """

    def __init__(self, *, borrows: bool = False) -> None:
        super().__init__()
        self._borrows = borrows
        self._begun = bytearray()
        self._whole: list[bytes | memoryview] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        size = len(view)
        if size + len(self._begun) < PIECE_BYTES:
            self._begun += view
            return size
        self._put_by()
        self._whole.append(view if self._borrows else bytes(view))
        return size

    def take(self) -> Iterator[bytes | memoryview]:
        """What was written since the last time, in pieces of at most 1 MiB; borrowed ones as views."""
        self._put_by()
        whole, self._whole = self._whole[::-1], []
        while whole:
            piece = whole.pop()  # let go of as soon as it is handed on
            if len(piece) <= PIECE_BYTES:
                yield piece
                continue
            view = memoryview(piece)
            for at in range(0, len(view), PIECE_BYTES):
                part = view[at : at + PIECE_BYTES]
                yield part if isinstance(piece, memoryview) else bytes(part)

    def _put_by(self) -> None:
        if self._begun:
            self._whole.append(bytes(self._begun))
            self._begun = bytearray()
