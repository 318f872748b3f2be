"""Files as banks, ERP systems, databases and scripts export them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

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


STAMP = datetime(2024, 3, 1, 10, tzinfo=UTC)
EXPORTS: dict[str, tuple[str | bytes, dict[str, str], list[Any]]] = {
    "an issue tracker": (
        'Summary,Key,Created,Description,Comment,Comment\n"Login, fails",P-1,12/Mar/24 3:45 PM,"Steps:\r\n1. open\r\n2. ""click""","a;b, \r\nc",\n'
        "Other,P-2,13/Mar/24 9:00 AM,,,x\n",
        {"Created": "datetime", "Comment_2": "category"},
        ["Login, fails", "P-1", datetime(2024, 3, 12, 15, 45), 'Steps:\r\n1. open\r\n2. "click"', "a;b, \r\nc", None],
    ),
    "SAS": ('id,visit,amt\n1,01JAN2024,"1,234.50"\n2,15FEB2024,\n', {"visit": "date", "amt": "decimal"}, [1, date(2024, 1, 1), 1234.5]),
    "SPSS": ("id,age,q1\n1,34,5\n2,.,4\n3,45,.\n", {"age": "integer", "q1": "integer"}, [1, 34, 5]),
    "a form": (
        'Timestamp,How happy?,"Which? (all)"\n3/13/2024 10:12:55,4,"Tea, Coffee"\n3/14/2024 9:02:01,5,Tea\n',
        {"Timestamp": "datetime", "How happy?": "integer"},
        [datetime(2024, 3, 13, 10, 12, 55), 4, "Tea, Coffee"],
    ),
    "psql": (" id | name \n----+------\n  1 | Ann\n  2 | Bob\n(2 rows)\n\n", {"id": "integer", "name": "category"}, [1, "Ann"]),
    "Markdown": ("| id | name |\n|----|------|\n| 1 | Ann |\n| 2 | Bob |\n", {"id": "integer", "name": "category"}, [1, "Ann"]),
    "R": ('"a","b"\n"1",1,"x"\n"2",2,"y"\n', {"column_1": "integer", "a": "integer", "b": "category"}, [1, 1, "x"]),
    "Excel with sep": ("sep=;\r\nname;value\r\nAnn;1,5\r\nBob;2,5\r\n", {"value": "decimal"}, ["Ann", 1.5]),
    "Excel with sep, UTF-16": ("sep=\t\r\nname\tvalue\r\nAnn\t1\r\nBob\t2\r\n".encode("utf-16"), {"value": "integer"}, ["Ann", 1]),
    "a log": ('2024-03-01T10:00:00Z\tINFO\tstarted, 3\n2024-03-01T10:00:01Z\tWARN\tslow: "x"\n', {"column_1": "datetime"}, [STAMP, "INFO", "started, 3"]),
    "variant calls": ("##format=1\n##source=x\n#CHROM\tPOS\n1\t100\n2\t200\n", {"CHROM": "integer", "POS": "integer"}, [1, 100]),
    "old Mac": ("a,b\r1,x\r2,y\r3,z\r", {"a": "integer", "b": "text"}, [1, "x"]),
}


@pytest.mark.parametrize("of", EXPORTS)
def test_what_programs_write(of: str) -> None:
    data, kinds, first = EXPORTS[of]
    found = read(data, "export.txt")
    assert kinds.items() <= found.kinds.items()
    assert list(found.table.slice(0, 1).to_pylist()[0].values()) == first
