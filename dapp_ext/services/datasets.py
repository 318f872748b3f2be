"""Datasets: a file comes in, is processed in the background, and is looked at from every door."""

from __future__ import annotations

from dapp_ext.errors import DatasetNotFound, NameTaken, TooLarge
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Page, Subject, now
from dapp_ext.schema.datasets import DatasetRead, DatasetUpdate, DatasetUpload, Profile, UsageRead
from dapp_ext.services import files, quotas
from dapp_ext.services.context import list_cursor
from dapp_ext.services.files import Download
from dapp_ext.services.jobs import end_jobs
from dapp_ext.services.names import clean_filename, clean_name
from dapp_ext.services.reads import View, around, profile_of, read, require_ready, tell
from dapp_ext.services.tables import Tables
from dapp_ext.services.uploads import Place, Upload, new_place, too_large
from dapp_ext.store import datasets as store

_FORMAT_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Datasets(Tables):
    """The service. Rows, aggregates and downloads are in :class:`~dapp_ext.services.tables.Tables`."""

    def begin_upload(self, actor: Actor, request: DatasetUpload) -> Upload:
        """Start to receive a file, for a new dataset or for the next version of one.

        Raises
        ------
        TooLarge, QuotaExceeded
            If the announced size is over the limit, before any byte is taken.
        NameTaken
            If the given name is used already. A name that is only taken from the file is made unique instead.
        """
        self._context.permit(actor, "dataset.create")
        limit = self._context.settings.upload_limit
        if request.size is not None and request.size > limit:
            raise TooLarge(too_large(limit), limit=limit)
        clean_filename(request.filename)
        place = new_place(self._context) if request.version_of is None else self._place_in(actor, request.version_of)
        with self._context.database.read() as session:
            if request.name is not None and request.version_of is None:
                name = clean_name(request.name)
                if store.find(session, name, actor.account_id) is not None:
                    raise NameTaken(f"There is a dataset named {name!r} already. Choose another name.")
            free = quotas.free_bytes(self._context, session, quotas.counts_for(actor, place.owner_id))
        if free is not None and (request.size or 1) > free:
            raise quotas.exceeded(free)
        return Upload(self._context, actor, request, place, free)

    def _place_in(self, actor: Actor, ref: str) -> Place:
        with self._context.database.read() as session:
            dataset, _ = self.find(actor, session, ref, None, "dataset.version")
            key = self._context.data_key(session, dataset.id)
            return Place(dataset.id, key, store.last_version(session, dataset.id) + 1, dataset.owner_id)

    def usage(self, actor: Actor) -> UsageRead:
        """What the account stores, and how much more it may."""
        self._context.permit(actor, "dataset.list")
        with self._context.database.read() as session:
            return quotas.usage(self._context, session, actor.account_id)

    def list(self, actor: Actor, *, search: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[DatasetRead]:
        """Datasets that the actor may see, newest first."""
        self._context.permit(actor, "dataset.list")
        limit = max(1, min(limit, 500))
        self._expect_questions()
        with self._context.database.read() as session:
            rows = store.page(session, actor.account_id, search=search, limit=limit + 1, before=list_cursor(cursor))
            view = View(self._context, session, actor)
            beside = around(view, [dataset for dataset, _ in rows])
            items = [read(view, dataset, version, beside) for dataset, version in rows[:limit]]
        return Page(items=items, next=items[-1].id if len(rows) > limit else None)

    def get(self, actor: Actor, ref: str, version: int | None = None) -> DatasetRead:
        """One dataset by id or name, at its latest or a given version."""
        with self._context.database.read() as session:
            dataset, row = self.find(actor, session, ref, version, "dataset.read")
            return read(View(self._context, session, actor), dataset, row)

    def update(self, actor: Actor, ref: str, request: DatasetUpdate) -> DatasetRead:
        """Rename, or change who may see it."""
        with self._context.database.read() as session:
            dataset, _ = self.find(actor, session, ref, None, "dataset.update")
            if request.visibility not in (None, dataset.visibility):
                self.find(actor, session, dataset.id, None, "dataset.share")
        with self._context.change(actor, "dataset.update", Subject(kind="dataset", id=dataset.id)) as change:
            dataset, version = self.find(actor, change.session, dataset.id, None, "dataset.update")
            if request.name is not None:
                name = clean_name(request.name)
                other = store.find(change.session, name, actor.account_id) or store.owned(change.session, dataset.owner_id, name)
                if other is not None and other.id != dataset.id:
                    raise NameTaken(f"There is a dataset named {name!r} already. Choose another name.")
                dataset.name, dataset.name_key = name, store.name_key(name)
            if request.visibility is not None:
                dataset.visibility = request.visibility
            dataset.updated_at = now()
            change.session.add(dataset)
            change.session.flush()
            store.describe_jobs(change.session, dataset.id, dataset.name, dataset.visibility)
            change.details.update(request.model_dump(mode="json", exclude_none=True))
            tell(change, "dataset.changed", dataset)
            return read(View(self._context, change.session, actor), dataset, version)

    def delete(self, actor: Actor, ref: str) -> None:
        """Delete a dataset for good: all its versions, its files and its key. Models trained from it stay."""
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
        self.let_go(dataset.id)
        files.remove(self._context, stored)

    def profile(self, actor: Actor, ref: str, version: int | None = None) -> Profile:
        """The health report of a version; each finding with the fix that it offers."""
        return Profile.model_validate_json(self.profile_json(actor, ref, version))

    def profile_json(self, actor: Actor, ref: str, version: int | None = None) -> bytes:
        """The same as JSON, as it is sent."""
        with self._context.database.read() as session:
            dataset, row = self.find(actor, session, ref, version, "dataset.read")
            require_ready(dataset, row)
            self._context.note_read(actor, "dataset.look", Subject(kind="dataset", id=dataset.id), row.version)
            return profile_of(self._context, session, row)

    def original(self, actor: Actor, ref: str, version: int | None = None) -> Download:
        """The file as it was uploaded, to the byte; that behind a version which was made from another one too."""
        with self._context.database.read() as session:
            dataset, row = self.find(actor, session, ref, version, "dataset.export")
            if row.original_id is None:
                raise DatasetNotFound("This dataset was made inside the workspace; there is no uploaded file. Download its data instead.")
            reader, stored = files.open_stored(self._context, session, row.original_id)
        self._context.note(actor, "dataset.original", Subject(kind="dataset", id=dataset.id), "allow")
        kind = _FORMAT_TYPES.get(row.format or "", "application/octet-stream")
        return Download(row.filename, kind, files.pieces(reader), stored.plain_size, row.version)
