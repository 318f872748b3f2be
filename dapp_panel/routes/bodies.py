"""What a browser may send with a call or a form: so many bytes, in so much time; all else is told in the one envelope."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine
from tornado.ioloop import IOLoop
from tornado.web import Application, stream_request_body

from dapp_ext.errors import DappError, TooLarge, TooSlow
from dapp_ext.handlers.parting import BODY_SECONDS, PartingHandler
from dapp_ext.handlers.wire import BODY_LIMIT
from dapp_panel.routes.base import DashboardHandler

if TYPE_CHECKING:
    from dapp_panel.dashboard import Dashboard

# What a line may carry before the one that counts has said no.
UNHEARD = 2**62


@stream_request_body
class Refused(PartingHandler, DashboardHandler):
    """Tells why a body is not taken, whatever its address, while the rest of it is on its way."""

    for_people = False

    def initialize(self, dashboard: Dashboard, error: DappError | None = None) -> None:
        super().initialize(dashboard)
        self._error = error or TooLarge()

    async def prepare(self) -> None:
        await self.part(self._error)

    async def data_received(self, chunk: bytes) -> None:
        """Nobody wants it."""
        self.drop(chunk)

    async def get(self, *path: str) -> None:
        """The body has passed."""
        self.take_leave()

    post = put = patch = delete = head = options = get


class Bounded(HTTPMessageDelegate):
    """Passes a request on to its handler as long as its body keeps within the bounds.

    Parameters
    ----------
    inner : HTTPMessageDelegate
        Of a handler that gets its body whole.
    request : HTTPServerRequest
    application : Application
    dashboard : Dashboard
    """

    def __init__(self, inner: HTTPMessageDelegate, request: HTTPServerRequest, application: Application, dashboard: Dashboard) -> None:
        self._inner = inner
        self._request = request
        self._application = application
        self._dashboard = dashboard
        self._size = 0
        self._refused = False
        self._line: RequestStartLine | ResponseStartLine | None = None
        self._watch: Any = None

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Awaitable[None] | None:
        self._line = start_line
        announced = headers.get("Content-Length", "0")
        if not headers.get("Transfer-Encoding") and announced == "0":
            return self._inner.headers_received(start_line, headers)
        self._request.connection.set_max_body_size(UNHEARD)
        if announced.isascii() and announced.isdigit() and int(announced) > BODY_LIMIT:
            return self._refuse(_too_large())
        self._watch = IOLoop.current().call_later(BODY_SECONDS, self._refuse, TooSlow())
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._size += len(chunk)
        if self._refused or self._size <= BODY_LIMIT:
            return self._inner.data_received(chunk)
        return self._refuse(_too_large())

    def finish(self) -> None:
        self._stop_watch()
        self._inner.finish()

    def on_connection_close(self) -> None:
        self._stop_watch()
        self._inner.on_connection_close()

    def _refuse(self, error: DappError) -> Awaitable[None] | None:
        """From here on another handler takes the request; the one that was meant never hears of it."""
        self._stop_watch()
        self._refused = True
        if self._size:
            self._inner.on_connection_close()  # lets go of what it kept
        self._inner = self._application.get_handler_delegate(self._request, Refused, {"dashboard": self._dashboard, "error": error})
        assert self._line is not None
        return self._inner.headers_received(self._line, self._request.headers)

    def _stop_watch(self) -> None:
        if self._watch is not None:
            IOLoop.current().remove_timeout(self._watch)
            self._watch = None


def _too_large() -> TooLarge:
    return TooLarge(f"A request of this kind may carry {BODY_LIMIT:,} bytes at the most.")
