"""Who did what, on what, from where, and how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from dapp_ext.schema.base import Answer


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
