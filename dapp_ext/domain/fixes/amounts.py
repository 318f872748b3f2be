"""Numbers as people write them: with a currency, a unit, thousands, in brackets for minus."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import Any

import pyarrow as pa

from dapp_ext.domain.reading.numbers import decimal_sign
from dapp_ext.schema.datasets import ColumnKind

_SIGNS = r"[$€£¥%‰°]|US\$|USD|EUR|GBP|CHF|JPY"
_AFTER = re.compile(rf"^(?P<number>.*?\d[.,]?)\s*(?:{_SIGNS}|[^\W\d_]{{1,6}}[²³]?(?:/[^\W\d_]{{1,4}})?)$")
_BEFORE = re.compile(rf"^(?P<sign>[+-]?)\s*(?:{_SIGNS})\s*(?P<number>.+)$")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_LONGEST = 38


def amounts_of(counts: Counter[str]) -> tuple[dict[str, Any], ColumnKind, pa.DataType]:
    """Every text as a number, or None; and the kind and type that holds them all."""
    texts = list(counts)
    point = decimal_sign([_bare(text) for text in texts], ";" if any("," in text for text in texts) else ",")
    found = {text: read_amount(text, point) for text in texts}
    numbers = [number for number in found.values() if number is not None]
    if any(number != number.to_integral_value() or "." in str(number) for number in numbers):
        return {text: None if number is None else float(number) for text, number in found.items()}, "decimal", pa.float64()
    whole = {text: None if number is None else int(number) for text, number in found.items()}
    fits = all(-(2**63) <= number < 2**63 for number in whole.values() if number is not None)
    return whole, "integer", pa.int64() if fits else pa.decimal128(_LONGEST, 0)


def read_amount(text: str, point: str = ".") -> Decimal | None:
    """The number that a text stands for; None where it is none.

    Parameters
    ----------
    point : str
        What stands before the fraction; the other one of ``.`` and ``,`` stands between thousands.
    """
    number = _bare(text)
    negative = number.startswith("(") and number.endswith(")")
    number = _bare(number[1:-1]) if negative else number
    grouped = "," if point == "." else "."
    compact = re.sub(r"(?<=\d)[\s'\u2019](?=\d{3}(?!\d))", "", number)
    if grouped in compact:
        whole = compact.partition(point)[0].lstrip("+-")
        if not re.fullmatch(rf"\d{{1,3}}({re.escape(grouped)}\d{{3}})+", whole):
            return None
        compact = compact.replace(grouped, "")
    compact = compact.replace(point, ".")
    if not _PLAIN.fullmatch(compact) or len(compact) > _LONGEST:
        return None
    value = Decimal(compact)
    return -value if negative else value


def _bare(text: str) -> str:
    """The text without signs and units around the number."""
    bare = text.strip().replace("\u2212", "-")
    if (before := _BEFORE.match(bare)) is not None:
        bare = before["sign"] + before["number"].strip()
    if (after := _AFTER.match(bare)) is not None and not re.search(r"\d[eE][+-]?\d+$", bare):
        bare = after["number"].strip()
    return bare
