"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from dapp_ext.domain.reading.columnar import ColumnarTable
from dapp_ext.domain.reading.opening import Opened
from dapp_ext.domain.reading.table import Sink, TableRead, check_rows, write_table
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import ReadOptions

_BATCH_BYTES = 64 * 1024 * 1024
_STRING_LIMIT = 100_000_000
_CONTAINER_LIMIT = 1_000_000


class ParquetTable(ColumnarTable):
    """A Parquet file as a :class:`~.table.ChunkedTable`."""

    def __init__(self, opened: Opened, options: ReadOptions) -> None:
        self.opened = opened
        self.file = _open(opened.source)
        self.claimed: int = self.file.metadata.num_rows
        check_rows(self.claimed)
        super().__init__(self.file.schema_arrow, _damaged, options)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The batches of the file."""
        progress = self.opened.steps(self.claimed)
        for batch in self.file.iter_batches(batch_size=min(self.batch_rows, self._rows_in_memory())):
            progress(batch.num_rows)
            batch.validate(full=True)  # Arrow believes a file that calls its bytes UTF-8
            yield batch

    def _rows_in_memory(self) -> int:
        """Rows that take some tens of MB, as far as the file is honest; whoever runs this watches the memory."""
        metadata = self.file.metadata
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        widest = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=0)
        return max(16, int(_BATCH_BYTES / max(widest, 1)))


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
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise _damaged() from error


def _damaged() -> FileUnreadable:
    return FileUnreadable("The Parquet file is damaged or incomplete, so it could not be read. Write it again and upload it once more.")


def read_parquet(opened: Opened, options: ReadOptions, sink: Sink) -> TableRead:
    """Read a Parquet file.

    Parameters
    ----------
    opened : Opened
        The file.
    options : ReadOptions
        What is not to be guessed.
    sink : Sink
        Where the batches go.
    """
    table = ParquetTable(opened, options)
    if not table.leaves or not table.claimed:
        raise FileUnreadable("The Parquet file has no rows. Upload a file with at least one row of data.")
    plan, rows = write_table(table, sink)
    return table.read(plan, rows, "parquet")
