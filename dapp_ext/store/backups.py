"""Backups: one sealed file with the database of one moment and every object that it knows.

::

    8 bytes   magic ``DAPPBAK`` and the format's number
    4 bytes   length of the header, big-endian
    n bytes   header, JSON: how the key is derived, which workspace, when
    rest      Cobblestone-256 with context SHA-256("dapp-backup-v1\\0" || all bytes before), and inside it a tar of
              objects/…   the sealed files as they are: they stay under their own keys
              dapp.sqlite the database
              manifest.json names, sizes and SHA-256 of all of them

Objects are copied first, since they never change; then the database is copied in one step, and what it knows beyond the
first look is added. Something deleted meanwhile may be inside as well; no row knows it, so it is never restored.
The root keys are not inside.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import sqlite3
import struct
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from dapp_ext.errors import Conflict, IntegrityFailed, Invalid, KeyWrong, Unavailable
from dapp_ext.schema.base import new_id, now
from dapp_ext.store import migrations
from dapp_ext.store.copying import copy_rows
from dapp_ext.store.database import Database
from dapp_ext.store.key_files import derive_key
from dapp_ext.store.keys import KDF, KDF_LARGEST, RootLink, passphrase_key
from dapp_ext.store.objects import StagingFile, object_name, storage_errors
from dapp_ext.store.sealing import Label, SealedReader, SealingWriter
from dapp_ext.store.tables import DataKey, Instance, Invitation, Job, RefreshToken, SignIn, StoredFile, Ticket, Worker

FORMAT = 1
MAGIC = b"DAPPBAK\x01"
DATABASE = "dapp.sqlite"
MANIFEST = "manifest.json"
MAX_HEADER = 4096
MAX_MANIFEST = 1 << 30
PIECE = 1 << 20
TRIES = 4
PASSPHRASE_LENGTH = 12
_OBJECT = re.compile(r"objects/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f-]{36}\.\d+\.[a-z-]+")


@dataclass(frozen=True)
class BackupKey:
    """What seals a backup: a passphrase, or the secret of a key file."""

    secret: str = field(repr=False)
    is_passphrase: bool = True

    def derive(self, kdf: dict[str, Any]) -> bytes:
        """The key for a header's way of deriving it."""
        if (kdf.get("name") == "argon2id") is not self.is_passphrase:
            kind = "a key file" if self.is_passphrase else "a passphrase"
            raise KeyWrong(f"This backup was sealed with {kind}. Give that.")
        try:
            if self.is_passphrase:
                cost = {name: int(kdf[name]) for name in KDF}
                salt = bytes.fromhex(kdf["salt"])
                if len(salt) != 16 or any(not 1 <= cost[name] <= KDF_LARGEST[name] for name in cost):
                    raise IntegrityFailed
                return passphrase_key(self.secret, cost, salt)
        except (KeyError, ValueError, TypeError):
            raise IntegrityFailed from None
        return derive_key(self.secret.encode(), f"backup/{kdf.get('salt', '')}")

    def fresh(self) -> dict[str, Any]:
        """How a new backup derives its key."""
        if self.is_passphrase and len(self.secret) < PASSPHRASE_LENGTH:
            raise Invalid(f"The passphrase is too short. Use at least {PASSPHRASE_LENGTH} characters.")
        salt = os.urandom(16).hex()
        return {"name": "argon2id", **KDF, "salt": salt} if self.is_passphrase else {"name": "key-file", "salt": salt}


# -- making ---------------------------------------------------------------------------------------------------------


def known_files(session: Session) -> dict[str, str]:
    """SHA-256 of every object that the database knows, by name."""
    return {object_name(Label(row.purpose, row.id, row.version)): row.sha256 for row in session.exec(select(StoredFile))}


