"""Versions of a dataset: listed, made by reading again, compared, brought back; and what hangs on a dataset."""

from __future__ import annotations

from typing import Any

from dapp_ext.domain.access import allowed
from dapp_ext.errors import Conflict, Invalid
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Page, Subject, now
from dapp_ext.schema.datasets import ColumnProfile, DatasetRead, ReadOptions
from dapp_ext.schema.versions import Dependents, RestoreRequest, VersionComparison, VersionCreate, VersionRead
from dapp_ext.services import files, quotas
from dapp_ext.services.context import Change, Context
from dapp_ext.services.jobs import add_job
from dapp_ext.services.reads import View, inside_of, place_of, read, require_ready, status_of, tell
from dapp_ext.services.reports import Parts
from dapp_ext.services.tables import Tables
from dapp_ext.services.things import kind_of, thing_for, thing_of
from dapp_ext.services.writing import Origin, add_version
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import datasets as store
from dapp_ext.store import grants
from dapp_ext.store import models as models_store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Dataset, DatasetVersion, Model

_SENTENCES = {
    "upload": "Uploaded {filename}",
    "reread": "Read again from {filename}",
    "fix": "Mended",
    "undo": "A fix was taken back",
    "restore": "Version {from_version} again",
    "prediction": "Predicted by a model",
}


