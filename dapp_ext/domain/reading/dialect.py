"""How a delimited text is written: delimiter, header row, lines before the table, blanks, decimal sign."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

import pyarrow as pa

from dapp_ext.domain.reading import numbers
from dapp_ext.domain.reading.texts import ALL, TEXT, TextColumn, tidy
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import ReadOptions

DELIMITERS = (",", ";", "\t", "|")
_RECORDS = 300
_PREAMBLE = 30
_FEW = 100

csv.field_size_limit(2**31 - 1)
"""Cells are bounded by the size of a record; the module's own limit of 128 KiB refuses honest long texts."""


@dataclass(frozen=True)
class Dialect:
    """How a delimited text is written.

    Attributes
    ----------
    skip : int
        Lines before the table.
    names : tuple of str
        The cells of the header row; empty without a header.
    width : int
        Cells in a row.
    blanks : bool
        Blanks after a delimiter belong to it.
    line_end : str
        The last character of a line end.
    """

    delimiter: str
    decimal: str
    header: bool
    names: tuple[str, ...]
    width: int
    skip: int = 0
    blanks: bool = False
    line_end: str = "\n"
    row_names: bool = False


def records(text: str, delimiter: str, *, blanks: bool = False) -> list[list[str]]:
    """The records of a text; empty lines are left out.

    Raises
    ------
    csv.Error
        The text cannot be taken apart.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=blanks)
    return [row for row in reader if len(row) > 1 or (row and row[0].strip())]


def sniff(sample: str, options: ReadOptions, *, complete: bool) -> Dialect:
    """Guess what the options leave open.

    Parameters
    ----------
    sample : str
        The beginning of the text.
    complete : bool
        Whether it is the whole text; else the last line is left out as it may be cut.
    """
    line_end = "\n" if "\n" in sample else "\r"
    text = sample if complete else sample[: sample.rfind(line_end) + 1] or sample
    delimiter, told = _told_delimiter(text, options)
    if told:
        text = text[text.find(line_end) + 1 :]
    found = _delimiter(text) if delimiter is None else delimiter
    skipped, rows = _table_rows(text, found, line_end)
    blanks = _blanks_follow(rows)
    if blanks:
        rows = [[cell.lstrip(" ") for cell in row] for row in rows]
    if not rows:
        raise FileUnreadable("The file has no data: there is nothing but empty lines in it.")
    dialect = Dialect(found, ".", True, (), len(rows[0]), skip=skipped + told, blanks=blanks, line_end=line_end)
    return _with_header(dialect, rows, options)


def _told_delimiter(text: str, options: ReadOptions) -> tuple[str | None, int]:
    """The delimiter that the options or a first line ``sep=;`` name, and how many lines say so."""
    first = text.split("\n", 1)[0].strip('\r \ufeff"')
    said = first[4:5] if first.lower().startswith("sep=") and len(first) == 5 else None
    chosen = options.delimiter or said
    if chosen is not None and (chosen in '"\r\n' or not chosen.isascii()):
        raise FileUnreadable("This character cannot separate cells. Choose a comma, a semicolon, a tab or a bar.")
    return chosen, 1 if said else 0


def _delimiter(text: str) -> str:
    """The delimiter under which most records have the same number of cells, more than one; a comma where there is none."""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        if delimiter not in text:
            continue
        try:
            rows = records(text, delimiter)[: _RECORDS + _PREAMBLE]
        except csv.Error:
            continue
        widths = Counter(len(row) for row in rows)
        width, share = _main_width(widths, len(rows))
        if width < 2 or not any(len(row) in (width, width - 1) and len(row) > 1 for row in rows[:_PREAMBLE]):
            continue
        header = next(row for row in rows if len(row) > 1)
        if len(rows) > 1 and len(rows[0]) == 1 and share < 1 and not _looks_like_preamble(rows, width):
            continue
        score = share * (1 + min(width, 50) / 100) + 0.05 * (len(header) == width)
        if share >= 0.5 and score > best_score:
            best, best_score = delimiter, score
    return best


def _main_width(widths: Counter[int], total: int) -> tuple[int, float]:
    wide = [(count, width) for width, count in widths.items() if width > 1]
    if not wide:
        return 1, 1.0
    count, width = max(wide)
    return width, count / total


def _looks_like_preamble(rows: list[list[str]], width: int) -> bool:
    """Whether a few lines of one cell stand before rows that are all alike."""
    start = next((number for number, row in enumerate(rows) if len(row) > 1), len(rows))
    rest = rows[start:]
    return start <= _PREAMBLE and len(rest) > 1 and len(rest[0]) == width and sum(len(row) == width for row in rest) >= 0.9 * len(rest)


def _table_rows(text: str, delimiter: str, line_end: str) -> tuple[int, list[list[str]]]:
    """How many lines stand before the table, and the records of the sample from there on."""
    lines = [line + line_end for line in text.split(line_end)]
    skipped = 0
    while skipped < len(lines) and not lines[skipped].strip():
        skipped += 1
    rows = _records_or_refuse("".join(lines[skipped:]), delimiter)
    width, share = _main_width(Counter(len(row) for row in rows), max(len(rows), 1))
    if width > 1 and share > 0.5 and rows and len(rows[0]) == 1 and _looks_like_preamble(rows, width):
        while skipped < len(lines) and len(_records_or_refuse(lines[skipped], delimiter) or [[""]]) and _width_of(lines[skipped], delimiter) < 2:
            skipped += 1
        rows = _records_or_refuse("".join(lines[skipped:]), delimiter)
    return skipped, rows


def _width_of(line: str, delimiter: str) -> int:
    rows = _records_or_refuse(line, delimiter)
    return len(rows[0]) if rows else 0


def _records_or_refuse(text: str, delimiter: str) -> list[list[str]]:
    try:
        return records(text, delimiter)
    except csv.Error as error:
        raise FileUnreadable("The text could not be taken apart into cells. Save it as CSV (UTF-8) and upload it again.") from error


def _blanks_follow(rows: list[list[str]]) -> bool:
    """Whether nearly every delimiter is followed by a blank."""
    later = [cell for row in rows[:_FEW] for cell in row[1:200]]
    return bool(later) and sum(cell.startswith(" ") for cell in later) >= 0.95 * len(later) and any(cell.strip() for cell in later)


def _with_header(dialect: Dialect, rows: list[list[str]], options: ReadOptions) -> Dialect:
    body = rows[1:]
    widths = Counter(len(row) for row in body)
    usual = widths.most_common(1)[0][0] if widths else len(rows[0])
    row_names = len(rows[0]) > 1 and usual == len(rows[0]) + 1 and widths[usual] == len(body) and any(row[-1].strip() for row in body)
    cells = [cell for row in rows[:_FEW] for cell in row]
    decimal = options.decimal or numbers.decimal_sign(cells, dialect.delimiter)
    first = ["", *rows[0]] if row_names else rows[0]
    header = options.header if options.header is not None else row_names or _is_header(first, body[:_FEW])
    return replace(
        dialect,
        decimal=decimal,
        header=header,
        names=tuple(first) if header else (),
        width=len(first) if header else max(usual, len(first)),
        row_names=row_names and header,
    )


def _is_header(first: list[str], body: list[list[str]]) -> bool:
    """Whether the first row names the columns.

    It does when some column has text there and numbers, dates or true/false below; it does not when a column has
    these in the first row already, or when all is text and the first row's texts come again below.
    """
    if not body:
        return any(cell.strip() and _type_of([cell]) == TEXT for cell in first)
    seen_typed = repeated = False
    for place, name in enumerate(first):
        below = [row[place] for row in body if place < len(row)]
        kind = _type_of(below)
        if kind in (None, TEXT):
            repeated |= bool(name.strip()) and name in below
        elif _type_of([name]) == TEXT:
            return True
        else:
            seen_typed |= bool(name.strip())
    return (not seen_typed or counts_up(first)) and not repeated


def counts_up(cells: list[str]) -> bool:
    """Whether a row holds a text and, beside it, whole numbers that go up by one, as years over columns do."""
    numbered = [int(cell) for cell in cells if cell.strip().isascii() and cell.strip().isdigit()]
    others = [cell for cell in cells if not cell.strip().isdigit()]
    steps = {after - before for before, after in pairwise(numbered)}
    return len(numbered) > 1 and steps == {1} and any(cell.strip() for cell in others) and _type_of(others) == TEXT


def _type_of(cells: list[str]) -> str | None:
    column = TextColumn(ALL)
    column.look(tidy(pa.array([cell if cell else None for cell in cells], pa.string())))
    return column.reading
