"""Tables that have types already (Parquet, Arrow), in a stream of batches, every column in one of the stored types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.reading import kinds, numbers, plans, texts
from dapp_ext.domain.reading.categories import Variety
from dapp_ext.domain.reading.chosen import ChosenColumn, Ways
from dapp_ext.domain.reading.names import column_names
from dapp_ext.domain.reading.table import ColumnPlan, Notes, Plan, TableRead, check_columns, check_rows, named
from dapp_ext.domain.reading.texts import TextColumn
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import Column, ReadOptions

BATCH_CELLS = 2_000_000
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
    texts: TextColumn | None = None

    @property
    def takes_texts(self) -> bool:
        """Whether its values are looked at as texts: where a kind was chosen, and where a mark may be a value."""
        given = _plain(self.given)
        return isinstance(self.texts, ChosenColumn) or not (pa.types.is_temporal(given) or pa.types.is_boolean(given) or pa.types.is_nested(given))


class ColumnarTable:
    """A typed table as a :class:`~.table.ChunkedTable`; structs are taken apart, their parts named with dots.

    Parameters
    ----------
    schema : pa.Schema
        As it stands in the file.
    damaged : callable
        Makes the error for values that do not hold what they claim.
    options : ReadOptions
        What is not to be guessed.
    """

    def __init__(self, schema: pa.Schema, damaged: Callable[[], FileUnreadable], options: ReadOptions) -> None:
        self.rows = 0
        try:
            self.leaves = [leaf for place, field in enumerate(schema) for leaf in _leaves((field.name,), (place,), field.type)]
        except UnicodeDecodeError as error:
            raise damaged() from error
        check_columns(len(self.leaves))
        self.notes = Notes()
        self.names = column_names([".".join(leaf.path) for leaf in self.leaves], self.notes)
        self.ways = Ways.of(options, ())
        for name, leaf in zip(self.names, self.leaves, strict=True):
            column = self.ways.column(name)
            # Texts with types of their own are as they were meant to be: only marks that were given are looked for.
            leaf.texts = column if isinstance(column, ChosenColumn) or self.ways.marks else None
        self._options = options
        self._damaged = damaged

    @property
    def batch_rows(self) -> int:
        """Rows of a batch that is easily held in memory."""
        return max(256, min(65_536, BATCH_CELLS // max(len(self.leaves), 1)))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The batches of the file, from the beginning."""
        raise NotImplementedError

    def chunks(self) -> Iterator[pa.RecordBatch]:
        """The batches of the file, whole or not at all."""
        try:
            yield from self.batches()
        except (pa.ArrowException, OSError, MemoryError, ValueError, OverflowError) as error:
            raise self._damaged() from error

    def look(self, chunk: pa.RecordBatch) -> None:
        """Note what the type alone does not tell."""
        self.rows += chunk.num_rows
        check_rows(self.rows)
        try:
            self._look(chunk)
        except pa.ArrowInvalid as error:  # a batch of texts beyond 2 GB
            raise self._damaged() from error

    def _look(self, chunk: pa.RecordBatch) -> None:
        for leaf in self.leaves:
            array = _at(chunk, leaf.places)
            if leaf.texts is not None and leaf.takes_texts:
                leaf.texts.look(texts.tidy(kinds.as_texts(array)))
            given = _plain(leaf.given)
            if pa.types.is_uint64(given):
                # Only a value in the upper half needs more than the signed 64 bits.
                leaf.overflow |= (pc.max(_decoded(array)).as_py() or 0) >= 2**63
            elif _may_need_exact(given):
                leaf.overflow = leaf.overflow or numbers.too_many_digits(pc.cast(_decoded(array), pa.string()))
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
        marks = frozenset[str]() if leaf.texts is None else frozenset(leaf.texts.marks)
        if isinstance(leaf.texts, ChosenColumn):
            return leaf.texts.plan(name, marks)
        given = _plain(leaf.given)
        stored = kinds.stored_type(given)
        if pa.types.is_uint64(given) and not leaf.overflow:
            stored = pa.int64()
        if _may_need_exact(given) and not leaf.overflow:
            stored = pa.float64()
        kind = leaf.variety.kind(self.rows) if pa.types.is_string(stored) else kinds.kind_of(stored)
        return ColumnPlan(name, kind, stored, missing=marks)

    def convert(self, chunk: pa.RecordBatch, plan: Plan) -> pa.RecordBatch:
        """The batch in stored types."""
        pairs = zip(self.leaves, plan.columns, strict=True)
        try:
            arrays = [_converted(_at(chunk, leaf.places), leaf, column) for leaf, column in pairs]
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise self._damaged() from error
        return pa.RecordBatch.from_arrays(arrays, schema=plan.schema)

    def read(self, plan: Plan, rows: int, format: str) -> TableRead:
        """What was read, with what there is to tell of it."""
        self.tell()
        pairs = [
            (plans.Named(name, leaf.texts), entry) for name, leaf, entry in zip(self.names, self.leaves, plan.columns, strict=True) if leaf.texts is not None
        ]
        entries, kept = [entry for entry, _ in pairs], Plan(tuple(entry for _, entry in pairs))
        plans.tell([entry for entry in entries if isinstance(entry.column, ChosenColumn)], self.notes, ways=self.ways)
        known = {
            "missing": plans.marks_of(entries, kept),
            "columns": plans.readings_of(entries, kept, self.ways),
            "notes": self.notes.sentences,
        }
        columns = [Column(name=column.name, kind=column.kind) for column in plan.columns]
        report = plans.told(self._options, format=format).model_copy(update=known)
        return TableRead(columns, rows, report, plans.findings(entries, kept, self.ways))

    def tell(self) -> None:
        """Say what was done to the values."""
        pairs = list(zip(self.names, self.leaves, strict=True))
        if found := [name for name, leaf in pairs if leaf.nan]:
            self.notes.add(f"NaN (not a number) was read as missing in {named(found)}.")
        if found := [name for name, leaf in pairs if pa.types.is_timestamp(given := _plain(leaf.given)) and given.tz and not kinds.known_zone(given.tz)]:
            self.notes.add(f"Time stamps with a zone were converted to universal time (UTC) in {named(found)}.")
        if found := [name for name, leaf in pairs if leaf.cut]:
            self.notes.add(f"Fractions of a microsecond were cut off the time stamps in {named(found)}.")
        if found := [name for name, leaf in pairs if len(leaf.path) > 1]:
            self.notes.add(f"Nested objects were flattened into columns named with dots: {named(found)}.")
        if found := [name for name, leaf in pairs if pa.types.is_nested(leaf.given)]:
            self.notes.add(f"Lists were kept as JSON text in {named(found)}.")
        if found := [name for name, leaf in pairs if leaf.overflow and _may_need_exact(_plain(leaf.given))]:
            self.notes.add(f"Decimals of more than 17 digits were kept with all their digits in {named(found)}.")
        if found := [name for name, leaf in pairs if pa.types.is_binary(leaf.given) or pa.types.is_large_binary(leaf.given)]:
            self.notes.add(f"Bytes were read as text, or written as 0x... where they are none, in {named(found)}.")


