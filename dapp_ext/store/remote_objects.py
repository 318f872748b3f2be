"""Sealed files in an object storage that many machines share (S3 and whatever else fsspec reaches).

The format is that of the local store, and so are the names. A file is written and sealed on this machine and then
uploaded in one step that either happens or does not: object storages show an object when it is whole, elsewhere it gets
its name last. What is read is kept in the objects folder, sealed as it is, and cleared away when it takes too much room;
so everything that opens files by path works alike, and a table is fetched once by each machine.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dapp_ext.errors import DappError, SettingInvalid, Unavailable
from dapp_ext.settings import Settings
from dapp_ext.store.folders import make_private
from dapp_ext.store.objects import QUARANTINE, QUARANTINE_SECONDS, STAGING, ObjectStore, object_name, storage_errors
from dapp_ext.store.sealing import Label

log = logging.getLogger(__name__)
# These show an object only when all of it has arrived.
_WHOLE_OR_NOTHING = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "memory")
_S3_OPTIONS = {"use_listings_cache": False, "skip_instance_cache": True, "config_kwargs": {"connect_timeout": 5, "retries": {"max_attempts": 2}}}
# What was used within this time is not cleared away: somebody may be about to open it.
IN_USE_SECONDS = 3600.0


def open_objects(settings: Settings) -> ObjectStore:
    """The objects of a workspace, where the settings say.

    Raises
    ------
    SettingInvalid
        If the address cannot be understood, or a library for it is missing.
    """
    if not settings.storage_url:
        return ObjectStore(settings.objects_folder)
    return RemoteObjects(settings.objects_folder, settings.storage_url, settings.storage_cache)


class RemoteObjects(ObjectStore):
    """Sealed files at an address of fsspec, with a folder for those used lately.

    Parameters
    ----------
    folder : Path
        For staging, and for copies of what was used lately.
    url : str
        Such as ``s3://bucket/folder``. Credentials come from where the library looks for them.
    keep_bytes : int
        Room that copies may take; 0 keeps all.
    """

    def __init__(self, folder: Path, url: str, keep_bytes: int = 0) -> None:
        super().__init__(folder)
        self._fs, self._root = _file_system(url)
        self._shows_whole = url.partition(":")[0] in _WHOLE_OR_NOTHING
        self._keep_bytes = keep_bytes

    def path_for(self, object_id: str, generation: int, purpose: str) -> Path:
        """Where a copy of an object is, fetched now if it is not here; a path without a file when there is no such object."""
        return self.local_path(object_name(Label(purpose, object_id, generation)))

    def local_path(self, name: str) -> Path:
        path = self.folder / name
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)  # used now
            return path
        with contextlib.suppress(FileNotFoundError):
            self._fetch(name, path)
        return path

    def publish(self, staged: Path, label: Label) -> Path:
        """Upload a finished staging file, then keep it as a copy. From now on every machine can open it."""
        self.upload(object_name(label), staged)
        return super().publish(staged, label)

    def upload(self, name: str, path: Path) -> None:
        """Bring a file under its name to the storage, whole or not at all.

        Raises
        ------
        Unavailable
            If the storage does not take it.
        """
        size = path.stat().st_size
        target = self._at(name)
        with _storage_answers():
            if self._shows_whole:
                self._fs.put_file(str(path), target)
            else:
                waiting = self._at(f"{STAGING}/{path.name}")
                self._fs.makedirs(self._fs._parent(waiting), exist_ok=True)
                self._fs.makedirs(self._fs._parent(target), exist_ok=True)
                self._fs.put_file(str(path), waiting)
                self._fs.mv(waiting, target)
            if int(self._fs.info(target)["size"]) != size:
                raise Unavailable("The object storage did not take a file as it is. Try again in a moment.")

    def delete(self, object_id: str, generation: int, purpose: str) -> bool:
        """Remove an object and the copy here; false when there was none. Copies on other machines are cleared away later, and their key is gone."""
        super().delete(object_id, generation, purpose)
        target = self._at(object_name(Label(purpose, object_id, generation)))
        with _storage_answers():
            if not self._fs.exists(target):
                return False
            self._fs.rm_file(target)
        return True

    def ages(self) -> Iterator[tuple[str, float]]:
        now = time.time()
        with _storage_answers():
            found: dict[str, dict[str, Any]] = self._fs.find(self._root, detail=True)
        for path, about in sorted(found.items()):
            name = path.removeprefix(self._root).lstrip("/")
            if len(name.partition("/")[0]) == 2:
                yield name, now - _moment(about)

    def quarantined(self) -> int:
        with _storage_answers():
            return len(self._fs.find(self._at(QUARANTINE)))

    def sweep(self, known: Container[str], older_than: float) -> list[str]:
        """Clear away what crashes left behind, here and in the storage, and copies beyond the room for them.

        What this machine holds from before the storage was set is uploaded.
        """
        moved: list[str] = []
        there = dict(self.ages())
        now = time.time()
        with storage_errors():
            self._sweep_folder(known, there, older_than)
        with _storage_answers():
            for path, about in self._fs.find(self._at(QUARANTINE), detail=True).items():
                if now - _moment(about) > QUARANTINE_SECONDS:
                    self._fs.rm_file(path)
            for name, age in there.items():
                if name not in known and age > older_than:
                    self._fs.makedirs(self._at(QUARANTINE), exist_ok=True)
                    self._fs.mv(self._at(name), self._at(f"{QUARANTINE}/{name.rpartition('/')[2]}"))
                    moved.append(name)
        return moved

    def _sweep_folder(self, known: Container[str], there: Container[str], older_than: float) -> None:
        now = time.time()
        for staged in (self.folder / STAGING).iterdir():
            if now - staged.stat().st_mtime > older_than:
                staged.unlink(missing_ok=True)
        kept: list[tuple[float, int, Path]] = []
        for name, age in ObjectStore.ages(self):
            path = self.folder / name
            if name in known and name not in there:
                self.upload(name, path)
            if name in known:
                kept.append((age, path.stat().st_size, path))
            elif age > older_than:
                path.unlink(missing_ok=True)
        room = self._keep_bytes - sum(size for _, size, _ in kept)
        for age, size, path in sorted(kept, reverse=True):
            if self._keep_bytes and room < 0 and age > IN_USE_SECONDS:
                path.unlink(missing_ok=True)
                room += size

    def _fetch(self, name: str, path: Path) -> None:
        waiting = self.folder / STAGING / f"{path.name}.{os.urandom(8).hex()}"
        try:
            with storage_errors():
                os.close(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            with _storage_answers():
                self._fs.get_file(self._at(name), str(waiting))
            with storage_errors():
                make_private(path.parent)
                os.replace(waiting, path)
        finally:
            waiting.unlink(missing_ok=True)

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"


def _file_system(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs

        found, root = url_to_fs(url, **(_S3_OPTIONS if url.startswith(("s3:", "s3a:")) else {}))
    except (ImportError, ValueError) as error:
        missing = f" Run: pip install 'jupyter-dapp[s3]' ({error})." if isinstance(error, ImportError) else ""
        raise SettingInvalid(f"DAPP_STORAGE_URL cannot be used; it looks like s3://bucket/folder.{missing}") from error
    return found, str(root).rstrip("/")


@contextlib.contextmanager
def _storage_answers() -> Iterator[None]:
    """Say what an object storage's refusal means; a missing object stays a missing file."""
    try:
        yield
    except (DappError, FileNotFoundError):
        raise
    except PermissionError as error:
        raise Unavailable("The object storage refuses this account. An administrator should look at its credentials and DAPP_STORAGE_URL.") from error
    except Exception as error:
        log.warning("The object storage does not answer: %s", type(error).__name__)
        raise Unavailable("The object storage does not answer right now. Try again in a moment.") from error


def _moment(about: dict[str, Any]) -> float:
    """When an object was written; now where the storage does not say, so that nothing is cleared away too early."""
    found = about.get("LastModified") or about.get("last_modified") or about.get("mtime") or about.get("created")
    if isinstance(found, datetime):
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return float(found) if isinstance(found, int | float) else time.time()
