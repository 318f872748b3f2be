"""Delimited text: dialects, encodings, types, missing values, broken rows."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dapp_ext.domain.reading import slices, table
from dapp_ext.errors import FileUnreadable, TooLarge
from tests.domain.tables import read


def column(values: list[str], name: str = "x", beside: str = "row") -> str:
    """A file with a column of texts, beside one that is surely text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([name, "beside"])
    writer.writerows([value, f"{beside} {number}"] for number, value in enumerate(values))
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_delimiter_and_line_end(delimiter: str, line_end: str) -> None:
    rows = [["id", "name", "value"], ["1", "a", "2.5"], ["2", "b", "3.5"], ["3", "c", "4.5"]]
    found = read(line_end.join(delimiter.join(row) for row in rows) + line_end)
    assert found.table.to_pydict() == {"id": [1, 2, 3], "name": ["a", "b", "c"], "value": [2.5, 3.5, 4.5]}
    assert found.read.report.delimiter == delimiter
    assert found.read.report.header is True


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_encodings_are_recognised(encoding: str) -> None:
    found = read("Straße,Größe\nKönigsallee,1\nŁódź,2\n".encode(encoding))
    assert found.table.to_pydict() == {"Straße": ["Königsallee", "Łódź"], "Größe": [1, 2]}


def test_windows_1252_is_the_fallback_and_is_told() -> None:
    found = read("Straße,Preis\nKönigsallee,5 €\nHôtel,6 €\n".encode("cp1252"))
    assert found.values("Straße") == ["Königsallee", "Hôtel"]
    assert found.values("Preis") == [5.0, 6.0]
    assert "cp1252" in found.notes


def test_another_encoding_found_late_starts_the_reading_again() -> None:
    body = "".join(f"{number},plain\n" for number in range(200_000))
    found = read(f"id,name\n{body}200000,Königsallee\n".encode("cp1252"))
    assert found.values("name")[-1] == "Königsallee"
    assert found.read.rows == 200_001


def test_one_broken_byte_in_a_utf8_file_is_named_and_not_guessed_away() -> None:
    body = "".join(f"{number},größe\n" for number in range(600_000)).encode()
    with pytest.raises(FileUnreadable, match=r"Line 600,002 .*UTF-8"):
        read(b"id,name\n" + body + b"600000,gr\xf6\xdfe\n")


def test_a_wrong_encoding_that_was_chosen_is_refused() -> None:
    with pytest.raises(FileUnreadable, match="utf-8"):
        read("a,b\nö,1\n".encode("cp1252"), encoding="utf-8")
    with pytest.raises(ValidationError, match="no text encoding"):
        read("a,b\n1,2\n", encoding="klingon")


def test_blanks_after_the_delimiter_are_left_out() -> None:
    found = read('age, work, city\n39, State gov, "Oslo, north"\n50, ?, Lima\n51, Private, Pune\n')
    assert found.table.to_pydict() == {"age": [39, 50, 51], "work": ["State gov", None, "Private"], "city": ["Oslo, north", "Lima", "Pune"]}


def test_text_stays_exactly_as_it_is() -> None:
    texts = ["  two before", "two after  ", 'a "quote"', "a,b", "line\nbreak", "=1+1", "<b>&amp;</b>", "\ttab", "é ​ 😀"]
    assert read(column(texts)).values("x") == texts


def test_a_header_is_not_taken_where_there_is_none() -> None:
    found = read("1,2.5,yes\n2,3.5,no\n3,4.5,yes\n")
    assert found.read.report.header is False
    assert found.table.to_pydict() == {"column_1": [1, 2, 3], "column_2": [2.5, 3.5, 4.5], "column_3": [True, False, True]}


def test_a_header_of_years_is_a_header() -> None:
    found = read("country,2019,2020,2021\nNorway,1,2,3\nPeru,4,5,6\n")
    assert found.table.column_names == ["country", "2019", "2020", "2021"]


