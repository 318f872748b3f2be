"""Fixes: one press that mends what a finding tells of, by a new version that can be taken back."""

from __future__ import annotations

from dapp_ext.errors import Conflict
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject
from dapp_ext.schema.datasets import Column, DatasetRead
from dapp_ext.schema.fixes import FixRequest
from dapp_ext.services import files, quotas
from dapp_ext.services.context import Context
from dapp_ext.services.reads import inside_of, place_of, require_ready
from dapp_ext.services.reports import Parts, concerned
from dapp_ext.services.tables import Tables
from dapp_ext.services.versions import Versions
from dapp_ext.services.writing import Origin, add_version
from dapp_ext.store import datasets as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Dataset, DatasetVersion


class Fixes:
    """The service."""

    def __init__(self, context: Context, tables: Tables, versions: Versions) -> None:
        self._context = context
        self._tables = tables
        self._versions = versions

    def apply(self, actor: Actor, ref: str, request: FixRequest) -> DatasetRead:
        """Mend a dataset in the background; the answer is the version that is being made.

        Raises
        ------
        Invalid, ColumnUnknown
            If there is no such fix, or nothing that it could be done to.
        QuotaExceeded
            If there is no room for another version.
        """
        from dapp_ext.domain.fixes.offers import resolve

        with self._context.database.read() as session:
            dataset, row = self._tables.find(actor, session, ref, request.version, "dataset.version")
            require_ready(dataset, row)
            inside = inside_of(self._context, session, row)
            stored = files.read_stored(self._context, session, row.profile_id)
            size = max((file.sealed_size for file in store.files(session, dataset.id) if file.id == row.table_id), default=0)
        profile = concerned(Parts.of(stored), request.columns)
        asked = resolve(request, [Column.model_validate(each) for each in inside["schema"]], profile)
        with self._context.change(actor, "dataset.fix", Subject(kind="dataset", id=dataset.id)) as change:
            dataset, row = self._tables.find(actor, change.session, dataset.id, row.version, "dataset.version")
            quotas.require_room(self._context, change.session, dataset.owner_id, size)
            options = asked.options.model_dump(mode="json", exclude_none=True)
            details = {"fix": asked.code, "columns": asked.columns, "options": options}
            version = add_version(self._context, change, dataset, Origin("fix", "Being mended", row.version, details))
            for name in ("filename", "size", "original_id", "format"):
                setattr(version, name, getattr(row, name))
            made = inside_of(self._context, change.session, version) | {"report": inside.get("report", {})}
            version.sealed = self._context.seal(change.session, dataset.id, place_of(version), made)
            change.details.update({"fix": asked.code})
            return self._versions.queue(change, dataset, version, {"source": row.version, **details})

    def undo(self, actor: Actor, ref: str) -> DatasetRead:
        """Take the last fix back: a new version that is equal to the one before it. Asked again, the fix before that.

        Raises
        ------
        Conflict
            If the latest version does not rest on a fix.
        """
        with self._context.database.read() as session:
            dataset, _ = self._tables.find(actor, session, ref, None, "dataset.version")
        with self._context.change(actor, "dataset.fix_undo", Subject(kind="dataset", id=dataset.id)) as change:
            dataset, latest = self._tables.find(actor, change.session, dataset.id, None, "dataset.version")
            fixed = self._last_fix(change.session, dataset, latest)
            before = store.version_of(change.session, dataset.id, fixed.from_version or 0)
            if before is None:
                raise Conflict(f"Version {fixed.from_version} of {dataset.name!r}, which was mended, is deleted. Restore another version instead.")
            sentence = inside_of(self._context, change.session, fixed).get("made", {}).get("sentence", "")
            return self._versions.bring_back(change, dataset, before, Origin("undo", f"Taken back: {sentence}", before.version))

    def _last_fix(self, session: Session, dataset: Dataset, latest: DatasetVersion) -> DatasetVersion:
        """The fix that the latest version rests on; versions that were brought back are what they stand for."""
        row: DatasetVersion | None = latest
        while row is not None and row.origin in ("undo", "restore") and row.from_version:
            row = store.version_of(session, dataset.id, row.from_version)
        if row is None or row.origin != "fix":
            raise Conflict(f"{dataset.name!r} does not rest on a fix that could be taken back. Restore an older version instead.")
        return row
