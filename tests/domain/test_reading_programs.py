"""What programs and people write around a table, in workbooks and texts, as they really do."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from typing import Any

import openpyxl
import pytest

from dapp_ext.domain.reading.units import PERCENT, PLAIN, ZEROS, unit_of_format
from tests.domain.documents import document
from tests.domain.tables import profiled, read


def book(rows: Sequence[Sequence[Any]], formats: dict[int, str] | None = None) -> bytes:
    """A workbook of one sheet, with number formats by column, from 1, below the first row."""
    made = openpyxl.Workbook()
    sheet = made.active
    for number, row in enumerate(rows):
        sheet.append(list(row))
        for column, code in (formats or {}).items():
            if number:
                sheet.cell(sheet.max_row, column).number_format = code
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


# -- units in the formats of cells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ('#,##0.00\\ "€"', "€"),
        ('"$"#,##0.00_);\\("$"#,##0.00\\)', "$"),
        ('_-* #,##0.00\\ "€"_-;\\-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-', "€"),
        ("_-[$£-809]* #,##0.00_-;[Red]-[$£-809]* #,##0.00_-", "£"),
        ("[$CHF-807] #,##0.00", "CHF"),
        ("[$-407]#,##0.00", PLAIN),
        ('0.00" kg"', "kg"),
        ('#,##0 "km/h"', "km/h"),
        ('0.0"°C"', "°C"),
        ("0.0%", PERCENT),
        ("00000", ZEROS),
        ("0", PLAIN),
        ("#,##0.00", PLAIN),
        ("General", PLAIN),
        ("(000) 000-0000", PLAIN),
        ('"Nr. "0000', PLAIN),
        ('0.0,,"M"', PLAIN),
        ('[>=1000]0.0,"K";0', PLAIN),
        ("yyyy-mm-dd", PLAIN),
        ('[h]:mm" h"', PLAIN),
        ("0.00E+00", PLAIN),
        ('[Red]0.0;[Blue]-0.0" kg"', PLAIN),
    ],
)
def test_the_unit_of_a_format(code: str, unit: str) -> None:
    assert unit_of_format(code) == unit


def test_units_of_a_workbook_are_kept_with_the_columns() -> None:
    rows = [["", "id", "eur", "share", "kg", "zip", "plain"], *[["", n, 1234.5 + n, n / 20, n + 0.5, 500 + n, n] for n in range(6)]]
    found = read(book(rows, {3: '#,##0.00\\ "€"', 4: "0%", 5: '0.0" kg"', 6: "00000"}), "t.xlsx")
    assert {column.name: column.unit for column in found.read.columns} == {"id": None, "eur": "€", "share": None, "kg": "kg", "zip": None, "plain": None}
    assert found.values("share")[1] == 0.05
    assert '(0.25 where it shows 25%), in "share"' in found.notes
    assert 'zeros before the numbers of "zip"' in found.notes


def test_a_column_of_several_units_has_none() -> None:
    made = openpyxl.load_workbook(io.BytesIO(book([["a", "b"], *[[n, n * 1.5] for n in range(4)]], {2: '0.0" kg"'})))
    made.active.cell(4, 2).number_format = '0.0" lb"'
    out = io.BytesIO()
    made.save(out)
    assert [column.unit for column in read(out.getvalue(), "t.xlsx").read.columns] == [None, None]


def test_currencies_and_percentages_of_a_document() -> None:
    money = '<table:table-cell office:value-type="currency" office:currency="EUR" office:value="{0}"><text:p>{0} €</text:p></table:table-cell>'
    share = '<table:table-cell office:value-type="percentage" office:value="{0}"><text:p>x%</text:p></table:table-cell>'
    found = read(document({"S": [["n", "price", "share"], *[[n, money.format(n + 0.5), share.format(n / 4)] for n in range(3)]]}), "t.ods")
    assert [column.unit for column in found.read.columns] == [None, "€", None]
    assert "as fractions" in found.notes


# -- tables on a sheet ----------------------------------------------------------------------------------------------------


def side_by_side(gap: int) -> bytes:
    between = [None] * gap
    return book([["name", "v", *between, "code", "w"], *[[f"n{n}", n, *between, f"c{n}", n * 2.5] for n in range(4)]])


def test_two_tables_over_the_same_rows() -> None:
    found = read(side_by_side(2), "t.xlsx")
    assert found.table.column_names == ["name", "v"]
    assert len(found.read.report.tables) == 2
    assert read(side_by_side(2), "t.xlsx", table=2).values("w") == [0, 2.5, 5, 7.5]


def test_one_empty_column_parts_tables_only_where_somebody_says_so() -> None:
    assert len(read(side_by_side(1), "t.xlsx").kinds) == 4
    assert read(side_by_side(1), "t.xlsx", table=2).table.column_names == ["code", "w"]


@pytest.mark.parametrize("delimiter", [None, ","])
def test_the_two_rows_of_names_of_a_survey(delimiter: str | None) -> None:
    rows = [["id", "When", "Which drinks?", None, "Why?", None], [None, None, "Tea", "Coffee", "Response", "Other"]]
    rows += [[n, dt.date(2024, 1, n), n % 2, 1 - n % 2, "yes", None if n % 2 else "so"] for n in range(1, 6)]
    text = "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows) + "\n"
    found = read(book(rows), "t.xlsx") if delimiter is None else read(text)
    assert found.table.column_names == ["id", "When", "Which drinks? Tea", "Which drinks? Coffee", "Why? Response", "Why? Other"]
    assert found.kinds["Which drinks? Tea"] == "integer"
    assert found.read.rows == 5


def test_a_row_with_gaps_below_a_nameless_column_is_data() -> None:
    assert read("a,b,c,\n,x,y,z\n1,p,q,r\n2,p,q,r\n3,p,q,r\n").read.rows == 4


# -- texts ----------------------------------------------------------------------------------------------------------------

TEXTS: dict[str, tuple[str, dict[str, list[Any]]]] = {
    "DATEV": (
        '"EXTF";700;21;"Buchungsstapel";12;20240131;;"RE";;;1001;456\nUmsatz;S/H;Konto;Belegdatum\n119,00;"S";1200;0301\n59,50;"H";1200;1001\n9,00;"S";1210;3101\n',
        {"Umsatz": [119.0, 59.5, 9.0], "S/H": ["S", "H", "S"], "Belegdatum": ["0301", "1001", "3101"]},
    ),
    "R with row names": (
        '"mpg" "cyl" "name"\n"Mazda RX4" 21 6 "a b"\n"Datsun 710" 22.8 4 "c d"\n"Hornet" 21.4 6 "e"\n',
        {"mpg": [21, 22.8, 21.4], "name": ["a b", "c d", "e"]},
    ),
    "numpy": ("# time temp\n" + "".join(f"{n:.18e} {n + 0.5:.18e}\n" for n in range(5)), {"time": [0.0, 1, 2, 3, 4], "temp": [0.5, 1.5, 2.5, 3.5, 4.5]}),
    "numpy without names": ("# of measurements\n" + "".join(f"{n:.3e} {n:.3e} {n:.3e}\n" for n in range(5)), {"column_1": [0.0, 1, 2, 3, 4]}),
    "SQL*Plus": (
        "\n     EMPNO ENAME             SAL\n---------- ---------- ----------\n      7369 SMITH             800\n      7499 ALLEN            1600\n"
        "      7521 WARD             1250\n\n3 rows selected.\n\n",
        {"EMPNO": [7369, 7499, 7521], "ENAME": ["SMITH", "ALLEN", "WARD"], "SAL": [800, 1600, 1250]},
    ),
    "MySQL": (
        "+----+------+--------+\n| id | name | amount |\n+----+------+--------+\n|  1 | Ann  |  10.50 |\n|  2 | Bob  |   NULL |\n|  3 | Cy   |   7.25 |\n"
        "+----+------+--------+\n3 rows in set (0.00 sec)\n",
        {"id": [1, 2, 3], "amount": [10.5, None, 7.25]},
    ),
    "Salesforce": (
        '"Name","Amount","Close"\n"A","1000","1/31/2024"\n"B","2500.5","2/29/2024"\n"C","300","12/31/2024"\n\n"Grand Totals (3 records)","","",\n'
        '"Confidential Information - Do Not Distribute"\n"Generated By: Jane Doe 3/1/2024 9:00 AM"\n"Acme Corp"\n',
        {"Name": ["A", "B", "C"], "Amount": [1000, 2500.5, 300]},
    ),
    "a bank": (
        "Account statement\nIBAN;CH93 0076\nPeriod;01.01.2024 - 31.01.2024\n\nDate;Text;Debit;Credit;Balance\n03.01.2024;Coop;-45.20;;1'954.80\n"
        "05.01.2024;Salary;;5'000.00;6'954.80\n31.01.2024;Rent;-1'800.00;;5'154.80\n",
        {"Text": ["Coop", "Salary", "Rent"], "Balance": [1954.8, 6954.8, 5154.8]},
    ),
    "bars with blanks": ("id | name | v\n1 | Ann | 2.5\n2 | Bob | 3.5\n", {"id": [1, 2], "name": ["Ann", "Bob"]}),
    "a log with commas in the seconds": (
        "t;v\n2024-01-01 00:00:00,125;1\n2024-01-01 00:00:01,500;2\n",
        {"t": [dt.datetime(2024, 1, 1, 0, 0, 0, 125000), dt.datetime(2024, 1, 1, 0, 0, 1, 500000)]},
    ),
    "a day first with commas in the seconds": (
        "t;v\n31.12.2024 00:00:00,125;1\n01.01.2024 00:00:01,5;2\n",
        {"t": [dt.datetime(2024, 12, 31, 0, 0, 0, 125000), dt.datetime(2024, 1, 1, 0, 0, 1, 500000)]},
    ),
    "zero dates": ("d,v\n2024-01-01,1\n0000-00-00,2\n2024-01-03,3\n", {"d": [dt.date(2024, 1, 1), None, dt.date(2024, 1, 3)]}),
    "nulls of databases": ("a\tb\n1\t\\N\n2\ty\n\\N\tz\n", {"a": [1, 2, None], "b": [None, "y", "z"]}),
    "yen": ('n,価格\nA,"1,234円"\nB,500円\n', {"価格": [1234.0, 500.0]}),
    "francs": ("Ort;Preis\nBern;Fr. 1'234.50\nGenf;Fr. 12.00\n", {"Preis": [1234.5, 12.0]}),
    "hashes": ("h,v\n1234e56,1\n7654e32,2\n", {"h": ["1234e56", "7654e32"]}),
}


@pytest.mark.parametrize("of", TEXTS)
def test_what_stands_in_texts(of: str) -> None:
    text, columns = TEXTS[of]
    found = read(text)
    assert {name: found.values(name) for name in columns} == columns


def test_notes_below_a_gap_are_told_and_come_back() -> None:
    text = TEXTS["Salesforce"][0]
    assert "4 lines below the table (notes) were left out." in read(text).notes
    assert read(text, extra_rows="keep").read.rows == 7


@pytest.mark.parametrize("text", ["a,b,c\n1,2,3\n4,5,6\n7,8,9\n\n10,11,12\n", "a,b,c\n1,2,x\n4,5,y\n7,8,z\n\n,,w\n5,6,x\n", "a,b\n1,x\n2,y\n3,z\n\nword\n"])
def test_rows_below_a_gap_are_rows(text: str) -> None:
    assert read(text).read.rows == sum(bool(line) for line in text.splitlines()) - 1


def test_old_mac_texts() -> None:
    text = "Straße,Ort\nKönigsallee,Düsseldorf\nÄußere,Köln\nMüller,Nürnberg\n"
    assert read(text.encode("mac_roman")).values("Straße") == ["Königsallee", "Äußere", "Müller"]
    assert read(text.encode("cp1252")).values("Ort") == ["Düsseldorf", "Köln", "Nürnberg"]


@pytest.mark.parametrize(
    "text", ["region,clicks,cost\nA,1200,45.1\nB,300,5.0\nC,80,1.0\nTotal: Account,1580,51.1\n", "s,n,m\nA,1,2\nB,2,3\nC,3,4\nGrand Totals,6,9\n"]
)
def test_totals_of_reports_are_pointed_out(text: str) -> None:
    assert [finding.rows for finding in profiled(text).findings if finding.code == "totals_row"] == [[3]]


def test_a_minus_of_typography_can_be_read() -> None:
    found = profiled("n,w\nA,−1.5\nB,2.5\nC,−3.5\n")
    assert "numbers_as_text" in {finding.code for finding in found.findings}
