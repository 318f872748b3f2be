"""Work in the background."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Named

# ingest: read a file; fix: mend a dataset; both make a version of a dataset. rescore: what a model's score is after a fix.
JobKind = Literal["ingest", "fix", "train", "predict", "register", "rescore", "batch"]
JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled", "dead"]
FINAL_JOB_STATUSES: frozenset[str] = frozenset({"succeeded", "failed", "cancelled", "dead"})


class JobSubject(Answer):
    """What a job works for."""

    kind: Literal["dataset", "model", "batch"]
    id: str
    name: str


class JobLine(Answer):
    """One part of a batch."""

    job_id: str
    status: JobStatus
    subject: JobSubject
    progress: float = 0.0
    error: str | None = None


class JobRead(Answer):
    """One job. ``dead`` means that its process died three times."""

    id: str
    kind: JobKind
    status: JobStatus
    subject: JobSubject
    progress: float = Field(default=0.0, description="From 0 to 1.")
    message: str = ""
    error: str | None = None
    attempt: int = 0
    owner: Named
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    parent_id: str | None = Field(default=None, description="The batch that it is part of.")
    lines: list[JobLine] = Field(default_factory=list, description="The parts of a batch, as far as the reader may see them.")