def test_the_options_overrule_the_guess() -> None:
    found = read("a;b\n1,5;2\n", delimiter=";", decimal=".", header=False)
    assert found.table.to_pydict() == {"column_1": ["a", "1,5"], "column_2": ["b", "2"]}


def test_lines_before_the_table_and_a_told_delimiter() -> None:
    found = read("Report of 2024\nmade by hand\n\nid,name\n1,a\n2,b\n3,c\n")
    assert found.table.to_pydict() == {"id": [1, 2, 3], "name": ["a", "b", "c"]}
    assert "3 lines before the table" in found.notes
    assert read("sep=;\na;b\n1;2\n").table.to_pydict() == {"a": [1], "b": [2]}


def test_one_column_has_no_delimiter() -> None:
    assert read("height_cm\n150\n151\n152\n").table.to_pydict() == {"height_cm": [150, 151, 152]}


def test_names_are_made_unique_and_told() -> None:
    found = read("a,b,a,B,, a \n1,2,3,4,5,6\n")
    assert found.table.column_names == ["a", "b", "a_2", "B", "column_5", "a_3"]
    assert "same name" in found.notes
    assert "no name" in found.notes


def test_long_and_odd_names_are_kept() -> None:
    names = ["n" * 300, "<script>alert(1)</script>", "👨‍👩‍👧 size", "cafe\u0301", "café"]
    found = read(",".join(names) + "\n1,2,3,4,5\n")
    assert found.table.column_names == names
    assert "look the same" in found.notes


def test_rows_of_other_lengths_are_kept_and_named() -> None:
    found = read("id,name,score\n1,a,1.5\n2,b\n3,c,3.5,extra\n4,d,4.5\n")
    assert found.table.to_pydict() == {
        "id": [1, 2, 3, 4],
        "name": ["a", "b", "c", "d"],
        "score": [1.5, None, 3.5, 4.5],
        "column_4": [None, None, "extra", None],
    }
    assert "line 3" in found.notes
    assert "line 4" in found.notes


def test_a_long_row_far_down_widens_what_was_written_before() -> None:
    body = "".join(f"{number},{'x' * 60}\n" for number in range(400_000))
    found = read(f"id,name\n{body}400000,y,more\n", extra_cells="keep")
    assert found.starts == 2
    assert found.values("column_3")[-2:] == [None, "more"]
    assert found.read.rows == 400_001


def test_quotes_with_breaks_delimiters_and_doubled_quotes() -> None:
    found = read('id,comment\n1,"line one\nline ""two"", with a comma"\n2,plain\n')
    assert found.values("comment") == ['line one\nline "two", with a comma', "plain"]


def test_an_open_quote_is_refused_with_its_line() -> None:
    body = "".join(f"{number},text,{number}\n" for number in range(3, 300))
    with pytest.raises(FileUnreadable, match=r"quote.* line 3 "):
        read(f'id,comment,value\n1,fine,2\n2,"never closed,3\n{body}')


def test_a_quote_within_a_cell_is_a_plain_character() -> None:
    assert read('size,n\n5" pipe,1\n6" pipe,2\n').values("size") == ['5" pipe', '6" pipe']


