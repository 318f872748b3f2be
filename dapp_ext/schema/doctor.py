"""What was looked at on this machine, and what to do about it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dapp_ext.schema.base import Answer

State = Literal["ok", "note", "bad"]


class Check(Answer):
    """One look. ``bad`` has to be mended, ``note`` is worth knowing."""

    name: str
    state: State
    says: str
    why: str = Field(default="", description="Why it matters; empty when all is well.")
    mend: str = Field(default="", description="The command that mends it, where there is one.")


class Examination(Answer):
    """All looks, and the versions of what the platform stands on."""

    version: str
    healthy: bool
    checks: list[Check]
    libraries: dict[str, str]
