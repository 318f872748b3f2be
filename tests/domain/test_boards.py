"""Charts over coded columns tell the same as counting the rows one by one."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dapp_ext.domain.boards import ColumnDesk, answer_chart, answer_figure
from dapp_ext.domain.boards.axes import factor_edges, round_edges
from dapp_ext.domain.keeper import Keeper
from dapp_ext.domain.sources import TableSource
from dapp_ext.errors import ColumnUnknown, Invalid
from dapp_ext.schema.boards import ChartRequest
from dapp_ext.schema.datasets import Column, Filter, Measure

ROWS = 60_000  # enough for rows to be put together
KINDS = {"shop": "category", "size": "integer", "price": "decimal", "day": "date", "open": "boolean"}


def _table() -> pa.Table:
    chance = np.random.default_rng(7)
    shops = np.array(["north", "south", "east", None, "=west"], dtype=object)[chance.integers(0, 5, ROWS)]
    price = chance.gamma(2.0, 40.0, ROWS)
    price[chance.integers(0, ROWS, 500)] = np.nan
    days = np.datetime64("2023-01-30") + chance.integers(0, 400, ROWS).astype("timedelta64[D]")
    return pa.table(
        {
            "shop": pa.array(shops.tolist(), pa.string()),
            "size": pa.array(chance.integers(0, 200, ROWS), pa.int32()),
            "price": pa.array(price),
            "day": pa.array(days.tolist(), pa.date32()),
            "open": pa.array((chance.random(ROWS) < 0.8).tolist(), pa.bool_()),
        }
    )


TABLE = _table()
FRAME = pl.DataFrame(pl.from_arrow(TABLE)).with_columns(pl.col("price").fill_nan(None))


@pytest.fixture
def desk() -> ColumnDesk:
    return ColumnDesk(("d", 1), TableSource(TABLE), [Column(name=name, kind=kind) for name, kind in KINDS.items()], Keeper(2**28))


def _filter(column: str, op: Any, value: Any = None) -> Filter:
    return Filter(column=column, op=op, value=value)


# The third condition of the same column is answered from a cube, the first ones from the rows.
CASES = [
    ([], pl.lit(True)),
    ([_filter("shop", "in", ["north"])], pl.col("shop") == "north"),
    ([_filter("shop", "in", ["south", "east"])], pl.col("shop").is_in(["south", "east"])),
    ([_filter("shop", "is_null")], pl.col("shop").is_null()),
    ([_filter("shop", "ne", "north"), _filter("size", "between", [20, 60])], pl.col("shop").ne_missing("north") & pl.col("size").is_between(20, 60)),
    ([_filter("shop", "ne", "east"), _filter("size", "lt", 150)], pl.col("shop").ne_missing("east") & (pl.col("size") < 150)),
    ([_filter("price", "gt", 100.5)], pl.col("price") > 100.5),
]


@pytest.mark.parametrize("measure", ["count", "mean", "sum", "min", "max", "median", "distinct"])
def test_bars_are_what_the_groups_are(desk: ColumnDesk, measure: Any) -> None:
    figures: dict[str, Callable[[pl.Expr], pl.Expr]] = {
        "count": lambda _: pl.len(),
        "mean": pl.Expr.mean,
        "sum": pl.Expr.sum,
        "min": pl.Expr.min,
        "max": pl.Expr.max,
        "median": pl.Expr.median,
        "distinct": lambda it: it.drop_nulls().n_unique(),
    }
    for filters, condition in CASES:
        answer = answer_chart(desk, ChartRequest(shape="bar", x="shop", y="price", measure=measure), filters)
        kept = FRAME.filter(condition)
        expected = {
            name: (rows, value)
            for name, rows, value in kept.filter(pl.col("shop").is_not_null())
            .group_by("shop")
            .agg(pl.len(), figures[measure](pl.col("price")).alias("v"))
            .rows()
        }
        data = answer.data
        assert answer.rows == kept.height
        assert dict(zip(data["names"], data["rows"], strict=True)) == {name: rows for name, (rows, _) in expected.items()}
        if measure != "count":
            assert dict(zip(data["names"], data["values"], strict=True)) == pytest.approx({name: value for name, (_, value) in expected.items()})


def test_a_histogram_counts_every_value_once(desk: ColumnDesk) -> None:
    for filters, condition in CASES:
        answer = answer_chart(desk, ChartRequest(shape="histogram", x="price", color="open"), filters)
        kept = FRAME.filter(condition)
        edges, rows = answer.data["edges"], answer.data["rows"]
        values = kept.get_column("price").drop_nulls().to_numpy()
        assert sum(rows) == len(values) == answer.drawn
        assert rows == np.histogram(values, bins=edges)[0].tolist()
        assert np.sum(answer.data["parts"]["rows"], axis=0).tolist() == rows
        assert answer.data["missing"] == kept.get_column("price").null_count()


def test_bins_that_grow_hold_what_is_above_nought_and_say_what_is_not(desk: ColumnDesk) -> None:
    answer = answer_chart(desk, ChartRequest(shape="histogram", x="size", log=True, bins=20), [])
    edges, rows = answer.data["edges"], answer.data["rows"]
    factors = np.array(edges[2:-1]) / np.array(edges[1:-2])
    assert np.allclose(factors, factors[0])
    sizes = FRAME["size"].to_numpy()
    assert sum(rows) == answer.drawn == int((sizes > 0).sum())
    assert (answer.data["below"], answer.data["missing"]) == (int((sizes == 0).sum()), 0)
    assert rows[-1] == int((sizes >= edges[-2]).sum())
    few = answer_chart(desk, ChartRequest(shape="histogram", x="price", log=True), [_filter("price", "between", [50, 60])])
    assert few.data["missing"] == few.data["below"] == 0
    with pytest.raises(Invalid, match="nothing above nought"):
        answer_chart(_desk_of([0.0, -1.0]), ChartRequest(shape="histogram", x="price", log=True), [])


def _desk_of(prices: list[float]) -> ColumnDesk:
    return ColumnDesk(("e", 1), TableSource(pa.table({"price": prices})), [Column(name="price", kind="decimal")], Keeper(2**20))


@given(low=st.floats(1e-6, 1e6), factor=st.floats(1, 1e9), bins=st.integers(2, 200))
def test_edges_that_grow_hold_the_range(low: float, factor: float, bins: int) -> None:
    edges = factor_edges(low, low * factor, bins)
    assert edges[0] <= low
    assert edges[-1] >= low * factor
    assert (np.diff(edges) > 0).all()
    assert len(edges) <= max(bins, 10 * np.log10(max(factor, 10))) + 3


def test_the_largest_sums_are_kept_and_not_the_names_with_the_most_rows() -> None:
    names = [f"small {each % 25}" for each in range(500)] + ["large"]
    table = pa.table({"shop": names, "price": [1.0] * 500 + [1000.0]})
    columns = [Column(name="shop", kind="category"), Column(name="price", kind="decimal")]
    desk = ColumnDesk(("f", 1), TableSource(table), columns, Keeper(2**20))
    total = answer_chart(desk, ChartRequest(shape="bar", x="shop", y="price", measure="sum"), [])
    assert total.data["names"][0] == "large"
    assert total.data["total"] == 1500.0
    assert total.data["others"] == {"names": 6, "rows": 120}
    usual = answer_chart(desk, ChartRequest(shape="bar", x="shop", y="price", measure="mean"), [])
    assert "large" not in usual.data["names"]  # one row is no average


def test_few_whole_numbers_have_a_cell_each() -> None:
    size = [each % 5 for each in range(6000)]
    table = pa.table({"size": size, "price": np.linspace(0, 1, 6000)})
    columns = [Column(name="size", kind="integer"), Column(name="price", kind="decimal")]
    raster = answer_chart(ColumnDesk(("g", 1), TableSource(table), columns, Keeper(2**24)), ChartRequest(shape="scatter", x="size", y="price"), []).data[
        "raster"
    ]
    assert (raster["width"], raster["x"]) == (5, [-0.5, 4.5])
    counts = np.frombuffer(base64.b64decode(raster["rows"]), "<u2").reshape(raster["height"], 5)
    assert counts.sum(axis=0).tolist() == [1200] * 5


def test_a_filter_on_the_column_itself_makes_finer_bins(desk: ColumnDesk) -> None:
    wide = answer_chart(desk, ChartRequest(shape="histogram", x="price"), []).data["edges"]
    fine = answer_chart(desk, ChartRequest(shape="histogram", x="price"), [_filter("price", "ge", 10), _filter("price", "lt", 30)]).data["edges"]
    assert fine[1] - fine[0] < wide[1] - wide[0]
    assert fine[0] == 10


@pytest.mark.parametrize(("bucket", "every"), [("day", "1d"), ("week", "1w"), ("month", "1mo"), ("quarter", "1q"), ("year", "1y")])
def test_steps_of_time_are_those_of_the_calendar(desk: ColumnDesk, bucket: Any, every: str) -> None:
    answer = answer_chart(desk, ChartRequest(shape="line", x="day", bucket=bucket, color="shop"), [])
    expected = FRAME.group_by(pl.col("day").dt.truncate(every).alias("t")).len().sort("t")
    assert answer.data["times"] == [str(each) for each in expected.get_column("t").to_list()]
    assert answer.data["rows"] == expected.get_column("len").to_list()


def test_a_heat_map_has_the_rows_of_its_cells(desk: ColumnDesk) -> None:
    answer = answer_chart(desk, ChartRequest(shape="heat", x="shop", y="open", color="price", measure="mean"), [])
    data = answer.data
    found = {(data["x"]["names"][a], data["y"]["names"][b]): (rows, value) for a, b, rows, value in data["cells"]}
    groups = FRAME.filter(pl.col("shop").is_not_null()).group_by("shop", "open").agg(pl.len(), pl.col("price").mean())
    assert found == {(shop, is_open): (rows, pytest.approx(mean)) for shop, is_open, rows, mean in groups.rows()}


def test_many_points_are_counted_and_none_is_left_out(desk: ColumnDesk) -> None:
    answer = answer_chart(desk, ChartRequest(shape="scatter", x="size", y="price", color="shop"), [])
    raster = answer.data["raster"]
    counts = np.frombuffer(base64.b64decode(raster["rows"]), dtype=f"<u{raster['bits'] // 8}")
    assert len(counts) == raster["width"] * raster["height"]
    assert int(counts.sum()) == answer.drawn == FRAME.get_column("price").count()
    assert "points" not in answer.data


def test_few_points_are_drawn_one_by_one(desk: ColumnDesk) -> None:
    filters = [_filter("size", "lt", 5), _filter("shop", "eq", "north")]
    answer = answer_chart(desk, ChartRequest(shape="scatter", x="size", y="price", color="open"), filters)
    expected = FRAME.filter((pl.col("size") < 5) & (pl.col("shop") == "north") & pl.col("price").is_not_null()).select("size", "price")
    assert [tuple(each[:2]) for each in answer.data["points"]] == [(float(a), b) for a, b in expected.rows()]
    assert answer.data["parts"] == [False, True]


def test_boxes_are_the_quartiles(desk: ColumnDesk) -> None:
    answer = answer_chart(desk, ChartRequest(shape="box", x="shop", y="price"), [])
    prices = FRAME.filter((pl.col("shop") == "north") & pl.col("price").is_not_null()).get_column("price").to_numpy()
    low, first, middle, third, high = answer.data["boxes"][answer.data["names"].index("north")]
    assert [first, middle, third] == pytest.approx(np.quantile(prices, [0.25, 0.5, 0.75]).tolist())
    fence = 1.5 * (third - first)
    inside = prices[(prices >= first - fence) & (prices <= third + fence)]
    assert (low, high) == (inside.min(), inside.max())
    assert answer.data["outliers"][answer.data["names"].index("north")] == len(prices) - len(inside)


def test_figures(desk: ColumnDesk) -> None:
    filters, condition = CASES[2]
    kept = FRAME.filter(condition)
    assert answer_figure(desk, Measure(op="count"), filters) == kept.height
    assert answer_figure(desk, Measure(op="count", column="price"), filters) == kept.get_column("price").count()
    assert answer_figure(desk, Measure(op="mean", column="price"), filters) == pytest.approx(kept.get_column("price").mean())
    assert answer_figure(desk, Measure(op="distinct", column="shop"), filters) == 2
    assert answer_figure(desk, Measure(op="max", column="day"), []).startswith(str(FRAME.get_column("day").max()))
    assert answer_figure(desk, Measure(op="mean", column="price"), [_filter("shop", "eq", "nowhere")]) is None


@pytest.mark.parametrize(
    "chart",
    [
        ChartRequest(shape="histogram", x="shop"),
        ChartRequest(shape="bar", x="shop", measure="mean"),
        ChartRequest(shape="scatter", x="size"),
        ChartRequest(shape="box", x="shop", y="shop"),
        ChartRequest(shape="heat", x="shop"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(desk: ColumnDesk, chart: ChartRequest) -> None:
    with pytest.raises(Invalid, match=r"Choose|Say which|Group it"):
        answer_chart(desk, chart, [])


def test_an_unknown_column_is_named(desk: ColumnDesk) -> None:
    with pytest.raises(ColumnUnknown, match="nowhere"):
        answer_chart(desk, ChartRequest(shape="bar", x="nowhere"), [])


@given(low=st.floats(-1e9, 1e9), span=st.floats(1e-6, 1e9), bins=st.integers(2, 200), whole=st.booleans())
@example(low=-920900576.7263716, span=1.2783293703736547e-06, bins=137, whole=False)
@settings(max_examples=200, deadline=None)
def test_round_edges_hold_the_range(low: float, span: float, bins: int, whole: bool) -> None:
    if whole:
        low, span = float(round(low)), float(max(1, round(span)))
    edges = round_edges(low, low + span, bins, whole=whole)
    little = 1e-9 * max(abs(low), abs(low + span))
    assert edges[0] <= low + little
    assert edges[-1] >= low + span - little
    assert 1 <= len(edges) - 1 <= bins + 2


def test_a_table_without_rows_or_values() -> None:
    table = pa.table({"shop": pa.array([None, None], pa.string()), "price": pa.array([None, float("nan")], pa.float64())})
    desk = ColumnDesk(("e", 1), TableSource(table), [Column(name="shop", kind="category"), Column(name="price", kind="decimal")], Keeper(2**20))
    assert answer_chart(desk, ChartRequest(shape="bar", x="shop"), []).data["names"] == []
    assert answer_chart(desk, ChartRequest(shape="histogram", x="price"), []).data["missing"] == 2
    assert answer_chart(desk, ChartRequest(shape="box", x="shop", y="price"), []).drawn == 0
    assert answer_chart(desk, ChartRequest(shape="scatter", x="price", y="price"), []).data["points"] == []


def test_numbers_keep_their_order_and_names_come_by_figure(desk: ColumnDesk) -> None:
    assert answer_chart(desk, ChartRequest(shape="bar", x="open"), []).data["names"] == [False, True]
    sizes = answer_chart(desk, ChartRequest(shape="bar", x="size", bins=200), []).data["names"]
    assert sizes == sorted(sizes)
    values = answer_chart(desk, ChartRequest(shape="bar", x="shop", y="price", measure="mean"), []).data["values"]
    assert values == sorted(values, reverse=True)


def test_what_is_kept_is_made_once_and_bounded() -> None:
    keeper = Keeper(100)
    made: list[str] = []
    gate = threading.Barrier(4)

    def make() -> str:
        made.append("x")
        return "answer"

    def ask() -> None:
        gate.wait()
        assert keeper.get("a", make, lambda _: 60) == "answer"

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert made == ["x"]
    keeper.get("b", lambda: "other", lambda _: 60)
    assert keeper.peek("a") is None
    assert keeper.peek("b") == "other"
    assert keeper.held <= 100
