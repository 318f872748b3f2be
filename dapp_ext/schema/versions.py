"""Versions of a dataset: how each was made, and how two of them differ."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Named, Request
from dapp_ext.schema.datasets import ColumnKind, ColumnProfile, DatasetStatus, ReadOptions, VersionOrigin

ColumnChange = Literal["same", "added", "removed", "changed"]


class VersionRead(Answer):
    """One version of a dataset. ``sentence`` says in words how it was made."""

    version: int
    latest: bool = Field(description="Whether it is the one that is used when no version is named.")
    status: DatasetStatus
    origin: VersionOrigin
    from_version: int | None = Field(default=None, description="The version of the same dataset that it was made from.")
    sentence: str
    fix: str | None = Field(default=None, description="The code of the fix that made it.")
    by: Named | None = None
    filename: str
    size: int
    rows: int | None = None
    column_count: int | None = None
    format: str | None = None
    options: ReadOptions | None = Field(default=None, description="What was asked for when the file was read.")
    has_original: bool = Field(description="Whether there is an uploaded file behind it, which can be read again.")
    error: str | None = None
    job_id: str | None = None
    created_at: datetime


class VersionCreate(Request):
    """Read the sealed original again. The options replace those of the first time; what is left out is guessed."""

    version: int | None = Field(default=None, ge=1, description="Whose original to read; that of the latest version when left out.")
    options: ReadOptions = ReadOptions()


class RestoreRequest(Request):
    """Make an older version the latest one; the ones between stay."""

    version: int = Field(ge=1)


class Distribution(Answer):
    """How often values are in both versions. ``labels`` are texts, or the ``len(counts) + 1`` edges of bins when ``binned``."""

    binned: bool
    labels: list[float | str]
    before: list[int]
    after: list[int]


class ColumnComparison(Answer):
    """One column in both versions; ``changed`` when its kind, its gaps or its values differ."""

    name: str
    change: ColumnChange
    kind_before: ColumnKind | None = None
    kind_after: ColumnKind | None = None
    before: ColumnProfile | None = None
    after: ColumnProfile | None = None
    shift: float | None = Field(
        default=None, description="Half the sum of the differences of all shares: 0 for the same distribution, 1 for no value in common."
    )
    distribution: Distribution | None = None
    sentences: list[str] = Field(default_factory=list)


class VersionComparison(Answer):
    """What changed between two versions of a dataset, most different columns first."""

    dataset: Named
    from_version: int
    to_version: int
    rows_before: int
    rows_after: int
    columns: list[ColumnComparison]
    sentences: list[str] = Field(default_factory=list)


class Dependents(Answer):
    """What was made from a dataset or one of its versions, and what goes with it when it is deleted."""

    models: list[Named] = Field(default_factory=list, description="Trained from it; they stay, but cannot be trained further.")
    predictions: list[Named] = Field(default_factory=list, description="Datasets of predictions for its rows; they stay.")
    unseen: int = Field(default=0, description="Models and datasets made from it that are not shared with you.")
    jobs: int = Field(default=0, description="Work that would be stopped.")
    versions: int = 1
    bytes: int = Field(default=0, description="What would be erased.")
    people: int = Field(default=0, description="Named people who would lose it.")
    later: list[int] = Field(default_factory=list, description="Versions that were made from the one that was asked about; they stay.")
