"""Models and the trials of their searches."""

from __future__ import annotations

from sqlalchemy import delete
from sqlmodel import Session, col, func, select

from dapp_ext.store import grants
from dapp_ext.store.datasets import erase_sealed
from dapp_ext.store.grants import name_key
from dapp_ext.store.tables import Model, TrialRow


def find(session: Session, reference: str, account_id: str) -> Model | None:
    """A model by its id, or by a name that the account may know."""
    found: Model | None = grants.find(session, Model, reference, account_id)
    return found


def owned(session: Session, owner_id: str, name: str) -> Model | None:
    """What an account owns under a name."""
    return session.exec(select(Model).where(Model.owner_id == owner_id, Model.name_key == name_key(name))).first()


def taken_names(session: Session, prefix: str, account_id: str) -> set[str]:
    """The name keys that begin like this, as far as the account may know of them."""
    return grants.taken_names(session, Model, prefix, account_id)


def page(session: Session, account_id: str, *, search: str | None, limit: int, before: str | None) -> list[Model]:
    """Models that an account may see, newest first."""
    query = select(Model).where(grants.visible(Model, account_id)).order_by(col(Model.id).desc()).limit(limit)
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
    grants.erase(session, "model", model.id)
    erase_sealed(session, model.id)
    session.delete(model)
