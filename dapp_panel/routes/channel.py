"""The channel: a Bokeh session of one component, opened by a signed-in page and bound to its sign-in."""

from __future__ import annotations

import json
import logging
from typing import Any

from bokeh.server.views.session_handler import SessionHandler
from bokeh.util.token import get_token_payload
from panel.io.server import WSHandler
from tornado.web import HTTPError

from dapp_ext.errors import Denied, NotSignedIn
from dapp_ext.schema.base import new_id
from dapp_panel.auth import Visitor
from dapp_panel.conversation import error_answer
from dapp_panel.dashboard import Dashboard
from dapp_panel.routes.base import status_of

log = logging.getLogger(__name__)


class ChannelHandler(SessionHandler):
    """Opens a session and tells the page where it is; sessions that others opened cannot be named."""

    def get_current_user(self) -> Visitor | None:
        return None  # only what `prepare` found counts

    async def get(self) -> None:
        dashboard: Dashboard = self.application.dashboard
        if not isinstance(self.current_user, Visitor):
            self._refuse(NotSignedIn())
        elif self.request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin" or self.request.arguments:
            self._refuse(Denied())
        elif "Bokeh-Session-Id" in self.request.headers or not dashboard.origins.allows_host(self.request.host):
            self._refuse(Denied())
        else:
            session = await self.get_session()
            root = session.document.roots[0]
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps({"token": session.token, "root": root.id}))

    def _refuse(self, error: NotSignedIn | Denied) -> None:
        self.set_status(status_of(error))
        self.set_header("Content-Type", "application/json")
        self.finish(error_answer(error, new_id()))


class ChannelSocket(WSHandler):
    """The socket of a channel: exact origin, live sign-in, and the same sign-in that opened the session."""

    def get_current_user(self) -> Visitor | None:
        return None

    def check_origin(self, origin: str) -> bool:
        dashboard: Dashboard = self.application.dashboard
        return dashboard.origins.allows(origin)

    async def prepare(self) -> None:
        if "Origin" not in self.request.headers:
            raise HTTPError(403)
        await super().prepare()

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
