"""Downloads: every format holds what the table holds, and no text becomes a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from dapp_ext.domain import queries, workbooks
from dapp_ext.domain.exporting import MEDIA_TYPES, Format, export
from dapp_ext.domain.sources import TableSource
from dapp_ext.errors import Invalid, TooLarge
from dapp_ext.schema.datasets import Column, Filter

TABLE = pa.table(
    {
        "n": pa.array([1, None, -3, 2**60], pa.int64()),
        "x": pa.array([0.5, None, -1e-7, 1e20], pa.float64()),
        "money": pa.array([Decimal("1.10"), None, Decimal("-2.00"), Decimal("0.05")], pa.decimal128(10, 2)),
        "yes": pa.array([True, None, False, True]),
        "text": pa.array(["plain", None, 'a "quoted", text\nin two lines', ""]),
        "kind": pa.array(["red", None, "blue", "red"]).dictionary_encode(),
        "day": pa.array([date(2024, 2, 29), None, date(1900, 3, 1), date(1850, 1, 1)]),
        "at": pa.array([datetime(2024, 1, 2, 3, 4, 5), None, datetime(2024, 1, 2), datetime(2024, 1, 2, 3, 4, 5, 250_000)], pa.timestamp("us")),
        "zoned": pa.array([datetime(2024, 7, 1, tzinfo=UTC), None, datetime(2024, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "Europe/Berlin")),
        "clock": pa.array([time(1, 2, 3), None, time(0, 0), time(12, 0)], pa.time64("us")),
        "span": pa.array([timedelta(hours=36), None, timedelta(seconds=1), timedelta(0)], pa.duration("us")),
    }
)
KINDS = {"n": "integer", "x": "decimal", "money": "decimal", "yes": "boolean", "text": "text", "kind": "category", "day": "date", "at": "datetime",
         "zoned": "datetime", "clock": "time", "span": "duration"}  # fmt: skip
COLUMNS = [Column(name=name, kind=KINDS[name]) for name in TABLE.column_names]


class InParts(TableSource):
    def batches(self, columns: Any) -> Iterator[pa.Table]:
        for start in range(0, self.rows, 3):
            yield self.read(columns, start, 3)


def made(table: pa.Table, format: Format, columns: list[Column] | None = None) -> bytes:
    columns = columns or [Column(name=name, kind="text") for name in table.column_names]
    media_type, chunks = export(queries.filtered_batches(InParts(table), columns, table.column_names, []), columns, format)
    assert media_type == MEDIA_TYPES[format]
    pieces = list(chunks)
    assert all(0 < len(piece) <= 1024 * 1024 for piece in pieces)
    return b"".join(pieces)


def lines(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


def sheet(data: bytes) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [[cell.value for cell in row] for row in book["Data"].iter_rows()]


def test_arrow_holds_the_same_table() -> None:
    with pa.ipc.open_stream(made(TABLE, "arrow", COLUMNS)) as reader:
        assert reader.read_all().to_pylist() == TABLE.to_pylist()
        assert reader.schema.equals(TABLE.schema)


def test_parquet_holds_the_same_table() -> None:
    table = pq.read_table(io.BytesIO(made(TABLE, "parquet", COLUMNS)))
    assert table.to_pylist() == TABLE.to_pylist()
    assert table.schema.remove_metadata().equals(TABLE.schema)


def test_csv_holds_the_same_values() -> None:
    assert lines(made(TABLE, "csv", COLUMNS)) == [
        TABLE.column_names,
        ["1", "0.5", "1.1", "true", "plain", "red", "2024-02-29", "2024-01-02T03:04:05", "2024-07-01T02:00:00+02:00", "01:02:03", "129600.0"],
        [""] * 11,
        ["-3", "-1e-7", "-2", "false", 'a "quoted", text\nin two lines', "blue", "1900-03-01", "2024-01-02T00:00:00", "2024-01-01T01:00:00+01:00",
         "00:00:00", "1.0"],
        ["1152921504606846976", "1e+20", "0.05", "true", "", "red", "1850-01-01", "2024-01-02T03:04:05.250", "", "12:00:00", "0.0"],
    ]  # fmt: skip


def test_csv_tells_missing_from_empty_and_is_utf8_without_a_mark() -> None:
    assert made(pa.table({"ä": ["", None, "漢"]}), "csv") == 'ä\n""\n\n漢\n'.encode()


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x")', "＝1", "－1", "-"]
HARMLESS = ["1-1", "a=b", "'=1", " =1", "e@x.org", "5", ""]


@pytest.mark.parametrize("encode", [False, True])
def test_no_text_is_a_formula_in_csv(encode: bool) -> None:
    column = pa.array(FORMULAS + HARMLESS)
    data = made(pa.table({"=name": column.dictionary_encode() if encode else column, "n": range(len(column))}), "csv")
    head, *rows = lines(data)
    assert head == ["'=name", "n"]
    assert [row[0] for row in rows] == ["'" + text for text in FORMULAS] + HARMLESS


def test_numbers_are_no_texts_in_csv() -> None:
    assert lines(made(pa.table({"n": [-1, 2], "x": [-0.5, 1.0], "span": pa.array([timedelta(-1), None])}), "csv"))[1:] == [
        ["-1", "-0.5", "-86400.0"],
        ["2", "1.0", ""],
    ]


def test_a_workbook_holds_the_same_values() -> None:
    data = made(TABLE, "xlsx", COLUMNS)
    head, first, second, third, fourth = sheet(data)
    assert head == TABLE.column_names
    assert first == [1, 0.5, 1.1, True, "plain", "red", datetime(2024, 2, 29), datetime(2024, 1, 2, 3, 4, 5), datetime(2024, 7, 1, 2), time(1, 2, 3),
                     timedelta(hours=36)]  # fmt: skip
    assert second == [None] * 11
    assert third[4:9] == ['a "quoted", text\nin two lines', "blue", datetime(1900, 3, 1), datetime(2024, 1, 2), datetime(2024, 1, 1, 1)]
    assert fourth[0] == "1152921504606846976"
    assert fourth[1] == 1e20
    assert fourth[6] == "1850-01-01"
    assert fourth[7] == datetime(2024, 1, 2, 3, 4, 5, 250_000)
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book["Data"].freeze_panes == "A2"
    assert book["Data"]["A1"].font.b
    assert book["Data"]["G2"].number_format == r"yyyy\-mm\-dd"
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    other = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name("Data").to_python()
    assert other[1][:8] == [1.0, 0.5, 1.1, True, "plain", "red", date(2024, 2, 29), datetime(2024, 1, 2, 3, 4, 5)]


def test_no_text_is_a_formula_in_a_workbook() -> None:
    data = made(pa.table({"=name": FORMULAS + HARMLESS}), "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(data))
    cells = [row[0] for row in book["Data"].iter_rows()]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    assert [cell.value for cell in cells[:4]] == ["=name", "=1+1", "+1", "-1"]


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=1, max_size=10))
def test_any_text_in_a_workbook(texts: list[str | None]) -> None:
    rows = CalamineWorkbook.from_filelike(io.BytesIO(made(pa.table({"t": pa.array(texts, pa.string()), "n": range(len(texts))}), "xlsx"))).get_sheet_by_index(0)
    carried = ["" if text is None else "".join(c for c in text if (ord(c) >= 32 and c not in "\ufffe\uffff") or c in "\t\n\r") for text in texts]
    assert [row[0] for row in rows.to_python(skip_empty_area=False)[1:]] == carried


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.one_of(st.none(), st.text(max_size=20)), st.one_of(st.none(), st.floats(allow_nan=False))), max_size=10))
def test_any_text_and_number_in_csv(rows: list[tuple[str | None, float | None]]) -> None:
    table = pa.table({"t": pa.array([r[0] for r in rows], pa.string()), "x": pa.array([r[1] for r in rows], pa.float64())})
    back = lines(made(table, "csv"))[1:]
    dangerous = tuple("=+-@\t\r\n＝＋－＠")
    assert [t for t, _ in back] == ["" if t is None else "'" + t if t.startswith(dangerous) else t for t, _ in rows]
    assert [None if x == "" else float(x) for _, x in back] == [x for _, x in rows]


def test_odd_numbers_in_a_workbook() -> None:
    table = pa.table({"x": [float("inf"), float("-inf"), float("nan"), 0.1], "n": pa.array([2**53, 2**53 + 1, None, -(2**63)], pa.int64())})
    assert sheet(made(table, "xlsx"))[1:] == [["inf", 2**53], ["-inf", str(2**53 + 1)], [None, None], [0.1, str(-(2**63))]]


def test_long_texts_are_cut_where_a_cell_ends() -> None:
    (_, (text,)) = sheet(made(pa.table({"t": ["x" * 40_000]}), "xlsx"))
    assert text == "x" * 32_767


def test_many_columns_are_lettered_right() -> None:
    table = pa.table({f"c{i}": [i] for i in range(800)})
    book = openpyxl.load_workbook(io.BytesIO(made(table, "xlsx")))
    assert book["Data"]["ADT2"].value == 799
    assert book["Data"]["AA2"].value == 26
    assert book["Data"]["ZZ2"].value == 701


def test_many_rows_are_numbered_right() -> None:
    table = pa.table({"n": pa.array([i if i % 3 else None for i in range(20_000)], pa.int32())})
    assert [row[0] for row in sheet(made(table, "xlsx"))[1:]] == table["n"].to_pylist()


def test_a_table_that_is_no_sheet_is_refused_before_the_first_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_ROWS", 3)
    selection = queries.filtered_batches(TableSource(TABLE), COLUMNS, ["n"], [])
    with pytest.raises(TooLarge, match="4 rows and 1 columns"):
        export(selection, COLUMNS[:1], "xlsx")
    smaller = queries.filtered_batches(TableSource(TABLE), COLUMNS, ["n"], [Filter(column="n", op="lt", value=10)])
    assert len(sheet(b"".join(export(smaller, COLUMNS[:1], "xlsx")[1]))) == 3
    with pytest.raises(TooLarge):
        list(export([TABLE.select(["n"])], COLUMNS[:1], "xlsx")[1])
    monkeypatch.setattr(workbooks, "MOST_ROWS", 100)
    monkeypatch.setattr(workbooks, "MOST_CELLS", 8)
    with pytest.raises(TooLarge, match="CSV or Parquet"):
        export(queries.filtered_batches(TableSource(TABLE), COLUMNS, TABLE.column_names, []), COLUMNS, "xlsx")


@pytest.mark.parametrize("format", ["arrow", "parquet", "csv", "xlsx"])
def test_a_table_without_rows_still_tells_its_columns(format: Format) -> None:
    data = made(TABLE.slice(0, 0), format, COLUMNS)
    if format == "arrow":
        with pa.ipc.open_stream(data) as reader:
            assert reader.read_all().schema.equals(TABLE.schema)
    elif format == "parquet":
        assert pq.read_table(io.BytesIO(data)).schema.names == TABLE.column_names
    else:
        assert (lines(data) if format == "csv" else sheet(data)) == [TABLE.column_names]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_column_that_is_named_twice_comes_once(format: Format) -> None:
    selection = queries.filtered_batches(TableSource(TABLE), COLUMNS, ["kind", "n", "kind"], [])
    data = b"".join(export(selection, [COLUMNS[5], COLUMNS[0], COLUMNS[5]], format)[1])
    assert (lines(data) if format == "csv" else sheet(data))[0] == ["kind", "n"]


def test_what_cannot_be_exported_is_refused() -> None:
    with pytest.raises(Invalid, match="'ods'"):
        export([TABLE], COLUMNS, "ods")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="at least one"):
        export([TABLE], [], "csv")


def test_exports_are_streams_that_leave_nothing_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    table = pa.table({"t": [f"a value that must not be on disk {i}" for i in range(30_000)], "x": [i / 7 for i in range(30_000)]})
    columns = [Column(name="t", kind="text"), Column(name="x", kind="decimal")]
    for format in MEDIA_TYPES:
        read = 0

        def parts() -> Iterator[pa.Table]:
            nonlocal read
            for start in range(0, 30_000, 3000):
                read += 1
                yield table.slice(start, 3000)

        chunks = export(parts(), columns, format)[1]
        next(chunks)
        assert read <= 2
        assert sum(map(len, chunks)) > 100_000
        assert read == 10
        assert list(tmp_path.iterdir()) == []


def test_a_spout_hands_on_all_in_order_and_borrows_what_is_large() -> None:
    from dapp_ext.domain.spout import PIECE_BYTES, Spout

    large = bytes(range(256)) * (PIECE_BYTES // 100)
    for borrows in (False, True):
        spout = Spout(borrows=borrows)
        for data in (b"a", large, b"bc", large[:7], large):
            assert spout.write(data) == len(data)
        pieces = list(spout.take())
        assert b"".join(pieces) == b"a" + large + b"bc" + large[:7] + large
        assert max(map(len, pieces)) <= PIECE_BYTES
        assert any(isinstance(piece, memoryview) and piece.obj is large for piece in pieces) is borrows
        assert list(spout.take()) == []
