"""What goes in comes out equal: generated tables of every kind through every format.

Texts that look like another kind are part of the game in typed formats; in CSV, where a text cannot say that it is one, columns of
text hold at least one value that is surely text.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from dapp_ext.domain.exporting import Format, export
from dapp_ext.domain.reading.kinds import kind_of
from dapp_ext.domain.reading.missing import MARKS
from dapp_ext.schema.datasets import Column
from tests.domain.documents import document
from tests.domain.tables import read

SOME, MANY = 12, 400
Table = dict[str, list[Any]]

_LETTERS = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs", "Co", "Cn"], exclude_characters="\ufeff\u200b")
WORDS = st.text(_LETTERS, min_size=1, max_size=12).map(lambda text: "w" + text).filter(lambda text: text not in MARKS)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(2**63), 2**63 - 1),
    "small": st.integers(-9, 9),
    "huge": st.integers(-(10**75), 10**75).map(lambda value: value if abs(value) > 10**20 else value + 10**30),
    "decimal": st.floats(allow_nan=False, allow_infinity=False, width=64).map(lambda value: value + 0.0),
    "exact": st.decimals(-(10**14), 10**14, places=22, allow_nan=False),
    "finer": st.decimals(-(10**30), 10**30, places=40, allow_nan=False),
    "boolean": st.booleans(),
    "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "datetime": st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1)).map(lambda value: value.replace(microsecond=value.microsecond // 1000 * 1000)),
    "zoned": st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1)).map(lambda value: value.replace(microsecond=0, tzinfo=UTC)),
    "time": st.times().map(lambda value: value.replace(microsecond=0)),
    "duration": st.timedeltas(timedelta(), timedelta(days=3)).map(lambda value: timedelta(seconds=int(value.total_seconds()))),
    "span": st.timedeltas(timedelta(days=1), timedelta(days=400)).map(lambda value: timedelta(seconds=int(value.total_seconds()))),
    "calendar": st.dates(date(1900, 3, 1), date(9999, 12, 31)),  # as far as the calendar of workbooks goes
    "moment": st.datetimes(datetime(1900, 3, 1), datetime(2250, 1, 1)).map(lambda value: value.replace(second=max(value.second, 1), microsecond=0)),
    "text": WORDS,
    "category": st.sampled_from(["red", "green", "blau", "größer als 3"]),
    "emoji": st.sampled_from(["😀", "👨‍👩‍👧", "שלום", "مرحبا", "e\u0301", "é", "<b>x</b>", "=1+1", "a,b;c|d\te", 'say "hi"', "two\nlines", "O'Neil"]),
}


@st.composite
def tables(draw: st.DrawFn, kinds: tuple[str, ...], *, gaps: bool = True) -> Table:
    """A few columns of these kinds, with names of every sort, and some values missing."""
    rows = draw(st.integers(2, 12))
    found: Table = {"key": [f"row {number}" for number in range(rows)]}
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4)):
        name = draw(st.sampled_from(["x", "y y", "größe", "😀", "n" * 300, "<script>", "a.b", "1st", "שם"])) + f" {kind}"
        values = draw(st.lists(KINDS[kind], min_size=rows, max_size=rows))
        if gaps:
            holes = draw(st.sets(st.integers(0, rows - 1), max_size=rows - 1))
            values = [None if place in holes else value for place, value in enumerate(values)]
        found[name] = values
    return found


def as_plain(value: Any) -> str:
    """A value as it is usually written in a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else f"{value:f}" if isinstance(value, Decimal) else str(value)


def delimited(table: Table, delimiter: str, encoding: str = "utf-8") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n" if delimiter == ";" else "\n")
    writer.writerow(table)
    writer.writerows([as_plain(value) for value in row] for row in zip(*table.values(), strict=True))
    return out.getvalue().encode(encoding)


def arrow_table(table: Table) -> pa.Table:
    columns = {}
    for name, values in table.items():
        huge = name.endswith("huge")
        array = pa.array([None if value is None else str(value) for value in values]).cast(pa.decimal256(76, 0)) if huge else None
        if name.endswith(("exact", "finer")):
            array = pa.array(values, pa.decimal128(38, 22) if name.endswith("exact") else pa.decimal256(76, 40))
        columns[name] = array if array is not None else pa.array(values).dictionary_encode() if name.endswith("category") else pa.array(values)
    return pa.table(columns)


def parquet(table: Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(arrow_table(table), out)
    return out.getvalue()


def arrow(table: Table, *, file: bool) -> bytes:
    out = io.BytesIO()
    made = arrow_table(table)
    with (pa.ipc.new_file if file else pa.ipc.new_stream)(out, made.schema) as writer:
        writer.write_table(made)
    return out.getvalue()


def records(table: Table) -> list[dict[str, Any]]:
    def shown(value: Any) -> Any:
        if isinstance(value, timedelta):
            seconds = int(value.total_seconds())
            return f"P{seconds // 86400}DT{seconds // 3600 % 24}H{seconds // 60 % 60}M{seconds % 60}S"
        return value if value is None or isinstance(value, bool | int | float | str) else as_plain(value)

    return [{name: shown(values[row]) for name, values in table.items()} for row in range(len(table["key"]))]


def workbook(table: Table) -> bytes:
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(table))
    for row in zip(*table.values(), strict=True):
        sheet.append(list(row))
        for cell in sheet[sheet.max_row]:
            if cell.data_type == "f":
                cell.data_type = "s"  # a text that begins like a formula is a text
    book.save(out)
    return out.getvalue()


