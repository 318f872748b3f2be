"""What a page asks: one request for each call, on connections that stay open, answered with the bytes of the services."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

from dapp_ext.errors import Busy, Invalid, MediaUnsupported, NotSignedIn
from dapp_ext.handlers.wire import check_json
from dapp_panel.calls import PACKED_FROM, Asked
from dapp_panel.routes.base import DashboardHandler

# What is longer is read and answered in a thread, whatever it asks for.
SHORT = 16 * 1024
_NEAR = ("127.0.0.1", "::1")


class CallHandler(DashboardHandler):
    """``POST /call/<name>`` with the parameters as a JSON object."""

    def compute_etag(self) -> None:
        """No tags: answers are never cached, and a tag would cost a hash of each on the loop."""

    async def post(self, name: str) -> None:
        self.check_same_origin()
        cookie = self.dashboard.doorkeeper.cookie_of(self.request)
        if not cookie:
            raise NotSignedIn
        # A form of another site can send text, but not this type.
        if self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            raise MediaUnsupported("Send the parameters as JSON, with the header Content-Type: application/json.")
        began = time.perf_counter()
        try:
            with self.dashboard.desk.seat(cookie):
                await self._answer(name, cookie)
        finally:
            self._note(time.perf_counter() - began)

    async def _answer(self, name: str, cookie: str) -> None:
        dashboard, body = self.dashboard, self.request.body
        given = read(body) if len(body) <= SHORT else await dashboard.crew.run(read, body)
        asked = Asked(name, given, cookie, self.request.remote_ip or "", self.request_id)
        far = self.request.remote_ip not in _NEAR and "gzip" in self.request.headers.get("Accept-Encoding", "")
        found = dashboard.desk.at_once(asked) if len(body) <= SHORT else None
        packed = False
        if found is None or (far and len(found) >= PACKED_FROM):
            found, packed = await dashboard.crew.run(dashboard.desk.answer, asked, pack=far)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        if packed:
            self.set_header("Content-Encoding", "gzip")
        self.finish(found)

    def _note(self, seconds: float) -> None:
        pace = self.dashboard.services.system.pace
        if pace.add("dashboard", seconds):
            with contextlib.suppress(Busy):  # the figures of this moment are written with the next
                self.dashboard.crew.submit(pace.write)


def read(body: bytes) -> dict[str, Any]:
    """The parameters of a call.

    Raises
    ------
    Malformed
        When this is not JSON that a page would send.
    Invalid
        When it is not an object.
    """
    check_json(body)
    given = json.loads(body)
    if not isinstance(given, dict):
        raise Invalid("The parameters must be a JSON object.")
    return given
