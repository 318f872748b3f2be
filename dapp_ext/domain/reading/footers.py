"""Lines below the table of a delimited text: totals, and notes such as where it comes from.

Only what is surely no row is left out: a note that stands alone on its line, with words in it; and a line of totals whose
word would turn a column of numbers or dates into texts. Other totals are a finding, as rows like the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

TOTALS = re.compile(r"(grand |sub ?)?totals?( ?: ?\w.*)?|sums?|summe|gesamt(summe)?|insgesamt|totaux|totale?s?|suma", re.IGNORECASE)
_NOTE = re.compile(r"\S+\s+\S|\S+:\s*\S")
_SURE_NOTE = re.compile(r"\(\d+ [\w ]+\)|[^:]{3,30}: .+|(source|note|generated|exported|printed|report|page|copyright|©|\*|end of)\b.*", re.IGNORECASE)
_MOST = 12
_FEWEST = 3
_LOOKED_AT = 100
_NARROWEST = 3
"""Columns that a table must have at least, for a line of one cell to be no row of it."""


@dataclass(frozen=True)
class Footer:
    """How many of the last lines are no rows, and whether one of them holds totals."""

    lines: int = 0
    notes: int = 0
    totals: int = 0


def footer_of(lines: Sequence[str], rows_of: Callable[[str], list[str]], width: int, is_typed: Callable[[list[str]], bool]) -> Footer:
    """What stands below the table.

    Parameters
    ----------
    lines : sequence of str
        The last lines of the text, each a whole record.
    rows_of : callable
        The cells of a line.
    is_typed : callable
        Whether cells are numbers, dates or the like, all of them.
    """
    below = _below_a_gap(lines, rows_of, width)
    end, notes = len(lines) - below, sum(bool(line.strip()) for line in lines[len(lines) - below :]) if below else 0
    first = [row[0] for line in lines[-_LOOKED_AT:] if len(row := rows_of(line)) == width]
    pattern = _NOTE if is_typed(first) or is_typed(first[:-1]) else _SURE_NOTE
    while end and len(lines) - end < _MOST:
        row = rows_of(lines[end - 1])
        if row and not _is_note(row, width, _NOTE if (gap := end > 1 and not lines[end - 2].strip()) else pattern, after_gap=gap):
            break
        notes += bool(row)
        end -= 1
    if not notes:
        end = len(lines)
        while end and not lines[end - 1].strip():
            end -= 1
    body = [row for line in lines[max(0, end - 1 - _LOOKED_AT) : end - 1] if (row := rows_of(line))] if end else []
    totals = int(end > 0 and len(body) >= _FEWEST and _is_total(rows_of(lines[end - 1]), body, is_typed))
    if (not notes and not totals) or (len(body) < _FEWEST and not below):
        return Footer()
    return Footer(len(lines) - end + totals, notes, totals)


def _below_a_gap(lines: Sequence[str], rows_of: Callable[[str], list[str]], width: int) -> int:
    """How many of the last lines stand below the last empty line, and are no rows of so wide a table: with a single cell each."""
    gap = next((place for place in range(len(lines) - 1, -1, -1) if not lines[place].strip() and any(line.strip() for line in lines[place:])), None)
    if gap is None or width < _NARROWEST or len(lines) - gap > _MOST or gap < _FEWEST:
        return 0
    filled = [[cell for cell in rows_of(line) if cell.strip()] for line in lines[gap:] if line.strip()]
    words = all(len(cells) == 1 and re.search(r"[^\W\d_]", cells[0]) for cells in filled)
    usual = sum(len(rows_of(line)) == width for line in lines[max(0, gap - _LOOKED_AT) : gap] if line.strip())
    return len(lines) - gap if words and usual >= _FEWEST else 0


def _is_note(row: Sequence[str], width: int, pattern: re.Pattern[str], *, after_gap: bool) -> bool:
    text = row[0].strip()
    alone = width >= _NARROWEST and bool(text) and not any(cell.strip() for cell in row[1:])
    return alone and (len(row) == 1 or after_gap) and pattern.match(text) is not None


def _is_total(row: Sequence[str], body: Sequence[Sequence[str]], is_typed: Callable[[list[str]], bool]) -> bool:
    """Whether a word such as Total stands alone beside numbers, in a column that has none but numbers or dates above."""
    words = [(place, cell.strip()) for place, cell in enumerate(row) if cell.strip()]
    if len(words) < 2 or TOTALS.fullmatch(words[0][1].strip(" :")) is None:
        return False
    above = [[each[place] for each in body if place < len(each)] for place, _ in words]
    return is_typed(above[0]) and all(is_typed([text]) for _, text in words[1:])
