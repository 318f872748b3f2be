"""Workbooks (Excel and OpenDocument): finds the sheet with the table and its header row, whatever stands above, below and beside it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dapp_ext.domain.reading import plans, texts
from dapp_ext.domain.reading.chosen import Ways
from dapp_ext.domain.reading.dialect import counts_up
from dapp_ext.domain.reading.opendocument import check_document
from dapp_ext.domain.reading.opening import Opened
from dapp_ext.domain.reading.table import Notes, Sink, TableRead, cells, check_columns, check_rows, named, write_table
from dapp_ext.domain.reading.values import ValueChunk, ValueTable
from dapp_ext.domain.reading.workbook import SheetSize, check_workbook, damaged
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import ReadOptions

_TOP = 60
_BELOW = 10
_CELLS = 500_000
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


class ExcelTable(ValueTable):
    """The table of one sheet, or of several with the same header, as a :class:`~.table.ChunkedTable`."""

    def __init__(self, opened: Opened, sheets: dict[str, Any], regions: list[Region], options: ReadOptions) -> None:
        super().__init__(Ways.of(options, texts.FROM_CELLS, decimal=options.decimal or "."), whole=True)
        self.opened = opened
        self.sheets = sheets
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
            rows = _filled(islice(self.sheets[region.sheet].iter_rows(), region.first, region.end))
            while found := list(islice(rows, size)):
                progress(len(found))
                columns = list(zip(*found, strict=True))
                picked = [columns[place] if place < len(columns) else ("",) * len(found) for place in region.columns]
                yield ValueChunk(len(found), {number: [None if cell == "" else cell for cell in values] for number, values in enumerate(picked)})


def _filled(rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    return (row for row in rows if any(cell != "" for cell in row))


def find_region(name: str, sheet: Any, header: bool | None, header_row: int | None = None) -> Region | None:
    """The table of a sheet; None for an empty sheet.

    The header is the first row of texts that is about as wide as the rows below it. Rows of one or two cells above it
    are titles; rows after an empty row at the end are notes.
    """
    if not sheet.total_height:
        return None
    counts = [_count(row) for row in sheet.iter_rows()]
    if header_row is not None:
        # What stands above was said to be no part of the table.
        counts[: header_row - 1] = [0] * min(header_row - 1, len(counts))
        header = header is not False
    top = list(islice(sheet.iter_rows(), _first(counts), _first(counts) + _TOP))
    if not top:
        return None
    start = _first(counts)
    width = max(_count(row) for row in top)
    wide = [place for place, row in enumerate(top) if header_row is not None or _count(row) > width / 2]
    names_at = _header_place(top, wide, header)
    first = wide[0] if names_at is None else names_at + 1
    end, below, total = _end(counts, sheet, start + first, width)
    columns = _columns(top, names_at, islice(sheet.iter_rows(), start + first, end))
    names = () if names_at is None else tuple(_name(top[names_at][place]) for place in columns)
    return Region(
        sheet=name,
        names=names,
        header=None if names_at is None else start + names_at,
        first=start + first,
        end=end,
        columns=columns,
        cells=sum(counts[start + first : end]),
        below=below,
        total=total,
    )


def _count(row: list[Any]) -> int:
    return len(row) - row.count("")


def _first(counts: list[int]) -> int:
    return next((place for place, count in enumerate(counts) if count), len(counts))


def _name(cell: Any) -> str:
    if isinstance(cell, float) and cell == int(cell):
        return str(int(cell))
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
        if counts_up([_name(cell) for cell in row]):
            return place
    return None


def _repeats(row: list[str], below: list[list[Any]]) -> bool:
    """Whether texts of a row come again below although every column holds nothing but texts: then it is data."""
    for place in range(len(row)):
        under = [each[place] for each in below if place < len(each)]
        if any(value != "" and not isinstance(value, str) for value in under):
            return False
    return any(cell != "" and any(place < len(each) and each[place] == cell for each in below) for place, cell in enumerate(row))


def _end(counts: list[int], sheet: Any, first: int, width: int) -> tuple[int, int, bool]:
    """The row after the last one of the table, how many filled rows were left out below it, and whether one holds totals."""
    end = len(counts)
    while end > first and not counts[end - 1]:
        end -= 1
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


def _columns(top: list[list[Any]], header: int | None, rows: Iterator[list[Any]]) -> tuple[int, ...]:
    """The columns that have a name or a value."""
    used = {place for place, cell in enumerate(top[header]) if cell != ""} if header is not None else set()
    width = len(top[0])
    for row in rows:
        if len(used) == width:
            break
        used.update(place for place, cell in enumerate(row) if cell != "")
    return tuple(sorted(used))


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
    regions = [
        region
        for name in candidates
        if (region := find_region(name, sheets[name], options.header, options.header_row)) is not None and region.end > region.first
    ]
    if not regions:
        raise FileUnreadable("The workbook has no rows: its sheets are empty or hold only a header. Upload a sheet with at least one row of data.")
    chosen = _largest(regions)
    if options.join_sheets is False:
        chosen = [max(chosen, key=lambda region: region.cells)]
    table = ExcelTable(opened, sheets, chosen, options)
    plan, rows = write_table(table, sink)
    notes = Notes()
    _tell(chosen, list(sheets), sizes, notes)
    table.tell(notes)
    first = chosen[0]
    report = plans.told(
        options,
        format=kind,
        sheet=", ".join(region.sheet for region in chosen),
        header=first.header is not None,
        header_row=(first.first if first.header is None else first.header) + 1,
        join_sheets=len(chosen) > 1,
    )
    return table.read(plan, rows, report.model_copy(update={"sheets": [name for name in sheets if sizes[name].cells]}), notes)


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
    sheets = [region.sheet for region in chosen]
    others = [name for name in names if name not in sheets and sizes[name].cells]
    if len(chosen) > 1:
        notes.add(f"The sheets {named(sheets, 20)} have the same columns and were put together.")
    elif others:
        notes.add(f"The table was read from the sheet {named(sheets)}; the workbook also has {named(others, 10)}.")
    for region in chosen:
        of_sheet = f' of "{region.sheet}"' if len(chosen) > 1 else ""
        if region.header:
            notes.add(f"The header was found in row {region.header + 1:,}{of_sheet}; what stands above it was left out.")
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
