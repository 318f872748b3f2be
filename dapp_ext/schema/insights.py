"""What notebooks publish for everybody: a picture, a table, or both, under a title."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Base64Bytes, Field

from dapp_ext.schema.base import Answer, Named, Request
from dapp_ext.schema.datasets import Visibility

PICTURE_LIMIT = 3 * 1024 * 1024
TABLE_ROWS = 1000
TABLE_COLUMNS = 50


class TableWrite(Request):
    """Rows that stand beside a picture, or alone. ``total`` is how many there were before they were cut."""

    columns: list[str] = Field(min_length=1, max_length=TABLE_COLUMNS)
    rows: list[list[bool | int | float | str | None]] = Field(default_factory=list, max_length=TABLE_ROWS)
    total: int | None = Field(default=None, ge=0)


class InsightPublish(Request):
    """A picture (PNG; nothing else is shown, and never a script), a table, or both."""

    title: str = Field(min_length=1, max_length=200)
    note: str | None = Field(default=None, max_length=2000, description="A sentence or two below the title.")
    picture: Base64Bytes | None = Field(default=None, max_length=PICTURE_LIMIT, description="A PNG, in base64.")
    table: TableWrite | None = None
    dataset: str | None = Field(default=None, max_length=200, description="Id or name of the dataset that it shows.")
    model: str | None = Field(default=None, max_length=200, description="Id or name of the model that it shows.")
    visibility: Visibility | None = Field(default=None, description="That of the dataset or model when left out; without one, team.")
    source: str | None = Field(default=None, max_length=40, description="The library that drew it.")


class InsightUpdate(Request):
    title: str | None = Field(default=None, min_length=1, max_length=200)
    note: str | None = Field(default=None, max_length=2000)
    visibility: Visibility | None = None


class InsightRead(Answer):
    """One insight. Its picture is a PNG at ``/insights/{id}/picture``, its table at ``/insights/{id}/table``."""

    id: str
    title: str
    note: str | None = None
    owner: Named
    visibility: Visibility
    dataset: Named | None = None
    dataset_version: int | None = None
    model: Named | None = None
    has_picture: bool
    width: int | None = None
    height: int | None = None
    has_table: bool
    rows: int | None = None
    source: str | None = None
    created_at: datetime
    updated_at: datetime


class TableRead(Answer):
    """The table of an insight; ``total`` is how many rows there were before they were cut."""

    columns: list[str]
    rows: list[list[Any]]
    total: int
