"""Whether the first row of a text names the columns: told by what kind of values stand in it and below it."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa

from dapp_ext.domain.reading.amounts import AMOUNT
from dapp_ext.domain.reading.texts import ALL, TEXT, TextColumn, tidy

_FIRST_YEAR, _LAST_YEAR = 1800, 2200
_DATES = frozenset({"iso_date", "iso_datetime", "date"})
_NOT_NUMBERS = _DATES | {None, TEXT, "iso_zoned", "named_zone", "time", "duration", "true_false", "yes_no"}


def is_header(first: list[str], body: list[list[str]]) -> bool:
    """Whether the first row names the columns.

    It does when some column has text there and numbers, dates or true/false below; it does not when a column has
    these in the first row already, or when all is text and the first row's texts come again below.
    """
    if not body:
        return any(cell.strip() and type_of([cell]) == TEXT for cell in first)
    seen_typed = repeated = False
    for place, name in enumerate(first):
        below = [row[place] for row in body if place < len(row)]
        kind = type_of(below)
        if kind in (None, TEXT):
            repeated |= bool(name.strip()) and name in below
        elif (named := type_of([name])) == TEXT or (named == AMOUNT != kind):
            return True  # "95%" over other numbers is a name
        else:
            seen_typed |= bool(name.strip())
    return (not seen_typed or counts_up(first) or _dates_over_numbers(first, body)) and not repeated


def _dates_over_numbers(first: list[str], body: list[list[str]]) -> bool:
    """Whether a row holds different dates, as months over their amounts, and else texts."""
    dated = [place for place, cell in enumerate(first) if cell.strip() and type_of([cell]) in _DATES]
    others = [cell for place, cell in enumerate(first) if place not in dated]
    below = [type_of([row[place] for row in body if place < len(row)]) for place in dated]
    return (
        len({first[place] for place in dated}) == len(dated) > 1 and all(type_of([cell]) in (None, TEXT) for cell in others) and _NOT_NUMBERS.isdisjoint(below)
    )


def counts_up(cells: list[str]) -> bool:
    """Whether a row holds a text and, beside it, whole numbers that go up by one, as years over columns do; two may as well be amounts."""
    numbered = [int(cell) for cell in cells if cell.strip().isascii() and cell.strip().isdigit()]
    others = [cell for cell in cells if not cell.strip().isdigit()]
    steps = {after - before for before, after in pairwise(numbered)}
    enough = len(numbered) > 2 or (len(numbered) == 2 and all(_FIRST_YEAR <= number <= _LAST_YEAR for number in numbered))
    return enough and steps == {1} and any(cell.strip() for cell in others) and type_of(others) == TEXT


def is_typed(cells: list[str]) -> bool:
    """Whether cells are numbers, dates or the like, all of them."""
    return type_of(cells) not in (None, TEXT)


def type_of(cells: list[str]) -> str | None:
    """How some cells together are read; None for empty ones."""
    column = TextColumn(ALL)
    column.look(tidy(pa.array([cell if cell else None for cell in cells], pa.string())))
    return column.reading
