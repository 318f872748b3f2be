"""Stored files of datasets and models, each under a key of its own: random for those of datasets, so that one version can be destroyed; else derived."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dapp_ext.errors import NotFound, Unavailable
from dapp_ext.schema.base import new_id
from dapp_ext.services.context import Context
from dapp_ext.services.passes import FilePass
from dapp_ext.store.database import Session
from dapp_ext.store.objects import StagedObject, StoredObject
from dapp_ext.store.sealing import Label, SealedReader
from dapp_ext.store.tables import StoredFile

log = logging.getLogger(__name__)
PIECE = 1024 * 1024
Piece = bytes | memoryview


@dataclass(frozen=True)
class Download:
    """A file on its way out. ``size`` in bytes and ``rows`` of a table when they are known before, ``version`` that of the dataset it is from."""

    filename: str
    media_type: str
    chunks: Iterator[Piece]
    size: int | None = None
    version: int | None = None
    rows: int | None = None


@dataclass(frozen=True)
class OwnFile:
    """A published file under a random key of its own."""

    label: Label
    stored: StoredObject
    key: bytes = field(repr=False)


def file_key(data_key: bytes, file_id: str) -> bytes:
    """The key of one file. A key per file keeps the number of nonces under one key small."""
    return hmac.new(data_key, f"dapp/v1/file\0{file_id}".encode(), hashlib.sha256).digest()


def new_pass(context: Context, session: Session, subject_id: str, version: int, purpose: str) -> FilePass:
    """A fresh file in the staging folder, to be written by whoever gets this."""
    file_id = new_id()
    key = file_key(context.data_key(session, subject_id), file_id)
    return FilePass(context.objects.staging_path(file_id, version, purpose), Label(purpose, file_id, version), key)


def new_own_pass(context: Context, version: int, purpose: str) -> FilePass:
    """The same under a random key, which :func:`record_own` has to keep."""
    file_id, key = new_id(), context.keyring.new_data_key()
    return FilePass(context.objects.staging_path(file_id, version, purpose), Label(purpose, file_id, version), key)


def stored_pass(context: Context, session: Session, file_id: str | None) -> FilePass:
    """A published file, to be read by whoever gets this."""
    row = session.get(StoredFile, file_id) if file_id else None
    if row is None:
        raise NotFound("This part of the data was never made, or was deleted.")
    key = context.own_key(session, row.id) or file_key(context.data_key(session, row.subject_id), row.id)
    return FilePass(context.objects.path_for(row.id, row.version, row.purpose), Label(row.purpose, row.id, row.version), key)


def start_file(context: Context, subject_id: str, version: int, purpose: str, data_key: bytes) -> StagedObject:
    """Begin a sealed file for a subject whose key may not be in the database yet."""
    file_id = new_id()
    return context.objects.create(file_id, version, purpose, file_key(data_key, file_id))


def start_own_file(context: Context, version: int, purpose: str) -> tuple[StagedObject, bytes]:
    """Begin a sealed file under a random key, which :func:`record_own` has to keep."""
    file_id, key = new_id(), context.keyring.new_data_key()
    return context.objects.create(file_id, version, purpose, key), key


def publish(context: Context, staged: FilePass) -> None:
    """Give a file that a child process finished its name. It is not known to anyone until :func:`record`."""
    context.objects.publish(staged.path, staged.label)


def record(session: Session, subject_id: str, label: Label, stored: StoredObject) -> str:
    """Add a published file to the transaction of the change that makes it known."""
    row = StoredFile(
        id=label.object_id,
        subject_id=subject_id,
        version=label.generation,
        purpose=label.purpose,
        plain_size=stored.plain_size,
        sealed_size=stored.sealed_size,
        sha256=stored.sha256,
    )
    session.add(row)
    session.flush()
    return row.id


def record_own(context: Context, session: Session, subject_id: str, made: OwnFile) -> str:
    """The same for a file under a random key, which is kept beside it: whoever deletes the key has destroyed the file."""
    context.keep_key(session, made.label.object_id, made.key)
    return record(session, subject_id, made.label, made.stored)


def put_own(context: Context, version: int, purpose: str, data: bytes) -> OwnFile:
    """Seal and publish a small whole file under a random key."""
    staged, key = start_own_file(context, version, purpose)
    with staged:
        staged.write(data)
        stored = staged.finish()
        staged.publish()
    return OwnFile(staged.label, stored, key)


def open_stored(context: Context, session: Session, file_id: str | None) -> tuple[SealedReader, StoredFile]:
    """A reader of a published sealed file, with its row."""
    given = stored_pass(context, session, file_id)
    row = session.get(StoredFile, file_id)
    assert row is not None
    return context.objects.open(given.label.object_id, given.label.generation, given.label.purpose, given.key), row


def read_stored(context: Context, session: Session, file_id: str | None) -> bytes:
    """The content of a small published sealed file."""
    reader, _ = open_stored(context, session, file_id)
    with reader:
        return reader.read()


def remove(context: Context, files: list[StoredFile]) -> None:
    """Delete files whose rows and key are gone already: what cannot be removed now is unreadable, and swept away later."""
    for row in files:
        try:
            context.objects.delete(row.id, row.version, row.purpose)
        except Unavailable as error:
            log.warning("A file of something deleted could not be removed and is swept away later: %s", error.message)


def pieces(reader: SealedReader) -> Iterator[bytes]:
    """The content of a reader in pieces; closes it."""
    with reader:
        while piece := reader.read(PIECE):
            yield piece


def json_bytes(value: Any) -> bytes:
    """A pydantic shape as JSON."""
    return bytes(value.model_dump_json(by_alias=True).encode())