def test_nul_characters_are_left_out_and_told() -> None:
    found = read(b"city,n\nOs\x00lo,1\nLima,2\n")
    assert found.values("city") == ["Oslo", "Lima"]
    assert "NUL" in found.notes


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (["1", "-2", "0"], "integer", [1, -2, 0]),
        (["1", "", "3"], "integer", [1, None, 3]),
        (["1", "2.5", ".5"], "decimal", [1.0, 2.5, 0.5]),
        (["1.5e3", "2E-2"], "decimal", [1500.0, 0.02]),
        (["007", "008"], "category", ["007", "008"]),
        (["00.5", "1.5"], "category", ["00.5", "1.5"]),
        (["+49170", "+49171"], "category", ["+49170", "+49171"]),
        (["1e5", "12a4"], "category", ["1e5", "12a4"]),
        (["0x1F", "0x20"], "category", ["0x1F", "0x20"]),
        (["0xFFFFFFFF", "0x3B9ACA00"], "category", ["0xFFFFFFFF", "0x3B9ACA00"]),  # as long as their decimal digits
        (["1_000", "2_000"], "category", ["1_000", "2_000"]),
        (["٣", "٤"], "category", ["٣", "٤"]),
        (["9223372036854775807", "9223372036854775808"], "integer", [Decimal("9223372036854775807"), Decimal("9223372036854775808")]),
        (["1" * 50, "2"], "integer", [Decimal("1" * 50), Decimal(2)]),
        (["1" * 80, "2"], "category", ["1" * 80, "2"]),
        (["12345678901234567890", "1.5"], "category", ["12345678901234567890", "1.5"]),
        (["1,234.50", "12.25"], "decimal", [1234.5, 12.25]),
        (["1,23", "4,56"], "category", ["1,23", "4,56"]),
        (["$1.50", "$2.50"], "decimal", [1.5, 2.5]),
        (["$1.50", "€2.50"], "category", ["$1.50", "€2.50"]),
        (["true", "False", "TRUE"], "boolean", [True, False, True]),
        (["yes", "No", ""], "boolean", [True, False, None]),
        (["no", "no"], "category", ["no", "no"]),
        (["0", "1"], "integer", [0, 1]),
        (["Y", "N"], "category", ["Y", "N"]),
        (["2021-01-05", "2021-12-31"], "date", [date(2021, 1, 5), date(2021, 12, 31)]),
        (["2021-02-30", "2021-01-01"], "category", ["2021-02-30", "2021-01-01"]),
        (["2021-01-05 10:11:12", "2021-01-06"], "datetime", [datetime(2021, 1, 5, 10, 11, 12), datetime(2021, 1, 6)]),
        (["13/01/2021", "01/02/2021"], "date", [date(2021, 1, 13), date(2021, 2, 1)]),
        (["01/13/2021", "01/02/2021"], "date", [date(2021, 1, 13), date(2021, 1, 2)]),
        (["13/01/2021", "01/13/2021"], "category", ["13/01/2021", "01/13/2021"]),
        (["05.01.2021", "31.12.2021"], "date", [date(2021, 1, 5), date(2021, 12, 31)]),
        (["5 January 2021", "Feb 6, 2021", "2021/03/07"], "date", [date(2021, 1, 5), date(2021, 2, 6), date(2021, 3, 7)]),
        (["1/5/2021 3:04 PM", "1/25/2021 12:00 AM"], "datetime", [datetime(2021, 1, 5, 15, 4), datetime(2021, 1, 25)]),
        (["1939 Jan", "1939 Feb"], "date", [date(1939, 1, 1), date(1939, 2, 1)]),
        (["20210105", "20210106"], "integer", [20210105, 20210106]),
        (["07:05", "23:59:58.5"], "time", [time(7, 5), time(23, 59, 58, 500000)]),
        (["2:3:1", "2:3:2"], "category", ["2:3:1", "2:3:2"]),
        (["36:15:00", "2 days 03:04:05"], "duration", [timedelta(hours=36, minutes=15), timedelta(days=2, hours=3, minutes=4, seconds=5)]),
        (["-0", "1"], "decimal", [-0.0, 1.0]),
    ],
)  # fmt: skip
def test_types(texts: list[str], kind: str, values: list[Any]) -> None:
    texts, values = texts * 4, values * 4
    found = read(column(texts))
    assert found.kinds["x"] == kind
    assert found.values("x") == values


def test_zoned_times_are_kept_as_moments() -> None:
    found = read(column(["2021-01-05T10:00:00+02:00", "2021-01-05T10:00:00Z"]))
    assert found.table.schema.field("x").type == pa.timestamp("us", "UTC")
    assert [moment.hour for moment in found.values("x")] == [8, 10]
    assert "UTC" in found.notes


