"""The log of predictions, in groups."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from dapp_ext.store.tables import PredictionGroup


def since(session: Session, model_id: str, moment: datetime, limit: int) -> list[PredictionGroup]:
    """The groups of a model since a moment, newest first, without their entries."""
    query = (
        select(PredictionGroup)
        .where(PredictionGroup.model_id == model_id, col(PredictionGroup.at) >= moment)
        .order_by(col(PredictionGroup.at).desc())
        .limit(limit)
        .options(defer(PredictionGroup.entries))  # type: ignore[arg-type]
    )
    return list(session.exec(query))


def page(session: Session, model_id: str, *, limit: int, before: str | None) -> list[PredictionGroup]:
    """The groups of a model with their entries, newest first."""
    query = select(PredictionGroup).where(PredictionGroup.model_id == model_id).order_by(col(PredictionGroup.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(PredictionGroup.id) < before)
    return list(session.exec(query))


def forget_before(session: Session, moment: datetime) -> None:
    session.connection().execute(delete(PredictionGroup).where(col(PredictionGroup.at) < moment))
