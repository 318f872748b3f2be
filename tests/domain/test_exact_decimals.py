"""Decimals of more digits than a double tells apart: kept, asked, described, mended and sent away with all of them."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from dapp_ext.domain.exporting import Format, export
from dapp_ext.domain.fixes.offers import Asked
from dapp_ext.domain.fixes.planning import plan
from dapp_ext.domain.keeper import Keeper
from dapp_ext.domain.queries import ask, select_rows
from dapp_ext.domain.reading.kinds import stored_values
from dapp_ext.domain.sources import KeptSource, TableSource
from dapp_ext.schema.datasets import Column, Filter, Grouping, Measure, QueryRequest, RowsRequest, Sort
from dapp_ext.schema.fixes import FixOptions
from tests.domain.tables import profiled, read

EXACT = ["0.1234567890123456789012", "0.1234567890123456789013", "-3.5", "12", None, "0.1234567890123456789012", "250.25"]
TEXT = "x;row\n" + "\n".join(f"{text or ''};{number}" for number, text in enumerate(EXACT)) + "\n"
VALUES = [None if text is None else Decimal(text) for text in EXACT]
COLUMNS = [Column(name="x", kind="decimal"), Column(name="row", kind="integer")]


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return read(TEXT).table


@pytest.mark.parametrize("written", ["{}", "{}000"])
def test_all_digits_are_kept_and_that_is_told(written: str) -> None:
    found = read("x;row\n" + "\n".join(f"{written.format(text) if text and '.' in text else text or ''};{row}" for row, text in enumerate(EXACT)) + "\n")
    assert (found.kinds["x"], found.values("x")) == ("decimal", VALUES)
    assert 'kept with all their digits in "x"' in found.notes


def test_other_signs_keep_them_too() -> None:
    found = read('x;y;row\n"1.234,1234567890123456789";"1";1\n2,5;2;2\n')
    assert found.values("x") == [Decimal("1234.1234567890123456789"), Decimal("2.5")]


def test_digits_that_come_late_or_are_too_many() -> None:
    late = read("x,row\n" + "1.5,a\n" * 300_000 + "0.12345678901234567890,b\n")
    assert late.values("x")[-2:] == [Decimal("1.5"), Decimal("0.1234567890123456789")]
    more = read(f"x,row\n{'1' * 40}.{'2' * 40},a\n1.5,b\n")
    assert (more.kinds["x"], more.values("x")) == ("decimal", [1.1111111111111112e39, 1.5])
    assert "rounded" in more.notes


@pytest.mark.parametrize("texts", [["0.12345678901234567", "1.5"], ["1.234567890123456789e-01", "2.5"], ["0.10000000000000000000", "1.5"]])
def test_what_a_double_can_tell_stays_one(texts: list[str]) -> None:
    found = read("x,row\n" + "".join(f"{text},r{row}\n" for row, text in enumerate(texts)))
    assert found.values("x") == [float(text) for text in texts]


def test_typed_columns_keep_them_where_they_have_them() -> None:
    out = io.BytesIO()
    plain = [Decimal("1234567890123.1"), Decimal("-2.3")]
    pq.write_table(pa.table({"a": pa.array([*VALUES], pa.decimal128(38, 22)), "b": pa.array([*plain, *[None] * 5], pa.decimal128(30, 4))}), out)
    found = read(out.getvalue(), "t.parquet")
    assert found.values("a") == VALUES
    assert found.values("b")[:2] == [1234567890123.1, -2.3]


def test_decimals_become_the_nearest_doubles() -> None:
    values = [Decimal(number * 7919 + 10**13) / 10 for number in range(2000)]
    array = pa.array(values, pa.decimal128(15, 1))
    assert stored_values(array, pa.float64()).to_pylist() == [float(value) for value in values]


def asked(table: pa.Table, **request: Any) -> list[list[Any]]:
    sources = (TableSource(table), KeptSource(TableSource(table), Keeper(10**7), ("t",), ()))
    first, second = (ask(source, COLUMNS, QueryRequest(**request)).rows for source in sources)
    assert first == second
    return first


def rows(table: pa.Table, **request: Any) -> list[Any]:
    return [row[1] for row in select_rows(TableSource(table), COLUMNS, RowsRequest(**request))[1]]


def test_they_are_filtered_and_sorted_to_the_last_digit(table: pa.Table) -> None:
    assert rows(table, filters=[Filter(column="x", op="eq", value=EXACT[0])]) == [0, 5]
    assert rows(table, filters=[Filter(column="x", op="gt", value=EXACT[0])]) == [1, 3, 6]
    assert rows(table, filters=[Filter(column="x", op="in", value=[EXACT[1], -3.5, 12])]) == [1, 2, 3]
    assert rows(table, filters=[Filter(column="x", op="between", value=[0.1, EXACT[0]])]) == [0, 5]
    assert rows(table, filters=[Filter(column="x", op="lt", value="0." + "1" * 60)]) == [2]
    assert rows(table, sort=[Sort(column="x", descending=True)]) == [6, 3, 1, 0, 5, 2, 4]
    shown = select_rows(TableSource(table), COLUMNS, RowsRequest(columns=["x"]))[1]
    assert [row[0] for row in shown] == [EXACT[0], EXACT[1], -3.5, 12, None, EXACT[0], 250.25]


def test_their_figures_are_exact_where_they_can_be(table: pa.Table) -> None:
    figures = asked(table, measures=[Measure(op=op, column="x") for op in ("sum", "min", "max", "count", "distinct", "median")])
    assert figures == [["259.1203703670370370367037", -3.5, 250.25, 6, 5, pytest.approx(0.12345678901)]]
    groups = asked(table, group_by=[Grouping(column="x")])
    assert groups == [[-3.5, 1], [EXACT[0], 2], [EXACT[1], 1], [12, 1], [250.25, 1], [None, 1]]


def test_sums_beyond_all_digits_are_told_as_doubles() -> None:
    huge = pa.table({"x": pa.array([Decimal("9" * 20 + "." + "9" * 18)] * 3, pa.decimal128(38, 18)), "row": [1, 2, 3]})
    assert asked(huge, measures=[Measure(op="sum", column="x")]) == [[3e20]]
    whole = pa.table({"x": pa.array([Decimal("9" * 38)] * 3, pa.decimal128(38, 0)), "row": [1, 2, 3]})
    assert asked(whole, measures=[Measure(op="sum", column="x")]) == [[3e38]]


def test_they_are_described() -> None:
    column = profiled(TEXT).columns[0]
    assert (column.minimum, column.maximum, column.distinct, column.missing) == (-3.5, 250.25, 5, 1)
    assert (column.top[0].value, column.top[0].count) == (EXACT[0], 2)
    assert column.mean == pytest.approx(43.186728)
    assert column.histogram is not None
    assert sum(column.histogram.counts) == 6


@pytest.mark.parametrize("format_", ["csv", "parquet", "arrow"])
def test_they_leave_as_they_came(table: pa.Table, format_: Format) -> None:
    data = b"".join(export([table], COLUMNS, format_)[1])
    assert read(data, f"t.{format_}").values("x") == VALUES
    if format_ == "csv":
        assert data.decode().splitlines()[3:5] == ["-3.5,2", "12,3"]


def test_a_workbook_has_them_as_texts(table: pa.Table) -> None:
    sheet = load_workbook(io.BytesIO(b"".join(export([table], COLUMNS, "xlsx")[1]))).active
    assert sheet is not None
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == [EXACT[0], EXACT[1], -3.5, 12, None, EXACT[0], 250.25]


@pytest.mark.parametrize(
    ("code", "options", "at", "expected"),
    [
        ("fill_missing", {"method": "median"}, 4, Decimal("0.1234567890123457")),
        ("fill_missing", {"method": "value", "value": "0.1234567890123456789099"}, 4, Decimal("0.1234567890123456789099")),
        ("mark_missing", {"values": [EXACT[0]]}, 5, None),
        ("clip_outliers", {}, 6, Decimal("35.753086421988")),
    ],
)
def test_they_are_mended(table: pa.Table, code: Any, options: dict[str, Any], at: int, expected: Decimal | None) -> None:
    class Whole(TableSource):
        def read(self, columns: Any = None, offset: int = 0, limit: int | None = None) -> pa.Table:
            return super().read(columns or self.schema.names, offset, limit)

    planned = plan(Whole(table), COLUMNS, profiled(TEXT), Asked(code, ["x"], FixOptions(**options)))
    mended = planned.apply(table).column("x").to_pylist()
    assert mended[at] is None if expected is None else abs(mended[at] - expected) < Decimal("1e-9")
    assert mended[1] == VALUES[1]
