"""Maintenance: running jobs end, new ones wait, changes are refused with a clear answer, until it is ended.

It is a row in the database, so every process sees it at once and a restart forgets nothing. The refusal itself stands
where every permission is asked: :meth:`dapp_ext.services.context.Context.permit`.
"""

from __future__ import annotations

from datetime import timedelta

from dapp_ext.errors import Conflict
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import now
from dapp_ext.schema.events import SystemEvent
from dapp_ext.schema.notices import MaintenanceRead, MaintenanceStart
from dapp_ext.services.accounts import display_name
from dapp_ext.services.context import Context
from dapp_ext.services.heralding import MAINTENANCE, tell_maintenance
from dapp_ext.store import notices, queue
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Maintenance as Row

DEFAULT_MESSAGE = "The platform is being maintained. Looking and predicting works; changes have to wait."


class Maintenance:
    """The service."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def read(self, actor: Actor) -> MaintenanceRead:
        """Whether it is off, announced or on, with the seconds for a countdown."""
        self._context.permit(actor, "maintenance.read")
        with self._context.database.read() as session:
            return read_maintenance(session)

    def start(self, actor: Actor, request: MaintenanceStart) -> MaintenanceRead:
        """Announce it, or begin at once; what was announced before is replaced. Its beginning is told when it comes."""
        self._context.permit(actor, "maintenance.start")
        message = display_name(request.message) if request.message.strip() else DEFAULT_MESSAGE
        begins = now() + timedelta(minutes=request.in_minutes)
        ends = begins + timedelta(minutes=request.minutes) if request.minutes else None
        with self._context.change(actor, "maintenance.start", MAINTENANCE) as change:
            row = notices.maintenance(change.session) or Row(message=message, author_id=actor.account_id)
            row.message, row.author_id, row.since, row.starts_at, row.ends_at = message, actor.account_id, now(), begins, ends
            row.told_at = None if request.in_minutes else now()
            change.session.add(row)
            change.details.update(in_minutes=request.in_minutes, minutes=request.minutes)
            tell_maintenance(change, row)
            change.session.flush()
            return read_maintenance(change.session)

    def end(self, actor: Actor) -> None:
        """Take changes in again; the jobs that waited go on.

        Raises
        ------
        Conflict
            When there is none.
        """
        self._context.permit(actor, "maintenance.end")
        with self._context.change(actor, "maintenance.end", MAINTENANCE) as change:
            row = notices.maintenance(change.session)
            if row is None:
                raise Conflict("There is no maintenance to end.")
            change.session.delete(row)
            change.tell_all("system.maintenance", MAINTENANCE, SystemEvent(message="Maintenance is over. Everything works again.", state="off"))


def read_maintenance(session: Session) -> MaintenanceRead:
    """The present state, for whoever shows it."""
    row, moment = notices.maintenance(session), now()
    if row is None:
        return MaintenanceRead()
    begun = row.starts_at <= moment
    return MaintenanceRead(
        state="on" if begun else "announced",
        message=row.message,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        starts_in=None if begun else int((row.starts_at - moment).total_seconds()) + 1,
        ends_in=None if row.ends_at is None else max(0, int((row.ends_at - moment).total_seconds())),
        running_jobs=queue.counts(session)["running"],
    )
