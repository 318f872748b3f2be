"""The feed for people: what they may see, in order, from a cursor on, without a gap."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dapp_ext.domain.access import Thing, allowed
from dapp_ext.errors import CursorInvalid
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.base import Named, Subject
from dapp_ext.schema.events import Event, EventPage
from dapp_ext.schema.grants import GrantLevel
from dapp_ext.services.context import Context
from dapp_ext.store import feed
from dapp_ext.store.tables import EventRow

# As many as one look at the database brings; what is behind them is brought by the next.
MAX_PAGE = 1000
# Small steps on the way to something that is told of anyway.
QUIET = ("job.queued", "job.started", "job.progress", "job.finished", "model.trial", "model.changed", "dataset.changed", "notification.read")


@dataclass
class Subscription:
    """One reader of the feed."""

    close: Callable[[], None]
    cursor: str


class Events:
    """The service."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._told: tuple[EventRow, Event] | None = None

    def head(self) -> str:
        """The cursor of the newest event: what follows it is new."""
        with self._context.database.read() as session:
            return self._cursor(feed.head(session))

    def page(self, actor: Actor, after: str | None, limit: int = 500) -> EventPage:
        """Events behind a cursor, oldest first; ``reset`` when the cursor is from before a restore."""
        self._context.permit(actor, "event.read")
        seq = self._seq(after)
        if seq is None:
            return EventPage(items=[], next=self.head(), reset=True)
        limit = max(1, min(limit, MAX_PAGE))
        with self._context.database.read() as session:
            rows = feed.after(session, seq, limit)
        last = rows[-1].id if rows else seq
        assert last is not None
        items = [self._event(row) for row in rows if _may_see(actor, row)]
        return EventPage(items=items, next=self._cursor(last), more=len(rows) == limit)

    def recent(self, actor: Actor, limit: int = 50, *, without: tuple[str, ...] = QUIET) -> list[Event]:
        """What happened last, newest first, without the small steps."""
        self._context.permit(actor, "event.read")
        with self._context.database.read() as session:
            rows = feed.latest(session, max(1, min(limit, MAX_PAGE)) * 3, without)
        return [self._event(row) for row in rows if _may_see(actor, row)][:limit]

    def subscribe(self, actor: Actor, deliver: Callable[[Event], None], after: str | None = None) -> Subscription:
        """Hand every event after a cursor to ``deliver``, in order, once, as long as it is not closed.

        ``deliver`` is called on the feed's thread and must not block. Without a cursor the feed begins now.

        Raises
        ------
        CursorInvalid
            When the cursor is from before a restore; the reader loads everything anew and comes without one.
        """
        self._context.permit(actor, "event.read")
        seq = self._seq(after) if after is not None else None
        if after is not None and seq is None:
            raise CursorInvalid("The workspace was restored from a backup since. Load everything anew and follow from there.", reset=True)
        reader = _Reader(lambda row: deliver(self._event(row)) if _may_see(actor, row) else None, seq or 0)
        start = self._context.tail.listen(reader.hear)
        try:
            if seq is not None:
                self._replay(reader, seq, start)
            reader.go_live()
        except BaseException:
            self._context.tail.forget(reader.hear)
            raise
        return Subscription(lambda: self._context.tail.forget(reader.hear), self._cursor(start))

    def shown_to(self, actor: Actor, row: EventRow) -> Event | None:
        """A row as the event that the actor may see; ``None`` when it may not."""
        return self._event(row) if _may_see(actor, row) else None

    def number_of(self, cursor: str) -> int | None:
        """The number behind a cursor; ``None`` when it is from before a restore."""
        return self._seq(cursor)

    def _replay(self, reader: _Reader, seq: int, until: int) -> None:
        while seq < until:
            with self._context.database.read() as session:
                rows = feed.after(session, seq, MAX_PAGE)
            rows = [row for row in rows if row.id is not None and row.id <= until]
            if not rows:
                return
            for row in rows:
                reader.replay(row)
            assert rows[-1].id is not None
            seq = rows[-1].id

    def _event(self, row: EventRow) -> Event:
        told = self._told
        if told is None or told[0] is not row:  # the same row goes to one reader after the other
            self._told = told = (row, self._made(row))
        return told[1]

    def _made(self, row: EventRow) -> Event:
        assert row.id is not None
        actor = Named(id=row.actor_id, name=row.actor_name or "") if row.actor_id else None
        return Event(id=self._cursor(row.id), type=row.type, at=row.at, actor=actor, subject=Subject(kind=row.subject_kind, id=row.subject_id), data=row.data)

    def _cursor(self, seq: int) -> str:
        return f"{self._context.epoch}.{seq}"

    def _seq(self, cursor: str | None) -> int | None:
        """The number behind a cursor, 0 without one; ``None`` when it is from before a restore."""
        if cursor is None:
            return 0
        epoch, dot, number = cursor.partition(".")
        if not dot or not number.isascii() or not number.isdigit() or len(number) > 18 or len(epoch) != len(self._context.epoch):
            raise CursorInvalid
        return int(number) if epoch == self._context.epoch else None


class _Reader:
    """Keeps what arrives while the past is still being replayed, so that the order is that of the commits.

    What the reader has had before its cursor is not told again, also where the feed of this process is still behind it.
    """

    def __init__(self, deliver: Callable[[EventRow], None], after: int) -> None:
        self._deliver = deliver
        self._after = after
        self._lock = threading.Lock()
        self._waiting: deque[EventRow] | None = deque()

    def hear(self, row: EventRow) -> None:
        with self._lock:
            if self._waiting is not None:
                self._waiting.append(row)
                return
            self._tell(row)

    def replay(self, row: EventRow) -> None:
        self._tell(row)

    def go_live(self) -> None:
        with self._lock:
            while self._waiting:
                self._tell(self._waiting.popleft())
            self._waiting = None

    def _tell(self, row: EventRow) -> None:
        if row.id is not None and row.id > self._after:
            self._after = row.id
            self._deliver(row)


def _may_see(actor: Actor, row: EventRow) -> bool:
    if row.audience == "admin":
        return actor.role is Role.admin or row.subject_id == actor.account_id
    if row.owner_id is None:
        return True
    # What a job works for may be private: that somebody runs the place does not show them its name.
    verb = "dataset.read" if row.subject_kind == "job" else f"{row.subject_kind}.read"
    grant: GrantLevel | None = "read" if row.readers and actor.account_id in row.readers else None
    return allowed(actor, verb, Thing(row.owner_id, row.audience, grant))
