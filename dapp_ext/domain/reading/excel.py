"""Workbooks (Excel and OpenDocument): finds the sheet with the table and its header row, whatever stands above, below and beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import islice
from typing import Any

from dapp_ext.domain.reading import plans, texts
from dapp_ext.domain.reading.chosen import Ways
from dapp_ext.domain.reading.first_rows import counts_up
from dapp_ext.domain.reading.headings import joined_names, names_above, names_in_two_rows
from dapp_ext.domain.reading.opendocument import check_document
from dapp_ext.domain.reading.opening import Opened
from dapp_ext.domain.reading.repairs import left_out
from dapp_ext.domain.reading.sheets import Merged, Window, merged_ranges, parts_of
from dapp_ext.domain.reading.table import Notes, Plan, Sink, TableRead, cells, check_columns, check_rows, named, write_table
from dapp_ext.domain.reading.units import PLAIN, common_unit, is_shown, tell_units
from dapp_ext.domain.reading.values import ValueChunk, ValueTable
from dapp_ext.domain.reading.workbook import SheetSize, check_workbook, damaged
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import Finding, ReadOptions, ReadReport

_TOP = 60
_BELOW = 10
_CELLS = 500_000
_GUESSED = ReadOptions()
_TOTALS = re.compile(r"(grand |sub ?)?total|sums?|summe|gesamt(summe)?|insgesamt|totaux|totale?s?|suma", re.IGNORECASE)


@dataclass(frozen=True)
class Region:
    """Where the table of a sheet is.

    Attributes
    ----------
    names : tuple of str
        The header cells, empty where there is no header.
    header : int or None
        Row of the header, from 0.
    first, end : int
        First row of data, and the row after the last.
    columns : tuple of int
        The columns of the table.
    cells : int
        Filled cells, to compare sheets.
    below : int
        Rows under the table that were left out.
    total : bool
        Whether one of them is a row of totals.
    """

    sheet: str
    names: tuple[str, ...]
    header: int | None
    first: int
    end: int
    columns: tuple[int, ...]
    cells: int
    below: int = 0
    total: bool = False
    header_rows: int = 1
    window: Window | None = None

    @property
    def before(self) -> int:
        """Columns of the sheet before the first that is used, which the reader of workbooks leaves out."""
        start = getattr(self.window.sheet, "start", None) if self.window else None
        return start[1] if start else 0

    @property
    def label(self) -> str:
        """What the table is called where there are several: its first names, and its rows."""
        shown = ", ".join(name for name in self.names[:3] if name) + (", …" if len(self.names) > 3 else "")
        return f"{shown or 'no header'} ({self.end - self.first:,} rows)"

    @property
    def merged_down(self) -> int:
        """Cells of the table that lie under the first one of a merged range."""
        ranges = self.window.merged if self.window else ()
        return sum(each.bottom - each.top for each in ranges if self.first <= each.top and each.bottom < self.end and each.left in self.columns)

    def rows(self, *, fill: bool) -> Iterator[list[Any]]:
        """The rows of data; with every cell of a merged range filled that lies under the first one."""
        assert self.window is not None
        inside = tuple(each for each in self.window.merged if each.top >= self.first)
        return islice(replace(self.window, merged=inside, fill=fill).iter_rows(), self.first, self.end)


class ExcelTable(ValueTable):
    """The table of one sheet, or of several with the same header, as a :class:`~.table.ChunkedTable`."""

    def __init__(self, opened: Opened, regions: list[Region], options: ReadOptions) -> None:
        super().__init__(Ways.of(options, texts.FROM_CELLS, decimal=options.decimal or "."), whole=True)
        self.opened = opened
        self.fill = options.merged_cells != "first"
        self.regions = regions
        self._names = regions[0].names or tuple(f"column_{place}" for place in range(1, len(regions[0].columns) + 1))
        check_columns(len(self._names))
        check_rows(sum(region.end - region.first for region in regions))

    def name_of(self, key: Hashable) -> str:
        """The header cell."""
        assert isinstance(key, int)
        return self._names[key]

    def chunks(self) -> Iterator[ValueChunk]:
        """The rows, some thousand at a time; empty rows are left out."""
        size = max(100, _CELLS // len(self._names))
        progress = self.opened.steps(sum(region.end - region.first for region in self.regions))
        for region in self.regions:
            rows = _filled(region.rows(fill=self.fill))
            while found := list(islice(rows, size)):
                progress(len(found))
                columns = list(zip(*found, strict=True))
                picked = [columns[place] if place < len(columns) else ("",) * len(found) for place in region.columns]
                yield ValueChunk(len(found), {number: [None if cell == "" else cell for cell in values] for number, values in enumerate(picked)})


def _filled(rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    return (row for row in rows if any(cell != "" for cell in row))


def find_region(name: str, sheet: Window, options: ReadOptions = _GUESSED) -> Region | None:
    """The table of a sheet or of a part of it; None for an empty one.

    The header is the first row of texts that is about as wide as the rows below it, with the row above or below that names
    the columns too. Rows of one or two cells above it are titles; rows after an empty row at the end are notes.
    """
    header, header_row = options.header, options.header_row
    counts = [_count(row) for row in sheet.iter_rows()]
    if header_row is not None:
        # What stands above was said to be no part of the table.
        counts[: header_row - 1] = [0] * min(header_row - 1, len(counts))
        header = header is not False
    start = _first(counts)
    top = list(islice(sheet.iter_rows(), start, start + _TOP))
    if not top:
        return None
    width = max(_count(row) for row in top)
    wide = [place for place, row in enumerate(top) if header_row is not None or _count(row) > width / 2]
    names_at = _header_place(top, wide, header)
    given, rows_of_names = _names(top, names_at, options, sheet.merged, start)
    if rows_of_names == 2 and names_at is not None and given[1] < names_at:
        names_at -= 1
    first = wide[0] if names_at is None else names_at + rows_of_names
    keep = options.extra_rows == "keep"
    end, below, total = _end(counts, sheet, start + first, width, keep=keep)
    columns = _columns(given[0] if names_at is not None else None, len(top[0]), islice(sheet.iter_rows(), start + first, end))
    return Region(
        sheet=name,
        names=() if names_at is None else tuple(given[0][place] if place < len(given[0]) else "" for place in columns),
        header=None if names_at is None else start + names_at,
        first=start + first,
        end=end,
        columns=columns,
        cells=sum(counts[start + first : end]),
        below=below,
        total=total,
        header_rows=rows_of_names,
        window=sheet,
    )


def _names(top: list[list[Any]], place: int | None, options: ReadOptions, merged: tuple[Merged, ...], start: int) -> tuple[tuple[list[str], int], int]:
    """The names of all columns, the place of the first row that has them, and how many rows they stand in."""
    if place is None:
        return ([], 0), 1
    row = top[place]
    single = [_name(cell) for cell in row], place
    if options.header_rows == 1 or place + 1 >= len(top):
        return single, 1
    lower, below = top[place + 1], top[place + 2 :]
    if options.header_rows == 2 or names_in_two_rows(row, lower, lambda cell: isinstance(cell, str), lambda at: _is_typed(below, at)):
        return (joined_names(row, lower, _name), place), 2
    if place and options.header_row is None:
        upper = top[place - 1]
        across = any(each.top == start + place - 1 and each.right > each.left for each in merged)
        if all(isinstance(cell, str | float | int) for cell in upper) and names_above(upper, single[0], across):
            return (joined_names(upper, row, _name), place - 1), 2
    return single, 1


def _is_typed(rows: list[list[Any]], place: int) -> bool:
    """Whether most values at a place are no texts."""
    values = [row[place] for row in rows if place < len(row) and row[place] != ""]
    return sum(not isinstance(value, str) for value in values) > len(values) / 2


def _count(row: list[Any]) -> int:
    return len(row) - row.count("")


def _first(counts: list[int]) -> int:
    return next((place for place, count in enumerate(counts) if count), len(counts))


def _name(cell: Any) -> str:
    if isinstance(cell, float) and cell == int(cell):
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == time():
        return str(cell.date())
    return str(cell)


def _header_place(top: list[list[Any]], wide: list[int], header: bool | None) -> int | None:
    if header is False:
        return None
    if header is True:
        return wide[0]
    for place in wide[:5]:
        row = top[place]
        below = top[place + 1 :]
        if all(isinstance(cell, str) for cell in row):
            return None if _repeats(row, below) else place
        if counts_up([_name(cell) for cell in row]) or _dates_over_numbers(row, below):
            return place
    return None


def _dates_over_numbers(row: list[Any], below: list[list[Any]]) -> bool:
    """Whether a row holds different dates, as months over their amounts, and else texts."""
    dated = [place for place, cell in enumerate(row) if isinstance(cell, date)]
    under = [each[place] for place in dated for each in below if place < len(each) and each[place] != ""]
    texts = all(isinstance(cell, str | date) for cell in row)
    return texts and len({row[place] for place in dated}) == len(dated) > 1 and bool(under) and all(type(value) in (int, float) for value in under)


def _repeats(row: list[str], below: list[list[Any]]) -> bool:
    """Whether texts of a row come again below although every column holds nothing but texts: then it is data."""
    for place in range(len(row)):
        under = [each[place] for each in below if place < len(each)]
        if any(value != "" and not isinstance(value, str) for value in under):
            return False
    return any(cell != "" and any(place < len(each) and each[place] == cell for each in below) for place, cell in enumerate(row))


def _end(counts: list[int], sheet: Window, first: int, width: int, *, keep: bool) -> tuple[int, int, bool]:
    """The row after the last one of the table, how many filled rows were left out below it, and whether one holds totals."""
    end = len(counts)
    while end > first and not counts[end - 1]:
        end -= 1
    if keep:
        return end, 0, False
    below = 0
    while (gap := _last_gap(counts, first, end)) is not None:
        rest = [count for count in counts[gap:end] if count]
        if len(rest) > _BELOW or max(rest) > max(1, width / 2):
            break
        below += len(rest)
        end = gap
        while end > first and not counts[end - 1]:
            end -= 1
    total = end - first > 3 and _is_total(next(islice(sheet.iter_rows(), end - 1, end)), width)
    return end - total, below + total, total


def _last_gap(counts: list[int], first: int, end: int) -> int | None:
    return next((place for place in range(end - 1, first, -1) if not counts[place]), None)


def _is_total(row: list[Any], width: int) -> bool:
    label = next((cell for cell in row if cell != ""), "")
    return isinstance(label, str) and _TOTALS.fullmatch(label.strip(" :")) is not None and _count(row) <= max(1, width - 1)


def _columns(names: list[str] | None, width: int, rows: Iterator[list[Any]]) -> tuple[int, ...]:
    """The columns that have a name or a value."""
    used = {place for place, name in enumerate(names or ()) if name != ""}
    for row in rows:
        if len(used) == width:
            break
        used.update(place for place, cell in enumerate(row) if cell != "")
    return tuple(sorted(used))


def _regions(name: str, sheet: Any, options: ReadOptions) -> list[Region]:
    """The tables of one sheet, as far as they can be told apart."""
    if not sheet.total_height:
        return []
    merged = merged_ranges(sheet)
    parts = [Window(sheet, merged)] if options.header_row is not None and options.table is None else parts_of(sheet, merged, apart=options.table is not None)
    found = [_region_with_rows(name, part, options) for part in parts]
    if None in found and len(found) > 1:
        found = [_region_with_rows(name, Window(sheet, merged), options)]
    regions = [region for region in found if region is not None]
    if options.table is not None and options.table > len(regions):
        raise FileUnreadable(f'The sheet "{name}" has {len(regions)} {"table" if len(regions) == 1 else "tables"}. Choose one of them.')
    return regions


def _region_with_rows(name: str, part: Window, options: ReadOptions) -> Region | None:
    region = find_region(name, part, options)
    return region if region is not None and region.end > region.first else None


def read_excel(opened: Opened, kind: str, options: ReadOptions, sink: Sink) -> TableRead:
    """Read a workbook.

    Parameters
    ----------
    opened : Opened
        The file.
    kind : str
        ``xlsx`` or ``ods``.
    options : ReadOptions
        What is not to be guessed.
    sink : Sink
        Where the batches go.
    """
    sizes = check_workbook(opened.source) if kind == "xlsx" else check_document(opened.source)
    sheets, hidden = _load(opened, sizes)
    candidates = [name for name in sheets if name not in hidden] or list(sheets)
    if options.sheet is not None:
        candidates = [_chosen(options.sheet, list(sheets))]
    tables = {name: _regions(name, sheets[name], options) for name in candidates}
    offered = [regions[options.table - 1 :][:1] if options.table else regions for regions in tables.values()]
    regions = [region for some in offered for region in some]
    if not regions:
        raise FileUnreadable("The workbook has no rows: its sheets are empty or hold only a header. Upload a sheet with at least one row of data.")
    chosen = _largest(regions)
    if options.join_sheets is False:
        chosen = [max(chosen, key=lambda region: region.cells)]
    table = ExcelTable(opened, chosen, options)
    plan, rows = write_table(table, sink)
    notes = Notes()
    _tell(chosen, list(sheets), sizes, notes)
    merged = sum(region.merged_down for region in chosen)
    if merged and table.fill:
        notes.add(f"Cells that were merged over several rows have their value in each of these rows ({cells(merged)}).")
    table.tell(notes)
    units = _units(chosen, sizes, plan)
    tell_units([column.name for column in plan.columns], units, notes)
    read = table.read(plan, rows, _report(kind, chosen, tables, options, merged), notes)
    report = read.report.model_copy(update={"sheets": [name for name in sheets if sizes[name].cells]})
    columns = [column.model_copy(update={"unit": unit}) if is_shown(unit) else column for column, unit in zip(read.columns, units, strict=True)]
    return replace(read, columns=columns, report=report, findings=[*_left_out(chosen, tables), *read.findings])


def _units(chosen: list[Region], sizes: dict[str, SheetSize], plan: Plan) -> list[str]:
    """What the numbers of the columns are counted in."""
    return [
        common_unit([sizes[region.sheet].units.get(region.columns[place] + region.before + 1, Counter()) for region in chosen if place < len(region.columns)])
        if column.kind in ("integer", "decimal")
        else PLAIN
        for place, column in enumerate(plan.columns)
    ]


def _report(kind: str, chosen: list[Region], tables: dict[str, list[Region]], options: ReadOptions, merged: int) -> ReadReport:
    first = chosen[0]
    of_sheet = tables[first.sheet]
    known = plans.told(
        options,
        format=kind,
        sheet=", ".join(dict.fromkeys(region.sheet for region in chosen)),
        header=first.header is not None,
        header_row=(first.first if first.header is None else first.header) + 1,
        header_rows=None if first.header is None else first.header_rows,
        join_sheets=len(chosen) > 1,
        extra_rows=options.extra_rows or "drop",
        merged_cells=options.merged_cells or ("fill" if merged else None),
        table=of_sheet.index(first) + 1 if len(of_sheet) > 1 and len(chosen) == 1 else None,
    )
    return known.model_copy(update={"tables": [region.label for region in of_sheet] if len(of_sheet) > 1 else []})


def _left_out(chosen: list[Region], tables: dict[str, list[Region]]) -> list[Finding]:
    """What of the sheets was taken to be no part of the table."""
    found = []
    if below := sum(region.below for region in chosen):
        what = "with totals" if any(region.total for region in chosen) else "of notes"
        found.append(left_out(f"{below:,} {'row' if below == 1 else 'rows'} {what} below the table {'was' if below == 1 else 'were'} left out.", below))
    sheets = dict.fromkeys(region.sheet for region in chosen)
    if others := [f"{region.label}, table {number}" for name in sheets for number, region in enumerate(tables[name], start=1) if region not in chosen]:
        sentence = f"The sheet holds {len(others) + len(chosen)} tables; the largest was read. Left out: {'; '.join(others[:5])}. Read the file again with another table."
        found.append(Finding(code="left_out", severity="warning", sentence=sentence, count=len(others)))
    return found


def _load(opened: Opened, sizes: dict[str, SheetSize]) -> tuple[dict[str, Any], set[str]]:
    """The sheets by name, and the names of the hidden ones."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    opened.source.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(opened.source)
        kept = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet and sheet.name in sizes]
        sheets = {sheet.name: workbook.get_sheet_by_name(sheet.name) for sheet in kept}
    except (CalamineError, OSError, ValueError) as error:
        raise damaged() from error
    except BaseException as error:
        # A panic of the parser (it is written in Rust) is no Exception, but is nothing more than a damaged file.
        if type(error).__name__ == "PanicException":
            raise damaged() from error
        raise
    return sheets, {sheet.name for sheet in kept if sheet.visible != SheetVisibleEnum.Visible}


