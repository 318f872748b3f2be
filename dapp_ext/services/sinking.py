"""Where the rows of a file go while it is read: into the sealed table and into the profile, each on a thread of its own."""

from __future__ import annotations

from typing import Any, Self

from dapp_ext.domain.conveyor import Belt
from dapp_ext.domain.profiling import Profiler
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import Column, Profile
from dapp_ext.store.frames import FrameWriter
from dapp_ext.store.objects import StoredObject

_LAST: tuple[Any, Any] = (None, None)
"""Tells the writer that no more rows come."""


class TableSink:
    """Takes a schema and batches, as :class:`~dapp_ext.domain.reading.Sink`. Leaving it in the middle forgets what waits.

    Parameters
    ----------
    writer : FrameWriter
        The table; whoever made it ends it.
    """

    def __init__(self, writer: FrameWriter) -> None:
        self._writer = writer
        self._profiler: Profiler | None = None
        self._stored: StoredObject | None = None
        self._belts: tuple[Belt[Any], Belt[Any]] = (Belt(self._write), Belt(self._describe))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for belt in self._belts:
            belt.stop()

    def start(self, schema: Any) -> None:
        """Begin, or begin anew: the schema goes the way of the batches, so that none of them meets another's."""
        self._hand_on(schema, None)

    def write(self, batch: Any) -> None:
        """Take the next rows."""
        self._hand_on(None, batch)

    def finish(self, columns: list[Column]) -> tuple[StoredObject, Profile]:
        """The table on disk, and what is in it."""
        writing, describing = self._belts
        writing.put(_LAST)
        describing.finish()
        if self._profiler is None:
            raise FileUnreadable("The file has column names but no rows. Upload a file with at least one row.")
        # The table is brought to the device meanwhile.
        profile = self._profiler.finish(columns)
        writing.finish()
        assert self._stored is not None
        return self._stored, profile

    def _hand_on(self, schema: Any, batch: Any) -> None:
        for belt in self._belts:
            belt.put((schema, batch))

    def _write(self, item: tuple[Any, Any]) -> None:
        schema, batch = item
        if item is _LAST:
            self._stored = self._writer.finish()
        elif schema is not None:
            self._writer.start(schema)
        else:
            self._writer.write(batch)

    def _describe(self, item: tuple[Any, Any]) -> None:
        schema, batch = item
        if schema is not None:
            self._profiler = Profiler(schema)
        else:
            assert self._profiler is not None
            self._profiler.update(batch)
