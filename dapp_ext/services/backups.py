"""Backup while everything runs, a look through a backup, and restoring one into an empty home."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from dapp_ext import __version__
from dapp_ext.errors import Broken, Conflict, IntegrityFailed, KeyWrong, NotFound
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.backups import BackupRead, RestoreRead
from dapp_ext.schema.base import now
from dapp_ext.services.context import Context, secret_of
from dapp_ext.services.files import file_key
from dapp_ext.settings import Settings
from dapp_ext.store import audit, backups, instance, migrations
from dapp_ext.store.backups import DATABASE, Archive, BackupKey, BackupWriter
from dapp_ext.store.copying import copy_rows
from dapp_ext.store.database import Database
from dapp_ext.store.folders import make_private
from dapp_ext.store.keys import Keyring, open_keyring
from dapp_ext.store.objects import ObjectStore, object_name, open_sealed, storage_errors
from dapp_ext.store.remote_objects import RemoteObjects, open_objects
from dapp_ext.store.sealing import Label
from dapp_ext.store.tables import StoredFile

RESTORING = "restoring"
_PARQUET = b"PAR"


class Backups:
    """The service."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def create(self, actor: Actor, path: Path, key: BackupKey) -> BackupRead:
        """Write a backup of this moment while everything goes on.

        Raises
        ------
        Conflict
            If the file exists.
        """
        self._context.permit(actor, "backup.create")
        created = now()
        about = {"instance_id": self._context.instance_id, "created_at": created.isoformat(), "dapp": __version__}
        with storage_errors(), tempfile.TemporaryDirectory(prefix="backup-", dir=self._private_folder()) as folder:
            writer = BackupWriter(path, key, about)
            try:
                copy = Path(folder) / DATABASE
                damaged = self._gather(writer, copy)
                writer.add_file(DATABASE, copy)
                manifest = self._manifest(writer, copy, damaged) | about
                size = writer.finish(manifest)
            finally:
                writer.abort()
        self._context.note(actor, "backup.create", None, "allow", {"objects": len(manifest["objects"]), "bytes": size, "damaged": len(damaged)})
        return _read(path, size, manifest)

    def verify(self, actor: Actor, path: Path, key: BackupKey) -> BackupRead:
        """Read everything in a backup; see :func:`verify_backup`."""
        self._context.permit(actor, "backup.verify")
        found = verify_backup(self._context.settings, path, key)
        self._context.note(actor, "backup.verify", None, "allow", {"objects": found.objects, "opened": found.opened})
        return found

    def _private_folder(self) -> Path:
        folder = self._context.settings.run_folder
        make_private(folder)
        return folder

    def _gather(self, writer: BackupWriter, copy: Path) -> list[str]:
        """Copy objects, then the database, then what it knows beyond them. Returns objects that are not what they were."""
        database = self._context.database
        with database.read() as session:
            wanted = backups.known_files(session)
        self._copy(writer, wanted)
        for attempt in range(backups.TRIES):
            last = attempt == backups.TRIES - 1
            # In the end nobody may write meanwhile: then nothing that the copy knows can be deleted before it is read.
            with database.write() if last else contextlib.nullcontext():
                copy.unlink(missing_ok=True)
                backups.snapshot(database, copy)
                wanted = _known_to(copy)
                self._copy(writer, {name: digest for name, digest in wanted.items() if not _has(writer, name, digest)})
            damaged = sorted(name for name, digest in wanted.items() if not _has(writer, name, digest))
            if not damaged:
                break
        return damaged

    def _copy(self, writer: BackupWriter, wanted: dict[str, str]) -> None:
        for name in sorted(wanted):
            writer.add_file(f"objects/{name}", self._context.objects.local_path(name))

    def _manifest(self, writer: BackupWriter, copy: Path, damaged: list[str]) -> dict[str, Any]:
        known = _known_to(copy)
        database = Database(f"sqlite:///{copy}")
        try:
            with database.read() as session:
                seq, mac = audit.head_of(session)
                kids = sorted({row.kid for row in backups.wrapped_keys(session)})
                fingerprint = instance.active_fingerprint(session)
        finally:
            database.close()
        return {
            "format": backups.FORMAT,
            "key_fingerprint": fingerprint,
            "kids": kids,
            "audit_head": {"seq": seq, "mac": mac.hex()},
            "revision": migrations.head_revision(),
            "database": writer.members[DATABASE],
            "objects": [member for name in sorted(known) if (member := writer.members.get(f"objects/{name}"))],
            "damaged": damaged,
        }


