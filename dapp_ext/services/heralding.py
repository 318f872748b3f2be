"""What begins or ends at a time that was set before is told at that time: announcements, and maintenance.

Every process that follows the feed looks once a second, and so does the worker; whoever finds something due first tells
it, in the transaction that marks it as told, so each is told exactly once. What came and went while nothing ran is not
told any more.
"""

from __future__ import annotations

import time

from dapp_ext.schema.base import Named, Subject, now
from dapp_ext.schema.events import SystemEvent
from dapp_ext.services.context import Change, Context
from dapp_ext.store import accounts, notices
from dapp_ext.store.tables import Announcement, Maintenance

LOOK_SECONDS = 0.5
MAINTENANCE = Subject(kind="maintenance", id="1")


class Herald:
    """Tells what is due. It belongs to one process and has no thread of its own."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._looked = -LOOK_SECONDS

    def look_soon(self) -> None:
        """The same as :meth:`look`, where the last look was not just now."""
        moment = time.monotonic()
        if moment - self._looked >= LOOK_SECONDS:
            self._looked = moment
            self.look()

    def look(self) -> None:
        """Tell what has begun or ended since the last look of anybody."""
        moment = now()
        with self._context.database.read() as session:
            if not notices.is_due(session, moment):
                return
        with self._context.change(None, None) as change:
            for row in notices.begun(change.session, moment):
                row.told_at = moment
                change.session.add(row)
                if row.ends_at is None or row.ends_at > moment:
                    tell_announcement(change, row)
                else:
                    row.over_at = moment
            for row in notices.ended(change.session, moment):
                row.over_at = moment
                change.session.add(row)
                tell_announcement(change, row, over=True)
            maintenance = notices.maintenance(change.session)
            if maintenance is not None and maintenance.told_at is None and maintenance.starts_at <= moment:
                maintenance.told_at = moment
                change.session.add(maintenance)
                change.by = _author(change, maintenance.author_id)
                tell_maintenance(change, maintenance)


def tell_maintenance(change: Change, row: Maintenance) -> None:
    """Tell everybody that maintenance is announced, or that it has begun; the sentence says which by itself."""
    state, begins = ("on", "Maintenance has begun") if row.told_at is not None else ("announced", "Maintenance is announced")
    told = SystemEvent(message=f"{begins}: {row.message}", severity="warning", state=state, starts_at=row.starts_at, ends_at=row.ends_at)
    change.tell_all("system.maintenance", MAINTENANCE, told)


def tell_announcement(change: Change, row: Announcement, *, over: bool = False) -> None:
    """Tell everybody that an announcement has begun, or that it is to be shown no more."""
    change.by = _author(change, row.author_id)
    told = SystemEvent(message=row.message, severity=row.severity, starts_at=row.starts_at, ends_at=row.ends_at, withdrawn=over or None)
    change.tell_all("system.announcement", Subject(kind="announcement", id=row.id), told)


def _author(change: Change, account_id: str) -> Named:
    return Named(id=account_id, name=accounts.names(change.session, {account_id}).get(account_id, ""))
