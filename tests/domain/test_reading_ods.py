"""OpenDocument spreadsheets: types, where the table is, and cells that claim to come a million times."""

from __future__ import annotations

from datetime import date

import pytest

from dapp_ext.errors import FileUnreadable
from tests.domain.documents import cell, document, row
from tests.domain.tables import read

ROWS = [["id", "name", "price", "sold", "on"], *[[number, f"n{number}", number * 1.5, number % 2 == 0, date(1969, 1, 1 + number)] for number in range(1, 21)]]


def test_values_and_kinds() -> None:
    found = read(document({"Data": ROWS}), "t.ods")
    assert found.kinds == {"id": "integer", "name": "text", "price": "decimal", "sold": "boolean", "on": "date"}
    assert found.table.to_pylist()[0] == {"id": 1, "name": "n1", "price": 1.5, "sold": False, "on": date(1969, 1, 2)}
    assert found.read.report.format == "ods"
    assert found.read.report.sheets == ["Data"]


def test_the_table_stands_below_a_title_and_away_from_the_edge() -> None:
    rows = [["Sales of the year"], [], *[[None, None, *each] for each in ROWS], row([cell(None, 1024)], 1_048_500)]
    found = read(document({"Notes": [["read me"]], "Data": rows}), "t.ods")
    assert list(found.table.column_names) == ROWS[0]
    assert found.read.rows == 20
    assert found.read.report.header_row == 3
    assert "row 3" in found.notes


def test_a_sheet_is_chosen_and_equal_sheets_are_joined_or_not() -> None:
    book = document({"Q1": ROWS, "Q2": ROWS, "Menu": [["dish", "cost"], ["a", 1], ["b", 2]]})
    assert read(book, "t.ods").read.rows == 40
    assert read(book, "t.ods", join_sheets=False).read.rows == 20
    assert read(book, "t.ods", sheet="menu").table.to_pydict() == {"dish": ["a", "b"], "cost": [1, 2]}
    with pytest.raises(FileUnreadable, match=r'no sheet "x".*"Q1"'):
        read(book, "t.ods", sheet="x")


@pytest.mark.parametrize(
    ("book", "words"),
    [
        (document({"a": [["x"], row([cell(1, 1024)], 1_000_000)]}), "larger than the limit"),
        (document({"a": [["x"], row([], 1_048_575), row([cell(None, 16_383), 1])]}), "larger than the limit"),
        (document({}, '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), "damaged"),
        (document({}, "<x>"), "damaged"),
        (document({}, "<x>" * 100_000), "damaged"),
        (document({"a": ROWS}, Basic__script="x"), "macros"),
        (document({"a": [["x"]]}), "no rows"),
    ],
    ids=["a thousand million cells", "a far corner", "entities", "half", "deep", "macros", "a header only"],
)
def test_what_is_refused(book: bytes, words: str) -> None:
    with pytest.raises(FileUnreadable, match=words):
        read(book, "t.ods")