def verify_backup(settings: Settings, path: Path, key: BackupKey) -> BackupRead:
    """Read everything in a backup, and open every object when the root keys are here; nothing that is opened touches the disk.

    Raises
    ------
    DappError
        What is wrong with it.
    """
    with backups.open_archive(path, key) as archive:
        manifest = archive.manifest
        with backups.in_memory(archive.read_database()) as memory:
            faults = backups.faults_of(memory)
            if faults:
                raise IntegrityFailed(f"The database in the backup is damaged: {faults[0]}. Use another backup.")
            inside = backups.look_inside(memory)
        opened = _verify_objects(settings, archive, inside)
        return _read(path, path.stat().st_size, manifest).model_copy(update={"opened": opened})


def restore_backup(settings: Settings, path: Path, key: BackupKey) -> RestoreRead:
    """Put a backup into an empty home, whose keys are there already. Everything is checked before anything is put in place.

    Everybody is signed out, work that ran waits again, and readers of the feed load everything anew.

    Raises
    ------
    Conflict
        If the home is not empty.
    KeyWrong
        If the root keys of the backup are not here.
    """
    _require_empty(settings)
    place = settings.home / RESTORING
    with backups.open_archive(path, key) as archive:
        manifest = archive.manifest
        if manifest["revision"] > migrations.head_revision():
            raise Broken("This backup was made by a newer release of DAPP. Install that release first.")
        keyring_of(settings, manifest)
        make_private(settings.home)
        try:
            place.mkdir(mode=0o700)
            for listed in (manifest["database"], *manifest["objects"]):
                target = place / listed["name"]
                make_private(target.parent)
                _write(target, archive.pieces(listed))
            done = _begin_again(settings, place / DATABASE, manifest)
            _put_in_place(settings, place)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
    return RestoreRead(home=str(settings.home), objects=len(manifest["objects"]), backup_of=datetime.fromisoformat(manifest["created_at"]), **done)


def keyring_of(settings: Settings, manifest: dict[str, Any]) -> Keyring:
    """The root keys that a backup needs.

    Raises
    ------
    KeyWrong
        If one of them is not here.
    """
    try:
        ring = open_keyring(settings, expected=manifest["key_fingerprint"])
    except KeyWrong as error:
        raise KeyWrong(
            f"The root key of this backup ({manifest['key_fingerprint'][:16]}) is not here. Put it back first: jupyter dapp keys restore FILE"
        ) from error
    missing = [kid for kid in manifest["kids"] if not ring.holds(kid)]
    if missing:
        raise KeyWrong(f"This backup needs the key {missing[0]} as well, which was retired since. Put it back first: jupyter dapp keys restore FILE")
    return ring


def _require_empty(settings: Settings) -> None:
    unfinished = settings.home / RESTORING
    if not settings.uses_sqlite:
        _require_empty_server(settings)
    elif settings.database_file.exists() and settings.database_file.stat().st_size:
        raise Conflict(f"The home {settings.home} has a database already. Restore into another one: jupyter dapp --home FOLDER backup restore")
    if unfinished.exists():
        # A restore that was killed: what it had put in place has no database yet, so nobody has used it.
        shutil.rmtree(unfinished)
        shutil.rmtree(settings.objects_folder, ignore_errors=True)
    if settings.storage_url and next(open_objects(settings).names(), None) is not None:
        raise Conflict("The storage of DAPP_STORAGE_URL holds objects already. Restore into an empty one.")
    if any(each.is_file() for each in settings.objects_folder.rglob("*")):
        raise Conflict(f"The home {settings.home} has data already. Restore into another one: jupyter dapp --home FOLDER backup restore")


def _require_empty_server(settings: Settings) -> None:
    database = Database(settings.resolved_database_url())
    try:
        if instance.known_key(database)[0] is not None:
            raise Conflict("The database of DATABASE_URL holds a workspace already. Restore into an empty one.")
    finally:
        database.close()


def _begin_again(settings: Settings, copy: Path, manifest: dict[str, Any]) -> dict[str, int]:
    """Make the restored database a new beginning, with a row in its audit."""
    database = Database(f"sqlite:///{copy}")
    try:
        migrations.upgrade(database)
        expected, links = instance.known_key(database)
        ring = open_keyring(settings, expected=expected, links=links)
        with database.write() as session:
            row = instance.find(session)
            assert row is not None
            key = _data_key(session_keys(database), ring, row.instance_id)
            done = backups.start_anew(session)
            details: dict[str, Any] = {"backup_of": manifest["created_at"], **done}
            audit.record(session, secret_of(key, "audit"), audit.Entry(None, "backup.restore", None, "allow", details))
    finally:
        database.close()
    return done


