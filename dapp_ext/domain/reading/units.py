"""What the numbers of a workbook are counted in, told by the formats of their cells: ``#,##0.00 "€"`` shows euros.

The value of a cell is the number without its format, so a percentage is a fraction: 0.25 where the sheet shows 25%.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from dapp_ext.domain.reading.table import Notes, named

PERCENT = "percent"
"""Stands for formats that show a fraction as a percentage."""
ZEROS = "zeros"
"""Stands for formats that show zeros before a number, as of a postcode."""
PLAIN = ""
"""Stands for numbers without a unit."""
_LONGEST = 12
_FEWEST = 2
"""So many cells with a unit speak for it, where at most one has none, such as a year above."""
_BUILT_IN_PERCENT = ("9", "10")
_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[0-9A-Fa-f,]*)?\]")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|([$€£¥₹₩₽%])')
_INVISIBLE = re.compile(r"_.|\*.")
_BRACKETS = re.compile(r"\[[^\]]*\]")
_DATE = re.compile(r"[ymdhs]|general", re.IGNORECASE)
_SCALED = re.compile(r"[0#?],+(?![0#?,])")
_SIGNS = frozenset("$€£¥₹₩₽₺₪฿")
_PADDED = re.compile(r"0{2,}")
_NUMBER = re.compile(r"[0#?][0#?.,]*")
_CELL = re.compile(rb'<(?:\w+:)?c\s+r="([A-Z]+)[0-9]+"(?:\s+s="([0-9]+)")?(?:\s+t="(\w+)")?[^>/]*>')
_CODES = {"EUR": "€", "USD": "$", "GBP": "£"}


def unit_of_format(code: str) -> str:
    """The unit that a number format shows beside a number; :data:`PERCENT`, :data:`ZEROS` for what it shows otherwise, :data:`PLAIN` where there is none.

    Parameters
    ----------
    code : str
        A format code of ECMA-376, part 1, 18.8.31.
    """
    first = _first_section(code)
    if re.search(r"\[[<>=]", first):
        return PLAIN  # what is shown depends on the value
    money = _CURRENCY.findall(first)
    bare = _INVISIBLE.sub("", _CURRENCY.sub(lambda found: f'"{found[1]}"', first))
    shown = [(found.start(), found[1] or found[2] or found[3] or "") for found in _LITERAL.finditer(bare)]
    left = _BRACKETS.sub("", _LITERAL.sub("", bare))
    if _DATE.search(left) or "/" in left:
        return PLAIN
    if any(text == "%" for _, text in shown):
        return PERCENT
    if _PADDED.fullmatch(code):
        return ZEROS
    number = _NUMBER.search(_LITERAL.sub(lambda found: " " * len(found[0]), bare))
    if number is None or _SCALED.search(left):
        return PLAIN
    before = "".join(text for place, text in shown if place < number.start()).strip(" ()-+\u00a0")
    after = "".join(text for place, text in shown if place > number.start()).strip(" ()-+\u00a0")
    if before and not (before in money or set(before) & _SIGNS or before in _CODES):
        return PLAIN  # "Nr. "0000 shows codes
    unit = before or after
    told = bool(unit) and not (before and after) and len(unit) <= _LONGEST and not any(sign.isdigit() for sign in unit)
    return _CODES.get(unit, unit) if told and (any(sign.isalpha() for sign in unit) or set(unit) & (_SIGNS | {"°"})) else PLAIN


def _first_section(code: str) -> str:
    """The part of a format that positive numbers are shown by."""
    quoted = False
    for place, sign in enumerate(code):
        quoted ^= sign == '"'
        if sign == ";" and not quoted and code[place - 1 : place] != "\\":
            return code[:place]
    return code


def units_of_styles(styles: ElementTree.Element) -> dict[bytes, str]:
    """The units of the styles of a workbook, by their numbers; empty where none shows any.

    Parameters
    ----------
    styles : Element
        The part ``xl/styles.xml``.
    """
    codes: dict[str | None, str] = dict.fromkeys(_BUILT_IN_PERCENT, "0%")
    found: dict[bytes, str] = {}
    for element in styles:
        tag = element.tag.rsplit("}", 1)[-1]
        if tag == "numFmts":
            codes |= {each.get("numFmtId"): each.get("formatCode", "") for each in element}
        elif tag == "cellXfs":
            for number, each in enumerate(element):
                if unit := unit_of_format(codes.get(each.get("numFmtId"), "")):
                    found[str(number).encode()] = unit
    return found


def count_units(text: bytes, styles: Mapping[bytes, str], units: dict[bytes, Counter[str]]) -> None:
    """Count the units of the numbers of a piece of a sheet, by the letters of their column."""
    for letters, style, kind in _CELL.findall(text):
        if kind in (b"", b"n"):
            units.setdefault(letters, Counter())[styles.get(style, PLAIN)] += 1


def unit_of_currency(code: str | None) -> str:
    """How the ISO code of a currency is shown."""
    return _CODES.get(code, code) if code else PLAIN


def common_unit(counts: Sequence[Counter[str]]) -> str:
    """The unit that all numbers of a column have; :data:`PLAIN` where they have none or several."""
    total = sum(counts, Counter())
    plain = total.pop(PLAIN, 0)
    unit, count = total.most_common(1)[0] if total else (PLAIN, 0)
    return unit if len(total) == 1 and count >= _FEWEST and plain <= 1 else PLAIN


def is_shown(unit: str) -> bool:
    """Whether it is a unit that stands beside numbers."""
    return unit not in (PERCENT, ZEROS, PLAIN)


def tell_units(names: Sequence[str], units: Sequence[str], notes: Notes) -> None:
    """Say what the formats of the cells show beyond the numbers."""
    of = {each: [name for name, unit in zip(names, units, strict=True) if unit == each] for each in (PERCENT, ZEROS)}
    if of[PERCENT]:
        notes.add(f"Percentages are kept as the workbook holds them, as fractions (0.25 where it shows 25%), in {named(of[PERCENT])}.")
    if of[ZEROS]:
        notes.add(f"The workbook shows zeros before the numbers of {named(of[ZEROS])}, which its cells do not have; they were read as plain numbers.")
    if shown := [name for name, unit in zip(names, units, strict=True) if is_shown(unit)]:
        notes.add(f"The unit that the formats of the cells show is kept with {named(shown)}.")
