"""The keys that sign access tokens, once they have been rotated: one in use, and those whose tokens have not ended yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from dapp_ext.store.tables import SigningKeyRow


def keys(session: Session, base: str) -> list[SigningKeyRow]:
    """All that ever stood in for a key of the settings or the keys folder, it among them, oldest first."""
    query = select(SigningKeyRow).where(SigningKeyRow.base == base)
    return sorted(session.exec(query), key=lambda row: (row.accepted_until is None, row.accepted_until))


def public_halves(session: Session, base: str) -> dict[str, tuple[bytes, datetime | None]]:
    """The public half of each by its id, and until when it is accepted; no end for the one in use."""
    query = select(SigningKeyRow.kid, SigningKeyRow.public, SigningKeyRow.accepted_until).where(SigningKeyRow.base == base)
    return {kid: (public, until) for kid, public, until in session.exec(query)}


def replace(session: Session, row: SigningKeyRow, until: datetime) -> None:
    """Make a key the one in use. Those before are accepted until a moment at the latest, and can sign no more."""
    mine = col(SigningKeyRow.base) == row.base
    session.connection().execute(update(SigningKeyRow).where(mine).values(sealed=None))
    late = col(SigningKeyRow.accepted_until).is_(None) | (col(SigningKeyRow.accepted_until) > until)
    session.connection().execute(update(SigningKeyRow).where(mine, late).values(accepted_until=until))
    session.add(row)
    session.flush()
