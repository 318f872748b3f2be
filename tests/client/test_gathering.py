"""An Arrow stream straight into a frame gives what the whole table would have given."""

from __future__ import annotations

import io
import struct

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapp_ext.client.frames import to_pandas
from dapp_ext.client.gathering import gathered
from dapp_ext.errors import FileUnreadable

_KINDS: dict[pa.DataType, st.SearchStrategy[object]] = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint8(): st.integers(0, 255),
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.float64(): st.floats(allow_nan=True),
    pa.float32(): st.floats(width=32),
    pa.string(): st.text(max_size=12),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(),
    pa.timestamp("us", "Europe/Berlin"): st.datetimes(),
    pa.decimal128(20, 2): st.decimals(-(10**9), 10**9, places=2),
    pa.time64("us"): st.times(),
    pa.list_(pa.int64()): st.lists(st.integers(0, 9), max_size=3),
    pa.null(): st.none(),
}


def streamed(table: pa.Table, rows_of_a_part: int) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for at in range(0, max(1, table.num_rows), rows_of_a_part):
            writer.write_table(table.slice(at, rows_of_a_part).combine_chunks())
    return sink.getvalue()


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(0, 40))
    kinds = draw(st.lists(st.sampled_from(sorted(_KINDS, key=str)), min_size=1, max_size=6))
    columns = []
    for kind in kinds:
        values = _KINDS[kind] if draw(st.booleans()) else st.none() | _KINDS[kind]
        columns.append(pa.array(draw(st.lists(values, min_size=rows, max_size=rows)), kind))
    return pa.table(columns, names=[f"c{at}" for at in range(len(kinds))])


@settings(max_examples=60, deadline=None)
@given(tables(), st.integers(1, 40))
def test_a_stream_of_parts_is_the_whole_table(table: pa.Table, rows_of_a_part: int) -> None:
    found = gathered(io.BytesIO(streamed(table, rows_of_a_part)), table.num_rows)
    pd.testing.assert_frame_equal(found, to_pandas(table))


def test_a_dictionary_comes_as_its_texts() -> None:
    table = pa.table({"a": pa.array(["x", "y", None, "x"]).dictionary_encode(), "n": [1, 2, 3, 4]})
    pd.testing.assert_frame_equal(gathered(io.BytesIO(streamed(table, 4)), 4), to_pandas(table))


def test_what_lies_between_columns_is_passed_over() -> None:
    table = pa.table({"a": pa.array(range(3), pa.int8()), "b": [1.5, None, 2.5], "c": pa.array([7, 8, None], pa.int16())})
    found = gathered(io.BytesIO(streamed(table, 2)), 3)
    assert found["a"].tolist() == [0, 1, 2]
    assert found["b"].tolist()[::2] == [1.5, 2.5]
    assert found["c"].tolist() == [7, 8, pd.NA]


@pytest.mark.parametrize("rows", [3, 5])
def test_another_number_of_rows_is_refused(rows: int) -> None:
    with pytest.raises(FileUnreadable, match="may differ in version"):
        gathered(io.BytesIO(streamed(pa.table({"a": [1, 2, 3, 4]}), 2)), rows)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello, this is a page and no table",
        struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF),
        struct.pack("<II", 0xFFFFFFFF, 16) + b"\xff" * 16,
        streamed(pa.table({"a": [1, 2]}), 2)[:-20],
    ],
)
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(FileUnreadable, match="may differ in version"):
        gathered(io.BytesIO(data), 2)
