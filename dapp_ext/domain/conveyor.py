"""Work side by side inside one process: read ahead on a thread, hand on to a thread, with little waiting in between.

The heavy work happens in libraries that let go of Python's lock, so two cores are kept busy by a few threads.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
_END = object()
_PATIENCE = 0.1


def ahead(source: Iterator[T], number: int = 2) -> Iterator[T]:
    """The same items, made by another thread before they are asked for, at most ``number`` of them in advance."""
    waiting: queue.Queue[object] = queue.Queue(number)
    stop = threading.Event()
    failed: list[BaseException] = []

    def make() -> None:
        try:
            for item in source:
                if not _put(waiting, item, stop):
                    return
        except BaseException as error:  # noqa: BLE001  raised again where the items are taken
            failed.append(error)
        finally:
            if isinstance(source, Generator):
                source.close()  # it may have a thread of its own, which must not outlive this one
        _put(waiting, _END, stop)

    thread = threading.Thread(target=make, name="ahead", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not _END:
            yield item  # type: ignore[misc]
        if failed:
            raise failed[0]
    finally:
        stop.set()
        thread.join()


def _put(waiting: queue.Queue[object], item: object, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            waiting.put(item, timeout=_PATIENCE)
        except queue.Full:
            continue
        return True
    return False


class Belt(Generic[T]):
    """Hands items to a function on a thread of its own, in order. Leave it with :meth:`finish`, or with :meth:`stop` when all is lost.

    Parameters
    ----------
    work : callable
        Takes one item after the other. What it raises is raised by the next call here.
    number : int
        Items that may wait.
    """

    def __init__(self, work: Callable[[T], None], number: int = 3) -> None:
        self._work = work
        self._waiting: queue.Queue[object] = queue.Queue(number)
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name="belt", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Hand on an item; waits while too many are under way."""
        if not _put(self._waiting, item, self._stop):
            self._raise()

    def finish(self) -> None:
        """Wait until everything is done."""
        _put(self._waiting, _END, self._stop)
        self._thread.join()
        self._raise()

    def stop(self) -> None:
        """Do nothing more and forget what waits."""
        self._stop.set()
        self._thread.join()

    def _raise(self) -> None:
        if self._failed:
            raise self._failed[0]

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                item = self._waiting.get(timeout=_PATIENCE)
            except queue.Empty:
                continue
            if item is _END:
                return
            try:
                self._work(item)  # type: ignore[arg-type]
            except BaseException as error:  # noqa: BLE001  raised again by the next call
                self._failed.append(error)
                self._stop.set()
