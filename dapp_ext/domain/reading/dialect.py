"""How a delimited text is written: delimiter, header row, lines before the table, blanks, decimal sign."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from dapp_ext.domain.reading import layouts, numbers
from dapp_ext.domain.reading.first_rows import is_header, is_typed, type_of
from dapp_ext.domain.reading.headings import joined_names, names_in_two_rows
from dapp_ext.domain.reading.table import check_columns
from dapp_ext.domain.reading.texts import TEXT
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import ReadOptions

DELIMITERS = (",", ";", "\t", "|")
RARE_DELIMITERS = ("\x01", "\x1f", "\x1e", "\x02", "~", "^")
"""What programs write between cells where nothing usual would do; taken only where every line has the same number of them."""
_RECORDS = 300
_PREAMBLE = 30
_FEW = 100
_NARROWEST = 3
_FEWEST = 5
"""Lines from which on a sign that stands once in each of them may be a delimiter."""
_LETTERHEAD = 4
"""Cells that a table must have at least, for lines of one or two cells before it to be no rows of it."""
_MOST_COMMENTS = 1000
_MANY_LONG = 0.2
"""From this share of rows that are too long the header is too short, and no row is broken."""

_ACCOUNTING = re.compile(r'\ufeff?"?(?:EXTF|DTVF)"?;\d+;')

csv.field_size_limit(2**31 - 1)
"""Cells are bounded by the size of a record; the module's own limit of 128 KiB refuses honest long texts."""


