"""What is asked of a training, checked at the door: whatever can be known before the search begins is said at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from dapp_ext.domain.learning import MEASURES, measure
from dapp_ext.domain.learning.options import check_names
from dapp_ext.domain.learning.targets import MOST_CLASSES
from dapp_ext.errors import ColumnUnknown, Invalid, TargetUnusable
from dapp_ext.schema.datasets import Column, ColumnProfile, Profile
from dapp_ext.schema.models import Task, TrainRequest

FEWEST_ROWS = 30


def check(columns: Sequence[Column], profile: Profile, target: str, request: TrainRequest) -> None:
    """Pass a request that this dataset can fulfil, as far as its columns tell and what the profile says of the target.

    Raises
    ------
    ColumnUnknown, TargetUnusable, Invalid
    """
    by_name = {column.name: column for column in columns}
    for name in (target, *request.exclude):
        if name not in by_name:
            raise ColumnUnknown(f"The dataset has no column named {name!r}. Choose one of its {len(by_name)} columns.")
    if target in request.exclude:
        raise Invalid("The target cannot be left out as well. Take it out of the excluded columns.")
    about = next(column for column in profile.columns if column.name == target)
    _check_target(about, profile.rows)
    _check_wishes(about, request)
    if len(by_name) - len(set(request.exclude)) < 2:
        what = "Leave out fewer columns." if request.exclude else "Add columns that may tell what it depends on."
        raise Invalid(f"There is no column left to learn from; beside the target at least one is needed. {what}")
    if request.validation == "time" and not any(column.kind in ("date", "datetime") for column in columns if column.name != target):
        raise Invalid("No column holds dates, so the rows cannot be divided by time. Choose a random split, or a dataset with a date.")


def _check_target(target: ColumnProfile, rows: int) -> None:
    if target.kind in ("date", "datetime", "time", "duration"):
        raise TargetUnusable(f"The column {target.name!r} holds dates or times, which cannot be predicted. Choose a column with numbers or classes.")
    known = rows - target.missing
    if known == 0:
        raise TargetUnusable(f"The column {target.name!r} has no value in any row, so there is nothing to learn. Choose another target.")
    if known < FEWEST_ROWS:
        have = "row has" if known == 1 else "rows have"
        raise TargetUnusable(f"Only {known} {have} a value in {target.name!r}. At least {FEWEST_ROWS} are needed; add rows or choose another column.")
    if target.distinct < 2:
        raise TargetUnusable(f"The column {target.name!r} has only one value, so there is nothing to learn. Choose another target.")


def _check_wishes(target: ColumnProfile, request: TrainRequest) -> None:
    words = target.kind in ("text", "category", "boolean")
    if request.task == "regression" and words:
        raise TargetUnusable(f"The column {target.name!r} holds words, not numbers. Predict it as classes, or choose a column of numbers.")
    task: Task | None = request.task or ("multiclass" if words and target.distinct > 2 else "binary" if target.distinct == 2 else None)
    if task == "multiclass" and target.distinct_exact and target.distinct > MOST_CLASSES and not request.clean:
        raise TargetUnusable(
            f"The column {target.name!r} has {target.distinct} different values, too many to tell apart (at most {MOST_CLASSES}). "
            "Choose a column with fewer values."
        )
    if request.metric is not None:
        if task is not None:
            measure(request.metric, task)
        elif request.metric not in MEASURES:
            raise Invalid(f"There is no metric {request.metric!r}. Choose one of: {', '.join(MEASURES)}.")
    check_names(request.params, task)
    ignored = set(request.params) - set(request.families or request.params)
    if ignored:
        raise Invalid(f"There are parameters for {min(ignored)}, which is not among the families to try: {', '.join(request.families or [])}.")


def all_families() -> tuple[str, ...]:
    """The families that a search tries when none are named."""
    from dapp_ext.schema.models import Family

    return get_args(Family)
