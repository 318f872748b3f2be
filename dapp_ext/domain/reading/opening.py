"""From a stored file to UTF-8 bytes: read in pieces, unpack, decode."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from dapp_ext.domain.reading.table import MAX_DECODED, PIECE, Progress
from dapp_ext.errors import FileUnreadable

GZIP_MAGIC = b"\x1f\x8b"


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
        self.gzipped = source.read(2) == GZIP_MAGIC
        self._progress = progress
        self._passes = 0
        self._told = 0.0

    def head(self, size: int = 256 * 1024) -> bytes:
        """The first bytes, unpacked."""
        found = b""
        for piece in self._unpacked(self._raw(size)):
            found += piece
            if len(found) >= size:
                break
        return found[:size]

    def pieces(self) -> Iterator[bytes]:
        """All bytes from the beginning, unpacked, in pieces of about 4 MiB at most."""
        self._passes += 1
        return self._unpacked(self._raw(PIECE, tell=True))

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

    def _unpacked(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        return _gunzip(raw) if self.gzipped else raw


def _gunzip(raw: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip members one after the other, never more than a piece at a time."""
    unpacker = zlib.decompressobj(wbits=31)
    total = 0
    for packed in raw:
        while packed:
            if unpacker.eof:
                if not packed.strip(b"\0"):
                    break
                unpacker = zlib.decompressobj(wbits=31)
            try:
                piece = unpacker.decompress(packed, PIECE)
            except zlib.error as error:
                raise FileUnreadable("The gzip file is damaged, so it cannot be unpacked. Pack it again and upload it once more.") from error
            packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            total += len(piece)
            if total > MAX_DECODED:
                raise FileUnreadable(f"The file unpacks to more than {MAX_DECODED // 1024**3} GB, which is the limit. Split it and upload the parts.")
            if piece:
                yield piece
    if not unpacker.eof:
        raise FileUnreadable("The gzip file is incomplete: it ends in the middle. Upload the whole file again.")


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
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
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
