"""What was made once and is kept in memory within a bound of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any


class Keeper:
    """Keeps what was made, within a bound of bytes; several threads that want the same at once wait for one making.

    Parameters
    ----------
    limit : int
        Bytes that may be kept.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, Future[Any]] = {}

    def peek(self, key: Hashable) -> Any | None:
        """What is kept under a key, if it is."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def get(self, key: Hashable, make: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        """What is kept under a key, or made now."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found[0]
            waiting = self._making.get(key)
            mine = self._making[key] = Future() if waiting is None else waiting
        if waiting is not None:
            return waiting.result()
        try:
            made = make()
        except BaseException as error:
            with self._lock:
                del self._making[key]
            mine.set_exception(error)
            raise
        self.keep(key, made, size(made))
        with self._lock:
            del self._making[key]
        mine.set_result(made)
        return made

    def keep(self, key: Hashable, made: Any, size: int) -> None:
        """Keep what was made elsewhere; what was used longest ago goes for it, and what is larger than the bound is not kept."""
        with self._lock:
            self.held += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (made, size)
            while self.held > self.limit:
                self.held -= self._kept.popitem(last=False)[1][1]

    def drop(self, first: Hashable) -> None:
        """Forget what belongs to something that is gone: everything whose key begins with this."""
        with self._lock:
            for key in [each for each in self._kept if isinstance(each, tuple) and each[0] == first]:
                self.held -= self._kept.pop(key)[1]
