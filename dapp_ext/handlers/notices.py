"""Announcements, maintenance and the bell over HTTP."""

from __future__ import annotations

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.handlers.queries import AnnouncementsQuery, NotificationsQuery
from dapp_ext.schema.base import Page
from dapp_ext.schema.notices import (
    AnnouncementCreate,
    AnnouncementRead,
    MaintenanceRead,
    MaintenanceStart,
    NotificationCount,
    NotificationMarkRequest,
    NotificationPage,
)


def announcements(call: Call[AnnouncementsQuery, Nothing]) -> Page[AnnouncementRead]:
    service = call.services.announcements
    return service.history(call.actor) if call.query.all else service.list(call.actor)


def announce(call: Call[Nothing, AnnouncementCreate]) -> AnnouncementRead:
    return call.services.announcements.create(call.actor, call.body)


def withdraw(call: Call[Nothing, Nothing]) -> None:
    call.services.announcements.withdraw(call.actor, call.ref)


def maintenance(call: Call[Nothing, Nothing]) -> MaintenanceRead:
    return call.services.maintenance.read(call.actor)


def start_maintenance(call: Call[Nothing, MaintenanceStart]) -> MaintenanceRead:
    return call.services.maintenance.start(call.actor, call.body)


def end_maintenance(call: Call[Nothing, Nothing]) -> None:
    call.services.maintenance.end(call.actor)


def notifications(call: Call[NotificationsQuery, Nothing]) -> NotificationPage:
    query = call.query
    return call.services.notifications.list(call.actor, limit=query.limit, cursor=query.cursor, unread=query.unread)


def mark(call: Call[Nothing, NotificationMarkRequest]) -> NotificationCount:
    return call.services.notifications.mark(call.actor, call.body.id)


def unread(call: Call[Nothing, Nothing]) -> NotificationCount:
    return call.services.notifications.count(call.actor)
