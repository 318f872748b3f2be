"""Who did what, on what, from where, and how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from dapp_ext.schema.base import Answer, Request

Outcome = Literal["allow", "deny", "error"]
AuditFormat = Literal["jsonl", "csv"]


class AuditRead(Answer):
    """One row of the audit log."""

    id: int
    at: datetime
    actor_id: str | None = None
    actor_name: str = ""
    door: str = ""
    address: str = ""
    action: str
    subject_kind: str | None = None
    subject_id: str | None = None
    outcome: str
    request_id: str = ""
    details: dict[str, Any] = Field(default_factory=dict)


def _written_out(value: object) -> object:
    """Refuse a bare number, which would be taken for seconds since 1970."""
    if isinstance(value, (int, float)) or (isinstance(value, str) and not (value[:4].isdigit() and value[4:5] == "-")):
        raise ValueError("A moment is written out, such as 2030-01-15T09:00:00Z.")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]


class AuditFilter(Request):
    """Which rows; everything that is left out lets all through."""

    action: str | None = Field(default=None, max_length=100, description="What the action begins with, such as dataset or dataset.delete.")
    actor: str | None = Field(default=None, max_length=320, description="Id or name of the account.")
    outcome: Outcome | None = None
    subject: str | None = Field(default=None, max_length=200, description="Id of what it was done to.")
    since: Moment | None = Field(default=None, description="From this moment on.")
    until: Moment | None = Field(default=None, description="Before this moment.")


class AuditHeadRead(Answer):
    """The end of the log: keep it elsewhere, and a log that was cut later is recognised."""

    seq: int
    mac: str = Field(description="Code of the newest row, hexadecimal.")
    instance_id: str
    at: datetime


class AuditFinding(Answer):
    """Rows that are not as they were written."""

    kind: str = Field(description="changed, removed, added or moved")
    row: int
    last_row: int
    says: str


class AuditVerification(Answer):
    """Whether the log is whole."""

    ok: bool
    rows: int
    against_head: bool
    head: AuditHeadRead
    findings: list[AuditFinding] = Field(default_factory=list)
