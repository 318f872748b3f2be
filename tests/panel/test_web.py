"""Attacks on the dashboard's own doors, and HEAD."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable

import httpx
import pytest

from dapp_ext.schema.accounts import Role
from dapp_ext.services import Services
from tests.panel.visiting import Visit

UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def test_head_answers_where_get_does(address: str, visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    for path in ("/", "/signin", "/health/live", "/health/ready", "/vendor/channel.js"):
        get, head = maya.http.get(path), maya.http.head(path)
        assert head.content == b""
        assert head.status_code == get.status_code or path == "/signin", path
    assert httpx.head(f"{address}/signout").status_code == 405
    assert httpx.head(f"{address}/nothing").status_code == 404


def test_a_link_is_not_used_up_by_looking(address: str, services: Services) -> None:
    ticket = services.accounts.signin_link(None, "dashboard").ticket
    assert httpx.head(f"{address}/signin?ticket={ticket}").status_code == 200
    assert services.accounts.redeem_ticket(ticket, "dashboard")


def test_queries_and_links_stay_out_of_the_log(address: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    httpx.get(f"{address}/signin?ticket=dapp_wt_4711secret")
    httpx.get(f"{address}/accept?token=dapp_iv_4711secret")
    httpx.get(f"{address}/nothing?q=4711secret")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert any("/accept" in line for line in ours)
    assert not any("4711secret" in line for line in ours)


@pytest.mark.parametrize("version", ["²", "-1", "1e9", "9" * 30, "x"])
def test_an_odd_version_is_refused_and_breaks_nothing(visit: Callable[..., Visit], version: str) -> None:
    assert visit("maya").http.get("/download/any", params={"version": version}).status_code == 422


@pytest.mark.parametrize("headers", [{"X-Forwarded-Host": "evil.example"}, {"X-Forwarded-For": "1.2.3.4"}, {"X-Real-Ip": "1.2.3.4"}], ids=str)
def test_whoever_says_to_be_a_proxy_is_not_believed(address: str, services: Services, headers: dict[str, str]) -> None:
    answers = [
        httpx.post(f"{address}/signin", data={"email": "nobody@example.org", "password": "x"}, headers={"Origin": address, **headers}).status_code
        for _ in range(6)
    ]
    assert answers == [401] * 5 + [429]


def test_a_call_that_the_role_forbids_is_refused_however_it_is_sent(visit: Callable[..., Visit], services: Services) -> None:
    vera = visit("vera", Role.viewer)
    for name, given in (("accounts.list", {}), ("accounts.create", {"email": "x@example.org"}), ("audit.list", {}), ("maintenance.start", {})):
        assert vera.call(name, **given)["error"]["code"] == "denied", name
    assert vera.call("no.such.call")["error"]["code"] == "invalid"
    assert vera.call("accounts.update", ref="x", role="root")["error"]["code"] == "invalid"
    assert services.maintenance.read(services.system.shell_actor()).state == "off"


@pytest.mark.parametrize("odd", ["http://[", "http://[::1", "http://a:b:c", "http://a:99999999", "//", "null"])
def test_an_odd_origin_is_a_foreign_one(address: str, visit: Callable[..., Visit], odd: str) -> None:
    maya = visit("maya")
    json = {"Content-Type": "application/json", "Origin": odd}
    assert maya.http.post("/call/home", content=b"{}", headers=json).status_code == 403
    assert maya.http.post("/signin", data={"email": "a@example.org", "password": "x"}, headers={"Origin": odd}).status_code == 403
    socket = {"Origin": odd, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    assert maya.http.get("/ws", headers=socket).status_code == 403


@pytest.mark.parametrize("odd", ["[", "[::1", "a:b:c", "127.0.0.1:1:2", "localhost."])
def test_an_odd_host_is_told_so(address: str, odd: str) -> None:
    assert httpx.get(f"{address}/health/live", headers={"Host": odd}).status_code == 403


def test_the_token_of_a_shared_link_stays_out_of_the_log(address: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert httpx.get(f"{address}/shared/dapp_sh_4711secret").status_code == 404
    assert httpx.post(f"{address}/shared/dapp_sh_4711secret").status_code == 405
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert any("/shared/…" in line for line in ours)
    assert not any("4711secret" in line for line in ours)


PAGE = "text/html; charset=UTF-8"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("POST", "/nothing/at/all", {}, 404),
        ("BREW", "/signin", {}, 405),
        ("GET", "/report/none", {"Accept": "text/html,*/*;q=0.8"}, 401),
        ("GET", "/download/none", {"Accept": "text/html,*/*;q=0.8"}, 401),
        ("GET", "/", {"Host": "evil.example"}, 403),
        ("POST", "/signin", {"Content-Type": "multipart/form-data"}, 400),
    ],
)
def test_people_are_told_by_a_page_of_ours(address: str, method: str, path: str, headers: dict[str, str], status: int) -> None:
    answer = httpx.request(method, f"{address}{path}", headers=headers, content=b"x" if method == "POST" else None)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PAGE)
    assert "enter-lead" in answer.text
    assert "Traceback" not in answer.text
    assert ("Open the dashboard" in answer.text) is ("Host" not in headers)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/nothing", {"Accept": "application/json"}, 404, "route_not_found"),
        ("GET", "/download/none", {}, 401, "not_signed_in"),
        ("GET", "/call/home", {}, 405, "method_not_allowed"),
        ("POST", "/call/NO", {}, 404, "route_not_found"),
        ("GET", "/health/live", {"Host": "evil.example"}, 403, "denied"),
        ("GET", "/ws", {}, 400, "malformed"),
        ("GET", "/ws", {"Upgrade": "websocket"}, 400, "malformed"),
        ("GET", "/ws", {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "99", "Sec-WebSocket-Key": "x"}, 400, "malformed"),
        ("GET", "/ws", {**UPGRADE, "Origin": "https://evil.example"}, 403, "denied"),
        ("GET", "/ws", {**UPGRADE, "Origin": "own"}, 401, "not_signed_in"),
        ("PUT", "/ws", {**UPGRADE, "Origin": "own"}, 401, "not_signed_in"),
    ],
)
def test_programs_are_told_in_the_envelope(address: str, method: str, path: str, headers: dict[str, str], status: int, code: str) -> None:
    headers = {name: value.replace("own", address) for name, value in headers.items()}
    answer = httpx.request(method, f"{address}{path}", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_what_is_no_http_is_told_in_the_envelope(address: str) -> None:
    for said in (b"GET / HTTP/1.1\r\n\r\n", b"POST /signin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx"):
        with socket.create_connection(address.removeprefix("http://").split(":"), timeout=10) as line:  # type: ignore[arg-type]
            line.sendall(said)
            answer = b"".join(iter(lambda: line.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "malformed"


def test_odd_filters_of_a_download_are_refused(visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    for odd in ("[" * 3_000, "nothing", '[{"column": "\\ud800"', "[NaN]"):
        answer = maya.http.get("/download/any", params={"filters": odd})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed"), odd[:20]
