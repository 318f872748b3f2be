"""Which root keys a workspace has and what they still wrap, and which keys sign its tokens. No shape here ever holds a key."""

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


class SigningKeyRead(Answer):
    """One key that signs access tokens, or has signed them; it is ``old`` as long as what it signed is accepted."""

    kid: str
    state: KeyState
    created_at: datetime | None = Field(default=None, description="When a rotation made it; null for the first one.")
    accepted_until: datetime | None = Field(default=None, description="Until when tokens that it signed are accepted; null for the one in use.")


class KeysRead(Answer):
    """All root keys, where the one in use comes from, and the keys that sign tokens."""

    active: str
    source: str = Field(description="keys folder, setting, file or systemd credential")
    unfinished: bool = Field(description="Whether data keys wait to be wrapped with the key in use.")
    signing_key: str = Field(description="Id of the key that signs access tokens.")
    keys: list[RootKeyRead]
    signing_keys: list[SigningKeyRead]


class KeyRetire(Request):
    """Give up a root key that wraps nothing any more."""

    kid: str = Field(pattern="^[0-9a-f]{16}$")


class SigningRotate(Request):
    """Sign tokens with a new key."""

    now: bool = Field(default=False, description="Accept nothing any more that an earlier key has signed; else it is accepted until it ends.")
