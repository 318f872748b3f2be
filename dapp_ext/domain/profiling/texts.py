"""What is in a column of texts, taken in batch by batch."""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.findings import SHOWN_ROWS
from dapp_ext.domain.profiling.numbers import TOP
from dapp_ext.domain.profiling.sketches import Tally
from dapp_ext.schema.datasets import Column, ColumnProfile, ValueCount

STAND_INS = (
    "unknown", "not known", "n/k", "nk", "n.k.", "na", "n/a", "n.a.", "none", "null", "nil", "nan", "missing", "undefined", "unspecified",
    "not available", "not applicable", "not specified", "not given", "not stated", "tbd", "tba", "-", "--", "---", ".", "..", "?", "??", "x", "xx", "xxx",
    "unbekannt", "k.a.", "keine angabe", "inconnu", "desconocido", "#n/a", "#ref!", "#value!", "(blank)", "(null)", "<na>",
)  # fmt: skip
"""Texts that often stand for a value that is not known, in small letters."""
_STAND_INS = pa.array(STAND_INS)
_NUMBER = r"^[+-]?(([0-9]+([.,][0-9]+)*|\.[0-9]+)(e[+-]?[0-9]+|E[+-][0-9]+)?|[0-9]*[.,][0-9]+E[0-9]+)$"
"""As reading takes them: ``1E5`` may be a code."""
_DATE = r"^([0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{1,2}[-./][0-9]{1,2}[-./]([0-9]{4}|[0-9]{2}))([T ][0-9:.]+.*)?$"
_AMOUNT = r"(0|[1-9][0-9]*|[1-9][0-9]{0,2}([.,' ][0-9]{3})+)?([.,][0-9]+)?"
_SIGN = r"([$€£¥]|USD|EUR|GBP|CHF|JPY|US\$)"
_UNIT = (
    r"(%|‰|°[CF]?|kg|g|mg|lbs?|oz|t|km|m|cm|mm|mi|ft|in|km/h|mph|h|hrs?|hours?|min|mins|minutes?|s|sec|secs|ms|years?|yrs?|months?|days?|weeks?"
    r"|l|ml|kW|kWh|W|V|A|Hz|MHz|GHz|[KMGT]?B|[KM]|m²|m2|pcs)"
)
_DECORATED = rf"^\(?[+−-]?({_SIGN} ?[+−-]?{_AMOUNT}|{_AMOUNT} ?({_SIGN}|{_UNIT}))\)?$|^\({_AMOUNT}\)$|^−{_AMOUNT}$"
LONG_TEXT = 20_000
"""Characters that no preview shows."""
_LONGEST_NAME = 200
"""Characters of a text that may be the name of something; longer ones are not compared."""
_MOST_CHARACTERS = 500
"""Characters of a text that a profile shows."""


class Variants:
    """Texts that differ only in capitals, blanks or how their letters are put together; looked for while all different texts are counted."""

    def __init__(self) -> None:
        self.spellings: dict[str, list[str]] = {}
        self.rows: list[int] = []
        self._known: set[str] = set()
        self._groups: set[str] = set()
        self._stopped = False

    def look(self, texts: pa.Array, tally: Tally) -> list[str]:
        """Take different texts. Returns those that are spelled otherwise than the most frequent text of their group."""
        if self._stopped or not tally.exact or len(self._known) > tally.limit:
            self._stopped, self.spellings, self._known, self._groups = True, {}, set(), set()
            return []
        given = texts.to_pylist()
        for text in given:
            if text not in self._known and len(text) <= _LONGEST_NAME:
                self._known.add(text)
                key = spelled(text)
                spellings = self.spellings.setdefault(key, [])
                spellings.append(text)
                if len(spellings) > 1:
                    self._groups.add(key)
        if not self._groups:
            return []
        here = set(given)
        return [text for key in self._groups for text in self.rare(key, tally) if text in here]

    def rare(self, key: str, tally: Tally) -> list[str]:
        """The spellings of a group but the most frequent one."""
        return sorted(self.spellings[key], key=lambda text: (-tally.counts.get(text, 0), text))[1:]

    def found(self, tally: Tally) -> list[tuple[str, list[str]]]:
        """Each group: its most frequent spelling and the others."""
        if not tally.exact:
            return []
        groups = [(set(self.spellings[key]), self.rare(key, tally)) for key in sorted(self._groups)]
        return [(next(iter(all_ - set(rare))), rare) for all_, rare in groups]


