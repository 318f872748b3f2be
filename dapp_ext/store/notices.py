"""Announcements, maintenance, and what has been read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, or_
from sqlmodel import Session, col, func, select

from dapp_ext.store.tables import Announcement, EventRow, Maintenance, NotificationMark


def current_announcements(session: Session, moment: datetime) -> list[Announcement]:
    """Those to be shown at a moment, the latest first."""
    unended = or_(col(Announcement.ends_at).is_(None), col(Announcement.ends_at) > moment)
    query = select(Announcement).where(col(Announcement.withdrawn_at).is_(None), col(Announcement.starts_at) <= moment, unended)
    return list(session.exec(query.order_by(col(Announcement.starts_at).desc()).limit(100)))


def announcements(session: Session) -> list[Announcement]:
    """The last hundred, those to come and those that are over among them."""
    return list(session.exec(select(Announcement).order_by(col(Announcement.created_at).desc()).limit(100)))


def is_due(session: Session, moment: datetime) -> bool:
    """Whether an announcement or maintenance has begun or ended that nobody was told of."""
    row = maintenance(session)
    if row is not None and row.told_at is None and row.starts_at <= moment:
        return True
    return session.exec(select(Announcement.id).where(or_(_has_begun(moment), _has_ended(moment))).limit(1)).first() is not None


def begun(session: Session, moment: datetime) -> list[Announcement]:
    """Announcements that have begun, and that nobody was told of, the earliest first."""
    return list(session.exec(select(Announcement).where(_has_begun(moment)).order_by(col(Announcement.starts_at))))


def ended(session: Session, moment: datetime) -> list[Announcement]:
    """Announcements that were told of and are over, which nobody was told of."""
    return list(session.exec(select(Announcement).where(_has_ended(moment)).order_by(col(Announcement.ends_at))))


def _has_begun(moment: datetime) -> ColumnElement[bool]:
    return and_(col(Announcement.told_at).is_(None), col(Announcement.withdrawn_at).is_(None), col(Announcement.starts_at) <= moment)


def _has_ended(moment: datetime) -> ColumnElement[bool]:
    told = and_(col(Announcement.told_at).is_not(None), col(Announcement.over_at).is_(None), col(Announcement.withdrawn_at).is_(None))
    return and_(told, col(Announcement.ends_at) <= moment)


def maintenance(session: Session) -> Maintenance | None:
    """What is announced or under way."""
    return session.get(Maintenance, 1)


def latest_of(session: Session, types: tuple[str, ...], *, limit: int, before: int | None, after: int) -> list[EventRow]:
    """Events of some types, newest first, between two numbers."""
    query = select(EventRow).where(col(EventRow.type).in_(types), col(EventRow.id) > after)
    if before is not None:
        query = query.where(col(EventRow.id) < before)
    return list(session.exec(query.order_by(col(EventRow.id).desc()).limit(limit)))


def first_after(session: Session, moment: datetime) -> int:
    """The number before which every event is older than a moment."""
    return session.exec(select(func.max(EventRow.id)).where(col(EventRow.at) < moment)).one() or 0


def marks(session: Session, account_id: str) -> tuple[int, set[int]]:
    """Up to which event everything is read, and which later ones are."""
    rows = session.exec(select(NotificationMark).where(NotificationMark.account_id == account_id)).all()
    floor = max((row.event_id for row in rows if row.all_before), default=0)
    return floor, {row.event_id for row in rows if row.event_id > floor}


def mark(session: Session, account_id: str, event_id: int, *, all_before: bool) -> None:
    """Remember that an event was read, or everything up to it."""
    if all_before:
        # What is read one by one up to here, says nothing more.
        session.connection().execute(delete(NotificationMark).where(col(NotificationMark.account_id) == account_id, col(NotificationMark.event_id) <= event_id))
    if session.get(NotificationMark, (account_id, event_id)) is None:
        session.add(NotificationMark(account_id=account_id, event_id=event_id, all_before=all_before))