def _chosen(wanted: str, names: list[str]) -> str:
    for name in names:
        if name == wanted or name.casefold() == wanted.strip().casefold():
            return name
    raise FileUnreadable(f'The workbook has no sheet "{wanted}". It has {named(names, 10)}.')


def _largest(regions: list[Region]) -> list[Region]:
    """The sheets with the most cells, those with the same header counted together."""
    groups: dict[Hashable, list[Region]] = {}
    for region in regions:
        groups.setdefault(region.names if len(region.names) > 1 else region.sheet, []).append(region)
    return max(groups.values(), key=lambda group: sum(region.cells for region in group))


def _tell(chosen: list[Region], names: list[str], sizes: dict[str, SheetSize], notes: Notes) -> None:
    sheets = list(dict.fromkeys(region.sheet for region in chosen))
    others = [name for name in names if name not in sheets and sizes[name].cells]
    if len(sheets) < len(chosen):
        notes.add("Tables with the same columns on one sheet were put together.")
    if len(sheets) > 1:
        notes.add(f"The sheets {named(sheets, 20)} have the same columns and were put together.")
    elif others:
        notes.add(f"The table was read from the sheet {named(sheets)}; the workbook also has {named(others, 10)}.")
    for region in chosen:
        of_sheet = f' of "{region.sheet}"' if len(chosen) > 1 else ""
        if region.header and (region.window is None or region.header > region.window.first):
            notes.add(f"The header was found in row {region.header + 1:,}{of_sheet}; what stands above it was left out.")
        if region.header is not None and region.header_rows == 2:
            notes.add(f"The names of the columns were put together from two rows{of_sheet}; choose one header row if the second is data.")
        if region.header is None:
            notes.add(f"No header row was found{of_sheet}, so the columns were numbered.")
        if region.below:
            what = "a row of totals" if region.total else "notes"
            notes.add(
                f"{region.below:,} {'row' if region.below == 1 else 'rows'} below the table{of_sheet} ({what}) {'was' if region.below == 1 else 'were'} left out."
            )
        if (errors := sizes[region.sheet].errors) > 0:
            notes.add(f"Errors such as #DIV/0! or #N/A{of_sheet} were read as missing: {cells(errors)}.")
        if (formulas := sizes[region.sheet].formulas) > 0:
            notes.add(
                f"Formulas without a stored value{of_sheet} were read as missing: {cells(formulas)}. Open the workbook in Excel and save it to store them."
            )
