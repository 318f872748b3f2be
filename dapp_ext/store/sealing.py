"""Sealing bytes: streams of any length, whole small files, and single database fields.

Streams follow Cobblestone-256 of the C2SP specification *chunked encryption* (https://c2sp.org/chunked-encryption):
AES-256-GCM over chunks of 16 KiB, keys from HKDF-Expand with SHA-512, a commitment to key and context, and a last
chunk that is always short, so that a cut or lengthened stream is refused. Writing is done by the ``cryptography``
package's own implementation; reading is done here because a file must also be readable from the middle.

A sealed *file* has a header before the stream::

    8 bytes   magic ``DAPPENC`` and the format's number
    4 bytes   length of the label, big-endian
    n bytes   the label: canonical JSON that names suite, purpose, object and generation
    rest      Cobblestone-256 with context SHA-256("dapp-file-v1\\0" || all bytes before)

Whoever opens a file says which label it must bear. A file of another object, purpose or generation under the right
name is refused even when its key is known, which stops swapping files and rolling one back.

Every failure is the same :class:`~dapp_ext.errors.IntegrityFailed`, whichever check found it.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import struct
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, BinaryIO

from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from dapp_ext.errors import IntegrityFailed, Unavailable

KEY_BYTES = 32
CHUNK_BYTES = 16 * 1024
TAG_BYTES = 16
NONCE_BYTES = 12
SALT_BYTES = 24
COMMITMENT_BYTES = 32
PREFIX_BYTES = SALT_BYTES + COMMITMENT_BYTES
MAX_CHUNKS = 1 << 38
MAX_LABEL_BYTES = 4096

_MAGIC = b"DAPPENC\x01"
_SUITE = "c2sp-cobblestone-256"
_INFO = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"
_SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES
# How much is sealed or opened in one step: large enough to be quick, small enough to keep memory flat.
_STEP_CHUNKS = 64
_STEP_BYTES = _STEP_CHUNKS * CHUNK_BYTES
# Chunks kept open for readers that jump about, such as a ZIP directory and its members.
_KEPT_CHUNKS = 8


@dataclass(frozen=True)
class Label:
    """What a sealed file is: the purpose of its bytes, the object it belongs to, and which writing of it.

    Attributes
    ----------
    purpose : str
        For example ``original`` or ``model``.
    object_id : str
        Id of the object in the database.
    generation : int
        Number of the writing, counted up by the owner of the object; an older file is not accepted for a newer one.
    """

    purpose: str
    object_id: str
    generation: int

    def header(self) -> bytes:
        """The bytes that a sealed file starts with. There is exactly one form for each label."""
        fields = {"gen": self.generation, "oid": self.object_id, "purpose": self.purpose, "suite": _SUITE, "v": 1}
        text = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
        return _MAGIC + struct.pack(">I", len(text)) + text

    def context(self) -> bytes:
        """What the stream's keys are bound to: 32 bytes."""
        return hashlib.sha256(b"dapp-file-v1\0" + self.header()).digest()


