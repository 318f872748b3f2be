"""What every page shows at its top: announcements, maintenance, the bell."""

from __future__ import annotations

from pydantic import Field

from dapp_ext.schema.base import Request
from dapp_ext.schema.notices import AnnouncementCreate, MaintenanceStart, NotificationMarkRequest
from dapp_panel.pages.asking import Call, Nothing, One, call


class Bell(Request):
    """One page of the bell."""

    limit: int = Field(default=30, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=100)
    unread: bool = False


CALLS: dict[str, Call] = {
    "notifications.list": call(
        Bell, lambda services, actor, asked: services.notifications.list(actor, limit=asked.limit, cursor=asked.cursor, unread=asked.unread)
    ),
    "notifications.count": call(Nothing, lambda services, actor, _: services.notifications.count(actor)),
    "notifications.mark": call(NotificationMarkRequest, lambda services, actor, asked: services.notifications.mark(actor, asked.id)),
    "announcements.list": call(Nothing, lambda services, actor, _: services.announcements.list(actor)),
    "announcements.history": call(Nothing, lambda services, actor, _: services.announcements.history(actor)),
    "announcements.create": call(AnnouncementCreate, lambda services, actor, asked: services.announcements.create(actor, asked)),
    "announcements.withdraw": call(One, lambda services, actor, asked: services.announcements.withdraw(actor, asked.ref)),
    "maintenance.read": call(Nothing, lambda services, actor, _: services.maintenance.read(actor)),
    "maintenance.start": call(MaintenanceStart, lambda services, actor, asked: services.maintenance.start(actor, asked)),
    "maintenance.end": call(Nothing, lambda services, actor, _: services.maintenance.end(actor)),
}
