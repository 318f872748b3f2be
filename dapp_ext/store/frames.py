"""Sealed tables: Parquet with its own modular encryption, read a column and a row group at a time.

The format is Parquet's (https://parquet.apache.org/docs/file-format/data-pages/encryption/): AES-256-GCM over every
page, header and the footer, one random key for each file, and an AAD prefix that is not stored in the file. The prefix
is the context of the object's :class:`~dapp_ext.store.sealing.Label`, so a table of another object or generation is
refused although its key may be known.

Decrypted columns are shared between threads by ``store.frame_cache``.
"""

from __future__ import annotations

import base64
import contextlib
import io
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.parquet.encryption import create_decryption_properties, create_encryption_properties

from dapp_ext.errors import ColumnUnknown, DappError, IntegrityFailed, Internal, Unavailable
from dapp_ext.store.objects import StagingFile, StoredObject, object_name
from dapp_ext.store.sealing import Label

FRAME_PURPOSE = "frame"

# A row group is what a page of rows has to decrypt: small enough for a quick first page, large enough for quick scans.
_GROUP_ROWS = 128 * 1024
_GROUP_CELLS = 4_000_000
_SMALLEST_GROUP_ROWS = 2048
_BATCH_ROWS = 32 * 1024
_BUFFER_BYTES = 1024 * 1024
_IDLE_FILES = 2
# So many values tell whether a dictionary is worth its time: it is where each is there eight times.
_LOOKED_AT, _LOOKED_AT_SHARE = _GROUP_ROWS, 0.125


