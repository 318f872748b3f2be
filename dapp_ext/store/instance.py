"""The one row that says which workspace this is, and the rows that say which root keys it uses."""

from __future__ import annotations

from sqlalchemy import delete, func, inspect, or_, update
from sqlmodel import Session, col, select

from dapp_ext.schema.base import now
from dapp_ext.store.database import Database
from dapp_ext.store.keys import Keyring, RootLink
from dapp_ext.store.tables import DataKey, Instance, RootKey, RootLinkRow


def find(session: Session) -> Instance | None:
    return session.get(Instance, 1)


def known_key(database: Database) -> tuple[str | None, list[RootLink]]:
    """Fingerprint of the root in use and the links of a rotation, also of a database that an older release wrote."""
    with database.read() as session:
        inspector = inspect(session.connection())
        if not inspector.has_table("instance"):
            return None, []
        fingerprint = session.exec(select(Instance.key_fingerprint)).first()
        if not inspector.has_table("root_links"):
            return fingerprint, []
        return fingerprint, [RootLink(row.kid, row.by_kid, row.sealed) for row in session.exec(select(RootLinkRow))]


def create(session: Session, keyring: Keyring, instance_id: str, key: bytes) -> Instance:
    """Make the row, and keep the data key of the workspace itself, which its own secrets come from."""
    row = Instance(id=1, instance_id=instance_id, key_fingerprint=keyring.fingerprint)
    session.add(row)
    session.add(RootKey(kid=keyring.kid, fingerprint=keyring.fingerprint))
    session.add(DataKey(subject_id=instance_id, kid=keyring.kid, wrapped=keyring.wrap(key, instance_id)))
    session.flush()
    return row


def active_fingerprint(session: Session) -> str:
    """Fingerprint of the root in use, held as it is until the transaction ends, so that a rotation cannot overtake it."""
    return session.exec(select(Instance.key_fingerprint).with_for_update(read=True)).one()


def roots(session: Session) -> list[RootKey]:
    """All roots that were ever in use, oldest first."""
    return list(session.exec(select(RootKey).order_by(col(RootKey.created_at))))


def wraps(session: Session) -> dict[str, int]:
    """How many data keys each root wraps."""
    return dict(session.exec(select(DataKey.kid, func.count()).group_by(DataKey.kid)).all())


def use_root(session: Session, ring: Keyring, links: list[RootLink]) -> None:
    """Make the root of a ring the one in use."""
    session.connection().execute(update(Instance).values(key_fingerprint=ring.fingerprint))
    session.merge(RootKey(kid=ring.kid, fingerprint=ring.fingerprint, created_at=now(), retired_at=None))
    for link in links:
        session.merge(RootLinkRow(kid=link.kid, by_kid=link.by_kid, sealed=link.sealed))
    session.flush()


def rewrap(session: Session, ring: Keyring, count: int) -> int:
    """Wrap some data keys anew with the root in use; returns how many there were to do, 0 when none is left."""
    rows = list(session.exec(select(DataKey).where(DataKey.kid != ring.kid).limit(count)))
    for row in rows:
        row.wrapped = ring.wrap(ring.unwrap(row.wrapped, row.subject_id), row.subject_id)
        row.kid = ring.kid
        session.add(row)
    session.flush()
    return len(rows)


def retire_root(session: Session, kid: str) -> None:
    """Forget a root that wraps nothing any more."""
    session.connection().execute(delete(RootLinkRow).where(or_(col(RootLinkRow.kid) == kid, col(RootLinkRow.by_kid) == kid)))
    row = session.get(RootKey, kid)
    if row is not None:
        row.retired_at = now()
        session.add(row)
