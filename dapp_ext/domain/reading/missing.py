"""What counts as a missing value.

An empty cell, or one of blanks only, is missing everywhere. Beyond that there are *marks*, texts that many programs
write for "no value":

* In a column whose other values are all numbers, dates, times or true/false, every mark in :data:`MARKS` is missing:
  there it cannot be anything else.
* In a text column the signs in :data:`SIGNS` (``?``, ``#N/A``, ``N/A``, ``<NA>``, ``NaN`` ...) are missing: nobody and nothing
  is called so; ``\\N`` is how databases write it into files.
* In a text column a *word* in :data:`WORDS` (``NA``, ``null``, ``nan``) may be a name, a country or a currency. It is
  missing only when the file itself uses that very spelling for missing numbers or dates, the column has no empty
  cells of its own, is not a column of two-letter codes, and either has few different values or holds the word in at
  least one of a hundred rows. Otherwise it stays text, and the notes say so.
* ``None``, ``-``, ``.``, ``missing`` and the like stay text in text columns: "none" is often a category of its own.

Whoever gives the marks (``ReadOptions.missing``) decides alone: exactly those, in every column.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

import pyarrow as pa

from dapp_ext.domain.reading.categories import FEW

SIGNS = frozenset(
    {"?", "#N/A", "#N/A N/A", "#NA", "N/A", "n/a", "<NA>", "NaN", "-NaN", "#NULL!", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "NaT", "\\N"}
)
WORDS = frozenset({"NA", "na", "Na", "nan", "NAN", "-nan", "null", "NULL", "Null"})
OTHERS = frozenset(
    {
        "None",
        "none",
        "NONE",
        "-",
        "--",
        "---",
        ".",
        "..",
        "...",
        "missing",
        "Missing",
        "MISSING",
        "n.a.",
        "N.A.",
        "(null)",
        "nil",
        "*",
        "0000-00-00",
        "0000-00-00 00:00:00",
    }
)
MARKS = SIGNS | WORDS | OTHERS


def as_set(marks: Set[str]) -> pa.Array:
    """The marks for Arrow's ``is_in``."""
    return pa.array(sorted(marks), pa.string())


@dataclass(frozen=True)
class TextFacts:
    """What the rule needs to know of a text column.

    Attributes
    ----------
    rows, empty : int
        Rows and empty cells.
    distinct : int or None
        Number of different values; None for many.
    codes : bool
        Whether all values are codes of two capital letters, as those of countries.
    """

    rows: int
    empty: int
    distinct: int | None
    codes: bool


def marks_in_text(found: Mapping[str, int], facts: TextFacts, file_marks: Set[str]) -> frozenset[str]:
    """The marks that count as missing in a text column, by the rule above.

    Parameters
    ----------
    found : mapping of str to int
        The marks in the column and how often they occur.
    facts : TextFacts
        The rest of the column.
    file_marks : set of str
        The marks that stand for missing values in the number and date columns of the file.
    """
    missing = {mark for mark in found if mark in SIGNS}
    for mark, count in found.items():
        if mark not in WORDS or mark not in file_marks or facts.empty or facts.codes:
            continue
        few = facts.distinct is not None and facts.distinct <= max(FEW, facts.rows // 20) and facts.rows > 2 * facts.distinct
        if few or count >= max(3, facts.rows / 100):
            missing.add(mark)
    return frozenset(missing)