@dataclass(frozen=True)
class Cells:
    """How the cells of a text are told apart.

    Attributes
    ----------
    quote : str
        What stands around a cell that holds delimiters or line ends; empty for nothing.
    blanks : bool
        Blanks after a delimiter belong to it.
    """

    delimiter: str
    quote: str = '"'
    blanks: bool = False

    def rows(self, text: io.StringIO) -> Any:
        """Python's reader for such cells."""
        if not self.quote:
            return csv.reader(text, delimiter=self.delimiter, skipinitialspace=self.blanks, quoting=csv.QUOTE_NONE)
        return csv.reader(text, delimiter=self.delimiter, skipinitialspace=self.blanks, quotechar=self.quote)

    def records(self, text: str) -> list[list[str]]:
        """The records of a text; empty lines are left out.

        Raises
        ------
        csv.Error
            The text cannot be taken apart.
        """
        return [row for row in self.rows(io.StringIO(text, newline="")) if len(row) > 1 or (row and row[0].strip())]

    def width(self, line: str) -> int:
        """Number of cells of one line; 0 where it is empty."""
        rows = _records_or_refuse(self, line)
        return len(rows[0]) if rows else 0


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
    line_end : str
        The last character of a line end.
    row_names : bool
        The header has no name for the first column.
    comment : str
        Lines that begin with it are left out; empty for none.
    sure_comment : bool
        Whether it was chosen: a guessed one counts only for lines that are no rows of the table.
    keeps_extra : bool
        Cells beyond the width get columns of their own.
    escaped : bool
        A backslash stands before quotes inside quoted cells, where others double them.
    rule : str
        The line of dashes that draws the table, left out wherever it stands; empty for none.
    header_rows : int
        Rows that name the columns, where there is a header.
    drop_headers : bool
        Rows with the same texts as the header are headers again; else they may be data.
    prose : str
        What stands in sentences and was not taken to part cells; empty for nothing.
    spaced : bool
        A blank stands before nearly every delimiter, too.
    """

    cells: Cells
    decimal: str
    header: bool
    names: tuple[str, ...]
    width: int
    skip: int = 0
    line_end: str = "\n"
    row_names: bool = False
    comment: str = ""
    sure_comment: bool = False
    keeps_extra: bool = False
    escaped: bool = False
    rule: str = ""
    header_rows: int = 1
    drop_headers: bool = True
    prose: str = ""
    spaced: bool = False

    @property
    def padded(self) -> bool:
        """Whether cells are filled up with blanks to stand under each other between bars."""
        return (bool(self.rule) or self.spaced) and self.delimiter == "|"

    @property
    def delimiter(self) -> str:
        """What stands between cells."""
        return self.cells.delimiter

    @property
    def blanks(self) -> bool:
        """Whether blanks after a delimiter belong to it."""
        return self.cells.blanks


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
    text = text.replace(line_end + "\ufeff", line_end)
    escaped = escapes(text, line_end, options)
    if escaped:
        text = doubled(text)
    delimiter, told = _told_delimiter(text, options)
    quote = _quote(text, options)
    skipped = told if options.header_row is None else options.header_row - 1
    text = _after(text, skipped, line_end)
    comment, leading = _comments(text, line_end, options)
    if comment:
        skipped += leading
        rest = _after(text, leading, line_end).split(line_end)
        text = line_end.join([rest[0], *(line for line in rest[1:] if not line.startswith(comment))])
    text, rule, drawn = _without_rules(text, line_end, options)
    cells, prose = Cells(_delimiter(text, quote) if delimiter is None else delimiter, quote), ""
    if delimiter is None and options.layout is None and layouts.is_prose(text, cells.delimiter, is_typed):
        cells, prose = Cells(layouts.PARTED, quote), cells.delimiter
    before, rows = _table_rows(text, cells, line_end, look=options.header_row is None)
    for number in drawn:
        before += number <= before
    spaced = cells.delimiter == "|" and _blanks_follow(rows) and _blanks_precede(rows)
    if _blanks_follow(rows) or (rule and cells.delimiter == "|"):
        cells = replace(cells, blanks=True)
        rows = [[cell.lstrip(" ") for cell in row] for row in rows]
    if not rows or (complete and not any(cell.strip() for row in rows for cell in row)):
        raise FileUnreadable("The file has no data: there is nothing but empty lines in it.")
    check_columns(max(len(row) for row in rows))
    if comment and rows[0][0].startswith(comment):
        rows[0][0] = rows[0][0].lstrip(comment).lstrip()  # the last comment names the columns
    dialect = Dialect(cells, ".", True, (), len(rows[0]), skipped + before, line_end, comment=comment, sure_comment=bool(options.comment), escaped=escaped)
    return _with_header(replace(dialect, rule=rule, prose=prose, spaced=spaced), rows, options)


def _without_rules(text: str, line_end: str, options: ReadOptions) -> tuple[str, str, list[int]]:
    """The text without the lines that only draw, what these look like, and which they are, from 0."""
    lines = text.split(line_end) if options.extra_rows != "keep" and ("--" in text or "==" in text) else []
    rule = layouts.rule_in([line.rstrip() for line in lines]) if lines else ""
    if not rule:
        return text, "", []
    drawn = [number for number, line in enumerate(lines) if layouts.is_drawn(line.encode(), rule.encode())]
    return line_end.join(line for number, line in enumerate(lines) if number not in set(drawn)), rule, drawn


_ESCAPED = re.compile(r'\\(["\\])')


def doubled(text: str) -> str:
    """A text with its quotes doubled where a backslash stood before them, and two backslashes as one."""
    return _ESCAPED.sub(lambda found: '""' if found[1] == '"' else "\\", text)


def escapes(text: str, line_end: str, options: ReadOptions) -> bool:
    """Whether a backslash stands before quotes inside quoted cells: lines with such quotes are well formed so, and not otherwise."""
    if options.escape is not None or '\\"' not in text or options.quote not in (None, '"'):
        return options.escape == "backslash"
    lines = [line for line in text.split(line_end) if '\\"' in line][:_FEW]
    best_plain = best_escaped = 0
    for delimiter in DELIMITERS:
        best_plain = max(best_plain, sum(_well_formed(line, delimiter) for line in lines))
        best_escaped = max(best_escaped, sum(_well_formed(doubled(line), delimiter) for line in lines))
    return best_escaped > 2 * best_plain


def _well_formed(line: str, delimiter: str) -> bool:
    """Whether quotes stand around whole cells only, and some do."""
    return '"' in line and _proper(delimiter).fullmatch(line.rstrip("\r")) is not None


@cache
def _proper(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    cell = rf'(?: *"(?:[^"]|"")*+" *|[^"{mark}]*+)'
    return re.compile(rf"{cell}(?:{mark}{cell})*+")


def _after(text: str, lines: int, line_end: str) -> str:
    """The text without its first lines."""
    place = 0
    for _ in range(lines):
        place = text.find(line_end, place) + 1
        if not place:
            raise FileUnreadable(f"The file has fewer than {lines + 1:,} lines, so no table begins there. Choose another row for the header.")
    return text[place:]


def _told_delimiter(text: str, options: ReadOptions) -> tuple[str | None, int]:
    """The delimiter that the options or a first line name (``sep=;``, or that of DATEV, ``"EXTF";700;...``), and how many lines say so."""
    first = text.split("\n", 1)[0].strip('\r \ufeff"')
    said = first[4:5] if first.lower().startswith("sep=") and len(first) == 5 else None
    chosen = options.delimiter or said
    if chosen is not None and (chosen in '"\r\n\0' or not chosen.isascii()):
        raise FileUnreadable("This character cannot separate cells. Choose a comma, a semicolon, a tab, a bar or another sign of ASCII.")
    if _ACCOUNTING.match(text):
        return chosen or ";", 1
    return chosen, 1 if said else 0


def _quote(text: str, options: ReadOptions) -> str:
    """The quotes around cells: double ones, unless there are none but most cells stand in single ones."""
    if options.quote is not None:
        return "" if options.quote == "none" else options.quote
    if '"' in text or text.count("'") < 4:
        return '"'
    cells = [cell for line in text.splitlines()[:_FEW] for cell in re.split(r"[,;\t|]", line) if cell]
    return "'" if sum(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells) > 0.5 * len(cells) else '"'


def _comments(text: str, line_end: str, options: ReadOptions) -> tuple[str, int]:
    """What begins a comment, and how many lines of comments and nothing else come first.

    The last of several comments may name the columns, as in files of measurements: it has as many cells as the rows.
    """
    mark = "#" if options.comment is None else "" if options.comment == "none" else options.comment
    lines = text.split(line_end)[: _MOST_COMMENTS + 2]
    leading = next((place for place, line in enumerate(lines) if line.strip() and not line.startswith(mark)), len(lines)) if mark else 0
    while leading and not lines[leading - 1].startswith(mark):
        leading -= 1
    if options.comment is not None:
        return mark, leading
    if not leading or leading >= len(lines) - 1:
        return "", 0
    last, following = lines[leading - 1], lines[leading]
    named = any(last.count(sign) == following.count(sign) > 0 for sign in DELIMITERS)
    if leading == 1 and named:
        return "", 0
    return mark, leading - named


def _delimiter(text: str, quote: str) -> str:
    """The delimiter under which most records have the same number of cells, more than one; a comma where there is none."""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        if delimiter not in text:
            continue
        try:
            rows = Cells(delimiter, quote).records(text)[: _RECORDS + _PREAMBLE]
        except csv.Error:
            continue
        widths = Counter(len(row) for row in rows)
        width, share = _main_width(widths, len(rows))
        if width < 2 or not any(len(row) in (width, width - 1) and len(row) > 1 for row in rows[:_PREAMBLE]):
            continue
        header = next(row for row in rows if len(row) > 1)
        if len(rows) > 1 and len(rows[0]) == 1 and share < 1 and not (_looks_like_preamble(rows, width) or _is_letterhead(rows, width)):
            continue
        score = share * (1 + min(width, 50) / 100) + 0.05 * (len(header) == width)
        # Quotes that stand in the middle of a cell belong to another delimiter: "1,5";"2,5" holds semicolons.
        score *= 1 - 0.5 * _misplaced(text, delimiter, quote)
        if share >= 0.5 and score > best_score:
            best, best_score = delimiter, score
    rare = _rare_delimiter(text, quote)
    return rare if rare is not None and (rare < " " or best not in text.lstrip().split("\n", 1)[0]) else best


def _rare_delimiter(text: str, quote: str) -> str | None:
    """A seldom sign that stands equally often in every line: at least twice, or in many lines; a control character once."""
    for delimiter in RARE_DELIMITERS:
        if delimiter not in text:
            continue
        try:
            rows = Cells(delimiter, quote).records(text)[:_RECORDS]
        except csv.Error:
            continue
        widths = {len(row) for row in rows}
        if len(rows) > 1 and len(widths) == 1 and widths != {1} and (delimiter < " " or min(widths) > 2 or len(rows) >= _FEWEST):
            return delimiter
    return None


def _misplaced(text: str, delimiter: str, quote: str) -> float:
    """The share of the lines with quotes in which they do not stand around whole cells."""
    if quote != '"' or quote not in text:
        return 0.0
    lines = [line for line in text.splitlines()[: _RECORDS + _PREAMBLE] if line.count(quote) > 1]
    return sum(not _well_formed(line, delimiter) for line in lines) / max(1, len(lines))


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


def _table_rows(text: str, cells: Cells, line_end: str, *, look: bool) -> tuple[int, list[list[str]]]:
    """How many lines stand before the table (none, where nobody shall look), and the records of the sample from there on."""
    lines = [line + line_end for line in text.split(line_end)]
    skipped = 0
    while skipped < len(lines) and not lines[skipped].strip():
        skipped += 1
    rows = _records_or_refuse(cells, "".join(lines[skipped:]))
    width, share = _main_width(Counter(len(row) for row in rows), max(len(rows), 1))
    if look and width > 1 and share > 0.5 and rows:
        short = len(rows[0]) == 1 and _looks_like_preamble(rows, width)
        if short or _is_letterhead(rows, width):
            while skipped < len(lines) and cells.width(lines[skipped]) < (2 if short else width):
                skipped += 1
            rows = _records_or_refuse(cells, "".join(lines[skipped:]))
        elif _is_padded_letterhead(rows, width):
            while skipped < len(lines) and _filled(next(iter(_records_or_refuse(cells, lines[skipped])), [])) < width:
                skipped += 1
            rows = _records_or_refuse(cells, "".join(lines[skipped:]))
    return skipped, rows


def _is_letterhead(rows: list[list[str]], width: int) -> bool:
    """Whether a few lines such as ``"Account:";"DE12"`` stand before a header and rows that are all as wide."""
    start = next((number for number, row in enumerate(rows) if len(row) >= width), len(rows))
    rest = rows[start:]
    if width < _LETTERHEAD or not 0 < start <= _PREAMBLE or len(rest) < 2:
        return False
    few = all(sum(bool(cell.strip()) for cell in row) <= 2 and len(row) < width for row in rows[:start])
    return few and sum(len(row) == width for row in rest) >= 0.9 * len(rest) and is_header(rest[0], rest[1:_FEW])


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _is_padded_letterhead(rows: list[list[str]], width: int) -> bool:
    """The same where each line has all delimiters, as a spreadsheet saves it; each begins in the first cell, or is empty."""
    start = next((number for number, row in enumerate(rows) if _filled(row) == width), len(rows))
    body = rows[start + 1 : start + 1 + _FEW]
    if width < _NARROWEST or not 0 < start <= _PREAMBLE or len(body) < 2 or not rows[0][0].strip():
        return False
    few = all(_filled(row) <= 2 and (row[0].strip() or not _filled(row)) for row in rows[:start])
    wide = sum(_filled(row) > 2 for row in body) >= 0.9 * len(body)
    typed = [is_typed(column) for column in _columns_of(body)]
    return few and wide and any(typed) and is_header(rows[start], body) and all(type_of([cell]) == TEXT for cell in rows[start])


def _records_or_refuse(cells: Cells, text: str) -> list[list[str]]:
    try:
        return cells.records(text)
    except csv.Error as error:
        raise FileUnreadable("The text could not be taken apart into cells. Save it as CSV (UTF-8) and upload it again.") from error


def _blanks_follow(rows: list[list[str]]) -> bool:
    """Whether nearly every delimiter is followed by a blank."""
    later = [cell for row in rows[:_FEW] for cell in row[1:200]]
    return bool(later) and sum(cell.startswith(" ") for cell in later) >= 0.95 * len(later) and any(cell.strip() for cell in later)


def _blanks_precede(rows: list[list[str]]) -> bool:
    """Whether nearly every delimiter comes after a blank."""
    earlier = [cell for row in rows[:_FEW] for cell in row[:-1][:200]]
    return bool(earlier) and sum(cell.endswith(" ") or not cell for cell in earlier) >= 0.95 * len(earlier)


def _with_header(dialect: Dialect, rows: list[list[str]], options: ReadOptions) -> Dialect:
    if _has_two_rows(rows, options):
        rows = [joined_names(rows[0], rows[1]), *rows[2:]]
        dialect = replace(dialect, header_rows=2)
    body = rows[1:]
    widths = Counter(len(row) for row in body)
    usual = widths.most_common(1)[0][0] if widths else len(rows[0])
    row_names = len(rows[0]) > 1 and usual == len(rows[0]) + 1 and widths[usual] == len(body) and any(row[-1].strip() for row in body)
    decimal = options.decimal or _decimal([cell for row in rows[:_FEW] for cell in row], dialect.delimiter, options)
    first = ["", *rows[0]] if row_names else rows[0]
    if can_repeat(rows[0]):
        # Pages, or files put one after the other, each with its header; where all is text, a row may well be called like it.
        body = [row for row in body if row != rows[0]] or body
        dialect = replace(dialect, drop_headers=options.extra_rows == "drop" or any(map(is_typed, _columns_of(body[:_FEW]))))
    header = options.header if options.header is not None else row_names or is_header(first, body[:_FEW])
    longer = sum(len(row) > len(first) and any(cell.strip() for cell in row[len(first) :]) for row in body)
    names = [*first, *[""] * (usual - len(first))] if longer > len(body) / 2 else first
    return replace(
        dialect,
        decimal=decimal,
        header=header,
        names=tuple(names) if header else (),
        width=len(names) if header else max(usual, len(first)),
        row_names=row_names and header,
        keeps_extra=options.extra_cells == "keep" or (options.extra_cells is None and (not header or longer > _MANY_LONG * len(body))),
    )


def _has_two_rows(rows: list[list[str]], options: ReadOptions) -> bool:
    if options.header is False or len(rows) < 3 or len(rows[0]) != len(rows[1]):
        return False
    if options.header_rows is not None:
        return options.header_rows == 2
    below = rows[2:_FEW]
    return names_in_two_rows(rows[0], rows[1], lambda cell: type_of([cell]) == TEXT, lambda place: is_typed([row[place] for row in below if place < len(row)]))


def _columns_of(rows: list[list[str]]) -> Iterator[list[str]]:
    return ([row[place] for row in rows if place < len(row)] for place in range(max(map(len, rows), default=0)))


def can_repeat(names: Sequence[str]) -> bool:
    """Whether a row with the same texts as the header is a header too, as none of several columns would hold its own name."""
    return len(names) > 1 and all(name.strip() for name in names) and len(set(names)) == len(names)


def _decimal(cells: list[str], delimiter: str, options: ReadOptions) -> str:
    if options.thousands == "." or (options.thousands is None and numbers.decimal_sign(cells, delimiter) == ","):
        return ","
    return numbers.decimal_sign(cells, delimiter) if options.thousands in (" ", "'", "none") else "."


def is_parted_by_blanks(text: str, is_typed: Callable[[list[str]], bool]) -> bool:
    """Whether one blank parts cells of which some stand in quotes, as R writes tables; the header may lack the name of the first."""
    if '"' not in text:
        return False
    try:
        rows = Cells(" ").records(text)[:_RECORDS]
    except csv.Error:
        return False
    widths = {len(row) for row in rows[1:]}
    width = max(widths, default=0)
    if len(rows) < _FEWEST - 2 or len(widths) != 1 or width < 2 or len(rows[0]) not in (width, width - 1):
        return False
    return (
        all(cell for row in rows for cell in row) and any(map(is_typed, _columns_of(rows[1:]))) and all(line.count('"') % 2 == 0 for line in text.splitlines())
    )
