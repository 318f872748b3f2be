"""The type of a column of texts, found from all of its values.

A column begins open. Its first values choose the narrowest kind that takes them all; a later value that does not fit
moves it to a wider kind that is known to take everything seen before (an integer is a decimal, a date is a time
stamp), or to text, which takes anything. So the answer holds for all values and not only for a sample.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.findings import SHOWN_ROWS
from dapp_ext.domain.reading import amounts, dates, kinds, missing, numbers, spans, zones
from dapp_ext.domain.reading.categories import Variety
from dapp_ext.domain.reading.numbers import DoesNotFit
from dapp_ext.schema.datasets import ColumnKind

TEXT, EXACT = "text", "exact:"
_PROBE = 64
_MARKS = missing.as_set(missing.MARKS)


@dataclass(frozen=True)
class Reading:
    """One way to read texts: the kind and type it makes, and the wider ways that take all that it takes."""

    kind: ColumnKind
    type: pa.DataType
    parse: Callable[[pa.Array], pa.Array]
    wider: tuple[str, ...] = ()
    probe: Callable[[pa.Array], pa.Array] | None = None
    """What a few of the values are tried with before, where only all of them can tell."""


def _booleans(words: dict[str, bool]) -> Callable[[pa.Array], pa.Array]:
    def parse(array: pa.Array) -> pa.Array:
        encoded = array.dictionary_encode()
        if len(encoded.dictionary) > len(words):
            raise DoesNotFit
        try:
            values = [words[text] for text in encoded.dictionary.to_pylist()]
        except KeyError as error:
            raise DoesNotFit from error
        return pa.array(values, pa.bool_()).take(encoded.indices)

    return parse


def _spellings(yes: str, no: str) -> dict[str, bool]:
    return {form(word): word == yes for word in (yes, no) for form in (str.lower, str.upper, str.capitalize)}


_YES_NO = _spellings("yes", "no")
_FLOAT = pa.float64()
WRITTEN: dict[str, tuple[str, str]] = {
    "decimal_grouped": (".", ","),
    "decimal_spaced": (".", numbers.SPACES[1:]),
    "decimal_blanks": (".", numbers.SPACES),
    "decimal_apostrophe": (".", numbers.APOSTROPHES),
    "decimal_comma": (",", "."),
    "decimal_comma_plain": (",", ""),
    "decimal_comma_spaced": (",", numbers.SPACES[1:]),
    "decimal_comma_blanks": (",", numbers.SPACES),
    "decimal_comma_apostrophe": (",", numbers.APOSTROPHES),
}
"""Decimals written otherwise than with a point alone: the decimal sign, and what stands between thousands.

