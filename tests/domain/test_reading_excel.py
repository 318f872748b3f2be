"""Workbooks: finding the table, and what a hostile container does."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from openpyxl import Workbook

from dapp_ext.domain.reading import workbook
from dapp_ext.errors import FileUnreadable
from tests.domain.tables import read


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def made(rows: list[list[Any]], title: str = "Sheet") -> Workbook:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return book


def test_types_of_cells() -> None:
    moment = datetime(2021, 1, 5, 10, 11, 12)
    rows: list[list[Any]] = [
        ["whole", "part", "flag", "day", "moment", "hour", "span", "code", "mixed", "text date"],
        [1, 1.5, True, date(2021, 1, 5), moment, time(5, 6), timedelta(hours=30), "007", 1, "2021-01-05"],
        [2, 2.0, False, date(2021, 1, 6), moment, time(7, 8), timedelta(hours=1), "008", "n/k", "2021-01-06"],
        [None, None, None, None, None, None, None, None, 2.5, None],
        [4, 4.5, True, date(2021, 1, 7), moment, time(9, 0), timedelta(hours=2), "009", "x", "2021-01-07"],
    ]
    found = read(saved(made(rows)), "t.xlsx")
    assert found.kinds["whole"] == "integer"
    assert found.values("whole") == [1, 2, None, 4]
    assert found.values("part") == [1.5, 2.0, None, 4.5]
    assert found.values("flag") == [True, False, None, True]
    assert found.values("day")[0] == date(2021, 1, 5)
    assert found.values("moment")[0] == moment
    assert found.values("hour")[0] == time(5, 6)
    assert found.values("span")[0] == timedelta(hours=30)
    assert found.values("code")[0] == "007"
    assert found.values("mixed") == ["1", "n/k", "2.5", "x"]
    assert found.values("text date")[0] == date(2021, 1, 5)
    assert "mixed" in found.notes


def test_title_totals_and_notes_around_the_table() -> None:
    rows: list[list[Any]] = [["Quarterly report"], ["printed 2024"], [], ["region", "quarter", "sales"]]
    rows += [["North" if n % 2 else "South", f"Q{n % 4}", 100 + n * 1.5] for n in range(40)]
    rows += [["Total", None, 5170.0], [], ["Source: ledger"]]
    found = read(saved(made(rows)), "t.xlsx")
    assert found.read.rows == 40
    assert found.table.column_names == ["region", "quarter", "sales"]
    assert "row 4" in found.notes
    assert "2 rows below" in found.notes


def test_the_table_does_not_have_to_begin_in_the_corner() -> None:
    book = made([])
    sheet = book.active
    assert sheet is not None
    rows: list[list[Any]] = [["a", "b"], [1, "x"], [2, "y"]]
    for row, cells in enumerate(rows, start=5):
        for column, cell in enumerate(cells, start=3):
            sheet.cell(row, column, cell)
    assert read(saved(book)).table.to_pydict() == {"a": [1, 2], "b": ["x", "y"]}


def test_the_largest_sheet_is_taken_and_others_are_named() -> None:
    book = made([["Notes"], ["The table is on the next sheet."]], "Notes")
    sheet = book.create_sheet("Data")
    for row in [["a", "b"], *[[n, n * 0.5] for n in range(20)]]:
        sheet.append(row)
    found = read(saved(book), "t.xlsx")
    assert found.read.report.sheet == "Data"
    assert found.read.rows == 20
    assert '"Notes"' in found.notes
    assert read(saved(book), "t.xlsx", sheet="notes").read.report.sheet == "Notes"
    with pytest.raises(FileUnreadable, match=r'no sheet "Other".*"Notes", "Data"'):
        read(saved(book), "t.xlsx", sheet="Other")


def test_sheets_with_the_same_columns_are_put_together() -> None:
    book = made([["a", "b"], [1, "x"], [2, "y"]], "Q1")
    for name, start in (("Q2", 3), ("Q3", 5)):
        sheet = book.create_sheet(name)
        for row in [["a", "b"], [start, "x"], [start + 1, "y"]]:
            sheet.append(row)
    found = read(saved(book), "t.xlsx")
    assert found.values("a") == [1, 2, 3, 4, 5, 6]
    assert "put together" in found.notes


def test_errors_and_formulas_without_a_value_are_told() -> None:
    rows: list[list[Any]] = [["n", "total", "ratio"], *[[n, f"=A{n + 2}*2", "#DIV/0!" if n % 2 else n / 4] for n in range(10)]]
    found = read(saved(made(rows)), "t.xlsx")
    assert found.table.column("ratio").null_count == 5
    assert found.table.column("total").null_count == 10
    assert "#DIV/0!" in found.notes
    assert "10 cells" in found.notes


def test_no_header_and_a_header_of_years() -> None:
    found = read(saved(made([[1, 2.5], [2, 3.5], [3, 4.5]])), "t.xlsx")
    assert found.table.to_pydict() == {"column_1": [1, 2, 3], "column_2": [2.5, 3.5, 4.5]}
    found = read(saved(made([["land", 2019, 2020, 2021], ["Peru", 1, 2, 3], ["Oman", 4, 5, 6]])), "t.xlsx")
    assert found.table.column_names == ["land", "2019", "2020", "2021"]


def test_marks_in_number_columns_are_missing_and_names_are_not() -> None:
    found = read(saved(made([["name", "age"], ["NA", 1], ["Bob", "NA"], ["Eve", 3]])), "t.xlsx")
    assert found.table.to_pydict() == {"name": ["NA", "Bob", "Eve"], "age": [1, None, 3]}
    assert "Read as missing" in found.notes


def test_an_empty_workbook_is_refused() -> None:
    with pytest.raises(FileUnreadable, match="no rows"):
        read(saved(made([])), "t.xlsx")
    with pytest.raises(FileUnreadable, match="no rows"):
        read(saved(made([["a", "b"]])), "t.xlsx")


def rebuilt(change: Callable[[str, bytes], bytes | None], *extra: tuple[str, bytes]) -> bytes:
    """A small workbook with parts exchanged, left out or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(made([["a", "b"], [1, 2], [3, 4]])))) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if (content := change(name, old.read(name))) is not None:
                new.writestr(name, content)
        for name, content in extra:
            new.writestr(name, content)
    return out.getvalue()


