"""One dataset version whose decrypted columns are kept by the cache of the process."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.store.frame_cache import FrameCache
from dapp_ext.store.frames import Frame


class CachedFrame:
    """A dataset version as the rules of ``domain`` ask it: columns, ranges of rows, or single rows.

    Attributes
    ----------
    schema : pyarrow.Schema
    rows : int
    """

    def __init__(self, cache: FrameCache, key: tuple[str, Hashable], frame: Frame) -> None:
        self._cache = cache
        self._key = key
        self._frame = frame
        self.schema = frame.schema
        self.rows = frame.rows
        self._starts = [0]
        for count in frame.group_rows:
            self._starts.append(self._starts[-1] + count)

    def fits(self, columns: Sequence[str]) -> bool:
        """Whether the columns may be held in memory as a whole."""
        return self._fits(columns, range(len(self._frame.group_rows)))

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Whole columns."""
        return self.read(columns)

    def read(self, columns: Sequence[str], offset: int = 0, limit: int | None = None) -> pa.Table:
        """A range of rows; only the row groups that hold them are decrypted."""
        end = self.rows if limit is None else min(self.rows, offset + limit)
        offset = min(offset, end)
        groups = [each for each in range(len(self._frame.group_rows)) if self._starts[each] < end and self._starts[each + 1] > offset]
        keep = self._fits(columns, groups)
        table = self._join([self._piece(columns, each, keep) for each in groups], columns)
        return table.slice(offset - self._starts[groups[0]], end - offset) if groups else table

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The rows in order, a row group at a time."""
        keep = self.fits(columns)
        for group in range(len(self._frame.group_rows)):
            yield self._piece(columns, group, keep)

    def take(self, rows: Sequence[int] | pa.Array, columns: Sequence[str]) -> pa.Table:
        """Single rows by their number, in the given order."""
        wanted = pa.array(rows, pa.int64()) if not isinstance(rows, pa.Array) else rows.cast(pa.int64())
        places = {}
        for group in range(len(self._frame.group_rows)):
            here = pc.and_(pc.greater_equal(wanted, self._starts[group]), pc.less(wanted, self._starts[group + 1]))
            at = pc.indices_nonzero(here)
            if len(at):
                places[group] = at
        keep = self._fits(columns, places)
        pieces = [self._piece(columns, group, keep).take(pc.subtract(wanted.take(at), self._starts[group])) for group, at in places.items()]
        table = self._join(pieces, columns)
        if len(places) > 1:
            table = table.take(pc.sort_indices(pa.chunked_array(list(places.values()))))
        return table

    def _fits(self, columns: Sequence[str], groups: Collection[int]) -> bool:
        """Whether some row groups of the columns leave room for others in the cache; what does not would only push everything out."""
        self._frame.require(columns)
        touched = sum(self._frame.group_rows[each] for each in groups) / max(1, self.rows)
        return bool(self._frame.estimated_bytes(columns) * touched <= self._cache.limit_bytes * 3 / 4)

    def _piece(self, columns: Sequence[str], group: int, keep: bool) -> pa.Table:
        self._frame.require(columns)
        arrays = self._cache.columns(self._key, self._frame, group, columns, keep=keep)
        return pa.Table.from_arrays(arrays, schema=self._schema_of(columns))

    def _join(self, pieces: Sequence[pa.Table], columns: Sequence[str]) -> pa.Table:
        return pa.concat_tables(pieces) if pieces else self._schema_of(columns).empty_table()

    def _schema_of(self, columns: Sequence[str]) -> pa.Schema:
        self._frame.require(columns)
        return pa.schema([self.schema.field(name) for name in columns])
