"""Texts whose columns part otherwise than by a delimiter: at fixed places, or by runs of blanks; and lines that only draw."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dapp_ext.errors import FileUnreadable

PARTED = "\x1f"
"""What stands between cells once the lines are taken apart: a sign that texts do not have."""
_LINES = 500
_FEWEST = 4
_RULES_FROM = 30
_MOST_RULES = 3
_RULE_CHARACTERS = re.compile(r"[-=+|:,;\t \x1f]*(?:--|==)[-=+|:,;\t \x1f]*")
_PARTS = re.compile(r"[|+,;\t \x1f]+")
_DASHES = re.compile(r":?(?:-+|=+):?")
_COUNT = re.compile(
    rb"\(\d+ (?:rows?|Zeilen?|lignes?|filas?)(?: affected)?\)\s*|(?:\d+|[Nn]o) (?:rows?|records?) (?:selected|in set|affected|fetched)\.?(?: \([\d.]+ sec\))?\s*"
)
_SENTENCE = 0.95
_UNLIKE = 0.9
IsTyped = Callable[[list[str]], bool]


class NotAligned(Exception):
    """A later line has text where the columns of the first lines part."""


@dataclass(frozen=True)
class Layout:
    """Where the columns of each line begin (characters from 0), or that blanks part them.

    Attributes
    ----------
    starts : tuple of int
        The first character of each column; empty where runs of blanks part them.
    comment : str
        What lines begin with that are no rows; empty for nothing.
    """

    kind: Literal["aligned", "blanks"]
    starts: tuple[int, ...] = ()
    comment: str = ""

    def parted(self, line: str) -> str:
        """The cells of one line with :data:`PARTED` between them.

        Raises
        ------
        NotAligned
            A word goes across the place where two columns part.
        """
        if self.kind == "blanks":
            return PARTED.join(line.split())
        for start in self.starts[1:]:
            if start <= len(line) and line[start - 1] not in " \t":
                raise NotAligned
        ends = [*self.starts[1:], len(line)]
        return PARTED.join(line[start:end].strip() for start, end in zip(self.starts, ends, strict=True))

    def text(self, text: str, line_end: str) -> str:
        """All lines of a text taken apart."""
        return line_end.join(self.parted(line) if self._is_row(line) else line for line in text.split(line_end))

    def _is_row(self, line: str) -> bool:
        return bool(line.strip()) and not is_count(line) and not (self.comment and line.startswith(self.comment))

    def pieces(self, pieces: Iterator[bytes], line_end: str) -> Iterator[bytes]:
        """The same, of a text that comes in pieces."""
        held, end = b"", line_end.encode()
        for piece in pieces:
            held += piece
            cut = held.rfind(end) + 1
            if cut:
                yield self._bytes(held[:cut], line_end)
                held = held[cut:]
        if held:
            yield self._bytes(held, line_end)

    def _bytes(self, data: bytes, line_end: str) -> bytes:
        # What is not UTF-8 goes through as it is: whoever checks the slices says so with its line.
        return self.text(data.decode("utf-8", "surrogateescape"), line_end).encode("utf-8", "surrogateescape")


def guess(text: str, line_end: str, is_typed: IsTyped) -> Layout | None:
    """How the columns of lines without a delimiter part; None where they are one column.

    Parameters
    ----------
    text : str
        The beginning of the text, of whole lines.
    is_typed : callable
        Whether cells are numbers, dates or the like, all of them.
    """
    lines = [line.rstrip("\r") for line in text.split(line_end) if line.strip() and not is_count(line)][:_LINES]
    if len(lines) < _FEWEST or PARTED in text or is_typed(lines) or is_typed(lines[1:]):
        return None
    for found in (_ruled(lines), _aligned(lines), Layout("blanks")):
        if found is not None and _makes_sense(found, lines, is_typed):
            return found
    return None


def chosen(kind: str, text: str, line_end: str) -> Layout:
    """The layout that was asked for.

    Raises
    ------
    FileUnreadable
        The lines do not stand under each other.
    """
    if kind == "blanks":
        return Layout("blanks")
    lines = [line.rstrip("\r") for line in text.split(line_end) if line.strip()][:_LINES]
    found = _ruled(lines) or _aligned(lines)
    if found is None:
        raise FileUnreadable("No place was found where the columns of all lines part. Choose another layout, or let it be guessed.")
    return found


def _makes_sense(layout: Layout, lines: Sequence[str], is_typed: IsTyped) -> bool:
    """Whether all lines have the same number of cells, and some column of them numbers or dates although the lines have none."""
    try:
        rows = [layout.parted(line).split(PARTED) for line in lines if not is_rule(line, "")]
    except NotAligned:
        return False
    if len(rows) < _FEWEST - 1 or len({len(row) for row in rows}) != 1 or len(rows[0]) < 2 or not all(cell for cell in rows[0]):
        return False
    if len(rows[0]) == 2 and _may_be_one(lines, rows):
        return False
    return any(is_typed([row[place] for row in rows[1:]]) for place in range(len(rows[0])))


def _may_be_one(lines: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether two words are perhaps one value, as in ``555 1234``: with a single blank between them, and one of them always as long."""
    body = rows[1:]
    if all("." in cell.strip(".") for row in body for cell in row):
        return False  # two fractions are no number
    return not any("  " in line.strip() for line in lines) and any(len({len(row[place]) for row in body}) == 1 for place in (0, 1))


