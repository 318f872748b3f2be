"""Unpacks gzip, bzip2, xz, Zstandard and zip around a text: in a stream, never more than a piece at a time, counted as it comes out."""

from __future__ import annotations

import bz2
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

import pyarrow as pa

from dapp_ext.domain.reading.table import MAX_DECODED, PIECE, named
from dapp_ext.errors import FileUnreadable

GZIP, BZIP2, XZ, ZSTANDARD, ZIP = "gzip", "bzip2", "xz", "Zstandard", "zip"
_MAGIC: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\x1f\x8b\x08"), GZIP),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), BZIP2),
    (re.compile(rb"\xfd7zXZ\x00"), XZ),
    (re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), ZSTANDARD),
)
_XZ_MEMORY = 256 * 1024 * 1024
_NO_TABLES = (".ds_store", "thumbs.db", "desktop.ini")
_ABOUT = ("readme", "license", "licence", "copying", "changelog")


def packing_of(head: bytes) -> str | None:
    """What a file is packed with, by its first bytes; zip is told by :mod:`.sniffing`, as workbooks are zips too."""
    return next((name for magic, name in _MAGIC if magic.match(head)), None)


class _Unpacker(Protocol):
    """What the decompressors of bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gunzip:
    """zlib's decompressor in the manners of those of bz2 and lzma."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self._waiting = b""

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._waiting

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        piece = self._inner.decompress(self._waiting + data, max_length)
        self._waiting = self._inner.unconsumed_tail
        return piece


_UNPACKERS: dict[str, Callable[[], _Unpacker]] = {
    GZIP: _Gunzip,
    BZIP2: bz2.BZ2Decompressor,
    XZ: lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY),
}


def unpacked(raw: Iterator[bytes], packing: str) -> Iterator[bytes]:
    """The bytes that are packed.

    Raises
    ------
    FileUnreadable
        The file is damaged or cut, or unpacks to more than the limit.
    """
    pieces = _zstandard(raw) if packing == ZSTANDARD else _members(raw, packing)
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > MAX_DECODED:
            raise FileUnreadable(f"The file unpacks to more than {MAX_DECODED // 1024**3} GB, which is the limit. Split it and upload the parts.")
        yield piece


def _damaged(packing: str) -> FileUnreadable:
    return FileUnreadable(f"The {packing} file is damaged, so it cannot be unpacked. Pack it again and upload it once more.")


def _cut(packing: str) -> FileUnreadable:
    return FileUnreadable(f"The {packing} file is incomplete: it ends in the middle. Upload the whole file again.")


def _members(raw: Iterator[bytes], packing: str) -> Iterator[bytes]:
    """Unpack one member after the other, as all three formats allow."""
    unpacker = _UNPACKERS[packing]()
    for packed in raw:
        while packed or not unpacker.needs_input:
            if unpacker.eof:
                if not packed.strip(b"\0"):
                    break
                unpacker = _UNPACKERS[packing]()
            try:
                piece = unpacker.decompress(packed, PIECE)
            except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
                raise _damaged(packing) from error
            packed = unpacker.unused_data if unpacker.eof else b""
            if piece:
                yield piece
            elif not packed and not unpacker.eof:
                break
    if not unpacker.eof:
        raise _cut(packing)


class _AsFile:
    """An iterator of bytes as a file that can only be read."""

    closed = False

    def __init__(self, raw: Iterator[bytes]) -> None:
        self._raw = raw
        self._held = b""

    def read(self, size: int = -1) -> bytes:
        while len(self._held) < size and (piece := next(self._raw, b"")):
            self._held += piece
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


def _zstandard(raw: Iterator[bytes]) -> Iterator[bytes]:
    try:
        with pa.CompressedInputStream(pa.PythonFile(_AsFile(raw), mode="r"), "zstd") as stream:
            while piece := stream.read(PIECE):
                yield piece
    except pa.ArrowException as error:
        raise _damaged(ZSTANDARD) from error
    except OSError as error:
        raise (_cut if "truncated" in str(error).lower() else _damaged)(ZSTANDARD) from error


def member_of(source: BinaryIO, wanted: str | None) -> str:
    """The file in a zip archive that is to be read: the one that was named, or the only one that may be a table.

    Raises
    ------
    FileUnreadable
        There is none, or there are several; the message names them.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            names = [part.filename for part in archive.infolist() if _may_be_table(part.filename)]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(ZIP) from error
    if wanted is not None:
        for name in names:
            if wanted.strip().casefold() in (name.casefold(), name.rsplit("/", 1)[-1].casefold()):
                return name
        raise FileUnreadable(f'The zip archive has no file "{wanted}". It has {named(names, 10)}.')
    tables = [name for name in names if not name.rsplit("/", 1)[-1].lower().startswith(_ABOUT)] or names
    if not tables:
        raise FileUnreadable("The zip archive is empty. Pack a CSV or JSON file into it, or upload the file itself.")
    if len(tables) > 1:
        raise FileUnreadable(f"The zip archive holds {len(tables):,} files: {named(tables, 10)}. Choose one by its name, or unpack it and upload the table.")
    return tables[0]


def _may_be_table(name: str) -> bool:
    last = name.rsplit("/", 1)[-1]
    return bool(last) and not name.startswith("__MACOSX/") and not last.startswith(".") and last.lower() not in _NO_TABLES


def unzipped(source: Any, member: str) -> Iterator[bytes]:
    """The bytes of one file in a zip archive.

    Raises
    ------
    FileUnreadable
        It is damaged, has a password, or unpacks to more than the limit.
    """
    total = 0
    try:
        with zipfile.ZipFile(source) as archive, archive.open(member) as file:
            while piece := file.read(PIECE):
                total += len(piece)
                if total > MAX_DECODED:
                    raise FileUnreadable(f"The file unpacks to more than {MAX_DECODED // 1024**3} GB, which is the limit. Split it and upload the parts.")
                yield piece
    except RuntimeError as error:  # what zipfile says to a password
        raise FileUnreadable("The zip archive is protected with a password, so it cannot be read. Pack it without a password and upload it again.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, NotImplementedError, lzma.LZMAError, ValueError) as error:
        raise _damaged(ZIP) from error
