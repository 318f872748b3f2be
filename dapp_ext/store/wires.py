"""Wires that carry the doorbell to other machines. What they carry is a nudge; a lost one costs a slow look, never an event."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from dapp_ext.store.database import Database, Session

log = logging.getLogger(__name__)
CHANNEL = "dapp_bell"
AGAIN_SECONDS = 1.0

Heard = Callable[[str], None]


class Wire(Protocol):
    """One way to other machines. ``token`` says from which one a nudge comes."""

    def open(self, heard: Heard) -> None:
        """Hand every nudge to ``heard``, on a thread of its own, until closed."""

    def announce(self, session: Session, token: str) -> None:
        """Nudge when this transaction is committed; nothing where that is not possible."""

    def send(self, token: str) -> None:
        """Nudge now; nothing where :meth:`announce` does it. Never fails."""

    def close(self) -> None: ...


class NotifyWire:
    """PostgreSQL's LISTEN and NOTIFY: heard with the commit itself. One connection for each process that listens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread: threading.Thread | None = None
        self._ends: tuple[socket.socket, socket.socket] | None = None

    def open(self, heard: Heard) -> None:
        self._ends = socket.socketpair()
        self._thread = threading.Thread(target=self._run, args=(heard,), name="dapp-wire", daemon=True)
        self._thread.start()

    def announce(self, session: Session, token: str) -> None:
        session.connection().execute(text("SELECT pg_notify(:channel, :token)"), {"channel": CHANNEL, "token": token})

    def send(self, token: str) -> None:
        """The commit has told it."""

    def close(self) -> None:
        if self._ends is None or self._thread is None:
            return
        self._ends[0].close()  # the other end can be read from now on
        self._thread.join(5)
        self._ends[1].close()

    def _run(self, heard: Heard) -> None:
        assert self._ends is not None
        stopped = self._ends[1]
        while True:
            try:
                with self._connected() as connection:
                    heard("")  # what was told while nobody listened
                    if self._listen(connection, stopped, heard):
                        return
            except (SQLAlchemyError, self._database.driver_error, OSError) as error:
                log.warning("The database's notifications are lost for a moment and looked for again: %s", type(error).__name__)
            ready, _, _ = select.select([stopped], [], [], AGAIN_SECONDS)
            if ready:
                return

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        pooled = self._database.engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()  # ours alone from now on
        try:
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            yield connection
        finally:
            connection.close()

    def _listen(self, connection: Any, stopped: socket.socket, heard: Heard) -> bool:
        """Wait for nudges; true when the wire is closed."""
        while True:
            ready, _, _ = select.select([connection.fileno(), stopped], [], [])
            if stopped in ready:
                return True
            connection.pgconn.consume_input()
            tokens = {bytes(note.extra).decode() for note in iter(connection.pgconn.notifies, None)}
            for token in tokens:
                heard(token)