def _ruled(lines: Sequence[str]) -> Layout | None:
    """The columns that a rule of dashes under the header draws."""
    for line in lines[:_RULES_FROM]:
        if re.fullmatch(r" *-+(?: +-+)+ *", line):
            return Layout("aligned", tuple(found.start() for found in re.finditer("-+", line)))
    return None


def _aligned(lines: Sequence[str]) -> Layout | None:
    """The columns between the places that are blank in every line; a column without a name belongs to the one before."""
    if any("\t" in line for line in lines):
        return None
    width = max(map(len, lines))
    used = [False] * width
    for line in lines:
        for found in re.finditer(r"\S+", line):
            used[found.start() : found.end()] = [True] * (found.end() - found.start())
    starts = [place for place in range(width) if used[place] and (place == 0 or not used[place - 1])]
    ends = [*starts[1:], width]
    named = [start for start, end in zip(starts, ends, strict=True) if lines[0][start:end].strip()]
    if len(named) < 2:
        return None
    # What stands before the first name belongs to the first column.
    return Layout("aligned", (0, *named[1:]))


def is_rule(line: str, header: str) -> bool:
    """Whether a line only draws: dashes under each name of the header.

    Three dashes are enough; fewer have to be as many as the name has letters, as ``--`` may stand for a missing value.
    """
    text = line.strip()
    if _RULE_CHARACTERS.fullmatch(text) is None:
        return False
    parts = _PARTS.split(text.strip("|+ \t"))
    if not all(_DASHES.fullmatch(part) for part in parts):
        return False
    names = [name.strip() for name in re.split(r"[|,;\t\x1f]", header.strip().strip("|"))]
    return all(len(part) > 2 for part in parts) or [len(part) for part in parts] == [len(name) for name in names]


def rule_in(lines: Sequence[str]) -> str:
    """The line that draws the rules of a table, where one stands under what may be its header; empty for none."""
    for number, line in enumerate(lines[1:_RULES_FROM], start=1):
        above = lines[number - 1]
        if above.strip() and not is_rule(above, "") and is_rule(line, above) and lines.count(line) <= _MOST_RULES:
            return line
    return ""


def is_count(line: str) -> bool:
    """Whether a line only says how many rows a database has written."""
    return _COUNT.fullmatch(line.strip().encode("utf-8", "replace")) is not None


def is_drawn(line: bytes, rule: bytes) -> bool:
    """Whether a line belongs to the drawing of a table with such rules: a rule again, or the count of rows below it."""
    return line.rstrip() == rule or _COUNT.fullmatch(line) is not None


def is_prose(text: str, delimiter: str, is_typed: IsTyped) -> bool:
    """Whether commas belong to sentences: a blank follows each, the lines have different numbers of them, and nothing is a number.

    Also where the first line has none: then it is the name of one column, as of ``Lee, Ann``.
    """
    lines = [line for line in text.splitlines()[:_LINES] if line.strip()]
    counts = [line.count(delimiter) for line in lines]
    if delimiter not in ",;" or len(lines) < _FEWEST - 1 or '"' in text or not sum(counts):
        return False
    if sum(line.count(delimiter + " ") for line in lines) < _SENTENCE * sum(counts):
        return False
    body = counts[1:]
    usual = max(set(body), key=body.count)
    if counts[0] and body.count(usual) >= _UNLIKE * len(body):
        return False
    rows = [line.split(delimiter) for line, count in zip(lines[1:], body, strict=True) if count == max(usual, 1)]
    # The first of them may be a header, below a title.
    return not any(is_typed([row[place].strip() for row in rows[start:]]) for place in range(max(usual, 1) + 1) for start in (0, 1))
