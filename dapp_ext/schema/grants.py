"""Sharing with named people: who may do how much with one dataset or model of somebody else."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Named, Request

# read: look at it; use: also download it, train from it, predict with it; edit: also rename it, mend it, make versions.
GrantLevel = Literal["read", "use", "edit"]
# What the asking account may do with a thing; an owner also shares and deletes it.
AccessLevel = Literal["read", "use", "edit", "owner"]


class PersonRead(Answer):
    """Somebody whom one can share with."""

    id: str
    name: str
    email: str


class GrantRead(Answer):
    """That one person may read, use or edit a thing. What a role does not allow at all, no grant allows either."""

    person: PersonRead
    level: GrantLevel
    granted_by: Named | None = None
    created_at: datetime


class GrantPut(Request):
    """``read``: look at it; ``use``: also download, train, predict; ``edit``: also rename, mend, make versions."""

    level: GrantLevel = Field(default="use")
