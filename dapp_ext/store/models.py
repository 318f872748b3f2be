"""Models and the trials of their searches."""

from __future__ import annotations

from sqlalchemy import delete
from sqlmodel import Session, col, func, or_, select

from dapp_ext.store.datasets import erase_sealed, name_key
from dapp_ext.store.tables import Model, TrialRow


def by_reference(session: Session, reference: str) -> Model | None:
    """A model by its id or its name."""
    return session.get(Model, reference) or session.exec(select(Model).where(Model.name_key == name_key(reference))).first()


def taken_names(session: Session, prefix: str) -> set[str]:
    return set(session.exec(select(Model.name_key).where(col(Model.name_key).startswith(name_key(prefix), autoescape=True))))


def page(session: Session, account_id: str, *, search: str | None, limit: int, before: str | None) -> list[Model]:
    """Models that an account may see, newest first."""
    query = select(Model).where(or_(Model.owner_id == account_id, Model.visibility == "team")).order_by(col(Model.id).desc()).limit(limit)
    if search:
        query = query.where(col(Model.name_key).contains(name_key(search), autoescape=True))
    if before:
        query = query.where(col(Model.id) < before)
    return list(session.exec(query))


def of_dataset(session: Session, dataset_id: str) -> list[Model]:
    return list(session.exec(select(Model).where(Model.dataset_id == dataset_id)))


def trials(session: Session, model_id: str) -> list[TrialRow]:
    return list(session.exec(select(TrialRow).where(TrialRow.model_id == model_id).order_by(col(TrialRow.number))))


def trial_counts(session: Session, model_ids: list[str]) -> dict[str, int]:
    """How many trials each model has."""
    query = select(TrialRow.model_id, func.count()).where(col(TrialRow.model_id).in_(model_ids)).group_by(TrialRow.model_id)
    return dict(session.exec(query).all()) if model_ids else {}


def erase(session: Session, model: Model) -> None:
    """Delete a model's rows and its key."""
    session.connection().execute(delete(TrialRow).where(col(TrialRow.model_id) == model.id))
    erase_sealed(session, model.id)
    session.delete(model)
