"""Files as banks, ERP systems, databases and scripts export them."""

from __future__ import annotations

from datetime import date

import pytest

from tests.domain.tables import read


def test_a_german_bank_statement_with_a_letterhead() -> None:
    head = (
        '"Kontonummer:";"DE12 3456";\r\n"Von:";"01.01.2024";\r\n"Kontostand vom 31.03.2024:";"1.234,56 EUR";\r\n\r\n'
        '"Buchungstag";"Buchungstext";"Begünstigter";"Betrag (EUR)";\r\n'
    )
    rows = "".join(f'"{day:02d}.01.2024";"Lastschrift {day}";"Stadtwerke München";"-1.2{day:02d},50";\r\n' for day in range(1, 28))
    found = read((head + rows).encode("cp1252"), "umsaetze.csv")
    assert found.kinds == {"Buchungstag": "date", "Buchungstext": "text", "Begünstigter": "category", "Betrag (EUR)": "decimal"}
    assert found.values("Betrag (EUR)")[:2] == [-1201.5, -1202.5]
    assert found.values("Buchungstag")[-1] == date(2024, 1, 27)
    assert found.read.report.header_row == 5
    assert found.read.rows == 27


def test_a_short_header_over_typed_rows_is_no_letterhead() -> None:
    found = read("a,b\n" + "".join(f"{n},{n},{n},{n},{n}\n" for n in range(30)))
    assert list(found.kinds)[:2] == ["a", "b"]
    assert found.read.rows == 30


def test_quotes_tell_the_delimiter() -> None:
    found = read("".join(f'"a{n},5";"b,{n}";"{n},25"\n' for n in range(30)), header=False)
    assert found.read.report.delimiter == ";"
    assert found.values("column_3")[:2] == [0.25, 1.25]


BACKSLASHES = "id,text,n\n" + "".join(f'{n},"He said \\"hi, {n}\\" to C:\\\\x",{n * 2}\n' for n in range(40))


def test_backslashes_before_quotes() -> None:
    found = read(BACKSLASHES)
    assert found.kinds == {"id": "integer", "text": "text", "n": "integer"}
    assert found.values("text")[7] == 'He said "hi, 7" to C:\\x'
    assert found.read.report.escape == "backslash"
    assert "escape" in found.read.report.guessed
    assert "backslash" in found.notes


def test_backslashes_before_quotes_beyond_one_piece() -> None:
    text = BACKSLASHES + "".join(f'{n},"{"x" * 200}\\"{n}\\", {"y" * (n % 7)}\\\\",1\n' for n in range(40, 25_000))
    found = read(text)
    assert found.read.rows == 25_000
    assert found.values("text")[24_999] == "x" * 200 + '"24999", ' + "y" * (24_999 % 7) + "\\"
    assert set(found.values("n")[40:]) == {1}


def test_a_backslash_at_the_end_of_a_cell_is_a_backslash() -> None:
    found = read("folder,n\n" + "".join(f'"C:\\data, {n}\\",{n}\n' for n in range(30)))
    assert found.values("folder")[3] == "C:\\data, 3\\"
    assert found.read.report.escape == "none"


def test_backslashes_can_be_chosen() -> None:
    text = 'a,b\n1,"x\\\\y"\n2,"z"\n'
    assert read(text).values("b") == ["x\\\\y", "z"]
    assert read(text, escape="backslash").values("b") == ["x\\y", "z"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_pages_that_repeat_the_header(end: str) -> None:
    page = "date,amount" + end + "".join(f"2024-01-{day:02d},{day}{end}" for day in range(1, 20))
    found = read(page * 4)
    assert found.kinds == {"date": "date", "amount": "integer"}
    assert found.read.rows == 76
    assert "3 lines that repeat the header were left out" in found.notes


def test_a_header_inside_a_quoted_cell_stays() -> None:
    found = read("note,n\n" + "".join(f'"first\nnote,n\nlast {n}",{n}\n' for n in range(20)))
    assert found.values("note")[4] == "first\nnote,n\nlast 4"
    assert found.read.rows == 20


def test_two_files_put_together_with_their_byte_order_marks() -> None:
    part = "\ufeffid,name\n" + "".join(f"{n},x{n}\n" for n in range(30))
    found = read(part * 2)
    assert found.kinds["id"] == "integer"
    assert found.read.rows == 60
    assert "Byte order marks" in found.notes


def test_a_header_of_one_name_may_be_a_value_too() -> None:
    found = read("word\n" + "a\nb\nword\nc\n" * 5, header=True)
    assert found.values("word").count("word") == 5


def test_constants_that_python_writes_into_json() -> None:
    found = read('[{"a": NaN, "b": 1}, {"a": 2.5, "b": -Infinity}]', "x.json")
    assert found.values("a") == [None, 2.5]
    assert found.values("b") == [1.0, float("-inf")]
    assert "JSON does not have" in found.notes


@pytest.mark.parametrize(("written", "chosen"), [("utf-16-le", "utf-16"), ("utf-16-be", "UTF-16"), ("utf-16", "utf_16"), ("utf-32", "utf-32")])
def test_utf_16_is_chosen_with_and_without_a_byte_order_mark(written: str, chosen: str) -> None:
    found = read(("id,name\n" + "".join(f"{n},näme {n}\n" for n in range(40))).encode(written), encoding=chosen)
    assert found.kinds == {"id": "integer", "name": "text"}
    assert found.values("name")[3] == "näme 3"
