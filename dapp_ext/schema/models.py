"""Models: how they are asked for, how a search goes on, what came out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Named, Request, now
from dapp_ext.schema.datasets import Column, Severity, Visibility
from dapp_ext.schema.grants import AccessLevel

Task = Literal["binary", "multiclass", "regression"]
Family = Literal["linear", "neighbours", "lightgbm", "forest", "neural"]
ModelStatus = Literal["queued", "training", "ready", "failed", "cancelled"]
FINAL_MODEL_STATUSES: frozenset[str] = frozenset({"ready", "failed", "cancelled"})
ModelOrigin = Literal["search", "registered"]
Validation = Literal["random", "stratified", "group", "time"]
GuardState = Literal["passed", "done", "alerted"]
Tag = Annotated[str, Field(min_length=1, max_length=60)]
Cleaning = Literal["drop_duplicates", "drop_conflicts", "drop_rare", "merge_rare"]
BUDGETS: dict[str, int] = {"quick": 30, "standard": 300, "thorough": 3600}


class TrainRequest(Request):
    """What to learn. What is left out is chosen and said aloud in the results."""

    dataset: str = Field(description="Id or name of the dataset.")
    target: str | None = None
    version: int | None = Field(default=None, description="Dataset version; the latest when left out.")
    name: str | None = Field(default=None, min_length=1, max_length=200, description="The name of one's own model makes the next version of it.")
    task: Task | None = None
    time_budget: int = Field(default=60, ge=5, le=86_400, description="Seconds.")
    trials: int | None = Field(default=None, ge=1, le=1000, description="Number of trials; makes the search repeatable.")
    metric: str | None = Field(default=None, max_length=40)
    validation: Validation | None = Field(default=None, description="How rows are held back to check on; suggested with a reason when left out.")
    group: str | None = Field(default=None, description="Rows with the same value in this column stay on one side; implies validation by group.")
    time_column: str | None = Field(default=None, description="The column that orders the rows for validation forward in time.")
    families: list[Family] | None = Field(default=None, min_length=1)
    params: dict[str, Any] = Field(default_factory=dict, description="Fixed hyperparameters by family, then by name.")
    exclude: list[str] = Field(default_factory=list, description="Columns that are not used.")
    allow: list[str] = Field(default_factory=list, description="Columns that are used though a guard would hold them back.")
    clean: list[Cleaning] = Field(default_factory=list, description="What is done to rows that a guard has found.")
    missing: dict[str, list[Any]] = Field(default_factory=dict, description="By column, the values that stand for missing, such as 999.")
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


class Fix(Answer):
    """One click that answers a guard: the fields of the train request that change, with their new values.

    The request as it was is the undo; a fix that has been applied is not offered again.
    """

    code: str = Field(description="drop_columns, keep_columns, group_by, forward_split, clean_rows, mark_missing or set_task.")
    label: str = Field(description="The words of the button.")
    change: dict[str, Any] = Field(description="Fields of the train request with the values that they get.")


class SecondScore(Answer):
    """The score again after a fix, by the same learner with the same settings on the same kind of split."""

    metric: str
    label: str
    greater_is_better: bool
    before: float
    after: float
    sentence: str
    fix: str | None = Field(default=None, description="The words of the fix that was tried.")
    guard: str | None = Field(default=None, description="The code of the finding that it answers.")
    columns: list[str] = Field(default_factory=list, description="The columns that the fix is about.")


class RescoreRequest(Request):
    """Which score is wanted: with the fix of a finding, or without some columns."""

    guard: str | None = Field(default=None, description="The code of a finding; its recommended fix is tried.")
    fix: str | None = Field(default=None, description="The code of another fix of that finding.")
    columns: list[str] = Field(default_factory=list, max_length=2000, description="The columns to score without; with a finding, some of its columns.")
    time_budget: int = Field(default=20, ge=5, le=600, description="Seconds.")


class Guard(Answer):
    """A check made before anything is scored."""

    code: str
    state: GuardState
    severity: Severity
    sentence: str
    columns: list[str] = Field(default_factory=list)
    rows: list[int] = Field(default_factory=list, description="The first rows that show it, by their number in the dataset.")
    rows_count: int = 0
    values: dict[str, float] = Field(default_factory=dict, description="How strongly each of the columns shows it.")
    fixes: list[Fix] = Field(default_factory=list, description="The first one is recommended.")
    second: SecondScore | None = Field(default=None, description="The score with and without what was found, where it has been tried.")


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
    fit_seconds: float | None = Field(default=None, description="One fit on the rows of the search.")
    predict_seconds: float | None = Field(default=None, description="1,000 rows.")
    low: float | None = Field(default=None, description="95 % interval of the cross-validated score.")
    high: float | None = None
    near_best: bool = Field(default=False, description="Not clearly worse than the best one.")
    recommended: bool = Field(default=False, description="The simplest of those that are not clearly worse than the best.")


class Importance(Answer):
    """How much worse the score gets when the column is shuffled, on rows never trained on."""

    column: str
    value: float
    std: float


class Curve(Answer):
    """Points of a line; ``kind`` is roc, precision_recall, calibration, gain, residuals or coverage."""

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


class Decisions(Answer):
    """What each threshold would do on the locked test part (two classes): named when its probability is at least the threshold.

    Arrays of one length, thresholds falling; counts of rows.
    """

    positive: str
    thresholds: list[float]
    true_positives: list[int]
    false_positives: list[int]
    positives: int
    negatives: int


class DecisionRequest(Request):
    """How a threshold is chosen: by its value, by what each error costs, or by how many cases can be looked at."""

    threshold: float | None = Field(default=None, ge=0, le=1)
    cost_false_alarm: float | None = Field(default=None, ge=0, description="What it costs to name a case that is none.")
    cost_missed: float | None = Field(default=None, ge=0, description="What it costs to miss a case.")
    capacity: float | None = Field(default=None, gt=0, le=1, description="The share of all rows that can be looked at.")


class Decision(Answer):
    """One threshold and what it does, in cases of 1,000 rows."""

    threshold: float
    named: float
    right: float
    missed: float
    precision: float
    recall: float
    cost: float | None = Field(default=None, description="Per 1,000 rows.")
    sentence: str


class Dependence(Answer):
    """What the model says on average when one column is set to each of these values, all else as it is (PDP), with single rows (ICE)."""

    column: str
    values: list[Any]
    mean: list[float]
    rows: list[list[float]] = Field(default_factory=list, description="One line per row of a sample.")
    label: str = Field(description="What the numbers are: the probability of a class, or the predicted amount.")


class Reason(Answer):
    """How much one column moves the answer for one row, against typical rows."""

    column: str
    value: Any = None
    effect: float


class Reasons(Answer):
    """Why the model says what it says about one row; effects add up to output minus base approximately."""

    base: float
    output: float
    label: str
    reasons: list[Reason]
    method: str


class Coverage(Answer):
    """How often the true amount lies within the interval told for it (regression)."""

    level: float
    reached: float
    half_width: float
    sentence: str


class Split(Answer):
    """How the rows were divided, in numbers and in words."""

    validation: Validation
    column: str | None = Field(default=None, description="The column of groups or of time.")
    reason: str | None = Field(default=None, description="Why the rows are divided this way.")
    repeats: int = 1
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
    target_column: Column | None = Field(default=None, description="The target as the dataset describes it, with its kind and unit.")
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
    worst: Guard | None = Field(default=None, description="The worst finding that still stands.")
    recommended: int | None = Field(default=None, description="Number of the trial that is advised: as good as the best, and simpler.")
    cross_validated: Score | None = Field(default=None, description="The search's metric over the folds, with its interval.")
    decisions: Decisions | None = None
    threshold: float | None = Field(default=None, description="Two classes: the probability from which the positive class is named.")
    dependence: list[Dependence] = Field(default_factory=list)
    coverage: Coverage | None = None
    recipe: dict[str, Any] = Field(default_factory=dict, description="The request as it was carried out, for fixes, undo and the notebook.")
    question: TaskGuess | None = Field(default=None, description="What was guessed and should be looked at.")
    test_looks: int = Field(default=0, description="How often somebody looked at these scores of the locked test part.")
    second_scores: list[SecondScore] = Field(default_factory=list, description="Scores with a fix, or without some columns, that were asked for since.")


class TaskGuess(Answer):
    """What kind of task a target makes, and why."""

    task: Task
    reason: str
    certain: bool = True
    others: list[Task] = Field(default_factory=list, description="What it could be instead.")


class ValidationGuess(Answer):
    """How rows should be held back, and why."""

    validation: Validation
    reason: str
    column: str | None = None
    folds: int
    repeats: int = 1


class Advice(Answer):
    """What a training would do, said before it starts."""

    target: str
    task: TaskGuess
    metric: str
    metric_label: str
    validation: ValidationGuess
    guards: list[Guard] = Field(default_factory=list, description="Those that can be known from the columns already.")
    sentence: str


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
    skipped: list[str] = Field(default_factory=list, description="Families that are not tried any more.")


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
    score: Score | None = Field(default=None, description="The headline score: the one that was searched by.")
    plain_score: Score | None = Field(default=None, description="The score that says most without explanation: the share that is right, or the typical error.")
    unit: str | None = Field(default=None, description="What the target's numbers are counted in, such as $; typical errors are in it too.")
    sentence: str | None = None
    trials: int = 0
    time_budget: int
    job_id: str | None = None
    champion: bool = Field(default=False, description="Whether predictions by name go to this version.")
    origin: ModelOrigin = "search"
    notes: str | None = None
    tags: list[str] = Field(default_factory=list)
    skipped: list[str] = Field(default_factory=list, description="Families that are not tried any more.")
    policy_version: int | None = Field(default=None, description="The threshold policy that answers follow.")
    alert: str | None = Field(default=None, description="Code of what the watch over its predictions found, until it is over.")
    concern: str | None = Field(default=None, description="The gravest thing that its checks found, where it should not be relied on as it is.")
    created_at: datetime
    updated_at: datetime


class ModelUpdate(Request):
    """What is left out stays as it is. A name and who may see it hold for all versions, notes and tags for this one."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    visibility: Visibility | None = None
    notes: str | None = Field(default=None, max_length=20_000)
    tags: list[Tag] | None = Field(default=None, max_length=20)


