"""The state of the running platform."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from dapp_ext.schema.base import Answer, Request
from dapp_ext.schema.notices import MaintenanceRead


class HealthRead(Answer):
    status: str = "ok"


class WorkerRead(Answer):
    """One worker process that reported within the last half minute."""

    id: str
    pid: int
    host: str
    started_at: datetime
    seen_at: datetime
    jobs: int = 0


class LatencyRead(Answer):
    """How long answers took in the last five minutes; at ``queue``, how long the last jobs waited for a worker."""

    door: str = Field(description="dashboard, api or queue.")
    answers: int
    p50_ms: float
    p95_ms: float
    slowest_ms: float


class StatusRead(Answer):
    """Addresses, isolation and workers; an address is null while nothing answers there."""

    version: str
    home: str
    isolation: str = Field(description="How well accounts are kept apart on this machine, said openly.")
    api: str | None = None
    jupyterlab: str | None = None
    dashboard: str | None = None
    workers: list[WorkerRead] = Field(default_factory=list)
    queued: int = 0
    running: int = 0
    maintenance: MaintenanceRead = MaintenanceRead()
    latency: list[LatencyRead] = Field(default_factory=list)


class NumbersRead(Answer):
    """What is counted in the whole workspace, and in the process that answers."""

    queued: int
    running: int
    oldest_queued_seconds: float = Field(description="How long the job that has waited longest waits.")
    workers: int
    events: int = Field(description="The number of the newest event.")
    objects: int
    stored_bytes: int
    cached_bytes: int = Field(description="Decrypted columns that this process keeps.")
    shared_cache: bool | None = Field(default=None, description="Whether Redis answers; null where there is none.")


class DashboardStart(Request):
    """Start the dashboard on this machine when none answers."""


class DashboardAddress(Answer):
    """Where the dashboard is, with a sign-in that is good once."""

    url: str
    started: bool


class DatabaseRead(Answer):
    """Where the schema of a database is; ``current`` is null before the first start."""

    kind: str
    current: str | None
    newest: str
