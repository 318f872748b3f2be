"""What a backup holds, and what came of looking through one."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from dapp_ext.schema.base import Answer


class BackupRead(Answer):
    """A backup and its content. ``damaged`` objects were not right when it was made; it holds them as they were."""

    path: str
    size: int = Field(description="Bytes of the file.")
    created_at: datetime
    instance_id: str
    version: str = Field(description="Release of DAPP that made it.")
    objects: int
    kids: list[str] = Field(description="Root keys that its data needs.")
    audit_rows: int
    damaged: list[str] = Field(default_factory=list)
    opened: int | None = Field(default=None, description="Objects that were opened and read with their keys; null without the root keys.")


class RestoreRead(Answer):
    """What was restored, and what was ended by it."""

    home: str
    objects: int
    sessions_ended: int
    jobs_queued_again: int
    backup_of: datetime
