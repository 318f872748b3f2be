"""A visitor without a browser: cookie, requests, calls, and the channel in Bokeh's own protocol."""

from __future__ import annotations

import json
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from dapp_ext.schema.accounts import Actor
from dapp_ext.settings import Settings
from dapp_panel.auth import Cookie

WAIT = 20.0


@dataclass
class Opened:
    """What the server said when a channel was opened."""

    token: str
    root: str


class Visit:
    """One signed-in browser."""

    def __init__(self, address: str, settings: Settings, cookie: str, actor: Actor) -> None:
        self.address = address
        self.actor = actor
        self.cookie = cookie
        self.name = Cookie.of(settings).name
        self.http = httpx.Client(base_url=address, cookies={self.name: cookie}, timeout=WAIT)
        self._lines = ExitStack()

    def headers(self, **more: str) -> dict[str, str]:
        """What a browser adds to a request of the page itself."""
        return {"Origin": self.address, "Sec-Fetch-Site": "same-origin", **more}

    def call(self, name: str, /, **params: Any) -> dict[str, Any]:
        """Ask what a page asks: ``{"ok": …}`` or the envelope of a failure."""
        answer = self.http.post(f"/call/{name}", json=params, headers=self.headers())
        found: dict[str, Any] = answer.json()
        return {"ok": found} if answer.status_code == 200 else found

    def open(self) -> Opened:
        """Ask for a channel."""
        answer = self.http.get("/channel")
        assert answer.status_code == 200, answer.text
        return Opened(**answer.json())

    def channel(self, opened: Opened | None = None, *, origin: str | None = None) -> Channel:
        """Open the socket of a channel and wait until it is there."""
        opened = opened or self.open()
        opening = connect(
            self.address.replace("http", "ws") + "/ws",
            origin=origin or self.address,  # type: ignore[arg-type]
            subprotocols=["bokeh", opened.token],  # type: ignore[list-item]
            additional_headers={"Cookie": f"{self.name}={self.cookie}"},
        )
        line = Channel(self._lines.enter_context(opening), opened.root)
        line.take("ACK")
        return line

    def close(self) -> None:
        self._lines.close()
        self.http.close()


class Channel:
    """What one page hears."""

    def __init__(self, socket: ClientConnection, root: str) -> None:
        self._socket = socket
        self._root = root
        self._items: deque[dict[str, Any]] = deque()

    def send(self, data: dict[str, Any]) -> None:
        """Send what the page's component sends."""
        values = {"type": "map", "entries": [["model", {"id": self._root}], ["data", _typed(data)]]}
        event = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": {"type": "event", "name": "data_event", "values": values}}
        for part in ({"msgid": "test", "msgtype": "PATCH-DOC"}, {}, {"events": [event]}):
            self._socket.send(json.dumps(part))

    def until(self, fits: Any) -> dict[str, Any]:
        """The first item that fits; others are kept."""
        while True:
            for item in list(self._items):
                if fits(item):
                    self._items.remove(item)
                    return item
            self._items.extend(self._receive())

    def take(self, kind: str) -> dict[str, Any]:
        """The content of the next message of a kind."""
        while True:
            header = json.loads(self._socket.recv(WAIT))
            json.loads(self._socket.recv(WAIT))
            content: dict[str, Any] = json.loads(self._socket.recv(WAIT))
            if header["msgtype"] == kind:
                return content

    def leave(self) -> None:
        """The page is closed."""
        self._socket.close()

    def _receive(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for event in self.take("PATCH-DOC")["events"]:
            values = dict(event["msg_data"]["values"]["entries"])
            found.extend(json.loads(values["data"]))
        return found


def _typed(value: Any) -> Any:
    """Bokeh's way to write maps."""
    if isinstance(value, dict):
        return {"type": "map", "entries": [[key, _typed(each)] for key, each in value.items()]}
    if isinstance(value, list):
        return [_typed(each) for each in value]
    return value
