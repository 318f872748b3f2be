"""Decrypted columns shared by all threads of a process, bounded in memory.

The unit that is kept, loaded once and dropped is one column of one row group of a sealed table: a page of rows decrypts
only the row groups it shows, a chart only the columns it draws.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from dapp_ext.store.cached_frames import CachedFrame
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
        from dapp_ext.store.cached_frames import CachedFrame  # pyarrow takes memory that a process without visitors saves

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

    def opened(self, dataset_id: str, version: Hashable) -> CachedFrame | None:
        """A dataset version that is open already."""
        from dapp_ext.store.cached_frames import CachedFrame

        key = (dataset_id, version)
        with self._lock:
            frame = self._frames.get(key)
            if frame is None:
                return None
            self._frames.move_to_end(key)
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
