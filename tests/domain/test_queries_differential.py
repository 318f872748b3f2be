"""Random questions to random tables, against plain Python over the same values: filters, sorting, groups, bins, buckets, figures."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dapp_ext.domain.keeper import Keeper
from dapp_ext.domain.queries import ask, select_rows
from dapp_ext.domain.sources import KeptSource, TableSource
from dapp_ext.schema.datasets import Column, Filter, Grouping, Measure, QueryRequest, RowsRequest, Sort

SOME, MANY = 40, 600
ZONE = ZoneInfo("America/New_York")
NASTY = ["", "a", "A", "ä", "a\u0308", "ß", "SS", "😀", "👨‍👩‍👧", "x\0y", "\0", "z", "Zoë", "^c0$", "*", "100%", "null", "שלום", "İ", "i"]
VALUES: dict[str, tuple[str, pa.DataType, st.SearchStrategy[Any]]] = {
    "i": ("integer", pa.int64(), st.sampled_from([0, 1, -1, 7, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]) | st.integers(-3, 3)),
    "b": ("integer", pa.decimal128(38, 0), st.sampled_from([Decimal(2**63), Decimal(10**30), Decimal(10**30 + 1), Decimal(0), Decimal(-5)])),
    "f": ("decimal", pa.float64(), st.sampled_from([0.0, -0.0, 0.1, 0.2, 1e-300, 1e300, -2.5, math.inf, -math.inf, math.nan, 2.0**53])),
    "d": ("decimal", pa.decimal128(38, 20), st.sampled_from([Decimal(x) for x in ("0.1", "0.10000000000000000001", "-0.1", "0", "12345678.5", "3")])),
    "t": ("text", pa.string(), st.sampled_from(NASTY)),
    "c": ("category", pa.string(), st.sampled_from(NASTY[:6])),
    "y": ("boolean", pa.bool_(), st.booleans()),
    "day": ("date", pa.date32(), st.sampled_from([date(1, 1, 1), date(1850, 3, 4), date(1969, 12, 31), date(1970, 1, 1), date(2024, 2, 29), date(9999, 12, 31)])),
    "at": ("datetime", pa.timestamp("us"), st.sampled_from([datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(1900, 1, 1), datetime(2024, 2, 29, 12, 30)])),
    "z": ("datetime", pa.timestamp("us", "America/New_York"), st.sampled_from(
        [datetime(1960, 1, 1, 5, tzinfo=UTC), datetime(2021, 3, 14, 6, 59, tzinfo=UTC), datetime(2021, 3, 14, 7, 1, tzinfo=UTC),
         datetime(2021, 11, 7, 5, 30, tzinfo=UTC), datetime(2021, 11, 7, 6, 30, tzinfo=UTC)])),
}  # fmt: skip
COLUMNS = [*(Column.model_validate({"name": name, "kind": kind}) for name, (kind, _, _) in VALUES.items()), Column(name="row", kind="integer")]
NUMBERS = ("i", "b", "f", "d")
Row = dict[str, Any]


@st.composite
def tables(draw: st.DrawFn) -> tuple[pa.Table, list[Row]]:
    rows = draw(st.integers(0, 9))
    table: dict[str, list[Any]] = {name: [draw(st.none() | values) for _ in range(rows)] for name, (_, _, values) in VALUES.items()}
    arrow = pa.table({name: pa.array(table[name], type_) for name, (_, type_, _) in VALUES.items()} | {"row": pa.array(range(rows), pa.int64())})
    # Not-a-number is missing.
    plain = {name: [None if isinstance(each, float) and math.isnan(each) else each for each in values] for name, values in table.items()}
    return arrow, [{name: values[row] for name, values in plain.items()} | {"row": row} for row in range(rows)]


def literal(name: str, value: Any) -> Any:
    """A value as it is written in JSON."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53):
        return str(value)
    return value


def key(value: Any) -> Any:
    """What values are compared by: texts by their UTF-8 bytes, which is the order of code points."""
    return value.encode() if isinstance(value, str) else value


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left is not None and left == right,
    "ne": lambda left, right: left is None or left != right,
    "lt": lambda left, right: left is not None and key(left) < key(right),
    "le": lambda left, right: left is not None and key(left) <= key(right),
    "gt": lambda left, right: left is not None and key(left) > key(right),
    "ge": lambda left, right: left is not None and key(left) >= key(right),
    "in": lambda left, right: left in right,
    "between": lambda left, right: left is not None and key(right[0]) <= key(left) <= key(right[1]),
    "is_null": lambda left, _: left is None,
    "not_null": lambda left, _: left is not None,
}


