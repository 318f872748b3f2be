"""Reads small files that tests write themselves, and keeps what came out."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dapp_ext.domain.profiling import Profiler
from dapp_ext.domain.reading import TableRead, read_table
from dapp_ext.schema.datasets import Profile, ReadOptions


class Collected:
    """A sink that keeps everything since the last start."""

    def __init__(self) -> None:
        self.schema = pa.schema([])
        self.batches: list[pa.RecordBatch] = []
        self.starts = 0

    def start(self, schema: pa.Schema) -> None:
        self.schema, self.batches = schema, []
        self.starts += 1

    def write(self, batch: pa.RecordBatch) -> None:
        plain = [column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in batch.columns]
        self.batches.append(pa.RecordBatch.from_arrays(plain, schema=self.schema))


@dataclass(frozen=True)
class Result:
    """What came out of a file."""

    table: pa.Table
    read: TableRead
    starts: int

    @property
    def kinds(self) -> dict[str, str]:
        return {column.name: column.kind for column in self.read.columns}

    @property
    def notes(self) -> str:
        return "\n".join(self.read.report.notes)

    def values(self, name: str) -> list[Any]:
        found: list[Any] = self.table.column(name).to_pylist()
        return found


def read(data: bytes | str, filename: str = "table.csv", **options: Any) -> Result:
    """Read bytes, or text in UTF-8, and check what holds for every file."""
    sink = Collected()
    raw = data.encode() if isinstance(data, str) else data
    told: list[float] = []
    found = read_table(io.BytesIO(raw), filename, ReadOptions(**options), sink, told.append)
    table = pa.Table.from_batches(sink.batches, sink.schema)
    table.validate(full=True)
    assert table.num_rows == found.rows
    assert table.column_names == [column.name for column in found.columns]
    assert len(set(table.column_names)) == len(table.column_names)
    assert told == sorted(told)
    assert told[-1] == 1.0
    return Result(table, found, sink.starts)


def profiled(data: bytes | str, filename: str = "table.csv", **options: Any) -> Profile:
    """The profile of a file."""
    result = read(data, filename, **options)
    profiler = Profiler(result.table.schema)
    for batch in result.table.to_batches():
        profiler.update(batch)
    profile = profiler.finish(result.read.columns)
    return profile.model_copy(update={"findings": [*result.read.findings, *profile.findings]})
