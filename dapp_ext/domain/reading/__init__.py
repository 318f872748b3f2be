"""Reads uploaded files into Arrow: CSV and other delimited text, Excel, Parquet, JSON and JSON lines.

What a file is, is told by its bytes. Values are never changed in silence: a text that is not surely a number or a
date stays text, and everything that was decided on the way is said in the report, in plain sentences.
"""

from __future__ import annotations

from typing import BinaryIO

from dapp_ext.domain.reading import sniffing
from dapp_ext.domain.reading.opening import Opened
from dapp_ext.domain.reading.table import Progress, Sink, TableRead
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import ReadOptions

__all__ = ["Progress", "Sink", "TableRead", "read_table"]

_ENDINGS = {
    "text": ("csv", "tsv", "txt", "tab", "dat", "psv", "json", "jsonl", "ndjson", "gz"),
    "parquet": ("parquet", "pq", "parq"),
    "zip": ("xlsx",),
}
_WIDE = 1_000
_NAMES = {"text": "text", "parquet": "Parquet", "zip": "an Excel workbook"}


def read_table(source: BinaryIO, filename: str, options: ReadOptions, sink: Sink, progress: Progress | None = None) -> TableRead:
    """Read a file and write its rows to a sink.

    Parameters
    ----------
    source : BinaryIO
        Seekable file object; read in pieces of a few MiB, from the beginning, once or twice.
    filename : str
        The name it was uploaded under; used for remarks only.
    options : ReadOptions
        What is not to be guessed.
    sink : Sink
        Takes the schema and the batches. ``start`` comes again when the types had to be widened.
    progress : callable, optional
        Told the share of the work that is done, from 0 to 1.

    Returns
    -------
    TableRead
        Columns with their kinds, number of rows, and the report.

    Raises
    ------
    FileUnreadable
        The bytes are no table that can be read; one sentence says why and what to do.
    TooLarge
        More rows or columns than a dataset may have.
    """
    opened = Opened(source, progress)
    head = opened.head()
    content = sniffing.content_of(head, _tail(source, opened.size))
    if opened.gzipped and content != "text":
        raise FileUnreadable("The gzip file holds a file that is packed already. Unpack it once and upload what is in it.")
    read = _read(content, opened, options, sink)
    opened.finish()
    return _with_remarks(read, content, filename)


def _tail(source: BinaryIO, size: int) -> bytes:
    source.seek(max(0, size - 8))
    return source.read(8)


def _read(content: sniffing.Content, opened: Opened, options: ReadOptions, sink: Sink) -> TableRead:
    if content == "parquet":
        from dapp_ext.domain.reading.parquet import read_parquet

        return read_parquet(opened, sink)
    if content == "zip":
        from dapp_ext.domain.reading.excel import read_excel

        return read_excel(opened, options, sink)
    if options.format in ("json", "jsonl") or (options.format is None and _is_json(opened.head())):
        from dapp_ext.domain.reading.json import read_json

        return read_json(opened, options, sink)
    from dapp_ext.domain.reading.csv import read_csv

    return read_csv(opened, options, sink)


def _is_json(head: bytes) -> bool:
    from dapp_ext.domain.reading.json import looks_like_json

    return looks_like_json(head.decode(sniffing.encoding_of(head), "ignore").lstrip("\ufeff"))


def _with_remarks(read: TableRead, content: sniffing.Content, filename: str) -> TableRead:
    """Say so when the name of the file promises something else than its content, and when the table is very wide."""
    notes: list[str] = []
    ending = filename.rsplit(".", 1)[-1].lower() if "." in filename else ""
    others = {end for kind, ends in _ENDINGS.items() if kind != content for end in ends} | {"xls", "xlsm", "pdf", "png"}
    if ending in others:
        notes.append(f'The ending of the file name is ".{ending}", but the file is {_NAMES[content]}; it was read as that.')
    if len(read.columns) > _WIDE:
        notes.append(f"The table is very wide ({len(read.columns):,} columns); some pages show the first ones only.")
    if not notes:
        return read
    return TableRead(read.columns, read.rows, read.report.model_copy(update={"notes": [*notes, *read.report.notes]}))