@st.composite
def filters(draw: st.DrawFn) -> tuple[list[Filter], Callable[[Row], bool]]:
    """Up to two conditions, and the same in Python."""
    asked: list[Filter] = []
    tests: list[Callable[[Row], bool]] = []
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(list(VALUES)))
        values = VALUES[name][2].filter(lambda value: not (isinstance(value, float) and not math.isfinite(value)))
        usual = ["eq", "ne", "in", "is_null", "not_null"] + ([] if name == "y" else ["lt", "le", "gt", "ge", "between"])
        op = draw(st.sampled_from(usual))
        value: Any = None
        if op == "in":
            value = draw(st.lists(st.none() | values, min_size=1, max_size=3))
        elif op == "between":
            value = draw(st.lists(values, min_size=2, max_size=2))
        elif op not in ("is_null", "not_null"):
            value = draw(values)
        sent = [literal(name, each) for each in value] if isinstance(value, list) else literal(name, value)
        asked.append(Filter.model_validate({"column": name, "op": op, "value": sent}))
        tests.append(lambda row, name=name, op=op, value=value: OPERATORS[op](row[name], value))  # type: ignore[misc]
    return asked, lambda row: all(test(row) for test in tests)


def sources(table: pa.Table) -> tuple[Any, Any]:
    return TableSource(table), KeptSource(TableSource(table), Keeper(10**7), ("t",), ("c",))


def check_rows(table: pa.Table, rows: list[Row], asked: list[Filter], test: Callable[[Row], bool], by: list[tuple[str, bool]]) -> None:
    expected = [row for row in rows if test(row)]
    for name, descending in reversed(by):
        there = sorted((row for row in expected if row[name] is not None), key=lambda row: key(row[name]), reverse=descending)
        if descending:  # equal rows keep their order
            there = sorted((row for row in expected if row[name] is not None), key=lambda row: _Turned(key(row[name])))
        expected = [*there, *(row for row in expected if row[name] is None)]
    request = RowsRequest(filters=asked, sort=[Sort(column=name, descending=descending) for name, descending in by], columns=["row"])
    for source in sources(table):
        _, found, total = select_rows(source, COLUMNS, request)
        assert [row[0] for row in found] == [row["row"] for row in expected], (asked, by)
        assert total == len(expected)


