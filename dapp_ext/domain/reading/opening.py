"""From a stored file to UTF-8 bytes: read in pieces, unpack, decode."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import BinaryIO

from dapp_ext.domain.reading import packing
from dapp_ext.domain.reading.table import PIECE, Progress
from dapp_ext.errors import FileUnreadable

_PACKED_PIECE = 256 * 1024


class Opened:
    """A file that can be read from the beginning as often as needed.

    Parameters
    ----------
    source : BinaryIO
        Seekable file object.
    progress : callable, optional
        Told the share of the work that is done, from 0 to 1, never falling.
    """

    def __init__(self, source: BinaryIO, progress: Progress | None = None) -> None:
        self.source = source
        self.size = source.seek(0, 2)
        source.seek(0)
        self.packing = packing.packing_of(source.read(16))
        self.member: str | None = None
        self._progress = progress
        self._passes = 0
        self._told = 0.0

    def head(self, size: int = 256 * 1024) -> bytes:
        """The first bytes, unpacked."""
        found = b""
        for piece in self._bytes(size):
            found += piece
            if len(found) >= size:
                break
        return found[:size]

    def pieces(self) -> Iterator[bytes]:
        """All bytes from the beginning, unpacked, in pieces of about 4 MiB at most."""
        self._passes += 1
        return self._bytes(PIECE, tell=True)

    def choose(self, member: str) -> None:
        """Read one file of a zip archive from now on."""
        self.packing, self.member = packing.ZIP, member

    def steps(self, total: int) -> Callable[[int], None]:
        """For formats that are read row by row: a function that is told how many more rows are done."""
        self._passes += 1
        done = 0

        def more(rows: int) -> None:
            nonlocal done
            done += rows
            self._tell_pass(done / max(total, 1))

        return more

    def finish(self) -> None:
        """Say that all is done."""
        self._tell(1.0)

    def _tell(self, share: float) -> None:
        if self._progress is not None and share > self._told:
            self._told = share
            self._progress(share)

    def _tell_pass(self, share: float) -> None:
        # A second pass is known only when it begins: it shares what is left of the bar.
        self._tell(0.9 * share if self._passes == 1 else 0.9 + 0.09 * share)

    def _raw(self, step: int, *, tell: bool = False) -> Iterator[bytes]:
        self.source.seek(0)
        done = 0
        while piece := self.source.read(step):
            yield piece
            done += len(piece)
            if tell:
                self._tell_pass(done / max(self.size, 1))

    def _bytes(self, step: int, *, tell: bool = False) -> Iterator[bytes]:
        if self.packing is None:
            return self._raw(step, tell=tell)
        if self.packing == packing.ZIP:
            assert self.member is not None
            return self._from_zip(self.member, tell=tell)
        # A little at a time: few packed bytes may be many.
        return packing.unpacked(self._raw(min(step, _PACKED_PIECE), tell=tell), self.packing)

    def _from_zip(self, member: str, *, tell: bool) -> Iterator[bytes]:
        for piece in packing.unzipped(self.source, member):
            yield piece
            if tell:
                self._tell_pass(self.source.tell() / max(self.size, 1))


def as_utf8(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The same text in UTF-8 without a byte order mark.

    Bytes that claim to be UTF-8 are passed on as they are; whoever cuts them into records checks them.

    Raises
    ------
    FileUnreadable
        The bytes do not follow the encoding.
    """
    name = codecs.lookup(encoding).name
    if name in ("utf-8", "utf-8-sig"):
        yield from _without_mark(pieces)
        return
    decoder = codecs.getincrementaldecoder(name)("strict")
    first = True
    try:
        for piece in pieces:
            text = decoder.decode(piece)
            if first and text:
                text, first = text.removeprefix("\ufeff"), False
            if text:
                yield text.encode("utf-8")
        text = decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise FileUnreadable(f"The text does not follow the encoding {encoding}. Choose another encoding, or save the file as UTF-8.") from error
    if text:
        yield text.encode("utf-8")


def _without_mark(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = next(pieces, b"")
    while len(first) < len(codecs.BOM_UTF8) and (more := next(pieces, b"")):
        first += more
    first = first.removeprefix(codecs.BOM_UTF8)
    if first:
        yield first
    yield from pieces
