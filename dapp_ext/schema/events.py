"""What happened: the ordered feed that every screen follows.

The payload of each type is a shape of its own; payloads never carry values from anyone's data, because the feed is
kept in plain database columns.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from dapp_ext.schema.base import Answer, Named, Subject
from dapp_ext.schema.grants import GrantLevel
from dapp_ext.schema.jobs import JobKind, JobStatus


class DatasetEvent(Answer):
    """dataset.uploaded, processing, ready, failed, deleted, changed.

    ``version`` is the one that it is about: a further version is processed while the one before stays in use.
    """

    name: str
    status: str
    version: int | None = None
    rows: int | None = None
    columns: int | None = None
    error: str | None = None


class ModelEvent(Answer):
    """model.training, trained, failed, cancelled, promoted, deleted, changed."""

    name: str
    status: str
    version: int = 1
    dataset: Named | None = None
    error: str | None = None


class SharedEvent(Answer):
    """dataset.shared, model.shared: a person was given a level, or lost it (``level`` is null)."""

    name: str
    level: GrantLevel | None = None
    person: Named


class TrialEvent(Answer):
    """model.trial: one more line of the leaderboard."""

    name: str
    number: int
    family: str
    score: float | None
    is_best: bool
    seconds_left: float | None = None


class JobEvent(Answer):
    """job.progress and the changes of a job's status."""

    kind: JobKind
    status: JobStatus
    progress: float
    message: str = ""
    subject: Subject
    subject_name: str = ""
    error: str | None = None


class PredictionEvent(Answer):
    """prediction.ready, failed."""

    model: Named
    dataset: Named | None = None
    error: str | None = None


class MonitorEvent(Answer):
    """monitor.alert: predictions of a model are not what they were; which columns is said on its page."""

    name: str
    version: int
    code: str
    columns: int = 0


class InsightEvent(Answer):
    """insight.published, changed, deleted. The title is not in it: it may name columns."""

    dataset: Named | None = None
    model: Named | None = None


class UserEvent(Answer):
    """user.created, changed, signed_in, signed_out."""

    name: str
    role: str | None = None


class SystemEvent(Answer):
    """system.alert, announcement, maintenance, scheduled, keys.

    Maintenance has a ``state``: announced, on, off. An announcement is told when it begins and, ``withdrawn``, when it is to
    be shown no more; one that is to come is ``scheduled`` until then, which only administrators are told, as they are of changes of keys.
    """

    message: str
    severity: str = "info"
    state: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    withdrawn: bool | None = None


class NotificationEvent(Answer):
    """notification.read: the account has read lines at some door."""

    unread: int


PAYLOADS: dict[str, type[Answer]] = {
    "dataset.uploaded": DatasetEvent,
    "dataset.processing": DatasetEvent,
    "dataset.ready": DatasetEvent,
    "dataset.failed": DatasetEvent,
    "dataset.changed": DatasetEvent,
    "dataset.deleted": DatasetEvent,
    "dataset.shared": SharedEvent,
    "model.training": ModelEvent,
    "model.trial": TrialEvent,
    "model.trained": ModelEvent,
    "model.failed": ModelEvent,
    "model.cancelled": ModelEvent,
    "model.promoted": ModelEvent,
    "model.changed": ModelEvent,
    "model.deleted": ModelEvent,
    "model.shared": SharedEvent,
    "prediction.ready": PredictionEvent,
    "prediction.failed": PredictionEvent,
    "monitor.alert": MonitorEvent,
    "insight.published": InsightEvent,
    "insight.changed": InsightEvent,
    "insight.deleted": InsightEvent,
    "job.queued": JobEvent,
    "job.started": JobEvent,
    "job.progress": JobEvent,
    "job.finished": JobEvent,
    "user.created": UserEvent,
    "user.changed": UserEvent,
    "user.signed_in": UserEvent,
    "user.signed_out": UserEvent,
    "system.alert": SystemEvent,
    "system.announcement": SystemEvent,
    "system.maintenance": SystemEvent,
    "system.scheduled": SystemEvent,
    "system.keys": SystemEvent,
    "notification.read": NotificationEvent,
}


class Event(Answer):
    """One line of the feed. ``id`` is the cursor to resume after it."""

    id: str
    type: str
    at: datetime
    actor: Named | None = None
    subject: Subject
    data: dict[str, Any] = Field(default_factory=dict)


class EventPage(Answer):
    """Events after a cursor. ``reset`` tells that the cursor is from before a restore or too old: load everything anew."""

    items: list[Event]
    next: str
    more: bool = False
    reset: bool = False
