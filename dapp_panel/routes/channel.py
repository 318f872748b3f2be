"""The channel: a Bokeh session of one component, opened by a signed-in page and bound to its sign-in."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

from bokeh.server.views.session_handler import SessionHandler
from bokeh.util.token import get_token_payload
from panel.io.server import WSHandler

from dapp_ext.errors import Denied, NotSignedIn
from dapp_ext.handlers.handshake import check_handshake
from dapp_ext.handlers.wire import as_dapp_error, envelope, status_of
from dapp_ext.logs import outline
from dapp_ext.schema.base import new_id
from dapp_panel.auth import Visitor
from dapp_panel.dashboard import Dashboard

log = logging.getLogger(__name__)

LONGEST_REST = 0.05


class ChannelHandler(SessionHandler):
    """Opens a session and tells the page where it is; sessions that others opened cannot be named."""

    def get_current_user(self) -> Visitor | None:
        return None  # only what `prepare` found counts

    async def get(self) -> None:
        if not isinstance(self.current_user, Visitor):
            self._refuse(NotSignedIn())
        elif self._is_foreign():
            self._refuse(Denied())
        else:
            async with self.application.dashboard.opening:
                began = time.thread_time()
                session = await self.get_session()
                await asyncio.sleep(min(LONGEST_REST, time.thread_time() - began))
            root = session.document.roots[0]
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps({"token": session.token, "root": root.id}))

    def _is_foreign(self) -> bool:
        """Whether another site asks, or a session is named that the server did not make up itself."""
        named = bool(self.request.arguments) or "Bokeh-Session-Id" in self.request.headers
        return named or self.request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"

    def _refuse(self, error: NotSignedIn | Denied) -> None:
        self.set_status(status_of(error))
        self.set_header("Content-Type", "application/json")
        self.finish(envelope(error, new_id()))


class ChannelSocket(WSHandler):
    """The socket of a channel: exact origin, live sign-in, and the same sign-in that opened the session."""

    def get_current_user(self) -> Visitor | None:
        return None

    def check_origin(self, origin: str) -> bool:
        dashboard: Dashboard = self.application.dashboard
        return dashboard.origins.allows(origin)

    async def prepare(self) -> None:
        # Tornado asks `check_origin` only in doubt; here every socket must come from exactly the own origin.
        check_handshake(self.request.headers)
        if not self.check_origin(self.request.headers.get("Origin", "")):
            raise Denied("The line was asked for by another page than the dashboard's own. Open the dashboard and try again.")
        if await self.application.dashboard.doorkeeper.visitor(self.request) is None:
            raise NotSignedIn
        await super().prepare()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A line that is not opened is told why in the one envelope."""
        error = as_dapp_error(kwargs.get("exc_info", (None, None))[1])
        self.set_status(status_of(error))
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(envelope(error, new_id()))

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """What a visitor did wrong is in the answer."""
        if value is not None and status_of(as_dapp_error(value)) == 500:
            log.error("a channel failed:\n%s", outline(value))

    def open(self, *args: Any, **kwargs: Any) -> Any:
        dashboard: Dashboard = self.application.dashboard
        try:
            payload = get_token_payload(self._token or "")
        except (ValueError, KeyError):
            payload = {}
        if payload.get("sign_in") != dashboard.doorkeeper.binding(self.current_user):
            log.warning("a channel was refused: its session belongs to another sign-in")
            self.close(4403)
            return None
        self.set_nodelay(True)
        return super().open(*args, **kwargs)
