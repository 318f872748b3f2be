"""Decrypted columns shared by all threads of a process, bounded in memory.

The unit that is kept, loaded once and dropped is one column of one row group of a sealed table: a page of rows decrypts
only the row groups it shows, a chart only the columns it draws.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from concurrent.futures import Future

import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.store.frames import Frame

_KEPT_FRAMES = 64


class FrameCache:
    """Decrypted columns shared by all threads of a process, bounded in memory.

    What was used longest ago is dropped first; several threads that want the same column at the same moment wait for
    one reading of it.

    Parameters
    ----------
    limit_bytes : int
        Memory that may be kept between calls. What a call returns is not counted.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.held_bytes = 0
        self._lock = threading.Lock()
        self._columns: OrderedDict[tuple[Hashable, ...], tuple[pa.ChunkedArray, int]] = OrderedDict()
        self._loading: dict[tuple[Hashable, ...], Future[pa.ChunkedArray]] = {}
        self._frames: OrderedDict[tuple[str, Hashable], Frame] = OrderedDict()

    def open(self, dataset_id: str, version: Hashable, opener: Callable[[], Frame]) -> CachedFrame:
        """A dataset version to ask for rows and columns.

        Parameters
        ----------
        dataset_id, version : str, Hashable
            What the columns are kept under.
        opener : callable
            Opens the sealed table; called when it is not open already.
        """
        key = (dataset_id, version)
        with self._lock:
            frame = self._frames.get(key)
            if frame is not None:
                self._frames.move_to_end(key)
        if frame is None:
            frame = opener()
            with self._lock:
                frame = self._frames.setdefault(key, frame)
                old = [self._frames.popitem(last=False)[1] for _ in range(len(self._frames) - _KEPT_FRAMES)]
            for each in old:
                each.close()
        return CachedFrame(self, key, frame)

    def drop(self, dataset_id: str) -> None:
        """Forget all versions of a dataset."""
        with self._lock:
            for unit in [each for each in self._columns if each[0] == dataset_id]:
                self.held_bytes -= self._columns.pop(unit)[1]
            closed = [self._frames.pop(each) for each in list(self._frames) if each[0] == dataset_id]
        for frame in closed:
            frame.close()

    def columns(self, key: tuple[str, Hashable], frame: Frame, group: int, names: Sequence[str], *, keep: bool) -> list[pa.ChunkedArray]:
        """Columns of one row group, from memory or from the sealed table."""
        found: dict[str, pa.ChunkedArray] = {}
        mine: dict[str, Future[pa.ChunkedArray]] = {}
        others: dict[str, Future[pa.ChunkedArray]] = {}
        with self._lock:
            for name in dict.fromkeys(names):
                unit = (*key, group, name)
                held = self._columns.get(unit)
                if held is not None:
                    self._columns.move_to_end(unit)
                    found[name] = held[0]
                elif unit in self._loading:
                    others[name] = self._loading[unit]
                else:
                    mine[name] = self._loading[unit] = Future()
        if mine:
            found.update(self._load(key, frame, group, mine, keep=keep))
        # Only after the own ones are there, so that no two threads wait for each other.
        found.update({name: future.result() for name, future in others.items()})
        return [found[name] for name in names]

    def _load(self, key: tuple[str, Hashable], frame: Frame, group: int, mine: dict[str, Future[pa.ChunkedArray]], *, keep: bool) -> dict[str, pa.ChunkedArray]:
        try:
            table = frame.read(list(mine), [group])
        except BaseException as error:
            with self._lock:
                for name in mine:
                    self._loading.pop((*key, group, name), None)
            for future in mine.values():
                future.set_exception(error)
            raise
        loaded = {name: table.column(name) for name in mine}
        with self._lock:
            alive = self._frames.get(key) is frame  # dropped meanwhile: answer, but keep nothing
            for name, column in loaded.items():
                unit = (*key, group, name)
                self._loading.pop(unit, None)
                if keep and alive:
                    size = column.get_total_buffer_size()
                    self._columns[unit] = (column, size)
                    self.held_bytes += size
            while self.held_bytes > self.limit_bytes:
                self.held_bytes -= self._columns.popitem(last=False)[1][1]
        for name, future in mine.items():
            future.set_result(loaded[name])
        return loaded


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
