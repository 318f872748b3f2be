"""The registry: versions of a model, compared, promoted, rolled back; pipelines brought along; one recipe over many datasets."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Named, Request
from dapp_ext.schema.datasets import Visibility
from dapp_ext.schema.models import Family, ModelRead, Task, Validation


class ReasonRequest(Request):
    """Why a version becomes the champion, or stops being it."""

    reason: str = Field(min_length=1, max_length=2000)


class PromotionRead(Answer):
    """One change of the champion."""

    model: str = Field(description="Id of the version that became the champion.")
    version: int | None = Field(default=None, description="Missing when that version was deleted since.")
    kind: Literal["promote", "rollback"]
    reason: str
    by: Named
    at: datetime


class VersionsRead(Answer):
    """All versions of a name, newest first, and how the champion changed, latest change first."""

    name: str
    champion: int | None = None
    versions: list[ModelRead]
    promotions: list[PromotionRead]


class ScorePair(Answer):
    """One metric of two models; ``apart`` tells that their 95 % intervals do not overlap."""

    name: str
    label: str
    greater_is_better: bool
    a: float | None = None
    b: float | None = None
    better: Literal["a", "b"] | None = None
    apart: bool = False


class Difference(Answer):
    """Something in which two models differ."""

    name: str
    a: Any = None
    b: Any = None


class Comparison(Answer):
    """Two models side by side."""

    a: ModelRead
    b: ModelRead
    sentence: str
    same_rows: bool = Field(description="Whether both were scored on the same rows; otherwise small differences mean nothing.")
    scores: list[ScorePair]
    recipe: list[Difference]
    columns_only_a: list[str]
    columns_only_b: list[str]
    columns_both: int


class BatchTrainRequest(Request):
    """One recipe over many datasets."""

    datasets: list[str] = Field(min_length=1, max_length=500, description="Ids or names.")
    target: str | None = Field(default=None, description="Each dataset's likely target when left out.")
    name: str | None = Field(default=None, min_length=1, max_length=200, description="Of the batch.")
    task: Task | None = None
    time_budget: int = Field(default=60, ge=5, le=86_400, description="Seconds for each dataset.")
    trials: int | None = Field(default=None, ge=1, le=1000)
    metric: str | None = Field(default=None, max_length=40)
    validation: Validation | None = None
    families: list[Family] | None = Field(default=None, min_length=1)
    params: dict[str, Any] = Field(default_factory=dict)
    exclude: list[str] = Field(default_factory=list)
    seed: int = 0


class RegisterRequest(Request):
    """A fitted scikit-learn pipeline, as skops bytes, and the dataset that it is scored on."""

    name: str = Field(min_length=1, max_length=200, description="The name of one's own model makes the next version of it.")
    dataset: str = Field(description="Id or name of a dataset with the pipeline's columns and the target.")
    target: str
    version: int | None = Field(default=None, ge=1, description="Dataset version; the latest when left out.")
    task: Task | None = Field(default=None, description="Told by the pipeline when left out.")
    visibility: Visibility | None = Field(default=None, description="The dataset's when left out.")
    unseen: bool = Field(default=False, description="Whether the pipeline never learned from rows of this dataset.")
