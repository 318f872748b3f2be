"""Answers that cannot wait for the end of a body: too large, too slow, or not to be taken at all.

Closing a line on which bytes still arrive resets it, and whoever sends loses the answer with it (RFC 9112, 9.6). So the
answer goes out at once, what still comes is taken in and dropped for a while, and then the line is closed.
"""

from __future__ import annotations

import sys
import time
from asyncio import Future
from typing import Any

from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from dapp_ext.errors import DappError, TooSlow

# So much of a body that nobody wants is still taken in, for so long, and not when nothing has come for a while.
DRAIN_LIMIT = 16 * 1024 * 1024
DRAIN_SECONDS = 10.0
SILENT_SECONDS = 2.0
# A body that is kept in memory has to be here by then; a file may take longer, as long as it keeps coming.
BODY_SECONDS = 60.0


class PartingHandler(RequestHandler):
    """A handler under ``stream_request_body`` that can answer while the body is on its way."""

    parted = False
    _holds = False  # while the answer is being written that the end of the request has to wait for
    _drained = 0
    _leaves_at = 0.0
    _watch: object | None = None

    @property
    def has_body(self) -> bool:
        """Whether a body was announced."""
        headers = self.request.headers
        return "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0"

    async def part(self, error: DappError) -> None:
        """Tell of an error now and drop what still comes of the body; ``parted`` is set."""
        self.parted = True
        if "Expect" in self.request.headers and self._watch is None:
            self.set_header("Connection", "close")
            self.write_error(0, exc_info=(type(error), error, None))  # waits to be asked for its body, so none is on its way
            return
        self.request.connection.set_max_body_size(sys.maxsize)
        self._leaves_at = time.monotonic() + DRAIN_SECONDS
        self.set_body_watch(SILENT_SECONDS)
        self._holds = True
        try:
            self.write_error(0, exc_info=(type(error), error, None))
        finally:
            self._holds = False

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        if not self._holds:
            return super().finish(chunk)
        if chunk is not None:
            self.write(chunk)
        self.set_header("Content-Length", str(sum(len(piece) for piece in self._write_buffer)))
        self.set_header("Connection", "close")
        return self.flush()

    def take_leave(self) -> None:
        """End a request whose answer is out, and its line with it."""
        self.stop_watch()
        if not self._finished:
            self.finish()
            self.request.connection.close()

    def drop(self, chunk: bytes) -> None:
        """Take in a piece that nobody wants, up to a limit."""
        self._drained += len(chunk)
        if self._drained > DRAIN_LIMIT or (self.parted and time.monotonic() > self._leaves_at):
            self.request.connection.close()
        elif self.parted:
            self.set_body_watch(SILENT_SECONDS)

    def set_body_watch(self, seconds: float) -> None:
        """Do not wait longer than this for the body, counted from now."""
        self.stop_watch()
        self._watch = IOLoop.current().call_later(seconds, self._overdue)

    def stop_watch(self) -> None:
        """The body is here, or its sender has gone."""
        if self._watch is not None:
            IOLoop.current().remove_timeout(self._watch)
            self._watch = None

    def _overdue(self) -> None:
        if self.parted:
            self.request.connection.close()
        else:
            IOLoop.current().add_callback(self.give_up, TooSlow())

    async def give_up(self, error: DappError) -> None:
        """The body did not come in time; a subclass that keeps some of it lets go of it."""
        await self.part(error)

    def on_finish(self) -> None:
        self.stop_watch()
        super().on_finish()

    def on_connection_close(self) -> None:
        self.stop_watch()
        super().on_connection_close()
