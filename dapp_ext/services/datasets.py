"""Datasets: a file comes in, is processed in the background, and is looked at from every door."""

from __future__ import annotations

import unicodedata
from pathlib import PurePath
from typing import Any

from dapp_ext.domain.access import Thing
from dapp_ext.errors import DatasetNotFound, FileUnreadable, Invalid, NameTaken, NotReady, TooLarge
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Page, Subject, new_id, now
from dapp_ext.schema.datasets import (
    Column,
    DatasetRead,
    DatasetUpdate,
    DatasetUpload,
    Profile,
    ReadReport,
)
from dapp_ext.schema.events import DatasetEvent
from dapp_ext.services import files
from dapp_ext.services.context import Change, Context, list_cursor
from dapp_ext.services.files import Download
from dapp_ext.services.jobs import add_job, end_jobs
from dapp_ext.services.tables import Tables
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import datasets as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Dataset, DatasetVersion

_FORMAT_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Upload:
    """A file that is coming in: sealed while it is received, nothing is known of it before :meth:`finish`."""

    def __init__(self, context: Context, actor: Actor, request: DatasetUpload) -> None:
        self._context = context
        self._actor = actor
        self._request = request
        self._limit = context.settings.upload_limit
        self._received = 0
        self._dataset_id = new_id()
        self._key = context.keyring.new_data_key()
        self._staged = files.start_file(context, self._dataset_id, 1, "original", self._key)

    def write(self, data: bytes) -> None:
        """Take some bytes; refuses as soon as there are too many."""
        self._received += len(data)
        if self._received > self._limit:
            self.abort()
            raise TooLarge(_too_large(self._limit), limit=self._limit)
        self._staged.write(data)

    def finish(self) -> DatasetRead:
        """Bring the file to the disk, make the dataset known and queue its processing."""
        if self._received == 0:
            self.abort()
            raise FileUnreadable("The file is empty. Choose a file with a table in it.")
        with self._staged as staged:
            stored = staged.finish()
            staged.publish()
        with self._context.change(self._actor, "dataset.create", Subject(kind="dataset", id=self._dataset_id)) as change:
            dataset = new_dataset(self._context, change, self._request, self._dataset_id, self._key)
            original = files.record(change.session, dataset.id, staged.label, stored)
            options = self._request.options.model_dump(mode="json", exclude_none=True)
            job = add_job(
                self._context, change, "ingest", thing_of(dataset), Subject(kind="dataset", id=dataset.id), dataset.name, {"version": 1, "options": options}
            )
            version = DatasetVersion(
                dataset_id=dataset.id, version=1, filename=clean_filename(self._request.filename), size=self._received, original_id=original, job_id=job.id
            )
            change.session.add(version)
            change.session.flush()
            tell(change, "dataset.uploaded", dataset)
            return read(self._context, change.session, dataset, version)

    def abort(self) -> None:
        """Forget the file; nothing is left of it."""
        self._staged.abort()


