"""Fixes that change the values of columns."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.fixes.amounts import amounts_of
from dapp_ext.domain.fixes.offers import is_stand_in, sentinels
from dapp_ext.domain.fixes.planning import Fix, counted, decoded, listed
from dapp_ext.domain.reading.chosen import Choice, ChosenColumn
from dapp_ext.errors import Invalid

_KEPT = 49
_LENGTH = 20_000
_FENCE = 3.0  # interquartile ranges outside the middle half: Tukey's outer fences, as in the finding


class ColumnFix(Fix):
    """Changes single columns, each by itself."""

    changed = 0

    def apply(self, part: pa.Table) -> pa.Table:
        for name in self.asked.columns:
            place = part.schema.get_field_index(name)
            field = self.schema.field(name)
            part = part.set_column(place, field, self.change(name, decoded(part.column(place))).cast(field.type))
        return part

    def change(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """The next values of a column, changed."""
        raise NotImplementedError

    @property
    def where(self) -> str:
        return listed(self.asked.columns)

    def differing(self, before: pa.ChunkedArray, after: pa.ChunkedArray) -> int:
        """In how many places values differ; a gap differs from a value."""
        same = pc.fill_null(pc.equal(before, after), False)
        both_gone = pc.and_(pc.is_null(before), pc.is_null(after))
        return len(before) - int(pc.sum(pc.or_(same, both_gone)).as_py() or 0)


class _Mapped(ColumnFix):
    """Changes each different text in the same way everywhere."""

    maps: dict[str, dict[str, Any]]

    def change(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        stored = self.schema.field(name).type
        plain = stored.value_type if pa.types.is_dictionary(stored) else stored
        encoded = values.combine_chunks().dictionary_encode()
        encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
        new = pa.array([self.maps[name][text] for text in encoded.dictionary.to_pylist()], plain)
        return pa.chunked_array([new.take(encoded.indices)], plain)

    def texts(self, name: str) -> Counter[str]:
        """Every different text of a column and how often it is there."""
        found = pc.value_counts(self.column(name).drop_null())
        return Counter(dict(zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True)))

    def touched(self, name: str, counts: Counter[str]) -> int:
        return sum(count for text, count in counts.items() if self.maps[name][text] != text)


class FillMissing(ColumnFix):
    """Fill gaps with the median, the mean, the most frequent value, the value before, or a given one."""

    def prepare(self) -> None:
        self._fill: dict[str, Any] = {}
        self._words: dict[str, str] = {}
        self._last: dict[str, Any] = {}
        self._left = 0
        for name in self.asked.columns:
            method = self.asked.options.method or ("value" if self.asked.options.value is not None else _usual(self.kinds[name]))
            if method != "previous":
                self._fill[name] = self._value(name, method)
            self._words[name] = "the value before" if method == "previous" else f"{_METHODS[method]}{_shown(self._fill[name])}"

    def _value(self, name: str, method: str) -> pa.Scalar:
        stored = self.schema.field(name).type
        plain = stored.value_type if pa.types.is_dictionary(stored) else stored
        if method == "value":
            return _given(name, self.asked.options.value, plain)
        values = self.column(name).drop_null()
        if not len(values):
            raise Invalid(f"Column {name!r} has no values at all, so there is nothing to fill it with.")
        if method == "most_frequent":
            counts = pc.value_counts(values)
            return counts.field(0)[int(np.argmax(counts.field(1).to_numpy()))]
        if self.kinds[name] not in ("integer", "decimal", "duration"):
            raise Invalid(f"Column {name!r} holds no numbers, so it has no {method}. Use most_frequent, previous or value.")
        numbers = np.array(pc.cast(values if self.kinds[name] != "duration" else values.cast(pa.int64()), pa.float64()))
        numbers = numbers[np.isfinite(numbers)]
        found = float(np.median(numbers) if method == "median" else np.mean(numbers)) if len(numbers) else 0.0
        if self.kinds[name] == "duration":
            return pa.scalar(round(found), pa.int64()).cast(plain)
        return in_type(found, plain)

    def change(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        self.changed += values.null_count
        if name in self._fill:
            return pc.fill_null(values, self._fill[name])
        return self._carried(name, values)

    def _carried(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """The value before, also from the part before."""
        filled = pc.fill_null_forward(values)
        if filled.null_count and name in self._last:
            filled = pc.fill_null(filled, self._last[name])
        self._left += filled.null_count
        self.changed -= filled.null_count
        if len(filled) and filled[-1].is_valid:
            self._last[name] = filled[-1]
        return filled

    def sentence(self) -> str:
        words = dict.fromkeys(self._words.values())
        how = next(iter(words)) if len(words) == 1 else "what is usual for each column"
        left = f" {counted(self._left, 'gap')} before the first value stayed." if self._left else ""
        return f"Filled {counted(self.changed, 'gap')} in {self.where} with {how}.{left}"


_METHODS = {"median": "the median", "mean": "the mean", "most_frequent": "the most frequent value", "value": "the value given"}


def in_type(number: float, stored: pa.DataType) -> pa.Scalar:
    """A number as a column of a type can hold it: whole, or with as many digits as there are behind the decimal sign."""
    if pa.types.is_floating(stored):
        return pa.scalar(number, stored)
    scale = getattr(stored, "scale", 0)
    return pa.scalar(round(Decimal(repr(number)), scale) if scale else round(number)).cast(stored)


def _usual(kind: str) -> str:
    if kind in ("integer", "decimal", "duration"):
        return "median"
    return "previous" if kind in ("date", "datetime", "time") else "most_frequent"


def _shown(value: pa.Scalar) -> str:
    found = value.as_py()
    return f", {found:,.6g}" if isinstance(found, float) else f", {str(found)[:60]}"


def _given(name: str, value: Any, plain: pa.DataType) -> pa.Scalar:
    if value is None:
        raise Invalid(f"Give the value that fills the gaps of {name!r}.")
    try:
        if pa.types.is_date(plain):
            return pa.scalar(date.fromisoformat(str(value)), plain)
        if pa.types.is_timestamp(plain):
            return pa.scalar(datetime.fromisoformat(str(value)), plain)
        if getattr(plain, "scale", 0):
            return pa.scalar(Decimal(str(value))).cast(plain)
        return pa.scalar(str(value) if pa.types.is_string(plain) else value).cast(plain)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        raise Invalid(f"{value!r:.60} does not fit column {name!r}. Give a value of its kind.") from None


class MarkMissing(ColumnFix):
    """Make values missing that stand for it: given ones, or those that usually do."""

    def prepare(self) -> None:
        self._wanted = None if self.asked.options.values is None else set(self.asked.options.values)

    def change(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        found = pc.is_in(values, pa.array(self._values(name, values), values.type)) if len(values) else pa.array([], pa.bool_())
        self.changed += int(pc.sum(found).as_py() or 0)
        return pc.if_else(found, pa.scalar(None, values.type), values)

    def _values(self, name: str, values: pa.ChunkedArray) -> list[Any]:
        kind = values.type
        if pa.types.is_string(kind):
            texts = values.unique().drop_null().to_pylist()
            return [text for text in texts if (is_stand_in(text) if self._wanted is None else text in self._wanted)]
        if self._wanted is None:
            return [_number(number, kind) for number in sentinels(self.profiles[name])]
        return [value for value in values.unique().drop_null().to_pylist() if _written(value) & self._wanted]

    def sentence(self) -> str:
        return f"Made {counted(self.changed, 'value')} in {self.where} missing."


def _number(number: float, kind: pa.DataType) -> Any:
    return number if pa.types.is_floating(kind) else int(number)


def _written(value: Any) -> set[str]:
    """The ways in which a value may have been shown."""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return {str(value), str(int(value))}
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return {text, text.rstrip("0").rstrip(".") if "." in text else text}
    return {str(value), value.isoformat()} if isinstance(value, date | datetime) else {str(value)}


class Convert(_Mapped):
    """Numbers out of texts; signs and units are taken off, what is no number becomes missing."""

    def prepare(self) -> None:
        self.maps, self._lost, self._read = {}, 0, 0
        for name in self.asked.columns:
            counts = self.texts(name)
            self.maps[name], kind, stored = amounts_of(counts)
            good = sum(count for text, count in counts.items() if self.maps[name][text] is not None)
            if not good:
                raise Invalid(f"No value of column {name!r} is a number.")
            self._read += good
            self._lost += sum(counts.values()) - good
            self.becomes(name, kind, stored)

    def sentence(self) -> str:
        lost = f"; {counted(self._lost, 'value')} that {'is' if self._lost == 1 else 'are'} no number became missing" if self._lost else ""
        return f"Made {self.where} {'a column' if len(self.asked.columns) == 1 else 'columns'} of numbers ({self._read:,} values){lost}."


class ClipOutliers(ColumnFix):
    """Move values beyond Tukey's outer fences to the fences."""

    def prepare(self) -> None:
        self._fences = {name: self._fence(name) for name in self.asked.columns}

    def _fence(self, name: str) -> tuple[float, float]:
        quantiles = self.profiles[name].quantiles
        low, high = (float(quantiles[key]) for key in ("0.25", "0.75"))
        reach = _FENCE * (high - low)
        if reach <= 0:
            raise Invalid(f"Half of the values of {name!r} are the same, so there is no usual range to move the others into.")
        return low - reach, high + reach

    def change(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        low, high = self._fences[name]
        if pa.types.is_floating(values.type):
            least, most = pa.scalar(low, values.type), pa.scalar(high, values.type)
        else:
            edges = (low, high) if getattr(values.type, "scale", 0) else (math.ceil(low), math.floor(high))
            least, most = (in_type(edge, values.type) for edge in edges)
        clipped = pc.if_else(pc.less(values, least), least, values)
        clipped = pc.if_else(pc.greater(clipped, most), most, clipped)
        self.changed += self.differing(values, clipped)
        return clipped

    def sentence(self) -> str:
        return f"Moved {counted(self.changed, 'value')} in {self.where} to the edge of the usual range."


class ClearInfinite(ColumnFix):
    """Make infinite values missing."""

    def change(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        infinite = pc.fill_null(pc.is_inf(values), False)
        self.changed += int(pc.sum(infinite).as_py() or 0)
        return pc.if_else(infinite, pa.scalar(None, values.type), values)

    def sentence(self) -> str:
        return f"Made {counted(self.changed, 'infinite value')} in {self.where} missing."


class LogScale(ColumnFix):
    """The logarithm of one plus the value; below zero mirrored, so that the order stays."""

    def prepare(self) -> None:
        for name in self.asked.columns:
            self.becomes(name, "decimal", pa.float64())

    def change(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        numbers = pc.cast(values, pa.float64())
        return pc.multiply(pc.sign(numbers), pc.log1p(pc.abs(numbers)))

    def sentence(self) -> str:
        return f"Replaced the values of {self.where} by their logarithm, log(1 + value)."


class GroupRare(_Mapped):
    """Keep the most frequent texts and put all others under one name."""

    def prepare(self) -> None:
        self.maps, self._joined = {}, 0
        keep = self.asked.options.keep or _KEPT
        for name in self.asked.columns:
            counts = self.texts(name)
            kept = {text for text, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:keep]}
            other = next(word for word in ("Other", "(other)", "(all others)", "\u2026") if word not in kept)
            self.maps[name] = {text: text if text in kept else other for text in counts}
            self._joined += len(counts) - len(kept)
            self.becomes(name, "category", self.schema.field(name).type)

    def sentence(self) -> str:
        return f"Put {counted(self._joined, 'rare text')} of {self.where} under one name."


class CutTexts(ColumnFix):
    """Cut long texts."""

    def change(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        length = self.asked.options.length or _LENGTH
        self.changed += int(pc.sum(pc.greater(pc.utf8_length(values), length)).as_py() or 0)
        return pc.utf8_slice_codeunits(values, 0, length)

    def sentence(self) -> str:
        return f"Cut {counted(self.changed, 'text')} in {self.where} after {self.asked.options.length or _LENGTH:,} characters."


class NormaliseTexts(_Mapped):
    """One spelling for texts that differ in blanks, case or the composition of letters only: the most frequent one."""

    def prepare(self) -> None:
        self.maps, self._joined = {}, 0
        for name in self.asked.columns:
            counts = self.texts(name)
            groups: dict[str, Counter[str]] = {}
            for text, count in counts.items():
                tidy = " ".join(unicodedata.normalize("NFC", text).split())
                groups.setdefault(tidy.casefold(), Counter())[tidy] += count
            best = {key: max(spellings.items(), key=lambda each: (each[1], each[0]))[0] for key, spellings in groups.items()}
            self.maps[name] = {text: best[" ".join(unicodedata.normalize("NFC", text).split()).casefold()] or None for text in counts}
            self.changed += self.touched(name, counts)

    def sentence(self) -> str:
        return f"Brought {counted(self.changed, 'value')} in {self.where} to one spelling."


class ParseDates(_Mapped):
    """Dates out of texts in a chosen order of day and month; in a column of dates the two are swapped."""

    def prepare(self) -> None:
        self.maps, self._lost = {}, 0
        for name in self.asked.columns:
            if self.kinds[name] in ("text", "category", "integer"):
                self._parse(name)

    def _parse(self, name: str) -> None:
        counts = self.texts(name)
        texts = list(counts)
        shown = [str(text) for text in texts]  # 20240131 is a number in its column
        kind: Any = "datetime" if sum(":" in text for text in shown) > len(texts) / 2 else "date"
        reader = ChosenColumn(Choice(kind, day_first=bool(self.asked.options.day_first)))
        parsed = reader.parse(pc.utf8_trim_whitespace(pa.array(shown, pa.string()))).to_pylist()
        self.maps[name] = dict(zip(texts, parsed, strict=True))
        lost = sum(counts[text] for text in texts if self.maps[name][text] is None)
        if lost == sum(counts.values()):
            raise Invalid(f"No value of column {name!r} is a date.")
        self._lost += lost
        self.becomes(name, kind, reader.type())

    def change(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        if name in self.maps:
            return super().change(name, values)
        return _swapped(values)

    def sentence(self) -> str:
        if not self.maps:
            return f"Swapped day and month in {self.where}."
        lost = f"; {counted(self._lost, 'value')} that {'is' if self._lost == 1 else 'are'} no date became missing" if self._lost else ""
        if all(self.kinds[name] == "integer" for name in self.maps):
            return f"Read the whole numbers of {self.where} as dates{lost}."
        return f"Read {self.where} as dates, the {'day' if self.asked.options.day_first else 'month'} first{lost}."


def _swapped(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates with day and month exchanged; a day beyond the twelfth can be no month and stays."""
    encoded = values.combine_chunks().dictionary_encode()
    new = [each if each is None or each.day > 12 else each.replace(month=each.day, day=each.month) for each in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(new, values.type).take(encoded.indices)], values.type)
