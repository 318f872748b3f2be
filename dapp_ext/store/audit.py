"""The audit log: rows are added, never changed."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, select

from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject
from dapp_ext.store.tables import AuditRow


def record(session: Session, actor: Actor | None, action: str, subject: Subject | None, outcome: str, details: dict[str, Any]) -> None:
    """Add a row to the transaction of what it tells of. ``details`` never holds values from anyone's data."""
    session.add(
        AuditRow(
            actor_id=actor.account_id if actor else None,
            actor_name=actor.name if actor else "",
            door=actor.door if actor else "",
            address=actor.address if actor else "",
            action=action,
            subject_kind=subject.kind if subject else None,
            subject_id=subject.id if subject else None,
            outcome=outcome,
            request_id=actor.request_id if actor else "",
            details=details,
        )
    )


def page(session: Session, *, limit: int, before: int | None, action: str | None) -> list[AuditRow]:
    """Rows, newest first."""
    query = select(AuditRow).order_by(col(AuditRow.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(AuditRow.id) < before)
    if action is not None:
        query = query.where(col(AuditRow.action).startswith(action, autoescape=True))
    return list(session.exec(query))
