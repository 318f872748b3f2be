"""Visitors of the dashboard without a browser: what a page sends, over connections that stay open, and its live channel.

The far end costs as little as it can, so that it is the server that is measured: raw streams, a request written at once, an
answer read by its length. Every visitor has a browser's two connections: one for calls, and, once its first data
is there, a channel.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

# As `frontend/src/channel.ts` and `calls.ts`: after the last answer, and then a chance moment.
QUIET, SPREAD = 0.12, 0.4


@dataclass(frozen=True)
class Sign:
    """Where the dashboard is, and by which cookie somebody is known there."""

    address: str
    name: str
    cookie: str


class Visitor:
    """One signed-in browser."""

    def __init__(self, sign: Sign) -> None:
        self._sign = sign
        self._host = urlsplit(sign.address).netloc
        self._common = f"Host: {self._host}\r\nCookie: {sign.name}={sign.cookie}\r\nSec-Fetch-Site: same-origin\r\nAccept-Encoding: gzip\r\n"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._channel: ClientConnection | None = None
        self._root = ""

    async def page(self) -> None:
        """The shell."""
        await self._ask("GET / HTTP/1.1\r\n" + self._common + "\r\n")

    async def call(self, name: str, **params: Any) -> float:
        """Seconds from a question to its whole answer."""
        body = json.dumps(params)
        start = time.perf_counter()
        kind = f"Origin: {self._sign.address}\r\nContent-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n\r\n"
        await self._ask(f"POST /call/{name} HTTP/1.1\r\n{self._common}{kind}{body}")
        return time.perf_counter() - start

    async def _ask(self, text: str) -> bytes:
        if self._writer is None:
            host, _, port = self._host.partition(":")
            self._reader, self._writer = await asyncio.open_connection(host, int(port), limit=2**20)
        assert self._reader is not None
        self._writer.write(text.encode())
        head = (await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 120)).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(f"{text[:60]!r}: {head[:40]!r} {body[:400]!r}")
        return body

    async def listen(self, *, later: bool = True) -> None:
        """Open the channel, as the page does after its first data, and follow what happens."""
        if later:
            await asyncio.sleep(QUIET + random.random() * SPREAD)
        told = json.loads(await self._ask("GET /channel HTTP/1.1\r\n" + self._common + "\r\n"))
        self._root = told["root"]
        self._channel = await connect(
            self._sign.address.replace("http", "ws") + "/ws",
            origin=self._sign.address,  # type: ignore[arg-type]
            subprotocols=["bokeh", told["token"]],  # type: ignore[list-item]
            additional_headers={"Cookie": f"{self._sign.name}={self._sign.cookie}"},
            max_size=2**26,
            compression=None,
        )
        await self.hears('"ACK"')
        await self._say({"follow": ""})
        await self.hears('"following"')

    async def _say(self, data: dict[str, str]) -> None:
        assert self._channel is not None
        values = {"type": "map", "entries": [["model", {"id": self._root}], ["data", {"type": "map", "entries": [[*each] for each in data.items()]}]]}
        event = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": {"type": "event", "name": "data_event", "values": values}}
        for part in ({"msgid": "bench", "msgtype": "PATCH-DOC"}, {}, {"events": [event]}):
            await self._channel.send(json.dumps(part))

    async def hears(self, text: str) -> None:
        """Wait until the channel brings this."""
        assert self._channel is not None
        escaped = text.replace('"', '\\"')
        while True:
            part = await asyncio.wait_for(self._channel.recv(), 60)
            if isinstance(part, str) and (escaped in part or text in part):
                return

    async def leave(self) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._channel is not None:
            await self._channel.close()
