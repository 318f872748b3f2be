"""A file for every finding: small, and with that one trouble.

No fix is offered for what is no trouble (a likely target), nor for what only reading the file again can mend (values that are
not of the chosen kind, lines that were left out).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.domain.documents import document

_DICE = random.Random(5)
_USUAL = [round(_DICE.gauss(50, 5), 2) for _ in range(200)]


def _csv(*columns: tuple[str, list[object]]) -> bytes:
    names, values = zip(*columns, strict=True)
    lines = [",".join(names)] + [",".join("" if value is None else str(value) for value in row) for row in zip(*values, strict=True)]
    return ("\n".join(lines) + "\n").encode()


def _beside(count: int) -> tuple[str, list[object]]:
    """A column that is in order, and tells the rows apart."""
    return "beside", [f"{_WORDS[number % 10]} {_WORDS[number // 10 % 10]} {_WORDS[number // 100 % 10]}" for number in range(count)]


_WORDS = ("red", "green", "blue", "grey", "pink", "teal", "gold", "plum", "rust", "lime")


@dataclass(frozen=True)
class Shown:
    """A file that shows a finding without a fix: how it is read, and how it is read again so that the finding goes, where that can be."""

    data: bytes
    filename: str = "t.csv"
    options: dict[str, Any] = field(default_factory=dict)
    again: dict[str, Any] | None = None
    rows: tuple[int, ...] = ()


SHOWN: dict[str, Shown] = {
    "likely_target": Shown(_csv(_beside(40), ("churned", [number % 2 for number in range(40)])), rows=tuple(range(20))),
    "missing_marks": Shown(b"a,b\n1,x\nNA,y\n3,z\n", again={"missing": ["-"]}, rows=(1,)),
    "ragged_rows": Shown(b"a,b,c\n1,2,3\n4,5\n6,7,8\n", rows=(1,)),
    "not_converted": Shown(b"a,b\n1,x\nten,y\n3,z\n", options={"types": {"a": "integer"}}, again={"types": {"a": "text"}}, rows=(1,)),
    "left_out": Shown(b" a | b \n---+---\n 1 | x \n 2 | y \n 3 | z \n(3 rows)\n", again={"extra_rows": "keep"}),
    "texts_as_dates": Shown(
        document({"S": [["d", "n"], [date(2024, 1, 3), 1], ["2024-01-05", 2], [date(2024, 1, 7), 3]]}), "t.ods", again={"types": {"d": "text"}}, rows=(1,)
    ),
    "mixed_zones": Shown(b"t,v\n2024-01-01T00:00:00Z,1\n2024-01-01T00:00:00+02:00,2\n", again={"types": {"t": "text"}}, rows=(1,)),
    "mostly_one_value": Shown(_csv(("a", ["other" if number == 70 else "same" for number in range(200)]), _beside(200)), rows=tuple(range(20))),
}
WITHOUT_FIX = set(SHOWN)
TROUBLED: dict[str, bytes] = {
    "duplicate_rows": b"a,b\n1,x\n2,y\n2,y\n3,z\n",
    "missing_values": _csv(("a", [number % 5 if number % 9 else None for number in range(60)]), _beside(60)),
    "empty_column": _csv(("a", [None] * 30), _beside(30)),
    "constant_column": _csv(("a", ["same"] * 30), _beside(30)),
    "identifier_like": _csv(("customer_id", list(range(1000, 1060))), ("b", [number % 4 for number in range(60)])),
    "disguised_missing": _csv(("a", [9999 if number % 10 == 0 else number % 7 for number in range(60)]), _beside(60)),
    "mixed_types": _csv(("a", ["many" if number % 10 == 0 else number % 30 for number in range(60)]), _beside(60)),
    "numbers_as_text": _csv(("a", [f"{number % 25}.5 kg" for number in range(60)]), _beside(60)),
    "compact_dates": _csv(("a", [20240100 + 1 + number % 28 for number in range(60)]), _beside(60)),
    "outliers": _csv(("a", [100_000.5, *_USUAL[:199]]), _beside(200)),
    "infinite_values": _csv(("a", ["inf", "-inf", *_USUAL[:198]]), _beside(200)),
    "skewed": _csv(("a", [round(math.exp(_DICE.gauss(0, 2.5)), 4) for _ in range(900)]), _beside(900)),
    "high_cardinality": _csv(
        ("a", [f"word {_WORDS[number % 10]} {number if number > 60 else number % 3}" for number in range(200)]), ("b", [n % 4 for n in range(200)])
    ),
    "date_gaps": _csv(("day", [f"2024-{1 + number // 28:02d}-{1 + number % 28:02d}" for number in range(28) if number not in (9, 10, 20)]), _beside(25)),
    "ambiguous_dates": _csv(("day", [f"{1 + number % 11:02d}/{1 + number % 12:02d}/2024" for number in range(40)]), _beside(40)),
    "totals_row": _csv(("a", [*range(3, 30), sum(range(3, 30))]), ("b", [*(_WORDS[number % 7] for number in range(27)), "Total"])),
    "repeated_headers": b"name,place\nAnn,Oslo\nBob,Lima\nname,place\nCy,Pune\n",
    "mixed_dates": _csv(("a", ["soon" if number == 9 else f"2024-01-{1 + number % 28:02d}" for number in range(60)]), _beside(60)),
    "spelling_variants": _csv(("a", ["oslo" if number % 9 == 0 else ("Oslo", "Lima", "Pune")[number % 3] for number in range(60)]), _beside(60)),
    "long_text": b"a,b\n" + b"x" * 30_000 + b",1\nshort,2\n",
}
