"""What is guessed can be chosen, every reader honours it, and the report says which was which."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook
from pydantic import ValidationError

from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import ReadOptions
from tests.domain.documents import document
from tests.domain.tables import read


def test_the_report_tells_what_was_guessed_and_what_was_chosen() -> None:
    text = "a;b\n1,5;01/02/2021\n2,5;03/04/2021\n"
    guessed = read(text).read.report
    assert (guessed.delimiter, guessed.quote, guessed.encoding, guessed.decimal, guessed.thousands) == (";", '"', "utf-8", ",", ".")
    assert (guessed.date_order, guessed.header, guessed.header_row, guessed.comment) == ("day_first", True, 1, "none")
    assert set(guessed.guessed) >= {"delimiter", "quote", "encoding", "decimal", "thousands", "date_order", "header", "header_row", "comment"}
    assert [(each.name, each.written) for each in guessed.columns] == [("a", "numbers as 1.234,5"), ("b", "dates with the day first, a guess")]
    chosen = read(text, delimiter=";", decimal=",", date_order="month_first").read.report
    assert not {"delimiter", "decimal", "date_order"} & set(chosen.guessed)
    assert {"encoding", "header"} <= set(chosen.guessed)


@pytest.mark.parametrize(
    ("texts", "options", "expected"),
    [
        (["1,234.5", "7"], {}, [1234.5, 7.0]),
        (["1.234,5", "7"], {}, [1234.5, 7.0]),
        (["1\u00a0234.5", "7"], {}, [1234.5, 7.0]),
        (["1\u202f234,5", "7"], {"decimal": ","}, [1234.5, 7.0]),
        (["1'234.5", "7"], {}, [1234.5, 7.0]),
        (["1 234.5", "7"], {"thousands": " "}, [1234.5, 7.0]),
        (["1 234,5", "7"], {"thousands": " ", "decimal": ","}, [1234.5, 7.0]),
        (["1.234", "7"], {"thousands": "."}, [1234.0, 7.0]),
        (["1.234", "7"], {}, [1.234, 7.0]),
        (["1,234", "7"], {"decimal": ","}, [1.234, 7.0]),
        (["1,234.5", "7"], {"thousands": "none"}, ["1,234.5", "7"]),
        (["555 123", "7"], {}, ["555 123", "7"]),
        (["12.34.56", "7"], {}, ["12.34.56", "7"]),
    ],
)
def test_decimal_and_thousands(texts: list[str], options: dict[str, Any], expected: list[Any]) -> None:
    found = read("x\tbeside\n" + "".join(f"{text}\tn{number}\n" for number, text in enumerate(texts)), delimiter="\t", **options)
    assert found.values("x") == expected


def test_an_infinity_before_commas_between_thousands() -> None:
    """The first slices prove one way of writing, a later one a wider way; both are read."""
    body = "".join(f"{'inf' if number == 3 else number}|{'x' * 50}\n" for number in range(400_000))
    found = read("x|y\n" + body + '"1,234.5"|z\n')
    assert found.values("x")[3] == float("inf")
    assert found.values("x")[-1] == 1234.5


def test_a_date_that_only_one_way_can_read_does_not_break_the_other() -> None:
    body = "".join(f"2021-01-05 10:11:12.1234567,{'x' * 40}\n" for _ in range(400_000))
    found = read("at,y\n" + body + "05.01.2021 10:11,z\n")
    assert found.kinds["at"] in ("text", "category", "datetime")
    assert len(found.values("at")) == 400_001


CHOSEN: list[tuple[str, list[str | None], list[Any], pa.DataType]] = [
    ("integer", ["007", "+5", "1,234", "3.0", "oops", "2.5", None], [7, 5, 1234, 3, None, None, None], pa.int64()),
    ("integer", ["12345678901234567890123", "1"], [Decimal("12345678901234567890123"), Decimal(1)], pa.decimal128(38, 0)),
    ("decimal", ["1,234.5", "+.5", "1e3", "oops", "007"], [1234.5, 0.5, 1000.0, None, 7.0], pa.float64()),
    ("boolean", ["1", "0", "Y", "off", "ja", "oops"], [True, False, True, False, True, None], pa.bool_()),
    ("date", ["2021-01-05", "20210106", "07/01/2021", "2021-01-08T10:00:00", "2021-13-01"], [date(2021, 1, 5), date(2021, 1, 6), date(2021, 1, 7), date(2021, 1, 8), None], pa.date32()),
    ("datetime", ["2021-01-05 10:11", "05/02/2021 7:00 PM", "oops"], [datetime(2021, 1, 5, 10, 11), datetime(2021, 2, 5, 19), None], pa.timestamp("us")),
    ("datetime", ["2021-01-05T10:11:12+02:00", "2021-01-05"], [datetime(2021, 1, 5, 8, 11, 12, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
    ("time", ["7:05", "25:00"], [time(7, 5), None], pa.time64("us")),
    ("duration", ["36:15:00", "oops"], [timedelta(hours=36, minutes=15), None], pa.duration("us")),
    ("text", ["1", "2"], ["1", "2"], pa.string()),
    ("category", ["1", "2"], ["1", "2"], pa.string()),
]  # fmt: skip


def packed_csv(values: list[str | None]) -> bytes:
    return ("x|beside\n" + "".join(f"{value or ''}|n\n" for value in values)).encode()


def packed_json(values: list[str | None]) -> bytes:
    return json.dumps([{"x": value, "beside": "n"} for value in values]).encode()


def packed_parquet(values: list[str | None]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"x": pa.array(values, pa.string()), "beside": ["n"] * len(values)}), out)
    return out.getvalue()


def packed_arrow(values: list[str | None]) -> bytes:
    out = io.BytesIO()
    table = pa.table({"x": pa.array(values, pa.string()).dictionary_encode(), "beside": ["n"] * len(values)})
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def packed_xlsx(values: list[str | None]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for cells in [("x", "beside"), *((value, "n") for value in values)]:
        sheet.append(cells)
    book.save(out)
    return out.getvalue()


def packed_ods(values: list[str | None]) -> bytes:
    return document({"a": [["x", "beside"], *([value, "n"] for value in values)]})


FORMATS: dict[str, Callable[[list[str | None]], bytes]] = {
    "csv": packed_csv, "json": packed_json, "parquet": packed_parquet, "arrow": packed_arrow, "xlsx": packed_xlsx, "ods": packed_ods,
}  # fmt: skip


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("kind", "given", "expected", "stored"), CHOSEN, ids=[f"{entry[0]}-{number}" for number, entry in enumerate(CHOSEN)])
def test_a_chosen_kind_in_every_format(format_: str, kind: str, given: list[str | None], expected: list[Any], stored: pa.DataType) -> None:
    found = read(FORMATS[format_](given), f"t.{format_}", types={"x": kind}, date_order="day_first")
    assert found.kinds["x"] == kind
    assert found.table.schema.field("x").type == stored
    assert found.values("x") == expected
    (reading,) = [each for each in found.read.report.columns if each.name == "x"]
    assert reading.chosen
    lost = sum(before is not None and after is None for before, after in zip(given, expected, strict=True))
    refused = [finding for finding in found.read.findings if finding.code == "not_converted"]
    assert [finding.count for finding in refused] == ([lost] if lost else [])
    assert ("as was chosen" in found.notes) == bool(lost)


@pytest.mark.parametrize("format_", FORMATS)
def test_marks_that_were_given_are_missing_in_every_format(format_: str) -> None:
    found = read(FORMATS[format_](["a", "n/k", "b", "NA"]), f"t.{format_}", missing=["n/k"])
    assert found.values("x") == ["a", None, "b", "NA"]
    assert found.read.report.missing == ["n/k"]


@pytest.mark.parametrize(
    "make", [lambda rows: json.dumps([{"x": value} for value in rows]).encode(), lambda rows: _numbers_parquet(rows)], ids=["json", "parquet"]
)
def test_a_number_can_be_a_mark(make: Callable[[list[int]], bytes]) -> None:
    found = read(make([1, -999, 3]), "t.dat", missing=["-999"])
    assert found.values("x") == [1, None, 3]


def _numbers_parquet(rows: list[int]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"x": rows}), out)
    return out.getvalue()


def test_a_kind_for_a_column_that_is_not_there_is_told() -> None:
    assert 'chosen for "y", but there is no such column' in read("x,z\n1,a\n2,b\n", types={"y": "text"}).notes


def test_the_order_of_day_and_month() -> None:
    text = "at,n\n01/02/2021,a\n03/04/2021,b\n"
    assert read(text).values("at") == [date(2021, 1, 2), date(2021, 3, 4)]
    assert read(text, date_order="day_first").values("at") == [date(2021, 2, 1), date(2021, 4, 3)]
    proven = read("at,n\n01/02/2021,a\n01/13/2021,b\n", date_order="day_first")
    assert proven.values("at") == [date(2021, 1, 2), date(2021, 1, 13)]


def test_the_row_of_the_header() -> None:
    text = "made by,someone\non,monday\nid,name\n1,a\n2,b\n"
    assert read(text, header_row=3).table.to_pydict() == {"id": [1, 2], "name": ["a", "b"]}
    assert read(text, header_row=4, header=False).values("column_1") == [1, 2]
    with pytest.raises(FileUnreadable, match="fewer than 9 lines"):
        read(text, header_row=9)
    book = document({"a": [["about", "this"], ["x", "y"], ["id", "name"], [1, "a"], [2, "b"]]})
    assert read(book, "t.ods", header_row=3).table.to_pydict() == {"id": [1, 2], "name": ["a", "b"]}
    assert read(book, "t.ods", header_row=4, header=False).values("column_1") == [1, 2]


def test_comments_are_guessed_chosen_and_kept() -> None:
    text = "# made by a machine\n# on monday\nid,name\n1,a\n# in between\n2,#b\n#3,c\n"
    found = read(text)
    assert found.table.to_pydict() == {"id": ["1", "2", "#3"], "name": ["a", "#b", "c"]}
    assert '1 line that begin with "#"' in found.notes
    assert read(text, comment="#").table.to_pydict() == {"id": [1, 2], "name": ["a", "#b"]}
    assert read("%x\nid,name\n1,a\n", comment="%").table.to_pydict() == {"id": [1], "name": ["a"]}
    assert read("id,name\n1,a\n#2,b\n").values("id") == ["1", "#2"]
    assert read("# a b\n# id,name\n1,a\n2,b\n").table.to_pydict() == {"id": [1, 2], "name": ["a", "b"]}
    assert read("#id,name\n1,a\n2,b\n").table.column_names == ["#id", "name"]
    quoted = read('# x\n# y\nid,name\n1,"two\n# lines"\n2,b\n')
    assert quoted.values("name") == ["two\n# lines", "b"]


def test_quotes() -> None:
    single = read("id,name\n1,'a, b'\n2,'c'\n3,'it''s'\n", quote="'")
    assert single.values("name") == ["a, b", "c", "it's"]
    guessed = read("'id','name'\n'1','a, b'\n'2','c'\n")
    assert guessed.table.to_pydict() == {"id": [1, 2], "name": ["a, b", "c"]}
    assert guessed.read.report.quote == "'"
    assert read('id,name\n1,"a\n2,b"\n', quote="none").values("name") == ['"a', 'b"']
    assert read("id,name\n1,don't\n2,won't\n").values("name") == ["don't", "won't"]


def test_cells_that_are_too_many() -> None:
    text = "id,name\n" + "".join(f"{number},n\n" for number in range(10)) + "11,n,more\n"
    dropped, kept = read(text), read(text, extra_cells="keep")
    assert dropped.table.column_names == ["id", "name"]
    assert "left out" in dropped.notes
    assert dropped.read.findings[0].rows == [10]
    assert kept.values("column_3")[-1] == "more"
    short_header = read("id,name\n1,a,x,5\n2,b,y,6\n3,c,z,7\n4,d,,\n")
    assert short_header.values("column_3") == ["x", "y", "z", None]


def test_empty_columns_without_a_name_are_left_out() -> None:
    found = read("id,name,,\n1,a,,\n2,b,,\n")
    assert found.table.to_pydict() == {"id": [1, 2], "name": ["a", "b"]}
    assert "2 columns without a name" in found.notes
    late = read("id,name,\n" + "".join(f"{number},{'x' * 60},\n" for number in range(400_000)) + "9,y,z\n")
    assert late.values("column_3")[-1] == "z"


@pytest.mark.parametrize(
    "options", [{"thousands": ";"}, {"quote": "x"}, {"date_order": "x"}, {"comment": "ab"}, {"header_row": 0}, {"types": {"x": "money"}}, {"types": "no json"}]
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReadOptions(**options)


def test_types_can_be_written_as_json() -> None:
    assert ReadOptions.model_validate({"types": '{"postcode": "text"}'}).types == {"postcode": "text"}
