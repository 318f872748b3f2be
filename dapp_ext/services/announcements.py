"""Messages of the administrators to everybody, for a time."""

from __future__ import annotations

from typing import cast

from dapp_ext.errors import Invalid, NotFound
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Page, Subject, now
from dapp_ext.schema.datasets import Severity
from dapp_ext.schema.events import SystemEvent
from dapp_ext.schema.notices import AnnouncementCreate, AnnouncementRead
from dapp_ext.services.accounts import display_name
from dapp_ext.services.context import Context
from dapp_ext.services.heralding import tell_announcement
from dapp_ext.store import accounts, notices
from dapp_ext.store.tables import Announcement


class Announcements:
    """The service."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def list(self, actor: Actor) -> Page[AnnouncementRead]:
        """What is to be shown now, the latest first."""
        self._context.permit(actor, "announcement.list")
        with self._context.database.read() as session:
            rows = notices.current_announcements(session, now())
            names = accounts.names(session, {row.author_id for row in rows})
        return Page(items=[_read(row, names) for row in rows], total=len(rows))

    def history(self, actor: Actor) -> Page[AnnouncementRead]:
        """The last hundred, those to come and those that are over among them."""
        self._context.permit(actor, "announcement.history")
        with self._context.database.read() as session:
            rows = notices.announcements(session)
            names = accounts.names(session, {row.author_id for row in rows})
        return Page(items=[_read(row, names) for row in rows], total=len(rows))

    def create(self, actor: Actor, request: AnnouncementCreate) -> AnnouncementRead:
        """Announce something, now or at its time; until then only administrators hear of it."""
        self._context.permit(actor, "announcement.create")
        moment = now()
        begins = max(request.starts_at or moment, moment)
        if request.ends_at is not None and request.ends_at <= begins:
            raise Invalid("The announcement would be over before it begins. Give a later end.")
        message = display_name(request.message, "The message is empty. Say what people should know.")
        row = Announcement(message=message, severity=request.severity, author_id=actor.account_id, starts_at=begins, ends_at=request.ends_at)
        subject = Subject(kind="announcement", id=row.id)
        with self._context.change(actor, "announcement.create", subject) as change:
            change.session.add(row)
            change.details["severity"] = row.severity
            if begins <= moment:
                row.told_at = moment
                tell_announcement(change, row)
            else:
                change.tell("system.scheduled", subject, SystemEvent(message=message, severity=row.severity, starts_at=begins, ends_at=row.ends_at))
        return _read(row, {actor.account_id: actor.name})

    def withdraw(self, actor: Actor, announcement_id: str) -> None:
        """Show it no more."""
        self._context.permit(actor, "announcement.withdraw")
        subject = Subject(kind="announcement", id=announcement_id)
        with self._context.change(actor, "announcement.withdraw", subject) as change:
            row = change.session.get(Announcement, announcement_id)
            if row is None or row.withdrawn_at is not None:
                raise NotFound("There is no such announcement, or it was withdrawn already.")
            row.withdrawn_at = now()
            change.session.add(row)
            if row.told_at is None:
                change.tell("system.scheduled", subject, SystemEvent(message=row.message, severity=row.severity, withdrawn=True))
            elif row.over_at is None:
                tell_announcement(change, row, over=True)


def _read(row: Announcement, names: dict[str, str]) -> AnnouncementRead:
    moment = now()
    current = row.withdrawn_at is None and row.starts_at <= moment and (row.ends_at is None or row.ends_at > moment)
    return AnnouncementRead(
        id=row.id,
        message=row.message,
        severity=cast(Severity, row.severity),
        author=Named(id=row.author_id, name=names.get(row.author_id, "")),
        created_at=row.created_at,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        is_current=current,
        is_coming=row.withdrawn_at is None and row.starts_at > moment,
    )
