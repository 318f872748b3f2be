"""The bell, from a notebook or a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dapp_ext.client.connection import Connection
from dapp_ext.client.objects import Listing
from dapp_ext.schema.notices import NotificationCount, NotificationPage, NotificationRead

_COLUMNS: dict[str, Callable[[NotificationRead], Any]] = {
    "at": lambda each: f"{each.at.astimezone():%Y-%m-%d %H:%M}",
    "what": lambda each: each.title,
    "new": lambda each: "" if each.is_read else "new",
}


def notifications(connection: Connection, unread: bool) -> Listing[NotificationRead]:
    """What there is to know, the newest first."""
    page = connection.transport.get(NotificationPage, "notifications", limit=200, unread=True if unread else None)
    return Listing(page.items, "Notifications", _COLUMNS)


def mark_read(connection: Connection, notification_id: str | None) -> int:
    """Mark one as read, or all; how many are left."""
    body = {} if notification_id is None else {"id": notification_id}
    return connection.transport.post(NotificationCount, "notifications/read", body).unread
