"""Parquet, in a stream of batches, every column in one of the stored types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dapp_ext.domain.reading import kinds
from dapp_ext.domain.reading.categories import Variety
from dapp_ext.domain.reading.names import column_names
from dapp_ext.domain.reading.opening import Opened
from dapp_ext.domain.reading.table import ColumnPlan, Notes, Plan, Sink, TableRead, check_columns, check_rows, named, write_table
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import Column, ReadReport

_BATCH_CELLS = 2_000_000
_STRING_LIMIT = 100_000_000
_CONTAINER_LIMIT = 1_000_000
_DEPTH = 16


@dataclass
class _Leaf:
    """One column of the result: where it is found in the file (by names and by places), and what was seen of it."""

    path: tuple[str, ...]
    places: tuple[int, ...]
    given: pa.DataType
    variety: Variety
    overflow: bool = False
    nan: int = 0
    cut: bool = False


class ParquetTable:
    """A Parquet file as a :class:`~.table.ChunkedTable`; structs are taken apart, their parts named with dots."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.file = _open(opened.source)
        self.rows = self.file.metadata.num_rows
        check_rows(self.rows)
        self.leaves = [leaf for place, field in enumerate(self.file.schema_arrow) for leaf in _leaves((field.name,), (place,), field.type)]
        check_columns(len(self.leaves))
        self.notes = Notes()
        self.names = column_names([".".join(leaf.path) for leaf in self.leaves], self.notes)

    def chunks(self) -> Iterator[pa.RecordBatch]:
        """The batches of the file."""
        size = max(256, min(65_536, _BATCH_CELLS // max(len(self.leaves), 1)))
        progress = self.opened.steps(self.rows)
        try:
            for batch in self.file.iter_batches(batch_size=size):
                progress(batch.num_rows)
                yield batch
        except (pa.ArrowException, OSError) as error:
            raise _damaged() from error

    def look(self, chunk: pa.RecordBatch) -> None:
        """Note what the type alone does not tell."""
        for leaf in self.leaves:
            array = _at(chunk, leaf.places)
            given = _plain(leaf.given)
            if pa.types.is_uint64(given):
                # Only a value in the upper half needs more than the signed 64 bits.
                leaf.overflow |= (pc.max(_decoded(array)).as_py() or 0) >= 2**63
            elif pa.types.is_floating(given):
                leaf.nan += pc.sum(pc.is_nan(_decoded(array))).as_py() or 0
            elif pa.types.is_timestamp(given) and given.unit == "ns":
                leaf.cut |= _has_nanoseconds(_decoded(array))
            elif pa.types.is_string(kinds.stored_type(given)):
                leaf.variety.add(kinds.stored_values(array, pa.string()))

    def plan(self) -> Plan:
        """How the columns are stored."""
        return Plan(tuple(self._column(name, leaf) for name, leaf in zip(self.names, self.leaves, strict=True)))

    def _column(self, name: str, leaf: _Leaf) -> ColumnPlan:
        given = _plain(leaf.given)
        stored = kinds.stored_type(given)
        if pa.types.is_uint64(given) and not leaf.overflow:
            stored = pa.int64()
        kind = leaf.variety.kind(self.rows) if pa.types.is_string(stored) else kinds.kind_of(stored)
        return ColumnPlan(name, kind, stored)

    def convert(self, chunk: pa.RecordBatch, plan: Plan) -> pa.RecordBatch:
        """The batch in stored types."""
        pairs = zip(self.leaves, plan.columns, strict=True)
        try:
            arrays = [kinds.stored_values(_at(chunk, leaf.places), column.type) for leaf, column in pairs]
        except pa.ArrowInvalid as error:
            raise _damaged() from error
        return pa.RecordBatch.from_arrays(arrays, schema=plan.schema)

    def tell(self) -> None:
        """Say what was done to the values."""
        pairs = list(zip(self.names, self.leaves, strict=True))
        if found := [name for name, leaf in pairs if leaf.nan]:
            self.notes.add(f"NaN (not a number) was read as missing in {named(found)}.")
        if found := [name for name, leaf in pairs if leaf.cut]:
            self.notes.add(f"Fractions of a microsecond were cut off the time stamps in {named(found)}.")
        if found := [name for name, leaf in pairs if len(leaf.path) > 1]:
            self.notes.add(f"Nested objects were flattened into columns named with dots: {named(found)}.")
        if found := [name for name, leaf in pairs if pa.types.is_nested(leaf.given)]:
            self.notes.add(f"Lists were kept as JSON text in {named(found)}.")
        if found := [name for name, leaf in pairs if pa.types.is_decimal(_plain(leaf.given)) and leaf.given.scale > 0 and leaf.given.precision > 15]:
            self.notes.add(f"Decimals were read as floating point numbers of about 16 digits in {named(found)}.")
        if found := [name for name, leaf in pairs if pa.types.is_binary(leaf.given) or pa.types.is_large_binary(leaf.given)]:
            self.notes.add(f"Bytes were read as text, or written as 0x... where they are none, in {named(found)}.")


def _open(source: BinaryIO) -> Any:
    source.seek(0)
    try:
        return pq.ParquetFile(
            source,
            pre_buffer=False,
            buffer_size=1024 * 1024,
            thrift_string_size_limit=_STRING_LIMIT,
            thrift_container_size_limit=_CONTAINER_LIMIT,
            arrow_extensions_enabled=False,
        )
    except (pa.ArrowException, OSError) as error:
        raise _damaged() from error


def _damaged() -> FileUnreadable:
    return FileUnreadable("The Parquet file is damaged or incomplete, so it could not be read. Write it again and upload it once more.")


def _leaves(path: tuple[str, ...], places: tuple[int, ...], given: pa.DataType) -> Iterator[_Leaf]:
    if pa.types.is_struct(given) and given.num_fields and len(path) <= _DEPTH:
        for place, field in enumerate(given):
            yield from _leaves((*path, field.name), (*places, place), field.type)
    else:
        yield _Leaf(path, places, given, Variety())


def _at(batch: pa.RecordBatch, places: tuple[int, ...]) -> pa.Array:
    array = batch.column(places[0])
    return pc.struct_field(array, list(places[1:])) if len(places) > 1 else array


def _plain(given: pa.DataType) -> pa.DataType:
    return given.value_type if pa.types.is_dictionary(given) else given


def _decoded(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _has_nanoseconds(array: pa.Array) -> bool:
    try:
        pc.cast(array, pa.timestamp("us", array.type.tz))
    except pa.ArrowInvalid:
        return True
    return False


def read_parquet(opened: Opened, sink: Sink) -> TableRead:
    """Read a Parquet file.

    Parameters
    ----------
    opened : Opened
        The file.
    sink : Sink
        Where the batches go.
    """
    table = ParquetTable(opened)
    if not table.leaves or not table.rows:
        raise FileUnreadable("The Parquet file has no rows. Upload a file with at least one row of data.")
    plan, rows = write_table(table, sink)
    table.tell()
    columns = [Column(name=column.name, kind=column.kind) for column in plan.columns]
    return TableRead(columns, rows, ReadReport(format="parquet", notes=table.notes.sentences))
