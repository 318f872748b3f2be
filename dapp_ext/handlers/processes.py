"""A process that a server starts beside itself when somebody asks for it, and ends with itself."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping

from dapp_ext.errors import Unavailable
from dapp_ext.settings import PYTHON

END_SECONDS = 10.0


class ChildProcess:
    """One child, started at most once at a time.

    Should this server die without a word, the child lives on and is found again by its announced address.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._ended = False

    def start(self, environment: Mapping[str, str], *arguments: str) -> bool:
        """Start ``python -m …`` unless it runs; whether it was started now.

        Raises
        ------
        Unavailable
            If this machine cannot start another process, or this server is ending.
        """
        with self._lock:
            if self._ended:
                raise Unavailable("The server is shutting down.")
            if self.running:
                return False
            try:
                # A session of its own: Ctrl-C in the terminal reaches the server, which then ends its child in order.
                self._process = subprocess.Popen([*PYTHON, "-m", *arguments], stdin=subprocess.DEVNULL, env=dict(environment), start_new_session=True)
            except OSError as error:
                raise Unavailable(f"Another process could not be started: {error.strerror}.") from error
            return True

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it: asked first, forced after ten seconds."""
        with self._lock:
            self._ended = True
            process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
