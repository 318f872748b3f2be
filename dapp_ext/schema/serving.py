"""Predictions in use: the policy they follow, what fits a model, what was asked of it, and whether that still looks the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Named, Request
from dapp_ext.schema.datasets import ColumnKind, Visibility

PolicyBasis = Literal["value", "cost", "capacity"]
DriftLevel = Literal["unknown", "calm", "watch", "alert"]


class ThresholdRequest(Request):
    """From which probability of the positive class on the answer is yes: chosen by value, by what errors cost, or by capacity."""

    by: PolicyBasis
    value: float | None = Field(default=None, ge=0, le=1, description="The probability; for by=value.")
    cost_false_alarm: float | None = Field(default=None, ge=0, description="What it costs to name a case that is none; for by=cost.")
    cost_missed: float | None = Field(default=None, ge=0, description="What it costs to miss a case; for by=cost.")
    capacity: float | None = Field(default=None, gt=0, le=1, description="The share of all rows that can be looked at; for by=capacity.")
    reason: str = Field(default="", max_length=2000)


class PolicyRead(Answer):
    """A threshold policy, and what it did on the locked test part, in cases of 1,000."""

    model: Named
    model_version: int
    version: int
    by: PolicyBasis
    threshold: float
    positive: str
    sentence: str
    named: float | None = None
    right: float | None = None
    missed: float | None = None
    cost: float | None = None
    reason: str = ""
    set_by: Named
    at: datetime


class GivenColumn(Request):
    """A column that is about to be predicted from."""

    name: str = Field(min_length=1, max_length=1000)
    kind: ColumnKind | None = None


class CheckRequest(Request):
    """Columns, or a dataset, that a model is about to be used on."""

    columns: list[GivenColumn] | None = Field(default=None, min_length=1, max_length=20_000)
    dataset: str | None = None
    version: int | None = Field(default=None, ge=1, description="Dataset version; the latest when left out.")


class Retyped(Answer):
    """A column of another kind than the model learned from."""

    column: str
    expected: ColumnKind
    given: ColumnKind


class Renamed(Answer):
    """A missing column and one that may be meant by it."""

    missing: str
    perhaps: str


class CheckRead(Answer):
    """How columns fit a model, said before it runs."""

    model: Named
    model_version: int
    usable: bool
    sentence: str
    matched: list[str]
    missing: list[str] = Field(description="Count as missing values in every row.")
    new: list[str] = Field(description="Are not used.")
    retyped: list[Retyped]
    renamed: list[Renamed]


class ScoredFileQuery(Request):
    """What is said about a file that is uploaded and predicted in one call."""

    filename: str = Field(min_length=1, max_length=255)
    name: str | None = Field(default=None, min_length=1, max_length=200, description="Of the dataset with the predictions.")
    visibility: Visibility | None = Field(default=None, description="The model's when left out.")


class LoggedCall(Answer):
    """One call for predictions as it was logged."""

    id: str
    at: datetime
    by: Named | None = None
    door: str = ""
    model_version: int
    policy_version: int | None = None
    milliseconds: float
    rows: int
    inputs: list[dict[str, Any]] = Field(default_factory=list)
    predictions: list[Any] = Field(default_factory=list)
    dataset: Named | None = Field(default=None, description="Where the rows of a whole dataset and their answers are.")
    error: str | None = None


class ColumnDrift(Answer):
    """How far the values of a column moved from the training data (Jensen-Shannon distance, 0 to 1)."""

    column: str
    distance: float
    level: DriftLevel
    weight: float = Field(description="How much the model relies on it.")


class MonitorPoint(Answer):
    """One stretch of time; quiet ones are left out."""

    at: datetime
    calls: int
    rows: int
    errors: int
    milliseconds: float = Field(description="Mean time of a call.")
    slowest: float
    input_drift: float | None = None
    prediction_drift: float | None = None


class MonitoringRead(Answer):
    """How a model is used, and whether what it is asked still looks like what it learned from."""

    model: Named
    model_version: int
    champion: bool
    days: int
    calls: int
    rows: int
    errors: int
    milliseconds: float | None = Field(default=None, description="Mean time of a call.")
    p50: float | None = None
    p95: float | None = None
    code: str | None = Field(default=None, description="prediction_drift, input_drift or errors, when something should be looked at.")
    sentence: str
    input_drift: float | None = None
    prediction_drift: ColumnDrift | None = None
    columns: list[ColumnDrift] = Field(default_factory=list)
    series: list[MonitorPoint] = Field(default_factory=list)
    retention_days: int
