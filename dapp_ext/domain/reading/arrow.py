"""Arrow files and streams, also under the name Feather (version 2, which is the same)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from dapp_ext.domain.reading.columnar import ColumnarTable
from dapp_ext.domain.reading.opening import Opened
from dapp_ext.domain.reading.sniffing import ARROW
from dapp_ext.domain.reading.table import Sink, TableRead, write_table
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import ReadOptions


class ArrowTable(ColumnarTable):
    """An Arrow file or stream as a :class:`~.table.ChunkedTable`."""

    def __init__(self, opened: Opened, options: ReadOptions) -> None:
        self.opened = opened
        self._is_file = opened.head(8).startswith(ARROW)
        super().__init__(self._reader().schema, _damaged, options)

    def _reader(self) -> Any:
        source: BinaryIO = self.opened.source
        source.seek(0)
        try:
            # Nothing is taken for granted: lengths and offsets in a file may be wrong, and are checked batch by batch.
            return pa.ipc.open_file(source) if self._is_file else pa.ipc.open_stream(source)
        except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
            raise _damaged() from error

    def _given(self) -> Iterator[pa.RecordBatch]:
        reader = self._reader()
        if self._is_file:
            progress = self.opened.steps(reader.num_record_batches)
            for number in range(reader.num_record_batches):
                progress(1)
                yield reader.get_batch(number)
            return
        progress, before = self.opened.steps(self.opened.size), 0
        for batch in reader:
            here = self.opened.source.tell()
            progress(here - before)
            before = here
            yield batch

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The batches, cut where they are long."""
        for batch in self._given():
            batch.validate(full=True)
            for start in range(0, batch.num_rows, self.batch_rows):
                yield batch.slice(start, self.batch_rows)


def _damaged() -> FileUnreadable:
    return FileUnreadable("The Arrow file is damaged or incomplete, so it could not be read. Write it again and upload it once more.")


def read_arrow(opened: Opened, options: ReadOptions, sink: Sink) -> TableRead:
    """Read an Arrow file or stream.

    Parameters
    ----------
    opened : Opened
        The file.
    options : ReadOptions
        What is not to be guessed.
    sink : Sink
        Where the batches go.
    """
    table = ArrowTable(opened, options)
    plan, rows = write_table(table, sink)
    if not rows or not table.leaves:
        raise FileUnreadable("The Arrow file has no rows. Upload a file with at least one row of data.")
    return table.read(plan, rows, "arrow")