def _put_in_place(settings: Settings, place: Path) -> None:
    """Objects first and the database last: a home without a database is never taken for a whole one."""
    with storage_errors():
        shutil.rmtree(settings.objects_folder, ignore_errors=True)
        if (place / "objects").exists():
            os.replace(place / "objects", settings.objects_folder)
            if settings.storage_url:
                remote = RemoteObjects(settings.objects_folder, settings.storage_url)
                for name, _ in ObjectStore.ages(remote):
                    remote.upload(name, settings.objects_folder / name)
        if settings.uses_sqlite:
            for left in ("-wal", "-shm", "-journal"):
                database = settings.database_file
                database.with_name(database.name + left).unlink(missing_ok=True)  # of a database that is not there any more
            os.replace(place / DATABASE, settings.database_file)
        else:
            _into_server(settings, place / DATABASE)
        shutil.rmtree(place)
        handle = os.open(settings.home, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _into_server(settings: Settings, copy: Path) -> None:
    """The restored rows into PostgreSQL, all at once."""
    source, target = Database(f"sqlite:///{copy}"), Database(settings.resolved_database_url())
    try:
        migrations.upgrade(target)
        copy_rows(source, target)
    finally:
        source.close()
        target.close()


def _verify_objects(settings: Settings, archive: Archive, inside: backups.Inside) -> int | None:
    """Compare every object with its digests, and open it where the root keys are here; returns how many were opened."""
    rows = {f"objects/{object_name(Label(row.purpose, row.id, row.version))}": row for row in inside.files}
    try:
        ring: Keyring | None = open_keyring(settings, expected=inside.fingerprint, links=inside.links)
    except KeyWrong:
        ring = None
    listed = {each["name"]: each for each in archive.manifest["objects"]}
    damaged = {f"objects/{name}" for name in archive.manifest["damaged"]}
    if set(rows) - damaged != set(listed) - damaged:
        raise IntegrityFailed("The backup does not hold exactly what its database knows. Use another backup.")
    opened = 0
    with tempfile.TemporaryDirectory(prefix="dapp-verify-") as folder:
        for name in sorted(set(listed) - damaged):
            each, row = listed[name], rows[name]
            if row.sha256 and row.sha256 != each["sha256"]:
                raise IntegrityFailed(f"{name} in the backup is not what the database knows. Use another backup.")
            sealed = Path(folder) / "object"  # as it was stored, under its own key
            _write(sealed, archive.pieces(each))
            if ring is not None:
                read_through(sealed, row, _key_of_file(inside.wrapped, ring, row))
                opened += 1
            sealed.unlink()
    return None if ring is None else opened


def read_through(path: Path, row: StoredFile, key: bytes) -> None:
    """Read an object from the beginning to the end, which checks every byte of it.

    Raises
    ------
    IntegrityFailed
        If a byte is not what was written.
    """
    label = Label(row.purpose, row.id, row.version)
    with open(path, "rb") as file:
        is_table = file.read(len(_PARQUET)) == _PARQUET
    if is_table:
        from dapp_ext.store.frames import open_frame

        for _ in open_frame(path, key, label).batches():
            pass
        return
    with open_sealed(path, key, label) as reader:
        while reader.read(backups.PIECE):
            pass


def session_keys(database: Database) -> dict[str, bytes]:
    """Wrapped data keys by subject."""
    with database.read() as session:
        return {row.subject_id: row.wrapped for row in backups.wrapped_keys(session)}


def _data_key(wrapped: dict[str, bytes], ring: Keyring, subject_id: str) -> bytes:
    if subject_id not in wrapped:
        raise NotFound("An object has no key any more.")
    return ring.unwrap(wrapped[subject_id], subject_id)


def _key_of_file(wrapped: dict[str, bytes], ring: Keyring, row: StoredFile) -> bytes:
    """The key of a file: its own, or one derived from that of its dataset, model or insight."""
    return _data_key(wrapped, ring, row.id) if row.id in wrapped else file_key(_data_key(wrapped, ring, row.subject_id), row.id)


def _known_to(copy: Path) -> dict[str, str]:
    database = Database(f"sqlite:///{copy}")
    try:
        with database.read() as session:
            return backups.known_files(session)
    finally:
        database.close()


def _has(writer: BackupWriter, name: str, digest: str) -> bool:
    member = writer.members.get(f"objects/{name}")
    return member is not None and digest in ("", member["sha256"])


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    with storage_errors():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(handle, "wb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(handle)


def _read(path: Path, size: int, manifest: dict[str, Any]) -> BackupRead:
    return BackupRead(
        path=str(path),
        size=size,
        created_at=datetime.fromisoformat(manifest["created_at"]),
        instance_id=manifest["instance_id"],
        version=manifest["dapp"],
        objects=len(manifest["objects"]),
        kids=manifest["kids"],
        audit_rows=manifest["audit_head"]["seq"],
        damaged=manifest["damaged"],
    )
