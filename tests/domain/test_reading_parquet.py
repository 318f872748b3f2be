"""Parquet: every Arrow type becomes one of the stored types, without loss or with a note."""

from __future__ import annotations

import io
import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.tables import Result, read


def parquet(columns: dict[str, pa.Array] | pa.Table) -> Result:
    out = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), out)
    return read(out.getvalue(), "t.parquet")


MOMENT = datetime(2021, 1, 5, 10, 11, 12, 345678)


@pytest.mark.parametrize(
    ("values", "given_type", "kind", "stored", "expected"),
    [
        ([1, None], pa.int8(), "integer", pa.int64(), None),
        ([2**32 - 1, None], pa.uint32(), "integer", pa.int64(), None),
        ([2**63 - 1, 0], pa.uint64(), "integer", pa.int64(), None),
        ([2**64 - 1, 0], pa.uint64(), "integer", pa.decimal128(38, 0), [Decimal(2**64 - 1), Decimal(0)]),
        ([0.5, float("nan")], pa.float32(), "decimal", pa.float64(), [0.5, None]),
        ([True, None], pa.bool_(), "boolean", pa.bool_(), None),
        ([Decimal("12.50"), None], pa.decimal128(10, 2), "decimal", pa.float64(), [12.5, None]),
        ([Decimal(12), None], pa.decimal128(10, 0), "integer", pa.int64(), [12, None]),
        ([Decimal(10**30), None], pa.decimal128(38, 0), "integer", pa.decimal128(38, 0), None),
        (["a", "NA"], pa.large_string(), "category", pa.string(), None),
        (["a", None], pa.dictionary(pa.int8(), pa.string()), "category", pa.string(), None),
        ([date(2021, 1, 5), None], pa.date64(), "date", pa.date32(), None),
        ([MOMENT, None], pa.timestamp("ns"), "datetime", pa.timestamp("us"), None),
        ([time(1, 2, 3), None], pa.time32("s"), "time", pa.time64("us"), None),
        ([timedelta(seconds=5), None], pa.duration("ms"), "duration", pa.duration("us"), None),
        ([b"text", b"\xff\x00"], pa.binary(), "category", pa.string(), ["text", "0xff00"]),
        ([[1, 2], None], pa.list_(pa.int64()), "category", pa.string(), ["[1, 2]", None]),
        ([None, None], pa.null(), "text", pa.string(), None),
    ],
)
def test_types(values: list[Any], given_type: pa.DataType, kind: str, stored: pa.DataType, expected: list[Any] | None) -> None:
    values, expected = values * 3, None if expected is None else expected * 3
    found = parquet({"x": pa.array(values, given_type)})
    assert found.kinds == {"x": kind}
    assert found.table.schema.field("x").type == stored
    assert found.values("x") == (values if expected is None else expected)


def test_zones_are_kept() -> None:
    found = parquet({"x": pa.array([MOMENT], pa.timestamp("ms", "America/New_York"))})
    assert found.table.schema.field("x").type == pa.timestamp("us", "America/New_York")
    assert found.values("x")[0].utcoffset() == timedelta(hours=-5)


def test_what_is_changed_is_told() -> None:
    found = parquet(
        {
            "nan": pa.array([float("nan"), 1.0]),
            "fine": pa.array([1, 2], pa.timestamp("ns")),
            "deep": pa.array([{"a": {"b": 1}}, None]),
            "money": pa.array([Decimal("1.5"), Decimal("12345678901234567890.25")], pa.decimal128(30, 2)),
        }
    )
    assert found.table.column_names == ["nan", "fine", "deep.a.b", "money"]
    assert found.values("deep.a.b") == [1, None]
    for words in ("NaN", "microsecond", "flattened", "Decimals"):
        assert words in found.notes


def test_names_that_are_twice_the_same() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([{"a": 3}])], names=["x", "x", "y"])
    out = io.BytesIO()
    pq.write_table(table, out)
    assert read(out.getvalue()).table.to_pydict() == {"x": [1], "x_2": [2], "y.a": [3]}


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=30),
    words=st.lists(st.one_of(st.none(), st.text(max_size=5)), min_size=1, max_size=30),
)
def test_columns_come_back(numbers: list[int | None], words: list[str | None]) -> None:
    size = min(len(numbers), len(words))
    found = parquet({"n": pa.array(numbers[:size], pa.int64()), "w": pa.array(words[:size], pa.string())})
    assert found.values("n") == numbers[:size]
    assert found.values("w") == words[:size]
    assert json.dumps(found.read.report.model_dump())