class Datasets(Tables):
    """The service. Rows, aggregates and downloads are in :class:`~dapp_ext.services.tables.Tables`."""

    def begin_upload(self, actor: Actor, request: DatasetUpload) -> Upload:
        """Start to receive a file.

        Raises
        ------
        TooLarge
            If the announced size is over the limit, before any byte is taken.
        NameTaken
            If the given name is used already. A name that is only taken from the file is made unique instead.
        """
        self._context.permit(actor, "dataset.create")
        limit = self._context.settings.upload_limit
        if request.size is not None and request.size > limit:
            raise TooLarge(_too_large(limit), limit=limit)
        clean_filename(request.filename)
        if request.name is not None:
            name = clean_name(request.name)
            with self._context.database.read() as session:
                if store.by_reference(session, name) is not None:
                    raise NameTaken(f"There is a dataset named {name!r} already. Choose another name.")
        return Upload(self._context, actor, request)

    def list(self, actor: Actor, *, search: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[DatasetRead]:
        """Datasets that the actor may see, newest first."""
        self._context.permit(actor, "dataset.list")
        limit = max(1, min(limit, 500))
        with self._context.database.read() as session:
            rows = store.page(session, actor.account_id, search=search, limit=limit + 1, before=list_cursor(cursor))
            names = accounts_store.names(session, {dataset.owner_id for dataset, _ in rows})
            items = [read(self._context, session, dataset, version, names) for dataset, version in rows[:limit]]
        return Page(items=items, next=items[-1].id if len(rows) > limit else None)

    def get(self, actor: Actor, ref: str, version: int | None = None) -> DatasetRead:
        """One dataset by id or name, at its latest or a given version."""
        with self._context.database.read() as session:
            dataset, row = self.find(actor, session, ref, version, "dataset.read")
            return read(self._context, session, dataset, row)

    def update(self, actor: Actor, ref: str, request: DatasetUpdate) -> DatasetRead:
        """Rename, or change who may see it."""
        with self._context.database.read() as session:
            dataset, _ = self.find(actor, session, ref, None, "dataset.update")
        with self._context.change(actor, "dataset.update", Subject(kind="dataset", id=dataset.id)) as change:
            dataset, version = self.find(actor, change.session, dataset.id, None, "dataset.update")
            if request.name is not None:
                name = clean_name(request.name)
                other = store.by_reference(change.session, name)
                if other is not None and other.id != dataset.id:
                    raise NameTaken(f"There is a dataset named {name!r} already. Choose another name.")
                dataset.name, dataset.name_key = name, store.name_key(name)
            if request.visibility is not None:
                dataset.visibility = request.visibility
            dataset.updated_at = now()
            change.session.add(dataset)
            change.details.update(request.model_dump(mode="json", exclude_none=True))
            tell(change, "dataset.changed", dataset)
            return read(self._context, change.session, dataset, version)

    def delete(self, actor: Actor, ref: str) -> None:
        """Delete a dataset for good: its rows, its files and its key. Models trained from it stay."""
        with self._context.database.read() as session:
            dataset, _ = self.find(actor, session, ref, None, "dataset.delete")
        with self._context.change(actor, "dataset.delete", Subject(kind="dataset", id=dataset.id)) as change:
            dataset, _ = self.find(actor, change.session, dataset.id, None, "dataset.delete")
            end_jobs(change, dataset.id)
            stored = list(store.files(change.session, dataset.id))
            tell(change, "dataset.deleted", dataset)
            store.erase(change.session, dataset)
        self._context.forget_key(dataset.id)
        self._context.frames.drop(dataset.id)
        files.remove(self._context, stored)

    def profile(self, actor: Actor, ref: str, version: int | None = None) -> Profile:
        """The health report of a version."""
        with self._context.database.read() as session:
            dataset, row = self.find(actor, session, ref, version, "dataset.read")
            require_ready(dataset, row)
            self._context.note_read(actor, "dataset.look", Subject(kind="dataset", id=dataset.id), row.version)
            return Profile.model_validate_json(files.read_stored(self._context, session, row.profile_id))

    def original(self, actor: Actor, ref: str, version: int | None = None) -> Download:
        """The file as it was uploaded, to the byte."""
        with self._context.database.read() as session:
            dataset, row = self.find(actor, session, ref, version, "dataset.export")
            if row.original_id is None:
                raise DatasetNotFound("This dataset was made inside the workspace; there is no uploaded file. Download its data instead.")
            reader, stored = files.open_stored(self._context, session, row.original_id)
        self._context.note(actor, "dataset.original", Subject(kind="dataset", id=dataset.id), "allow")
        kind = _FORMAT_TYPES.get(row.format or "", "application/octet-stream")
        return Download(row.filename, kind, files.pieces(reader), stored.plain_size)


def new_dataset(context: Context, change: Change, request: DatasetUpload, dataset_id: str, key: bytes) -> Dataset:
    """Add a dataset and its data key to a change, under the wanted name or, when none was given, a free one."""
    assert change.actor is not None
    if request.name is not None:
        name = clean_name(request.name)
        if store.by_reference(change.session, name) is not None:
            raise NameTaken(f"There is a dataset named {name!r} already. Choose another name.")
    else:
        stem = clean_name(_stem(clean_filename(request.filename)))
        name = free_name(stem, store.taken_names(change.session, stem))
    context.keep_key(change.session, dataset_id, key)
    dataset = Dataset(id=dataset_id, name=name, name_key=store.name_key(name), owner_id=change.actor.account_id, visibility=request.visibility)
    change.session.add(dataset)
    change.session.flush()
    return dataset


def thing_of(dataset: Dataset) -> Thing:
    """What the policy needs to know of a dataset."""
    return Thing(dataset.owner_id, dataset.visibility)


def require_ready(dataset: Dataset, version: DatasetVersion) -> None:
    if version.error_code is not None:
        raise NotReady(f"{dataset.name!r} could not be read, so there is nothing to look at. Its page says why.")
    if version.table_id is None:
        raise NotReady(f"{dataset.name!r} is still being processed. Wait until it is ready.")


def tell(change: Change, type: str, dataset: Dataset, version: DatasetVersion | None = None) -> None:
    """Add an event about a dataset; the reason of a failure is told as a code only, its sentence is sealed."""
    data = DatasetEvent(
        name=dataset.name,
        status=dataset.status,
        rows=version.rows if version else None,
        columns=version.column_count if version else None,
        error=version.error_code if version else None,
    )
    change.tell(type, Subject(kind="dataset", id=dataset.id), data, thing_of(dataset))


def read(context: Context, session: Session, dataset: Dataset, version: DatasetVersion, names: dict[str, str] | None = None) -> DatasetRead:
    """A dataset version as it is shown."""
    owners = names if names is not None else accounts_store.names(session, {dataset.owner_id})
    inside: dict[str, Any] = context.unseal(session, dataset.id, place_of(version), version.sealed)
    status = "failed" if version.error_code else "processing" if version.table_id is None else "ready"
    return DatasetRead(
        id=dataset.id,
        name=dataset.name,
        status=status,
        error=inside.get("error"),
        owner=Named(id=dataset.owner_id, name=owners.get(dataset.owner_id, "")),
        visibility=dataset.visibility,
        version=version.version,
        rows=version.rows,
        schema=[Column.model_validate(each) for each in inside.get("schema", [])],
        column_count=version.column_count,
        format=version.format,
        filename=version.filename,
        size=version.size,
        job_id=version.job_id,
        report=ReadReport.model_validate(inside["report"]) if inside.get("report") else None,
        likely_target=inside.get("likely_target"),
        created_at=dataset.created_at,
        updated_at=dataset.updated_at,
    )


def place_of(version: DatasetVersion) -> str:
    """Where a version's sealed field is; bound to it."""
    return f"dataset_versions/{version.id}"


def free_name(wanted: str, taken: set[str]) -> str:
    """The wanted name, or the first of ``name (2)``, ``name (3)`` … that is free."""
    if store.name_key(wanted) not in taken:
        return wanted
    number = 2
    while store.name_key(f"{wanted} ({number})") in taken:
        number += 1
    return f"{wanted} ({number})"


def clean_name(name: str) -> str:
    """A name as people may give it: one line, no control characters, at most 200 characters."""
    one_line = " ".join(unicodedata.normalize("NFC", name).split())
    # Cf are characters that do not show, or turn the direction of what follows: a name with one can look like another name.
    text = "".join(char for char in one_line if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))
    text = text[:200].strip()
    if not text.strip("."):
        raise Invalid("The name is empty. Give one that others recognise.")
    return text


def clean_filename(filename: str) -> str:
    """The last part of what a browser sends as a file's name; it is shown, and never becomes a path."""
    return clean_name(filename.replace("\\", "/").rsplit("/", 1)[-1] or "file")


def _stem(filename: str) -> str:
    stem = filename
    for suffix in reversed(PurePath(filename).suffixes):
        if suffix.lower() not in (
            ".csv",
            ".tsv",
            ".txt",
            ".gz",
            ".zip",
            ".xlsx",
            ".xlsm",
            ".ods",
            ".parquet",
            ".pq",
            ".json",
            ".jsonl",
            ".ndjson",
            ".feather",
            ".arrow",
            ".zst",
            ".bz2",
        ):
            break
        stem = stem[: -len(suffix)]
    return stem or filename


def _too_large(limit: int) -> str:
    return f"The file is larger than the {limit / 2**20:,.0f} MiB that this workspace takes. Send less, or ask an administrator to raise DAPP_UPLOAD_LIMIT."
