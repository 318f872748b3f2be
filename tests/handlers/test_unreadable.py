"""What tornado itself refuses, at a server that explains it."""

from __future__ import annotations

import asyncio
import json

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from dapp_ext.handlers.unreadable import explain_unreadable

HEAD = b"Host: localhost\r\n"


class Echo(RequestHandler):
    def post(self) -> None:
        self.finish("fine")

    get = post


async def _say(said: bytes) -> bytes:
    """All that a server of its own answers to these bytes."""
    server = HTTPServer(Application([("/.*", Echo)]), max_header_size=20_000, max_body_size=1_000)
    explain_unreadable(server)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    reader, writer = await asyncio.open_connection(*sockets[0].getsockname())
    writer.write(said)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    server.stop()
    await server.close_all_connections()
    return answer


@pytest.mark.parametrize(
    "said",
    [
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00 hello\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HEAD + b"Host: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HEAD + b"X-A : b\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    ],
)
async def test_what_is_no_http_is_told_in_the_envelope(said: bytes) -> None:
    head, _, body = (await _say(said)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nConnection: close" in head
    error = json.loads(body)["error"]
    assert (error["code"], error["details"]) == ("malformed", {})
    assert error["request_id"].encode() in head


@pytest.mark.parametrize("size", [25_000, 400_000])
async def test_headers_that_are_too_long_are_told_so(size: int) -> None:
    head, _, body = (await _say(b"GET / HTTP/1.1\r\n" + HEAD + b"X-A: " + b"a" * size + b"\r\n\r\n")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert json.loads(body)["error"]["code"] == "too_large"


async def test_what_can_be_read_is_answered_as_ever() -> None:
    answers = await _say(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\nGET / HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n")
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.endswith(b"fine")


async def test_a_line_is_answered_once() -> None:
    """After an answer that ends the line nothing more is said on it, whatever follows."""
    answers = await _say(b"POST / HTTP/1.1\r\n" + HEAD + b"Connection: close\r\nContent-Length: 1\r\n\r\nxNONSENSE\r\n\r\n")
    assert answers.count(b"HTTP/1.1") == 1
    second = await _say(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\nNONSENSE\r\n\r\n")
    assert [part[:3] for part in second.split(b"HTTP/1.1 ")[1:]] == [b"200", b"400"]
