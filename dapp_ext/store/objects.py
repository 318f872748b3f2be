"""Sealed files on disk: staged while they are written, published when they are whole, found by id alone.

::

    objects/
      staging/                         files being written; nothing here is ever read by anyone else
      ab/cd/<object id>.<generation>.<purpose>
      quarantine/                      files that no row of the database knows, kept for a week

A file is written into ``staging``, flushed to disk and only then renamed to its name, so a published file is whole
whatever happened. Names hold ids only. A child process gets a staging path and a data key, nothing more; it uses
:class:`SealedFile` and :func:`open_sealed`, which know neither the store nor the keyring.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import time
from collections.abc import Container, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from dapp_ext.errors import DappError, IntegrityFailed, Internal, StorageFull, Unavailable
from dapp_ext.store.folders import make_private
from dapp_ext.store.sealing import Label, SealedReader, SealingWriter, open_file, start_file

STAGING = "staging"
QUARANTINE = "quarantine"
QUARANTINE_SECONDS = 7 * 24 * 3600

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PURPOSE = re.compile(r"[a-z][a-z-]{0,30}")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What is overwritten before a file is removed: header, salt and commitment in front, the footer of a table at the end.
_SHREDDED_BYTES = 4096
# So much of a file is hashed by the thread that writes it; a larger file is worth a thread.
_HASHED_HERE = 8 * 1024 * 1024


@dataclass(frozen=True)
class StoredObject:
    """What the database remembers of a finished file.

    Attributes
    ----------
    name : str
        Path below the objects folder once it is published.
    plain_size, sealed_size : int
        Bytes before and after sealing. For tables both are the size of the file.
    sha256 : str
        Of the sealed bytes, hexadecimal, for checking a file without its key.
    """

    name: str
    plain_size: int
    sealed_size: int
    sha256: str


def object_name(label: Label) -> str:
    """Path of an object below the objects folder; the last digits of the id are the random ones, so folders fill evenly."""
    if not _ID.fullmatch(label.object_id) or not _PURPOSE.fullmatch(label.purpose) or label.generation < 0:
        raise Internal("An object's name was asked for that no object can have.")
    digits = label.object_id[-4:]
    return f"{digits[:2]}/{digits[2:]}/{label.object_id}.{label.generation}.{label.purpose}"


@contextlib.contextmanager
def storage_errors() -> Iterator[None]:
    """Say what the operating system's refusal means for the user."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull from error
        raise Unavailable(f"The storage does not take the file: {error.strerror or 'unknown reason'}. An administrator should look at the disk.") from error


class _Digest:
    """SHA-256 of what is written; of a large file on a thread of its own, beside the sealing of the next piece."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._size = 0
        self._aside: ThreadPoolExecutor | None = None
        self._under_way: Future[None] | None = None

    def update(self, view: memoryview) -> None:
        """Take the next bytes; such that may change are taken at once."""
        self._size += len(view)
        self._catch_up()
        whole = view.obj
        if self._size < _HASHED_HERE or not isinstance(whole, bytes) or len(whole) != len(view):
            self._hash.update(view)
            return
        self._aside = self._aside or ThreadPoolExecutor(1, "digest")
        self._under_way = self._aside.submit(self._hash.update, whole)

    def hexdigest(self) -> str:
        """The digest of all bytes; ends the thread."""
        self.stop()
        return self._hash.hexdigest()

    def stop(self) -> None:
        """End the thread."""
        self._catch_up()
        if self._aside is not None:
            self._aside.shutdown()
            self._aside = None

    def _catch_up(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()


class StagingFile(io.RawIOBase):
    """A new file of mode 0600 that counts and hashes what goes into it. It refuses a path that exists.

    Raises
    ------
    StorageFull
        If the device has no room left.
    Unavailable
        If the device refuses for another reason. A failed flush is final and is never tried again: the system may have
        dropped the data while telling of it only once.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.size = 0
        self._hash = _Digest()
        self._handle = -1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with storage_errors():
            self._handle = os.open(path, flags, 0o600)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: Any, /) -> int:
        """Write all of the bytes."""
        with memoryview(data).cast("B") as view, storage_errors():
            done = 0
            while done < len(view):
                done += os.write(self._handle, view[done:])
            self._hash.update(view)
            self.size += done
            return done

    def restart(self) -> None:
        """Forget everything written so far."""
        with storage_errors():
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 0, os.SEEK_SET)
        self._hash.stop()
        self._hash = _Digest()
        self.size = 0

    def sync(self) -> str:
        """Bring everything to the device and return its SHA-256 in hexadecimal."""
        with storage_errors():
            os.fsync(self._handle)
        return self._hash.hexdigest()

    def close(self) -> None:
        if self._handle >= 0:
            self._hash.stop()
            os.close(self._handle)
            self._handle = -1
        super().close()

    def discard(self) -> None:
        """Close and remove the file."""
        self.close()
        self.path.unlink(missing_ok=True)


