"""Whether what a model is asked now still looks like what it learned from.

A reference keeps, for each column and for the answers, how the training data is spread over a few bins. Later rows are
counted into the same bins, counts add up over any stretch of time, and the Jensen-Shannon distance (Lin 1991; its
square root with base 2, from 0 for the same to 1 for nothing in common) tells how far they are apart. Chance alone
keeps two samples apart; for ``n`` rows in ``k`` bins about ``sqrt((k - 1) / (8 n ln 2))``, which is allowed for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

BINS = 10
CATEGORIES = 20
FEWEST_ROWS = 100
WATCH, ALERT = 0.1, 0.2
IMPORTANT_SHARE = 0.1
ANSWER = "prediction"
Counts = dict[str, list[int]]


@dataclass(frozen=True)
class Reference:
    """How the training data is spread.

    Attributes
    ----------
    columns : dict
        By name: ``edges`` (numbers, ascending, between bins) or ``values`` (texts), ``shares`` (one for each bin, then
        "another value" for texts, then "missing"), ``weight`` (importance, 0 or more).
    answer : dict
        The same for what the model answers: the probability of the positive class, the class, or the amount.
    rows : int
        How many rows it was made of.
    """

    columns: dict[str, dict[str, Any]]
    answer: dict[str, Any]
    rows: int

    def as_json(self) -> dict[str, Any]:
        return {"columns": self.columns, "answer": self.answer, "rows": self.rows}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Reference:
        return cls(dict(given["columns"]), dict(given["answer"]), int(given["rows"]))


@dataclass(frozen=True)
class Drift:
    """How far one column, or the answers, moved."""

    name: str
    distance: float
    level: str
    weight: float


def make_reference(table: Any, names: Sequence[str], answers: Sequence[Any], weights: Mapping[str, float]) -> Reference:
    """The reference of a pyarrow table of training rows and the model's answers for them."""
    rows = table.num_rows
    columns = {}
    for name in names:
        spread = _spread(table.column(name).to_pylist())
        columns[name] = {**spread, "weight": max(0.0, float(weights.get(name, 0.0)))}
    return Reference(columns, _spread(list(answers)), rows)


def _spread(values: list[Any]) -> dict[str, Any]:
    known = [value for value in (_number(each) for each in values) if value is not None]
    texts = [each for each in values if each is not None]
    if texts and len(known) >= 0.95 * len(texts) and not all(isinstance(each, bool) for each in texts):
        bins: dict[str, Any] = {"edges": _edges(known)}
    else:
        counted: dict[str, int] = {}
        for each in texts:
            counted[_text(each)] = counted.get(_text(each), 0) + 1
        bins = {"values": sorted(sorted(counted), key=lambda text: -counted[text])[:CATEGORIES]}
    found = count_one(bins, values)
    total = max(1, sum(found))
    return {**bins, "shares": [each / total for each in found]}


