"""The outbox and its readers: events in the order of their commits, fanned out from one tail per process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func
from sqlmodel import Session, col, select

from dapp_ext.errors import DappError
from dapp_ext.logs import outline
from dapp_ext.schema.base import Answer, Named, Subject
from dapp_ext.schema.events import PAYLOADS
from dapp_ext.store.bell import Bell, Bells
from dapp_ext.store.database import Database
from dapp_ext.store.tables import EventRow

log = logging.getLogger(__name__)
SLOW_LOOK_SECONDS = 1.0
PAGE = 500


@dataclass(frozen=True)
class NewEvent:
    """An event before it has a number. ``audience``: ``team``, ``private`` (the owner and ``readers``) or ``admin``."""

    type: str
    subject: Subject
    data: Answer
    actor: Named | None = None
    owner_id: str | None = None
    audience: str = "team"
    readers: Sequence[str] = ()


def append(session: Session, events: Sequence[NewEvent]) -> None:
    """Add events to the transaction of the change that they tell of.

    Whoever writes is alone (see ``store.database``), so the numbers can be read in the order in which they were given: a
    plain sequence would lose events, since a late commit of a low number hides behind a reader that saw a higher one.
    """
    for event in events:
        expected = PAYLOADS[event.type]
        assert isinstance(event.data, expected), (event.type, event.data)
        session.add(
            EventRow(
                type=event.type,
                actor_id=event.actor.id if event.actor else None,
                actor_name=event.actor.name if event.actor else None,
                subject_kind=event.subject.kind,
                subject_id=event.subject.id,
                owner_id=event.owner_id,
                audience=event.audience,
                readers=list(event.readers) or None,
                data=event.data.model_dump(mode="json", exclude_none=True),
            )
        )
        session.flush()  # numbers are given in the order of this list


def after(session: Session, seq: int, limit: int = PAGE) -> list[EventRow]:
    """The events behind a number, oldest first."""
    return list(session.exec(select(EventRow).where(col(EventRow.id) > seq).order_by(col(EventRow.id)).limit(limit)))


def latest(session: Session, limit: int, without: Sequence[str]) -> list[EventRow]:
    """The newest events but those of some types, newest first."""
    return list(session.exec(select(EventRow).where(col(EventRow.type).not_in(without)).order_by(col(EventRow.id).desc()).limit(limit)))


def head(session: Session) -> int:
    """The number of the newest event, 0 before the first."""
    return session.exec(select(func.max(EventRow.id))).one() or 0


@dataclass(eq=False)
class Tail:
    """Follows the outbox for one process and hands each event to every listener, on a thread of its own."""

    database: Database
    bells: Bells
    # What this process looks after once a second besides, while somebody follows the feed.
    beside: list[Callable[[], None]] = field(default_factory=list)
    _listeners: list[Callable[[EventRow], None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None
    _bell: Bell | None = None
    _stopped: bool = False
    _seq: int = 0

    def listen(self, deliver: Callable[[EventRow], None]) -> int:
        """Hand every event after the returned number to ``deliver``; starts the thread with the first listener."""
        with self._lock:
            if self._thread is None:
                with self.database.read() as session:
                    self._seq = head(session)
                self._bell = self.bells.listen()
                self._thread = threading.Thread(target=self._run, name="dapp-feed", daemon=True)
                self._thread.start()
            self._listeners.append(deliver)
            return self._seq

    def forget(self, deliver: Callable[[EventRow], None]) -> None:
        with self._lock:
            if deliver in self._listeners:
                self._listeners.remove(deliver)

    def close(self) -> None:
        self._stopped = True
        if self._bell is not None and self._thread is not None:
            self._bell.wake()
            if threading.current_thread() is not self._thread:
                self._thread.join(5)
            self._bell.close()

    def _run(self) -> None:
        assert self._bell is not None
        while not self._stopped:
            try:
                self._drain()
                for look in self.beside:
                    look()
            except DappError as error:
                log.warning("The feed cannot be read now and tries again: %s", error.message)
            self._bell.wait(SLOW_LOOK_SECONDS)

    def _drain(self) -> None:
        while not self._stopped:
            with self.database.read() as session:
                rows = after(session, self._seq)
            for row in rows:
                assert row.id is not None
                with self._lock:
                    # Under the lock the number moves on, so that a new listener's starting point is exact.
                    self._seq = row.id
                    listeners = list(self._listeners)
                for deliver in listeners:
                    try:
                        deliver(row)
                    except Exception as error:  # noqa: BLE001  told in the log; the others read on
                        log.error("A reader of the feed failed and is dropped:\n%s", outline(error))
                        self.forget(deliver)
            if len(rows) < PAGE:
                return