class BackupWriter:
    """Writes one backup. Leaving it without :meth:`finish` removes the file."""

    def __init__(self, path: Path, key: BackupKey, about: dict[str, str]) -> None:
        self._path = path
        if path.exists():
            raise Conflict(f"There is a file {path} already. Choose another name.")
        kdf = key.fresh()
        header = json.dumps({"format": FORMAT, "suite": "c2sp-cobblestone-256", "kdf": kdf, **about}).encode()
        head = MAGIC + struct.pack(">I", len(header)) + header
        sealing_key = key.derive(kdf)
        self._file = StagingFile(path.with_name(f".{path.name}.{os.urandom(4).hex()}"))
        self._file.write(head)
        self._seal = SealingWriter(cast(BinaryIO, self._file), sealing_key, _context(head))
        self._tar = tarfile.open(  # noqa: SIM115 - closed by finish
            mode="w|", fileobj=self._seal, format=tarfile.PAX_FORMAT, bufsize=PIECE
        )
        self.members: dict[str, dict[str, Any]] = {}

    def add_file(self, name: str, path: Path) -> bool:
        """Add a file; false when it is not there."""
        try:
            handle = open(path, "rb")  # noqa: SIM115 - closed below
        except FileNotFoundError:
            return False
        with handle, storage_errors():
            size = os.fstat(handle.fileno()).st_size
            hashed = _Hashing(handle)
            self._tar.addfile(_member(name, size), cast(Any, hashed))
        self.members[name] = {"name": name, "size": size, "sha256": hashed.digest.hexdigest()}
        return True

    def finish(self, manifest: dict[str, Any]) -> int:
        """Add the manifest, bring the file to the device and give it its name; returns its size in bytes."""
        data = json.dumps(manifest, indent=1).encode()
        self._tar.addfile(_member(MANIFEST, len(data)), io.BytesIO(data))
        self._tar.close()
        self._seal.finish()
        self._file.sync()
        size = self._file.size
        self._file.close()
        with storage_errors():
            os.link(self._file.path, self._path)  # unlike a renaming, this never replaces a file
            self._file.path.unlink()
        return size

    def abort(self) -> None:
        """Remove what was written; nothing happens after :meth:`finish`."""
        self._file.discard()


