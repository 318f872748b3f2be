"""The quick ways of filters, quantiles, buckets and bins give what the plain ways give."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapp_ext.domain.keeper import Keeper
from dapp_ext.domain.queries import ask
from dapp_ext.domain.sources import KeptSource, TableSource
from dapp_ext.schema.datasets import Column, QueryRequest

ROWS = 600
_dice = np.random.default_rng(5)
_city = [None if each == 7 else f"City {each}" for each in _dice.integers(0, 8, ROWS)]
_day = [None if each % 31 == 0 else date(2019, 12, 1) + timedelta(int(each)) for each in _dice.integers(0, 900, ROWS)]
_amount = [None if each < 1 else float(each) for each in _dice.gamma(2, 10, ROWS)]
TABLE = pa.table({"city": _city, "day": pa.array(_day, pa.date32()), "amount": _amount, "pieces": pa.array(_dice.integers(-50, 50, ROWS), pa.int64())})
COLUMNS = [Column(name=name, kind=kind) for name, kind in (("city", "category"), ("day", "date"), ("amount", "decimal"), ("pieces", "integer"))]
CODED = KeptSource(TableSource(TABLE), Keeper(1 << 24), ("t", 1), ["city"])
FRAME = pl.DataFrame(pl.from_arrow(TABLE))


def found(**asked: Any) -> list[list[Any]]:
    return ask(CODED, COLUMNS, QueryRequest.model_validate(asked)).rows


@pytest.mark.parametrize(
    ("op", "value"),
    [
        ("contains", "TY 3"),
        ("contains", "nowhere"),
        ("contains", ""),
        ("in", ["City 1", "City 2", "Oslo"]),
        ("in", ["City 1", None]),
        ("in", ["Oslo"]),
        ("gt", "City 4"),
        ("le", "City 4"),
        ("between", ["City 2", "City 5"]),
    ],
)
def test_filters_on_coded_texts_are_those_on_texts(op: str, value: Any) -> None:
    asked = QueryRequest.model_validate({"filters": [{"column": "city", "op": op, "value": value}]})
    assert ask(CODED, COLUMNS, asked).rows == ask(TableSource(TABLE), COLUMNS, asked).rows
    assert CODED.frame(["city"]).schema["c0"] == pl.Categorical  # type: ignore[union-attr]


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.sampled_from(["amount", "pieces"]))
def test_quantiles_of_a_whole_column(q: float, column: str) -> None:
    rows = found(measures=[{"op": "quantile", "q": q, "column": column}, {"op": "median", "column": column}, {"op": "quantile", "q": q, "column": column}])
    values = FRAME[column].drop_nulls().to_numpy()
    assert rows[0][0] == rows[0][2] == pytest.approx(np.quantile(values, q), rel=1e-12)
    assert rows[0][1] == pytest.approx(np.median(values), rel=1e-12)


def test_quantiles_of_nothing_and_of_infinities() -> None:
    nothing = found(measures=[{"op": "median", "column": "amount"}], filters=[{"column": "amount", "op": "lt", "value": -1}])
    assert nothing == [[None]]
    source = TableSource(pa.table({"amount": [1.0, float("inf"), float("inf"), None]}))
    ends = QueryRequest.model_validate({"measures": [{"op": "quantile", "q": q, "column": "amount"} for q in (0, 1)]})
    assert ask(source, COLUMNS, ends).rows[0][0] == 1.0


@pytest.mark.parametrize(("bucket", "every"), [("day", "1d"), ("week", "1w"), ("month", "1mo"), ("quarter", "1q"), ("year", "1y")])
def test_buckets_of_days(bucket: str, every: str) -> None:
    wanted = FRAME.group_by(pl.col("day").dt.truncate(every)).len().sort("day", nulls_last=True)
    rows = found(group_by=[{"column": "day", "bucket": bucket}])
    assert rows == [[day and day.isoformat(), count] for day, count in wanted.rows()]


def test_buckets_of_days_that_are_centuries_apart() -> None:
    source = TableSource(pa.table({"day": pa.array([date(1, 5, 3), date(1969, 12, 31), date(9999, 12, 31), None], pa.date32())}))
    rows = ask(source, COLUMNS, QueryRequest.model_validate({"group_by": [{"column": "day", "bucket": "month"}]})).rows
    assert rows == [["0001-05-01", 1], ["1969-12-01", 1], ["9999-12-01", 1], [None, 1]]


def test_bins_of_two_and_three_columns_are_those_of_each() -> None:
    groups = [{"column": "amount", "bins": 7}, {"column": "pieces", "bins": 5}, {"column": "day", "bins": 3}]
    for many in (2, 3):
        rows = found(group_by=groups[:many], limit=5000)
        assert len({tuple(row[:-1]) for row in rows}) == len(rows) > 25
        for at, group in enumerate(groups[:many]):
            each = {row[0]: row[1] for row in found(group_by=[group]) if row[1]}
            summed: dict[Any, int] = {}
            for row in rows:
                summed[row[at]] = summed.get(row[at], 0) + row[-1]
            assert summed == each
