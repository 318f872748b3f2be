"""Reads uploaded files into Arrow: CSV and other delimited text, Excel, ODS, Parquet, Arrow, JSON and JSON lines.

What a file is, is told by its bytes. Values are never changed in silence: a text that is not surely a number or a
date stays text, and everything that was decided on the way is said in the report, in plain sentences.
"""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO

from dapp_ext.domain.reading import sniffing
from dapp_ext.domain.reading.opening import Opened
from dapp_ext.domain.reading.packing import member_of, packing_of
from dapp_ext.domain.reading.table import Progress, Sink, TableRead
from dapp_ext.domain.reading.workbook import container_of
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import ReadOptions

__all__ = ["Progress", "Sink", "TableRead", "read_table"]

_TEXT = ("csv", "tsv", "txt", "tab", "dat", "psv", "arff", "json", "jsonl", "ndjson")
_ENDINGS = {
    "text": (*_TEXT, "gz", "bz2", "xz", "zst", "zip", "tsv", "log"),
    "parquet": ("parquet", "pq", "parq"),
    "arrow": ("arrow", "feather", "ipc", "arrows", "ftr"),
    "xlsx": ("xlsx", "xlsm", "xltx"),
    "ods": ("ods", "ots"),
}
_WIDE = 1_000
_NAMES = {"text": "text", "parquet": "Parquet", "arrow": "Arrow", "xlsx": "an Excel workbook", "ods": "an OpenDocument spreadsheet"}


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
    if opened.packing is not None:
        _expect_text(head, f"The {opened.packing} file")
    content = sniffing.content_of(head, _tail(source, opened.size))
    kind: str = content
    if content == "zip" and (kind := container_of(source)) == "archive":
        kind = _choose_member(opened, options)
    read = _read(kind, opened, options, sink)
    opened.finish()
    return _with_remarks(read, kind, filename)


def _choose_member(opened: Opened, options: ReadOptions) -> str:
    """Read one file of a zip archive from now on."""
    opened.choose(member_of(opened.source, options.sheet))
    _expect_text(opened.head(), "The zip archive")
    return "text"


def _expect_text(head: bytes, outer: str) -> None:
    # What is packed is asked first: the bytes of a small packed file may look like text or like anything else.
    if packing_of(head) is not None or sniffing.content_of(head, b"PAR1") != "text":
        raise FileUnreadable(f"{outer} holds a file that is packed already. Unpack it once and upload what is in it.")


def _tail(source: BinaryIO, size: int) -> bytes:
    source.seek(max(0, size - 8))
    return source.read(8)


def _read(kind: str, opened: Opened, options: ReadOptions, sink: Sink) -> TableRead:
    if kind == "parquet":
        from dapp_ext.domain.reading.parquet import read_parquet

        return read_parquet(opened, options, sink)
    if kind == "arrow":
        from dapp_ext.domain.reading.arrow import read_arrow

        return read_arrow(opened, options, sink)
    if kind in ("xlsx", "ods"):
        from dapp_ext.domain.reading.excel import read_excel

        return read_excel(opened, kind, options, sink)
    from dapp_ext.domain.reading.arff import looks_like_arff, read_arff

    if options.format in ("json", "jsonl") or (options.format != "csv" and _is_json(opened.head())):
        from dapp_ext.domain.reading.json import read_json

        return read_json(opened, options, sink)
    if options.format is None and looks_like_arff(opened.head(64 * 1024)):
        return read_arff(opened, options, sink)
    from dapp_ext.domain.reading.csv import read_csv

    return read_csv(opened, options, sink)


def _is_json(head: bytes) -> bool:
    from dapp_ext.domain.reading.json import looks_like_json

    return looks_like_json(head.decode(sniffing.encoding_of(head), "ignore").lstrip("\ufeff"))


def _with_remarks(read: TableRead, content: str, filename: str) -> TableRead:
    """Say so when the name of the file promises something else than its content, and when the table is very wide."""
    notes: list[str] = []
    ending = filename.rsplit(".", 1)[-1].lower() if "." in filename else ""
    others = {end for kind, ends in _ENDINGS.items() if kind != content for end in ends} | {"xls", "xlsb", "pdf", "png"}
    if ending in others and ending not in _ENDINGS[content]:
        notes.append(f'The ending of the file name is ".{ending}", but the file is {_NAMES[content]}; it was read as that.')
    if len(read.columns) > _WIDE:
        notes.append(f"The table is very wide ({len(read.columns):,} columns); some pages show the first ones only.")
    if not notes:
        return read
    return replace(read, report=read.report.model_copy(update={"notes": [*notes, *read.report.notes]}))
