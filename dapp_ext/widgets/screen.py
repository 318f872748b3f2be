"""From any thread to the reader's screen.

What is shown is changed on the kernel's own loop. While a cell runs that loop stands still; after a short wait the change is
then made from the calling thread, so that a leaderboard goes on while another cell works. Kernels from ipykernel 6 on send
it from there as well; a kernel that refuses gets it when its cell has ended.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 0.3


class Screen:
    """Runs changes of what is shown, one at a time; made on the thread that shows the widget."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._home = threading.get_ident()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None  # a plain script or a test: there is no loop to wait for

    def change(self, change: Callable[[], None]) -> None:
        """Make a change now, or as soon as the kernel can take it."""
        loop = self._loop
        if loop is None or loop.is_closed() or threading.get_ident() == self._home:
            with self._lock:
                change()
            return
        waiting = _Once(change, self._lock)
        loop.call_soon_threadsafe(waiting.run)
        if not waiting.done.wait(_PATIENCE_SECONDS):
            try:
                waiting.run()
            except LookupError:
                # ipykernel 7.0 knows no cell that the change belongs to outside its own loop, where it still waits.
                log.debug("A change of the screen waits for the end of a cell")


class _Once:
    """A change that is made by whoever comes first."""

    def __init__(self, change: Callable[[], None], lock: threading.RLock) -> None:
        self._change = change
        self._lock = lock
        self.done = threading.Event()

    def run(self) -> None:
        with self._lock:
            if self.done.is_set():
                return
            self._change()
            self.done.set()