class FrameWriter:
    """Writes one sealed table, batch by batch, in memory bounded by a row group.

    Use it as a context manager: leaving it without :meth:`finish` removes the file.

    Parameters
    ----------
    path : Path or str
        New file; it must not exist.
    key : bytes
        32 random bytes for this object alone.
    label : Label
        What the file is; its purpose is usually ``frame``.
    """

    def __init__(self, path: Path | str, key: bytes, label: Label) -> None:
        self._name = object_name(label)
        self._properties = create_encryption_properties(key, aad_prefix=label.context(), store_aad_prefix=False)
        self._file = StagingFile(Path(path))
        self._writer: pq.ParquetWriter | None = None
        self._buffer: io.BufferedWriter | None = None
        self._schema: pa.Schema | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._group_rows = _GROUP_ROWS
        self._finished = False
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._finished:
            self.abort()

    def start(self, schema: pa.Schema) -> None:
        """Begin with a schema, or begin anew with another one: whatever was written is gone."""
        if len(set(schema.names)) != len(schema.names):
            raise Internal("A table was to be written with two columns of the same name.")
        self._end_writer()
        self._file.restart()
        self.rows = 0
        self._waiting, self._waiting_rows = [], 0
        self._schema = schema
        self._group_rows = max(_SMALLEST_GROUP_ROWS, min(_GROUP_ROWS, _GROUP_CELLS // max(1, len(schema))))
        # The writer is made with the first rows: they tell which texts come with a dictionary.
        self._stored: pa.Schema | None = None

    def write(self, data: pa.RecordBatch | pa.Table) -> None:
        """Add rows of the schema that was started with; a column of texts may come with a dictionary, which saves making one here.

        Raises
        ------
        StorageFull, Unavailable
            If the device refuses; the file is gone then.
        """
        table = pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data
        if self._schema is None or not _holds(self._schema, table.schema):
            raise Internal("Rows were to be written that do not have the table's columns.")
        for batch in table.to_batches():
            self._waiting.append(batch)
            self._waiting_rows += batch.num_rows
        self.rows += table.num_rows
        while self._waiting_rows >= self._group_rows:
            self._write_group()

    def finish(self) -> StoredObject:
        """Write the footer and bring the file to the device."""
        if self._schema is None:
            raise Internal("A table was to be finished that was never started.")
        try:
            while self._waiting_rows:
                self._write_group()
            self._begun(self._schema.empty_table()).close()
            self._put_down()
            digest = self._file.sync()
        except DappError:
            self.abort()
            raise
        self._writer = None
        self._finished = True
        self._file.close()
        return StoredObject(self._name, self._file.size, self._file.size, digest)

    def abort(self) -> None:
        """Remove the file."""
        self._waiting = []
        try:
            self._end_writer()
        finally:
            self._file.discard()

    def _write_group(self) -> None:
        assert self._schema is not None
        batches, self._waiting, rows = self._waiting, [], 0
        head: list[pa.RecordBatch] = []
        for place, batch in enumerate(batches):
            head.append(batch.slice(0, self._group_rows - rows))
            rows += head[-1].num_rows
            if rows == self._group_rows:
                self._waiting = [rest for rest in (batch.slice(head[-1].num_rows), *batches[place + 1 :]) if rest.num_rows]
                break
        self._waiting_rows -= rows
        try:
            columns = [_joined([batch.column(place) for batch in head], field.type) for place, field in enumerate(self._schema)]
            table = pa.table(columns, names=self._schema.names)
            writer = self._begun(table)
            writer.write_table(_fitted(table, self._stored), row_group_size=self._group_rows)
        except DappError:
            self.abort()
            raise

    def _begun(self, first: pa.Table) -> pq.ParquetWriter:
        """The writer, made when it is first asked for. Readers are told the schema without dictionaries."""
        assert self._schema is not None
        if self._writer is None:
            self._stored = pa.schema([pa.field(field.name, mine.type, field.nullable) for field, mine in zip(self._schema, first.schema, strict=True)])
            # Nobody reads the smallest and largest values of a page, and to find them takes a third of the time of writing.
            settings = {"write_statistics": False, "write_batch_size": _BATCH_ROWS, "store_schema": False, **_encodings(first)}
            # Parquet writes every page by itself: a few KiB each, which are put together before they go to the file.
            self._buffer = io.BufferedWriter(self._file, _BUFFER_BYTES)
            self._writer = pq.ParquetWriter(self._buffer, self._stored, encryption_properties=self._properties, **settings)
            self._writer.add_key_value_metadata({"ARROW:schema": base64.b64encode(self._schema.serialize().to_pybytes()).decode()})
        return self._writer

    def _end_writer(self) -> None:
        """Close a writer whose file is thrown away: left alone it would write its footer when it is collected."""
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except (DappError, pa.ArrowException, OSError, ValueError):
                writer.is_open = False
            with contextlib.suppress(DappError, OSError, ValueError):
                self._put_down()

    def _put_down(self) -> None:
        """Write what is still held; the file itself stays open."""
        buffer, self._buffer = self._buffer, None
        if buffer is not None:
            buffer.detach()


class Frame:
    """One sealed table, open for reading from several threads.

    Attributes
    ----------
    schema : pyarrow.Schema
    rows : int
    group_rows : list of int
        Rows of each row group.
    """

    def __init__(self, path: Path | str, key: bytes, label: Label) -> None:
        self._path = str(path)
        self._key = key
        self._aad = label.context()
        # One open file serves one thread at a time: pyarrow's reader of encrypted files crashes when it is shared.
        self._idle: list[pq.ParquetFile] = []
        self._lock = threading.Lock()
        with self._reading() as file:
            self.schema: pa.Schema = file.schema_arrow.remove_metadata()
            self.rows: int = file.metadata.num_rows
            self.group_rows = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
            self._stored_bytes = _stored_bytes(file.metadata)
        self._names = frozenset(self.schema.names)

    def read(self, columns: Sequence[str] | None = None, groups: Sequence[int] | None = None) -> pa.Table:
        """Columns of some row groups, all where left out; no rows when there is no column.

        Raises
        ------
        IntegrityFailed
            If any byte that was read is not what was written.
        ColumnUnknown
            If there is no such column.
        """
        names = self.schema.names if columns is None else list(columns)
        self.require(names)
        wanted = list(range(len(self.group_rows)) if groups is None else groups)
        if not names or not wanted:
            return self.schema.empty_table().select(names)
        with self._reading() as file:
            table = file.read_row_groups(wanted, columns=names, use_threads=True)
        # Parquet takes "a" for the parent of "a.b", so more may have come than was asked for.
        return table.select(names).replace_schema_metadata(None)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The table in pieces of one row group each."""
        for group in range(len(self.group_rows)):
            yield self.read(columns, [group])

    def estimated_bytes(self, columns: Sequence[str]) -> int:
        """About how much memory columns take when they are decrypted."""
        total = 0
        for name in columns:
            kind = self.schema.field(name).type
            width = kind.bit_width / 8 if pa.types.is_primitive(kind) else 0.0
            total += int(self.rows * width) if width else max(self.rows * 8, 2 * self._stored_bytes[name])
        return total

    def require(self, columns: Sequence[str]) -> None:
        """Raise :class:`ColumnUnknown` for the first column that is not there."""
        for name in columns:
            if name not in self._names:
                raise ColumnUnknown(f"The dataset has no column named {name!r}. Choose one of its columns.")

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for file in idle:
            file.close(force=True)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[pq.ParquetFile]:
        with self._lock:
            file = self._idle.pop() if self._idle else None
        try:
            if file is None:
                properties = create_decryption_properties(self._key, aad_prefix=self._aad)
                file = pq.ParquetFile(self._path, decryption_properties=properties, pre_buffer=False)
            yield file
        except FileNotFoundError:
            raise IntegrityFailed("A stored table is missing. Restore it from a backup.") from None
        except (OSError, pa.ArrowException, ValueError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno:
                raise Unavailable(f"A stored table cannot be read: {error.strerror}. An administrator should look at the disk.") from error
            raise IntegrityFailed from error
        with self._lock:
            if len(self._idle) < _IDLE_FILES:
                self._idle.append(file)
                return
        file.close(force=True)


def open_frame(path: Path | str, key: bytes, label: Label) -> Frame:
    """Open a sealed table that must bear ``label``; all a child process needs is path, key and label.

    Raises
    ------
    IntegrityFailed
        If it is missing, changed, cut, of another object or generation, or the key is not its own.
    """
    return Frame(path, key, label)


def _encodings(first: pa.Table) -> dict[str, Any]:
    """How columns are written: whole numbers, dates and times by their differences, which is quicker than a dictionary and as small.

    Broken numbers that hardly repeat get no dictionary either: to try one takes six times as long as to write them. Names of
    columns go into Parquet's settings as paths; one with a dot in it would be taken for a part of another, so such tables are
    written with the usual encodings.
    """
    schema = first.schema
    usual: dict[str, Any] = {"compression": "zstd", "compression_level": 1}
    if any("." in name for name in schema.names):
        return usual
    packed = {field.name for field in schema if pa.types.is_integer(field.type) or pa.types.is_temporal(field.type)}
    plain = {field.name for field in schema if pa.types.is_floating(field.type) and _hardly_repeats(first.column(field.name))}
    if not packed and not plain:
        return usual
    found: dict[str, Any] = {"use_dictionary": [name for name in schema.names if name not in packed and name not in plain]}
    if not packed:
        return usual | found
    return found | {
        "column_encoding": dict.fromkeys(sorted(packed), "DELTA_BINARY_PACKED"),
        "compression": {name: "none" if name in packed else "zstd" for name in schema.names},
        "compression_level": {name: 1 for name in schema.names if name not in packed},
    }


def _hardly_repeats(values: pa.ChunkedArray) -> bool:
    some = values.slice(0, _LOOKED_AT).drop_null()
    return len(some) > 0 and len(some.unique()) > _LOOKED_AT_SHARE * len(some)


def _holds(wanted: pa.Schema, given: pa.Schema) -> bool:
    """Whether rows of a schema are those of another one, apart from dictionaries of texts."""
    return wanted.names == given.names and all(mine.type == its.type or _has_dictionary(its.type, mine.type) for mine, its in zip(wanted, given, strict=True))


def _has_dictionary(given: pa.DataType, wanted: pa.DataType) -> bool:
    return bool(pa.types.is_string(wanted) and pa.types.is_dictionary(given) and pa.types.is_string(given.value_type))


def _joined(pieces: list[pa.Array], wanted: pa.DataType) -> pa.ChunkedArray:
    """Pieces of a column as one: with a single dictionary where the last one brings one, else without.

    The first texts of a file come before it is known that they repeat, so they are brought into line with those after them.
    """
    if pieces and pa.types.is_dictionary(pieces[-1].type):
        encoded = [piece if pa.types.is_dictionary(piece.type) else piece.dictionary_encode() for piece in pieces]
        if all(piece.type == encoded[-1].type for piece in encoded):
            return pa.chunked_array(encoded).unify_dictionaries()
    plain = [piece.dictionary_decode() if pa.types.is_dictionary(piece.type) else piece for piece in pieces]
    return pa.chunked_array(plain, wanted)


def _fitted(table: pa.Table, stored: pa.Schema | None) -> pa.Table:
    """The columns as the first rows had them, with or without dictionaries."""
    assert stored is not None
    columns = []
    for column, field in zip(table.columns, stored, strict=True):
        if pa.types.is_dictionary(field.type) and not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        columns.append(column.cast(field.type) if column.type != field.type else column)
    return pa.Table.from_arrays(columns, schema=stored)


def _stored_bytes(metadata: Any) -> dict[str, int]:
    """Uncompressed bytes of each column, over all row groups."""
    found: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for index in range(row_group.num_columns):
            column = row_group.column(index)
            found[column.path_in_schema] = found.get(column.path_in_schema, 0) + column.total_uncompressed_size
    return found
