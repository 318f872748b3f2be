"""Rows and lines of a delimited text that are not as they should be: what was met, what was done to it, how it is told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from dapp_ext.domain.findings import SHOWN_ROWS
from dapp_ext.domain.reading.dialect import Dialect
from dapp_ext.domain.reading.table import Notes, cells
from dapp_ext.schema.datasets import Finding


@dataclass
class Repairs:
    """Rows that did not fit, by the line they begin on, with their numbers in the table; each is counted in the first pass only."""

    short: dict[int, int] = field(default_factory=dict)
    long: dict[int, int] = field(default_factory=dict)
    comments: set[int] = field(default_factory=set)
    headers: set[int] = field(default_factory=set)
    rules: set[int] = field(default_factory=set)
    like_header: list[int] = field(default_factory=list)
    dropped: int = 0
    nul: int = 0
    marks: bool = False
    below: int = 0
    totals: int = 0


def findings(repairs: Repairs, width: int) -> list[Finding]:
    """The findings on rows that do not have the cells of the others, on lines that were left out, and on rows like the header."""
    return [*_ragged(repairs, width), *_left_out(repairs), *_like_header(repairs)]


def _left_out(repairs: Repairs) -> list[Finding]:
    below = repairs.below - repairs.totals
    found = [
        (len(repairs.headers), "repeat the header"),
        (len(repairs.rules), "only draw the table"),
        (repairs.totals, "holds totals below the table"),
        (below, "is a note below the table" if below == 1 else "are notes below the table"),
    ]
    what = " and ".join(f"{count:,} that {words}" for count, words in found if count)
    return [left_out(f"Lines of the file were left out: {what}.", sum(count for count, _ in found))] if what else []


def left_out(sentence: str, count: int) -> Finding:
    """The finding on what was taken to be no data."""
    return Finding(code="left_out", severity="info", sentence=f"{sentence} Read the file again with extra rows kept if they are data.", count=count)


def _like_header(repairs: Repairs) -> list[Finding]:
    count = len(repairs.like_header)
    if not count:
        return []
    words = "row has the same texts as the header" if count == 1 else "rows have the same texts as the header"
    sentence = f"{count:,} {words}; as all columns are text, nobody can tell whether they are headers again, so they were kept."
    return [Finding(code="repeated_headers", severity="warning", sentence=sentence, rows=repairs.like_header[:SHOWN_ROWS], count=count)]


def _ragged(repairs: Repairs, width: int) -> list[Finding]:
    count = len(repairs.short) + len(repairs.long)
    if not count:
        return []
    rows = sorted({*list(repairs.short.values())[:SHOWN_ROWS], *list(repairs.long.values())[:SHOWN_ROWS]})[:SHOWN_ROWS]
    what = "has" if count == 1 else "have"
    done = " What was too much was left out." if repairs.dropped else ""
    sentence = f"{count:,} {'row' if count == 1 else 'rows'} of the file {what} more or fewer cells than the {width:,} of the table.{done}"
    return [Finding(code="ragged_rows", severity="warning", sentence=sentence, rows=rows, count=count)]


def tell(repairs: Repairs, notes: Notes, dialect: Dialect) -> None:
    """Say what was done to rows and lines."""
    if repairs.headers:
        count = len(repairs.headers)
        notes.add(f"{count:,} {'line that repeats' if count == 1 else 'lines that repeat'} the header {'was' if count == 1 else 'were'} left out.")
    if repairs.rules:
        count = len(repairs.rules)
        notes.add(f"{count:,} {'line that only draws' if count == 1 else 'lines that only draw'} the table {'was' if count == 1 else 'were'} left out.")
    if repairs.below:
        what = "a line of totals" if repairs.totals == repairs.below else "notes" if not repairs.totals else "totals and notes"
        are = "line" if repairs.below == 1 else "lines"
        notes.add(f"{repairs.below:,} {are} below the table ({what}) {'was' if repairs.below == 1 else 'were'} left out.")
    if repairs.marks:
        notes.add("Byte order marks in the middle of the file were left out.")
    if repairs.short or repairs.long:
        total = len(repairs.short) + len(repairs.long)
        notes.add(f"{total:,} {'row does' if total == 1 else 'rows do'} not have the {dialect.width:,} cells of the others.")
    if repairs.short:
        are, their = ("row is", "its") if len(repairs.short) == 1 else ("rows are", "their")
        notes.add(f"{len(repairs.short):,} {are} too short ({_lines(repairs.short)}); {their} last cells were taken as missing.")
    if repairs.long:
        done = (
            "was kept in columns of its own"
            if dialect.keeps_extra
            else f"({cells(repairs.dropped)}) was left out; read the file again with extra cells kept to see it"
        )
        are = "row is" if len(repairs.long) == 1 else "rows are"
        notes.add(f"{len(repairs.long):,} {are} too long ({_lines(repairs.long)}); what is left over {done}.")
    if repairs.nul:
        notes.add("NUL characters, which no text should hold, were left out.")


def _lines(lines: Collection[int]) -> str:
    shown = sorted(lines)[:10]
    return ("line " if len(lines) == 1 else "lines ") + ", ".join(f"{line:,}" for line in shown) + (" ..." if len(lines) > 10 else "")
