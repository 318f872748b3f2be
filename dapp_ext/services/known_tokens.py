"""Credentials that were looked up a moment ago, so that a stream of calls asks the database once.

On SQLite every call looks whether anything at all was committed by anybody since; while nothing was, the database would
say the same again. Elsewhere nothing is believed for longer than a second, and within it an entry is dropped by any
change to an account or session, as soon as this process makes one, or the feed tells of one by another.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from dapp_ext.schema.accounts import Actor, Door
from dapp_ext.schema.base import now
from dapp_ext.services.context import Context
from dapp_ext.services.watching import Watch
from dapp_ext.store.tables import SignIn

KEPT_SECONDS = 1.0
STAMPED_SECONDS = 60.0
MOST_KEPT = 2000
# Things whose changes may end a credential.
_TOLD_BY = ("account", "key")


@dataclass(frozen=True)
class Entry:
    """By which door somebody comes, and from where; a browser's door is the one that it signed in at."""

    door: Door | None = None
    address: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Asked:
    """The state of things just before the database was asked."""

    at: float
    stamp: int | None
    forgotten: int


@dataclass(frozen=True)
class _Known:
    actor: Actor
    until: datetime
    asked: Asked


class KnownTokens:
    """The credentials that came last.

    Parameters
    ----------
    context : Context
    seen_every : timedelta
        How often it is written down that a session is used; an entry is not kept beyond.
    """

    def __init__(self, context: Context, seen_every: timedelta) -> None:
        self._context = context
        self._seen_every = seen_every
        self._kept: dict[str, _Known] = {}
        self._lock = threading.Lock()
        self._forgotten = 0
        self._watch = Watch(context, lambda _type, kind: kind in _TOLD_BY, lambda _id: self.forget())

    def ask(self) -> Asked:
        """To be called before the database is asked, and given to :meth:`keep` after."""
        return Asked(time.monotonic(), self._context.database.stamp(), self._forgotten)

    def keep(self, credential: str, actor: Actor, row: SignIn, asked: Asked) -> None:
        """Keep what the database said."""
        is_sqlite = self._context.database.is_sqlite
        if is_sqlite and asked.stamp is None:
            return
        if not is_sqlite:
            self._watch.follow()
        until = min(row.expires_at, row.seen_at + self._seen_every)
        with self._lock:
            if asked.forgotten != self._forgotten:
                return
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[credential] = _Known(actor, until, asked)

    def recall(self, credential: str, stamp: int | None, entry: Entry) -> Actor | None:
        """Who holds a credential, if that is still known."""
        known = self._kept.get(credential)
        if known is None:
            return None
        longest = KEPT_SECONDS if known.asked.stamp is None else STAMPED_SECONDS
        if time.monotonic() - known.asked.at > longest or now() > known.until or stamp != known.asked.stamp:
            self._kept.pop(credential, None)
            return None
        return known.actor.model_copy(update={"door": entry.door or known.actor.door, "address": entry.address, "request_id": entry.request_id})

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()
            self._forgotten += 1
