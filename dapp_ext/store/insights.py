"""What notebooks published."""

from __future__ import annotations

from sqlmodel import Session, col, or_, select

from dapp_ext.store.datasets import erase_sealed
from dapp_ext.store.tables import Insight


def page(session: Session, account_id: str, *, about: str | None, limit: int, before: str | None) -> list[Insight]:
    """Insights that an account may see, newest first; only those of one dataset or model where ``about`` is its id."""
    query = select(Insight).where(or_(Insight.owner_id == account_id, Insight.visibility == "team")).order_by(col(Insight.id).desc()).limit(limit)
    if about:
        query = query.where(or_(Insight.dataset_id == about, Insight.model_id == about))
    if before:
        query = query.where(col(Insight.id) < before)
    return list(session.exec(query))


def erase(session: Session, insight: Insight) -> None:
    """Delete an insight's row, its files and its key."""
    erase_sealed(session, insight.id)
    session.delete(insight)