class Versions:
    """The service."""

    def __init__(self, context: Context, tables: Tables) -> None:
        self._context = context
        self._tables = tables

    def list(self, actor: Actor, ref: str) -> Page[VersionRead]:
        """All versions, newest first, also those that are being made or could not be made."""
        with self._context.database.read() as session:
            dataset, _ = self._tables.find(actor, session, ref, None, "dataset.read")
            rows = store.versions(session, dataset.id)
            names = accounts_store.names(session, {row.by_id or dataset.owner_id for row in rows})
            items = [self._shown(session, dataset, row, names) for row in rows]
        return Page(items=items, total=len(items))

    def read_again(self, actor: Actor, ref: str, request: VersionCreate) -> DatasetRead:
        """Make a new version from the sealed original with other options, in the background.

        Raises
        ------
        Invalid
            If there is no uploaded file behind the dataset.
        QuotaExceeded
            If there is no room for another version.
        """
        with self._context.database.read() as session:
            dataset, row = self._tables.find(actor, session, ref, request.version, "dataset.version")
        with self._context.change(actor, "dataset.version", Subject(kind="dataset", id=dataset.id)) as change:
            dataset, row = self._tables.find(actor, change.session, dataset.id, row.version, "dataset.version")
            if row.original_id is None:
                raise Invalid("This dataset was made inside the workspace; there is no uploaded file that could be read again.")
            quotas.require_room(self._context, change.session, dataset.owner_id, 1)
            options = request.options.model_dump(mode="json", exclude_none=True)
            version = add_version(self._context, change, dataset, Origin("reread", _asked(row.filename, options), row.version, {"options": options}))
            version.filename, version.size, version.original_id = row.filename, row.size, row.original_id
            return self.queue(change, dataset, version, {"options": options})

    def queue(self, change: Change, dataset: Dataset, version: DatasetVersion, spec: dict[str, Any]) -> DatasetRead:
        """Queue the job that makes a version, and tell of it."""
        assert change.actor is not None
        subject = Subject(kind="dataset", id=dataset.id)
        spec = {"version": version.version, **spec}
        version.job_id = add_job(self._context, change, "fix" if "fix" in spec else "ingest", thing_of(dataset), subject, dataset.name, spec).id
        change.session.add(version)
        change.session.flush()
        change.details["version"] = version.version
        tell(change, "dataset.processing", dataset, version)
        return read(View(self._context, change.session, change.actor), dataset, version)

    def restore(self, actor: Actor, ref: str, request: RestoreRequest) -> DatasetRead:
        """Make an older version the latest one: a new version that is equal to it.

        Raises
        ------
        NotReady
            If that version could not be read.
        """
        with self._context.database.read() as session:
            dataset, row = self._tables.find(actor, session, ref, request.version, "dataset.version")
        with self._context.change(actor, "dataset.restore", Subject(kind="dataset", id=dataset.id)) as change:
            dataset, row = self._tables.find(actor, change.session, dataset.id, row.version, "dataset.version")
            if row.version == dataset.version:
                raise Conflict(f"Version {row.version} of {dataset.name!r} is the latest one already.")
            return self.bring_back(change, dataset, row, Origin("restore", f"Version {row.version} again", row.version))

    def bring_back(self, change: Change, dataset: Dataset, row: DatasetVersion, origin: Origin) -> DatasetRead:
        """Add a version that names the files of another one, as the latest."""
        assert change.actor is not None
        require_ready(dataset, row)
        version = add_version(self._context, change, dataset, origin)
        for name in ("filename", "format", "size", "rows", "column_count", "original_id", "table_id", "profile_id"):
            setattr(version, name, getattr(row, name))
        for name in ("source_model_id", "source_model_version", "source_dataset_id", "source_dataset_version"):
            setattr(version, name, getattr(row, name))
        made = inside_of(self._context, change.session, version)["made"]
        inside = inside_of(self._context, change.session, row) | {"made": made}
        version.sealed = self._context.seal(change.session, dataset.id, place_of(version), inside)
        dataset.version, dataset.status, dataset.updated_at = version.version, "ready", now()
        change.session.add(version)
        change.session.add(dataset)
        change.session.flush()
        change.details.update({"version": version.version, "from": row.version})
        tell(change, "dataset.ready", dataset, version)
        return read(View(self._context, change.session, change.actor), dataset, version)

    def compare(self, actor: Actor, ref: str, before: int, after: int | None = None) -> VersionComparison:
        """What changed between two versions; the second is the latest when left out."""
        return VersionComparison.model_validate_json(self.compare_json(actor, ref, before, after))

    def compare_json(self, actor: Actor, ref: str, before: int, after: int | None = None) -> bytes:
        """The same as JSON, as it is sent; written column by column, so that wide tables hold up nobody."""
        from dapp_ext.domain.comparing import compare_column, rank, sentences

        with self._context.database.read() as session:
            dataset, old = self._tables.find(actor, session, ref, before, "dataset.read")
            _, new = self._tables.find(actor, session, ref, after, "dataset.read")
            reports = [self._report(session, dataset, row) for row in (old, new)]
        rows = [each.light.rows for each in reports]
        stored = [each.stored() for each in reports]
        # Column by column, so that few objects live at once: to go through a hundred thousand would hold up the whole process.
        found: list[tuple[tuple[int, float], str, str, str]] = []
        for name in dict.fromkeys([*stored[0], *stored[1]]):
            pair = [ColumnProfile.model_validate_json(each[name]) if name in each else None for each in stored]
            one = compare_column(pair[0], pair[1], rows[0], rows[1])
            found.append((rank(one), one.change, name, one.model_dump_json(by_alias=True)))
        found.sort(key=lambda each: each[0])
        bare = VersionComparison(
            dataset=Named(id=dataset.id, name=dataset.name),
            from_version=old.version,
            to_version=new.version,
            rows_before=rows[0],
            rows_after=rows[1],
            columns=[],
            sentences=sentences(rows[0], rows[1], [(change, name) for _, change, name, _ in found]),
        )
        first, empty, last = bare.model_dump_json(by_alias=True).partition('"columns":[')
        return "".join((first, empty, ",".join(text for *_, text in found), last)).encode()

    def dependents(self, actor: Actor, ref: str, version: int | None = None) -> Dependents:
        """What was made from a dataset or from one version of it, and what goes with it when that is deleted."""
        with self._context.database.read() as session:
            dataset, row = self._tables.find(actor, session, ref, version, "dataset.read")
            rows = store.versions(session, dataset.id)
            models = [model for model in models_store.of_dataset(session, dataset.id) if version in (None, model.dataset_version)]
            predicted = {made.id: made for made, by in store.predicted_from(session, dataset.id) if version in (None, by.source_dataset_version)}
            stays = store.used_files([each for each in rows if each.id != row.id]) if version else set()
            things: list[Dataset | Model] = [*models, *predicted.values()]
            seen = {thing.id for thing in things if allowed(actor, f"{kind_of(thing)}.read", thing_for(session, actor, thing))}
            return Dependents(
                models=[Named(id=model.id, name=model.name) for model in models if model.id in seen],
                predictions=[Named(id=made.id, name=made.name) for made in predicted.values() if made.id in seen],
                unseen=len(things) - len(seen),
                jobs=store.unfinished_jobs(session, dataset.id) if version is None else 0,
                versions=1 if version else len(rows),
                bytes=sum(
                    file.sealed_size
                    for file in store.files(session, dataset.id)
                    if version is None or (file.id in store.used_files([row]) and file.id not in stays)
                ),
                people=grants.counts(session, "dataset", [dataset.id]).get(dataset.id, 0) if version is None else 0,
                later=[each.version for each in rows if version and each.from_version == version],
            )

    def delete(self, actor: Actor, ref: str, number: int) -> None:
        """Delete one version for good: its row, and the files and keys that no other version needs. What was made from it stays.

        Raises
        ------
        Conflict
            It is the latest one, or work that needs it is under way.
        """
        with self._context.database.read() as session:
            dataset, _ = self._tables.find(actor, session, ref, number, "dataset.delete")
        with self._context.change(actor, "dataset.version_delete", Subject(kind="dataset", id=dataset.id)) as change:
            dataset, row = self._tables.find(actor, change.session, dataset.id, number, "dataset.delete")
            if number == dataset.version:
                raise Conflict(f"Version {number} of {dataset.name!r} is the one in use. Bring another one back first, or delete the dataset.")
            if self._is_needed(change.session, row):
                raise Conflict(f"Version {number} of {dataset.name!r} is being worked with. Wait until that has ended, or cancel it.")
            gone = store.erase_version(change.session, row)
            dataset.updated_at = now()
            change.session.add(dataset)
            change.session.flush()
            change.details["version"] = number
            tell(change, "dataset.changed", dataset)
        for file in gone:
            self._context.forget_key(file.id)
        self._context.frames.drop(dataset.id)
        self._tables.let_go(dataset.id)
        files.remove(self._context, gone)

    def _is_needed(self, session: Session, row: DatasetVersion) -> bool:
        """Whether something is being made from a version, or the version itself."""
        made = [each for each in store.versions(session, row.dataset_id) if each.id == row.id or each.from_version == row.version]
        models = [model.id for model in models_store.of_dataset(session, row.dataset_id) if model.dataset_version == row.version]
        predicted = [dataset.id for dataset, by in store.predicted_from(session, row.dataset_id) if by.source_dataset_version == row.version]
        unfinished = any(store.unfinished_jobs(session, each) for each in (*models, *predicted))
        return unfinished or any(status_of(each) == "processing" for each in made)

    def _report(self, session: Session, dataset: Dataset, row: DatasetVersion) -> Parts:
        require_ready(dataset, row)
        return Parts.of(files.read_stored(self._context, session, row.profile_id))

    def _shown(self, session: Session, dataset: Dataset, row: DatasetVersion, names: dict[str, str]) -> VersionRead:
        inside = inside_of(self._context, session, row)
        made: dict[str, Any] = inside.get("made", {})
        by = row.by_id or dataset.owner_id
        return VersionRead(
            version=row.version,
            latest=row.version == dataset.version,
            status=status_of(row),
            origin=row.origin,
            from_version=row.from_version,
            sentence=made.get("sentence") or _SENTENCES[row.origin].format(filename=row.filename, from_version=row.from_version),
            fix=made.get("fix"),
            by=Named(id=by, name=names.get(by, "")),
            filename=row.filename,
            size=row.size,
            rows=row.rows,
            column_count=row.column_count,
            format=row.format,
            options=ReadOptions.model_validate(made["options"]) if "options" in made and "fix" not in made else None,
            has_original=row.original_id is not None,
            error=inside.get("error"),
            job_id=row.job_id,
            created_at=row.created_at,
        )


def _asked(filename: str, options: dict[str, Any]) -> str:
    if not options:
        return f"Read {filename} again, everything guessed"
    listed = ", ".join(f"{name.replace('_', ' ')} {value!r}" for name, value in options.items())
    return f"Read {filename} again with {listed}"[:500]
