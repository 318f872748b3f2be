"""The extension in front of a DAPP service elsewhere (``DAPP_URL``): it hands on what it is asked, and holds no secret.

Each person's JupyterLab runs this beside that person's kernels, so nothing that is here may be worth stealing: no home is
opened, no key is read, and the only credential is the one that the person's own browser or script sends along. Jupyter's
token and cookies stay here; what is forwarded is DAPP's own credential and the body. Both directions are streamed, no
faster than the other side reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from jupyter_server.auth.decorator import allow_unauthenticated
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, stream_request_body
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketHandler, websocket_connect

from dapp_ext.errors import Denied, Malformed, RouteNotFound, SettingInvalid, Unavailable
from dapp_ext.handlers.base import DappHandler, NothingHere
from dapp_ext.handlers.events import RESTART, SUBPROTOCOL, TICKET_PREFIX
from dapp_ext.handlers.keeping import Keeping
from dapp_ext.handlers.operation import JSON
from dapp_ext.handlers.pages import Docs
from dapp_ext.handlers.wire import read_body
from dapp_ext.schema.accounts import ResumeRequest, TokenPair

API = "/dapp/api/v1"
PIECES_WAITING = 8
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 300.0
LARGEST_BODY = 1 << 40  # the service knows the limit, and refuses
_SENT = ("Accept", "Accept-Encoding", "Content-Type", "Content-Length", "Range", "X-Request-Id")
_PASSED_BACK = ("Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "Retry-After", "Allow", "X-DAPP-Version", "X-DAPP-Rows")
_VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Service:
    """Where requests go.

    Parameters
    ----------
    url : str
        Address of ``jupyter dapp serve``, or of any Jupyter server with DAPP.

    Raises
    ------
    SettingInvalid
        If it is not the address of a server.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingInvalid(f"DAPP_URL must be the address of a server, such as https://dapp.example.org, not {url!r}.")
        self.base = url.rstrip("/")
        self.client = httpx.AsyncClient(
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=20),
            trust_env=parts.hostname not in ("localhost", "127.0.0.1", "::1"),
        )

    @property
    def feed(self) -> str:
        """Address of the feed's WebSocket."""
        return "ws" + self.base.removeprefix("http") + f"{API}/events/ws"

    @property
    def silent(self) -> Unavailable:
        return Unavailable(f"The DAPP service at {self.base} does not answer. Try again in a moment, or tell its administrator.")


