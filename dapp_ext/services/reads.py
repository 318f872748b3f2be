"""Datasets and their versions as they are shown, and as they are told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dapp_ext.domain.access import Thing, access_level
from dapp_ext.errors import NotReady
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Subject
from dapp_ext.schema.datasets import Column, DatasetRead, DatasetStatus, HealthBrief, PendingVersion, ReadReport
from dapp_ext.schema.events import DatasetEvent
from dapp_ext.schema.grants import GrantLevel
from dapp_ext.services.context import Change, Context
from dapp_ext.services.things import thing_of
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import datasets as store
from dapp_ext.store import grants
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Dataset, DatasetVersion


@dataclass(frozen=True)
class View:
    """Who looks, and through what."""

    context: Context
    session: Session
    actor: Actor


@dataclass(frozen=True)
class Around:
    """What is shown with some datasets, looked up for all of them at once."""

    names: dict[str, str]
    levels: dict[str, GrantLevel]
    shared: dict[str, int]
    newest: dict[str, DatasetVersion]


def around(view: View, datasets: Sequence[Dataset]) -> Around:
    """Look up what is shown with some datasets."""
    session = view.session
    ids = [dataset.id for dataset in datasets]
    return Around(
        names=accounts_store.names(session, {dataset.owner_id for dataset in datasets}),
        levels=grants.levels(session, "dataset", ids, view.actor.account_id),
        shared=grants.counts(session, "dataset", ids),
        newest=store.newest(session, ids),
    )


def read(view: View, dataset: Dataset, version: DatasetVersion, beside: Around | None = None) -> DatasetRead:
    """A dataset version as it is shown to somebody."""
    beside = beside or around(view, [dataset])
    inside = inside_of(view.context, view.session, version)
    access = access_level(view.actor, "dataset", Thing(dataset.owner_id, dataset.visibility, beside.levels.get(dataset.id)))
    newest = beside.newest.get(dataset.id, version)
    return DatasetRead(
        id=dataset.id,
        name=dataset.name,
        status=status_of(version),
        error=inside.get("error"),
        owner=Named(id=dataset.owner_id, name=beside.names.get(dataset.owner_id, "")),
        visibility=dataset.visibility,
        access=access,
        shared_with=beside.shared.get(dataset.id, 0) if access == "owner" else None,
        version=version.version,
        latest=dataset.version,
        origin=version.origin,
        pending=_pending(view, newest) if newest.version > dataset.version else None,
        rows=version.rows,
        schema=[Column.model_validate(each) for each in inside.get("schema", [])],
        column_count=version.column_count,
        format=version.format,
        filename=version.filename,
        size=version.size,
        job_id=version.job_id,
        report=ReadReport.model_validate(inside["report"]) if inside.get("report") else None,
        health=HealthBrief.model_validate(inside["health"]) if inside.get("health") else None,
        likely_target=inside.get("likely_target"),
        created_at=dataset.created_at,
        updated_at=dataset.updated_at,
    )


def _pending(view: View, version: DatasetVersion) -> PendingVersion:
    error = inside_of(view.context, view.session, version).get("error")
    return PendingVersion(version=version.version, status=status_of(version), origin=version.origin, job_id=version.job_id, error=error)


def status_of(version: DatasetVersion) -> DatasetStatus:
    return "failed" if version.error_code else "processing" if version.table_id is None else "ready"


def inside_of(context: Context, session: Session, version: DatasetVersion) -> dict[str, Any]:
    """What is sealed in a version's row."""
    return context.unseal(session, version.dataset_id, place_of(version), version.sealed)


def place_of(version: DatasetVersion) -> str:
    """Where a version's sealed field is; bound to it."""
    return f"dataset_versions/{version.id}"


def require_ready(dataset: Dataset, version: DatasetVersion) -> None:
    """Refuse to look into what is not there.

    Raises
    ------
    NotReady
    """
    if version.error_code is not None:
        raise NotReady(f"{dataset.name!r} could not be read, so there is nothing to look at. Its page says why.")
    if version.table_id is None:
        raise NotReady(f"{dataset.name!r} is still being processed. Wait until it is ready.")


def tell(change: Change, type: str, dataset: Dataset, version: DatasetVersion | None = None) -> None:
    """Add an event about a dataset; the reason of a failure is told as a code only, its sentence is sealed."""
    data = DatasetEvent(
        name=dataset.name,
        status=dataset.status,
        version=version.version if version else None,
        rows=version.rows if version else None,
        columns=version.column_count if version else None,
        error=version.error_code if version else None,
    )
    change.tell(type, Subject(kind="dataset", id=dataset.id), data, thing_of(dataset))