def test_an_order_of_day_and_month_that_nothing_proves_is_told() -> None:
    found = read(column(["01/02/2021", "03/04/2021"]))
    assert found.values("x") == [date(2021, 1, 2), date(2021, 3, 4)]
    assert "guess" in found.notes
    assert read("x;y\n01/02/2021;1,5\n03/04/2021;2,5\n").values("x") == [date(2021, 2, 1), date(2021, 4, 3)]


def test_decimal_commas_beside_semicolons() -> None:
    found = read("a;b;c\n-5,2;1.136,50;0,125\n6,0;999,00;0,5\n")
    assert found.table.to_pydict() == {"a": [-5.2, 6.0], "b": [1136.5, 999.0], "c": [0.125, 0.5]}
    assert found.read.report.decimal == ","


def test_infinities_and_rounded_numbers_are_told() -> None:
    found = read(column(["inf", "-Infinity", "1e400", "0.5"]))
    assert found.values("x") == [float("inf"), float("-inf"), float("inf"), 0.5]
    assert "infinity" in found.notes
    assert "rounded" in read(column(["1.23456789012345678901e-05", "0.5"])).notes


MARKS = ["", " ", "NA", "N/A", "n/a", "null", "NULL", "None", "nan", "NaN", "-", "--", "?", ".", "#N/A", "missing"]


@pytest.mark.parametrize("value", ["1", "1.5", "2020-01-01", "12:30", "true"])
def test_marks_are_missing_in_columns_of_numbers_and_dates(value: str) -> None:
    found = read(column([*MARKS, *[value] * 20]))
    assert found.values("x")[: len(MARKS)] == [None] * len(MARKS)
    assert found.table.column("x").null_count == len(MARKS)
    assert "Read as missing" in found.notes


def test_a_person_called_na_keeps_the_name() -> None:
    found = read("name,age\nAnna,1\nNA,2\nNull,3\nBob,4\n")
    assert found.values("name") == ["Anna", "NA", "Null", "Bob"]
    assert '"NA" was kept as text' in found.notes


def test_a_name_is_kept_even_where_the_file_writes_na_for_missing_numbers() -> None:
    rows = "".join(f"Person {number},{number}\n" for number in range(500))
    assert read(f"name,age\nNA,NA\n{rows}").values("name")[0] == "NA"


def test_a_country_code_is_kept_even_where_the_file_writes_na_for_missing_numbers() -> None:
    rows = "".join(f"{code},{number}\n" for number, code in enumerate(["DE", "NA", "FR", "ZA"] * 20))
    found = read(f"country,n\nDE,NA\n{rows}")
    assert found.table.column("country").null_count == 0


def test_na_is_missing_in_a_category_of_a_file_that_writes_na_for_missing_numbers() -> None:
    rows = "male,1.5\nfemale,2.5\n" * 20
    found = read(f"sex,length\n{rows}NA,NA\nNA,3.5\n")
    assert found.values("sex")[-2:] == [None, None]
    assert found.values("length")[-2:] == [None, 3.5]


def test_none_is_a_category_and_a_question_mark_is_not() -> None:
    found = read(column(["none", "None", "brick", "?", "brick"] * 5))
    assert found.values("x")[:5] == ["none", "None", "brick", None, "brick"]


def test_the_given_marks_are_the_only_ones() -> None:
    found = read(column(["x1", "NA", "?", "-99", ""]), missing=["-99", "NA"])
    assert found.values("x") == ["x1", None, "?", None, None]


def test_a_late_value_widens_the_type_and_nothing_is_lost() -> None:
    body = "".join(f"{number},{number},2021-01-05,{number}\n" for number in range(900_000))
    found = read(f"a,b,c,d\n{body}1.5,n/k,2021-01-05 10:00:00,9223372036854775808\n")
    assert found.starts == 2
    assert found.kinds == {"a": "decimal", "b": "text", "c": "datetime", "d": "integer"}
    assert found.table.slice(900_000).to_pylist() == [{"a": 1.5, "b": "n/k", "c": datetime(2021, 1, 5, 10), "d": Decimal("9223372036854775808")}]
    assert found.table.column("b")[7].as_py() == "7"


