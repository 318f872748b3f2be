"""Tables as people really keep them: headers of two rows, totals, several tables on a sheet, rules, columns of blanks, odd numbers and clocks.

What is done is told, nothing is lost in silence, and reading again with another option undoes it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import Workbook

from dapp_ext.errors import FileUnreadable
from tests.domain.documents import document
from tests.domain.tables import Result, profiled, read


def workbook(rows: Sequence[Sequence[Any]], *merged: str) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    for cells in merged:
        book.active.merge_cells(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def codes(result: Result) -> list[str]:
    return [finding.code for finding in result.read.findings]


# -- headers of two rows --------------------------------------------------------------------------------------------------

BODY = [[f"R{number}", number, number * 1.5, number + 1, number * 2.5] for number in range(20)]
JOINED = ["Region", "2023 Units", "2023 Sales", "2024 Units", "2024 Sales"]


def test_merged_cells_over_names() -> None:
    data = workbook([["Region", "2023", None, "2024", None], [None, "Units", "Sales", "Units", "Sales"], *BODY], "A1:A2", "B1:C1", "D1:E1")
    found = read(data, "t.xlsx")
    assert found.kinds == dict(zip(JOINED, ["text", "integer", "decimal", "integer", "decimal"], strict=True))
    assert (found.read.rows, found.read.report.header_row, found.read.report.header_rows) == (20, 1, 2)
    assert "header_rows" in found.read.report.guessed
    assert "two rows" in found.notes
    again = read(data, "t.xlsx", header_rows=1)
    assert (again.read.rows, list(again.kinds)[1]) == (21, "2023")


def test_names_in_the_second_row_only() -> None:
    data = workbook([["Yearly report"], [], [None, "Income", None, "Cost", None], ["Name", "Q1", "Q2", "Q1", "Q2"], *BODY], "B3:C3", "D3:E3")
    found = read(data, "t.xlsx")
    assert list(found.kinds) == ["Name", "Income Q1", "Income Q2", "Cost Q1", "Cost Q2"]
    assert (found.read.rows, found.read.report.header_row) == (20, 3)
    assert list(read(data, "t.xlsx", header_rows=1).kinds)[1:] == ["Q1", "Q2", "Q1_2", "Q2_2"]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_two_rows_of_names_in_a_text(delimiter: str) -> None:
    lines = [["Region", "2023", "", "2024", ""], ["", "Units", "Sales", "Units", "Sales"], *[[str(cell) for cell in row] for row in BODY]]
    text = "".join(delimiter.join(line) + "\n" for line in lines)
    found = read(text)
    assert list(found.kinds) == JOINED
    assert found.values("2024 Units")[:2] == [1, 2]
    assert found.read.rows == 20
    assert read(text, header_rows=1).read.rows == 21


def test_a_row_of_units() -> None:
    found = read("time,speed,place\ns,km/h,\n" + "".join(f"{number},{number}.5,here\n" for number in range(9)))
    assert found.kinds == {"time s": "integer", "speed km/h": "decimal", "place": "category"}


@pytest.mark.parametrize("text", ["a,b,c\nx,y,z\n1,2,w\n3,4,v\n,5,u\n".replace("1,2", "p,2"), "name,n\nunknown,3\nAnn,4\nBob,5\n", "n\nlow\n4\n5\n6\n"])
def test_a_first_row_of_texts_is_data_where_little_speaks_against_it(text: str) -> None:
    found = read(text)
    assert found.read.report.header_rows == 1
    assert found.read.rows == text.count("\n") - 1


def test_cells_that_are_merged_downwards_count_for_every_row() -> None:
    rows = [["Region", "City", "Sales"], *[[f"R{number // 4}" if number % 4 == 0 else None, f"c{number}", number * 1.5] for number in range(12)]]
    data = workbook(rows, "A2:A5", "A6:A9", "A10:A13")
    found = read(data, "t.xlsx")
    assert found.values("Region") == [f"R{number // 4}" for number in range(12)]
    assert "9 cells" in found.notes
    assert read(data, "t.xlsx", merged_cells="first").values("Region")[:3] == ["R0", None, None]
    moved = workbook([["", "", ""], *[["", *row] for row in rows]], "B3:B6")
    assert read(moved, "t.xlsx").values("Region")[:6] == ["R0", "R0", "R0", "R0", "R1", None]


# -- totals, and more than one table --------------------------------------------------------------------------------------


def totals(rows: Sequence[Sequence[Any]], last: Sequence[Any]) -> str:
    return "".join(",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in [["region", "city", "sales"], *rows, last])


PLACES = [[f"R{number % 5}", f"c{number}", number * 1.5 + 1] for number in range(12)]
SUM = sum(row[2] for row in PLACES)


@pytest.mark.parametrize("last", [["Total", None, SUM], ["Grand total:", "all", SUM], [None, None, SUM], ["Summe", None, 1.0]])
def test_totals_at_the_end_are_pointed_out(last: Sequence[Any]) -> None:
    found = profiled(totals(PLACES, last))
    (finding,) = [finding for finding in found.findings if finding.code == "totals_row"]
    assert finding.rows == [12]
    assert found.rows == 13


@pytest.mark.parametrize("last", [["R1", "c9", SUM], ["Total", "c12", 7.5], ["R1", None, 7.5], [None, None, 7.5]])
def test_other_last_rows_are_none(last: Sequence[Any]) -> None:
    assert "totals_row" not in {finding.code for finding in profiled(totals(PLACES, last)).findings}


def test_what_stands_below_a_table_is_left_out_and_comes_back() -> None:
    data = workbook([["region", "city", "sales"], *PLACES, ["Total", None, SUM], [], ["Source: us"]])
    found = read(data, "t.xlsx")
    assert (found.read.rows, codes(found)) == (12, ["left_out"])
    assert found.read.findings[0].count == 2
    kept = read(data, "t.xlsx", extra_rows="keep")
    assert kept.read.rows == 14
    assert kept.values("region")[-2:] == ["Total", "Source: us"]


def beside() -> bytes:
    return workbook([["Name", "Age", None, "City", "People"], *[[f"n{n}", n, None, *([f"c{n}", n * 10] if n < 5 else [None, None])] for n in range(12)]])


def below() -> bytes:
    return workbook([["Name", "Age"], *[[f"n{n}", n] for n in range(12)], [], ["City", "People"], *[[f"c{n}", n * 100] for n in range(5)]])


def in_a_document() -> bytes:
    return document({"S": [["Name", "Age"], *[[f"n{n}", n] for n in range(12)], [None, None], ["City", "People"], *[[f"c{n}", n * 100] for n in range(5)]]})


@pytest.mark.parametrize("make", [beside, below, in_a_document])
def test_two_tables_on_one_sheet(make: Callable[[], bytes]) -> None:
    data, name = make(), "t.ods" if make is in_a_document else "t.xlsx"
    found = read(data, name)
    assert found.kinds == {"Name": "text", "Age": "integer"}
    assert found.read.rows == 12
    assert found.read.report.tables == ["Name, Age (12 rows)", "City, People (5 rows)"]
    assert found.read.report.table == 1
    assert codes(found) == ["left_out"]
    assert "City, People (5 rows), table 2" in found.read.findings[0].sentence
    other = read(data, name, table=2)
    assert other.kinds == {"City": "text", "People": "integer"}
    assert other.read.rows == 5
    with pytest.raises(FileUnreadable, match="has 2 tables"):
        read(data, name, table=3)


def test_tables_with_the_same_names_are_put_together() -> None:
    data = workbook([["Name", "Age"], *[[f"n{n}", n] for n in range(6)], [], ["Name", "Age"], *[[f"m{n}", n] for n in range(4)]])
    found = read(data, "t.xlsx")
    assert found.read.rows == 10
    assert "put together" in found.notes


@pytest.mark.parametrize(
    "rows",
    [
        [["a", None, "b", "c"], *[[n, None, n * 2, "x" if n % 2 else None] for n in range(12)]],
        [["a", "b", None, "remark"], *[[n, n * 2, None, "late" if n == 3 else None] for n in range(12)]],
        [["a", "b"], *[[n, f"t{n}"] for n in range(6)], [], *[[n, f"t{n}"] for n in range(6)]],
    ],
    ids=["an empty column between", "a column of remarks", "an empty row between"],
)
def test_one_table_with_gaps_stays_one(rows: Sequence[Sequence[Any]]) -> None:
    found = read(workbook(rows), "t.xlsx")
    assert found.read.report.tables == []
    assert found.read.rows == 12
    assert len(found.kinds) == len([name for name in rows[0] if name])


# -- rules, and columns without a delimiter -------------------------------------------------------------------------------

NAMES = {"id": "integer", "name": "text", "v": "decimal"}


@pytest.mark.parametrize(
    "text",
    [
        "| id | name | v |\n|---:|:-----|---|\n" + "".join(f"| {n} | n{n} | {n}.5 |\n" for n in range(10)),
        " id | name  | v\n----+-------+----\n" + "".join(f" {n:2} | n{n:<4} | {n}.5\n" for n in range(10)) + "(10 rows)\n",
        "+----+-----+-----+\n| id | name| v   |\n+----+-----+-----+\n" + "".join(f"| {n:2} | n{n:2} | {n}.5 |\n" for n in range(10)) + "+----+-----+-----+\n",
        "id,name,v\n--,----,-\n" + "".join(f"{n},n{n},{n}.5\n" for n in range(10)),
        "id   name     v\n---- -------- ------\n" + "".join(f"{n:<4} n{n:<7} {n}.5\n" for n in range(10)),
    ],
    ids=["markdown", "psql", "mysql", "csv", "sqlcmd"],
)
def test_lines_that_only_draw_are_left_out(text: str) -> None:
    found = read(text)
    assert found.kinds == NAMES
    assert found.read.rows == 10
    assert found.values("v")[-1] == 9.5
    assert "left_out" in codes(found)
    assert read(text, extra_rows="keep").read.rows > 10


def test_dashes_that_may_mean_missing_are_no_rule() -> None:
    found = read("first,second\n--,--\n" + "".join(f"{n},{n}\n" for n in range(10)))
    assert (found.read.rows, codes(found)) == (11, ["missing_marks", "missing_marks"])


FIXED = "id   name       city        amount\n" + "".join(
    f"{n:<5}{f'Ann Lee {n}':<11}{'' if n == 7 else 'New York' if n % 2 else 'Oslo':<12}{n * 1.5:6.2f}\n" for n in range(20)
)


def test_columns_that_stand_under_each_other() -> None:
    found = read(FIXED)
    assert found.kinds == {"id": "integer", "name": "text", "city": "category", "amount": "decimal"}
    assert found.values("name")[19] == "Ann Lee 19"
    assert found.values("city")[7] is None
    assert (found.read.report.layout, found.read.report.delimiter) == ("aligned", None)
    assert "layout" in found.read.report.guessed
    whole = read(FIXED, layout="delimited")
    assert whole.values(next(iter(whole.kinds)))[0].split() == ["0", "Ann", "Lee", "0", "Oslo", "0.00"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_parted_by_blanks(end: str) -> None:
    found = read(end.join(["x y  z", *[f"{n} {n * 20}   {n}.5" for n in range(20)], ""]))
    assert found.kinds == {"x": "integer", "y": "integer", "z": "decimal"}
    assert found.read.report.layout == "blanks"


def test_a_later_line_that_is_not_aligned_keeps_all_lines_whole() -> None:
    rest = "".join(f"{n:<5}{'Ann Lee':<11}{'Oslo':<12}{n * 1.5:8.2f}\n" for n in range(40_000))
    text = FIXED + rest + f"{1:<5}{'A name that is too long':<23}Oslo 1.50\n"
    found = read(text)
    assert (found.read.rows, len(found.kinds)) == (40_021, 1)
    assert found.values(next(iter(found.kinds)))[-1] == text.splitlines()[-1]
    with pytest.raises(FileUnreadable, match="columns of the first lines part"):
        read(text, layout="aligned")


@pytest.mark.parametrize(
    ("head", "line"),
    [("order date\n", "2024-01-{0:02d} 10:{0:02d}:00"), ("phone number\n", "555 12{0:02d}"), ("", "555 12{0:02d}"), ("", "2024-01-{0:02d} 10:00")],
)
def test_two_words_that_are_one_value_stay_one(head: str, line: str) -> None:
    found = read(head + "".join(line.format(n) + "\n" for n in range(10, 28)), header=bool(head))
    assert (len(found.kinds), found.read.rows) == (1, 18)


def test_words_in_a_line_are_no_columns() -> None:
    found = read("name\n" + "".join(f"{first} {last}\n" for first in ("Ann", "Bob", "Cyd") for last in ("Lee", "Ray", "Doe")))
    assert (found.read.rows, list(found.kinds)) == (9, ["name"])


SENTENCES = ["Good, but slow", "I liked it, really, a lot", "Fine", "Bad, bad", "Never again, thanks", "ok"]


@pytest.mark.parametrize("head", ["comment\n", ""])
def test_sentences_with_commas_are_one_column(head: str) -> None:
    text = head + "".join(f"{sentence}\n" for sentence in SENTENCES * 5)
    found = read(text)
    assert found.values(next(iter(found.kinds))) == SENTENCES * 5
    assert "sentences" in found.notes
    assert len(read(text, delimiter=",").kinds) > 1


def test_one_name_over_names_with_commas() -> None:
    assert read("author\n" + "".join(f"Lee, {name}\n" for name in ("Ann", "Bob", "Cy", "Di"))).values("author")[0] == "Lee, Ann"


def test_blanks_after_commas_of_a_table_are_no_sentence() -> None:
    found = read("Survey of 2024\nname, age\n" + "".join(f"n{n}, {n}\n" for n in range(20)))
    assert found.kinds == {"name": "text", "age": "integer"}


# -- numbers, codes, clocks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("id,amount\n" + "".join(f"{n},{n}.50{'-' if n % 3 == 0 else ''}\n" for n in range(1, 20)), [1.5, 2.5, -3.5]),
        ("id;amount\n" + "".join(f"{n};1.{n:03d},50{'-' if n % 3 == 0 else ''}\n" for n in range(1, 20)), [1001.5, 1002.5, -1003.5]),
        ("id,amount\n" + "".join(f'{n},"1,00{n}{"-" if n % 3 == 0 else ""}"\n' for n in range(1, 9)), [1001.0, 1002.0, -1003.0]),
    ],
)
def test_a_minus_behind_the_number(text: str, first: list[float]) -> None:
    found = read(text)
    assert found.kinds["amount"] == "decimal"
    assert found.values("amount")[:3] == first
    assert "12.50-" in found.notes


def test_a_minus_behind_a_number_far_down() -> None:
    found = read("id,amount\n" + "".join(f"{n},{n}\n" for n in range(600_000)) + "7,12.50-\n")
    assert found.values("amount")[-1] == -12.5


@pytest.mark.parametrize("text", ["12-14", "a-", "-", "1-2-"])
def test_other_dashes_are_no_sign(text: str) -> None:
    found = read(f"id,amount\n1,5.5\n2,{text}\n3,{text}\n4,7\n")
    assert found.values("amount")[1] in (text, None)
    assert found.values("amount")[0] in (5.5, "5.5")


def test_codes_like_numbers_with_an_exponent_stay_texts() -> None:
    found = read("room,n\n" + "".join(f"{code},{n}\n" for n, code in enumerate(["100", "1E5", "2E3", "300"] * 9)))
    assert found.values("room")[:4] == ["100", "1E5", "2E3", "300"]
    assert read("room\n1E5\n2\n", types={"room": "decimal"}).values("room") == [1e5, 2.0]
    told = profiled("room,n\n" + "".join(f"{code},{n}\n" for n, code in enumerate(["100", "1E5", "200", "300"] * 9)))
    assert [finding.rows[:2] for finding in told.findings if finding.code == "mixed_types"] == [[1, 5]]


@pytest.mark.parametrize("text", ["1.5E5", "1E+05", "2e3", "3.25E-7"])
def test_numbers_as_programs_write_them_are_numbers(text: str) -> None:
    assert read(f"v,n\n{text},1\n2.5,2\n").values("v") == [float(text), 2.5]


def stamps(*ends: str) -> Result:
    return read("at,n\n" + "".join(f"2024-01-{n + 1:02d}T10:00:00{end},{n}\n" for n, end in enumerate(ends * 4)))


def test_several_zones_become_one_and_are_told() -> None:
    found = stamps("+01:00", "Z", "-05:00", " UTC")
    assert found.values("at")[:4] == [datetime(2024, 1, day, hour, tzinfo=UTC) for day, hour in ((1, 9), (2, 10), (3, 15), (4, 10))]
    (finding,) = found.read.findings
    assert (finding.code, finding.severity, finding.count) == ("mixed_zones", "info", 12)
    assert finding.rows == [row for row in range(16) if row % 4]
    assert codes(stamps(" UTC", "Z", "+00:00")) == []


def test_times_with_and_without_a_zone_stay_texts() -> None:
    found = stamps("+01:00", "", "Z", "")
    assert found.values("at")[:2] == ["2024-01-01T10:00:00+01:00", "2024-01-02T10:00:00"]
    (finding,) = found.read.findings
    assert (finding.code, finding.severity, finding.count) == ("mixed_zones", "warning", 8)
    assert finding.rows[:3] == [1, 2, 3]


def test_names_of_zones_that_mean_several_stay_texts() -> None:
    assert stamps(" CET", " EST").kinds["at"] in ("text", "category")


# -- rows like the header -------------------------------------------------------------------------------------------------


def test_rows_like_the_header_stay_where_all_is_text() -> None:
    text = "a,b\nx,y\na,b\nz,w\na,b\n"
    found = read(text)
    assert found.values("a") == ["x", "a", "z", "a"]
    assert [(finding.code, finding.rows) for finding in found.read.findings] == [("repeated_headers", [1, 3])]
    assert read(text, extra_rows="drop").values("a") == ["x", "z"]
    assert codes(read(text, extra_rows="keep")) == []


def test_rows_like_the_header_among_numbers_are_headers() -> None:
    text = "a,b\n1,y\na,b\n2,w\n"
    found = read(text)
    assert (found.values("a"), codes(found)) == ([1, 2], ["left_out"])
    assert read(text, extra_rows="keep").values("a") == ["1", "a", "2"]


# -- dates in workbooks ---------------------------------------------------------------------------------------------------


def test_texts_beside_real_dates() -> None:
    data = workbook([["when", "n"], *[[datetime(2024, 1, n + 1) if n % 3 else f"{n + 1:02d}.01.2024", n] for n in range(12)]])
    found = read(data, "t.xlsx")
    assert found.kinds["when"] == "date"
    assert found.values("when") == [date(2024, 1, n + 1) for n in range(12)]
    (finding,) = found.read.findings
    assert (finding.code, finding.severity, finding.rows, finding.count) == ("texts_as_dates", "info", [0, 3, 6, 9], 4)
    assert read(data, "t.xlsx", types={"when": "text"}).kinds["when"] == "text"


def test_dates_that_a_spreadsheet_has_swapped() -> None:
    days = [date(2024, 3, day) for day in range(1, 29)]
    rows = [[f"{day:%d/%m/%Y}" if day.day > 12 else datetime(2024, day.day, day.month), 1] for day in days]
    found = read(workbook([["when", "n"], *rows]), "t.xlsx")
    (finding,) = found.read.findings
    assert (finding.code, finding.severity) == ("texts_as_dates", "warning")
    assert "swapped" in finding.sentence
    assert found.values("when")[-1] == days[-1]


def test_a_text_that_is_no_date_keeps_all_as_texts() -> None:
    data = workbook([["when", "n"], *[["soon" if n == 5 else datetime(2024, 1, n + 1), n] for n in range(12)]])
    assert read(data, "t.xlsx").values("when")[4:6] == ["2024-01-05", "soon"]


@pytest.mark.parametrize("dates", [["2021-01-01", "2021-02-01"], ["01.01.2021", "01.02.2021"], ["Jan 2021", "Feb 2021"]])
def test_dates_over_amounts_name_the_columns(dates: list[str]) -> None:
    found = read(f"who,{','.join(dates)}\na,1,2\nb,3.5,4\n")
    assert found.table.to_pydict() == {"who": ["a", "b"], dates[0]: [1, 3.5], dates[1]: [2, 4]}


def test_dates_over_amounts_in_a_workbook_name_the_columns() -> None:
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in (["Sales"], [], ["who", date(2021, 1, 1), datetime(2021, 2, 1)], ["a", 1, 2], ["b", 3, 4]):
        sheet.append(row)
    book.save(out)
    assert read(out.getvalue(), "t.xlsx").table.to_pydict() == {"who": ["a", "b"], "2021-01-01": [1, 3], "2021-02-01": [2, 4]}


@pytest.mark.parametrize("row", ["a,1,2\nb,3,4\n", "2021-01-01,2021-01-02,5\n2021-01-03,2021-01-05,6\n"])
def test_rows_that_only_look_like_names_are_rows(row: str) -> None:
    found = read(row)
    assert (found.read.rows, found.table.column_names) == (2, ["column_1", "column_2", "column_3"])
