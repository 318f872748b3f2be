"""How two versions of a table differ: columns, rows, gaps and distributions, from their profiles alone."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from dapp_ext.schema.datasets import ColumnProfile, Histogram, Profile
from dapp_ext.schema.versions import ColumnComparison, Distribution

_MOST_LABELS = 12
_OTHERS = "(all others)"
# Beyond this shift a person would call a distribution another one.
_NOTICED = 0.05


def compare(before: Profile, after: Profile) -> tuple[list[ColumnComparison], list[str]]:
    """Columns that differ first, and what changed in sentences.

    Returns
    -------
    tuple
        One comparison for each column of either version, and sentences on the table as a whole.
    """
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    compared = [compare_column(old.get(name), new.get(name), before.rows, after.rows) for name in dict.fromkeys([*old, *new])]
    compared.sort(key=rank)
    return compared, sentences(before.rows, after.rows, [(each.change, each.name) for each in compared])


def rank(column: ColumnComparison) -> tuple[int, float]:
    """What columns are ordered by: those that differ most come first."""
    return ("removed", "added", "changed", "same").index(column.change), -(column.shift or 0.0)


def sentences(rows_before: int, rows_after: int, columns: Sequence[tuple[str, str]]) -> list[str]:
    """What changed in the table as a whole, by what became of each column: the change, and its name."""
    found: list[str] = []
    if rows_before != rows_after:
        difference = rows_after - rows_before
        found.append(
            f"{abs(difference):,} {'row' if abs(difference) == 1 else 'rows'} {'more' if difference > 0 else 'fewer'}: {rows_before:,} before, {rows_after:,} after."
        )
    for change, words in (("added", "added"), ("removed", "removed"), ("changed", "changed")):
        names = [name for became, name in columns if became == change]
        if names:
            listed = ", ".join(f'"{name[:60]}"' for name in names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
            found.append(f"{len(names):,} {'column' if len(names) == 1 else 'columns'} {words}: {listed}.")
    return found or ["Both versions have the same columns, the same number of rows and the same distributions."]


def compare_column(before: ColumnProfile | None, after: ColumnProfile | None, rows_before: int, rows_after: int) -> ColumnComparison:
    """One column of either version or both."""
    if before is None or after is None:
        there = before or after
        assert there is not None
        return ColumnComparison(
            name=there.name,
            change="removed" if after is None else "added",
            kind_before=before.kind if before else None,
            kind_after=after.kind if after else None,
            before=before,
            after=after,
        )
    sentences: list[str] = []
    if before.kind != after.kind:
        sentences.append(f"The kind of its values changed from {before.kind} to {after.kind}.")
    if before.missing != after.missing:
        sentences.append(f"{_share(before.missing, rows_before)} missing before, {_share(after.missing, rows_after)} after.")
    if before.distinct != after.distinct and before.distinct_exact and after.distinct_exact:
        sentences.append(f"{before.distinct:,} different values before, {after.distinct:,} after.")
    distribution = _distribution(before, after)
    shift = None if distribution is None else _shift(distribution.before, distribution.after)
    if shift is not None and shift >= _NOTICED:
        sentences.append(f"The distribution moved: {shift:.0%} of the rows would have to have another value to make both alike.")
    extremes = before.kind == after.kind and (before.minimum, before.maximum) != (after.minimum, after.maximum)
    if extremes:
        sentences.append(f"The values reach from {before.minimum} to {before.maximum} before, from {after.minimum} to {after.maximum} after.")
    return ColumnComparison(
        name=before.name,
        change="changed" if sentences else "same",
        kind_before=before.kind,
        kind_after=after.kind,
        before=before,
        after=after,
        shift=shift,
        distribution=distribution,
        sentences=sentences,
    )


def _share(count: int, rows: int) -> str:
    return f"{count:,} ({count / rows:.1%})" if rows else f"{count:,}"


def _shift(before: Sequence[int], after: Sequence[int]) -> float | None:
    """The total variation distance of two counted distributions."""
    all_before, all_after = sum(before), sum(after)
    if not all_before or not all_after:
        return None
    return round(sum(abs(one / all_before - other / all_after) for one, other in zip(before, after, strict=True)) / 2, 6)


def _distribution(before: ColumnProfile, after: ColumnProfile) -> Distribution | None:
    if before.histogram is not None and after.histogram is not None and _same_scale(before.histogram, after.histogram):
        return _binned(before.histogram, after.histogram)
    if before.top and after.top:
        return _labelled(before, after)
    return None


def _labelled(before: ColumnProfile, after: ColumnProfile) -> Distribution | None:
    """The most frequent values of either version, and all others in one."""
    old = {each.value: each.count for each in before.top}
    new = {each.value: each.count for each in after.top}
    if not (_all_listed(before) and _all_listed(after)) and not set(old) & set(new):
        return None
    labels = sorted({*old, *new}, key=lambda value: -(old.get(value, 0) + new.get(value, 0)))[:_MOST_LABELS]
    counts = [[found.get(label, 0) for label in labels] for found in (old, new)]
    rests = [max(0, sum(found.values()) - sum(listed)) for found, listed in zip((old, new), counts, strict=True)]
    if any(rests):
        return Distribution(binned=False, labels=[*labels, _OTHERS], before=[*counts[0], rests[0]], after=[*counts[1], rests[1]])
    return Distribution(binned=False, labels=list(labels), before=counts[0], after=counts[1])


def _all_listed(column: ColumnProfile) -> bool:
    return column.distinct_exact and column.distinct <= len(column.top)


def _same_scale(one: Histogram, other: Histogram) -> bool:
    return bool(one.edges) and bool(other.edges) and isinstance(one.edges[0], str) == isinstance(other.edges[0], str)


def _binned(before: Histogram, after: Histogram) -> Distribution:
    """Both histograms over common edges; within a bin, values are taken to be spread evenly."""
    if before.edges == after.edges:
        return Distribution(binned=True, labels=list(before.edges), before=list(before.counts), after=list(after.counts))
    dated = isinstance(before.edges[0], str)
    old, new = [_number(edge) for edge in before.edges], [_number(edge) for edge in after.edges]
    low, high = min(old[0], new[0]), max(old[-1], new[-1])
    bins = max(len(before.counts), len(after.counts))
    edges = [low + (high - low) * place / bins for place in range(bins)] + [high]
    labels: list[float | str] = [datetime.fromtimestamp(edge, UTC).replace(tzinfo=None).isoformat() for edge in edges] if dated else list(edges)
    return Distribution(binned=True, labels=labels, before=_moved(old, before.counts, edges), after=_moved(new, after.counts, edges))


def _number(edge: Any) -> float:
    if isinstance(edge, str):
        moment = datetime.fromisoformat(edge)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(edge)


def _moved(edges: Sequence[float], counts: Sequence[int], onto: Sequence[float]) -> list[int]:
    """Counts between other edges; their sum stays what it was."""
    running = [0.0]
    for count in counts:
        running.append(running[-1] + count)

    def below(value: float) -> float:
        place = bisect_right(edges, value) - 1
        if place < 0:
            return 0.0
        if place >= len(counts):
            return running[-1]
        width = edges[place + 1] - edges[place]
        return running[place] + counts[place] * ((value - edges[place]) / width if width else 1.0)

    marks = [round(below(edge)) for edge in onto]
    marks[0], marks[-1] = 0, round(running[-1])
    return [later - earlier for earlier, later in itertools.pairwise(marks)]
