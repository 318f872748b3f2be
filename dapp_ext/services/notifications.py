"""The bell: lines made from events when somebody looks, so that nobody reads of what they may not see (any more).

Only what has been read is kept, once per account, so that the bell is the same at every door.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dapp_ext.domain.noticing import NOTIFIABLE, Told, line_of
from dapp_ext.errors import AccountNotFound, CursorInvalid, NotFound
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject, now
from dapp_ext.schema.events import NotificationEvent
from dapp_ext.schema.notices import NotificationCount, NotificationPage, NotificationRead
from dapp_ext.services.context import Change, Context
from dapp_ext.services.events import Events
from dapp_ext.store import feed, notices
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Account, Announcement, EventRow

KEPT_FOR = timedelta(days=30)
MOST_UNREAD = 100
_LOOK = 200
_MOST_LOOKED_AT = 4000


class Notifications:
    """The service."""

    def __init__(self, context: Context, events: Events) -> None:
        self._context = context
        self._events = events

    def list(self, actor: Actor, *, limit: int = 30, cursor: str | None = None, unread: bool = False) -> NotificationPage:
        """Lines of the last thirty days, newest first; only those not read with ``unread``."""
        self._context.permit(actor, "notification.list")
        limit = max(1, min(limit, 200))
        before = self._number(cursor) if cursor is not None else None
        items: list[NotificationRead] = []
        with self._context.database.read() as session:
            floor, single = notices.marks(session, actor.account_id)
            after = max(self._oldest(session, actor), floor if unread else 0)
            for number, line in self._lines(session, actor, before, after):
                is_read = number <= floor or number in single
                if not (unread and is_read):
                    items.append(line.model_copy(update={"is_read": is_read}))
                if len(items) > limit:
                    break
            count = self._unread(session, actor)
        return NotificationPage(items=items[:limit], next=items[limit - 1].id if len(items) > limit else None, unread=count)

    def count(self, actor: Actor) -> NotificationCount:
        """How many lines are not read."""
        self._context.permit(actor, "notification.list")
        with self._context.database.read() as session:
            return NotificationCount(unread=self._unread(session, actor))

    def mark(self, actor: Actor, notification_id: str | None = None) -> NotificationCount:
        """Mark one line as read, or all there are; the other doors are told."""
        self._context.permit(actor, "notification.mark")
        number = None if notification_id is None else self._number(notification_id)
        with self._context.change(actor, None) as change:
            session = change.session
            head = feed.head(session)
            if number is None:
                notices.mark(session, actor.account_id, head, all_before=True)
            elif not self._is_mine(session, actor, number):
                raise NotFound("There is no such notification.")
            else:
                notices.mark(session, actor.account_id, number, all_before=False)
            session.flush()
            count = self._unread(session, actor)
            self._tell(change, actor, count)
        return NotificationCount(unread=count)

    def _tell(self, change: Change, actor: Actor, unread: int) -> None:
        change.tell_one("notification.read", Subject(kind="notification", id=actor.account_id), NotificationEvent(unread=unread), actor.account_id)

    def _is_mine(self, session: Session, actor: Actor, number: int) -> bool:
        return any(found == number for found, _ in self._lines(session, actor, number + 1, number - 1))

    def _unread(self, session: Session, actor: Actor) -> int:
        floor, single = notices.marks(session, actor.account_id)
        count = 0
        for number, _ in self._lines(session, actor, None, max(floor, self._oldest(session, actor))):
            count += number not in single
            if count >= MOST_UNREAD:
                break
        return count

    def _oldest(self, session: Session, actor: Actor) -> int:
        """Nobody is told of what happened before there was an account, or long ago."""
        account = session.get(Account, actor.account_id)
        if account is None:
            raise AccountNotFound
        return notices.first_after(session, max(account.created_at, now() - KEPT_FOR))

    def _lines(self, session: Session, actor: Actor, before: int | None, after: int) -> Iterator[tuple[int, NotificationRead]]:
        """Lines with their numbers, newest first; the work for one look is bounded."""
        for _ in range(_MOST_LOOKED_AT // _LOOK):
            rows = notices.latest_of(session, NOTIFIABLE, limit=_LOOK, before=before, after=after)
            for row in rows:
                line = self._line(session, actor, row)
                if line is not None:
                    assert row.id is not None
                    yield row.id, line
            if len(rows) < _LOOK:
                return
            before = rows[-1].id

    def _line(self, session: Session, actor: Actor, row: EventRow) -> NotificationRead | None:
        event = self._events.shown_to(actor, row)
        if event is None or (event.type == "system.announcement" and not _is_announced(session, row)):
            return None
        found = line_of(Told(event, row.owner_id, actor.account_id))
        if found is None:
            return None
        severity, title = found
        return NotificationRead(id=event.id, type=event.type, severity=severity, title=title, at=event.at, actor=event.actor, link=event.subject, is_read=False)

    def _number(self, cursor: str) -> int:
        number = self._events.number_of(cursor)
        if number is None:
            raise CursorInvalid("The workspace was restored from a backup since. Load the notifications anew.")
        return number


def _is_announced(session: Session, row: EventRow) -> bool:
    """Whether it has begun and was not withdrawn since."""
    found = session.get(Announcement, row.subject_id)
    return found is not None and found.withdrawn_at is None and found.starts_at <= now()