def test_a_workbook_that_unpacks_too_far_is_refused() -> None:
    bomb = rebuilt(lambda _, content: content, ("xl/media/bomb.bin", bytes(20 * 1024 * 1024)))
    with pytest.raises(FileUnreadable, match="compressed"):
        read(bomb, "t.xlsx")


def test_a_directory_that_lies_about_sizes_is_not_believed() -> None:
    content = bytearray(rebuilt(lambda _, content: content, ("xl/media/bomb.bin", bytes(20 * 1024 * 1024))))
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/media/bomb.bin"))
    struct.pack_into("<I", content, place + 24, 1000)
    with pytest.raises(FileUnreadable, match=r"compressed|damaged"):
        read(bytes(content), "t.xlsx")


def test_two_cells_that_claim_a_huge_grid_are_refused() -> None:
    def far(name: str, content: bytes) -> bytes:
        return content.replace(b'r="B3"', b'r="XFD1048576"') if name.endswith("sheet1.xml") else content

    with pytest.raises(FileUnreadable, match="larger than the limit"):
        read(rebuilt(far), "t.xlsx")


def test_more_cells_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_CELLS", 5)
    with pytest.raises(FileUnreadable, match="limit"):
        read(saved(made([["a", "b"], [1, 2], [3, 4]])), "t.xlsx")


def test_macros_and_entities_are_refused() -> None:
    with pytest.raises(FileUnreadable, match="macros"):
        read(rebuilt(lambda _, content: content, ("xl/vbaProject.bin", b"x")), "t.xlsm")

    def with_entity(name: str, content: bytes) -> bytes:
        return b'<!DOCTYPE x [<!ENTITY a "b">]>' + content if name == "xl/workbook.xml" else content

    with pytest.raises(FileUnreadable, match="damaged"):
        read(rebuilt(with_entity), "t.xlsx")


@pytest.mark.parametrize("left_out", ["xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
def test_missing_parts_are_refused(left_out: str) -> None:
    with pytest.raises(FileUnreadable):
        read(rebuilt(lambda name, content: None if name == left_out else content), "t.xlsx")


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8, 0.97])
def test_a_cut_workbook_is_refused(share: float) -> None:
    whole = saved(made([["a", "b"], [1, 2], [3, 4]]))
    with pytest.raises(FileUnreadable, match="damaged or incomplete"):
        read(whole[: int(len(whole) * share)], "t.xlsx")