A plain blank is taken only where it was chosen: ``555 123`` may be a telephone number.
"""
MINUS_AFTER = {"decimal_minus_after": (".", ","), "decimal_comma_minus_after": (",", ".")}
"""The minus stands behind some of the numbers, as accounting systems print it."""
SIGNED: dict[str, tuple[str | None, str]] = {"integer_signed": (None, ""), "decimal_signed": (".", ","), "decimal_comma_signed": (",", ".")}
"""A plus stands before some of the numbers."""
_LAKH = "decimal_lakh"
"""Thousands and then hundreds between commas, as in India: ``12,34,567.5``."""
_WIDER = {"decimal_grouped": (_LAKH, "decimal_minus_after", "decimal_signed"), "decimal_comma": ("decimal_comma_minus_after", "decimal_comma_signed")}
READINGS: dict[str, Reading] = {
    "true_false": Reading("boolean", pa.bool_(), _booleans(_spellings("true", "false"))),
    "yes_no": Reading("boolean", pa.bool_(), _booleans(_YES_NO)),
    "integer": Reading("integer", pa.int64(), numbers.integers, ("big_integer", "huge_integer", "decimal", *WRITTEN, _LAKH, *MINUS_AFTER, *SIGNED)),
    "big_integer": Reading("integer", pa.decimal128(38, 0), lambda array: numbers.big_integers(array, 38), ("huge_integer",)),
    "huge_integer": Reading("integer", pa.decimal256(76, 0), lambda array: numbers.big_integers(array, 76)),
    "decimal": Reading(
        "decimal", _FLOAT, numbers.decimals, (*(name for name, (point, _) in WRITTEN.items() if point == "."), _LAKH, "decimal_minus_after", "decimal_signed")
    ),
    "iso_date": Reading("date", pa.date32(), lambda array: dates.iso(array, pa.date32()), ("iso_datetime", "date")),
    "iso_datetime": Reading("datetime", pa.timestamp("us"), lambda array: dates.iso(array, pa.timestamp("us")), ("date",)),
    "iso_zoned": Reading("datetime", pa.timestamp("us", "UTC"), dates.zoned, ("named_zone",)),
    "named_zone": Reading("datetime", pa.timestamp("us", "UTC"), zones.named),
    "time": Reading("time", pa.time64("us"), dates.times),
    "duration": Reading("duration", pa.duration("us"), spans.durations, (), spans.maybe_durations),
    **{
        name: Reading("decimal", _FLOAT, partial(numbers.decimals_written, decimal=point, thousands=signs), _WIDER.get(name, ()))
        for name, (point, signs) in WRITTEN.items()
    },
    **{
        name: Reading(
            "integer" if point is None else "decimal",
            pa.int64() if point is None else _FLOAT,
            partial(numbers.signed, decimal=point, thousands=signs),
            ("decimal_signed", "decimal_comma_signed") if point is None else (),
            partial(numbers.maybe_signed, decimal=point, thousands=signs),
        )
        for name, (point, signs) in SIGNED.items()
    },
    _LAKH: Reading("decimal", _FLOAT, numbers.decimals_lakh),
    **{name: Reading("decimal", _FLOAT, partial(numbers.decimals_minus_after, decimal=point, thousands=signs)) for name, (point, signs) in MINUS_AFTER.items()},
}
_PLAIN = frozenset({"integer", "decimal", "iso_date", "iso_datetime", "iso_zoned"})
_LOOSE = "date"
"""Dates in other spellings than ISO; their type depends on the facts of the column."""

_BEFORE = ("true_false", "yes_no", "integer", "big_integer", "huge_integer")
_AFTER = ("iso_date", "iso_datetime", "iso_zoned", "named_zone", "time", "duration", _LOOSE)
_GUESSED = {
    ".": (
        "decimal",
        "decimal_grouped",
        _LAKH,
        "decimal_spaced",
        "decimal_apostrophe",
        "decimal_minus_after",
        "integer_signed",
        "decimal_signed",
        amounts.AMOUNT,
    ),
    ",": (
        "decimal_comma",
        "decimal_comma_spaced",
        "decimal_comma_apostrophe",
        "decimal_comma_minus_after",
        "decimal",
        "integer_signed",
        "decimal_comma_signed",
        amounts.AMOUNT,
    ),
}
_CHOSEN = {
    ".": {",": "decimal_grouped", " ": "decimal_blanks", "'": "decimal_apostrophe"},
    ",": {".": "decimal_comma", " ": "decimal_comma_blanks", "'": "decimal_comma_apostrophe", "none": "decimal_comma_plain"},
}


_MAY_BE_AMOUNTS = {"integer": None, "decimal": ".", "decimal_grouped": ".", "decimal_comma": ","}


def readings(decimal: str, thousands: str | None = None) -> tuple[str, ...]:
    """The ways to read that are tried, where numbers are written with these signs; None for any between thousands."""
    if thousands is None:
        return (*_BEFORE, *_GUESSED[decimal], *_AFTER)
    chosen = _CHOSEN[decimal].get(thousands)
    with_signs = () if chosen is None else (chosen, _LAKH) if chosen == "decimal_grouped" else (chosen,)
    return (*_BEFORE, *(("decimal", *with_signs) if decimal == "." else (*with_signs, "decimal")), amounts.AMOUNT, *_AFTER)


ALL = readings(".")
FROM_CELLS = ("true_false", "yes_no", "iso_date", "iso_datetime", "iso_zoned", "named_zone", "time", "duration", _LOOSE)
"""For texts beside real numbers, as in a workbook: a number written as text is meant as text."""
FROM_STRINGS = ("iso_date", "iso_datetime", "iso_zoned", "named_zone", "time", "duration")
"""For JSON, where only dates, times and spans of time have to be written as texts."""


def tidy(array: pa.Array) -> pa.Array:
    """Texts without blanks around them; what is empty then is null."""
    if not numbers.has_blank_edge(array):
        return array
    trimmed = pc.utf8_trim_whitespace(array)
    return pc.if_else(pc.equal(pc.binary_length(trimmed), 0), pa.scalar(None, pa.string()), trimmed)


def without_leading(array: pa.Array) -> pa.Array:
    """Texts without the blanks before them; what is empty then is null."""
    trimmed = pc.ascii_ltrim(array, characters=" ")
    return pc.if_else(pc.equal(pc.binary_length(trimmed), 0), pa.scalar(None, pa.string()), trimmed)


class TextColumn:
    """Evidence on one column of texts.

    Parameters
    ----------
    readings : tuple of str
        The ways to read that are tried, narrowest first.
    marks : frozenset of str, optional
        The only marks for missing values; None for the usual ones under the rule of :mod:`.missing`.
    """

    def __init__(self, readings: tuple[str, ...] = ALL, marks: frozenset[str] | None = None) -> None:
        self.readings = readings
        self.reading: str | None = None
        self.given = marks
        self.marks: Counter[str] = Counter()
        self.mark_rows: dict[str, list[int]] = {}
        self.facts = dates.DateFacts()
        self.amounts = amounts.AmountFacts()
        self.rows = 0
        self.nulls = 0
        self.infinite = 0
        self.rounded = False
        self.digits = numbers.Digits()
        self.zones = dates.ZoneFacts()
        self.variety = Variety()
        self.repeats = False
        """Whether the texts looked at last repeat so much that they are best read with a dictionary."""
        self.long = False
        """Whether some whole number is too long to be read without its text."""
        self._mark_set = _MARKS if marks is None else missing.as_set(marks)

    @property
    def only_one_of_yes_no(self) -> bool:
        """Whether the column would be yes/no but holds only one of the two, so that it may mean something else."""
        return self.reading == "yes_no" and len({_YES_NO[text] for text in self.variety.texts or ()}) == 1

    def look(self, tidied: pa.Array) -> pa.Array | None:
        """Take the next texts, made :func:`tidy`. Returns them in the type of the present reading; None for text."""
        before = self.rows
        self.rows += len(tidied)
        self.nulls += tidied.null_count
        if tidied.null_count == len(tidied):
            return None
        if self.reading == TEXT:
            self.variety.add(self._without_marks(tidied, before))
            return None
        return self._settle(tidied, before)

    def look_plainly(self, array: pa.Array) -> pa.Array | None:
        """Take the next texts as they stand, where they can be told to need nothing else; None where they do.

        These readings refuse texts with blanks around them, so nothing has to be trimmed first.
        """
        if self.reading not in _PLAIN or self.marks or array.null_count == len(array):
            return None
        try:
            parsed = READINGS[self.reading].parse(array)
        except DoesNotFit:
            return None
        self.rows += len(array)
        self.nulls += array.null_count
        if self.reading == "decimal":
            self._note_floats(array, parsed)
        if self.reading == "iso_zoned":
            self.zones.note(array, self.rows - len(array))
        return parsed

    @property
    def is_whole(self) -> bool:
        """Whether all texts so far are plain whole numbers, so that the next ones may be read as such at once."""
        return self.reading == "integer" and not self.marks and self.given is None and not self.long

    def look_whole(self, array: pa.Array) -> pa.Array | None:
        """Take the next whole numbers, which were read without their texts; None where the texts are needed."""
        if self.reading != "integer" or self.marks or array.null_count == len(array):
            return None
        self.rows += len(array)
        self.nulls += array.null_count
        return array

    def look_encoded(self, array: pa.Array) -> pa.Array | None:
        """Take the next texts of a column that is text for sure, where they repeat and none is trimmed or a mark; else take nothing.

        Returns them with a dictionary.
        """
        self.repeats &= self.reading == TEXT
        if self.reading != TEXT or array.null_count == len(array):
            return None
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        texts = encoded.dictionary
        self.repeats = len(texts) <= max(len(array) // 4, 1)
        self.repeats &= not (numbers.has_blank_edge(texts) or pc.any(pc.is_in(texts, self._mark_set)).as_py())
        if not self.repeats:
            return None
        self.rows += len(array)
        self.nulls += array.null_count
        self.variety.add(texts, len(array) - array.null_count, encoded.indices)
        return encoded

    def give_up(self) -> None:
        """Take it as text after all: values that were looked at turned out not to fit."""
        self.reading = TEXT
        self.variety.give_up()

    def _settle(self, array: pa.Array, before: int) -> pa.Array | None:
        """Find the reading that takes these values and all before them."""
        tried = self.readings if self.reading is None else (self.reading, *self._wider())
        parsed = None if self.marks else self._try(tried, array)
        if parsed is None:
            array = self._without_marks(array, before)
            if array.null_count == len(array):
                return None
            parsed = self._try(tried, array)
        if parsed is None:
            if self.reading not in (None, "yes_no"):
                self.variety.give_up()  # the values before were not counted
            self.reading = TEXT
        if self.reading in (TEXT, "yes_no"):
            self.variety.add(array)
        if self.reading == _LOOSE:
            self._note_ambiguous(array, before)
        if self.reading == "named_zone":
            self.zones.names |= zones.names(array)
        if self.reading == "iso_zoned" or parsed is None:
            self.zones.note(array, before)
        return parsed

    def _note_ambiguous(self, array: pa.Array, before: int) -> None:
        """Rows whose day and month could change places."""
        texts = [text for text in array.unique().to_pylist() if text is not None and dates.is_ambiguous(text)]
        if texts:
            found = np.flatnonzero(pc.is_in(array, pa.array(texts)).to_numpy(zero_copy_only=False))
            self.facts.ambiguous += len(found)
            self.facts.rows += [before + int(place) for place in found[: SHOWN_ROWS - len(self.facts.rows)]]

    def _wider(self) -> tuple[str, ...]:
        if self.reading in (None, _LOOSE, amounts.AMOUNT):
            return ()
        wider = READINGS[self.reading].wider
        # Numbers of which a later one stands in brackets, as accounting writes a minus.
        bracketed = (amounts.AMOUNT,) if self.reading in _MAY_BE_AMOUNTS else ()
        return tuple(name for name in (*wider, *bracketed) if name in self.readings)

    def _try(self, names: tuple[str, ...], array: pa.Array) -> pa.Array | None:
        # A failed cast of a long array costs far more than a good one, so a few values are tried before.
        probe = array[:_PROBE] if array.null_count == 0 else array.drop_null()[:_PROBE]
        for name in names:
            try:
                if name == _LOOSE:
                    parsed = self._try_loose(array, probe)
                elif name == amounts.AMOUNT:
                    parsed = self._try_amounts(array, probe)
                else:
                    reading = READINGS[name]
                    if name != self.reading:
                        (reading.probe or reading.parse)(probe)
                    parsed = reading.parse(array)
            except DoesNotFit:
                continue
            self.reading = name
            if pa.types.is_floating(parsed.type):
                self._note_floats(array, parsed)
            return parsed
        return None

    def _note_floats(self, array: pa.Array, parsed: pa.Array) -> None:
        ends = [abs(each) for each in pc.min_max(parsed).as_py().values() if each is not None]
        self.digits.largest = max(self.digits.largest, *ends, 0.0)
        if self.digits.largest == math.inf:
            self.infinite += pc.sum(pc.is_inf(parsed)).as_py() or 0
        if self.reading == "decimal":
            self.digits.note(array)
        elif self.reading in WRITTEN:
            self.digits.note(numbers.plainly(array, *WRITTEN[self.reading]) if numbers.too_many_digits(array) else array[:0])
        else:
            self.rounded = self.rounded or numbers.too_many_digits(array)

    def _try_loose(self, array: pa.Array, probe: pa.Array) -> pa.Array:
        facts = dates.DateFacts(**{**vars(self.facts), "spellings": set(self.facts.spellings), "rows": list(self.facts.rows)})
        facts.timed |= self.reading == "iso_datetime"
        dates.loose_gather(probe, facts)
        dates.loose_gather(array, facts)
        self.facts = facts
        return array  # the order of day and month is known when all is seen

    def _try_amounts(self, array: pa.Array, probe: pa.Array) -> pa.Array:
        facts = replace(self.amounts)
        if self.reading in _MAY_BE_AMOUNTS:  # numbers without a unit came before
            facts.unit, facts.decimal = "", _MAY_BE_AMOUNTS[self.reading]
        usual = "," if "decimal_comma" in self.readings or "decimal_comma_plain" in self.readings else "."
        if facts.unit is not None:
            amounts.gather(probe, replace(facts), usual)
        amounts.gather(array, facts, usual)
        self.amounts = facts
        return array  # the decimal sign is known when all is seen

    def _without_marks(self, array: pa.Array, before: int) -> pa.Array:
        is_mark = pc.is_in(array, self._mark_set)
        found = array.filter(is_mark)
        if not len(found):
            return array
        for entry in found.value_counts().to_pylist():
            self.marks[entry["values"]] += entry["counts"]
        if any(len(self.mark_rows.get(mark, ())) < SHOWN_ROWS for mark in self.marks):
            places = np.flatnonzero(is_mark.to_numpy(zero_copy_only=False))
            for place, mark in zip(places.tolist(), found.to_pylist(), strict=True):
                rows = self.mark_rows.setdefault(mark, [])
                if len(rows) < SHOWN_ROWS:
                    rows.append(before + place)
        return pc.if_else(is_mark, pa.scalar(None, pa.string()), array)

    def kind_of_text(self) -> ColumnKind:
        """Category for a few short texts that repeat, else text."""
        return self.variety.kind(self.rows)

    def missing_marks(self, file_marks: Set[str]) -> frozenset[str]:
        """The marks that are missing values, given those of the number and date columns of the file."""
        if self.given is not None or not self.is_text():
            return frozenset(self.marks)
        known = self.variety.texts or set()
        codes = bool(known) and all(len(text) == 2 and text.isalpha() and text.isupper() for text in known)
        return missing.marks_in_text(self.marks, missing.TextFacts(self.rows, self.nulls, self.variety.distinct, codes), file_marks)

    def exact(self) -> pa.DataType | None:
        """The type for decimals of more digits than a double has; None where doubles do, or have to."""
        if not (self.reading == "decimal" or self.reading in WRITTEN) or not self.digits.many or self.digits.doubles or self.infinite:
            return None  # an infinity has no digits
        found = kinds.exact_type(self.digits.whole, self.digits.fraction)
        return None if pa.types.is_floating(found) else found

    def is_text(self) -> bool:
        """Whether the column stays text as far as is known."""
        return self.reading in (None, TEXT) or self.only_one_of_yes_no


def loose_type(facts: dates.DateFacts) -> tuple[ColumnKind, pa.DataType]:
    """What dates in loose spellings become."""
    return ("datetime", pa.timestamp("us")) if facts.timed else ("date", pa.date32())


def convert(array: pa.Array, tidied: pa.Array, reading: str, marks: frozenset[str]) -> pa.Array:
    """The column in the type of a reading.

    Parameters
    ----------
    array, tidied : pa.Array
        Texts as they stand in the file (null for an empty cell), and the same made :func:`tidy`.
    reading : str
        Name of a reading, ``text``, or what :func:`loose_name` gave.
    marks : frozenset of str
        Texts that are missing values.
    """
    if marks:
        is_mark = pc.is_in(tidied, missing.as_set(marks))
        tidied = pc.if_else(is_mark, pa.scalar(None, pa.string()), tidied)
    if reading == TEXT:
        if tidied.null_count == array.null_count:
            return array
        return pc.if_else(pc.is_null(tidied), pa.scalar(None, pa.string()), array)
    if reading.startswith(amounts.AMOUNT + ":"):
        return amounts.parse(tidied, reading)
    if reading.startswith(_LOOSE + ":"):
        return dates.loose_parse(tidied, day_first="day" in reading, timed="timed" in reading)
    if reading.startswith(EXACT):
        written, bits, fraction = reading.removeprefix(EXACT).split(":")
        plain = numbers.plainly(tidied, *WRITTEN[written]) if written in WRITTEN else tidied
        return numbers.exact_decimals(plain, pa.decimal128(38, int(fraction)) if bits == "128" else pa.decimal256(76, int(fraction)))
    return READINGS[reading].parse(tidied)


def exact_name(reading: str, stored: pa.DataType) -> str:
    """The name of the reading of decimals that keep all their digits."""
    return f"{EXACT}{reading}:{stored.bit_width}:{stored.scale}"


def loose_name(facts: dates.DateFacts, *, day_first: bool) -> str:
    """The name of the reading of loose dates, with what the facts decided."""
    return _LOOSE + ":" + ("day" if facts.day_first(day_first) else "month") + (",timed" if facts.timed else "")