def _converted(array: pa.Array, leaf: _Leaf, column: ColumnPlan) -> pa.Array:
    if isinstance(leaf.texts, ChosenColumn):
        given = kinds.as_texts(array)
        return leaf.texts.convert(given, texts.tidy(given), column)
    if column.missing:
        is_mark = pc.is_in(texts.tidy(kinds.as_texts(array)), pa.array(sorted(column.missing), pa.string()))
        array = _decoded(array)
        array = pc.if_else(is_mark, pa.scalar(None, array.type), array)
    return kinds.stored_values(array, column.type)


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
    if pa.types.is_dictionary(given) or pa.types.is_run_end_encoded(given):
        return _plain(given.value_type)
    return _plain(given.storage_type) if isinstance(given, pa.BaseExtensionType) else given


def _decoded(array: pa.Array) -> pa.Array:
    if isinstance(array, pa.ExtensionArray):
        return _decoded(array.storage)
    if pa.types.is_run_end_encoded(array.type):
        return _decoded(pc.run_end_decode(array))
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _may_need_exact(given: pa.DataType) -> bool:
    """Whether decimals of a type may have more digits than a double."""
    return bool(pa.types.is_decimal(given) and given.scale > 0 and given.precision > kinds.DOUBLE_DIGITS)


def _has_nanoseconds(array: pa.Array) -> bool:
    try:
        pc.cast(array, pa.timestamp("us", array.type.tz))
    except pa.ArrowInvalid:
        return True
    return False
