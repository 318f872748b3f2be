"""Which root keys a workspace has, and what they still wrap. No shape here ever holds a key."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Request

KeyState = Literal["active", "old", "retired"]


class RootKeyRead(Answer):
    """One root key. ``here`` says whether this process could use it."""

    kid: str
    fingerprint: str
    state: KeyState
    wraps: int = Field(description="Data keys that this root wraps.")
    here: bool
    created_at: datetime
    retired_at: datetime | None = None


class KeysRead(Answer):
    """All root keys, and where the one in use comes from."""

    active: str
    source: str = Field(description="keys folder, setting, file or systemd credential")
    unfinished: bool = Field(description="Whether data keys wait to be wrapped with the key in use.")
    signing_key: str
    keys: list[RootKeyRead]


class KeyRetire(Request):
    """Give up a root key that wraps nothing any more."""

    kid: str = Field(pattern="^[0-9a-f]{16}$")
