"""Datasets and their versions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, update
from sqlmodel import Session, col, func, select

from dapp_ext.errors import DatasetNotFound
from dapp_ext.schema.jobs import FINAL_JOB_STATUSES
from dapp_ext.store import grants
from dapp_ext.store.grants import name_key as name_key  # what services call it by
from dapp_ext.store.tables import DataKey, Dataset, DatasetVersion, Job, Model, StoredFile, Trashed

MOST_VERSIONS = 2**31 - 1  # what a column of whole numbers holds in PostgreSQL


def find(session: Session, reference: str, account_id: str) -> Dataset | None:
    """A dataset by its id, or by a name that the account may know."""
    found: Dataset | None = grants.find(session, Dataset, reference, account_id)
    return found


def require(session: Session, dataset_id: str) -> Dataset:
    """A dataset that must be there.

    Raises
    ------
    DatasetNotFound
        If it was deleted meanwhile.
    """
    found = session.get(Dataset, dataset_id)
    if found is None:
        raise DatasetNotFound
    return found


def owned(session: Session, owner_id: str, name: str) -> Dataset | None:
    """What an account owns under a name."""
    return session.exec(select(Dataset).where(Dataset.owner_id == owner_id, Dataset.name_key == name_key(name))).first()


def taken_names(session: Session, prefix: str, account_id: str) -> set[str]:
    """The name keys that begin like this, as far as the account may know of them."""
    return grants.taken_names(session, Dataset, prefix, account_id)


def versions(session: Session, dataset_id: str) -> list[DatasetVersion]:
    """All versions of a dataset, newest first."""
    return list(session.exec(select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id).order_by(col(DatasetVersion.version).desc())))


def last_version(session: Session, dataset_id: str) -> int:
    """The highest number that was given to a version, whatever became of it."""
    return session.exec(select(func.max(DatasetVersion.version)).where(DatasetVersion.dataset_id == dataset_id)).one() or 0


def version_of_job(session: Session, job_id: str) -> DatasetVersion | None:
    """The version that a job is to make."""
    return session.exec(select(DatasetVersion).where(DatasetVersion.job_id == job_id)).first()


def newest(session: Session, dataset_ids: Sequence[str]) -> dict[str, DatasetVersion]:
    """The version with the highest number of each dataset."""
    highest = (
        select(DatasetVersion.dataset_id, func.max(DatasetVersion.version).label("number"))
        .where(col(DatasetVersion.dataset_id).in_(dataset_ids))
        .group_by(DatasetVersion.dataset_id)
        .subquery()
    )
    query = select(DatasetVersion).join(highest, (col(DatasetVersion.dataset_id) == highest.c.dataset_id) & (col(DatasetVersion.version) == highest.c.number))
    return {row.dataset_id: row for row in session.exec(query)}


def predicted_from(session: Session, dataset_id: str) -> list[tuple[Dataset, DatasetVersion]]:
    """Versions of predictions for the rows of a dataset."""
    query = select(Dataset, DatasetVersion).where(DatasetVersion.dataset_id == Dataset.id, DatasetVersion.source_dataset_id == dataset_id)
    return list(session.exec(query.order_by(col(DatasetVersion.created_at))))


def predicted_by(session: Session, model_id: str) -> list[tuple[Dataset, DatasetVersion]]:
    """Versions of predictions that a model made."""
    query = select(Dataset, DatasetVersion).where(DatasetVersion.dataset_id == Dataset.id, DatasetVersion.source_model_id == model_id)
    return list(session.exec(query.order_by(col(DatasetVersion.created_at))))


def bytes_of(session: Session, account_id: str) -> tuple[int, int]:
    """Sealed bytes of the datasets and of the models that an account owns; what can still be brought back counts with the datasets."""

    def owned(table: type[Dataset] | type[Model] | type[Trashed]) -> int:
        query = select(func.sum(StoredFile.sealed_size)).join(table, col(table.id) == col(StoredFile.subject_id)).where(table.owner_id == account_id)
        return int(session.exec(query).one() or 0)

    return owned(Dataset) + owned(Trashed), owned(Model)


def stored(session: Session) -> tuple[int, int]:
    """How many objects there are, and their sealed bytes."""
    count, size = session.exec(select(func.count(), func.sum(StoredFile.sealed_size)).select_from(StoredFile)).one()
    return int(count), int(size or 0)


def describe_jobs(session: Session, subject_id: str, name: str, visibility: str) -> None:
    """Let the jobs of a thing bear its present name and visibility, since lists of jobs show them."""
    session.connection().execute(update(Job).where(col(Job.subject_id) == subject_id).values(subject_name=name, visibility=visibility))


def unfinished_jobs(session: Session, subject_id: str) -> int:
    query = select(func.count()).select_from(Job).where(Job.subject_id == subject_id, col(Job.status).not_in(FINAL_JOB_STATUSES))
    return session.exec(query).one()


def version_of(session: Session, dataset_id: str, version: int) -> DatasetVersion | None:
    if not 0 < version <= MOST_VERSIONS:
        return None
    return session.exec(select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id, DatasetVersion.version == version)).first()


def page(session: Session, account_id: str, *, search: str | None, limit: int, before: str | None) -> list[tuple[Dataset, DatasetVersion]]:
    """Datasets that an account may see with their latest versions, newest first."""
    query = (
        select(Dataset, DatasetVersion)
        .where(DatasetVersion.dataset_id == Dataset.id, DatasetVersion.version == Dataset.version)
        .where(grants.visible(Dataset, account_id))
        .order_by(col(Dataset.id).desc())
        .limit(limit)
    )
    if search:
        query = query.where(col(Dataset.name_key).contains(name_key(search), autoescape=True))
    if before:
        query = query.where(col(Dataset.id) < before)
    return list(session.exec(query))


def failed(session: Session, account_id: str, limit: int) -> list[tuple[Dataset, DatasetVersion]]:
    """Datasets that an account may see and that could not be read, newest first."""
    query = (
        select(Dataset, DatasetVersion)
        .where(DatasetVersion.dataset_id == Dataset.id, DatasetVersion.version == Dataset.version, col(DatasetVersion.error_code).is_not(None))
        .where(grants.visible(Dataset, account_id))
        .order_by(col(Dataset.id).desc())
        .limit(limit)
    )
    return list(session.exec(query))


def files(session: Session, subject_id: str) -> Sequence[StoredFile]:
    """The stored files of a dataset or model."""
    return list(session.exec(select(StoredFile).where(StoredFile.subject_id == subject_id)))


def used_files(rows: Sequence[DatasetVersion]) -> set[str]:
    """The files that versions name."""
    return {name for row in rows for name in (row.original_id, row.table_id, row.profile_id) if name is not None}


def erase_version(session: Session, row: DatasetVersion) -> list[StoredFile]:
    """Delete a version's row, and forget the files that no other version names, with their keys. Returns those files."""
    others = [each for each in versions(session, row.dataset_id) if each.id != row.id]
    gone = used_files([row]) - used_files(others)
    found = list(session.exec(select(StoredFile).where(col(StoredFile.id).in_(gone))))
    session.connection().execute(delete(DataKey).where(col(DataKey.subject_id).in_(gone)))
    session.connection().execute(delete(StoredFile).where(col(StoredFile.id).in_(gone)))
    session.delete(row)
    return found


def erase(session: Session, dataset: Dataset) -> None:
    """Delete a dataset's rows and its key."""
    session.connection().execute(delete(DatasetVersion).where(col(DatasetVersion.dataset_id) == dataset.id))
    grants.erase(session, "dataset", dataset.id)
    erase_sealed(session, dataset.id)
    session.delete(dataset)


def erase_sealed(session: Session, subject_id: str) -> None:
    """Forget the stored files of a thing and destroy its key, with those that files have of their own."""
    own = select(StoredFile.id).where(col(StoredFile.subject_id) == subject_id)
    session.connection().execute(delete(DataKey).where(col(DataKey.subject_id).in_(own)))
    session.connection().execute(delete(StoredFile).where(col(StoredFile.subject_id) == subject_id))
    session.connection().execute(delete(DataKey).where(col(DataKey.subject_id) == subject_id))
