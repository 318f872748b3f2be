"""Arrow files and streams, which are also called Feather: every type, and lengths and offsets that lie."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pytest

from dapp_ext.errors import FileUnreadable
from tests.domain.tables import read


def stream(table: pa.Table, *, file: bool, compression: str | None = None) -> bytes:
    out = io.BytesIO()
    make = pa.ipc.new_file if file else pa.ipc.new_stream
    with make(out, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=7)
    return out.getvalue()


@pytest.mark.parametrize("file", [True, False])
@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_files_and_streams(file: bool, compression: str | None) -> None:
    table = pa.table({"id": range(30), "word": ["😀", "NA", None] * 10, "at": [datetime(1969, 7, 20, 20, 17), None, None] * 10})
    found = read(stream(table, file=file, compression=compression), "t.arrow")
    assert found.table.to_pydict() == table.to_pydict()
    assert found.read.report.format == "arrow"


def test_feather_version_2() -> None:
    out = io.BytesIO()
    feather.write_feather(pa.table({"a": [1, 2]}), out, version=2)
    assert read(out.getvalue(), "t.feather").table.to_pydict() == {"a": [1, 2]}
    with pytest.raises(FileUnreadable, match="Feather file of version 1"):
        read(b"FEA1" + bytes(100), "t.feather")


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array(["a", "b"], pa.string_view()), ["a", "b"]),
        (pa.array([b"x", b"\xff"], pa.binary_view()), ["x", "0xff"]),
        (pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array([5.5])), [5.5, 5.5]),
        (pa.array([1.5, np.nan], pa.float16()), [1.5, None]),
        (pa.array([Decimal("1.5"), None], pa.decimal64(6, 2)), [1.5, None]),
        (pa.array([{"k": 1}, {"k": 2}], pa.map_(pa.string(), pa.int64())), ['[["k", 1]]', '[["k", 2]]']),
        (pa.array([[1], [2, 3]], pa.large_list(pa.int8())), ["[1]", "[2, 3]"]),
        (pa.array([timedelta(days=-1), None], pa.duration("s")), [timedelta(days=-1), None]),
        (pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0], pa.int8())), [1, 0]),
    ],
    ids=["string view", "binary view", "run ends", "half float", "small decimal", "map", "large list", "duration", "extension"],
)
def test_rarer_types(array: pa.Array, expected: list[Any]) -> None:
    assert read(stream(pa.table({"x": array}), file=True), "t.arrow").values("x") == expected


def test_what_is_cut_or_empty_is_refused() -> None:
    whole = stream(pa.table({"a": range(1000)}), file=True)
    for cut in (8, 100, len(whole) // 2, len(whole) - 3):
        with pytest.raises(FileUnreadable, match=r"damaged|incomplete"):
            read(whole[:cut], "t.arrow")
    with pytest.raises(FileUnreadable, match="no rows"):
        read(stream(pa.table({"a": pa.array([], pa.int64())}), file=False), "t.arrow")


def test_every_flipped_byte_gives_a_table_or_a_message() -> None:
    whole = stream(pa.table({"id": range(5), "word": ["aa", "b", None, "", "ccc"]}), file=False)
    outcomes = set()
    for place in range(8, len(whole)):
        data = bytearray(whole)
        data[place] ^= 0xFF
        try:
            read(bytes(data), "t.arrow")
            outcomes.add("table")
        except FileUnreadable:
            outcomes.add("message")
    assert outcomes == {"table", "message"}
