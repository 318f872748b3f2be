"""Columns whose kind somebody chose: what is of that kind is taken, the rest becomes missing and is counted.

Somebody who chooses means it, so more is taken than when guessing: ``007`` is 7, ``20210105`` a date, ``1`` true.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.findings import SHOWN_ROWS
from dapp_ext.domain.reading import amounts, dates, kinds, numbers, spans, zones
from dapp_ext.domain.reading.numbers import DoesNotFit
from dapp_ext.domain.reading.table import ColumnPlan
from dapp_ext.domain.reading.texts import TextColumn
from dapp_ext.schema.datasets import ColumnKind, ReadOptions

_YES = {"true", "yes", "y", "t", "1", "on", "ja", "oui", "si", "sí", "sim", "да"}
_NO = {"false", "no", "n", "f", "0", "off", "nein", "non", "não", "нет"}
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_ZONED = re.compile(r"(?:Z|[+-]\d{2}(?::?\d{2})?)$", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """What was chosen for a column, and how the file writes numbers and dates."""

    kind: ColumnKind
    decimal: str = "."
    thousands: str | None = None
    day_first: bool = False


@dataclass(frozen=True)
class Ways:
    """How the texts of a file are taken: what is tried, which marks are missing values, which kinds were chosen.

    Attributes
    ----------
    readings : tuple of str
        The ways to read that are tried (see :mod:`.texts`).
    marks : frozenset of str or None
        The only marks for missing values; None for the usual ones.
    day_first : bool
        How ``01/02/2021`` is read where nothing proves it.
    types : mapping of str to str
        The kinds that were chosen, by the name of the column.
    """

    readings: tuple[str, ...]
    marks: frozenset[str] | None = None
    decimal: str = "."
    thousands: str | None = None
    day_first: bool = False
    order_chosen: bool = False
    types: Mapping[str, ColumnKind] = field(default_factory=dict)

    @classmethod
    def of(cls, options: ReadOptions, readings: tuple[str, ...], *, day_first: bool = False, decimal: str = ".") -> Ways:
        """What the options say, and these where they say nothing."""
        return cls(
            readings,
            frozenset(options.missing) if options.missing is not None else None,
            decimal,
            options.thousands,
            day_first if options.date_order is None else options.date_order == "day_first",
            options.date_order is not None,
            options.types or {},
        )

    def column(self, name: str) -> TextColumn:
        """Evidence on the column of a name."""
        kind = self.types.get(name, self.types.get(name.strip()))
        if kind is None:
            return TextColumn(self.readings, self.marks)
        return ChosenColumn(Choice(kind, self.decimal, self.thousands, self.day_first), self.marks)


class ChosenColumn(TextColumn):
    """Evidence on a column whose kind is settled.

    Parameters
    ----------
    choice : Choice
        The kind, and how numbers and dates are written.
    marks : frozenset of str, optional
        The only marks for missing values.
    """

    def __init__(self, choice: Choice, marks: frozenset[str] | None = None) -> None:
        super().__init__((), marks)
        self.choice = choice
        self.refused = 0
        self.refused_rows: list[int] = []
        self._digits = 0
        self._zoned: bool | None = None

    def look(self, tidied: pa.Array) -> pa.Array | None:
        """Take the next texts."""
        before = self.rows
        self.rows += len(tidied)
        self.nulls += tidied.null_count
        if tidied.null_count == len(tidied):
            return None
        array = self._without_marks(tidied, before)
        if self.is_text():
            self.variety.add(array)
            return None
        if self.choice.kind == "integer":
            self._count_digits(array)
        elif self.choice.kind == "decimal":
            self._note_digits(self._plain_numbers(array))
        parsed = self.parse(array)
        lost = np.flatnonzero(pc.and_(pc.is_valid(array), pc.is_null(parsed)).to_numpy(zero_copy_only=False))
        self.refused += len(lost)
        self.refused_rows += [before + int(place) for place in lost[: SHOWN_ROWS - len(self.refused_rows)]]
        return None

    def _count_digits(self, array: pa.Array) -> None:
        plain = array.filter(pc.match_substring_regex(array, r"^[+-]?[0-9]+$"))
        longest = pc.max(pc.binary_length(pc.utf8_ltrim(plain, characters="+-0"))).as_py() or 0
        self._digits = max(self._digits, longest)

    def _note_digits(self, plain: pa.Array) -> None:
        self.digits.note(plain)
        ends = pc.min_max(_cast(plain, pa.float64())).as_py().values()
        self.digits.largest = max(self.digits.largest, *(abs(end) for end in ends if end is not None), 0.0)

    def exact(self) -> pa.DataType | None:
        """The type for decimals of more digits than a double has; None where doubles do, or have to."""
        digits = self.digits
        if self.choice.kind != "decimal" or not digits.many or digits.doubles or not math.isfinite(digits.largest):
            return None
        found = kinds.exact_type(digits.whole, digits.fraction)
        return None if pa.types.is_floating(found) else found

    def is_text(self) -> bool:
        """Whether text was chosen."""
        return self.choice.kind in ("text", "category")

    def type(self) -> pa.DataType:
        """How the column is stored, as far as is known."""
        kind = self.choice.kind
        if kind == "integer":
            return pa.int64() if self._digits <= 18 else pa.decimal128(38, 0) if self._digits <= 38 else pa.decimal256(76, 0)
        if kind == "datetime":
            return pa.timestamp("us", "UTC" if self._zoned else None)
        return self.exact() or _TYPES[kind]

    def plan(self, name: str, nulls: frozenset[str]) -> ColumnPlan:
        """How the column is stored."""
        return ColumnPlan(name, self.choice.kind, self.type(), "chosen", nulls)

    def convert(self, array: pa.Array, tidied: pa.Array, plan: ColumnPlan) -> pa.Array:
        """The texts in the chosen kind; null for what is none of it."""
        kept = pc.if_else(pc.is_in(tidied, pa.array(sorted(plan.missing), pa.string())), pa.scalar(None, pa.string()), tidied) if plan.missing else tidied
        if self.is_text():
            return array if kept.null_count == array.null_count else pc.if_else(pc.is_null(kept), pa.scalar(None, pa.string()), array)
        return self.parse(kept)

    def parse(self, array: pa.Array) -> pa.Array:
        """Tidy texts in the chosen kind."""
        kind = self.choice.kind
        if kind == "integer":
            return _cast(_whole(self._plain_numbers(array)), self.type())
        if kind == "decimal":
            return _decimals(self._plain_numbers(array), self.type())
        if kind == "datetime" and self._zoned is None:
            self._zoned = any(_ZONED.search(text) is not None and ":" in text for text in array[:1000].drop_null().to_pylist())
        return _each(array, self._reader(), self.type())

    def _plain_numbers(self, array: pa.Array) -> pa.Array:
        """Numbers with a decimal point and nothing else; null for what is no number."""
        array = amounts.without_signs(array)
        point, thousands = self.choice.decimal, self.choice.thousands
        signs = {"none": "", " ": numbers.SPACES, "'": numbers.APOSTROPHES, None: "," if point == "." else "."}.get(thousands, thousands) or ""
        grouped = rf"[0-9]{{1,3}}([{re.escape(signs)}][0-9]{{3}})+|" if signs else ""
        fits = pc.match_substring_regex(array, rf"^[+-]?({grouped}[0-9]*)({re.escape(point)}[0-9]*)?([eE][+-]?[0-9]+)?$")
        digits = pc.match_substring_regex(array, "[0-9]")
        array = pc.if_else(pc.and_(fits, digits), array, pa.scalar(None, pa.string()))
        for sign in signs:
            array = pc.replace_substring(array, sign, "")
        array = array if point == "." else pc.replace_substring(array, point, ".")
        return pc.utf8_ltrim(array, characters="+")

    def _reader(self) -> Callable[[str], Any]:
        kind, day_first = self.choice.kind, self.choice.day_first
        if kind == "boolean":
            return _boolean
        if kind == "date":
            return lambda text: _date(text, day_first=day_first)
        if kind == "datetime":
            return lambda text: _moment(text, day_first=day_first, zoned=bool(self._zoned))
        if kind == "duration":
            return spans.span
        return lambda text: dates.times(pa.array([text]))[0].as_py()


_TYPES: dict[str, pa.DataType] = {
    "decimal": pa.float64(), "boolean": pa.bool_(), "category": pa.string(), "text": pa.string(), "date": pa.date32(), "time": pa.time64("us"),
    "duration": pa.duration("us"),
}  # fmt: skip


def _whole(array: pa.Array) -> pa.Array:
    """Whole numbers without leading zeros, fraction or exponent; null for others."""
    array = pc.replace_substring_regex(array, r"\.0*$", "")
    array = pc.replace_substring_regex(array, r"^(-?)0+([0-9])", r"\1\2")
    return pc.if_else(pc.match_substring_regex(array, r"^-?[0-9]{1,76}$"), array, pa.scalar(None, pa.string()))


def _cast(array: pa.Array, target: pa.DataType) -> pa.Array:
    try:
        return pc.cast(array, target)
    except pa.ArrowInvalid:
        # Some number is beyond the range: those that fit are found one by one.
        return _each(array, lambda text: pc.cast(pa.scalar(text), target).as_py(), target)


def _decimals(array: pa.Array, target: pa.DataType) -> pa.Array:
    if pa.types.is_decimal(target):
        try:
            return numbers.exact_decimals(array, target)
        except DoesNotFit:
            return _each(array, lambda text: numbers.exact_decimals(pa.array([text.lstrip("0") or "0"]), target)[0].as_py(), target)
    return _cast(array, target)


def _each(array: pa.Array, read: Callable[[str], Any], target: pa.DataType) -> pa.Array:
    """Every different text once; null where it does not fit."""
    encoded = array.dictionary_encode()
    values = []
    for text in encoded.dictionary.to_pylist():
        try:
            values.append(read(text))
        except (DoesNotFit, ValueError, OverflowError, pa.ArrowInvalid):
            values.append(None)
    return pa.array(values, target).take(encoded.indices)


def _boolean(text: str) -> bool:
    word = text.lower()
    if word not in _YES and word not in _NO:
        raise DoesNotFit
    return word in _YES


def _date(text: str, *, day_first: bool) -> date:
    if (compact := _COMPACT.fullmatch(text)) is not None:
        return date(*(int(part) for part in compact.groups()))
    if "T" in text or text.endswith("Z"):
        return datetime.fromisoformat(text).date()
    found: date = dates.loose_parse(pa.array([text]), day_first=day_first, timed=False)[0].as_py()
    return found


def _moment(text: str, *, day_first: bool, zoned: bool) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        one = pa.array([text])
        found = (zones.named(one) if zoned else dates.loose_parse(one, day_first=day_first, timed=True))[0].as_py()
    if (found.tzinfo is not None) != zoned:
        raise DoesNotFit
    return found.astimezone(UTC) if zoned else found
