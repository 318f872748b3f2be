"""Which column someone probably wants to predict."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from dapp_ext.schema.datasets import ColumnProfile

_SURE = {"target", "label", "class", "outcome", "y", "response"}
_HINTS = {"target", "label", "outcome", "response"}
_LIKELY = {
    "churn", "churned", "survived", "survival", "dead", "died", "death", "default", "defaulted", "fraud", "income", "salary", "wage", "price", "cost",
    "species", "diagnosis", "result", "converted", "conversion", "clicked", "purchased", "bought", "subscribed", "attrition", "approved", "quality",
    "rating", "score", "grade", "sales", "revenue", "demand", "count", "delay", "sold", "cancelled", "canceled", "returned", "spam", "sentiment", "employed",
    "births", "amount", "rate",
}  # fmt: skip
# What somebody wrote down beside the facts.
_ASIDE = {"comment", "comments", "note", "notes", "remark", "remarks", "feedback", "description"}
_LADDER = 4.0
_GAPS = 0.25
_MOSTLY_MISSING = 2
_WORDS = re.compile(r"[a-z]+|[0-9]+")
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def likely_target(columns: Sequence[ColumnProfile], identifiers: Set[str]) -> tuple[str | None, str | None]:
    """The column that someone probably wants to predict, and why.

    Columns that cannot be learned (identifiers, constants, dates, free text, mostly missing) are left out. A telling
    name counts most, then being the last column or having two values.

    Parameters
    ----------
    columns : sequence of ColumnProfile
        All columns in their order.
    identifiers : set of str
        Names of columns that look like identifiers.
    """
    if len(columns) < 2:  # there would be nothing to predict from
        return None, None
    names = {column.name.strip().lower() for column in columns}
    # Beside an x and something else, y is a length or a place.
    sure = _SURE - {"y"} if len(columns) > 2 and "x" in names else _SURE
    # Where there is a sub_grade, the grade is a step of the same ladder, and less likely what follows from the rest.
    finer = [words[1:] for column in columns if (words := _words(column.name))[:1] == ["sub"]]
    best: tuple[float, str, str] | None = None
    for place, column in enumerate(columns):
        if column.name in identifiers or not _learnable(column):
            continue
        score, reason = _score(column, place, len(columns), sure)
        if _words(column.name) in finer or _words(column.name)[:1] == ["sub"]:
            score -= _LADDER
        if score > 0 and (best is None or score > best[0]):
            best = (score, column.name, reason)
    return (best[1], best[2]) if best else (None, None)


def _words(name: str) -> list[str]:
    return _WORDS.findall(_CASE.sub(" ", name).lower())


def _values(column: ColumnProfile) -> int:
    return sum(count for count in (column.histogram.counts if column.histogram else [])) or sum(entry.count for entry in column.top)


def _learnable(column: ColumnProfile) -> bool:
    values = _values(column)
    if column.distinct < 2 or not values or column.missing > _MOSTLY_MISSING * values:
        return False
    return column.kind in ("integer", "decimal", "boolean", "category") and not _ASIDE & set(_words(column.name))


def _score(column: ColumnProfile, place: int, total: int, sure: Set[str]) -> tuple[float, str]:
    words = _words(column.name)
    last = place == total - 1
    binary = column.distinct == 2 and column.kind in ("boolean", "category")
    # Of two that are alike the later one wins: outcomes are written down last.
    ends = (2.0 if last else 0.5 if place == 0 else 0.0) + (1.0 if binary else 0.0) + 0.1 * place / total
    if (len(words) == 1 and words[0] in sure) or _HINTS & set(words):
        return 10 + ends, f'its name says so ("{column.name[:80]}")'
    if len(words) == 1 and words[0] in _LIKELY:
        return 7 + ends, "its name is one that outcomes often have"
    if words and len(words) <= 3 and words[-1] in _LIKELY:
        return 4 + ends, "its name ends like those of many outcomes"
    if last and column.missing > _GAPS * (column.missing + _values(column)):
        return 0.0, ""
    if last:
        return ends, "it is the last column, where the outcome often stands"
    if column.kind == "boolean":
        return 0.5 + ends, "it is answered by yes or no"
    return 0.0, ""
