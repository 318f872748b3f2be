"""A file for every finding that offers a fix: small, and with that one trouble.

Nothing is offered for what is no trouble (a likely target, marks that were read as missing), nor for what only reading
the file again can mend (rows of uneven length, values that are not of the chosen kind).
"""

from __future__ import annotations

import math
import random

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

WITHOUT_FIX = {"likely_target", "missing_marks", "ragged_rows", "not_converted", "left_out", "texts_as_dates", "mixed_zones", "mostly_one_value"}
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