def same(expected: Any, found: Any) -> bool:
    if isinstance(expected, Decimal) and isinstance(found, int | float):  # where no value of the column has more digits than a double
        return found == float(expected) and len(expected.normalize().as_tuple().digits) <= 17
    if isinstance(expected, float) and not isinstance(found, float):
        return found is not None and float(found) == expected
    if isinstance(expected, float):
        return math.isclose(expected, found, rel_tol=0, abs_tol=0) or expected == found
    return bool(expected == found)


def check(data: bytes, filename: str, table: Table, expect: Callable[[Any], Any] = lambda value: value) -> None:
    """The table as it went in, by names and values; a column without any value may have no kind to compare."""
    found = read(data, filename)
    assert found.table.column_names == list(table), found.notes
    for name, values in table.items():
        wanted = [None if value is None else expect(value) for value in values]
        got = found.values(name)
        assert len(got) == len(wanted)
        for before, after in zip(wanted, got, strict=True):
            assert same(before, after), (name, before, after, found.kinds[name])


TEXT = ("integer", "small", "huge", "exact", "finer", "decimal", "boolean", "date", "datetime", "zoned", "time", "span", "text", "category", "emoji")
TYPED = ("integer", "small", "huge", "exact", "finer", "decimal", "boolean", "date", "datetime", "zoned", "time", "duration", "text", "category", "emoji")
IN_JSON = ("integer", "small", "huge", "decimal", "boolean", "date", "datetime", "zoned", "time", "duration", "text", "category", "emoji")
IN_DOCUMENTS = ("small", "decimal", "boolean", "calendar", "moment", "time", "span", "text")
IN_CELLS = ("small", "boolean", "calendar", "moment", "time", "span", "text", "emoji")
FORMATS: dict[str, tuple[tuple[str, ...], Callable[[Table], None]]] = {
    "CSV": (TEXT, lambda table: check(delimited(table, ","), "t.csv", table)),
    "TSV": (TEXT, lambda table: check(delimited(table, "\t"), "t.tsv", table)),
    "semicolons, UTF-16": (TEXT, lambda table: check(delimited(table, ";", "utf-16"), "t.csv", table)),
    "Parquet": (TYPED, lambda table: check(parquet(table), "t.parquet", table)),
    "Arrow file": (TYPED, lambda table: check(arrow(table, file=True), "t.feather", table)),
    "Arrow stream": (TYPED, lambda table: check(arrow(table, file=False), "t.arrows", table)),
    "JSON": (IN_JSON, lambda table: check(json.dumps(records(table)).encode(), "t.json", table)),
    "JSON lines": (IN_JSON, lambda table: check("\n".join(json.dumps(row, ensure_ascii=False) for row in records(table)).encode(), "t.jsonl", table)),
    "ODS": (IN_DOCUMENTS, lambda table: check(document({"S": [list(table), *zip(*table.values(), strict=True)]}), "t.ods", table)),
    "XLSX": (IN_CELLS, lambda table: check(workbook(table), "t.xlsx", table)),
}


def exported(table: Table, format_: Format) -> bytes:
    """What is downloaded of a dataset with these values."""
    plain = pa.table({name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for name, column in _named(arrow_table(table))})
    _, pieces = export([plain], [Column(name=field.name, kind=kind_of(field.type)) for field in plain.schema], format_)
    return b"".join(pieces)


def _named(table: pa.Table) -> list[tuple[str, pa.ChunkedArray]]:
    return list(zip(table.column_names, table.columns, strict=True))


IN_EXPORTS = ("integer", "small", "huge", "exact", "finer", "decimal", "boolean", "date", "datetime", "zoned", "time", "text", "category")
"""Spans of time leave as seconds, and texts that begin like a formula with an apostrophe before them: both on purpose."""
EXPORTS: dict[str, tuple[tuple[str, ...], Callable[[Table], None]]] = {
    "arrow download": (TYPED, lambda table: check(exported(table, "arrow"), "t.arrows", table)),
    "Parquet download": (TYPED, lambda table: check(exported(table, "parquet"), "t.parquet", table)),
    "CSV download": (IN_EXPORTS, lambda table: check(exported(table, "csv"), "t.csv", table)),
    "XLSX download": (IN_CELLS[:-2], lambda table: check(exported(table, "xlsx"), "t.xlsx", table)),
}
FORMATS |= EXPORTS


def roundtrip(format_: str, examples: int) -> None:
    kinds, there_and_back = FORMATS[format_]

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(table=tables(kinds))
    def prove(table: Table) -> None:
        there_and_back(table)

    prove()


@pytest.mark.parametrize("format_", FORMATS)
def test_what_goes_in_comes_out(format_: str) -> None:
    roundtrip(format_, SOME)


@pytest.mark.long
@pytest.mark.parametrize("format_", FORMATS)
def test_what_goes_in_comes_out_many_times(format_: str) -> None:
    roundtrip(format_, MANY)
