"""Tables on a sheet: one, or several beside and below each other, and what merged cells mean in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

Row = list[Any]
_MOST_MERGED = 200_000
"""Merged ranges that are looked at; a sheet with more was not made by people."""
_LOOKED_AT = 200
_SURELY_APART = 2
"""Empty columns between two tables that have the same rows."""


class Sheet(Protocol):
    """A sheet as the reader of workbooks gives it."""

    @property
    def total_height(self) -> int: ...

    def iter_rows(self) -> Iterator[Row]: ...


@dataclass(frozen=True)
class Merged:
    """A range of cells that are shown as one: rows and columns from 0, the last ones included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Window:
    """A part of a sheet that is looked at as if it were a sheet; rows keep their numbers, as what is above it is empty.

    Attributes
    ----------
    first, end : int
        The first row, and the row after the last.
    left, right : int or None
        The first column, and the column after the last; None for all.
    fill : bool
        All cells of a merged range have the value of the first, below its first row.
    """

    sheet: Sheet
    merged: tuple[Merged, ...] = ()
    first: int = 0
    end: int | None = None
    left: int = 0
    right: int | None = None
    fill: bool = False

    @property
    def total_height(self) -> int:
        """Rows of the sheet."""
        return self.sheet.total_height

    def iter_rows(self) -> Iterator[Row]:
        """The rows, with nothing in the cells that lie outside."""
        rows = self._filled() if self.fill and self.merged else self.sheet.iter_rows()
        for number, row in enumerate(rows):
            if self.first <= number and (self.end is None or number < self.end):
                yield row if not self.left and self.right is None else self._cut(row)
            else:
                yield [""] * len(row)

    def _cut(self, row: Row) -> Row:
        right = len(row) if self.right is None else self.right
        return [cell if self.left <= place < right else "" for place, cell in enumerate(row)]

    def _filled(self) -> Iterator[Row]:
        """Rows in which cells that are merged downwards repeat the value."""
        starts: dict[int, list[Merged]] = {}
        for each in self.merged:
            if each.bottom > each.top:
                starts.setdefault(each.top, []).append(each)
        running: list[tuple[Merged, Any]] = []
        for number, row in enumerate(self.sheet.iter_rows()):
            running = [(each, value) for each, value in running if each.bottom >= number]
            running += [(each, row[each.left]) for each in starts.get(number, ()) if each.left < len(row)]
            if running:
                row = list(row)
                for each, value in running:
                    # Across, a merged cell is one cell: only what is below its first row is repeated.
                    if number > each.top and row[each.left] == "":
                        row[each.left] = value
            yield row


def merged_ranges(sheet: Any) -> tuple[Merged, ...]:
    """The merged ranges of a sheet, where its format tells them."""
    found = getattr(sheet, "merged_cell_ranges", None) or ()
    if len(found) > _MOST_MERGED:
        return ()
    # Rows are given from the top of the sheet, columns from the first that is used.
    before = sheet.start[1] if found and sheet.start else 0
    return tuple(Merged(top, left - before, bottom, right - before) for (top, left), (bottom, right) in found if left >= before)


def parts_of(sheet: Sheet, merged: tuple[Merged, ...], *, apart: bool = False) -> list[Window]:
    """The parts of a sheet that hold a table each; the whole sheet where it cannot be told apart.

    Parameters
    ----------
    apart : bool
        Somebody said that there are several, so one empty column is enough to part them.
    """
    found = []
    for left, right in _across(sheet, apart=apart):
        window = Window(sheet, merged, left=left, right=right)
        bounds = _down(window)
        found += [Window(sheet, merged, first, end, left, right) for first, end in bounds]
    return found if len(found) > 1 else [Window(sheet, merged)]


def _across(sheet: Sheet, *, apart: bool) -> list[tuple[int, int | None]]:
    """Columns that belong together, without gaps: parted from others that end on another row by an empty column, else by two.

    Over the same rows one empty column may be a mere space between the columns of one table.
    """
    extents: dict[int, list[int]] = {}
    for number, row in enumerate(sheet.iter_rows()):
        for place, cell in enumerate(row):
            if cell != "":
                known = extents.setdefault(place, [number, number, 0])
                known[1], known[2] = number, known[2] + 1
    groups: list[list[int]] = []
    for place in sorted(extents):
        if groups and place == groups[-1][-1] + 1:
            groups[-1].append(place)
        else:
            groups.append([place])
    if not 1 < len(groups) <= _LOOKED_AT:
        return [(0, None)]
    bounds = [(min(extents[place][0] for place in group), max(extents[place][1] for place in group)) for group in groups]
    whole = [_is_whole([extents[place] for place in group], bound) for group, bound in zip(groups, bounds, strict=True)]
    ends = {bound for bound, fits in zip(bounds, whole, strict=True) if fits}
    gaps = {after[0] - before[-1] - 1 for before, after in pairwise(groups)}
    if not all(whole) or (len(ends) < 2 and not apart and min(gaps) < _SURELY_APART):
        return [(0, None)]
    return [(group[0], group[-1] + 1) for group in groups]


def _is_whole(extents: Sequence[Sequence[int]], bounds: tuple[int, int]) -> bool:
    """Whether columns look like a table of their own: two at least, some rows, and hardly a gap from its first to its last."""
    rows = bounds[1] - bounds[0] + 1
    return len(extents) > 1 and rows > 2 and max(count for *_, count in extents) >= rows - 1


def _down(window: Window) -> list[tuple[int, int | None]]:
    """Rows that belong together: an empty row parts them where a header follows, of texts over columns that held numbers."""
    cuts: list[int] = []
    typed: set[int] = set()
    rows = 0
    empty = False
    previous: list[tuple[int, Row]] = []
    for number, row in enumerate(window.iter_rows()):
        if row.count("") == len(row):
            empty = rows > 0
            continue
        if empty and rows > 2 and _may_be_header(row, typed):
            previous = [(number, row)]
        elif previous:
            if not empty and _is_data(row, previous[0][1]):
                cuts.append(previous[0][0])
                typed, rows = set(), 1
            previous = []
        typed |= {place for place, cell in enumerate(row) if cell != "" and not isinstance(cell, str)}
        rows += 1
        empty = False
    starts = [window.first, *cuts]
    return list(zip(starts, [*cuts, window.end], strict=True))


def _may_be_header(row: Row, typed: set[int]) -> bool:
    texts = [place for place, cell in enumerate(row) if isinstance(cell, str) and cell != ""]
    return len(texts) > 1 and len(texts) == len(row) - row.count("") and bool(set(texts) & typed)


def _is_data(row: Row, header: Row) -> bool:
    """Whether a row holds numbers or dates under the texts of a header, and nothing beside them."""
    filled = [place for place, cell in enumerate(row) if cell != ""]
    return any(not isinstance(row[place], str) for place in filled) and all(place < len(header) and header[place] != "" for place in filled)
