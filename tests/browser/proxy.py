"""A reverse proxy as it stands before a JupyterHub: it passes a path on with its headers, and WebSockets too."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Any, Self

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClientConnection, WebSocketHandler, websocket_connect

BETWEEN = {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length", "content-encoding"}
LARGEST = 64 * 2**20


class Pages(RequestHandler):  # type: ignore[misc]
    """Everything that is no WebSocket."""

    def initialize(self, target: int, seen: list[str]) -> None:
        self.target, self.seen = target, seen

    def set_default_headers(self) -> None:
        self.clear_header("Server")

    def check_xsrf_cookie(self) -> None:
        """That is the business of the server behind."""

    async def prepare(self) -> None:
        self.seen.append(self.request.path)
        request = self.request
        headers = {name: value for name, value in request.headers.items() if name.lower() not in BETWEEN}
        headers |= {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "http", "X-Scheme": "http"}
        method = str(request.method)
        asked = HTTPRequest(
            f"http://127.0.0.1:{self.target}{request.uri}",
            method=method,
            headers=headers,
            body=request.body if method in ("POST", "PUT", "PATCH") else None,
            follow_redirects=False,
            request_timeout=60,
        )
        answer = await AsyncHTTPClient().fetch(asked, raise_error=False)
        self.set_status(answer.code, answer.reason)
        for name, value in answer.headers.get_all():
            if name.lower() not in BETWEEN:
                self.add_header(name, value)
        await self.finish(answer.body if answer.code not in (204, 304) else None)


class Lines(WebSocketHandler):  # type: ignore[misc]
    """WebSockets, with their subprotocols."""

    def initialize(self, target: int, seen: list[str]) -> None:
        self.target, self.seen = target, seen
        self.there: WebSocketClientConnection | None = None

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return self.there.selected_subprotocol if self.there else None

    async def get(self, *args: Any, **kwargs: Any) -> None:
        self.seen.append(self.request.path)
        wanted = [each.strip() for each in self.request.headers.get("Sec-WebSocket-Protocol", "").split(",") if each.strip()]
        headers = {name: self.request.headers[name] for name in ("Cookie", "Origin", "Host", "Authorization") if name in self.request.headers}
        asked = HTTPRequest(f"ws://127.0.0.1:{self.target}{self.request.uri}", headers=headers)
        self.there = await websocket_connect(asked, subprotocols=wanted or None, max_message_size=LARGEST)
        await super().get(*args, **kwargs)

    async def open(self, *_: str, **__: str) -> None:
        self.reading = asyncio.ensure_future(self._read())

    async def on_message(self, message: str | bytes) -> None:
        if self.there:
            await self.there.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        if self.there:
            self.there.close()

    async def _read(self) -> None:
        there = self.there
        while there and (message := await there.read_message()) is not None:
            await self.write_message(message, binary=isinstance(message, bytes))
        self.close(there.close_code if there else None)


class _Either:
    """Which of the two a request is for is told by its headers alone."""

    def __init__(self, target: int, seen: list[str]) -> None:
        given = {"target": target, "seen": seen}
        self.application = Application([(r".*", Pages, given)])
        self.lines = Application([(r".*", Lines, given)])

    def __call__(self, request: Any) -> None:
        is_line = request.headers.get("Upgrade", "").lower() == "websocket"
        (self.lines if is_line else self.application).find_handler(request).execute()


class Proxy:
    """Stands before the server at port ``target``; a context manager. ``seen`` are the paths that went through."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.seen: list[str] = []
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> None:
        AsyncHTTPClient.configure(None, max_clients=100, max_body_size=LARGEST)
        self._server = HTTPServer(_Either(self._target, self.seen))
        (socket,) = bind_sockets(0, "127.0.0.1")
        self.port = socket.getsockname()[1]
        self._server.add_socket(socket)

    async def _end(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()
        AsyncHTTPClient().close()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
