"""Rows of what was deleted and can still be brought back: taken out of their tables, so that nothing finds them, and put back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, SQLModel, col, select

from dapp_ext.schema.trash import TrashKind
from dapp_ext.store.datasets import erase_sealed
from dapp_ext.store.tables import Dataset, DatasetVersion, Grant, Insight, Model, PolicyRow, PredictionGroup, Trashed, TrialRow

Row = dict[str, Any]
_TABLES: dict[str, type[SQLModel]] = {each.__name__: each for each in (Dataset, DatasetVersion, Model, TrialRow, PolicyRow, PredictionGroup, Insight, Grant)}
_PARTS: dict[str, tuple[tuple[type[Any], str], ...]] = {
    "dataset": ((DatasetVersion, "dataset_id"),),
    "model": ((TrialRow, "model_id"), (PolicyRow, "model_id"), (PredictionGroup, "model_id")),
    "insight": (),
}


def take(session: Session, kind: TrashKind, thing: Dataset | Model | Insight) -> list[tuple[str, Row]]:
    """Take a thing and all its rows out of their tables; its files and its key stay. The thing itself comes first."""
    parts = [(table, col(getattr(table, name)) == thing.id) for table, name in _PARTS[kind]]
    parts.append((Grant, (col(Grant.subject_kind) == kind) & (col(Grant.subject_id) == thing.id)))
    session.flush()
    taken = [(type(thing).__name__, thing.model_dump())]
    for table, those in parts:
        taken += [(table.__name__, row.model_dump()) for row in session.exec(select(table).where(those))]
        session.connection().execute(delete(table).where(those))
    session.delete(thing)
    session.flush()
    return taken


def put_back(session: Session, rows: Sequence[tuple[str, Row]]) -> None:
    """Put rows back into their tables, in the order in which they were taken."""
    for name, row in rows:
        session.add(_TABLES[name](**row))
        session.flush()


def page(session: Session, owner_id: str | None, at: datetime) -> Sequence[Trashed]:
    """What can still be brought back at a moment, latest first; of one account, or of all."""
    wanted = select(Trashed).where(col(Trashed.until) > at)
    if owner_id is not None:
        wanted = wanted.where(Trashed.owner_id == owner_id)
    return session.exec(wanted.order_by(col(Trashed.deleted_at).desc())).all()


def ended(session: Session, at: datetime) -> Sequence[Trashed]:
    """What cannot be brought back any more, and is to be erased."""
    return session.exec(select(Trashed).where(col(Trashed.until) <= at)).all()


def erase(session: Session, row: Trashed) -> None:
    """Delete for good: its rows, the rows of its files, and its key."""
    erase_sealed(session, row.id)
    session.delete(row)
