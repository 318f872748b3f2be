"""Kinds of columns that many tables have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field

from dapp_ext.schema.base import now
from dapp_ext.store.database import UtcDateTime


def moment(**options: Any) -> Any:
    return Field(default_factory=now, sa_type=UtcDateTime, **options)


def maybe_moment() -> Any:
    return Field(default=None, sa_type=UtcDateTime, nullable=True)


def bytes_count(default: int | None = 0) -> Any:
    """A number of bytes; 32 bits end at 2 GiB."""
    return Field(default=default, sa_type=BigInteger, nullable=default is None)


def sealed() -> Any:
    return Field(default=None, sa_column=Column("sealed", LargeBinary, nullable=True))
