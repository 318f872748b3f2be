"""Tables on their way: pandas, polars and Arrow in as Parquet, Arrow out as a typed pandas frame.

Nothing is written to disk on the way. Pandas and pyarrow are imported when a table moves, not before.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dapp_ext.client.arrow_frames import from_polars, storable
from dapp_ext.client.pandas_frames import from_pandas
from dapp_ext.errors import FileUnreadable, Invalid

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

PIECE = 1 << 20


@dataclass(frozen=True)
class Source:
    """Bytes to upload: a file name, the size where it is known, and the pieces, which can be read once."""

    filename: str
    size: int | None
    pieces: Iterator[bytes]


def source_of(thing: Any, name: str | None = None) -> Source:
    """What to upload for a path, a file object, bytes, or a table.

    Parameters
    ----------
    thing : path, file object, bytes, Source, pandas, polars or Arrow table
        Files go as they are; tables go as Parquet, with every column's type.
    name : str, optional
        Used as file name where there is none.

    Raises
    ------
    FileUnreadable
        If there is no such file, or a table cannot be written as Parquet.
    Invalid
        If it is none of these.
    """
    if isinstance(thing, Source):
        return thing
    if isinstance(thing, (str, os.PathLike)):
        return _from_path(Path(thing).expanduser())
    if isinstance(thing, (bytes, bytearray, memoryview)):
        return _from_file(io.BytesIO(thing), name or "upload")
    if callable(getattr(thing, "read", None)):
        own = getattr(thing, "name", None)
        return _from_file(thing, Path(own).name if isinstance(own, str) and own else name or "upload")
    table = arrow_table(thing)
    if not table.num_rows or not table.num_columns:
        raise FileUnreadable("The table is empty. Give one with at least one row and one column.")
    data = _parquet(storable(table))
    return Source(f"{_stem(name)}.parquet", len(data), _pieces(io.BytesIO(data)))


def arrow_table(thing: Any, *, keep_index: bool = True) -> pa.Table:
    """Any table as an Arrow table.

    The index of a pandas frame is kept as columns where it says more than a row number, unless ``keep_index`` is off; see
    :func:`~dapp_ext.client.pandas_frames.from_pandas`. A Series is a table of one column.
    """
    import pyarrow as pa

    try:
        if isinstance(thing, pa.Table):
            return thing
        if isinstance(thing, pa.RecordBatch):
            return pa.Table.from_batches([thing])
        pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")  # whoever holds a frame of theirs has imported them
        if pandas and isinstance(thing, pandas.Series):
            thing = thing.to_frame("value" if thing.name is None else thing.name)
        if pandas and isinstance(thing, pandas.DataFrame):
            return from_pandas(thing, keep_index=keep_index)
        if polars and isinstance(thing, polars.LazyFrame):
            thing = thing.collect()
        if polars and isinstance(thing, polars.Series):
            thing = thing.to_frame(thing.name or "value")
        if polars and isinstance(thing, polars.DataFrame):
            return from_polars(thing)
        if hasattr(thing, "__arrow_c_stream__"):
            return pa.RecordBatchReader.from_stream(thing).read_all()
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise FileUnreadable(f"The table cannot be written as Parquet: {error}. Give each column values of one kind.") from error
    hint = " Make one of it with: pandas.DataFrame(…)" if isinstance(thing, (dict, list)) or hasattr(thing, "__array__") else ""
    raise Invalid(f"A value of the type {type(thing).__name__} is not a table. Give a path, an open file, or a pandas, polars or Arrow table.{hint}")


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as pandas shows the same data read from a file.

    Whole numbers are ``int64``, or nullable ``Int64`` where some are missing; true and false are ``bool`` or ``boolean``
    in the same way. Texts and categories are texts, so that they compare and join as texts do. Dates and times are
    ``datetime64``, durations ``timedelta64``, times of day ``datetime.time``.
    """
    import pandas as pd
    import pyarrow as pa

    whole = {
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.uint8(): pd.UInt8Dtype(),
        pa.uint16(): pd.UInt16Dtype(),
        pa.uint32(): pd.UInt32Dtype(),
        pa.uint64(): pd.UInt64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        dtype = whole.get(column.type) if column.null_count else None
        mapper = None if dtype is None else (lambda _kind, dtype=dtype: dtype)
        columns[name] = column.to_pandas(date_as_object=False, types_mapper=mapper)
    frame = pd.DataFrame(columns, copy=False)
    return frame if columns else pd.DataFrame(index=pd.RangeIndex(table.num_rows))


def to_polars(table: pa.Table) -> pl.DataFrame:
    """An Arrow table as a polars frame."""
    try:
        import polars as pl
    except ImportError as error:
        raise Invalid("polars is not installed here. Install it with: pip install polars") from error
    for place, field in enumerate(table.schema):
        if str(field.type).startswith("decimal256"):  # more digits than polars has, so all of them as a text
            texts = [None if value is None else f"{value:f}" for value in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, [texts])
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def save(stream: BinaryIO, target: Path) -> Path:
    """Write a download to a file; a part of one is not left behind.

    Raises
    ------
    Invalid
        If the file cannot be written.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            while piece := stream.read(PIECE):
                file.write(piece)
        part.replace(target)
    except OSError as error:
        raise Invalid(f"The file {str(target)!r} cannot be written: {error.strerror}. Check the path.") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def read_arrow(stream: BinaryIO) -> pa.Table:
    """A table out of an Arrow IPC stream."""
    import pyarrow as pa

    try:
        with pa.ipc.open_stream(stream) as reader:
            return reader.read_all()
    except pa.ArrowInvalid as error:
        raise FileUnreadable("The server's answer is not an Arrow stream. Client and server may differ in version.") from error


def _from_path(path: Path) -> Source:
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except (OSError, ValueError) as error:
        if "\n" in str(path):
            raise FileUnreadable("This is the text of a file, not its path. Give its bytes: text.encode()") from error
        reason = "is a folder" if path.is_dir() else getattr(error, "strerror", None) or str(error)
        raise FileUnreadable(f"The file {str(path)!r} cannot be opened: {reason}. Check the path.") from error
    if path.is_dir():
        file.close()
        raise FileUnreadable(f"{str(path)!r} is a folder. Give a file.")
    return Source(path.name[-255:], size, _pieces(file))


def _from_file(file: Any, filename: str) -> Source:
    size = None
    if isinstance(file, io.BytesIO):
        size = len(file.getbuffer()) - file.tell()
    return Source(filename[-255:], size, _pieces(file, close=False))


def _pieces(file: Any, *, close: bool = True) -> Iterator[bytes]:
    try:
        while piece := file.read(PIECE):
            yield piece.encode() if isinstance(piece, str) else bytes(piece)
    finally:
        if close:
            file.close()


def _parquet(table: pa.Table) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    try:
        pq.write_table(table, buffer, compression="zstd")
    except pa.ArrowException as error:
        raise FileUnreadable(f"The table cannot be written as Parquet: {error}.") from error
    return buffer.getvalue()


def _stem(name: str | None) -> str:
    """A name without what a file name may not hold."""
    return "".join("_" if sign in '/\\:*?"<>|' or sign < " " else sign for sign in name or "table")[:200].strip() or "table"