def read_label(raw: BinaryIO) -> Label:
    """The label that a sealed file claims to bear. Nothing is proven until it is opened with its key.

    Raises
    ------
    IntegrityFailed
        If the bytes are not the header of a sealed file.
    """
    start = raw.read(len(_MAGIC) + 4)
    if len(start) != len(_MAGIC) + 4 or not start.startswith(_MAGIC):
        raise IntegrityFailed
    (size,) = struct.unpack(">I", start[len(_MAGIC) :])
    if size > MAX_LABEL_BYTES:
        raise IntegrityFailed
    text = raw.read(size)
    try:
        fields = json.loads(text)
        label = Label(str(fields["purpose"]), str(fields["oid"]), int(fields["gen"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise IntegrityFailed from None
    if label.header() != start + text:
        raise IntegrityFailed
    return label


class SealingWriter(io.BufferedIOBase):
    """A file-like object that seals what is written to it, in bounded memory.

    Parameters
    ----------
    raw : BinaryIO
        Where the sealed bytes go; it stays open and belongs to the caller.
    key : bytes
        32 random bytes.
    context : bytes
        What the bytes are bound to; they are opened only with the same one.

    Notes
    -----
    Only :meth:`finish` makes the stream complete. A writer that is closed or lost before leaves a stream that every
    reader refuses.
    """

    def __init__(self, raw: BinaryIO, key: bytes, context: bytes) -> None:
        super().__init__()
        _require_key(key)
        self._raw = raw
        self._encryptor = Cobblestone256Encryptor(key, context)
        self._finished = False
        self.plain_size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        """Seal some bytes; all of them are taken."""
        if self._finished:
            raise ValueError("write after finish")
        with memoryview(data).cast("B") as view:
            for start in range(0, len(view), _STEP_BYTES):
                self._put(self._encryptor.update(view[start : start + _STEP_BYTES]))
            self.plain_size += len(view)
            return len(view)

    def tell(self) -> int:
        return self.plain_size

    def finish(self) -> int:
        """Write the last chunk and return the number of plain bytes. Flushing to disk is the caller's business."""
        if self._finished:
            raise ValueError("finish called twice")
        self._finished = True
        self._put(self._encryptor.finalize())
        return self.plain_size

    def _put(self, sealed: bytes) -> None:
        # An unbuffered file may take less than it is given.
        view = memoryview(sealed)
        while view:
            taken = self._raw.write(view)
            view = view[len(view) if taken is None else taken :]


class SealedReader(io.BufferedIOBase):
    """A file-like object that opens a sealed stream from any position.

    Parameters
    ----------
    raw : BinaryIO
        The sealed bytes, seekable; the stream goes from the present position to the end.
    key, context : bytes
        The same as for the writer.
    owns_raw : bool
        Whether closing this reader closes ``raw``.

    Raises
    ------
    IntegrityFailed
        At once if key, context or length are not right (the last chunk is opened first, which proves the length),
        and while reading if a chunk was changed. Bytes that were not verified are never given out.

    Notes
    -----
    Not to be used by two threads at the same time.
    """

    def __init__(self, raw: BinaryIO, key: bytes, context: bytes, *, owns_raw: bool = False) -> None:
        super().__init__()
        self._raw = raw
        self._owns_raw = owns_raw
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._position = 0
        start = raw.tell()
        length = raw.seek(0, os.SEEK_END) - start
        self._start = start + PREFIX_BYTES
        self._last, tail = divmod(length - PREFIX_BYTES, _SEALED_CHUNK)
        if length < PREFIX_BYTES or tail < TAG_BYTES or self._last >= MAX_CHUNKS or len(key) != KEY_BYTES:
            raise IntegrityFailed
        self.size = self._last * CHUNK_BYTES + tail - TAG_BYTES
        raw.seek(start)
        prefix = _read_exactly(raw, PREFIX_BYTES)
        length = KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES
        derived = HKDFExpand(SHA512(), length, _INFO + prefix[:SALT_BYTES] + context).derive(key)
        if not hmac.compare_digest(derived[-COMMITMENT_BYTES:], prefix[SALT_BYTES:]):
            raise IntegrityFailed
        self._cipher = AESGCM(derived[:KEY_BYTES])
        self._nonce = int.from_bytes(derived[KEY_BYTES : KEY_BYTES + NONCE_BYTES], "big")
        self._chunk(self._last)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}.get(whence)
        if base is None or base + offset < 0:
            raise ValueError("cannot seek there")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes: exactly ``size`` of them except at the end; all that is left when ``size`` is negative or left out."""
        self._require_open()
        left = max(0, self.size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        first, skip = divmod(self._position, CHUNK_BYTES)
        if skip + wanted <= CHUNK_BYTES:
            out = self._chunk(first)[skip : skip + wanted]
        else:
            buffer = bytearray(wanted)
            self._fill(memoryview(buffer))
            out = bytes(buffer)
        self._position += wanted
        return out

    def read1(self, size: int = -1, /) -> bytes:
        ahead = CHUNK_BYTES - self._position % CHUNK_BYTES
        return self.read(ahead if size < 0 else min(size, ahead))

    def peek(self, size: int = 0, /) -> bytes:
        """Verified bytes from the present position to the end of its chunk, without moving on."""
        position = self._position
        try:
            return self.read1()
        finally:
            self._position = position

    def readinto(self, buffer: Any, /) -> int:
        self._require_open()
        with memoryview(buffer).cast("B") as view:
            wanted = max(0, min(len(view), self.size - self._position))
            self._fill(view[:wanted])
            self._position += wanted
            return wanted

    readinto1 = readinto

    def close(self) -> None:
        if not self.closed and self._owns_raw:
            self._raw.close()
        self._kept.clear()
        super().close()

    def _require_open(self) -> None:
        if self.closed:
            raise ValueError("read from a closed file")

    def _fill(self, out: memoryview) -> None:
        """Open the bytes from the present position into ``out``, whole chunks in large steps."""
        done = 0
        while done < len(out):
            number, skip = divmod(self._position + done, CHUNK_BYTES)
            left = len(out) - done
            whole = min(left // CHUNK_BYTES, _STEP_CHUNKS, self._last - number)
            if skip or whole < 1:
                piece = self._chunk(number)[skip : skip + left]
                out[done : done + len(piece)] = piece
                done += len(piece)
                continue
            sealed = memoryview(self._sealed(number, whole))
            for step in range(whole):
                target = out[done : done + CHUNK_BYTES]
                self._open(number + step, sealed[step * _SEALED_CHUNK : (step + 1) * _SEALED_CHUNK], target)
                done += CHUNK_BYTES

    def _chunk(self, number: int) -> bytes:
        """One verified chunk; the last few are kept."""
        plain = self._kept.get(number)
        if plain is None:
            sealed = self._sealed(number, 1)
            buffer = bytearray(len(sealed) - TAG_BYTES)
            self._open(number, memoryview(sealed), memoryview(buffer))
            plain = bytes(buffer)
            self._kept[number] = plain
            if len(self._kept) > _KEPT_CHUNKS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return plain

    def _sealed(self, number: int, count: int) -> bytes:
        self._raw.seek(self._start + number * _SEALED_CHUNK)
        end = number + count
        size = (count - (end > self._last)) * _SEALED_CHUNK
        if end > self._last:
            size += self.size - self._last * CHUNK_BYTES + TAG_BYTES
        return _read_exactly(self._raw, size)

    def _open(self, number: int, sealed: memoryview, out: memoryview) -> None:
        nonce = (self._nonce ^ number).to_bytes(NONCE_BYTES, "big")
        try:
            self._cipher.decrypt_into(nonce, sealed, None, out)
        except InvalidTag:
            out[:] = bytes(len(out))
            raise IntegrityFailed from None


def start_file(raw: BinaryIO, key: bytes, label: Label) -> SealingWriter:
    """Write the header of a sealed file and return the writer for its content."""
    raw.write(label.header())
    return SealingWriter(raw, key, label.context())


def open_file(raw: BinaryIO, key: bytes, label: Label, *, owns_raw: bool = False) -> SealedReader:
    """Open a sealed file that must bear ``label``.

    Raises
    ------
    IntegrityFailed
        If the header, the key or the content are not those of this label.
    """
    header = label.header()
    if not hmac.compare_digest(_read_exactly(raw, len(header)), header):
        raise IntegrityFailed
    return SealedReader(raw, key, label.context(), owns_raw=owns_raw)


def seal_bytes(key: bytes, context: bytes, data: bytes) -> bytes:
    """Seal a whole message as a Cobblestone-256 stream without a file header."""
    _require_key(key)
    encryptor = Cobblestone256Encryptor(key, context)
    return encryptor.update(data) + encryptor.finalize()


def open_bytes(key: bytes, context: bytes, data: bytes) -> bytes:
    """Open what :func:`seal_bytes` made.

    Raises
    ------
    IntegrityFailed
        If anything about it is not right.
    """
    with SealedReader(io.BytesIO(data), key, context) as reader:
        return reader.read()


def seal_field(key: bytes, aad: bytes, data: bytes) -> bytes:
    """Seal a small value with AES-256-GCM under a random nonce; 28 bytes longer than ``data``.

    Random nonces of 96 bits bound one key to 2**32 values (NIST SP 800-38D, section 8.3).
    """
    _require_key(key)
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, aad)


def open_field(key: bytes, aad: bytes, sealed: bytes) -> bytes:
    """Open what :func:`seal_field` made with the same key and the same place.

    Raises
    ------
    IntegrityFailed
        If it was changed or comes from another place.
    """
    if len(sealed) < NONCE_BYTES + TAG_BYTES or len(key) != KEY_BYTES:
        raise IntegrityFailed
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], aad)
    except InvalidTag:
        raise IntegrityFailed from None


def field_place(table: str, row_id: str, column: str) -> bytes:
    """The additional data that binds a sealed field to its table, row and column."""
    return json.dumps(["dapp-field-v1", table, row_id, column], separators=(",", ":")).encode()


def _require_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise ValueError("a sealing key has 32 bytes")


def _read_exactly(raw: BinaryIO, size: int) -> bytes:
    try:
        data = raw.read(size)
        while 0 < len(data) < size:
            more = raw.read(size - len(data))
            if not more:
                break
            data += more
    except OSError as error:
        raise Unavailable(f"Stored data cannot be read: {error.strerror}. An administrator should look at the disk.") from error
    if len(data) != size:
        raise IntegrityFailed
    return data
