"""Keeping something on the screen up to date without holding up the kernel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from dapp_ext.errors import DappError
from dapp_ext.widgets.screen import Screen

T = TypeVar("T")
_PERIOD_SECONDS = 0.25


class Refresher(Generic[T]):
    """Fetches on a thread of its own and shows on the screen; many requests in a moment become one.

    Parameters
    ----------
    screen : Screen
        Where changes are made.
    fetch : callable
        Reads from the server; runs on the refresher's thread.
    show : callable
        Shows what was fetched; runs as a change of the screen.
    fail : callable
        Shows the sentence of an error.
    """

    def __init__(self, screen: Screen, fetch: Callable[[], T], show: Callable[[T], None], fail: Callable[[str], None]) -> None:
        self._screen, self._fetch, self._show, self._fail = screen, fetch, show, fail
        self._asked = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def ask(self) -> None:
        """Fetch and show soon."""
        self._asked.set()
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._run, name="dapp-refresh", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the thread; what is shown stays."""
        self._stopped.set()
        self._asked.set()
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)

    def _run(self) -> None:
        while True:
            self._asked.wait()
            if self._stopped.is_set():
                return
            self._asked.clear()
            try:
                found = self._fetch()
            except DappError as error:
                sentence = error.message
                self._screen.change(lambda sentence=sentence: self._fail(sentence))  # type: ignore[misc]
            else:
                self._screen.change(lambda found=found: self._show(found))  # type: ignore[misc]
            self._stopped.wait(_PERIOD_SECONDS)