def test_gzip_is_unpacked_and_a_cut_one_refused() -> None:
    text = column([str(number) for number in range(20_000)]).encode()
    packed = gzip.compress(text, mtime=0)
    assert read(packed, "table.csv.gz").table.equals(read(text).table)
    assert read(gzip.compress(text[:60_000], mtime=0) + gzip.compress(text[60_000:], mtime=0)).table.equals(read(text).table)
    for cut in (packed[: len(packed) // 2], packed[:-4]):
        with pytest.raises(FileUnreadable, match=r"incomplete|damaged"):
            read(cut, "table.csv.gz")


def test_a_gzip_that_unpacks_too_far_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapp_ext.domain.reading.packing.MAX_DECODED", 1_000_000)
    with pytest.raises(FileUnreadable, match="unpacks to more"):
        read(gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000))


def test_more_rows_or_columns_than_the_limits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge, match="10,001 columns"):
        read(",".join(f"v{place}" for place in range(10_001)) + "\n" + ",".join("1" * 10_001) + "\n")
    monkeypatch.setattr(table, "MAX_ROWS", 10)
    with pytest.raises(TooLarge, match="rows"):
        read(column(["1"] * 11))


def test_only_a_header_is_refused() -> None:
    with pytest.raises(FileUnreadable, match="only a header"):
        read("id,name,value\n")


def test_the_name_of_the_file_is_checked_against_the_content() -> None:
    assert 'ending of the file name is ".xlsx"' in read("a,b\n1,2\n", "table.xlsx").notes


# Other control characters are what binary files are told by.
CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\t\n\r"), max_size=8)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=12), delimiter=st.sampled_from(",;\t|"), line_end=st.sampled_from(["\n", "\r\n"]))
def test_any_text_comes_back(rows: list[tuple[str, str]], delimiter: str, line_end: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=line_end)
    writer.writerow(["first", "second"])
    # A word in each cell keeps it text; what is under test are quotes, breaks, delimiters and letters.
    expected = [(f"w{one}w", f"w{two}w") for one, two in rows]
    writer.writerows(expected)
    found = read(out.getvalue(), delimiter=delimiter, header=True)
    assert list(zip(found.values("first"), found.values("second"), strict=True)) == expected


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=20).filter(any))
def test_any_integer_comes_back(values: list[int | None]) -> None:
    found = read(column(["" if value is None else str(value) for value in values]))
    assert found.values("x") == values


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_any_decimal_comes_back(values: list[float]) -> None:
    assert read(column([repr(value) for value in values])).values("x") == values


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.dates(date(1000, 1, 1)), min_size=1, max_size=20), spelling=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%d %B %Y"]))
def test_any_date_comes_back(values: list[date], spelling: str) -> None:
    assert read(column([value.strftime(spelling) for value in values])).values("x") == values


RECORD_PARTS = st.sampled_from(["a", ",", '"', '""', "\n", "\r\n", 'x"y', '"p\nq"', '"p""q"', " "])


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(RECORD_PARTS, max_size=60), size=st.integers(1, 30), step=st.integers(1, 7))
def test_slices_are_whole_records_wherever_the_pieces_are_cut(parts: list[str], size: int, step: int) -> None:
    data = "".join(parts).encode() + b"\n"
    whole = slices.Slicer(b",", size=10**6)
    try:
        expected = list(csv.reader(io.StringIO(b"".join(piece.data for piece in whole.cut(iter([data]))).decode(), newline="")))
    except FileUnreadable:
        with pytest.raises(FileUnreadable):
            list(slices.Slicer(b",", size=size).cut(data[place : place + step] for place in range(0, len(data), step)))
        return
    found: list[list[str]] = []
    done = b""
    for piece in slices.Slicer(b",", size=size).cut(data[place : place + step] for place in range(0, len(data), step)):
        assert piece.line == 1 + done.count(b"\n")
        done += piece.data
        found += csv.reader(io.StringIO(piece.data.decode(), newline=""))
    assert found == expected
    assert done == data
