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
from dapp_ext.services import files
from dapp_ext.services.context import Change, Context
from dapp_ext.services.reports import offering
from dapp_ext.services.things import thing_of
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import datasets as store
from dapp_ext.store import grants
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Dataset, DatasetVersion

# What is sealed takes that much more as objects.
_TIMES_LARGER = 8


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


@dataclass(frozen=True)
class Inside:
    """What is sealed in a version's row, read once."""

    error: str | None
    columns: list[Column]
    report: ReadReport | None
    health: HealthBrief | None
    likely_target: str | None

    @classmethod
    def of(cls, sealed: dict[str, Any]) -> Inside:
        report, health = sealed.get("report"), sealed.get("health")
        return cls(
            error=sealed.get("error"),
            columns=[Column.model_validate(each) for each in sealed.get("schema", [])],
            report=ReadReport.model_validate(report) if report else None,
            health=HealthBrief.model_validate(health) if health else None,
            likely_target=sealed.get("likely_target"),
        )


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
    inside = known(view.context, view.session, version)
    access = access_level(view.actor, "dataset", Thing(dataset.owner_id, dataset.visibility, beside.levels.get(dataset.id)))
    newest = beside.newest.get(dataset.id, version)
    return DatasetRead(
        id=dataset.id,
        name=dataset.name,
        status=status_of(version),
        error=inside.error,
        owner=Named(id=dataset.owner_id, name=beside.names.get(dataset.owner_id, "")),
        visibility=dataset.visibility,
        access=access,
        shared_with=beside.shared.get(dataset.id, 0) if access == "owner" else None,
        version=version.version,
        latest=dataset.version,
        origin=version.origin,
        pending=_pending(view, newest) if newest.version > dataset.version else None,
        rows=version.rows,
        schema=inside.columns,
        column_count=version.column_count,
        format=version.format,
        filename=version.filename,
        size=version.size,
        job_id=version.job_id,
        report=inside.report,
        health=inside.health,
        likely_target=inside.likely_target,
        created_at=dataset.created_at,
        updated_at=dataset.updated_at,
    )


def _pending(view: View, version: DatasetVersion) -> PendingVersion:
    error = known(view.context, view.session, version).error
    return PendingVersion(version=version.version, status=status_of(version), origin=version.origin, job_id=version.job_id, error=error)


def status_of(version: DatasetVersion) -> DatasetStatus:
    return "failed" if version.error_code else "processing" if version.table_id is None else "ready"


def inside_of(context: Context, session: Session, version: DatasetVersion) -> dict[str, Any]:
    """What is sealed in a version's row."""
    return context.unseal(session, version.dataset_id, place_of(version), version.sealed)


def known(context: Context, session: Session, version: DatasetVersion) -> Inside:
    """The same as shapes; opened once as long as it stays what it is. A table of a thousand columns takes milliseconds to open."""
    sealed = version.sealed or b""
    made: Inside = context.kept.get(
        (version.dataset_id, version.id, sealed), lambda: Inside.of(inside_of(context, session, version)), lambda _: _TIMES_LARGER * len(sealed)
    )
    return made


def profile_of(context: Context, session: Session, version: DatasetVersion) -> bytes:
    """The health report of a version as JSON, each finding with the fix that it offers; it never changes, so it is made once."""

    def make() -> bytes:
        return offering(files.read_stored(context, session, version.profile_id), version.version)

    made: bytes = context.kept.get((version.dataset_id, version.id, "profile"), make, len)
    return made


def forget(context: Context, dataset_id: str) -> None:
    """Let go of what is kept of a dataset that goes away."""
    context.kept.drop(dataset_id)


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
