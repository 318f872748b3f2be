"""Pages of rows and filters, compared with plain Python over the same rows."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapp_ext.domain import queries
from dapp_ext.domain.keeper import Keeper
from dapp_ext.domain.queries import ask
from dapp_ext.domain.sources import KeptSource, Source, TableSource
from dapp_ext.errors import ColumnUnknown, Invalid
from dapp_ext.schema.datasets import Column, Filter, QueryRequest, RowsRequest, Sort

ROWS = 500
NAMES = ["Ada", "ada", "Zoë", "Bo", "", "O'Neil; DROP TABLE x", "100%", "a.b*", "^c0$"]


def build() -> pa.Table:
    dice = np.random.default_rng(0)

    def holes(values: Sequence[Any]) -> list[Any]:
        return [None if hole else value for value, hole in zip(values, dice.random(ROWS) < 0.1, strict=True)]

    start = datetime(2024, 1, 1)
    return pa.table(
        {
            "n": pa.array(holes(dice.integers(-50, 50, ROWS).tolist()), pa.int64()),
            "x": pa.array(holes(dice.normal(size=ROWS).round(3).tolist()), pa.float64()),
            "money": pa.array(holes([Decimal(int(cents)) / 100 for cents in dice.integers(0, 999, ROWS)]), pa.decimal128(10, 2)),
            "yes": pa.array(holes((dice.random(ROWS) < 0.5).tolist()), pa.bool_()),
            "name": pa.array(holes(dice.choice(NAMES, ROWS).tolist()), pa.string()),
            "kind": pa.array(holes(dice.choice(["red", "green", "blue"], ROWS).tolist())).dictionary_encode(),
            "day": pa.array(holes([date(2024, 1, 1) + timedelta(days=int(d)) for d in dice.integers(0, 60, ROWS)]), pa.date32()),
            "at": pa.array(holes([start + timedelta(minutes=int(m)) for m in dice.integers(0, 99_999, ROWS)]), pa.timestamp("us")),
            "zoned": pa.array(holes([(start + timedelta(hours=int(h))).replace(tzinfo=UTC) for h in dice.integers(0, 999, ROWS)]),
                              pa.timestamp("us", "Europe/Berlin")),
            "clock": pa.array(holes([time(int(h), 30) for h in dice.integers(0, 24, ROWS)]), pa.time64("us")),
            "span": pa.array(holes([timedelta(seconds=int(s)) for s in dice.integers(-99, 9999, ROWS)]), pa.duration("us")),
            "nothing": pa.nulls(ROWS),
            "*": pa.array(range(ROWS), pa.int32()),
        }
    )  # fmt: skip


KINDS = {"n": "integer", "x": "decimal", "money": "decimal", "yes": "boolean", "name": "text", "kind": "category", "day": "date", "at": "datetime",
         "zoned": "datetime", "clock": "time", "span": "duration", "nothing": "text", "*": "integer"}  # fmt: skip
TABLE = build()
COLUMNS = [Column(name=name, kind=KINDS[name]) for name in TABLE.column_names]
RECORDS: list[dict[str, Any]] = TABLE.to_pylist()


class InParts(TableSource):
    """The same rows as a source that is too large to be in memory as a whole."""

    def fits(self, columns: Sequence[str]) -> bool:
        return False

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        for start in range(0, self.rows, 77):
            yield self.read(columns, start, 77)


TEXTS = [column.name for column in COLUMNS if column.kind in ("category", "text")]
# As a table, in parts that do not fit into memory as a whole, and as columns that are kept ready, texts as codes.
SOURCES = [TableSource(TABLE), InParts(TABLE), KeptSource(TableSource(TABLE), Keeper(2**24), ("d", 1), TEXTS)]
whole_and_parts = pytest.mark.parametrize("source", SOURCES, ids=["whole", "parts", "kept"])


def rows_of(source: Source, filters: Sequence[Filter] = (), **more: Any) -> list[int]:
    """Numbers of the matching rows, from the column that counts them."""
    request = RowsRequest(filters=list(filters), columns=["*"], limit=1000, **more)
    _, rows, total = queries.select_rows(source, COLUMNS, request)
    assert total == len(rows)
    return [row[0] for row in rows]


def expected(passes: Any) -> list[int]:
    return [i for i in range(ROWS) if passes(RECORDS[i])]


def present(value: Any) -> bool:
    return value is not None


@whole_and_parts
def test_a_plain_page(source: Source) -> None:
    columns, rows, total = queries.select_rows(source, COLUMNS, RowsRequest(offset=120, limit=30, columns=["kind", "n", "kind"]))
    assert [column.name for column in columns] == ["kind", "n"]
    assert total == ROWS
    assert rows == [[RECORDS[i]["kind"], RECORDS[i]["n"]] for i in range(120, 150)]
    assert queries.select_rows(source, COLUMNS, RowsRequest(offset=ROWS))[1:] == ([], ROWS)
    assert len(queries.select_rows(source, COLUMNS, RowsRequest())[0]) == len(COLUMNS)


def test_long_texts_of_a_page_are_cut_where_that_is_asked() -> None:
    table = TableSource(pa.table({"a": ["x" * 9, "é" * 5, "", None], "n": [1, 2, 3, 4]}))
    columns = [Column(name="a", kind="text"), Column(name="n", kind="integer")]
    _, rows, _ = queries.select_rows(table, columns, RowsRequest(text_limit=5))
    assert rows == [["xxxxx…", 1], ["ééééé", 2], ["", 3], [None, 4]]
    _, rows, _ = queries.select_rows(table, columns, RowsRequest(text_limit=5, search="xxxxxxxx"))
    assert rows == [["xxxxx…", 1]]
    assert queries.select_rows(table, columns, RowsRequest())[1][0][0] == "x" * 9


def test_a_plain_page_reads_only_its_rows() -> None:
    class Watched(TableSource):
        asked: list[tuple[list[str], int, int | None]] = []

        def read(self, columns: Sequence[str], offset: int = 0, limit: int | None = None) -> pa.Table:
            self.asked.append((list(columns), offset, limit))
            return super().read(columns, offset, limit)

        def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
            raise AssertionError("everything was read")

    source = Watched(TABLE)
    queries.select_rows(source, COLUMNS, RowsRequest(offset=200, limit=10, columns=["n", "x"]))
    assert source.asked == [(["n", "x"], 200, 10)]


COMPARISONS = [("eq", operator.eq), ("lt", operator.lt), ("le", operator.le), ("gt", operator.gt), ("ge", operator.ge)]
VALUES: list[tuple[str, Any, Any]] = [
    ("n", 7, 7),
    ("n", -3.5, -3.5),
    ("n", "12", 12),
    ("n", 2**80, 2**80),
    ("n", -(2**70), -(2**70)),
    ("x", 0, 0),
    ("x", 0.25, 0.25),
    ("money", 5, Decimal(5)),
    ("money", "4.99", Decimal("4.99")),
    ("name", "Bo", "Bo"),
    ("name", "O'Neil; DROP TABLE x", "O'Neil; DROP TABLE x"),
    ("name", "^c0$", "^c0$"),
    ("kind", "green", "green"),
    ("kind", "never seen", "never seen"),
    ("day", "2024-02-01", date(2024, 2, 1)),
    ("day", "2024-02-01T00:00:00", date(2024, 2, 1)),
    ("at", "2024-02-01", datetime(2024, 2, 1)),
    ("at", "2024-02-01T12:30:00", datetime(2024, 2, 1, 12, 30)),
    ("at", "2024-02-01T12:30:00+02:00", datetime(2024, 2, 1, 10, 30)),
    ("zoned", "2024-01-15T12:00:00Z", datetime(2024, 1, 15, 12, tzinfo=UTC)),
    ("zoned", "2024-01-15T12:00:00", datetime(2024, 1, 15, 11, tzinfo=UTC)),
    ("clock", "12:30", time(12, 30)),
    ("span", 1000, timedelta(seconds=1000)),
    ("span", 0.5, timedelta(seconds=0.5)),
]


@pytest.mark.parametrize(("column", "given_value", "value"), VALUES, ids=[f"{c}-{v}" for c, v, _ in VALUES])
@pytest.mark.parametrize(("op", "compare"), COMPARISONS, ids=[op for op, _ in COMPARISONS])
def test_comparisons(column: str, given_value: Any, value: Any, op: Any, compare: Any) -> None:
    found = rows_of(SOURCES[0], [Filter(column=column, op=op, value=given_value)])
    assert found == expected(lambda row: present(row[column]) and compare(row[column], value))


@pytest.mark.parametrize("column", ["n", "x", "name", "kind", "yes", "nothing"])
@whole_and_parts
def test_missing_values(source: Source, column: str) -> None:
    assert rows_of(source, [Filter(column=column, op="is_null")]) == expected(lambda row: not present(row[column]))
    assert rows_of(source, [Filter(column=column, op="not_null")]) == expected(lambda row: present(row[column]))


def test_not_equal_lets_missing_values_pass() -> None:
    for column, value in (("n", 7), ("kind", "red"), ("yes", True), ("name", "Bo")):
        assert rows_of(SOURCES[0], [Filter(column=column, op="ne", value=value)]) == expected(lambda row, c=column, v=value: row[c] != v)


@pytest.mark.parametrize(
    ("column", "given_values", "values"),
    [
        ("n", [1, 2.0, 3.5, 2**90, "4"], [1, 2, 4]),
        ("n", list(range(-40, 40, 3)), list(range(-40, 40, 3))),
        ("n", [5, None], [5, None]),
        ("n", [None], [None]),
        ("x", [0, 0.5, -0.25], [0, 0.5, -0.25]),
        ("name", ["Ada", "", "100%"], ["Ada", "", "100%"]),
        ("kind", ["red", "blue", "never"], ["red", "blue"]),
        ("kind", ["red", None], ["red", None]),
        ("yes", [True, "false"], [True, False]),
        ("money", ["1.00", 2], [Decimal(1), Decimal(2)]),
        ("day", ["2024-01-05", "2024-01-06"], [date(2024, 1, 5), date(2024, 1, 6)]),
        ("clock", ["03:30:00"], [time(3, 30)]),
    ],
)
@whole_and_parts
def test_one_of(source: Source, column: str, given_values: list[Any], values: list[Any]) -> None:
    found = rows_of(source, [Filter(column=column, op="in", value=given_values)])
    assert found == expected(lambda row: row[column] in values if present(row[column]) else None in values)


def test_between_has_both_ends_inside_and_may_be_open() -> None:
    for low, high in ((-5, 5), (None, 0), (10, None), (5, -5)):
        found = rows_of(SOURCES[0], [Filter(column="n", op="between", value=[low, high])])
        assert found == expected(lambda row, a=low, b=high: present(row["n"]) and (a is None or row["n"] >= a) and (b is None or row["n"] <= b))


@pytest.mark.parametrize("text", ["a", "ADA", "zoË", ".", "100%", "'", "^c0$", "*", "(", ""])
def test_contains_takes_letters_as_they_are_but_not_their_case(text: str) -> None:
    assert rows_of(SOURCES[0], [Filter(column="name", op="contains", value=text)]) == expected(
        lambda row: present(row["name"]) and text.lower() in row["name"].lower()
    )
    assert rows_of(SOURCES[0], [Filter(column="kind", op="contains", value="RE")]) == expected(lambda row: row["kind"] in ("red", "green"))


@whole_and_parts
def test_all_filters_must_pass(source: Source) -> None:
    filters = [Filter(column="n", op="gt", value=0), Filter(column="kind", op="eq", value="red"), Filter(column="name", op="not_null")]
    found = rows_of(source, filters)
    assert found == expected(lambda row: present(row["n"]) and row["n"] > 0 and row["kind"] == "red" and present(row["name"]))
    _, rows, total = queries.select_rows(source, COLUMNS, RowsRequest(filters=filters, columns=["*"], offset=3, limit=4))
    assert [row[0] for row in rows] == found[3:7]
    assert total == len(found)


@pytest.mark.parametrize(
    ("column", "op", "value", "says"),
    [
        ("n", "eq", "seven", "whole numbers"),
        ("n", "eq", True, "whole numbers"),
        ("n", "eq", None, "is_null"),
        ("n", "contains", "7", "cannot contain"),
        ("n", "in", 7, "list"),
        ("n", "in", [], "list"),
        ("n", "in", [[1]], "whole numbers"),
        ("n", "between", [1], "lowest"),
        ("n", "between", [None, None], "lowest"),
        ("x", "lt", float("nan"), "numbers"),
        ("x", "lt", {"a": 1}, "numbers"),
        ("yes", "lt", True, "smaller"),
        ("yes", "eq", "maybe", "true and false"),
        ("name", "contains", 5, "text"),
        ("name", "eq", ["x"], "texts"),
        ("kind", "eq", {"x": 1}, "texts"),
        ("day", "eq", "tomorrow", "2024-12-31"),
        ("day", "eq", 5, "2024-12-31"),
        ("at", "ge", "2024-13-01", "date-times"),
        ("clock", "eq", "25:00", "times of day"),
        ("span", "eq", "long", "seconds"),
        ("span", "eq", 1e300, "seconds"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(column: str, op: Any, value: Any, says: str) -> None:
    filters = [Filter(column=column, op=op, value=value)]
    with pytest.raises(Invalid, match=says):
        rows_of(SOURCES[0], filters)
    with pytest.raises(Invalid, match=says):
        queries.filtered_batches(SOURCES[0], COLUMNS, ["n"], filters)


def test_unknown_columns_are_named() -> None:
    for request in (
        RowsRequest(columns=["n", "nowhere"]),
        RowsRequest(filters=[Filter(column="nowhere", op="is_null")]),
        RowsRequest(sort=[Sort(column="nowhere")]),
    ):
        with pytest.raises(ColumnUnknown, match="nowhere"):
            queries.select_rows(SOURCES[0], COLUMNS, request)
    with pytest.raises(Invalid, match="at least one"):
        queries.select_rows(SOURCES[0], COLUMNS, RowsRequest(columns=[]))


SORTS = [[("n", False)], [("n", True)], [("x", True)], [("kind", False), ("n", True)], [("yes", True), ("name", False)], [("at", False)],
         [("zoned", True)], [("clock", False), ("span", True)], [("money", True)], [("nothing", False)], [("*", True)], [("kind", True), ("kind", False)]]  # fmt: skip


@pytest.mark.parametrize("keys", SORTS, ids=["-".join(name for name, _ in keys) for keys in SORTS])
@whole_and_parts
def test_sorting_is_stable_with_missing_values_last(source: Source, keys: list[tuple[str, bool]]) -> None:
    order = list(range(ROWS))
    for name, descending in reversed(keys):
        there = [i for i in order if present(RECORDS[i][name])]
        # Python's sort keeps equal ones in order also when it is reversed.
        order = sorted(there, key=lambda i, c=name: RECORDS[i][c], reverse=descending) + [i for i in order if not present(RECORDS[i][name])]
    sort = [Sort(column=name, descending=descending) for name, descending in keys]
    assert rows_of(source, sort=sort) == order
    pages = [queries.select_rows(source, COLUMNS, RowsRequest(sort=sort, columns=["*"], offset=start, limit=70))[1] for start in range(0, ROWS, 70)]
    assert [row[0] for page in pages for row in page] == order


@whole_and_parts
def test_sorting_what_was_filtered(source: Source) -> None:
    filters = [Filter(column="kind", op="eq", value="blue")]
    found = rows_of(source, filters, sort=[Sort(column="x", descending=True)])
    blue = [i for i in range(ROWS) if RECORDS[i]["kind"] == "blue"]
    assert found == sorted(blue, key=lambda i: (RECORDS[i]["x"] is None, -(RECORDS[i]["x"] or 0)))


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)


@pytest.mark.parametrize("text", ["ada", "17", "2024-02-0", "12:30", "0.1", "gree", "tru", "-4", "%", "neil; drop", "  red  ", "nowhere at all"])
@whole_and_parts
def test_searching_looks_into_what_is_shown(source: Source, text: str) -> None:
    names = ["n", "x", "yes", "name", "kind", "day", "at", "clock", "*"]
    request = RowsRequest(search=text, columns=names, limit=1000)
    found = [row[-1] for row in queries.select_rows(source, COLUMNS, request)[1]]
    wanted = text.strip().lower()
    assert found == expected(lambda row: any(wanted in shown(row[name]).lower() for name in names))


def test_searching_dates_with_a_blank() -> None:
    day = next(value for value in (row["at"] for row in RECORDS) if present(value))
    request = RowsRequest(search=f"{day:%Y-%m-%d %H:%M}", columns=["at"], limit=1000)
    found = queries.select_rows(SOURCES[0], COLUMNS, request)[1]
    assert [day.isoformat()] in found
    assert len(found) == sum(present(value) and value.replace(second=0) == day.replace(second=0) for value in (row["at"] for row in RECORDS))


def test_searching_nothing_finds_everything() -> None:
    assert len(rows_of(SOURCES[0], search="   ")) == ROWS


def test_searching_columns_of_many_different_numbers() -> None:
    table = pa.table({"id": pa.array(range(10_000), pa.int64()), "few": pa.array([i % 7 for i in range(10_000)], pa.int8())})
    columns = [Column(name="id", kind="integer"), Column(name="few", kind="integer")]
    assert queries.select_rows(TableSource(table), columns, RowsRequest(search="99", columns=["id"]))[2] == sum("99" in str(i) for i in range(10_000))
    assert queries.select_rows(TableSource(table), columns, RowsRequest(search="6", columns=["few"]))[2] == sum(i % 7 == 6 for i in range(10_000))


numbers = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))
texts = st.one_of(st.none(), st.text(st.characters(codec="latin-1"), max_size=6))


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(numbers, st.one_of(st.none(), st.floats(allow_nan=True, width=64)), texts), max_size=30), st.data())
def test_any_table_any_question(rows: list[tuple[Any, Any, Any]], data: st.DataObject) -> None:
    table = pa.table(
        {"i": pa.array([r[0] for r in rows], pa.int64()), "f": pa.array([r[1] for r in rows], pa.float64()), "t": pa.array([r[2] for r in rows], pa.string())}
    )
    columns = [Column(name="i", kind="integer"), Column(name="f", kind="decimal"), Column(name="t", kind="text")]
    least = data.draw(st.integers(-(2**65), 2**65))
    text = data.draw(st.text(st.characters(codec="ascii"), max_size=2))
    filters = [Filter(column="i", op="ge", value=least), Filter(column="t", op="contains", value=text)]
    _, found, total = queries.select_rows(TableSource(table), columns, RowsRequest(filters=filters, sort=[Sort(column="i", descending=True)], columns=["i"]))
    passing = [r[0] for r in rows if r[0] is not None and r[0] >= least and r[2] is not None and _contains(r[2], text)]
    assert total == len(passing)
    assert [int(row[0]) for row in found] == sorted(passing, reverse=True)


def _contains(value: str, text: str) -> bool:
    import re

    return re.search(re.escape(text), value, re.IGNORECASE) is not None


@whole_and_parts
def test_filtered_parts_keep_their_types(source: Source) -> None:
    selection = queries.filtered_batches(source, COLUMNS, ["kind", "name", "zoned"], [Filter(column="n", op="lt", value=0)])
    table = pa.concat_tables(selection)
    assert table.schema.equals(TABLE.select(["kind", "name", "zoned"]).schema)
    wanted = expected(lambda row: present(row["n"]) and row["n"] < 0)
    assert table.to_pylist() == TABLE.select(["kind", "name", "zoned"]).take(pa.array(wanted)).to_pylist()
    assert selection.count() == len(wanted)
    everything = queries.filtered_batches(source, COLUMNS, ["n"], [])
    assert everything.count() == ROWS
    assert pa.concat_tables(everything).equals(TABLE.select(["n"]))


def test_a_table_without_rows() -> None:
    empty = TableSource(TABLE.slice(0, 0))
    filters = [Filter(column="n", op="gt", value=0)]
    assert queries.select_rows(empty, COLUMNS, RowsRequest())[1:] == ([], 0)
    assert queries.select_rows(empty, COLUMNS, RowsRequest(filters=filters, sort=[Sort(column="x")], search="a"))[1:] == ([], 0)
    (only,) = queries.filtered_batches(empty, COLUMNS, ["n"], filters)
    assert only.schema.names == ["n"]
    assert only.num_rows == 0


def test_kept_columns_take_no_more_room_than_they_may() -> None:
    keeper = Keeper(40_000)
    source = KeptSource(TableSource(pa.table({f"c{at}": list(range(2000)) for at in range(6)})), keeper, ("d", 1), [])
    for name in source.schema.names:
        assert source.frame([name]) is not None
    assert keeper.peek(("d", 1, "c5")) is not None
    assert keeper.peek(("d", 1, "c0")) is None  # 16,000 bytes each: two fit
    keeper.drop("d")
    assert keeper.peek(("d", 1, "c5")) is None


@pytest.mark.parametrize("largest", [3, 2**62, 2**63 - 1, -(2**63)])
def test_sums_of_kept_columns_are_exact_however_large(largest: int) -> None:
    table = pa.table({"g": ["a", "a", "b"], "n": pa.array([largest, largest, None], pa.int64())})
    kept = KeptSource(TableSource(table), Keeper(1 << 20), ("d", 1), ["g"])
    columns = [Column(name="g", kind="category"), Column(name="n", kind="integer")]
    asked = QueryRequest.model_validate({"group_by": [{"column": "g"}], "measures": [{"op": "sum", "column": "n"}]})
    for _ in range(2):
        rows = ask(kept, columns, asked).rows
        assert [(name, None if value is None else int(value)) for name, value in rows] == [("a", 2 * largest), ("b", None)]
    assert kept.is_narrow("n") == (largest == 3)


def test_whole_numbers_of_more_than_38_digits() -> None:
    """polars has no such numbers: it ended in a panic, and every page of the table with it."""
    values = [10**50 + 7, -(10**60), None, 10**40]
    array = pa.array([None if value is None else str(value) for value in values]).cast(pa.decimal256(76, 0))
    columns = [Column(name="n", kind="integer")]
    table = TableSource(pa.table({"n": array}))
    assert queries.select_rows(table, columns, RowsRequest())[1] == [[str(10**50 + 7)], [str(-(10**60))], [None], [str(10**40)]]
    by_size = queries.select_rows(table, columns, RowsRequest(sort=[Sort(column="n")]))[1]
    assert by_size == [[str(-(10**60))], [str(10**40)], [str(10**50 + 7)], [None]]
    assert queries.select_rows(table, columns, RowsRequest(filters=[Filter(column="n", op="gt", value=0)]))[2] == 2
    found = ask(table, columns, QueryRequest.model_validate({"measures": [{"op": "max", "column": "n"}, {"op": "count"}]}))
    assert found.rows == [[1e50, 4]]
