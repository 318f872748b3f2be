"""Files that come in: sealed while they are received, as a new dataset or as a new version of one."""

from __future__ import annotations

from dataclasses import dataclass

from dapp_ext.errors import FileUnreadable, TooLarge
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject, new_id
from dapp_ext.schema.datasets import DatasetRead, DatasetUpload
from dapp_ext.services import files, quotas
from dapp_ext.services.context import Change, Context
from dapp_ext.services.jobs import add_job
from dapp_ext.services.names import clean_filename
from dapp_ext.services.reads import View, read, tell
from dapp_ext.services.things import thing_of
from dapp_ext.services.writing import Origin, add_version, new_dataset
from dapp_ext.store import datasets as store
from dapp_ext.store.objects import StoredObject
from dapp_ext.store.tables import Dataset


@dataclass(frozen=True)
class Place:
    """Where a file goes: into a dataset that is there, or (without an owner) into a new one."""

    dataset_id: str
    key: bytes
    number: int = 1
    owner_id: str | None = None


class Upload:
    """A file that is coming in; nothing is known of it before :meth:`finish`.

    Parameters
    ----------
    free : int or None
        Bytes that may still be stored for whoever the file counts to.
    """

    def __init__(self, context: Context, actor: Actor, request: DatasetUpload, place: Place, free: int | None) -> None:
        self._context = context
        self._actor = actor
        self._request = request
        self._limit = context.settings.upload_limit
        self._free = free
        self._received = 0
        self._place = place
        self._staged, self._key = files.start_own_file(context, place.number, "original")

    def write(self, data: bytes) -> None:
        """Take some bytes; refuses as soon as there are too many."""
        self._received += len(data)
        if self._received > self._limit:
            self.abort()
            raise TooLarge(too_large(self._limit), limit=self._limit)
        if self._free is not None and self._received > self._free:
            self.abort()
            raise quotas.exceeded(self._free)
        self._staged.write(data)

    def finish(self) -> DatasetRead:
        """Bring the file to the disk, make it known and queue its processing."""
        if self._received == 0:
            self.abort()
            raise FileUnreadable("The file is empty. Choose a file with a table in it.")
        with self._staged as staged:
            stored = staged.finish()
            staged.publish()
        try:
            return self._make_known(stored)
        except BaseException:
            # Nothing points to the file, and nothing ever will.
            self._context.objects.delete(staged.label.object_id, staged.label.generation, staged.label.purpose)
            raise

    def _make_known(self, stored: StoredObject) -> DatasetRead:
        subject = Subject(kind="dataset", id=self._place.dataset_id)
        with self._context.change(self._actor, "dataset.create" if self._place.owner_id is None else "dataset.version", subject) as change:
            # Others may have come in meanwhile: what counts is what is stored now.
            owner = quotas.counts_for(self._actor, self._place.owner_id)
            quotas.require_room(self._context, change.session, owner, stored.sealed_size)
            dataset = self._dataset(change)
            original = files.record_own(self._context, change.session, dataset.id, files.OwnFile(self._staged.label, stored, self._key))
            filename = clean_filename(self._request.filename)
            options = self._request.options.model_dump(mode="json", exclude_none=True)
            version = add_version(self._context, change, dataset, Origin("upload", f"Uploaded {filename}", details={"options": options}))
            version.filename, version.size, version.original_id = filename, self._received, original
            spec = {"version": version.version, "options": options}
            version.job_id = add_job(self._context, change, "ingest", thing_of(dataset), subject, dataset.name, spec).id
            change.session.add(version)
            change.session.flush()
            change.details["version"] = version.version
            tell(change, "dataset.uploaded" if version.version == 1 else "dataset.processing", dataset, version)
            return read(View(self._context, change.session, self._actor), dataset, version)

    def _dataset(self, change: Change) -> Dataset:
        if self._place.owner_id is None:
            return new_dataset(self._context, change, self._request, self._place.dataset_id, self._place.key)
        return store.require(change.session, self._place.dataset_id)

    def abort(self) -> None:
        """Forget the file; nothing is left of it."""
        self._staged.abort()


def new_place(context: Context) -> Place:
    """Where the file of a new dataset goes."""
    return Place(new_id(), context.keyring.new_data_key())


def too_large(limit: int) -> str:
    return f"The file is larger than the {limit / 2**20:,.0f} MiB that this workspace takes. Send less, or ask an administrator to raise DAPP_UPLOAD_LIMIT."