def _edges(known: list[float]) -> list[float]:
    ordered = sorted(known)
    cuts = [ordered[min(len(ordered) - 1, len(ordered) * step // BINS)] for step in range(1, BINS)]
    return sorted(set(cuts))


def count_one(bins: Mapping[str, Any], values: Sequence[Any]) -> list[int]:
    """Values into the bins of one column: what lies between the edges or equals a known text, another text, missing.

    Numbers may come as a NumPy array, NaN for missing.
    """
    from bisect import bisect_right

    if "edges" in bins:
        edges = bins["edges"]
        if hasattr(values, "dtype"):
            return _count_floats(edges, values)
        counts = [0] * (len(edges) + 2)
        for each in values:
            number = _number(each)
            counts[-1 if number is None else bisect_right(edges, number)] += 1
        return counts
    places = {text: place for place, text in enumerate(bins["values"])}
    counts = [0] * (len(places) + 2)
    for each in values:
        counts[-1 if each is None else places.get(_text(each), len(places))] += 1
    return counts


def _count_floats(edges: Sequence[float], values: Any) -> list[int]:
    """The same for an array of numbers, at once."""
    import numpy as np

    numbers = np.asarray(values, dtype=np.float64)
    known = np.isfinite(numbers)
    counts = np.bincount(np.searchsorted(np.asarray(edges, dtype=np.float64), numbers[known], side="right"), minlength=len(edges) + 2)
    counts[-1] += int((~known).sum())
    return [int(each) for each in counts]


def count(reference: Reference, columns: Mapping[str, Sequence[Any]], answers: Sequence[Any]) -> Counts:
    """Rows into the bins of a reference; a column that is not there counts as missing in all of them."""
    rows = len(answers)
    counts = {name: count_one(bins, columns[name] if name in columns else [None] * rows) for name, bins in reference.columns.items()}
    return counts | {f"\0{ANSWER}": count_one(reference.answer, answers)}


def add(total: Counts, more: Mapping[str, Sequence[int]]) -> None:
    """Add counts to counts; of another reference they are left out."""
    for name, counts in more.items():
        known = total.setdefault(name, [0] * len(counts))
        if len(known) == len(counts):
            total[name] = [a + b for a, b in zip(known, counts, strict=True)]


def drifts(reference: Reference, counts: Counts) -> tuple[Drift, list[Drift]]:
    """How far the answers and each column moved, the weightiest move first."""
    answer = _drift(ANSWER, reference.answer, counts.get(f"\0{ANSWER}"), 1.0)
    columns = [_drift(name, bins, counts.get(name), float(bins.get("weight", 0.0))) for name, bins in reference.columns.items()]
    return answer, sorted(columns, key=lambda each: (-each.weight * each.distance, -each.distance, each.name))


def overall(columns: Sequence[Drift]) -> float:
    """The distances of the columns as one number, weighted by how much the model relies on them."""
    weight = sum(each.weight for each in columns)
    if weight <= 0:
        return sum(each.distance for each in columns) / max(1, len(columns))
    return sum(each.weight * each.distance for each in columns) / weight


def verdict(answer: Drift, columns: Sequence[Drift]) -> tuple[str | None, list[str]]:
    """The code of what should be looked at, and the columns that it is about.

    One column that moves is seldom worth an alarm; that the answers move is, and so is that at least two columns move that
    the model relies on.
    """
    heaviest = max((each.weight for each in columns), default=0.0)
    moved = [each.name for each in columns if each.level == "alert" and each.weight >= IMPORTANT_SHARE * heaviest]
    if answer.level == "alert":
        return "prediction_drift", moved
    return ("input_drift", moved) if len(moved) >= 2 else (None, moved)


def _drift(name: str, bins: Mapping[str, Any], counts: Sequence[int] | None, weight: float) -> Drift:
    shares, total = bins["shares"], sum(counts or ())
    if not counts or len(counts) != len(shares) or total == 0:
        return Drift(name, 0.0, "unknown", weight)
    distance = jensen_shannon(shares, [each / total for each in counts])
    chance = math.sqrt(max(1, len(shares) - 1) / (8 * total * math.log(2)))
    if total < FEWEST_ROWS:
        return Drift(name, distance, "unknown", weight)
    return Drift(name, distance, "alert" if distance > ALERT + chance else "watch" if distance > WATCH + chance else "calm", weight)


def jensen_shannon(p: Sequence[float], q: Sequence[float]) -> float:
    """The Jensen-Shannon distance of two distributions over the same bins, from 0 to 1."""
    total = 0.0
    for a, b in zip(p, q, strict=True):
        middle = (a + b) / 2
        total += sum(each * math.log2(each / middle) for each in (a, b) if each > 0) / 2
    return math.sqrt(min(1.0, max(0.0, total)))


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, date):
        return _since_epoch(value)
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return _moment(value)
        return number if math.isfinite(number) else None
    return value.total_seconds() if isinstance(value, timedelta) else None


def _moment(text: str) -> float | None:
    """A date that came as text, as JSON has it."""
    if len(text) < 8 or not text[:4].isdigit():
        return None
    try:
        return _since_epoch(datetime.fromisoformat(text))
    except ValueError:
        return None


def _since_epoch(moment: date) -> float:
    """Seconds by the clock on the wall: a moment's zone is left out, as the learners do."""
    whole = moment.replace(tzinfo=None) if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)
    return (whole - datetime(1970, 1, 1)).total_seconds()


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)
