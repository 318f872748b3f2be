"""What a person should know about a table, in plain sentences with the rows that show it.

Each kind of finding has a stable code. Where many columns show the same, they share one finding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dapp_ext.domain.findings import is_identifier_name, names_things, ordered
from dapp_ext.domain.profiling.calendar import find_gaps
from dapp_ext.domain.profiling.numbers import NumberColumn
from dapp_ext.domain.profiling.texts import LONG_TEXT, TextColumn
from dapp_ext.schema.datasets import Column, ColumnProfile, Finding, Severity

CODES = {
    "likely_target": "there may be something to predict",
    "totals_row": "the last row holds totals",
    "duplicate_rows": "rows are repeated",
    "missing_values": "values are missing",
    "empty_column": "there are no values at all",
    "constant_column": "there is a single value, constant",
    "identifier_like": "every value is unique, as in an identifier",
    "disguised_missing": "some values may stand for missing ones",
    "mixed_types": "numbers and other texts are mixed",
    "mixed_dates": "dates and other texts are mixed",
    "numbers_as_text": "numbers are written with signs or units",
    "outliers": "some values lie far from the rest",
    "infinite_values": "some values are infinite",
    "skewed": "values are very uneven",
    "mostly_one_value": "nearly all values are the same",
    "date_gaps": "dates have gaps",
    "compact_dates": "whole numbers look like dates",
    "spelling_variants": "the same is spelled in several ways",
    "high_cardinality": "there are very many different texts",
    "long_text": "there are very long texts",
}
"""The stable codes of findings on values, and what is said of many columns at once; the codes of reading are :data:`~dapp_ext.domain.reading.plans.READ_CODES`."""
_SENTINELS = {sign * int(digits) for digits in ("99", "999", "9999", "99999", "999999", "9999999") for sign in (1, -1)} | {-1, -9}
_MOSTLY, _NEARLY_ALL = 0.5, 0.99
_FEW_OUTLIERS = 5
_FEW_LEVELS, _LEVELS = 2, frozenset({"none", "x", "xx", "xxx", "na", "-", "."})
_FIRST_DAY, _LAST_DAY = 19_000_101, 20_991_231


@dataclass(frozen=True)
class Seen:
    """A column, its evidence, its profile, and the row numbers of the sample."""

    column: Column
    evidence: NumberColumn | TextColumn
    profile: ColumnProfile
    sampled: npt.NDArray[np.int64]

    @property
    def quoted(self) -> str:
        """The name in quotes, cut where it is very long."""
        name = self.column.name
        return f'"{name}"' if len(name) <= 80 else f'"{name[:80]}…"'

    @cached_property
    def is_identifier(self) -> bool:
        """Whether the column numbers or names the rows: whole numbers or short texts without blanks, all different."""
        return _looks_like_identifier(self)


def find(columns: Sequence[Seen], rows: int) -> list[Finding]:
    """Findings on single columns, in the order of their codes."""
    if rows == 0:
        return []
    return ordered((finding for seen in columns for finding in _of_column(seen, rows)), CODES)


def _of_column(seen: Seen, rows: int) -> Iterator[Finding]:
    evidence = seen.evidence
    if evidence.missing == rows:
        yield _finding("empty_column", "warning", f"{seen.quoted} has no values at all.", seen, rows=evidence.missing_rows)
        return
    yield from _missing(seen, rows)
    if seen.profile.distinct == 1 and rows > 1:
        yield _constant(seen)
        return
    if isinstance(evidence, NumberColumn):
        yield from _numbers(seen, evidence)
    else:
        yield from _texts(seen, evidence)
    if seen.is_identifier:
        sentence = f"{seen.quoted} looks like an identifier: every value is unique. It is not used to learn from."
        yield _finding("identifier_like", "info", sentence, seen, rows=evidence.present_rows)


def _constant(seen: Seen) -> Finding:
    """A single value; beside gaps it tells at least where it stands."""
    sentence = f"{seen.quoted} is constant: it has a single value and tells nothing."
    if seen.evidence.missing:
        sentence = f"{seen.quoted} is constant where it is not missing: it has a single value, so only whether it is there can tell anything."
    return _finding("constant_column", "info" if seen.evidence.missing else "warning", sentence, seen, rows=seen.evidence.present_rows)


def duplicates(count: int, rows: list[int], total: int, columns: int) -> list[Finding]:
    """The finding on rows that repeat an earlier row; values of a single column may be equal."""
    if not count or columns < 2:
        return []
    verb = "row repeats" if count == 1 else "rows repeat"
    severity: Severity = "warning" if count > 0.01 * total else "info"
    sentence = f"{count:,} {verb} an earlier row exactly (duplicate rows). Keep them where each stands for something that happened once more."
    return [Finding(code="duplicate_rows", severity=severity, sentence=sentence, rows=rows, count=count)]


def _missing(seen: Seen, rows: int) -> Iterator[Finding]:
    missing = seen.evidence.missing
    if missing:
        share = missing / rows
        severity: Severity = "warning" if share >= 0.2 else "info"
        cells = "1 value" if missing == 1 else f"{missing:,} values"
        yield _finding(
            "missing_values", severity, f"{cells} missing in {seen.quoted} ({_percent(share)}).", seen, rows=seen.evidence.missing_rows, count=missing
        )


def _numbers(seen: Seen, evidence: NumberColumn) -> Iterator[Finding]:
    if evidence.infinite:
        sentence = f"{seen.quoted} holds {evidence.infinite:,} infinite values (infinity), which are left out of mean, spread and histogram."
        yield _finding("infinite_values", "warning", sentence, seen, rows=evidence.infinite_rows, count=evidence.infinite)
    if pa.types.is_date(evidence.type) or pa.types.is_timestamp(evidence.type):
        yield from _gaps(seen, evidence)
    if not evidence.is_number or seen.column.kind == "boolean":
        yield from _mostly(seen, _NEARLY_ALL)
        return
    yield from _compact_dates(seen, evidence)
    yield from _sentinels(seen, evidence)
    few = evidence.tally.distinct <= 10 or seen.is_identifier
    skewness = 0.0 if few else _skewness(evidence.sorted_sample())
    if mostly := list(_mostly(seen, _MOSTLY if abs(skewness) > 3 else _NEARLY_ALL)):
        yield from mostly
        return
    if few:
        return
    yield from _outliers(seen, evidence)
    if abs(skewness) > 3:
        side = "large" if skewness > 0 else "small"
        sentence = f"{seen.quoted} is very uneven: a few {side} values stand far from the rest (skewness {skewness:.1f})."
        yield _finding("skewed", "info", sentence, seen, rows=evidence.farthest(seen.sampled, large=skewness > 0))


def _mostly(seen: Seen, share: float) -> Iterator[Finding]:
    """One value in so many of the rows that only the few others tell them apart."""
    values, top = seen.evidence.values, seen.profile.top
    if values >= 20 and seen.profile.distinct_exact and top and share * values <= top[0].count < values:
        sentence = f'{_percent(top[0].count / values)} of the values in {seen.quoted} are "{top[0].value[:80]}"; only the others tell rows apart.'
        yield _finding("mostly_one_value", "info", sentence, seen, rows=seen.evidence.present_rows, count=top[0].count)


def _gaps(seen: Seen, evidence: NumberColumn) -> Iterator[Finding]:
    """Steps that a regular series of dates leaves out; the rows are those right after."""
    if not evidence.tally.exact:
        return
    moments = np.sort(np.array(list(evidence.tally.counts), dtype=np.int64)) * (86_400_000_000 if pa.types.is_date(evidence.type) else 1)
    gaps = find_gaps(moments)
    if gaps is not None:
        after = gaps.after // 86_400_000_000 if pa.types.is_date(evidence.type) else gaps.after
        sentence = f"{seen.quoted} has one {gaps.step} after the other, but {gaps.missing:,} {'is' if gaps.missing == 1 else 'are'} left out."
        yield _finding("date_gaps", "info", sentence, seen, rows=evidence.rows_of(after, seen.sampled), count=gaps.missing)


def _compact_dates(seen: Seen, evidence: NumberColumn) -> Iterator[Finding]:
    """Whole numbers such as 20240131, all of them days of the calendar between 1900 and 2099."""
    if not pa.types.is_integer(evidence.type) or not evidence.tally.exact or evidence.minimum is None:
        return
    if not (evidence.minimum >= _FIRST_DAY and evidence.maximum <= _LAST_DAY) or evidence.tally.distinct < 2 or not all(map(_is_day, evidence.tally.counts)):
        return
    sentence = f"{seen.quoted} holds whole numbers that all look like dates written as 20240131; they were kept as numbers."
    yield _finding("compact_dates", "info", sentence, seen, rows=evidence.present_rows, count=evidence.values)


def _is_day(value: object) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def suggested(name: str | None, reason: str | None, columns: Sequence[Seen]) -> list[Finding]:
    """The finding on what may be predicted."""
    seen = next((seen for seen in columns if seen.column.name == name), None)
    if seen is None or not reason:
        return []
    return [_finding("likely_target", "info", f"{seen.quoted} may be what you want to predict: {reason}.", seen, rows=seen.evidence.present_rows)]


def _sentinels(seen: Seen, evidence: NumberColumn) -> Iterator[Finding]:
    """A number made of nines, or -1, far outside all others and more than once: probably "not known"."""
    for extreme in (evidence.highest, evidence.lowest):
        if extreme is None:
            continue
        value = extreme[0]
        count = evidence.tally.counts.get(value, 0)  # 99 and 99.0 are the same key
        if value in _SENTINELS and count >= 2 and _far_out(value, evidence):
            rows = evidence.rows_outside(value + 0.5, np.inf, seen.sampled) if value < 0 else evidence.rows_outside(-np.inf, value - 0.5, seen.sampled)
            sentence = f"{value:,.0f} in {seen.quoted} ({count:,} times) lies far outside the other values; it may stand for a missing value."
            yield _finding("disguised_missing", "warning", sentence, seen, rows=rows, count=count)


def _far_out(value: float, evidence: NumberColumn) -> bool:
    counted = (float(str(other)) for other in evidence.tally.counts)
    others = [other for other in counted if other != value and np.isfinite(other)]
    if len(others) < 2:
        return False
    low, high = min(others), max(others)
    if value < 0 <= low:
        # The only negative number; a -1 beside 0 and 1 may be a level of its own.
        return evidence.tally.exact and high > 1
    return value > 2 * max(high, 1) if value > high else value < low - max(high - low, 10)


def _outliers(seen: Seen, evidence: NumberColumn) -> Iterator[Finding]:
    """Values more than three interquartile ranges outside the middle half (Tukey's outer fences, 1977); more than a few are a long tail."""
    if len(evidence.sorted_sample()) < 20:
        return
    low, high = evidence.quantile(0.25), evidence.quantile(0.75)
    reach = 3 * (high - low)
    if not np.isfinite(reach) or reach <= 0:
        return
    count = evidence.beyond(low - reach, high + reach)
    if not count or count > max(_FEW_OUTLIERS, 0.01 * evidence.values):
        return
    low, high = low - reach, high + reach
    below = f"below {low:,.6g}" if evidence.lowest and evidence.lowest[0] < low else ""
    above = f"above {high:,.6g}" if evidence.highest and evidence.highest[0] > high else ""
    where = " or ".join(filter(None, (below, above)))
    sentence = f"{count:,} {'value' if count == 1 else 'values'} in {seen.quoted} {'lies' if count == 1 else 'lie'} far from the rest ({where})."
    yield _finding("outliers", "info", sentence, seen, rows=evidence.rows_outside(low, high, seen.sampled), count=count)


def _skewness(values: npt.NDArray[np.float64]) -> float:
    if len(values) < 20:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        spread = values - values.mean()
        squares = spread * spread  # a power would take ten times as long
        found = (squares * spread).mean() / squares.mean() ** 1.5
    return float(found) if np.isfinite(found) else 0.0


def _texts(seen: Seen, evidence: TextColumn) -> Iterator[Finding]:
    yield from _unfit(seen, evidence)
    yield from _mostly(seen, _NEARLY_ALL)
    if not seen.is_identifier:
        yield from _spellings(seen, evidence)
    if evidence.longest > LONG_TEXT:
        sentence = f"{seen.quoted} has a very long text ({evidence.longest:,} characters); where it is shown it is cut."
        yield _finding("long_text", "info", sentence, seen, rows=evidence.long_rows)
    yield from _stand_ins(seen, evidence)
    distinct = seen.profile.distinct
    if distinct > max(50, 0.3 * evidence.values) and not (
        seen.is_identifier or evidence.numbers_with_units or evidence.mostly_numbers or evidence.mostly_dates
    ):
        count = f"{'' if seen.profile.distinct_exact else 'about '}{distinct:,}"
        sentence = f"{seen.quoted} has {count} different texts, so each says little on its own."
        if names_things(seen.column.name):
            sentence = f"{seen.quoted} names {count} different things that have one row or a few each, such as orders or people, so it says little as a value."
        yield _finding("high_cardinality", "info", sentence, seen, rows=evidence.present_rows, count=distinct)


def _unfit(seen: Seen, evidence: TextColumn) -> Iterator[Finding]:
    """Texts that are nearly all of another kind."""
    odd = evidence.values - evidence.numeric
    if evidence.numbers_with_units:
        sentence = f"{seen.quoted} holds numbers with signs or units, such as $, % or kg, and was kept as text. Remove them to calculate with it."
        yield _finding("numbers_as_text", "info", sentence, seen, rows=evidence.decorated_rows, count=evidence.decorated)
    elif evidence.mostly_numbers and odd:
        sentence = f"{seen.quoted} is mixed: {evidence.numeric:,} values are numbers and {odd:,} are not, so all were kept as text."
        yield _finding("mixed_types", "warning", sentence, seen, rows=evidence.odd_rows, count=odd)
    elif evidence.mostly_dates:
        odd = evidence.values - evidence.dated
        sentence = f"{seen.quoted} is mixed: {evidence.dated:,} values are dates and {odd:,} {'is' if odd == 1 else 'are'} not, so all were kept as text."
        yield _finding("mixed_dates", "warning", sentence, seen, rows=evidence.undated_rows, count=odd)


def _stand_ins(seen: Seen, evidence: TextColumn) -> Iterator[Finding]:
    """Texts such as unknown or none among others; beside one or two other values they are a level of their own."""
    if not evidence.stand_ins or evidence.mostly_numbers:
        return
    count = sum(evidence.stand_ins.values())
    others = seen.profile.distinct - len(evidence.stand_ins)
    a_level = others <= _FEW_LEVELS and _LEVELS.issuperset(text.strip().lower() for text in evidence.stand_ins)
    if count < 0.3 * evidence.values and not a_level:
        listed = ", ".join(f'"{text}"' for text in sorted(evidence.stand_ins, key=lambda text: -evidence.stand_ins[text])[:3])
        sentence = f"{listed} in {seen.quoted} ({count:,} times) may stand for a missing value."
        yield _finding("disguised_missing", "info", sentence, seen, rows=evidence.stand_in_rows, count=count)


def _spellings(seen: Seen, evidence: TextColumn) -> Iterator[Finding]:
    """Texts that differ only in capitals or blanks, where texts repeat and so mean a group."""
    groups = evidence.variants.found(evidence.tally)
    if not groups or evidence.tally.distinct > 0.5 * evidence.values:
        return
    count = sum(evidence.tally.counts.get(text, 0) for _, rare in groups for text in rare)
    shown = "; ".join(" / ".join(f'"{text[:40]}"' for text in [usual, *rare][:4]) for usual, rare in groups[:3])
    more = f" and {len(groups) - 3:,} more" if len(groups) > 3 else ""
    sentence = f"{seen.quoted} spells the same in several ways: {shown}{more}. They count as different."
    yield _finding("spelling_variants", "warning", sentence, seen, rows=sorted(evidence.variants.rows), count=count)


def _looks_like_identifier(seen: Seen) -> bool:
    evidence, profile = seen.evidence, seen.profile
    if evidence.values < 20 or seen.column.kind not in ("integer", "text", "category"):
        return False
    close = 1.0 if profile.distinct_exact else 0.97
    if profile.distinct < close * evidence.values:
        return False
    if isinstance(evidence, TextColumn):
        if evidence.mostly_numbers or evidence.numbers_with_units:
            return False
        return evidence.spaced <= 0.05 * evidence.values and evidence.characters <= 64 * evidence.values
    if is_identifier_name(seen.column.name):
        return True
    if float(evidence.minimum) < 0:
        return False
    spread = float(evidence.maximum) - float(evidence.minimum) + 1
    # A run without gaps, or numbers drawn from so wide a range that no measurement would spread like that.
    return evidence.values >= 50 and (spread <= 1.05 * evidence.values or _evenly_spread(evidence))


def _evenly_spread(evidence: NumberColumn) -> bool:
    values = evidence.sorted_sample()
    if len(values) < 50 or values[-1] - values[0] < 100 * len(values):
        return False
    expected = np.linspace(values[0], values[-1], len(values))
    return float(np.abs(values - expected).max()) < 0.1 * float(values[-1] - values[0])


def _finding(code: str, severity: Severity, sentence: str, seen: Seen, *, rows: Sequence[int] = (), count: int | None = None) -> Finding:
    return Finding(code=code, severity=severity, sentence=sentence, columns=[seen.column.name], rows=list(rows), count=count)


def _percent(share: float) -> str:
    if 0.995 <= share < 1:
        return f"{math.floor(share * 10_000) / 100:g}%"
    return f"{share:.0%}" if share >= 0.01 else f"{share:.2%}" if share >= 0.0001 else "less than 0.01%"
