"""Models, their versions, and the trials of their searches."""

from __future__ import annotations

from sqlalchemy import and_, case, delete, exists, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from dapp_ext.errors import NameAmbiguous
from dapp_ext.store import grants
from dapp_ext.store.datasets import erase_sealed
from dapp_ext.store.grants import name_key
from dapp_ext.store.tables import Model, PolicyRow, PredictionGroup, Promotion, TrialRow


def find(session: Session, reference: str, account_id: str) -> Model | None:
    """A version by its id, ``name@version``, or a name: then the champion, else the latest trained one, else the latest.

    Names are those that the account may know of.
    """
    found = session.get(Model, reference) or by_name(session, reference, account_id)
    if found is None and "@" in reference:
        name, _, which = reference.rpartition("@")
        named = by_name(session, name, account_id)
        if named is not None and which == "champion":
            return next((each for each in versions(session, named) if each.champion), None)
        if named is not None and which.isascii() and which.isdigit() and len(which) < 10:
            return of_version(session, named, int(which))
    return found


def by_name(session: Session, name: str, account_id: str) -> Model | None:
    """The version that a name stands for, among what the account may know of; an own model comes first.

    Raises
    ------
    NameAmbiguous
        If several people have shared a model of that name.
    """
    usable = case((col(Model.status) == "ready", 1), else_=0)
    query = select(Model).where(Model.name_key == name_key(name), grants.visible(Model, account_id))
    named = list(session.exec(query.order_by(col(Model.champion).desc(), usable.desc(), col(Model.version).desc())))
    own = [each for each in named if each.owner_id == account_id]
    if not own and len({each.owner_id for each in named}) > 1:
        raise NameAmbiguous(f"Several people have shared a model named {named[0].name!r} with you. Use its id.")
    return next(iter(own or named), None)


def of_version(session: Session, model: Model, version: int) -> Model | None:
    """Another version of a model."""
    return next((each for each in versions(session, model) if each.version == version), None)


def versions(session: Session, model: Model) -> list[Model]:
    """All versions of a model, newest first: what its owner has under its name."""
    return owned(session, model.owner_id, model.name_key)


def owned(session: Session, owner_id: str, key: str) -> list[Model]:
    """What an account has under a name, newest first."""
    return list(session.exec(select(Model).where(Model.owner_id == owner_id, Model.name_key == key).order_by(col(Model.version).desc())))


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


def troubled(session: Session, account_id: str, limit: int) -> list[Model]:
    """Models that an account may see and whose watch has found something, or that failed and have no later version; newest first."""
    later = aliased(Model)
    superseded = exists().where(col(later.owner_id) == Model.owner_id, col(later.name_key) == Model.name_key, col(later.version) > col(Model.version))
    wanted = or_(col(Model.alert_code).is_not(None), and_(col(Model.status) == "failed", ~superseded))
    return list(session.exec(select(Model).where(grants.visible(Model, account_id), wanted).order_by(col(Model.id).desc()).limit(limit)))


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


def family(model: Model) -> str:
    """What all versions of a model have in common: its owner and its name."""
    return f"{model.owner_id}/{model.name_key}"


def promotions(session: Session, model: Model) -> list[Promotion]:
    """How the champion of a model changed, latest change first."""
    return list(session.exec(select(Promotion).where(Promotion.name_key == family(model)).order_by(col(Promotion.id).desc())))


def policy(session: Session, model_id: str, version: int) -> PolicyRow | None:
    return session.get(PolicyRow, (model_id, version))


def policies(session: Session, model_id: str) -> list[PolicyRow]:
    """The threshold policies of a model, newest first."""
    return list(session.exec(select(PolicyRow).where(PolicyRow.model_id == model_id).order_by(col(PolicyRow.version).desc())))


def erase(session: Session, model: Model) -> None:
    """Delete a version's rows and its key."""
    for kind in (TrialRow, PolicyRow, PredictionGroup):
        session.connection().execute(delete(kind).where(col(kind.model_id) == model.id))
    grants.erase(session, "model", model.id)
    erase_sealed(session, model.id)
    session.delete(model)
