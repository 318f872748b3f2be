"""Datasets and their versions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete
from sqlmodel import Session, col, or_, select

from dapp_ext.store.tables import DataKey, Dataset, DatasetVersion, StoredFile


def name_key(name: str) -> str:
    """What must be unique about a name."""
    return " ".join(name.split()).casefold()


def by_reference(session: Session, reference: str) -> Dataset | None:
    """A dataset by its id or its name."""
    return session.get(Dataset, reference) or session.exec(select(Dataset).where(Dataset.name_key == name_key(reference))).first()


def taken_names(session: Session, prefix: str) -> set[str]:
    """The name keys that begin like this."""
    return set(session.exec(select(Dataset.name_key).where(col(Dataset.name_key).startswith(name_key(prefix), autoescape=True))))


def version_of(session: Session, dataset_id: str, version: int) -> DatasetVersion | None:
    return session.exec(select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id, DatasetVersion.version == version)).first()


def page(session: Session, account_id: str, *, search: str | None, limit: int, before: str | None) -> list[tuple[Dataset, DatasetVersion]]:
    """Datasets that an account may see with their latest versions, newest first."""
    query = (
        select(Dataset, DatasetVersion)
        .where(DatasetVersion.dataset_id == Dataset.id, DatasetVersion.version == Dataset.version)
        .where(or_(Dataset.owner_id == account_id, Dataset.visibility == "team"))
        .order_by(col(Dataset.id).desc())
        .limit(limit)
    )
    if search:
        query = query.where(col(Dataset.name_key).contains(name_key(search), autoescape=True))
    if before:
        query = query.where(col(Dataset.id) < before)
    return list(session.exec(query))


def files(session: Session, subject_id: str) -> Sequence[StoredFile]:
    """The stored files of a dataset or model."""
    return list(session.exec(select(StoredFile).where(StoredFile.subject_id == subject_id)))


def erase(session: Session, dataset: Dataset) -> None:
    """Delete a dataset's rows and its key."""
    session.connection().execute(delete(DatasetVersion).where(col(DatasetVersion.dataset_id) == dataset.id))
    erase_sealed(session, dataset.id)
    session.delete(dataset)


def erase_sealed(session: Session, subject_id: str) -> None:
    """Forget the stored files of a thing and destroy its key."""
    session.connection().execute(delete(StoredFile).where(col(StoredFile.subject_id) == subject_id))
    session.connection().execute(delete(DataKey).where(col(DataKey.subject_id) == subject_id))
