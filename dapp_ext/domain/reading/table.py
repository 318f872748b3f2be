"""What every reader of a file format shares: the sink it writes to, its answer, its limits and its notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import pyarrow as pa

from dapp_ext.errors import TooLarge
from dapp_ext.schema.datasets import Column, ColumnKind, Finding, ReadReport

PIECE = 4 * 1024 * 1024
"""Bytes that are read from a file at a time; also the aim for one batch of a text format."""
MAX_COLUMNS = 10_000
MAX_ROWS = 50_000_000
MAX_DECODED = 8 * 1024**3
"""Bytes that a compressed file may unpack to."""
MAX_RECORD = 64 * 1024 * 1024
"""Bytes of one record: above it a quote was left open or the file is no table."""
SAMPLE_CHUNKS = 4
"""Chunks that are looked at before the first is written, so that few types are widened later."""

Progress = Callable[[float], None]
C = TypeVar("C")


class Sink(Protocol):
    """Where a table goes. ``start`` may come again: everything written before it is void then."""

    def start(self, schema: pa.Schema) -> None:
        """Take the schema of all batches that follow."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Take the next rows; texts may come with a dictionary."""


@dataclass(frozen=True)
class TableRead:
    """What was read: the final columns, the number of rows, how it was done, and what only the reader could find."""

    columns: list[Column]
    rows: int
    report: ReadReport
    findings: list[Finding] = field(default_factory=list)


class Again(Exception):
    """A value did not fit the plan after all; the table has changed its mind and gives another plan now."""


@dataclass(frozen=True)
class ColumnPlan:
    """How one column is stored: its name, kind and Arrow type, and what the reader needs to convert it."""

    name: str
    kind: ColumnKind
    type: pa.DataType
    how: str = "text"
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Plan:
    """How a table is stored."""

    columns: tuple[ColumnPlan, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the batches."""
        return pa.schema([pa.field(column.name, column.type) for column in self.columns])

    def stores_like(self, other: Plan) -> bool:
        """Whether batches made by either plan are the same; a kind alone may differ."""
        mine = [(c.name, c.type, c.how, c.missing) for c in self.columns]
        return mine == [(c.name, c.type, c.how, c.missing) for c in other.columns]


class ChunkedTable(Protocol[C]):
    """A table that can be gone through, chunk by chunk, more than once."""

    def chunks(self) -> Iterator[C]:
        """All chunks from the beginning."""

    def look(self, chunk: C) -> None:
        """Take evidence on the types of the columns."""

    def plan(self) -> Plan:
        """What all evidence so far says."""

    def convert(self, chunk: C, plan: Plan) -> pa.RecordBatch:
        """The chunk in the types of the plan, which fit all chunks looked at."""


@dataclass
class Notes:
    """Plain sentences on what was done, each said once."""

    sentences: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        """Say this, unless it was said."""
        if sentence not in self.sentences:
            self.sentences.append(sentence)


class _Passes(Generic[C]):
    """Writes a chunked table optimistically, and once more where a later value did not fit."""

    def __init__(self, table: ChunkedTable[C], sink: Sink) -> None:
        self.table = table
        self.sink = sink
        self.rows = 0

    def _write(self, chunk: C, plan: Plan) -> None:
        batch = self.table.convert(chunk, plan)
        self.rows += batch.num_rows
        check_rows(self.rows)
        if batch.num_rows:
            self.sink.write(batch)

    def first(self) -> tuple[Plan, bool]:
        """Look at everything and write as long as the first plan fits. Returns the final plan and whether all is written."""
        waiting: list[C] = []
        plan: Plan | None = None
        fits = True
        for chunk in self.table.chunks():
            self.table.look(chunk)
            if plan is None:
                waiting.append(chunk)
                if len(waiting) == SAMPLE_CHUNKS:
                    plan = self._begin(waiting)
            elif fits:
                fits = self.table.plan().stores_like(plan) and self._fits(chunk, plan)
        if plan is None:
            plan = self._begin(waiting)
        final = self.table.plan()
        return final, fits and final.stores_like(plan)

    def _fits(self, chunk: C, plan: Plan) -> bool:
        try:
            self._write(chunk, plan)
        except Again:
            return False
        return True

    def _begin(self, waiting: list[C]) -> Plan:
        while True:
            plan = self.table.plan()
            check_columns(len(plan.columns))
            self.sink.start(plan.schema)
            self.rows = 0
            try:
                for chunk in waiting:
                    self._write(chunk, plan)
            except Again:
                continue
            waiting.clear()
            return plan

    def second(self, plan: Plan) -> None:
        """Write everything under the final plan."""
        self.rows = 0
        check_columns(len(plan.columns))
        self.sink.start(plan.schema)
        for chunk in self.table.chunks():
            self._write(chunk, plan)


def write_table(table: ChunkedTable[C], sink: Sink) -> tuple[Plan, int]:
    """Write a chunked table to a sink in one pass, or in two when its beginning misled.

    Returns
    -------
    tuple of Plan and int
        How it is stored, and the number of rows.
    """
    passes = _Passes(table, sink)
    plan, done = passes.first()
    while not done:
        try:
            passes.second(plan)
            done = True
        except Again:
            plan = table.plan()
    return plan, passes.rows


def check_rows(rows: int) -> None:
    """Refuse more rows than a dataset may have."""
    if rows > MAX_ROWS:
        raise TooLarge(f"The table has more than {MAX_ROWS:,} rows, which is the limit. Split the file and upload the parts.", limit=MAX_ROWS)


def check_columns(columns: int) -> None:
    """Refuse more columns than a dataset may have."""
    if columns > MAX_COLUMNS:
        raise TooLarge(
            f"The table has {columns:,} columns; the limit is {MAX_COLUMNS:,}. Leave out columns, or store one value per row.",
            columns=columns,
            limit=MAX_COLUMNS,
        )


def named(columns: list[str], at_most: int = 5) -> str:
    """Column names for a sentence, in quotes, cut after a few."""
    shown = ", ".join(f'"{name}"' for name in columns[:at_most])
    return shown if len(columns) <= at_most else f"{shown} and {len(columns) - at_most:,} more"


def cells(count: int) -> str:
    """A number of cells for a sentence."""
    return "1 cell" if count == 1 else f"{count:,} cells"
