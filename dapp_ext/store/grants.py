"""Who may read, use or edit what, beside its owner and the team; and whose names one may know."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, delete
from sqlmodel import Session, col, func, or_, select

from dapp_ext.errors import NameAmbiguous
from dapp_ext.schema.grants import GrantLevel
from dapp_ext.store.tables import Account, Dataset, Grant, Model

_KINDS: dict[type[Any], str] = {Dataset: "dataset", Model: "model"}


def name_key(name: str) -> str:
    """What must be unique about a name among what one person owns."""
    return " ".join(name.split()).casefold()


def visible(table: type[Dataset] | type[Model], account_id: str) -> ColumnElement[bool]:
    """Own ones, those of the team, and those that were shared with the account."""
    granted = select(Grant.subject_id).where(Grant.subject_kind == _KINDS[table], Grant.account_id == account_id)
    return or_(col(table.owner_id) == account_id, col(table.visibility) == "team", col(table.id).in_(granted))


def find(session: Session, table: type[Any], reference: str, account_id: str) -> Any:
    """A thing by its id, or by its name among those that the account may know of; its own one comes first.

    Raises
    ------
    NameAmbiguous
        If several people have shared one of that name.
    """
    found = session.get(table, reference)
    if found is not None:
        return found
    named = list(session.exec(select(table).where(table.name_key == name_key(reference), visible(table, account_id))))
    own = [each for each in named if each.owner_id == account_id]
    if len(named) > 1 and not own:
        raise NameAmbiguous(f"Several people have shared something named {named[0].name!r} with you. Use its id.")
    return (own or named or [None])[0]


def taken_names(session: Session, table: type[Any], prefix: str, account_id: str) -> set[str]:
    """The name keys that begin like this, of things that the account may know of."""
    starts = col(table.name_key).startswith(name_key(prefix), autoescape=True)
    return set(session.exec(select(table.name_key).where(starts, visible(table, account_id))))


def level(session: Session, kind: str, subject_id: str, account_id: str) -> GrantLevel | None:
    """How much an account may do by a grant; ``None`` without one."""
    return levels(session, kind, [subject_id], account_id).get(subject_id)


def levels(session: Session, kind: str, subject_ids: Collection[str], account_id: str) -> dict[str, GrantLevel]:
    """The same for several things."""
    query = select(Grant).where(Grant.subject_kind == kind, Grant.account_id == account_id, col(Grant.subject_id).in_(subject_ids))
    return {row.subject_id: row.level for row in session.exec(query)} if subject_ids else {}  # type: ignore[misc]  # only levels are ever written


def owner_of(session: Session, kind: str, subject_id: str) -> str | None:
    """Who owns a dataset or model."""
    table: type[Any] | None = {"dataset": Dataset, "model": Model}.get(kind)
    found = session.get(table, subject_id) if table is not None else None
    return None if found is None else str(found.owner_id)


def readers(session: Session, kind: str, subject_id: str) -> list[str]:
    """The accounts that may see something private: its owner, and those that it was shared with."""
    granted = session.exec(select(Grant.account_id).where(Grant.subject_kind == kind, Grant.subject_id == subject_id))
    owner = owner_of(session, kind, subject_id)
    return [*granted] if owner is None else [owner, *granted]


def counts(session: Session, kind: str, subject_ids: Collection[str]) -> dict[str, int]:
    """With how many people each thing was shared."""
    query = select(Grant.subject_id, func.count()).where(Grant.subject_kind == kind, col(Grant.subject_id).in_(subject_ids)).group_by(Grant.subject_id)
    return dict(session.exec(query).all()) if subject_ids else {}


def page(session: Session, kind: str, subject_id: str) -> list[tuple[Grant, Account]]:
    """All grants of a thing with their people, by name."""
    query = select(Grant, Account).where(Grant.subject_kind == kind, Grant.subject_id == subject_id, Grant.account_id == Account.id)
    return list(session.exec(query.order_by(col(Account.name), col(Account.email))))


def put(session: Session, grant: Grant) -> None:
    """Add a grant, or change its level."""
    session.merge(grant)
    session.flush()


def copy(session: Session, kind: str, source_id: str, target_id: str) -> None:
    """Grant for one thing what was granted for another."""
    for row in session.exec(select(Grant).where(Grant.subject_kind == kind, Grant.subject_id == source_id)).all():
        session.add(Grant(subject_kind=kind, subject_id=target_id, account_id=row.account_id, level=row.level, granted_by=row.granted_by))
    session.flush()


def remove(session: Session, kind: str, subject_id: str, account_id: str) -> bool:
    """Take a grant back; false when there was none."""
    row = session.get(Grant, (kind, subject_id, account_id))
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def erase(session: Session, kind: str, subject_id: str) -> None:
    """Forget all grants of a thing that goes away."""
    session.connection().execute(delete(Grant).where(col(Grant.subject_kind) == kind, col(Grant.subject_id) == subject_id))


def people(session: Session, search: str | None, limit: int) -> list[Account]:
    """Accounts that are not disabled, by name."""
    query = select(Account).where(col(Account.disabled).is_(False)).order_by(col(Account.name), col(Account.email)).limit(limit)
    if search:
        query = query.where(or_(col(Account.name).icontains(search, autoescape=True), col(Account.email).icontains(search, autoescape=True)))
    return list(session.exec(query))
