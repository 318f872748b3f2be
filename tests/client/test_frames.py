"""Tables in as Parquet, out as typed frames."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dapp_ext.client.frames import PIECE, arrow_table, read_arrow, save, source_of, to_pandas
from dapp_ext.client.samples import sample_path
from dapp_ext.errors import FileUnreadable, Invalid, Unavailable


def sent(thing: object, name: str | None = None) -> pa.Table:
    source = source_of(thing, name)
    data = b"".join(source.pieces)
    assert source.size == len(data)
    return pq.read_table(io.BytesIO(data))


def test_file_goes_as_it_is() -> None:
    path = sample_path("penguins")
    source = source_of(path)
    assert source.filename == "penguins.csv"
    assert b"".join(source.pieces) == path.read_bytes()
    assert source.size == path.stat().st_size


def test_large_file_goes_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_bytes(b"x" * (2 * PIECE + 3))
    assert [len(piece) for piece in source_of(str(path)).pieces] == [PIECE, PIECE, 3]


def test_open_files_and_bytes() -> None:
    assert b"".join(source_of(b"a,b\n1,2\n").pieces) == b"a,b\n1,2\n"
    text = source_of(io.StringIO("a\nä\n"), "words.csv")
    assert (text.filename, text.size, b"".join(text.pieces)) == ("words.csv", None, "a\nä\n".encode())
    half_read = io.BytesIO(b"skip-rest")
    half_read.read(5)
    assert source_of(half_read).size == 4


@pytest.mark.parametrize("missing", ["nowhere.csv", "~/nowhere/at/all.csv", "", "bad\x00name"])
def test_missing_file_is_told(missing: str) -> None:
    with pytest.raises(FileUnreadable, match=r"Check the path|is a folder"):
        source_of(missing)


def test_pandas_polars_and_arrow_are_the_same_table() -> None:
    frame = pd.DataFrame({"n": [1, 2], "t": ["a", None], "d": pd.to_datetime(pd.Series(["2024-01-31", None]))})
    table = sent(frame, "x/y")
    assert source_of(frame, "x/y").filename == "x_y.parquet"
    assert table.column_names == ["n", "t", "d"]
    assert table["t"].to_pylist() == ["a", None]
    for other in (pl.from_pandas(frame), pl.from_pandas(frame).lazy(), table, table.to_batches()[0]):
        assert sent(other).to_pydict() == table.to_pydict()


def test_index_with_a_name_is_kept() -> None:
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="key"))
    assert sent(frame).column_names == ["key", "n"]
    assert arrow_table(frame, keep_index=False).column_names == ["n"]
    assert list(frame.columns) == ["n"]
    assert sent(frame.rename_axis(None)).column_names == ["index", "n"], "texts say more than a row number"
    assert sent(frame.reset_index(drop=True).iloc[1:]).column_names == ["n"]
    with pytest.raises(FileUnreadable, match="index and a column are both named 'n'"):
        source_of(frame.rename_axis("n"))


def test_frame_that_is_no_table_is_refused_in_words() -> None:
    with pytest.raises(FileUnreadable, match=r"Column 'mixed' holds values of several kinds \(int, object, str\)"):
        source_of(pd.DataFrame({"fine": [1, 2, 3], "mixed": [1, "a", object()]}))
    with pytest.raises(FileUnreadable, match="The table is empty"):
        source_of(pd.DataFrame({"a": []}))
    with pytest.raises(FileUnreadable, match="the text of a file, not its path"):
        source_of("a,b\n1,2\n")
    with pytest.raises(FileUnreadable, match="Two columns"):
        source_of(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(Invalid, match="type int is not a table"):
        source_of(3)
    with pytest.raises(Invalid, match=r"pandas\.DataFrame"):
        source_of({"a": [1]})


def test_what_arrow_has_no_type_for_becomes_what_a_person_would_write() -> None:
    some = UUID(int=7)
    frame = pd.DataFrame(
        {
            "month": pd.period_range("2024-01", periods=2, freq="M"),
            "bin": pd.cut(pd.Series([1, None]), [0, 5]),
            "range": pd.interval_range(0, 2),
            "sparse": pd.arrays.SparseArray([0, 1]),
            "long": np.array([1.5, 2], dtype="longdouble"),
            "id": [some, None],
        }
    )
    assert sent(frame).to_pydict() == {
        "month": [datetime(2024, 1, 1), datetime(2024, 2, 1)],
        "bin": ["(0, 5]", None],
        "range": ["(0, 1]", "(1, 2]"],
        "sparse": [0, 1],
        "long": [1.5, 2.0],
        "id": [str(some), None],
    }
    huge = sent(pd.DataFrame({"n": [2**70, None, 1]}, dtype=object))
    assert [None if each is None else int(each) for each in huge["n"].to_pylist()] == [2**70, None, 1]


def test_names_of_several_levels_are_joined() -> None:
    frame = pd.DataFrame({"g": ["x", "y", "x"], "v": [1, 2, 3]}).groupby("g").agg({"v": ["mean", "max"]})
    assert sent(frame).column_names == ["g", "v_mean", "v_max"]
    assert sent(pd.DataFrame([[1, 2]], columns=[None, pd.Timestamp(2024, 1, 1)])).column_names == ["", "2024-01-01 00:00:00"]
    levels = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])
    assert sent(pd.DataFrame({"v": [1, 2]}, index=levels)).column_names == ["level_0", "level_1", "v"]
    assert sent(pd.Series([1, 2], name="v")).to_pydict() == {"v": [1, 2]}
    assert sent(pl.Series([1, 2])).to_pydict() == {"value": [1, 2]}


def test_arrow_becomes_what_pandas_reads() -> None:
    table = pa.table(
        {
            "whole": pa.array([1, 2], pa.int64()),
            "gaps": pa.array([1, None], pa.int64()),
            "broken": pa.array([0.5, None]),
            "yes": pa.array([True, False]),
            "perhaps": pa.array([True, None]),
            "kind": pa.array(["a", None]).dictionary_encode(),
            "text": pa.array(["x", None]),
            "day": pa.array([date(2024, 1, 31), None]),
            "moment": pa.array([datetime(2024, 1, 31, 12), None], pa.timestamp("us")),
            "clock": pa.array([time(12, 30), None]),
        }
    )
    frame = to_pandas(table)
    kinds = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert (kinds["whole"], kinds["gaps"], kinds["broken"]) == ("int64", "Int64", "float64")
    assert (kinds["yes"], kinds["perhaps"]) == ("bool", "boolean")
    assert kinds["kind"] == kinds["text"] == str(pd.Series(["a", None]).dtype)
    assert kinds["day"].startswith("datetime64")
    assert kinds["moment"].startswith("datetime64")
    assert frame["clock"].iloc[0] == time(12, 30)
    assert frame["gaps"].isna().tolist() == [False, True]


def test_empty_tables_keep_their_columns() -> None:
    frame = to_pandas(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())}))
    assert list(frame.columns) == ["a", "b"]
    assert len(frame) == 0


@pytest.mark.parametrize("name", ["adult_income", "penguins"])
def test_values_equal_what_pandas_reads(name: str) -> None:
    original = pd.read_csv(sample_path(name), skipinitialspace=True)
    back = to_pandas(sent(original))
    pd.testing.assert_frame_equal(back, original)


def test_stream_is_read_while_it_arrives() -> None:
    table = pa.table({"n": np.arange(10)})
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
    buffer.seek(0)
    assert read_arrow(buffer).equals(table)
    with pytest.raises(FileUnreadable, match="not an Arrow stream"):
        read_arrow(io.BytesIO(b"no such thing"))


def test_a_download_that_breaks_leaves_no_file(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise Unavailable("The connection was lost. Try again.")
            return super().read(10)

    with pytest.raises(Unavailable):
        save(Broken(bytes(100)), tmp_path / "rows.csv")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Invalid, match="cannot be written"):
        save(io.BytesIO(b"x"), tmp_path / "no" / "rows.csv")


def test_what_parquet_has_no_type_for_is_changed_or_refused_by_name() -> None:
    runs = pa.table({"run": pa.RunEndEncodedArray.from_arrays([2, 3], ["a", "b"])})
    assert sent(runs)["run"].to_pylist() == ["a", "a", "b"]
    wide = pl.DataFrame({"n": pl.Series([2**100, None, -1], dtype=pl.Int128)})
    assert [None if each is None else int(each) for each in sent(wide)["n"].to_pylist()] == [2**100, None, -1]
    refused: list[tuple[object, str]] = [
        (pl.DataFrame({"thing": pl.Series([object()], dtype=pl.Object)}), "Column 'thing' holds Python objects"),
        (pl.DataFrame({"n": pl.Series([2**127 - 1], dtype=pl.Int128)}), "Column 'n' holds numbers of more than 38 digits"),
        (pa.table({"span": pa.array([pa.MonthDayNano([1, 2, 3])])}), "Column 'span' holds spans"),
        (pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), "Two columns are named 'a'"),
        (pd.DataFrame({" a ": [1], "a": [2]}), "columns ' a ' and 'a' differ by spaces only"),
        (pd.DataFrame({"z": [1 + 2j]}), r"Column 'z' holds values of the kind complex, which no table has\. Make texts of them"),
    ]
    for table, why in refused:
        with pytest.raises(FileUnreadable, match=why):
            source_of(table)