def spelled(text: str) -> str:
    """What texts have in common that are spelled differently only."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


class TextColumn:
    """Evidence on a column of texts.

    Parameters
    ----------
    limit : int
        Different values that are counted exactly.
    """

    def __init__(self, limit: int) -> None:
        self.rows = 0
        self.missing = 0
        self.missing_rows: list[int] = []
        self.tally = Tally(limit)
        self.characters = 0
        self.longest = 0
        self.spaced = 0
        self.numeric = 0
        self.decorated = 0
        self.present_rows: list[int] = []
        self.odd_rows: list[int] = []
        self.dated = 0
        self.undated_rows: list[int] = []
        self.variants = Variants()
        self.decorated_rows: list[int] = []
        self.long_rows: list[int] = []
        self.stand_ins: dict[str, int] = {}
        self.stand_in_rows: list[int] = []

    @property
    def values(self) -> int:
        """Number of texts that are there."""
        return self.rows - self.missing

    @property
    def numbers_with_units(self) -> bool:
        """Whether nearly all texts are numbers, many of them with a currency, a unit, or in brackets for minus."""
        return self.decorated >= 0.3 * self.values > 0 and self.decorated + self.numeric >= 0.95 * self.values

    @property
    def mostly_dates(self) -> bool:
        """Whether more than half of the texts are dates, but not all."""
        return 0.5 * self.values < self.dated < self.values

    @property
    def mostly_numbers(self) -> bool:
        """Whether more than half of the texts are numbers."""
        return self.numeric > 0.5 * self.values

    def add(self, array: pa.Array) -> None:
        """Take the next texts, with or without a dictionary."""
        gone = array.null_count
        if gone:
            self.missing += gone
            self._note(self.missing_rows, pc.is_null(array))
        present = array.drop_null() if gone else array
        if len(present):
            if len(self.present_rows) < SHOWN_ROWS:
                self._note(self.present_rows, pc.is_valid(array))
            values, counts = _counted(present)
            self.tally.add_counted(values, counts)
            self._look(array, values, counts)
        self.rows += len(array)

    def _look(self, array: pa.Array, texts: pa.Array, counts: pa.Array) -> None:
        weight = counts.to_numpy()
        lengths = pc.utf8_length(texts).to_numpy()
        self.characters += int((lengths * weight).sum())
        self.longest = max(self.longest, int(lengths.max()))
        self.spaced += _weighed(pc.match_substring(texts, " "), weight)
        numbers = pc.match_substring_regex(texts, _NUMBER)
        numeric = _weighed(numbers, weight)
        self.numeric += numeric
        # An amount may have no digits before its decimal sign, or none behind it, but not neither.
        decorated = pc.and_(pc.match_substring_regex(texts, _DECORATED), pc.match_substring_regex(texts, "[0-9]"))
        self.decorated += _weighed(decorated, weight)
        if len(self.decorated_rows) < SHOWN_ROWS and len(signed := texts.filter(pc.and_(decorated, pc.invert(numbers)))):
            self._note(self.decorated_rows, _among(array, signed))
        if lengths.max() > LONG_TEXT and len(self.long_rows) < SHOWN_ROWS:
            self._note(self.long_rows, _among(array, texts.filter(pc.greater(pc.utf8_length(texts), LONG_TEXT))))
        if 2 * numeric > len(array) and numeric < len(array) and len(self.odd_rows) < SHOWN_ROWS:
            self._note(self.odd_rows, _among(array, texts.filter(pc.invert(numbers))))
        dates = pc.match_substring_regex(texts, _DATE)
        dated = _weighed(dates, weight)
        self.dated += dated
        if 2 * dated > len(array) - array.null_count > dated and len(self.undated_rows) < SHOWN_ROWS:
            self._note(self.undated_rows, _among(array, texts.filter(pc.invert(dates))))
        if (found := self.variants.look(texts, self.tally)) and len(self.variants.rows) < SHOWN_ROWS:
            self._note(self.variants.rows, _among(array, pa.array(found, texts.type)))
        stand_in = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(texts)), _STAND_INS)
        if pc.any(stand_in).as_py():
            self._count_stand_ins(array, texts.filter(stand_in), counts.filter(stand_in))

    def _count_stand_ins(self, array: pa.Array, texts: pa.Array, counts: pa.Array) -> None:
        for text, count in zip(texts.to_pylist(), counts.to_pylist(), strict=True):
            self.stand_ins[text] = self.stand_ins.get(text, 0) + count
        self._note(self.stand_in_rows, _among(array, texts))

    def _note(self, rows: list[int], mask: pa.Array) -> None:
        wanted = SHOWN_ROWS - len(rows)
        if wanted > 0:
            places = np.flatnonzero(mask.to_numpy(zero_copy_only=False))[:wanted]
            rows += [int(place) + self.rows for place in places]

    def profile(self, column: Column) -> ColumnProfile:
        """What is in the column."""
        top = [ValueCount(value=_cut(str(text)), count=count) for text, count in self.tally.top(TOP)]
        return ColumnProfile(
            name=column.name,
            kind=column.kind,
            missing=self.missing,
            distinct=self.tally.distinct,
            distinct_exact=self.tally.exact,
            top=top,
            mean_length=self.characters / self.values if self.values else None,
        )


def _counted(present: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The different texts and how often each occurs; of a dictionary, those that are used."""
    if not pa.types.is_dictionary(present.type):
        found = pc.value_counts(present)
        return found.field(0), found.field(1)
    counts = np.bincount(present.indices.to_numpy(), minlength=len(present.dictionary))
    used = np.flatnonzero(counts)
    return present.dictionary.take(pa.array(used)), pa.array(counts[used])


def _among(array: pa.Array, texts: pa.Array) -> pa.Array:
    """Which cells hold one of some texts."""
    if pa.types.is_dictionary(array.type):
        return pc.fill_null(pc.is_in(array.dictionary, texts).take(array.indices), False)
    return pc.is_in(array, texts)


def _weighed(mask: pa.Array, weight: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    return int(weight[mask.to_numpy(zero_copy_only=False)].sum())


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "…"
