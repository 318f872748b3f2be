"""Fixes: what a finding offers to do about itself, and asking for it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Request

FixCode = Literal[
    "drop_duplicate_rows",
    "drop_header_rows",
    "drop_rows",
    "drop_columns",
    "drop_missing_rows",
    "fill_missing",
    "mark_missing",
    "convert",
    "clip_outliers",
    "clear_infinite",
    "log_scale",
    "group_rare",
    "cut_texts",
    "normalise_texts",
    "parse_dates",
    "fill_gaps",
]
FillMethod = Literal["median", "mean", "most_frequent", "previous", "value"]


class FixOffer(Answer):
    """What one press would do. Send ``code`` and the finding's columns, with these options or others."""

    code: FixCode
    sentence: str
    options: dict[str, Any] = Field(default_factory=dict)


class FixOptions(Request):
    """How to mend; what a fix does not need is not looked at, what is left out is chosen by the column."""

    method: FillMethod | None = Field(default=None, description="fill_missing: what goes into the gaps.")
    value: str | int | float | bool | None = Field(default=None, description="fill_missing with the method value.")
    values: list[str] | None = Field(default=None, max_length=1000, description="mark_missing: the values that mean missing, as they are shown.")
    rows: list[Annotated[int, Field(ge=0)]] | None = Field(default=None, max_length=10_000, description="drop_rows: the rows to remove, from 0.")
    day_first: bool | None = Field(default=None, description="parse_dates: whether 01/02/2024 is the first of February.")
    keep: int | None = Field(default=None, ge=1, le=1000, description="group_rare: how many of the most frequent values stay; 49 when left out.")
    length: int | None = Field(default=None, ge=1, le=1_000_000, description="cut_texts: characters that stay; 20,000 when left out.")


class FixRequest(Request):
    """Mend one dataset by a new version of it.

    ``code`` is that of a fix, or that of a finding for the fix that it offers. Without columns a fix works on all that
    the finding named; ``drop_duplicate_rows`` then compares whole rows.
    """

    code: str = Field(min_length=1, max_length=60)
    columns: list[str] = Field(default_factory=list, max_length=10_000)
    version: int | None = Field(default=None, ge=1, description="The version to mend; the latest when left out.")
    options: FixOptions = FixOptions()
