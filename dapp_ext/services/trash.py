"""Deleting so that it can be undone: for a day nobody sees the thing, and whoever may delete it can bring it back as it was.

Its rows are kept sealed under its own data key, its files stay where they are. After that day, or when that is asked for,
both go for good with the key, as if it had been deleted at once.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

from dapp_ext.domain.access import Thing
from dapp_ext.errors import JobCancelled, NotFound
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.base import Named, Page, Subject, now
from dapp_ext.schema.trash import TrashKind, TrashRead
from dapp_ext.services import files, models, reads
from dapp_ext.services.context import Change, Context
from dapp_ext.services.datasets import Datasets
from dapp_ext.services.insights import Insights, tell
from dapp_ext.services.jobs import end_jobs
from dapp_ext.services.models import Models
from dapp_ext.services.names import free_name
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import datasets as datasets_store
from dapp_ext.store import models as models_store
from dapp_ext.store import trash as store
from dapp_ext.store.database import Session
from dapp_ext.store.grants import name_key
from dapp_ext.store.tables import Dataset, Insight, Model, Trashed

KEPT = timedelta(days=1)
_STOPPED = "It was deleted while it was read, and brought back. Read it again, or upload the file again."
_GONE = "This cannot be brought back any more: its time is over, or it was deleted for good."


class Trash:
    """The service."""

    def __init__(self, context: Context, datasets: Datasets, models: Models, insights: Insights) -> None:
        self._context = context
        self._datasets = datasets
        self._models = models
        self._insights = insights

    def put(self, actor: Actor, kind: TrashKind, ref: str) -> TrashRead:
        """Delete a dataset with all its versions, one version of a model, or an insight, so that it can be brought back for a day.

        Work on it ends. Read-only links to it open nothing until it is back.
        """
        with self._context.database.read() as session:
            subject = Subject(kind=kind, id=self._find(actor, session, kind, ref).id)
        with self._context.change(actor, f"{kind}.delete", subject) as change:
            session = change.session
            thing = self._find(actor, session, kind, subject.id)
            self._end_work(change, thing)
            title = self._title(session, thing)
            _tell(change, "deleted", thing)
            row = Trashed(id=thing.id, kind=kind, owner_id=thing.owner_id, by_id=actor.account_id, until=now() + KEPT)
            owners = accounts_store.names(session, {thing.owner_id})
            taken = store.take(session, kind, thing)
            row.sealed = self._context.seal(session, row.id, _place(row), {"name": title, "rows": [[name, _plain(each)] for name, each in taken]})
            session.add(row)
            change.details["until"] = row.until.isoformat()
            shown = _read(row, title, owners | {actor.account_id: actor.name})
        if kind == "dataset":
            self._context.frames.drop(shown.id)
            self._datasets.let_go(shown.id)
        return shown

    def list(self, actor: Actor) -> Page[TrashRead]:
        """What can still be brought back: one's own, for an administrator everybody's; latest first."""
        self._context.permit(actor, "trash.list")
        with self._context.database.read() as session:
            rows = store.page(session, None if actor.role is Role.admin else actor.account_id, now())
            names = accounts_store.names(session, {each for row in rows for each in (row.owner_id, row.by_id)})
            items = [_read(row, self._inside(session, row)["name"], names) for row in rows]
        return Page(items=items, total=len(items))

    def restore(self, actor: Actor, trash_id: str) -> TrashRead:
        """Bring something back as it was. Where its name was given to something else meanwhile, it gets a number."""
        with self._context.database.read() as session:
            row = self._own(actor, session, trash_id, "trash.restore")
        with self._context.change(actor, "trash.restore", Subject(kind=row.kind, id=row.id)) as change:
            session = change.session
            row = self._own(actor, session, trash_id, "trash.restore")
            inside = self._inside(session, row)
            rows = [(name, _typed(each)) for name, each in inside["rows"]]
            _fit_in(session, row.kind, rows[0][1])
            session.delete(row)
            session.flush()
            store.put_back(session, rows)
            thing = _thing(session, row)
            assert thing is not None
            _tell(change, "changed", thing)
            names = accounts_store.names(session, {row.owner_id, row.by_id})
            return _read(row, self._title(session, thing), names)

    def delete(self, actor: Actor, trash_id: str) -> None:
        """Delete for good what could still be brought back: its files and its key."""
        with self._context.database.read() as session:
            row = self._own(actor, session, trash_id, "trash.delete")
        self._erase(actor, row)

    def purge(self) -> int:
        """Delete for good what nobody brought back within its day; asked by a worker now and then. How many those were."""
        with self._context.database.read() as session:
            rows = store.ended(session, now())
        for row in rows:
            self._erase(None, row)
        return len(rows)

    def _erase(self, actor: Actor | None, row: Trashed) -> None:
        with self._context.change(actor, "trash.delete", Subject(kind=row.kind, id=row.id)) as change:
            found = change.session.get(Trashed, row.id)
            if found is None:
                return  # brought back, or erased by another process
            stored = list(datasets_store.files(change.session, row.id))
            store.erase(change.session, found)
        self._context.forget_key(row.id)
        files.remove(self._context, stored)

    def _find(self, actor: Actor, session: Session, kind: TrashKind, ref: str) -> Dataset | Model | Insight:
        if kind == "dataset":
            return self._datasets.find(actor, session, ref, None, "dataset.delete")[0]
        return self._models.find(actor, session, ref, "model.delete") if kind == "model" else self._insights.find(actor, session, ref, "insight.delete")

    def _own(self, actor: Actor, session: Session, trash_id: str, verb: str) -> Trashed:
        row = session.get(Trashed, trash_id)
        if row is None:
            raise NotFound(_GONE)
        self._context.permit(actor, verb, Thing(row.owner_id, "private"), NotFound)
        if row.until <= now():
            raise NotFound(_GONE)
        return row

    def _inside(self, session: Session, row: Trashed) -> dict[str, Any]:
        return self._context.unseal(session, row.id, _place(row), row.sealed)

    def _title(self, session: Session, thing: Dataset | Model | Insight) -> str:
        return self._insights.title(session, thing) if isinstance(thing, Insight) else thing.name

    def _end_work(self, change: Change, thing: Dataset | Model | Insight) -> None:
        """End the work on a thing, and say so at it: nothing goes on by itself when it is back."""
        session = change.session
        end_jobs(change, thing.id)
        if isinstance(thing, Model) and thing.status in ("queued", "training"):
            thing.status, thing.seconds_left = "cancelled", None
            session.add(thing)
        if isinstance(thing, Dataset):
            for version in datasets_store.versions(session, thing.id):
                if version.table_id is None and version.error_code is None:
                    version.error_code = JobCancelled.code
                    inside = reads.inside_of(self._context, session, version) | {"error": _STOPPED}
                    version.sealed = self._context.seal(session, thing.id, reads.place_of(version), inside)
                    session.add(version)
            thing.status = "failed" if thing.status == "processing" else thing.status
            session.add(thing)


def _thing(session: Session, row: Trashed) -> Dataset | Model | Insight | None:
    if row.kind == "dataset":
        return session.get(Dataset, row.id)
    return session.get(Model, row.id) if row.kind == "model" else session.get(Insight, row.id)


def _tell(change: Change, what: str, thing: Dataset | Model | Insight) -> None:
    if isinstance(thing, Dataset):
        reads.tell(change, f"dataset.{what}", thing)
    elif isinstance(thing, Model):
        models.tell(change, f"model.{what}", thing)
    else:
        tell(change, f"insight.{what}", thing)


def _fit_in(session: Session, kind: str, row: dict[str, Any]) -> None:
    """Change what is taken by something else meanwhile: a name, the number of a version, to be the champion."""
    if kind == "dataset" and datasets_store.owned(session, row["owner_id"], row["name"]) is not None:
        row["name"] = free_name(row["name"], datasets_store.taken_names(session, row["name"], row["owner_id"]))
        row["name_key"] = name_key(row["name"])
    if kind == "model":
        others = models_store.owned(session, row["owner_id"], row["name_key"])
        if any(each.version == row["version"] for each in others):
            row["version"] = max(each.version for each in others) + 1
        row["champion"] = row["champion"] and not any(each.champion for each in others)


def _place(row: Trashed) -> str:
    return f"trash/{row.id}"


def _read(row: Trashed, name: str, names: dict[str, str]) -> TrashRead:
    return TrashRead(
        id=row.id,
        kind=row.kind,
        name=name,
        owner=Named(id=row.owner_id, name=names.get(row.owner_id, "")),
        by=Named(id=row.by_id, name=names.get(row.by_id, "")),
        deleted_at=row.deleted_at,
        until=row.until,
    )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON: moments and bytes are told apart by their key."""

    def written(value: Any) -> Any:
        if isinstance(value, datetime):
            return {"at": value.isoformat()}
        return {"bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value

    return {name: written(value) for name, value in row.items()}


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    """The row that :func:`_plain` wrote."""

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return datetime.fromisoformat(value["at"]) if "at" in value else base64.b64decode(value["bytes"])

    return {name: read(value) for name, value in row.items()}
