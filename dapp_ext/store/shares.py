"""Read-only links in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from dapp_ext.store.database import Session
from dapp_ext.store.tables import Model, Share


def by_hash(session: Session, token_hash: str) -> Share | None:
    """The link of a token."""
    return session.exec(select(Share).where(Share.token_hash == token_hash)).first()


def open_ones(session: Session, at: datetime, *, owner_id: str | None = None, model_id: str | None = None) -> Sequence[tuple[Share, Model]]:
    """The links that open something at this moment, newest first; of one person, or to one model."""
    wanted = select(Share, Model).join(Model, col(Model.id) == col(Share.model_id)).where(col(Share.withdrawn_at).is_(None), col(Share.expires_at) > at)
    if owner_id is not None:
        wanted = wanted.where(Share.owner_id == owner_id)
    if model_id is not None:
        wanted = wanted.where(Share.model_id == model_id)
    return session.exec(wanted.order_by(col(Share.id).desc())).all()
