"""What every shape has in common, and the two envelopes: a page of things and an error."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


# Shapes are built when they are first used: a notebook that imports the client needs a few of them, at once.


class Request(BaseModel):
    """What comes in: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, str_max_length=100_000)


class Answer(BaseModel):
    """What goes out: a reader of another version ignores fields that it does not know."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True, ser_json_inf_nan="null", protected_namespaces=())


class Page(Answer, Generic[T]):
    """One page of a list; ``next`` is the cursor of the page after it, ``total`` is given where it is cheap."""

    items: list[T]
    next: str | None = None
    total: int | None = None


class ErrorBody(Answer):
    """Why a request failed: a stable code for programs, a sentence for people."""

    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)
    request_id: str


class ErrorAnswer(Answer):
    """The envelope of every failure."""

    error: ErrorBody


class Named(Answer):
    """A thing or person by id, with the name that people know it by."""

    id: str
    name: str


class Subject(Answer):
    """What an event or a job is about."""

    kind: str
    id: str


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): sorts by the time it was made."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def now() -> datetime:
    """The present time, in UTC."""
    return datetime.now(UTC)
