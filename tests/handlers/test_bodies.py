"""Bodies that are too large, say nothing of their length, or do not come: told in the one envelope, over a real line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from dapp_ext.handlers import parting
from dapp_ext.handlers.base import ApiHandler
from dapp_ext.handlers.parting import DRAIN_LIMIT
from dapp_ext.handlers.routes import OPERATIONS
from dapp_ext.handlers.wire import BODY_LIMIT
from dapp_ext.schema.accounts import Role
from tests.handlers.serving import API, Caller

PIECE = b"x" * 65_536
CHUNKED, CHUNK = "Transfer-Encoding: chunked\r\n", b"10000\r\n" + PIECE + b"\r\n"
Told = tuple[int, str, bool]


async def _send(port: int, token: str, path: str, headers: str, pieces: list[bytes], *, method: str = "POST") -> Told:
    """Send all of it before anything is read, as simple programs do; status, code, and whether the line is said to end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"{method} /a%40b/{API}{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n{headers}\r\n"
    writer.write(head.encode())
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    async with asyncio.timeout(20):
        top = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in top.lower().splitlines() if line.startswith(b"content-length:"))
        body = await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()
    return int(top.split()[1]), "" if not body else json.loads(body)["error"]["code"], b"connection: close" in top.lower()


async def test_every_address_bounds_its_body(owner: Caller, jp_http_port: int) -> None:
    for operation in OPERATIONS:
        if operation.access == "account" and operation.takes == "application/json":
            path = operation.path.replace("{ref}", "x").replace("{id}", "x")
            size = operation.limit + DRAIN_LIMIT + 1
            found = await _send(jp_http_port, owner.token, path, f"Content-Length: {size}\r\n", [], method=operation.method)
            assert found == (413, "" if operation.method == "HEAD" else "too_large", True), operation.path


@pytest.mark.parametrize("size", [BODY_LIMIT + 1, DRAIN_LIMIT + 2 * BODY_LIMIT])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_that_is_too_large_is_told_so_while_it_comes(owner: Caller, jp_http_port: int, size: int, announced: bool) -> None:
    count = -(-size // len(PIECE))
    headers = f"Content-Length: {count * len(PIECE)}\r\n" if announced else CHUNKED
    status, code, _ = await _send(jp_http_port, owner.token, "/models", headers, [PIECE if announced else CHUNK] * count)
    assert (status, code) == (413, "too_large")
    assert (await owner("GET", "/auth/me")).status == 200


async def test_a_stranger_is_told_so_while_the_body_comes(owner: Caller, jp_http_port: int) -> None:
    found = await _send(jp_http_port, "nobody", "/datasets?filename=a.csv", CHUNKED, [CHUNK] * 64)
    assert found == (401, "not_signed_in", True)


async def test_a_body_that_does_not_come_is_not_waited_for(owner: Caller, services: Any, jp_http_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiHandler, "patience", 0.3)
    monkeypatch.setattr(parting, "SILENT_SECONDS", 0.3)
    for path in ("/models", "/auth/login", "/datasets?filename=a.csv"):
        assert await _send(jp_http_port, owner.token, path, "Content-Length: 1000\r\n", [b"{"]) == (408, "too_slow", True), path
    assert [each for each in services.settings.objects_folder.rglob("*") if each.is_file()] == []


async def test_a_file_that_keeps_coming_is_waited_for(signed_in: Callable[[Role], Caller], jp_http_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiHandler, "patience", 0.4)
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    head = f"POST /a%40b/{API}/datasets?filename=a.csv HTTP/1.1\r\nHost: 127.0.0.1:{jp_http_port}\r\nAuthorization: Bearer {signed_in(Role.analyst).token}\r\n"
    writer.write(head.encode() + b"Content-Length: 24\r\n\r\n")
    for _ in range(6):
        writer.write(b"1,2\n")
        await asyncio.sleep(0.15)
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 202 ")
    writer.close()
