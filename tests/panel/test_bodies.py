"""Bodies that are too large, say nothing of their length, or do not come: told in the one envelope, over a real line."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dapp_ext.handlers import parting
from dapp_ext.handlers.wire import BODY_LIMIT
from dapp_ext.services import Services
from dapp_ext.settings import Settings
from dapp_panel.routes import bodies, uploads
from tests.panel.visiting import Visit

PIECE = b"x" * 65_536
CHUNKED = "Transfer-Encoding: chunked\r\n"
CHUNK = b"10000\r\n" + PIECE + b"\r\n"


def _send(maya: Visit, path: str, headers: str, pieces: list[bytes], *, method: str = "POST") -> tuple[int, dict[str, Any]]:
    """Send by hand, all of it before anything is read, as simple programs do; the status and the body of the answer."""
    host, _, port = maya.address.removeprefix("http://").partition(":")
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {maya.address}\r\nSec-Fetch-Site: same-origin\r\n"
        f"Cookie: {maya.name}={maya.cookie}\r\nContent-Type: application/json\r\n{headers}\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(head.encode())
        for piece in pieces:
            raw.sendall(piece)
        answer = b""
        while part := raw.recv(65_536):
            answer += part
    top, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(body) in top.lower() or method == "HEAD", top
    assert b"connection: close" in top.lower()
    return int(top.split()[1]), json.loads(body) if body else {}


def test_a_body_that_is_too_large_is_told_so_at_every_address(visit: Callable[..., Visit]) -> None:
    maya, count = visit("maya"), 64
    for path in ("/call/home", "/signin", "/accept", "/signout", "/nothing"):
        for headers, pieces in ((f"Content-Length: {count * len(PIECE)}\r\n", [PIECE] * count), (CHUNKED, [*[CHUNK] * count, b"0\r\n\r\n"])):
            status, answer = _send(maya, path, headers, pieces)
            assert (status, answer["error"]["code"]) == (413, "too_large"), (path, headers)
            assert "1,048,576" in answer["error"]["message"]
            assert len(answer["error"]["request_id"]) > 8
    assert maya.call("home").get("ok") is not None


def test_what_is_announced_beyond_all_bounds_is_told_before_it_comes(visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    host, _, port = maya.address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(f"POST /call/home HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {10**15}\r\n\r\n".encode())
        raw.sendall(PIECE)
        answer = raw.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "too_large"


def test_a_body_within_the_bound_is_taken(visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    body = b"{" + b" " * (BODY_LIMIT - 2) + b"}"
    headers = maya.headers(**{"Content-Type": "application/json"})
    contents: list[Any] = [body, iter([body[:100], body[100:]])]  # with its length, and in chunks
    for content in contents:
        assert maya.http.post("/call/home", content=content, headers=headers).status_code == 200
    answer = maya.http.post("/call/home", content=body + b" ", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_body_that_does_not_come_is_not_waited_for(visit: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bodies, uploads):
        monkeypatch.setattr(module, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(parting, "SILENT_SECONDS", 0.3)
    maya = visit("maya")
    for path in ("/call/home", "/signin", "/upload?filename=a.csv"):
        began = time.monotonic()
        status, answer = _send(maya, path, "Content-Length: 1000\r\n", [b"{"])
        assert (status, answer["error"]["code"]) == (408, "too_slow"), path
        assert time.monotonic() - began < 8


class TestUploads:
    """With a small limit."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, upload_limit=100_000)

    def test_a_file_that_is_too_large_is_told_so_while_it_comes(self, visit: Callable[..., Visit], services: Services) -> None:
        maya = visit("maya")
        for headers, piece in (("Content-Length: 8388608\r\n", PIECE), (CHUNKED, CHUNK)):
            status, answer = _send(maya, "/upload?filename=a.csv", headers, [piece] * 128)
            assert (status, answer["error"]["code"]) == (413, "too_large")
        assert services.datasets.list(maya.actor).items == []
        services.accounts.logout(maya.actor)
        status, answer = _send(maya, "/upload?filename=a.csv", "Content-Length: 8388608\r\n", [PIECE] * 128)
        assert (status, answer["error"]["code"]) == (401, "not_signed_in")
