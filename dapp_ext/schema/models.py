"""Models: how they are asked for, how a search goes on, what came out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Named, Request
from dapp_ext.schema.datasets import Column, Severity, Visibility
from dapp_ext.schema.grants import AccessLevel

Task = Literal["binary", "multiclass", "regression"]
Family = Literal["linear", "lightgbm", "forest"]
ModelStatus = Literal["queued", "training", "ready", "failed"]
Validation = Literal["random", "time"]
GuardState = Literal["passed", "done", "alerted"]
BUDGETS: dict[str, int] = {"quick": 30, "standard": 300, "thorough": 3600}


class TrainRequest(Request):
    """What to learn. What is left out is chosen and said aloud in the results."""

    dataset: str = Field(description="Id or name of the dataset.")
    target: str | None = None
    version: int | None = Field(default=None, description="Dataset version; the latest when left out.")
    name: str | None = Field(default=None, min_length=1, max_length=200)
    task: Task | None = None
    time_budget: int = Field(default=60, ge=5, le=86_400, description="Seconds.")
    trials: int | None = Field(default=None, ge=1, le=1000, description="Number of trials; makes the search repeatable.")
    metric: str | None = Field(default=None, max_length=40)
    validation: Validation | None = None
    families: list[Family] | None = Field(default=None, min_length=1)
    params: dict[str, Any] = Field(default_factory=dict, description="Fixed hyperparameters by family, then by name.")
    exclude: list[str] = Field(default_factory=list, description="Columns that are not used.")
    seed: int = 0


class Score(Answer):
    """One metric on rows that the search never saw, with its 95 % interval and what guessing reaches."""

    name: str
    label: str
    value: float
    low: float
    high: float
    baseline: float
    greater_is_better: bool


class Guard(Answer):
    """A check made before anything is scored."""

    code: str
    state: GuardState
    severity: Severity
    sentence: str
    columns: list[str] = Field(default_factory=list)
    rows: list[int] = Field(default_factory=list)


class Trial(Answer):
    """One candidate: a learner with its parameters and its cross-validated score."""

    number: int
    family: str
    label: str
    params: dict[str, Any] = Field(default_factory=dict)
    score: float | None = None
    std: float | None = None
    seconds: float = 0.0
    status: Literal["done", "failed", "stopped"] = "done"
    error: str | None = None
    at: datetime
    is_best: bool = False


class Importance(Answer):
    """How much worse the score gets when the column is shuffled, on rows never trained on."""

    column: str
    value: float
    std: float


class Curve(Answer):
    """Points of a line; ``kind`` is roc, precision_recall, calibration, lift or residuals."""

    kind: str
    label: str
    x: list[float]
    y: list[float]
    x_label: str
    y_label: str


class Confusion(Answer):
    """Counts on the locked test part: rows are the true classes, columns the predicted ones."""

    classes: list[str]
    counts: list[list[int]]


class Scatter(Answer):
    """Predicted against actual on a sample of the locked test part (regression)."""

    actual: list[float]
    predicted: list[float]


class Split(Answer):
    """How the rows were divided, in numbers and in words."""

    validation: Validation
    folds: int
    rows_train: int
    rows_test: int
    rows_left_out: int = 0
    seed: int
    sentence: str


class Results(Answer):
    """All that is known about a trained model."""

    model: Named
    dataset: Named
    dataset_version: int
    target: str
    task: Task
    task_reason: str
    sentence: str = Field(description="The result in one sentence for anyone.")
    metric: str = Field(description="The metric that the search went by.")
    scores: list[Score]
    guards: list[Guard]
    leaderboard: list[Trial]
    importances: list[Importance]
    curves: list[Curve] = Field(default_factory=list)
    confusion: Confusion | None = None
    scatter: Scatter | None = None
    classes: list[str] | None = None
    positive: str | None = None
    best: Trial
    split: Split
    features: list[Column]
    libraries: dict[str, str] = Field(default_factory=dict)
    seconds: float
    stopped_early: bool = False


class Leaderboard(Answer):
    """The trials so far, best first."""

    model: str
    status: ModelStatus
    metric: str | None = None
    metric_label: str | None = None
    greater_is_better: bool = True
    trials: list[Trial]
    seconds_left: float | None = None
    time_budget: int


class ModelRead(Answer):
    """One model version. ``target`` and ``sentence`` come from the data and are kept sealed.

    ``access`` tells what the asking account may do; only its owner learns with how many named people it is shared.
    """

    id: str
    name: str
    version: int
    status: ModelStatus
    error: str | None = None
    owner: Named
    visibility: Visibility
    access: AccessLevel = "read"
    shared_with: int | None = Field(default=None, description="Number of named people, for its owner.")
    dataset: Named
    dataset_version: int
    target: str | None = None
    task: Task | None = None
    metric: str | None = None
    score: Score | None = Field(default=None, description="The headline score.")
    sentence: str | None = None
    trials: int = 0
    time_budget: int
    job_id: str | None = None
    created_at: datetime
    updated_at: datetime


class ModelUpdate(Request):
    name: str | None = Field(default=None, min_length=1, max_length=200)
    visibility: Visibility | None = None


class PredictRequest(Request):
    """Rows to predict now, as objects of column name to value."""

    rows: list[dict[str, Any]] = Field(min_length=1, max_length=10_000)
    version: int | None = None


class Prediction(Answer):
    """The answer for one row; probabilities by class for a classifier."""

    prediction: Any
    probabilities: dict[str, float] | None = None


class PredictRead(Answer):
    model: Named
    model_version: int
    predictions: list[Prediction]
    notes: list[str] = Field(default_factory=list, description="What was missing or new in the rows.")


class BatchPredictRequest(Request):
    """A whole dataset to predict; the answer becomes a dataset of its own."""

    dataset: str
    version: int | None = None
    name: str | None = Field(default=None, min_length=1, max_length=200)


class BatchPredictRead(Answer):
    """The job, and the dataset that it will fill."""

    job_id: str
    dataset_id: str
    dataset_name: str