@stream_request_body
class Forward(DappHandler):
    """Any address of the API."""

    _pieces: asyncio.Queue[bytes | None] | None = None
    _answer: asyncio.Task[httpx.Response] | None = None

    def initialize(self, service: Service) -> None:
        self.service = service

    def check_xsrf_cookie(self) -> None:
        """No cookie adds to the power of what is forwarded, so another site's page cannot borrow any."""

    def allowed_methods(self) -> list[str]:
        return list(_VERBS)

    async def prepare(self) -> None:
        self.forget_jupyter()
        self.refuse_foreign_host()
        self.set_cors_headers()
        if self.request.method == "OPTIONS":
            return
        if self.request.method not in _VERBS:
            raise HTTPError(405)
        self.request.connection.set_max_body_size(LARGEST_BODY)
        size = self.request.headers.get("Content-Length", "0")
        if size != "0" or "Transfer-Encoding" in self.request.headers:
            self._pieces = asyncio.Queue(PIECES_WAITING)
        self._answer = asyncio.get_running_loop().create_task(self._ask())

    async def data_received(self, chunk: bytes) -> None:
        assert self._pieces is not None
        assert self._answer is not None
        waiting = asyncio.ensure_future(self._pieces.put(chunk))
        # When the service has answered already, as it does to refuse, nobody takes the rest.
        await asyncio.wait({waiting, self._answer}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def _body(self) -> AsyncIterator[bytes]:
        assert self._pieces is not None
        while (piece := await self._pieces.get()) is not None:
            yield piece

    async def _ask(self) -> httpx.Response:
        headers = {name: self.request.headers[name] for name in _SENT if name in self.request.headers}
        headers.setdefault("Accept-Encoding", "identity")
        headers["X-Request-Id"] = self.request_id
        token = self.credential()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        path = self.request.uri[self.request.uri.index(API) :]
        content = self._body() if self._pieces is not None else None
        asked = self.service.client.build_request(self.request.method, self.service.base + path, headers=headers, content=content)
        return await self.service.client.send(asked, stream=True)

    @allow_unauthenticated
    async def options(self, *_: str) -> None:
        if "Access-Control-Allow-Origin" in self._headers:
            self.set_header("Access-Control-Allow-Methods", ", ".join(_VERBS))
            self.set_header("Access-Control-Allow-Headers", "authorization, content-type, x-dapp-authorization, x-request-id")
        self.set_status(204)

    @allow_unauthenticated
    async def get(self, *_: str) -> None:
        await self._hand_back()

    head = post = put = patch = delete = get

    async def _hand_back(self) -> None:
        assert self._answer is not None
        if self._pieces is not None:
            ending = asyncio.ensure_future(self._pieces.put(None))
            await asyncio.wait({ending, self._answer}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            if not self._answer.done():
                await asyncio.wait({self._answer})
        try:
            answer = await self._answer
        except httpx.HTTPError as error:
            raise self.service.silent from error
        try:
            self.set_status(answer.status_code)
            for name in _PASSED_BACK:
                if name in answer.headers:
                    self.set_header(name, answer.headers[name])
            await self._stream(answer)
        finally:
            await answer.aclose()

    async def _stream(self, answer: httpx.Response) -> None:
        """Send the answer as it comes; cut the line if it breaks, so that half a file does not look whole."""
        try:
            if self.request.method != "HEAD":
                async for chunk in answer.aiter_raw():
                    self.write(chunk)
                    await self.flush()
        except StreamClosedError:
            return  # our own client has gone
        except httpx.HTTPError:
            if not self._headers_written:
                raise self.service.silent from None
            self.request.connection.close()
            return
        self.finish()

    def on_connection_close(self) -> None:
        """Nobody waits for the answer any more."""
        if self._answer is not None:
            self._answer.cancel()

    def on_finish(self) -> None:
        super().on_finish()
        if self._answer is not None and not self._answer.done():
            self._answer.cancel()


class ForwardFeed(WebSocketHandler, DappHandler):
    """The feed, frame by frame, with the close codes of the service."""

    _there: WebSocketClientConnection | None = None
    _pump: asyncio.Task[None] | None = None

    def initialize(self, service: Service) -> None:
        self.service = service

    async def prepare(self) -> None:
        self.forget_jupyter()
        self.refuse_foreign_host()
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise Malformed("This address speaks WebSocket only. Read the feed by GET /events.")
        token = self.credential()
        if not self.origin_is_ours() and (self.get_origin() is not None or token is None):
            raise Denied("The feed was asked for by a page of another site. Add its origin to DAPP_ALLOW_ORIGIN if you trust it.")
        headers = {"X-Request-Id": self.request_id} | ({"Authorization": f"Bearer {token}"} if token is not None else {})
        offered = [each.strip() for each in self.request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        passed = [each for each in offered if each == SUBPROTOCOL or each.startswith(TICKET_PREFIX)]
        if token is None:
            headers["Origin"] = self.service.base  # the page's own origin was checked here; the ticket says who it is
        query = f"?{self.request.query}" if self.request.query else ""
        asked = HTTPRequest(self.service.feed + query, headers=headers, connect_timeout=CONNECT_SECONDS, request_timeout=CONNECT_SECONDS * 3)
        try:
            self._there = await websocket_connect(asked, subprotocols=passed or None, max_message_size=16 * 1024 * 1024)
        except HTTPClientError as error:
            self._refuse_alike(error)
        except OSError as error:
            raise self.service.silent from error

    def _refuse_alike(self, error: HTTPClientError) -> None:
        """Answer the handshake as the service has answered it."""
        if error.response is None or not error.response.body:
            raise self.service.silent from error
        self.set_status(error.code)
        self.set_header("Content-Type", "application/json")
        self.finish(error.response.body)

    def check_origin(self, origin: str) -> bool:
        """Checked in :meth:`prepare`."""
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None

    @property
    def ping_interval(self) -> float:
        return 20.0

    @property
    def ping_timeout(self) -> float:
        return 20.0

    @allow_unauthenticated
    async def get(self, *args: str, **path: str) -> None:
        await super().get()

    def open(self, *args: str, **kwargs: str) -> None:
        self._pump = asyncio.get_running_loop().create_task(self._carry())

    async def _carry(self) -> None:
        assert self._there is not None
        try:
            while (frame := await self._there.read_message()) is not None:
                await self.write_message(frame, binary=isinstance(frame, bytes))
        except (WebSocketClosedError, StreamClosedError):
            return
        self.close(self._there.close_code or RESTART, self._there.close_reason or "The service is restarting.")

    async def on_message(self, message: str | bytes) -> None:
        """The feed takes nothing in."""

    def on_close(self) -> None:
        if self._there is not None:
            self._there.close()
        if self._pump is not None:
            self._pump.cancel()


class Alive(DappHandler):
    """Whether this process answers; what the service says is behind ``health/ready``."""

    async def prepare(self) -> None:
        self.forget_jupyter()

    @allow_unauthenticated
    def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(b'{"status":"ok"}')


class ForwardResume(Keeping):
    """The sign-in that the browser keeps: its cookie stays here, and the service is asked as by any other visitor."""

    def initialize(self, service: Service) -> None:
        self.service = service

    @property
    def instance(self) -> str:
        return self.service.base

    def check_xsrf_cookie(self) -> None:
        """Checked in :meth:`prepare`, with the origin."""

    async def prepare(self) -> None:
        self.forget_jupyter()
        if self.request.method not in ("POST", "DELETE"):
            raise HTTPError(405)
        self.refuse_foreign_page()

    def allowed_methods(self) -> list[str]:
        return ["POST", "DELETE"]

    @allow_unauthenticated
    async def post(self) -> None:
        body = read_body(ResumeRequest, self.request.body, self.request.headers.get("Content-Type", ""))
        token = body.refresh_token or self.kept
        if not token:
            self.set_status(204)
            return
        answer = await self._renew(token)
        if answer.status_code == 200:
            self.set_header("Content-Type", JSON)
            self.finish(self.keep(TokenPair.model_validate_json(answer.content)))
            return
        if answer.status_code == 401:
            self.stop_keeping()
        self.set_status(answer.status_code)
        for name in ("Content-Type", "Retry-After"):
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        self.finish(answer.content)

    @allow_unauthenticated
    async def delete(self) -> None:
        if self.kept:
            answer = await self._renew(self.kept)
            if answer.status_code == 200:
                token = TokenPair.model_validate_json(answer.content).access_token
                await self._ask("auth/logout", None, {"Authorization": f"Bearer {token}"})
        self.stop_keeping()
        self.set_status(204)

    async def _renew(self, token: str) -> httpx.Response:
        return await self._ask("auth/refresh", {"refresh_token": token}, {})

    async def _ask(self, path: str, body: Mapping[str, str] | None, headers: Mapping[str, str]) -> httpx.Response:
        try:
            return await self.service.client.post(f"{self.service.base}{API}/{path}", json=body, headers={**headers, "X-Request-Id": self.request_id})
        except httpx.HTTPError as error:
            raise self.service.silent from error


class NoExchange(DappHandler):
    """Jupyter's login means nothing to the service: it is another machine's, and everybody could claim any name."""

    def check_xsrf_cookie(self) -> None:
        """Refused whoever asks."""

    async def prepare(self) -> None:
        self.forget_jupyter()
        raise Denied("This JupyterLab works with a DAPP service for the whole team. Sign in with your DAPP email and password.")

    @allow_unauthenticated
    def post(self) -> None:
        """Never reached; says that nobody has to be signed in to be told so."""


class NotHere(DappHandler):
    """A sign-in link of the service opens its dashboard, not this JupyterLab."""

    async def prepare(self) -> None:
        self.forget_jupyter()
        raise RouteNotFound("This JupyterLab forwards to a DAPP service elsewhere. Sign in in its sidebar, with your email and password.")

    @allow_unauthenticated
    def get(self) -> None:
        """Never reached; says that nobody has to be signed in to be told so."""


def forwarding_handlers(service: Service) -> list[tuple[Any, ...]]:
    """All routes of an extension that forwards, below the server's base URL."""
    given: Mapping[str, Service] = {"service": service}
    return [
        (f"{API}/health/live", Alive),
        (f"{API}/events/ws", ForwardFeed, given),
        (f"{API}/auth/jupyter", NoExchange),
        (f"{API}/auth/resume", ForwardResume, given),
        (rf"{API}/.*", Forward, given),
        ("/dapp/docs", Docs),
        (r"/dapp/docs/(?P<name>docs\.(?:css|js))", Docs),
        ("/dapp/signin", NotHere),
        (r"/dapp(?:/.*)?", NothingHere),
    ]
