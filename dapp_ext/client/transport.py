"""HTTP to the server: credentials on, errors back as the classes that the server raised.

Only GET is tried again, because anything else may already have taken effect.
"""

from __future__ import annotations

import http.client
import io
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from dapp_ext.client.auth import SignIn
from dapp_ext.client.certificates import refused, trusted
from dapp_ext.client.direct import DirectAnswer
from dapp_ext.client.discovery import API, Server
from dapp_ext.client.unreachable import nobody
from dapp_ext.errors import Broken, DappError, FileUnreadable, Internal, Invalid, NotSignedIn, RouteNotFound, TooLarge, Unavailable, error_from_code
from dapp_ext.schema.base import ErrorAnswer

T = TypeVar("T", bound=BaseModel)

_PAUSES = (0.2, 0.8)  # seconds before the second and the third try of a GET
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
# After the last byte of an upload the server seals the file before it answers.
_UPLOAD_TIMEOUT = httpx.Timeout(600.0, connect=5.0)


def path_of(*parts: str) -> str:
    """A path below the API out of names as people write them."""
    for part in parts:
        if not part or part in (".", ".."):
            raise Invalid(f"{part!r} is not a name or id.")
    return "/".join(quote(part, safe="") for part in parts)


class Transport:
    """Requests to one server, from any thread.

    Parameters
    ----------
    server : Server
        Where, and with what credentials to begin.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self._http = httpx.Client(
            base_url=f"{server.url}{API}",
            timeout=_TIMEOUT,
            verify=trusted(server.url, server.certificate),
            trust_env=not server.is_local,
            headers={"Accept": "application/json", "User-Agent": "dapp-client"},
        )
        # Jupyter answers with a cookie of its own; sent back it would be a second identity.
        self._http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.sign_in = SignIn(server, self._post_unsigned)

    def get(self, shape: type[T], path: str, **query: Any) -> T:
        """Read one thing. Query values of ``None`` are left out, lists are repeated."""
        return self._shaped(shape, self._send("GET", path, query=query))

    def post(self, shape: type[T], path: str, body: BaseModel | dict[str, Any] | None = None) -> T:
        """Ask for something to be made or done."""
        return self._shaped(shape, self._send("POST", path, body=body))

    def patch(self, shape: type[T], path: str, body: BaseModel | dict[str, Any]) -> T:
        """Change one thing."""
        return self._shaped(shape, self._send("PATCH", path, body=body))

    def put(self, shape: type[T], path: str, body: BaseModel | dict[str, Any]) -> T:
        """Let one thing be as the body says, whether it was there before or not."""
        return self._shaped(shape, self._send("PUT", path, body=body))

    def delete(self, shape: type[T], path: str) -> T:
        """Take one thing away; the answer says what is left."""
        return self._shaped(shape, self._send("DELETE", path))

    def call(self, method: str, path: str, body: BaseModel | dict[str, Any] | None = None) -> None:
        """A request whose answer has no content."""
        self._send(method, path, body=body)

    def upload(self, shape: type[T], path: str, pieces: Iterable[bytes], *, size: int | None, query: dict[str, Any]) -> T:
        """Send bytes as they come, without holding them all.

        The pieces can be sent only once, so the token is made fresh before and a failure is not tried again.
        """
        headers = {"Content-Type": "application/octet-stream", **self.sign_in.headers()}
        if size is not None:
            headers["Content-Length"] = str(size)
        with self._translated():
            response = self._http.post(
                path, content=iter(pieces) if size is None else _exactly(pieces, size), params=_query(query), headers=headers, timeout=_UPLOAD_TIMEOUT
            )
        self._raise_for(response)
        return self._shaped(shape, response)

    @contextmanager
    def download(self, path: str, **query: Any) -> Iterator[BinaryIO]:
        """The body of an answer as a stream that reads from the socket."""
        request = self._http.build_request("GET", path, params=_query(query))
        if self.server.is_local and request.url.scheme == "http":
            with self._directly(request) as stream:
                yield stream
            return
        response = self._signed(request, stream=True)
        try:
            if response.is_error:
                with self._translated():
                    response.read()
                self._raise_for(response)
            with self._translated():
                yield io.BufferedReader(_Body(response.iter_bytes()), 1 << 20)
        finally:
            response.close()

    @contextmanager
    def _directly(self, request: httpx.Request) -> Iterator[BinaryIO]:
        """The same from this machine, without the copies on the way."""
        headers = self.sign_in.headers()
        answer = self._asked_directly(request, headers)
        try:
            if answer.status == 401:
                answer.close()
                self.sign_in.renew(headers)
                answer = self._asked_directly(request, self.sign_in.headers())
            if answer.status != 200:
                with self._translated():
                    self._raise_for(httpx.Response(answer.status, headers=answer.headers, content=answer.read(), request=request))
            with self._translated():
                yield cast(BinaryIO, answer)
        finally:
            answer.close()

    def _asked_directly(self, request: httpx.Request, headers: dict[str, str]) -> DirectAnswer:
        with self._translated():
            return DirectAnswer(str(request.url), {"Accept": "*/*", "User-Agent": "dapp-client", **headers}, _TIMEOUT.read or 60.0)

    def close(self) -> None:
        self._http.close()

    def _send(self, method: str, path: str, *, query: dict[str, Any] | None = None, body: Any = None) -> httpx.Response:
        content = _json(body)
        headers = {"Content-Type": "application/json"} if content is not None else {}
        pauses = iter(_PAUSES if method == "GET" else ())
        while True:
            request = self._http.build_request(method, path, params=_query(query or {}), content=content, headers=headers)
            try:
                response = self._signed(request)
                self._raise_for(response)
                return response
            except Unavailable:
                pause = next(pauses, None)
                if pause is None:
                    raise
                time.sleep(pause)

    def _signed(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """Send with credentials; once more with renewed ones when they are refused."""
        headers = self.sign_in.headers()
        request.headers.update(headers)
        with self._translated():
            response = self._http.send(request, stream=stream)
        if response.status_code != 401:
            return response
        response.close()
        self.sign_in.renew(headers)
        request.headers.update(self.sign_in.headers())
        with self._translated():
            return self._http.send(request, stream=stream)

    def _post_unsigned(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
        with self._translated():
            response = self._http.post(path, content=_json(body), headers={"Content-Type": "application/json", **headers})
        self._raise_for(response)
        return self._parsed(response)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """What can happen to a connection, in our own words."""
        url = self.server.url
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, ConnectionRefusedError) as error:
            why = refused(error, url)
            if why is not None:
                raise Invalid(why) from error
            raise Unavailable(nobody(error, url)) from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise Unavailable(f"The server at {url} did not answer in time. Try again in a moment.") from error
        except (httpx.TransportError, httpx.StreamError, http.client.HTTPException, ConnectionError) as error:
            raise Unavailable(f"The connection to {url} was lost. Try again.") from error
        except (httpx.InvalidURL, httpx.HTTPError) as error:
            raise Invalid(f"The address {url} cannot be used: {error}") from error

    def _raise_for(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        try:
            body = ErrorAnswer.model_validate_json(response.content).error
        except ValidationError:
            raise self._foreign(response) from None
        details = {name: value for name, value in body.details.items() if name not in ("message", "self")}
        error = error_from_code(body.code, body.message, details)
        error.details["request_id"] = body.request_id
        if isinstance(error, Broken):
            error.message = f"{error.message} (request {body.request_id})"
            error.args = (error.message,)
        raise error

    def _foreign(self, response: httpx.Response) -> DappError:
        """An answer that DAPP did not give: of Jupyter, a proxy, or some other server."""
        url, status = self.server.url, response.status_code
        if status in (401, 403):
            return NotSignedIn(f"The server at {url} did not let the request through (status {status}). Sign in again.")
        if status == 413:
            return TooLarge(f"A server on the way to {url} refused so many bytes. Ask an administrator to raise its limit.")
        if status in (502, 503, 504):
            return Unavailable(f"The server at {url} does not answer right now (status {status}). Try again in a moment.")
        if status == 404 or response.is_redirect:
            return RouteNotFound(f"There is no DAPP at {url}. Check the address; on a Jupyter server enable it with: jupyter server extension enable dapp_ext")
        return Internal(f"The server at {url} gave an answer that DAPP does not give (status {status}).")

    def _shaped(self, shape: type[T], response: httpx.Response) -> T:
        try:
            return shape.model_validate_json(response.content)
        except ValidationError as error:
            raise self._odd() from error

    def _parsed(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise self._odd() from error

    def _odd(self) -> DappError:
        return Internal(f"The server at {self.server.url} gave an answer that this client does not understand. Client and server may differ in version.")


class _Body(io.RawIOBase):
    """A response body as a file that can be read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _json(body: Any) -> bytes | None:
    if body is None:
        return None
    if isinstance(body, BaseModel):
        return body.model_dump_json(exclude_unset=True).encode()
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _exactly(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The pieces, as long as they are as many bytes as was said before: a file may grow or shrink while it is sent."""
    left = size
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            break
        yield piece
    if left:
        raise FileUnreadable("The file changed while it was being sent. Wait until nothing writes to it any more, and send it again.")


def _query(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
