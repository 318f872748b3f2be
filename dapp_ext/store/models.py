"""Models, their versions, and the trials of their searches."""

from __future__ import annotations

from sqlalchemy import case, delete, update
from sqlmodel import Session, col, func, or_, select

from dapp_ext.store.datasets import erase_sealed, name_key
from dapp_ext.store.tables import Model, PolicyRow, PredictionGroup, Promotion, TrialRow


def by_reference(session: Session, reference: str) -> Model | None:
    """A version by its id, ``name@version``, or a name: then the champion, else the latest trained one, else the latest."""
    found = session.get(Model, reference) or by_name(session, reference)
    if found is None and "@" in reference:
        name, _, which = reference.rpartition("@")
        if which == "champion":
            return session.exec(select(Model).where(Model.name_key == name_key(name), col(Model.champion))).first()
        if which.isascii() and which.isdigit() and len(which) < 10:
            return of_version(session, name_key(name), int(which))
    return found


def by_name(session: Session, name: str) -> Model | None:
    """The version that a name stands for."""
    usable = case((col(Model.status) == "ready", 1), else_=0)
    query = select(Model).where(Model.name_key == name_key(name)).order_by(col(Model.champion).desc(), usable.desc(), col(Model.version).desc()).limit(1)
    return session.exec(query).first()


def of_version(session: Session, key: str, version: int) -> Model | None:
    return session.exec(select(Model).where(Model.name_key == key, Model.version == version)).first()


def versions(session: Session, key: str) -> list[Model]:
    """All versions of a name, newest first."""
    return list(session.exec(select(Model).where(Model.name_key == key).order_by(col(Model.version).desc())))


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


def count_look(session: Session, model_id: str) -> None:
    """One more look at the scores of the locked test part."""
    session.connection().execute(update(Model).where(col(Model.id) == model_id).values(test_looks=Model.test_looks + 1))


def promotions(session: Session, key: str) -> list[Promotion]:
    """How the champion of a name changed, latest change first."""
    return list(session.exec(select(Promotion).where(Promotion.name_key == key).order_by(col(Promotion.id).desc())))


def policy(session: Session, model_id: str, version: int) -> PolicyRow | None:
    return session.get(PolicyRow, (model_id, version))


def policies(session: Session, model_id: str) -> list[PolicyRow]:
    """The threshold policies of a model, newest first."""
    return list(session.exec(select(PolicyRow).where(PolicyRow.model_id == model_id).order_by(col(PolicyRow.version).desc())))


def erase(session: Session, model: Model) -> None:
    """Delete a version's rows and its key."""
    for kind in (TrialRow, PolicyRow, PredictionGroup):
        session.connection().execute(delete(kind).where(col(kind.model_id) == model.id))
    erase_sealed(session, model.id)
    session.delete(model)
