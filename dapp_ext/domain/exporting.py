"""Tables as files to download, as streams of bytes in bounded memory; nothing touches a disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Literal

import polars as pl
import pyarrow as pa

from dapp_ext.domain.cells import decimal_texts, iso_texts, seconds
from dapp_ext.domain.queries import Selection
from dapp_ext.domain.sources import as_frame
from dapp_ext.domain.spout import Spout
from dapp_ext.errors import Invalid
from dapp_ext.schema.datasets import Column

Format = Literal["arrow", "parquet", "csv", "xlsx"]

MEDIA_TYPES: dict[Format, str] = {
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# What makes a spreadsheet program take a text for a formula when it opens a CSV file (OWASP, "CSV Injection").
_FORMULA = r"^([=+\-@\t\r\n＝＋－＠])"


def export(tables: Selection | Iterable[pa.Table], columns: Sequence[Column], format: Format) -> tuple[str, Iterator[bytes | memoryview]]:
    """A table as a file.

    Parameters
    ----------
    tables : Selection or iterable of pyarrow.Table
        The rows in parts, at least one, with the columns of ``columns`` in their order.
    columns : sequence of Column
        At least one; a :class:`~dapp_ext.domain.queries.Selection` brings its own.
    format : {"arrow", "parquet", "csv", "xlsx"}
        Arrow is the IPC stream format.

    Returns
    -------
    tuple
        The media type and the bytes, in pieces of at most 1 MiB.

    Raises
    ------
    TooLarge
        If it does not fit into the format; at once when ``tables`` is a :class:`~dapp_ext.domain.queries.Selection`.
    Invalid
        If there is no such format or no column.
    """
    if format not in MEDIA_TYPES:
        raise Invalid(f"There is no export as {format!r}. Choose one of: {', '.join(MEDIA_TYPES)}.")
    if not columns:
        raise Invalid("Choose at least one column.")
    names = [column.name for column in (tables.columns if isinstance(tables, Selection) else columns)]
    if format == "xlsx":
        from dapp_ext.domain.workbooks import require_fit, workbook

        if isinstance(tables, Selection):
            require_fit(tables.count(), len(names))
        return MEDIA_TYPES[format], workbook(tables, names)
    if format == "csv":
        return MEDIA_TYPES[format], _csv(tables, names)
    return MEDIA_TYPES[format], _arrow(tables) if format == "arrow" else _parquet(tables)


def _arrow(tables: Iterable[pa.Table]) -> Iterator[bytes | memoryview]:
    spout = Spout(borrows=True)  # Arrow hands over the columns themselves, which nobody changes
    writer: pa.RecordBatchStreamWriter | None = None
    for table in tables:
        if writer is None:
            writer = pa.ipc.new_stream(spout, table.schema)
        writer.write_table(table.combine_chunks() if table.num_rows else table)
        yield from spout.take()
    if writer is not None:
        writer.close()
    yield from spout.take()


def _parquet(tables: Iterable[pa.Table]) -> Iterator[bytes | memoryview]:
    import pyarrow.parquet as pq

    spout = Spout()
    writer: pq.ParquetWriter | None = None
    for table in tables:
        if writer is None:
            writer = pq.ParquetWriter(spout, table.schema)
        if table.num_rows:
            writer.write_table(table, row_group_size=table.num_rows)
        yield from spout.take()
    if writer is not None:
        writer.close()
    yield from spout.take()


def _csv(tables: Iterable[pa.Table], names: Sequence[str]) -> Iterator[bytes | memoryview]:
    """Comma, UTF-8, LF. Texts that a spreadsheet would take for a formula get an apostrophe in front; numbers are left alone.

    Missing is nothing, an empty text is ``""``; dates and times are ISO 8601, spans of time seconds.
    """
    spout = Spout()
    titles = pl.DataFrame({f"c{i}": [name] for i, name in enumerate(names)}, schema={f"c{i}": pl.String for i in range(len(names))})
    spout.write(_csv_lines(titles.select(_defused(pl.all()))))
    for table in tables:
        spout.write(_csv_lines(_csv_cells(as_frame(table, shown=True), {f"c{i}" for i, field in enumerate(table.schema) if pa.types.is_decimal(field.type)})))
        yield from spout.take()
    yield from spout.take()


def _csv_lines(frame: pl.DataFrame) -> bytes:
    return frame.write_csv(include_header=False).encode()


def _csv_cells(frame: pl.DataFrame, numbers: Set[str]) -> pl.DataFrame:
    columns = []
    for series in frame:
        kind = series.dtype
        if kind == pl.Duration:
            series = seconds(series)
        elif kind.is_temporal():
            series = iso_texts(series)
        elif kind.is_decimal() or series.name in numbers:
            series = decimal_texts(series)
        elif not (kind.is_numeric() or kind == pl.Boolean):
            series = series.cast(pl.String).to_frame().select(_defused(pl.all())).to_series()
        columns.append(series)
    return pl.DataFrame(columns)


def _defused(texts: pl.Expr) -> pl.Expr:
    return texts.str.replace(_FORMULA, "'$1")