class _Turned:
    """Orders the other way round, so that equal ones stay where they are."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Turned) -> bool:
        return bool(other.value < self.value)


def figure(op: str, name: str, values: list[Any], q: float) -> Any:
    """A figure of the values that are there."""
    there = [value for value in values if value is not None]
    if op == "count":
        return len(there)
    if op == "distinct":
        return len(set(there))
    if not there:
        return None
    if op in ("min", "max"):
        return (min if op == "min" else max)(there, key=key)
    if op == "sum":
        return sum(there[1:], there[0]) if name != "f" else math.fsum(there) if all(map(math.isfinite, there)) else float(np.sum(there))
    floats = [float(value) for value in there]
    with np.errstate(all="ignore"):
        return {
            "mean": lambda: float(np.mean(floats)),
            "median": lambda: statistics.median(floats),
            "quantile": lambda: float(np.quantile(floats, q)),
            "std": lambda: None if len(floats) < 2 else float(np.std(floats, ddof=1)),
        }[op]()


def same(expected: Any, found: Any, op: str) -> bool:
    """Whether an answer says the same; sums and means of doubles may be added up in another order."""
    if isinstance(found, str) and found in ("Infinity", "-Infinity"):
        found = math.inf if found[0] != "-" else -math.inf
    if expected is None or (isinstance(expected, float) and math.isnan(expected)):
        return found is None
    if isinstance(expected, datetime):
        given = datetime.fromisoformat(found)
        return given == expected
    if isinstance(expected, date):
        return bool(found == expected.isoformat())
    if isinstance(expected, Decimal) or (isinstance(expected, int) and not isinstance(expected, bool)):
        return Decimal(str(found)) == Decimal(expected)
    if isinstance(expected, float):
        return found is not None and (math.isclose(expected, float(found), rel_tol=1e-9, abs_tol=1e-12) or expected == float(found))
    return bool(expected == found)


def bucket_of(value: Any, bucket: str) -> Any:
    """The beginning of the year, month, day … of a moment, by its own clock."""
    if value is None:
        return None
    local = value.astimezone(ZONE) if isinstance(value, datetime) and value.tzinfo else value
    if bucket == "week":
        start = local - timedelta(days=local.weekday()) if local.toordinal() > 7 else None
        return None if start is None else _midnight(start)
    month = {"year": 1, "quarter": 3 * ((local.month - 1) // 3) + 1}.get(bucket, local.month)
    return _midnight(local.replace(month=month, day=local.day if bucket == "day" else 1))


def _midnight(value: Any) -> Any:
    return value.replace(hour=0, minute=0, second=0, microsecond=0) if isinstance(value, datetime) else value


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[Grouping], list[Measure]]:
    groups = []
    for name in draw(st.lists(st.sampled_from(list(VALUES)), max_size=2, unique=True)):
        bucket = draw(st.sampled_from([None, "year", "quarter", "month", "day"])) if name in ("day", "at", "z") else None
        groups.append(Grouping.model_validate({"column": name, "bucket": bucket}))
    measures = [Measure(op="count")]
    for name in draw(st.lists(st.sampled_from(list(VALUES)), max_size=3)):
        ops = ["count", "distinct", "min", "max"] + (["sum", "mean", "median", "quantile", "std"] if name in NUMBERS else [])
        op = draw(st.sampled_from([op for op in ops if not (name == "y" and op in ("min", "max"))]))
        measures.append(Measure.model_validate({"op": op, "column": name, "q": draw(st.sampled_from([0.0, 0.25, 0.9, 1.0])) if op == "quantile" else None}))
    return groups, measures


def check_answer(table: pa.Table, rows: list[Row], asked: list[Filter], test: Callable[[Row], bool], question: tuple[list[Grouping], list[Measure]]) -> None:
    groups, measures = question
    there = [row for row in rows if test(row)]
    together: dict[Any, list[Row]] = {} if groups else {(): there}
    for row in there:
        names = tuple(bucket_of(row[each.column], each.bucket) if each.bucket else _one(row[each.column]) for each in groups)
        together.setdefault(names, []).append(row) if groups else None
    expected = sorted(together.items(), key=lambda item: [(value is None, key(value) if value is not None else 0) for value in item[0]])
    for source in sources(table):
        found = ask(source, COLUMNS, QueryRequest(group_by=groups, measures=measures, filters=asked)).rows
        assert len(found) == len(expected), (groups, found, expected)
        for (names, members), answer in zip(expected, found, strict=True):
            for name, shown in zip(names, answer, strict=False):
                assert same(name, shown, "group"), (groups, expected, found)
            for measure, shown in zip(measures, answer[len(groups) :], strict=True):
                of = measure.column
                wanted = len(members) if of is None else figure(measure.op, of, [row[of] for row in members], measure.q or 0.0)
                assert same(wanted, shown, measure.op), (measure, [row[of] for row in members if of], wanted, shown)


def _one(value: Any) -> Any:
    return 0.0 if isinstance(value, float) and value == 0 else value


def differ(examples: int, *, figures: bool) -> None:
    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(table=tables(), conditions=filters(), by=st.lists(st.tuples(st.sampled_from(list(VALUES)), st.booleans()), max_size=2), question=questions())
    def prove(table: Any, conditions: Any, by: Any, question: Any) -> None:
        if figures:
            check_answer(*table, *conditions, question)
        else:
            check_rows(*table, *conditions, by)

    prove()


@pytest.mark.parametrize("figures", [False, True], ids=["rows", "figures"])
def test_answers_are_those_of_plain_python(figures: bool) -> None:
    differ(SOME, figures=figures)


@pytest.mark.long
@pytest.mark.parametrize("figures", [False, True], ids=["rows", "figures"])
def test_answers_are_those_of_plain_python_many_times(figures: bool) -> None:
    differ(MANY, figures=figures)
