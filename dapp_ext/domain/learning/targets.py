"""The target: which task it makes, why, and its values as numbers that go back to the original values exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.learning.reading import as_numbers, natural, one_array
from dapp_ext.errors import TargetUnusable
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Task, TaskGuess

Array = npt.NDArray[Any]
FEWEST_ROWS = 30
FEWEST_OF_A_CLASS = 10
MOST_CLASSES = 100
FEW_NUMBERS = 20
LARGEST_AMOUNT, SMALLEST_SPREAD = 1e30, 1e-30
POSITIVE_WORDS = frozenset({"true", "yes", "y", "t", "positive", "pos"})
NEGATIVE_WORDS = frozenset({"false", "no", "n", "f", "negative", "neg"})
POSITIVE_PAIRS = frozenset({("1", "0"), ("1", "-1")})


@dataclass(frozen=True)
class Target:
    """The target of a training.

    Attributes
    ----------
    task, reason : str
        What kind of task, and why in one sentence.
    rows : ndarray
        Row numbers of the table whose target is known.
    y : ndarray
        For those rows: int64 codes of the classes, or float64 values.
    labels : list
        The classes in their original type, in the order of the codes; for two classes the positive one is last.
    type : str
        Arrow type of the labels: string, int64, double or bool.
    missing : ndarray
        Row numbers whose target is missing.
    sampled_from : int
        How many rows have a target, where these are only a sample of them; else 0.
    guess : TaskGuess
        The task with its reason, whether it is certain, and what it could be instead.
    unit : str or None
        What stood beside the amounts in the file.
    """

    name: str
    task: Task
    reason: str
    rows: Array
    y: Array
    labels: list[Any] = field(default_factory=list)
    type: str = "double"
    missing: Array = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    sampled_from: int = 0
    guess: TaskGuess = field(default_factory=lambda: TaskGuess(task="regression", reason=""))
    unit: str | None = None

    @property
    def classes(self) -> list[str] | None:
        """The classes as texts, None for regression."""
        return [label_text(v) for v in self.labels] if self.labels else None

    @property
    def positive(self) -> str | None:
        """The class that the scores of two classes are about."""
        return label_text(self.labels[1]) if self.task == "binary" else None


def label_text(label: Any) -> str:
    """A class as text: whole decimals without ``.0``."""
    return f"{label:.15g}" if isinstance(label, float) else str(label)


def read_target(column: Column, values: pa.ChunkedArray, task: Task | None) -> Target:
    """Decide the task and encode the target.

    Raises
    ------
    TargetUnusable
        The column cannot be learned, or not as the task that was asked for; the sentence says why.
    """
    array = one_array(values)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_finite(array), array, pa.scalar(None, type=array.type))
    known = np.flatnonzero(np.asarray(array.is_valid().to_numpy(zero_copy_only=False), dtype=bool))
    missing = np.flatnonzero(~np.asarray(array.is_valid().to_numpy(zero_copy_only=False), dtype=bool))
    array = array.take(pa.array(known))
    _check(column, len(known), len(array.unique()) if len(known) else 0)
    chosen, reason = _choose(column, array, task)
    guess = _guess(array, task, (chosen, reason))
    if chosen == "regression":
        y, unread = as_numbers(array)
        if unread and not _numeric(array):
            raise TargetUnusable(f"“{column.name}” holds words, so it cannot be predicted as a number. Ask for classes, or choose another column.")
        exact = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False) if _numeric(array) else y
        amounts = np.asarray(exact, dtype=np.float64)
        _check_size(column, amounts)
        return Target(column.name, chosen, reason, known, amounts, missing=missing, guess=guess, unit=column.unit)
    labels = _ordered(array, chosen)
    plain = pa.array(labels)
    y = np.asarray(pc.index_in(array.cast(plain.type), value_set=plain).to_numpy(zero_copy_only=False), dtype=np.int64)
    counts = np.sort(np.bincount(y))
    if counts[-2] < FEWEST_OF_A_CLASS:
        raise TargetUnusable(
            f"All but {counts[:-1].sum()} rows have the same value in “{column.name}”, and no other value occurs {FEWEST_OF_A_CLASS} times. "
            "That is too few to learn from and to check on; add rows or choose another column."
        )
    return Target(column.name, chosen, reason, known, y, labels, str(plain.type), missing, guess=guess)


def _check_size(column: Column, amounts: Array) -> None:
    """Learners count in 32 bits and square what they miss by: amounts have to leave room for both."""
    if np.abs(amounts).max() > LARGEST_AMOUNT:
        raise TargetUnusable(f"“{column.name}” holds amounts beyond {LARGEST_AMOUNT:.0e}, larger than can be learned. Divide them, or leave such rows out.")
    if np.ptp(amounts) < SMALLEST_SPREAD:
        raise TargetUnusable(f"The amounts in “{column.name}” differ by less than {SMALLEST_SPREAD:.0e}, too little to learn. Multiply them first.")


def _numeric(array: pa.Array) -> bool:
    return bool(pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_boolean(array.type) or pa.types.is_decimal(array.type))


def _check(column: Column, known: int, distinct: int) -> None:
    if column.kind in ("date", "datetime", "time", "duration"):
        raise TargetUnusable(f"“{column.name}” holds dates or times, which cannot be predicted. Choose a column with numbers or classes.")
    if known == 0:
        raise TargetUnusable(f"“{column.name}” has no value in any row, so there is nothing to learn. Choose another column.")
    if distinct < 2:
        raise TargetUnusable(f"“{column.name}” has the same value in every row, so there is nothing to predict. Choose a column with different values.")
    if known < FEWEST_ROWS:
        raise TargetUnusable(f"Only {known} rows have a value in “{column.name}”. At least {FEWEST_ROWS} are needed; add rows or choose another column.")


def _choose(column: Column, array: pa.Array, task: Task | None) -> tuple[Task, str]:
    distinct = len(array.unique())
    name = f"“{column.name}”"
    if task is not None:
        return _asked(name, array, task, distinct)
    if distinct == 2:
        return "binary", f"{name} has two different values, so the model says which of the two."
    if not _numeric(array):
        if distinct > MOST_CLASSES:
            raise TargetUnusable(
                f"{name} is text with {distinct} different values, too many to tell apart (at most {MOST_CLASSES}). Choose a column with fewer values."
            )
        return "multiclass", f"{name} is one of {distinct} values, so the model says which."
    if distinct <= FEW_NUMBERS:
        return "regression", (
            f"{name} is a number, though with only {distinct} different values, so the model predicts an amount. "
            "If the numbers are names of groups, ask for classes instead."
        )
    return "regression", f"{name} is a number, so the model predicts an amount."


def guess_task(column: Column, values: pa.ChunkedArray) -> TaskGuess:
    """What kind of task a column makes as the target, with the reason, and whether somebody should be asked.

    Raises
    ------
    TargetUnusable
        The column cannot be learned; the sentence says why.
    """
    return read_target(column, values, None).guess


def _guess(array: pa.Array, task: Task | None, chosen: tuple[Task, str]) -> TaskGuess:
    distinct, number = len(array.unique()), _numeric(array) and not pa.types.is_boolean(array.type)
    if task is not None or not number or distinct > FEW_NUMBERS:
        return TaskGuess(task=chosen[0], reason=chosen[1])
    if distinct == 2:
        usual = {float(v) for v in array.unique().to_pylist()} in ({0.0, 1.0}, {-1.0, 1.0})
        return TaskGuess(task=chosen[0], reason=chosen[1], certain=usual, others=["regression"])
    return TaskGuess(task=chosen[0], reason=chosen[1], certain=False, others=["multiclass"])


def _asked(name: str, array: pa.Array, task: Task, distinct: int) -> tuple[Task, str]:
    if task == "regression" and not _numeric(array) and as_numbers(array)[1]:
        raise TargetUnusable(f"{name} holds words, so it cannot be predicted as a number. Ask for classes, or choose another column.")
    if task == "binary" and distinct != 2:
        raise TargetUnusable(f"{name} has {distinct} different values, not two. Ask for several classes or for a number.")
    if task == "multiclass" and distinct > MOST_CLASSES:
        raise TargetUnusable(f"{name} has {distinct} different values, too many to tell apart (at most {MOST_CLASSES}). Choose a column with fewer values.")
    if task == "multiclass" and distinct == 2:
        return "binary", f"{name} has two different values, so the model says which of the two."
    kind = {"binary": "one of two classes", "multiclass": "one of several classes", "regression": "a number"}[task]
    return task, f"You asked to predict {name} as {kind}."


def _ordered(array: pa.Array, task: Task) -> list[Any]:
    """Classes in the order of their codes: sorted (numbers inside texts by size); of two the positive one last."""
    kind = array.type
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        array = array.cast(pa.float64())
    elif not (pa.types.is_boolean(kind) or pa.types.is_integer(kind)):
        array = array.cast(pa.string())
    counts = {item["values"]: item["counts"] for item in pc.value_counts(array).to_pylist()}
    labels = sorted(counts, key=natural) if isinstance(next(iter(counts)), str) else sorted(counts)
    if task == "binary":
        pair = list(labels)
        labels.sort(key=lambda v: _positive_rank(v, pair, counts))
    return labels


def _positive_rank(label: Any, labels: list[Any], counts: dict[Any, int]) -> int:
    """0 for the negative class and 1 for the positive: a word like yes or no decides, else the rarer one is positive."""
    other = labels[1] if label == labels[0] else labels[0]
    mine, theirs = label_text(label).strip().lower(), label_text(other).strip().lower()
    if (mine, theirs) in POSITIVE_PAIRS or (theirs, mine) in POSITIVE_PAIRS:
        return int(mine == "1")
    if (mine in POSITIVE_WORDS) != (theirs in POSITIVE_WORDS):
        return int(mine in POSITIVE_WORDS)
    if (mine in NEGATIVE_WORDS) != (theirs in NEGATIVE_WORDS):
        return int(theirs in NEGATIVE_WORDS)
    if counts[label] != counts[other]:
        return int(counts[label] < counts[other])
    return int(labels.index(label) == 1)