class SealedFile:
    """A sealed file being written at a path; all that a child process needs is that path, the key and the label.

    Use it as a context manager: leaving it without :meth:`finish` removes the file.

    Attributes
    ----------
    stream : SealingWriter
        File-like, for libraries that write to one.
    """

    def __init__(self, path: Path | str, key: bytes, label: Label) -> None:
        self.path = Path(path)
        self.label = label
        self._name = object_name(label)
        self._file = StagingFile(self.path)
        self._finished = False
        try:
            self.stream: SealingWriter = start_file(self._file, key, label)  # type: ignore[arg-type]
        except BaseException:
            self._file.discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._finished:
            self.abort()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Seal some bytes. After an error the file is gone and the caller starts anew."""
        try:
            return self.stream.write(data)
        except DappError:
            self.abort()
            raise

    def finish(self) -> StoredObject:
        """Seal the end and bring the file to the device."""
        try:
            plain_size = self.stream.finish()
            digest = self._file.sync()
        except DappError:
            self.abort()
            raise
        self._finished = True
        self._file.close()
        return StoredObject(self._name, plain_size, self._file.size, digest)

    def abort(self) -> None:
        """Remove the file; nothing happens to one that was published."""
        self._file.discard()


class StagedObject(SealedFile):
    """A sealed file in the staging folder of a store. Leaving it without :meth:`publish` removes it."""

    def __init__(self, store: ObjectStore, path: Path, key: bytes, label: Label) -> None:
        self._store = store
        self._published = False
        super().__init__(path, key, label)

    def __exit__(self, *_: object) -> None:
        if not self._published:
            self.abort()

    def publish(self) -> Path:
        """Give the finished file its name; from now on it can be opened."""
        if not self._finished:
            raise Internal("A file was to be published before it was finished.")
        path = self._store.publish(self.path, self.label)
        self._published = True
        return path


class ObjectStore:
    """Sealed files below one local folder.

    Parameters
    ----------
    folder : Path
        Made with mode 0700 where missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with storage_errors():
            make_private(folder)
            for name in (STAGING, QUARANTINE):
                (folder / name).mkdir(mode=0o700, exist_ok=True)

    def path_for(self, object_id: str, generation: int, purpose: str) -> Path:
        """Where an object is once it is published."""
        return self.folder / object_name(Label(purpose, object_id, generation))

    def staging_path(self, object_id: str, generation: int, purpose: str) -> Path:
        """A fresh path in the staging folder, to write to here or in a child process."""
        name = Path(object_name(Label(purpose, object_id, generation))).name
        return self.folder / STAGING / f"{name}.{os.urandom(8).hex()}"

    def create(self, object_id: str, generation: int, purpose: str, key: bytes) -> StagedObject:
        """Start a sealed file."""
        return StagedObject(self, self.staging_path(object_id, generation, purpose), key, Label(purpose, object_id, generation))

    def put(self, object_id: str, generation: int, purpose: str, key: bytes, data: bytes) -> StoredObject:
        """Seal and publish a small whole file."""
        with self.create(object_id, generation, purpose, key) as staged:
            staged.write(data)
            stored = staged.finish()
            staged.publish()
        return stored

    def publish(self, staged: Path, label: Label) -> Path:
        """Rename a finished staging file to its name and bring the name to the device.

        A file of the same name is replaced: it can only be left over from an attempt that was never recorded.
        """
        target = self.folder / object_name(label)
        with storage_errors():
            made = [each for each in (target.parent.parent, target.parent) if not each.exists()]
            make_private(target.parent)
            os.replace(staged, target)
            for folder in (target.parent, *(each.parent for each in made)):
                _sync_folder(folder)
        return target

    def open(self, object_id: str, generation: int, purpose: str, key: bytes) -> SealedReader:
        """Open a published file.

        Raises
        ------
        IntegrityFailed
            If it is missing, changed, cut, of another generation or object, or the key is not its own.
        """
        return open_sealed(self.path_for(object_id, generation, purpose), key, Label(purpose, object_id, generation))

    def get(self, object_id: str, generation: int, purpose: str, key: bytes) -> bytes:
        """The whole content of a small file; errors as for :meth:`open`."""
        with self.open(object_id, generation, purpose, key) as reader:
            return reader.read()

    def delete(self, object_id: str, generation: int, purpose: str) -> bool:
        """Overwrite the ends of a published file and remove it; false when there was none.

        The data is gone for good once its wrapped key is deleted too. Overwriting is a help only: a device may keep old blocks.
        """
        path = self.folder / object_name(Label(purpose, object_id, generation))
        with storage_errors():
            try:
                _shred(path)
            except FileNotFoundError:
                return False
            _sync_folder(path.parent)
        return True

    def local_path(self, name: str) -> Path:
        """Where a published file of this name is on this machine."""
        return self.folder / name

    def names(self) -> Iterator[str]:
        """Names of all published files."""
        return (name for name, _ in self.ages())

    def ages(self) -> Iterator[tuple[str, float]]:
        """Names of all published files, and how many seconds ago each was written."""
        now = time.time()
        for outer in sorted(self.folder.iterdir()):
            if len(outer.name) == 2 and outer.is_dir():
                yield from ((path.relative_to(self.folder).as_posix(), _age(path, now)) for path in sorted(outer.glob("??/*")))

    def quarantined(self) -> int:
        """How many files that no row knows are kept for their week."""
        return sum(1 for _ in (self.folder / QUARANTINE).glob("*"))

    def sweep(self, known: Container[str], older_than: float) -> list[str]:
        """Clear away what crashes left behind.

        Parameters
        ----------
        known : container of str
            Names of all objects that the database knows.
        older_than : float
            Seconds for which a file must not have been written to; longer than any upload or job takes, so that a file
            whose row is just being committed is left alone.

        Returns
        -------
        list of str
            Unknown published files that were put into quarantine; they are removed from there after seven days.
            Old staging files are removed at once.
        """
        moved: list[str] = []
        now = time.time()
        with storage_errors():
            for staged in (self.folder / STAGING).iterdir():
                if _age(staged, now) > older_than:
                    staged.unlink(missing_ok=True)
            for old in (self.folder / QUARANTINE).iterdir():
                if _age(old, now) > QUARANTINE_SECONDS:
                    old.unlink(missing_ok=True)
            for name, age in list(self.ages()):
                path = self.folder / name
                if name not in known and age > older_than:
                    target = self.folder / QUARANTINE / path.name
                    os.replace(path, target)
                    os.utime(target)  # the seven days begin now
                    moved.append(name)
        return moved


def open_sealed(path: Path | str, key: bytes, label: Label) -> SealedReader:
    """Open a sealed file by path; errors as for :meth:`ObjectStore.open`."""
    try:
        raw = open(path, "rb", buffering=0)  # noqa: SIM115 - the reader closes it
    except FileNotFoundError:
        raise IntegrityFailed("A stored file is missing. Restore it from a backup.") from None
    except OSError as error:
        raise Unavailable(f"A stored file cannot be read: {error.strerror}. An administrator should look at the disk.") from error
    try:
        return open_file(raw, key, label, owns_raw=True)
    except BaseException:
        raw.close()
        raise


def _age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except FileNotFoundError:  # published or removed by another process meanwhile
        return -1.0


def _shred(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(handle).st_size
        length = min(size, _SHREDDED_BYTES)
        os.pwrite(handle, bytes(length), 0)
        os.pwrite(handle, bytes(length), size - length)
        os.fsync(handle)
    finally:
        os.close(handle)
    path.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