class _Hashing:
    """A file that hashes what is read from it."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._handle.read(size)
        self.digest.update(data)
        return data


def snapshot(database: Database, target: Path) -> None:
    """Copy a database as it is at one moment into a SQLite file, also while others write to it."""
    if not database.is_sqlite:
        copy_into_file(database, target)
        return
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.close(handle)
    try:
        with contextlib.closing(sqlite3.connect(database.path, timeout=30)) as source, contextlib.closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise Unavailable(f"The database cannot be copied now: {error}. Try again in a moment.") from error


def copy_into_file(database: Database, target: Path) -> None:
    """The rows of a PostgreSQL database as a SQLite file, so that a backup can be restored on either."""
    copy = Database(f"sqlite:///{target}")
    try:
        migrations.upgrade(copy)
        copy_rows(database, copy)
    finally:
        copy.close()
    with contextlib.closing(sqlite3.connect(target)) as file:
        file.execute("PRAGMA journal_mode=DELETE")


def faults_of(connection: sqlite3.Connection) -> list[str]:
    """What SQLite's own checks say against a database; empty for a whole one."""
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
        found += [f"a row of {row[0]} names a row of {row[2]} that does not exist" for row in connection.execute("PRAGMA foreign_key_check")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    return found


@dataclass(frozen=True)
class Inside:
    """What has to be known of a database in a backup to open the backup's objects."""

    files: list[StoredFile]
    wrapped: dict[str, bytes]
    fingerprint: str
    links: list[RootLink]


@contextlib.contextmanager
def in_memory(data: bytes) -> Iterator[sqlite3.Connection]:
    """A database file, opened without putting it on a disk."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(data)
        yield connection


def look_inside(connection: sqlite3.Connection) -> Inside:
    """Objects, wrapped keys and the root that they need.

    Raises
    ------
    IntegrityFailed
        If these tables are not there or not readable.
    """
    columns = ("id", "subject_id", "version", "purpose", "sha256")
    try:
        files = [StoredFile(**dict(zip(columns, row, strict=True))) for row in connection.execute(f"SELECT {', '.join(columns)} FROM objects")]
        wrapped = dict(connection.execute("SELECT subject_id, wrapped FROM data_keys").fetchall())
        (fingerprint,) = connection.execute("SELECT key_fingerprint FROM instance").fetchone()
        links = [RootLink(*row) for row in connection.execute("SELECT kid, by_kid, sealed FROM root_links")]
    except (sqlite3.DatabaseError, TypeError) as error:
        raise IntegrityFailed("The database in the backup is damaged. Use another backup.") from error
    return Inside(files, wrapped, fingerprint, links)


# -- reading --------------------------------------------------------------------------------------------------------


class Archive:
    """An opened backup: its key is right and its end is there. Everything else is checked while it is read."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._members = {member.name: member for member in tar}
        self._tar = tar
        for name, member in self._members.items():
            if not member.isreg() or (name not in (DATABASE, MANIFEST) and not _OBJECT.fullmatch(name)):
                raise IntegrityFailed("The backup holds something that no backup has. It is not used.")
        self.manifest: dict[str, Any] = self._read_manifest()

    def read_database(self) -> bytes:
        """The whole database file."""
        return b"".join(self.pieces(self.manifest["database"]))

    def pieces(self, listed: dict[str, Any]) -> Iterator[bytes]:
        """The content of a listed member.

        Raises
        ------
        IntegrityFailed
            If it is missing, or not what the list says; after its last piece.
        """
        digest, size = hashlib.sha256(), 0
        with self.open(listed["name"]) as stream:
            while piece := stream.read(PIECE):
                digest.update(piece)
                size += len(piece)
                yield piece
        if size != listed["size"] or digest.hexdigest() != listed["sha256"]:
            raise IntegrityFailed(f"{listed['name']} in the backup is not what its list says. Use another backup.")

    def open(self, name: str) -> BinaryIO:
        """A member as a seekable file."""
        member = self._members.get(name)
        stream = None if member is None else self._tar.extractfile(member)
        if stream is None:
            raise IntegrityFailed(f"{name} is missing in the backup. Use another backup.")
        return cast(BinaryIO, stream)

    def _read_manifest(self) -> dict[str, Any]:
        if MANIFEST not in self._members or self._members[MANIFEST].size > MAX_MANIFEST:
            raise IntegrityFailed("The backup has no list of its content. Use another backup.")
        with self.open(MANIFEST) as stream:
            found: dict[str, Any] = json.loads(stream.read())
        return found


@contextlib.contextmanager
def open_archive(path: Path, key: BackupKey) -> Iterator[Archive]:
    """Open a backup.

    Raises
    ------
    Invalid
        If the file is not a backup, or one of a newer format.
    KeyWrong
        If passphrase or key file are others, or the beginning of the file was changed.
    IntegrityFailed
        If anything else was changed or is missing.
    """
    try:
        raw = open(path, "rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise Invalid(f"The backup {path} cannot be read: {error.strerror}.") from error
    with raw:
        head, kdf = _read_header(raw)
        try:
            reader = SealedReader(raw, key.derive(kdf), _context(head))
        except IntegrityFailed:
            raise KeyWrong("The passphrase or key file is not the one of this backup, or the backup was changed or cut.") from None
        with reader:
            try:
                with tarfile.open(fileobj=reader, mode="r:") as tar:
                    yield Archive(tar)
            except IntegrityFailed as error:
                if error.message != IntegrityFailed.sentence:
                    raise
                raise IntegrityFailed("The backup was changed or damaged and is not used. Use another backup.") from None
            except (tarfile.TarError, KeyError, ValueError, EOFError) as error:
                raise IntegrityFailed("The backup is damaged. Use another one.") from error


def _read_header(raw: BinaryIO) -> tuple[bytes, dict[str, Any]]:
    start = raw.read(len(MAGIC) + 4)
    if not start.startswith(MAGIC[:-1]) or len(start) != len(MAGIC) + 4:
        raise Invalid("This file is not a backup of DAPP.")
    (size,) = struct.unpack(">I", start[len(MAGIC) :])
    if start[len(MAGIC) - 1] != MAGIC[-1] or size > MAX_HEADER:
        raise Invalid("This backup has a format that this release does not know. Install the release that made it, or a newer one.")
    text = raw.read(size)
    try:
        kdf = json.loads(text)["kdf"]
        if not isinstance(kdf, dict):
            raise IntegrityFailed
    except (ValueError, KeyError, TypeError, RecursionError):
        raise IntegrityFailed("The beginning of the backup was changed. Use another backup.") from None
    return start + text, kdf


def _context(head: bytes) -> bytes:
    return hashlib.sha256(b"dapp-backup-v1\0" + head).digest()


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


# -- what a restored database forgets -------------------------------------------------------------------------------


def start_anew(session: Session) -> dict[str, int]:
    """Let a restored database begin again: nobody is signed in, no link works, lost work waits, old cursors are recognised."""
    connection = session.connection()
    moment = now()
    ended = connection.execute(update(SignIn).where(col(SignIn.revoked_at).is_(None)).values(revoked_at=moment)).rowcount
    for table in (RefreshToken, Ticket, Worker):
        connection.execute(delete(table))
    connection.execute(update(Invitation).where(col(Invitation.used_at).is_(None), col(Invitation.withdrawn_at).is_(None)).values(withdrawn_at=moment))
    running = update(Job).where(col(Job.status) == "running").values(status="queued", worker_id=None, lease_until=None)
    queued = connection.execute(running).rowcount
    connection.execute(update(Instance).values(epoch=new_id()[-12:]))
    return {"sessions_ended": ended, "jobs_queued_again": queued}


def wrapped_keys(session: Session) -> list[DataKey]:
    """All data keys, wrapped."""
    return list(session.exec(select(DataKey)))
