"""Read-only links in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import and_, col, or_, select

from dapp_ext.store.database import Session
from dapp_ext.store.tables import Insight, Model, Share


def by_hash(session: Session, token_hash: str) -> Share | None:
    """The link of a token."""
    return session.exec(select(Share).where(Share.token_hash == token_hash)).first()


def open_ones(session: Session, at: datetime, *, owner_id: str | None = None, about: str | None = None) -> Sequence[tuple[Share, Model | Insight]]:
    """The links that open something at this moment, newest first; of one person, or to one model or insight."""
    wanted = (
        select(Share, Model, Insight)
        .outerjoin(Model, and_(col(Model.id) == col(Share.model_id)))
        .outerjoin(Insight, and_(col(Insight.id) == col(Share.insight_id)))
        .where(col(Share.withdrawn_at).is_(None), col(Share.expires_at) > at)
        .where(or_(col(Model.id).is_not(None), col(Insight.id).is_not(None)))
    )
    if owner_id is not None:
        wanted = wanted.where(Share.owner_id == owner_id)
    if about is not None:
        wanted = wanted.where(or_(Share.model_id == about, Share.insight_id == about))
    return [(share, model or insight) for share, model, insight in session.exec(wanted.order_by(col(Share.id).desc()))]
