"""The server: Bokeh's Tornado application with the dashboard's own doors in front of it."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from bokeh.application import Application
from bokeh.application.application import SessionContext
from bokeh.application.handlers import FunctionHandler
from bokeh.application.handlers.document_lifecycle import DocumentLifecycleHandler
from bokeh.document import Document
from bokeh.server.tornado import BokehTornado
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets
from tornado.web import RequestHandler

from dapp_ext.errors import SettingInvalid
from dapp_ext.logs import outline
from dapp_panel.auth import DappAuthProvider, Visitor
from dapp_panel.components.workspace import Workspace
from dapp_panel.conversation import Conversation
from dapp_panel.dashboard import Dashboard
from dapp_panel.routes import routes
from dapp_panel.routes.base import NotHere, WrongHost, security_headers, without_token
from dapp_panel.routes.bodies import Bounded
from dapp_panel.state import VisitState

log = logging.getLogger(__name__)

LARGEST_MESSAGE = 64 * 1024  # of a page: where it is, and from which event on it follows
PORTS_TRIED = 100


class Visits(Application):
    """Builds the document of one visit, and lets go of it when its session ends."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard
        super().__init__(FunctionHandler(self._open), QuietEnd())

    def process_request(self, request: HTTPServerRequest) -> dict[str, Any]:
        """What the signed token of a page says: nothing but a mark of the sign-in."""
        visitor = getattr(request, "visitor", None)
        return {"sign_in": self._dashboard.doorkeeper.binding(visitor)} if isinstance(visitor, Visitor) else {}

    def _open(self, document: Document) -> None:
        visitor = document.session_context.request.visitor
        workspace = Workspace()
        state = VisitState()

        loop = IOLoop.current()

        def to_page(work: Callable[[], None]) -> None:
            # Not through the document's own callbacks: while it holds its changes, one that another thread adds can be lost.
            if not conversation.closed:
                loop.add_callback(_do, document, work)

        conversation = Conversation(self._dashboard, visitor, state, to_page=to_page, send=workspace.send)
        workspace.attach(conversation)
        # The page tells of a lost line and opens a new one by itself (``frontend/src/channel.ts``).
        document.config.update(reconnect_session=False, notify_connection_status=False)
        document.on_session_destroyed(partial(_closed, conversation))
        document.destroy = partial(_let_go, document)
        workspace.server_doc(document, location=False)
        self._dashboard.opened(conversation)


class QuietEnd(DocumentLifecycleHandler):
    """What a document wants done at the end of its session, without a full garbage collection after each.

    Bokeh makes two for every page that is closed; a hundred milliseconds each, in which nobody is answered.
    """

    def __init__(self) -> None:
        super().__init__()
        self._on_session_destroyed = _end


def _end(context: SessionContext) -> None:
    document = context._document
    callbacks, document.session_destroyed_callbacks = document.session_destroyed_callbacks, set()
    for each in callbacks:
        try:
            each(context)
        except Exception as error:  # noqa: BLE001  told in the log; the others are still called
            log.error("the end of a page could not be told:\n%s", outline(error))


def _let_go(document: Document, session: Any) -> None:
    """What ``Document.destroy`` does, without a garbage collection: what is left in cycles goes with the next one that Python makes."""
    document.remove_on_change(session)
    del document._roots
    del document._theme
    del document._template
    document._session_context = None
    document.callbacks.destroy()
    document.models.destroy()
    document.modules.destroy()
    del document.destroy


def _closed(conversation: Conversation, _: Any) -> None:
    conversation.close()


async def _do(document: Document, work: Callable[[], None]) -> None:
    """Work of a page on the event loop, with its document to itself; a session that has ended has no reader any more."""
    context = document.session_context
    while context is not None and context.session is None:
        await asyncio.sleep(0.01)  # its session is just being made
    if context is not None and not context.destroyed:
        await context.session.with_document_locked(work)


class DashboardTornado(BokehTornado):
    """Bokeh's application; only names of this dashboard are answered, and its own doors come first."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.dashboard = dashboard
        super().__init__(
            Visits(dashboard),
            auth_provider=DappAuthProvider(dashboard.doorkeeper),
            secret_key=dashboard.session_secret.encode(),
            sign_sessions=True,
            include_headers=[],
            include_cookies=[],
            use_index=False,
            ico_path="none",
            websocket_max_message_size_bytes=LARGEST_MESSAGE,
            session_token_expiration=300,
            # A page that lost its line opens a new session, so one without a page has no use.
            unused_session_lifetime_milliseconds=5_000,
            check_unused_sessions_milliseconds=5_000,
            default_handler_class=NotHere,
            default_handler_args={"dashboard": dashboard},
        )
        self.add_transform(security_headers(dashboard.origins.framing, dashboard.assets.early_hash()))
        context = self.applications["/"]
        self.add_handlers(".*", routes(dashboard, {"application_context": context, "bokeh_websocket_path": "/ws"}))

    def log_request(self, handler: RequestHandler) -> None:
        """By path alone: a query may carry the token of a link, or values of somebody's data."""
        handler.request.uri = without_token(handler.request.path)
        super().log_request(handler)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate:
        if not self.dashboard.origins.allows_host(request.host):
            found: HTTPMessageDelegate = self.get_handler_delegate(request, WrongHost, {"dashboard": self.dashboard})
        else:
            found = super().find_handler(request, **kwargs)
        # Who takes a body by pieces bounds it itself.
        return found if getattr(found, "stream_request_body", False) else Bounded(found, request, self, self.dashboard)


class PromptServer(HTTPServer):
    """Sends small messages at once instead of waiting for more to send."""

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        if stream.socket.family in (socket.AF_INET, socket.AF_INET6):
            stream.set_nodelay(True)
        super().handle_stream(stream, address)


def listen(host: str, port: int) -> tuple[list[socket.socket], int]:
    """Sockets on the wished port, or on the next free one; and which it was.

    Raises
    ------
    SettingInvalid
        When the address cannot be listened on, or no port is free.
    """
    for candidate in range(port, port + PORTS_TRIED) if port else [0]:
        try:
            sockets = bind_sockets(candidate, host or None)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise SettingInvalid(f"The dashboard cannot listen on {host}, port {candidate}: {error.strerror}.") from error
        return sockets, sockets[0].getsockname()[1]
    raise SettingInvalid(f"No port from {port} to {port + PORTS_TRIED - 1} is free. Give another one with DAPP_DASHBOARD_PORT.")
