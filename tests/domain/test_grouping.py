"""Aggregates, compared with pandas and numpy over the same rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapp_ext.domain import queries
from dapp_ext.domain.keeper import Keeper
from dapp_ext.domain.sources import KeptSource, Source, TableSource
from dapp_ext.errors import ColumnUnknown, Invalid
from dapp_ext.schema.datasets import Aggregation, Column, Filter, Grouping, Measure, QueryRequest
from tests.domain.test_queries import InParts

ROWS = 2000


def build() -> pa.Table:
    dice = np.random.default_rng(1)
    holes = dice.random(ROWS) < 0.05
    start = datetime(2023, 12, 28)
    return pa.table(
        {
            "kind": pa.array(dice.choice(["red", "green", "blue"], ROWS), mask=dice.random(ROWS) < 0.05).dictionary_encode(),
            "city": pa.array(dice.choice(["Rom", "Bonn", "Äänekoski"], ROWS)),
            "n": pa.array(dice.integers(-1000, 1000, ROWS), pa.int32(), mask=holes),
            "x": pa.array(dice.normal(size=ROWS), pa.float64(), mask=holes),
            "yes": pa.array(dice.random(ROWS) < 0.3),
            "day": pa.array([date(2023, 12, 28) + timedelta(days=int(d)) for d in dice.integers(0, 400, ROWS)]),
            "at": pa.array([start + timedelta(minutes=int(m)) for m in dice.integers(0, 30_000, ROWS)], pa.timestamp("us")),
            "span": pa.array([timedelta(seconds=int(s)) for s in dice.integers(0, 1000, ROWS)], pa.duration("us")),
            "money": pa.array([Decimal(int(cents)) / 100 for cents in dice.integers(0, 99999, ROWS)], pa.decimal128(10, 2)),
            "big": pa.array(dice.integers(2**61, 2**62, ROWS), pa.int64()),
        }
    )


KINDS = {"kind": "category", "city": "text", "n": "integer", "x": "decimal", "yes": "boolean", "day": "date", "at": "datetime", "span": "duration",
         "money": "decimal", "big": "integer"}  # fmt: skip
TABLE = build()
COLUMNS = [Column(name=name, kind=KINDS[name]) for name in TABLE.column_names]
FRAME = TABLE.to_pandas(date_as_object=False).astype({"kind": object, "money": float})
TEXTS = [column.name for column in COLUMNS if column.kind in ("category", "text")]
# As a table, in parts that do not fit into memory as a whole, and as columns that are kept ready, texts as codes.
SOURCES = [TableSource(TABLE), InParts(TABLE), KeptSource(TableSource(TABLE), Keeper(2**24), ("d", 1), TEXTS)]
whole_and_parts = pytest.mark.parametrize("source", SOURCES, ids=["whole", "parts", "kept"])


def asked(source: Source = SOURCES[0], **request: Any) -> tuple[list[str], list[list[Any]], bool]:
    return queries.aggregate(source, COLUMNS, QueryRequest(**request))


def measures(*pairs: tuple[Aggregation, str | None]) -> list[Measure]:
    return [Measure(op=op, column=column) for op, column in pairs]


@whole_and_parts
def test_every_figure_by_group(source: Source) -> None:
    wanted = measures(("count", None), ("count", "n"), ("sum", "n"), ("mean", "x"), ("median", "x"), ("min", "n"), ("max", "n"), ("distinct", "n"))
    names, rows, truncated = asked(source, group_by=[Grouping(column="kind")], measures=wanted)
    assert names == ["kind", "count", "count_n", "sum_n", "mean_x", "median_x", "min_n", "max_n", "distinct_n"]
    assert not truncated
    grouped = FRAME.groupby("kind", dropna=False)
    reference = pd.DataFrame(
        {
            "count": grouped.size(), "count_n": grouped["n"].count(), "sum_n": grouped["n"].sum(), "mean_x": grouped["x"].mean(),
            "median_x": grouped["x"].median(), "min_n": grouped["n"].min(), "max_n": grouped["n"].max(), "distinct_n": grouped["n"].nunique(),
        }
    )  # fmt: skip
    assert [row[0] for row in rows] == ["blue", "green", "red", None]
    np.testing.assert_allclose(np.array([row[1:] for row in rows], float), reference.to_numpy(float), rtol=1e-12)


def test_figures_of_all_rows() -> None:
    names, rows, _ = asked(measures=measures(("count", None), ("mean", "n"), ("min", "city"), ("max", "at"), ("distinct", "kind"), ("count", "kind")))
    assert names == ["count", "mean_n", "min_city", "max_at", "distinct_kind", "count_kind"]
    assert rows == [[ROWS, pytest.approx(FRAME["n"].mean()), "Bonn", FRAME["at"].max().isoformat(), 3, FRAME["kind"].count()]]
    assert asked() == (["count"], [[ROWS]], False)
    assert asked(filters=[Filter(column="city", op="eq", value="Rom")])[1] == [[int((FRAME["city"] == "Rom").sum())]]


def test_figures_of_other_kinds() -> None:
    _, rows, _ = asked(
        measures=measures(
            ("sum", "yes"), ("mean", "yes"), ("median", "yes"), ("sum", "money"), ("mean", "money"), ("sum", "span"), ("mean", "span"), ("sum", "big")
        )
    )
    (row,) = rows
    assert row[0] == FRAME["yes"].sum()
    assert row[1:3] == [pytest.approx(FRAME["yes"].mean()), FRAME["yes"].median()]
    assert row[3:5] == [pytest.approx(FRAME["money"].sum()), pytest.approx(FRAME["money"].mean())]
    assert row[5:7] == [FRAME["span"].sum().total_seconds(), pytest.approx(FRAME["span"].mean().total_seconds())]
    assert row[7] == str(sum(TABLE["big"].to_pylist()))  # exact, though no double and no 64-bit number can hold it


@whole_and_parts
def test_several_groupings_and_filters(source: Source) -> None:
    names, rows, _ = asked(
        source, group_by=[Grouping(column="city"), Grouping(column="yes")], measures=measures(("sum", "n")), filters=[Filter(column="x", op="gt", value=0)]
    )
    reference = FRAME[FRAME["x"] > 0].groupby(["city", "yes"])["n"].sum()
    assert names == ["city", "yes", "sum_n"]
    assert rows == [[city, yes, value] for (city, yes), value in reference.items()]


@pytest.mark.parametrize("bucket", ["year", "quarter", "month", "week", "day"])
@pytest.mark.parametrize("column", ["day", "at"])
def test_buckets_of_time(column: str, bucket: Any) -> None:
    _, rows, _ = asked(group_by=[Grouping(column=column, bucket=bucket)])
    period = {"year": "Y", "quarter": "Q", "month": "M", "week": "W", "day": "D"}[bucket]
    reference = FRAME[column].dt.to_period(period).dt.start_time.value_counts().sort_index()
    shown = (lambda at: at.date().isoformat()) if column == "day" else (lambda at: at.isoformat())
    assert rows == [[shown(at), count] for at, count in reference.items()]


def test_buckets_of_hours_and_zones() -> None:
    _, rows, _ = asked(group_by=[Grouping(column="at", bucket="hour")])
    assert rows == [[at.isoformat(), count] for at, count in FRAME["at"].dt.floor("h").value_counts().sort_index().items()]
    late = datetime(2024, 6, 30, 22, 30, tzinfo=UTC)  # already July in Berlin
    table = pa.table({"at": pa.array([late], pa.timestamp("us", "Europe/Berlin"))})
    request = QueryRequest(group_by=[Grouping(column="at", bucket="month")])
    assert queries.aggregate(TableSource(table), [Column(name="at", kind="datetime")], request)[1] == [["2024-07-01T00:00:00+02:00", 1]]


@pytest.mark.parametrize(("column", "bins"), [("n", 10), ("n", 2), ("x", 200), ("money", 7), ("span", 5)])
def test_bins_are_those_of_a_histogram(column: str, bins: int) -> None:
    _, rows, _ = asked(group_by=[Grouping(column=column, bins=bins)])
    values = FRAME[column].dt.total_seconds() if column == "span" else FRAME[column]
    counts, edges = np.histogram(values.dropna(), bins=bins)
    missing = int(values.isna().sum())
    assert [row[1] for row in rows] == [*counts, *([missing] if missing else [])]
    np.testing.assert_allclose([row[0] for row in rows if row[0] is not None], edges[:-1], atol=1e-9)


def test_bins_of_dates_begin_with_the_first() -> None:
    for column in ("day", "at"):
        _, rows, _ = asked(group_by=[Grouping(column=column, bins=4)])
        first, last = FRAME[column].min(), FRAME[column].max()
        assert [row[0] for row in rows] == [(first + (last - first) / 4 * i).isoformat() for i in range(4)]
        assert sum(row[1] for row in rows) == ROWS


def test_empty_bins_are_told() -> None:
    table = pa.table({"x": [0.0, 0.0, 10.0, None, float("nan")], "y": [1, 2, 3, 4, 5]})
    columns = [Column(name="x", kind="decimal"), Column(name="y", kind="integer")]
    request = QueryRequest(group_by=[Grouping(column="x", bins=4)], measures=measures(("count", None), ("mean", "y"), ("distinct", "y")))
    assert queries.aggregate(TableSource(table), columns, request)[1] == [
        [0.0, 2, 1.5, 2],
        [2.5, 0, None, 0],
        [5.0, 0, None, 0],
        [7.5, 1, 3.0, 1],
        [None, 2, 4.5, 2],
    ]


@pytest.mark.parametrize("values", [[5, 5, 5], [None, None], [float("inf"), 1.0, 2.0, float("-inf")], []])
def test_bins_of_odd_columns(values: list[Any]) -> None:
    table = pa.table({"x": pa.array(values, pa.float64())})
    request = QueryRequest(group_by=[Grouping(column="x", bins=2)])
    rows = queries.aggregate(TableSource(table), [Column(name="x", kind="decimal")], request)[1]
    assert sum(row[1] for row in rows) == len(values)
    if values and values[0] == float("inf"):
        assert rows == [[1.0, 2], [1.5, 2]]


def test_bins_and_values_together() -> None:
    _, rows, _ = asked(group_by=[Grouping(column="n", bins=4), Grouping(column="yes")], filters=[Filter(column="n", op="not_null")])
    cut = pd.cut(FRAME["n"].dropna(), np.histogram_bin_edges(FRAME["n"].dropna(), 4), right=False, include_lowest=True, labels=False).fillna(3)
    reference = FRAME.loc[cut.index].groupby([cut, "yes"]).size()
    assert [row[2] for row in rows] == reference.tolist()


def test_figures_of_groups_without_values_are_missing() -> None:
    table = pa.table({"g": ["a", "b"], "x": pa.array([None, 1.0])})
    columns = [Column(name="g", kind="text"), Column(name="x", kind="decimal")]
    request = QueryRequest(group_by=[Grouping(column="g")], measures=measures(("sum", "x"), ("mean", "x"), ("min", "x"), ("count", "x"), ("distinct", "x")))
    assert queries.aggregate(TableSource(table), columns, request)[1] == [["a", None, None, None, 0, 0], ["b", 1.0, 1.0, 1.0, 1, 1]]


def test_the_largest_groups_are_kept() -> None:
    table = pa.table({"g": [*"aab", *"ccc", *"dddd", None]})
    columns = [Column(name="g", kind="text")]
    for limit, kept in ((1, "d"), (2, "cd"), (3, "acd"), (4, "abcd")):
        _, rows, truncated = queries.aggregate(TableSource(table), columns, QueryRequest(group_by=[Grouping(column="g")], limit=limit))
        assert [row[0] for row in rows] == list(kept)
        assert truncated
    assert queries.aggregate(TableSource(table), columns, QueryRequest(group_by=[Grouping(column="g")], limit=5))[2] is False


def test_names_are_always_different() -> None:
    names, rows, _ = asked(
        group_by=[Grouping(column="day", bucket="year"), Grouping(column="day", bucket="month")],
        measures=measures(("count", None), ("count", None), ("sum", "n"), ("sum", "n")),
    )
    assert names == ["day", "day_2", "count", "count_2", "sum_n", "sum_n_2"]
    assert all(row[2] == row[3] and row[4] == row[5] for row in rows)


def test_names_that_polars_would_take_for_patterns() -> None:
    table = pa.table({"*": [1, 2, 2], "^.*$": [1.0, 2.0, 3.0], "row": [7, 8, 9], "c0": [1, 1, 2]})
    columns = [Column(name=name, kind="decimal") for name in table.column_names]
    request = QueryRequest(group_by=[Grouping(column="*")], measures=measures(("sum", "^.*$"), ("sum", "row"), ("max", "c0")))
    assert queries.aggregate(TableSource(table), columns, request) == (["*", "sum_^.*$", "sum_row", "max_c0"], [[1, 1.0, 7, 1], [2, 5.0, 17, 2]], False)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"measures": [Measure(op="mean")]}, "which column"),
        ({"measures": [Measure(op="sum", column="city")]}, "needs numbers"),
        ({"measures": [Measure(op="median", column="day")]}, "needs numbers"),
        ({"group_by": [Grouping(column="city", bins=3)]}, "no order"),
        ({"group_by": [Grouping(column="yes", bins=3)]}, "no order"),
        ({"group_by": [Grouping(column="n", bucket="day")]}, "no dates"),
        ({"group_by": [Grouping(column="day", bucket="hour")]}, "without a time"),
        ({"group_by": [Grouping(column="day", bucket="day", bins=3)]}, "not both"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(request_: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        asked(**request_)


def test_unknown_columns_are_named() -> None:
    for request in ({"group_by": [Grouping(column="nowhere")]}, {"measures": measures(("sum", "nowhere"))}):
        with pytest.raises(ColumnUnknown, match="nowhere"):
            asked(**request)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.one_of(st.none(), st.integers(-(2**40), 2**40))), min_size=1, max_size=40))
def test_any_groups(rows: list[tuple[str | None, int | None]]) -> None:
    table = pa.table({"g": pa.array([r[0] for r in rows], pa.string()).dictionary_encode(), "v": pa.array([r[1] for r in rows], pa.int64())})
    columns = [Column(name="g", kind="category"), Column(name="v", kind="integer")]
    request = QueryRequest(group_by=[Grouping(column="g")], measures=measures(("count", None), ("sum", "v"), ("median", "v"), ("distinct", "v")))
    answers = queries.aggregate(TableSource(table), columns, request)[1]
    groups = sorted({r[0] for r in rows}, key=lambda g: (g is None, g or ""))
    assert [row[0] for row in answers] == groups
    for group, *figures in answers:
        values = [v for g, v in rows if g == group and v is not None]
        size = sum(g == group for g, _ in rows)
        assert figures == [size, sum(values) if values else None, float(np.median(values)) if values else None, len(set(values))]


@whole_and_parts
def test_quantiles_spread_and_boxes(source: Source) -> None:
    wanted = [Measure(op="quantile", column="x", q=0.9), Measure(op="std", column="n"), Measure(op="box", column="x")]
    names, rows, _ = asked(source, group_by=[Grouping(column="city")], measures=wanted)
    assert names == ["city", "q0.9_x", "std_n", "low_x", "q1_x", "median_x", "q3_x", "high_x", "outside_x"]
    for name, quantile, spread, low, q1, median, q3, high, outside in rows:
        values = FRAME.loc[FRAME["city"] == name, "x"].dropna().to_numpy()
        numbers = FRAME.loc[FRAME["city"] == name, "n"]
        expected = np.quantile(values, [0.9, 0.25, 0.5, 0.75])
        np.testing.assert_allclose([quantile, q1, median, q3], expected, rtol=1e-12)
        assert spread == pytest.approx(numbers.std())
        reach = 1.5 * (expected[3] - expected[1])
        within = values[(values >= expected[1] - reach) & (values <= expected[3] + reach)]
        assert (low, high, outside) == (within.min(), within.max(), len(values) - len(within))
    assert outside is not None
    with pytest.raises(Invalid, match="box plot needs numbers"):
        asked(measures=measures(("box", "city")))
    with pytest.raises(Invalid, match="which quantile"):
        asked(measures=measures(("quantile", "x")))


def test_bins_tell_their_edges() -> None:
    answer = queries.ask(SOURCES[0], COLUMNS, QueryRequest(group_by=[Grouping(column="n", bins=8), Grouping(column="x", bins=5)], limit=50_000))
    assert {name: len(edges) for name, edges in answer.bins.items()} == {"n": 9, "x": 6}
    counts, across, along = np.histogram2d(*FRAME[["n", "x"]].dropna().to_numpy().T, bins=(8, 5))
    np.testing.assert_allclose(answer.bins["n"], across, rtol=1e-12)
    np.testing.assert_allclose(answer.bins["x"], along, rtol=1e-12)
    found = {(row[0], row[1]): row[2] for row in answer.rows if row[0] is not None and row[1] is not None}
    for i in range(8):
        for j in range(5):
            assert found.get((answer.bins["n"][i], answer.bins["x"][j]), 0) == counts[i, j]
    days = queries.ask(SOURCES[0], COLUMNS, QueryRequest(group_by=[Grouping(column="day", bins=4)]))
    assert len(days.bins["day"]) == 5
    assert days.bins["day"][-1][:10] == FRAME["day"].max().date().isoformat()