class ExtendRequest(Request):
    """More time for a search that goes on."""

    seconds: int = Field(default=600, ge=5, le=86_400)


class SkipRequest(Request):
    """A family that a search should not try any more."""

    family: Family


class PolicyApplied(Answer):
    """From which probability of the positive class on the answer was yes."""

    version: int
    threshold: float


class PredictRequest(Request):
    """Rows to predict now, as objects of column name to value."""

    rows: list[dict[str, Any]] = Field(min_length=1, max_length=10_000)
    version: int | None = Field(default=None, ge=1, description="Model version; the champion, else the latest trained one, when left out.")
    explain: bool = Field(default=False, description="Say for each row why; for 20 rows at the most.")


class Prediction(Answer):
    """The answer for one row; probabilities by class for a classifier."""

    prediction: Any
    probabilities: dict[str, float] | None = None
    reasons: Reasons | None = Field(default=None, description="Why, where it was asked for.")


class PredictRead(Answer):
    """Answers in the order of the rows, and what they can be traced by."""

    id: str = Field(default="", description="Names this call in the prediction log.")
    model: Named
    model_version: int
    policy: PolicyApplied | None = None
    at: datetime = Field(default_factory=now)
    predictions: list[Prediction]
    notes: list[str] = Field(default_factory=list, description="What was missing or new in the rows.")


class BatchPredictRequest(Request):
    """A whole dataset to predict; the answer becomes a dataset of its own."""

    dataset: str
    version: int | None = Field(default=None, ge=1, description="Dataset version; the latest when left out.")
    model_version: int | None = Field(default=None, ge=1, description="The champion, else the latest trained one, when left out.")
    name: str | None = Field(default=None, min_length=1, max_length=200)


class BatchPredictRead(Answer):
    """The job, and the dataset that it will fill."""

    job_id: str
    dataset_id: str
    dataset_name: str
    source_id: str | None = Field(default=None, description="The dataset that is predicted.")
