"""Dates and times in texts.

ISO 8601 is tried first. Other spellings are told apart by evidence in the whole column: ``13/01/2021`` proves that
the day comes first, ``01/13/2021`` that the month does. Where nothing proves it, the caller is told so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.findings import SHOWN_ROWS
from dapp_ext.domain.reading.numbers import DoesNotFit, holds

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_MONTHS_ELSEWHERE = (
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
)
MONTHS = {name[:length]: number for number, name in enumerate(_MONTHS, start=1) for length in (3, len(name))} | {"sept": 9}
MONTHS |= {name: number for names in _MONTHS_ELSEWHERE for number, name in enumerate(names.split(), start=1)}
MONTHS |= {"mär": 3, "mrz": 3, "okt": 10, "dez": 12, "janv": 1, "févr": 2, "avr": 4, "juil": 7, "déc": 12}
_DAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:s|nes|rs|ur)?(?:day)?,? )?"
_NAME = r"(?P<n>[A-Za-zäéû]{3,10})"
_TIME = r"(?:(?:[T :]|, )(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,6}))?)?(?: ?(?P<p>[AaPp])\.?[Mm]\.?)?)?"
_SHAPES = tuple(
    re.compile(_DAY + shape + _TIME, re.ASCII)
    for shape in (
        r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})",
        r"(?P<a>\d{1,2})(?P<s>[-/.])(?P<b>\d{1,2})(?P=s)(?P<y>\d{4})",
        r"(?P<a>\d{1,2})(?P<s>[/.])(?P<b>\d{1,2})(?P=s)(?P<y>\d{2})",
        r"(?P<d>\d{1,2})(?P<s>[-/ ])" + _NAME + r"\.?,?(?P=s)(?P<y>\d{4}|\d{2})",
        _NAME + r"\.? (?P<d>\d{1,2}),? (?P<y>\d{4})",
        r"(?P<d>\d{1,2})\. ?" + _NAME + r"\.? (?P<y>\d{4})",
        r"(?P<d>\d{2})(?P<n>[A-Za-z]{3})(?P<y>\d{4}|\d{2})",
        r"(?P<d>\d{1,2}) (?:de )?" + _NAME + r" de (?P<y>\d{4})",
    )
)
_MONTH_SHAPES = tuple(
    re.compile(shape, re.ASCII) for shape in (r"(?P<y>\d{4})[- ](?P<n>[A-Za-z]{3,9})", r"(?P<n>[A-Za-z]{3,9})[- ](?P<y>\d{4})", r"(?P<y>\d{4})-(?P<m>\d{2})")
)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?: ?([AaPp])\.?[Mm]\.?)?", re.ASCII)


@dataclass
class DateFacts:
    """What the texts of one column showed."""

    first: int = 0
    second: int = 0
    ordered: bool = False
    timed: bool = False
    short_years: bool = False
    months_only: bool = False
    spellings: set[str] = field(default_factory=set)
    ambiguous: int = 0
    rows: list[int] = field(default_factory=list)
    """The first rows whose day and month could change places."""

    @property
    def proven(self) -> bool:
        """Whether the order of day and month does not need a guess."""
        return not self.ordered or self.first > 12 or self.second > 12

    def day_first(self, default: bool) -> bool:
        """Whether the day comes before the month."""
        if self.first > 12:
            return True
        return default if self.second <= 12 else False


_STAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]+)?)?"
_OFFSET = r"(?P<offset>Z| ?UTC| ?GMT| ?[+-][0-9]{2}(?::?[0-9]{2})?)"


@dataclass
class ZoneFacts:
    """Whose clocks the time stamps of a column show."""

    offsets: set[str] = field(default_factory=set)
    bare: int = 0
    other: int = 0
    """Rows with another offset than the first one."""
    rows: list[int] = field(default_factory=list)
    """The first of those rows, or of the rows without an offset."""
    names: set[str] = field(default_factory=set)
    """Names of zones, where they have names."""

    @property
    def mixed(self) -> bool:
        """Whether some time stamps have a zone and some have none."""
        return bool(self.offsets) and bool(self.bare)

    def note(self, array: pa.Array, before: int) -> None:
        """Take down the offsets of the next texts, which are time stamps or make the column one of texts."""
        if pc.match_substring_regex(array[:64].drop_null()[:1], _STAMP).to_pylist() != [True]:
            return
        found = pc.extract_regex(array, _STAMP + _OFFSET + "$")
        offsets = pc.struct_field(found, "offset")
        bare = pc.fill_null(pc.match_substring_regex(array, _STAMP + "$"), False)
        plain = pc.utf8_ltrim(offsets, characters=" ")
        first = next(iter(self.offsets), None)
        seen = plain.unique().drop_null().to_pylist()
        self.offsets.update(_same(each) for each in seen)
        first = first or (_same(seen[0]) if seen else None)
        others = pc.fill_null(pc.is_in(plain, pa.array([each for each in seen if _same(each) != first], pa.string())), False)
        self.bare += pc.sum(bare).as_py() or 0
        self.other += pc.sum(others).as_py() or 0
        odd = np.flatnonzero(pc.or_(bare, others).to_numpy(zero_copy_only=False))[: SHOWN_ROWS - len(self.rows)]
        self.rows += [before + int(row) for row in odd]


def _same(offset: str) -> str:
    """One spelling for one offset."""
    if offset in ("Z", "UTC", "GMT") or not offset.strip("+-0:"):
        return "+00:00"
    digits = offset[1:].replace(":", "").ljust(4, "0")
    return f"{offset[0]}{digits[:2]}:{digits[2:]}"


@dataclass(frozen=True)
class _Read:
    year: int
    month: int
    day: int
    swappable: bool
    clock: timedelta | None


def loose_gather(array: pa.Array, facts: DateFacts) -> None:
    """Check that every text is a date in some known spelling, and take down what that shows.

    Raises
    ------
    DoesNotFit
        Some text is no date, or two texts contradict each other about the order of day and month.
    """
    for text in array.unique().to_pylist():
        if text is not None:
            _take_down(text, facts)
    if facts.first > 12 and facts.second > 12:
        raise DoesNotFit


def is_ambiguous(text: str) -> bool:
    """Whether a date that was taken before could be read with day and month changed about, and be another one."""
    read, _ = _read(text)
    return read.swappable and read.month != read.day and read.month <= 12 and read.day <= 12


def _take_down(text: str, facts: DateFacts) -> None:
    read, shape = _read(text)
    facts.spellings.add(shape)
    if shape.startswith("month"):
        facts.months_only = True
    facts.timed |= read.clock is not None
    if read.swappable:
        facts.ordered = True
        facts.first, facts.second = max(facts.first, read.month), max(facts.second, read.day)
        if max(read.month, read.day) > 31 or min(read.month, read.day) < 1:
            raise DoesNotFit
    else:
        _date(read.year, read.month, read.day)
    facts.short_years |= shape.endswith("yy")


def _read(text: str) -> tuple[_Read, str]:
    """The parts of a date and the name of its spelling. With an unknown order, ``month`` holds what stands first."""
    for number, pattern in enumerate(_SHAPES):
        found = pattern.fullmatch(text)
        if found is None:
            continue
        part = found.groupdict()
        year, short = _year(part["y"])
        name = f"{number}{part.get('s', '')}{'yy' if short else ''}"
        clock = _clock(part)
        if "a" in part:
            first, second = int(part["a"]), int(part["b"])
            if part["s"] == ".":
                return _Read(year, second, first, False, clock), name
            return _Read(year, first, second, True, clock), name
        month = int(part["m"]) if "m" in part else _month(part["n"])
        return _Read(year, month, int(part["d"]), False, clock), name
    for number, pattern in enumerate(_MONTH_SHAPES):
        if (found := pattern.fullmatch(text)) is not None:
            part = found.groupdict()
            month = int(part["m"]) if "m" in part else _month(part["n"])
            return _Read(int(part["y"]), month, 1, False, None), f"month{number}"
    raise DoesNotFit


def _year(text: str) -> tuple[int, bool]:
    """Two digits mean 1969 to 2068, as in POSIX."""
    if len(text) == 4:
        return int(text), False
    year = int(text)
    return (2000 if year <= 68 else 1900) + year, True


def _month(name: str) -> int:
    number = MONTHS.get(name.lower())
    if number is None:
        raise DoesNotFit
    return number


def _clock(part: dict[str, str | None]) -> timedelta | None:
    if part["H"] is None or part["M"] is None:
        return None
    return _of_day(int(part["H"]), int(part["M"]), part["S"], part["f"], part["p"])


def _of_day(hour: int, minute: int, second: str | None, fraction: str | None, half: str | None) -> timedelta:
    if half is not None:
        if not 1 <= hour <= 12:
            raise DoesNotFit
        hour = hour % 12 + (12 if half in "pP" else 0)
    seconds = int(second or 0)
    if hour > 23 or minute > 59 or seconds > 59:
        raise DoesNotFit
    return timedelta(hours=hour, minutes=minute, seconds=seconds, microseconds=int((fraction or "").ljust(6, "0")))


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise DoesNotFit from error


def loose_parse(array: pa.Array, *, day_first: bool, timed: bool) -> pa.Array:
    """Dates, or dates with a time of day, in the order that the facts decided."""

    def convert(text: str) -> date | datetime:
        read, _ = _read(text)
        month, day = (read.day, read.month) if read.swappable and day_first else (read.month, read.day)
        found = _date(read.year, month, day)
        if not timed:
            return found
        return datetime(found.year, found.month, found.day) + (read.clock or timedelta())

    return mapped(array, convert, pa.timestamp("us") if timed else pa.date32())


def iso(array: pa.Array, target: pa.DataType) -> pa.Array:
    """ISO 8601 dates or times stamps of one type: all with a zone, or all without."""
    try:
        return pc.cast(array, target)
    except pa.ArrowInvalid as error:
        if not pa.types.is_timestamp(target) or not holds(array, ord(",")):
            raise DoesNotFit from error
    return iso(pc.replace_substring_regex(array, "^([0-9T: -]+:[0-9]{2}),([0-9]+)", r"\1.\2"), target) if _has_comma(array) else _refuse()


def _has_comma(array: pa.Array) -> bool:
    """Whether a comma stands before the fractions of all seconds that have one, as ISO 8601 allows and logs write it."""
    return bool(pc.all(pc.match_substring_regex(array, "^[0-9T: -]+(:[0-9]{2}(,[0-9]+)?)?([Z +-][A-Z0-9:]*)?$"), min_count=0).as_py())


def _refuse() -> pa.Array:
    raise DoesNotFit


def zoned(array: pa.Array) -> pa.Array:
    """ISO 8601 time stamps that all have a zone: an offset, ``Z``, or ``UTC`` or ``GMT`` after a blank."""
    target = pa.timestamp("us", "UTC")
    try:
        return pc.cast(array, target)
    except pa.ArrowInvalid:
        plain = pc.replace_substring_regex(pc.replace_substring_regex(array, " ?(UTC|GMT)$", "Z"), "([0-9]) ([+-][0-9:]+|Z)$", r"\1\2")
        return iso(plain, target)


def times(array: pa.Array) -> pa.Array:
    """Times of day: ``7:05``, ``07:05:33.5``, ``7:05 PM``."""

    def convert(text: str) -> time:
        found = _CLOCK.fullmatch(text)
        if found is None:
            raise DoesNotFit
        hour, minute, second, fraction, half = found.groups()
        return (datetime.min + _of_day(int(hour), int(minute), second, fraction, half)).time()

    return mapped(array, convert, pa.time64("us"))


def mapped(array: pa.Array, convert: Callable[[str], Any], target: pa.DataType) -> pa.Array:
    """Convert every different text once."""
    encoded = array.dictionary_encode()
    try:
        values = pa.array([convert(text) for text in encoded.dictionary.to_pylist()], target)
    except (ValueError, OverflowError) as error:
        raise DoesNotFit from error
    return values.take(encoded.indices)
