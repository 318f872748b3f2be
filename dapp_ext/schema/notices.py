"""What people are told: announcements, maintenance, and the bell."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from dapp_ext.schema.base import Answer, Named, Request, Subject
from dapp_ext.schema.datasets import Severity

MaintenanceState = Literal["off", "announced", "on"]


class AnnouncementCreate(Request):
    """A message to everybody; it begins at once and stays until it is withdrawn where no time is given."""

    message: str = Field(min_length=1, max_length=500)
    severity: Severity = "info"
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class AnnouncementRead(Answer):
    id: str
    message: str
    severity: Severity
    author: Named
    created_at: datetime
    starts_at: datetime
    ends_at: datetime | None = None
    is_current: bool = Field(description="Whether it is to be shown now.")
    is_coming: bool = Field(default=False, description="Whether it is to be shown from a later time on.")


class MaintenanceStart(Request):
    """Announce maintenance: from its beginning on nothing new is taken in, until it is ended."""

    message: str = Field(default="", max_length=500)
    in_minutes: int = Field(default=0, ge=0, le=7 * 24 * 60, description="Minutes until it begins; 0 means at once.")
    minutes: int | None = Field(default=None, ge=1, le=7 * 24 * 60, description="How long it is expected to take, in minutes.")


class MaintenanceRead(Answer):
    """Whether changes are taken in. Countdowns are given in seconds, so that a clock that is wrong does not matter."""

    state: MaintenanceState = "off"
    message: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = Field(default=None, description="When it is expected to end; it does not end by itself.")
    starts_in: int | None = Field(default=None, description="Seconds until it begins, while it is announced.")
    ends_in: int | None = Field(default=None, description="Seconds until its expected end; 0 when that has passed.")
    running_jobs: int = Field(default=0, description="Jobs that still run to their end.")


class NotificationRead(Answer):
    """One line behind the bell, and where it leads."""

    id: str = Field(description="The cursor of the event that it was made from.")
    type: str
    severity: Severity
    title: str
    at: datetime
    actor: Named | None = None
    link: Subject | None = None
    is_read: bool


class NotificationPage(Answer):
    """The bell: lines, newest first, and how many are not read (100 stands for that many or more)."""

    items: list[NotificationRead]
    next: str | None = None
    unread: int


class NotificationMarkRequest(Request):
    """Mark one line as read by its id; without one, all of them."""

    id: str | None = Field(default=None, max_length=100)


class NotificationCount(Answer):
    unread: int
