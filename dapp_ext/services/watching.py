"""Hearing of changes by whichever process they are made, for what is kept in memory and has to be dropped by them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dapp_ext.services.context import Context
from dapp_ext.store.feed import NewEvent
from dapp_ext.store.tables import EventRow


class Watch:
    """What this process changes is heard before its caller goes on; what others change, as soon as the feed tells of it.

    Parameters
    ----------
    context : Context
    matters : callable
        Whether an event counts, by its type and the kind of its subject.
    changed : callable
        Called with the id of the subject, on whatever thread hears of it.
    """

    def __init__(self, context: Context, matters: Callable[[str, str], bool], changed: Callable[[str], None]) -> None:
        self._tail = context.tail
        self._matters = matters
        self._changed = changed
        self._lock = threading.Lock()
        self._follows = False
        context.own_changes.append(self._hear_own)

    def follow(self) -> None:
        """Hear of others as well; called when the first thing is kept, since following the feed takes a thread."""
        with self._lock:
            first, self._follows = not self._follows, True
        if first:
            self._tail.listen(self._hear)

    def _hear(self, row: EventRow) -> None:
        if self._matters(row.type, row.subject_kind):
            self._changed(row.subject_id)

    def _hear_own(self, events: list[NewEvent]) -> None:
        for each in events:
            if self._matters(each.type, each.subject.kind):
                self._changed(each.subject.id)
