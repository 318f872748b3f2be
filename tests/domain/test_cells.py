"""Cells that JSON can carry without loss."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from dapp_ext.domain.cells import to_cells, to_rows
from dapp_ext.domain.sources import as_frame

CASES: list[tuple[pa.DataType, list[Any], list[Any]]] = [
    (pa.int64(), [1, None, 2**53, 2**53 + 1, -(2**53) - 1], [1, None, 2**53, "9007199254740993", "-9007199254740993"]),
    (pa.uint64(), [2**64 - 1], ["18446744073709551615"]),
    (pa.int8(), [-128, 127, None], [-128, 127, None]),
    (pa.float64(), [0.1, None, float("nan"), float("inf"), float("-inf"), -0.0], [0.1, None, None, "Infinity", "-Infinity", 0.0]),
    (pa.float32(), [0.1, 16777216.0, None], [0.1, 16777216.0, None]),
    (pa.decimal128(20, 2), [Decimal("0.10"), Decimal("12"), None, Decimal("123456789012345678.91")], [0.1, 12, None, "123456789012345678.91"]),
    (pa.bool_(), [True, False, None], [True, False, None]),
    (pa.string(), ["", "ä", None], ["", "ä", None]),
    (pa.date32(), [date(2024, 2, 29), None, date(1, 1, 1)], ["2024-02-29", None, "0001-01-01"]),
    (pa.timestamp("us"), [datetime(2024, 1, 2, 3, 4, 5), datetime(2024, 1, 2, 3, 4, 5, 120_000), None],
     ["2024-01-02T03:04:05", "2024-01-02T03:04:05.120", None]),
    (pa.timestamp("s"), [datetime(2024, 1, 2)], ["2024-01-02T00:00:00"]),
    (pa.timestamp("us", "UTC"), [datetime(2024, 1, 2, tzinfo=UTC)], ["2024-01-02T00:00:00+00:00"]),
    (pa.timestamp("us", "Europe/Berlin"), [datetime(2024, 7, 2, tzinfo=UTC)], ["2024-07-02T02:00:00+02:00"]),
    (pa.time64("us"), [time(1, 2, 3), time(1, 2, 3, 500_000), None], ["01:02:03", "01:02:03.500", None]),
    (pa.duration("us"), [timedelta(days=1, seconds=1), timedelta(milliseconds=-1500), None], [86401.0, -1.5, None]),
    (pa.duration("ns"), [1_500_000_000], [1.5]),
    (pa.null(), [None, None], [None, None]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values", "cells"), CASES, ids=[str(kind) for kind, _, _ in CASES])
def test_cells(kind: pa.DataType, values: list[Any], cells: list[Any]) -> None:
    series = pl.Series(pl.from_arrow(pa.array(values, kind)))
    found = to_cells(series)
    assert found == cells
    assert [type(cell) for cell in found] == [type(cell) for cell in cells]
    json.dumps(found, allow_nan=False)


def test_categories_are_texts() -> None:
    assert to_rows(as_frame(pa.table({"k": pa.array(["x", None, "y"]).dictionary_encode(), "n": [1, 2, 3]}))) == [["x", 1], [None, 2], ["y", 3]]


def test_dates_beyond_every_calendar_are_missing() -> None:
    days = pa.array([2_000_000_000, -2_000_000_000, 0, None], pa.int32()).cast(pa.date32())
    moments = pa.array([2**63 - 1, 1 - 2**63, 0, None], pa.int64())
    table = pa.table({"d": days, "ms": moments.cast(pa.timestamp("ms")), "us": moments.cast(pa.timestamp("us"))})
    none = [None, None, None]
    assert to_rows(as_frame(table)) == [none, none, ["1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00:00"], none]
    assert to_rows(as_frame(pa.table({"d": pa.array([70_000_000], pa.int32()).cast(pa.date32())})))[0][0].startswith("+193")
