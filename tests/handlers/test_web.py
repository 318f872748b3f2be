"""Attacks from the web: other sites' pages, other host names, odd bodies, tokens in wrong places, floods."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from dapp_ext.errors import Throttled
from dapp_ext.handlers.backend import Backend
from dapp_ext.handlers.rates import Rate
from dapp_ext.handlers.routes import OPERATIONS
from dapp_ext.schema.accounts import Role
from tests.handlers.serving import CSV, Caller

CHANGING = [each for each in OPERATIONS if each.method != "GET"]
FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")


async def _cookies(jp_fetch: Callable[..., Any]) -> str:
    """Everything that a browser of Jupyter's user would send along by itself."""
    page = await jp_fetch("login", raise_error=False, follow_redirects=False)
    return "; ".join(each.partition(";")[0] for each in page.headers.get_list("Set-Cookie"))


async def test_a_form_of_another_site_changes_nothing(nobody: Caller, owner: Caller, jp_fetch: Callable[..., Any]) -> None:
    before = (await owner("GET", "/audit", limit=1)).json["items"][0]["id"]
    cookies = await _cookies(jp_fetch)
    for operation in CHANGING:
        for kind in FORMS:
            headers = {"Content-Type": kind, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Cookie": cookies}
            answer = await nobody(operation.method, operation.path.replace("{ref}", "anything"), b'{"on":1}', headers=headers)
            assert answer.status in (400, 401, 403, 404, 415), (operation.path, kind, answer.status)
    after = (await owner("GET", "/audit", limit=500)).json["items"]
    assert [row["action"] for row in after if row["id"] > before and row["outcome"] == "allow" and not row["action"].startswith("audit.")] == []


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8888", "localhost.evil.example", "127.0.0.1.evil.example", "[::1].evil.example", "localhost@evil.example"]
)
async def test_only_own_names_are_answered(owner: Caller, host: str) -> None:
    for path in ("/auth/me", "/health/live", "/openapi.json", "/nothing"):
        answer = await owner("GET", path, headers={"Host": host})
        assert answer.status in (400, 403, 404), (path, host)
        assert b"email" not in answer.body


async def test_a_token_counts_in_a_header_only(owner: Caller, nobody: Caller, services: Any, caplog: pytest.LogCaptureFixture) -> None:
    personal = services.signins.create_token(services.system.shell_actor(), _token_request()).token
    for token in (owner.token, personal):
        for name in ("token", "access_token", "authorization"):
            assert (await nobody("GET", "/datasets", **{name: token})).status == 401
        assert (await nobody("GET", "/datasets", headers={"Cookie": f"token={token}; access_token={token}; Authorization=Bearer {token}"})).status == 401
        assert (await nobody("POST", "/auth/logout", {"token": token})).status == 401
        for wrong in (f"Basic {token}", token, f"token {token}", f"Bearer {token} {token}", f"Bearer  {token}x"):
            assert (await nobody("GET", "/datasets", headers={"Authorization": wrong})).status == 401, wrong
        assert token not in caplog.text


def _token_request() -> Any:
    from dapp_ext.schema.signins import TokenCreate

    return TokenCreate(name="script", scope="admin")


@pytest.mark.parametrize("size", [5_000, 60_000])
async def test_a_token_that_is_too_long(nobody: Caller, size: int) -> None:
    answer = await nobody("GET", "/auth/me", headers={"Authorization": "Bearer " + "a" * size})
    assert answer.status in (400, 401, 431)
    assert (await nobody("GET", "/health/live")).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"email": ["a"], "password": "x"}', 422),
        (b'{"email": {"a": 1}, "password": "x"}', 422),
        (b'{"email": 5, "password": "x"}', 422),
        (b'{"email": true, "password": "x"}', 422),
        (b'{"email": null, "password": "x"}', 422),
        (b'{"password": "x"}', 422),
        (b'["a@example.org", "x"]', 422),
        (b'{"email": "a", "email": "b", "password": "x"}', 400),
        (b'{"email": "\xff", "password": "x"}', 400),
        (b'{"email": "a", "password": NaN}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 40 + b"1" + b"}" * 40, 400),
        (b'{"email": "a", "password": "' + b"x" * 2_000 + b'"}', 422),
        (b'{"email": "a", "password": "x", "role": "admin"}', 422),
        (b"\x00", 400),
    ],
    ids=range(15),
)
async def test_odd_bodies_at_the_door_of_everybody(nobody: Caller, services: Any, body: bytes, status: int) -> None:
    began = time.process_time()
    answer = await nobody("POST", "/auth/login", body, headers={"Content-Type": "application/json"})
    assert answer.status == status
    assert time.process_time() - began < 2


async def test_signing_in_takes_json_only(nobody: Caller) -> None:
    assert (await nobody("GET", "/auth/login")).status == 405
    for kind in FORMS:
        assert (await nobody("POST", "/auth/login", b"email=a&password=b", headers={"Content-Type": kind})).status == 415


@pytest.mark.parametrize("email", ["ada@example.org\r\nX-Evil: 1", "\x1b[31mada", "a\x00b", "x" * 254])
async def test_hostile_names_at_the_sign_in_stay_out_of_the_log(nobody: Caller, services: Any, caplog: pytest.LogCaptureFixture, email: str) -> None:
    answer = await nobody("POST", "/auth/login", {"email": email, "password": "x"})
    assert answer.status == 401
    assert all(len(record.getMessage()) < 1024 and "\x1b" not in record.getMessage() for record in caplog.records)
    rows = services.audit.list(services.system.shell_actor(), action="account.login").items
    assert all(email not in str(row) for row in rows)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "x"},
        {"is_owner": True},
        {"password_hash": "x"},
        {"email": "new@example.org"},
        {"created_at": "2020-01-01T00:00:00Z"},
        {"is_admin": True},
        {"scope": "admin"},
    ],
    ids=str,
)
async def test_nobody_sets_what_is_not_theirs_to_set(owner: Caller, signed_in: Callable[[Role], Caller], body: dict[str, Any]) -> None:
    analyst = signed_in(Role.analyst)
    me = (await analyst("GET", "/auth/me")).json
    assert (await owner("PATCH", f"/users/{me['id']}", body)).code == "invalid"
    assert (await analyst("PATCH", "/auth/me", {"name": "Ann", **body})).code == "invalid"
    assert (await analyst("PATCH", f"/users/{me['id']}", {"role": "admin"})).code == "denied"
    assert (await analyst("GET", "/auth/me")).json == me


async def test_head_says_what_get_says_without_its_body(owner: Caller, nobody: Caller) -> None:
    dataset = (await owner("POST", "/datasets", CSV, filename="cities.csv")).json
    for path in ("/datasets", f"/datasets/{dataset['id']}", f"/datasets/{dataset['id']}/original", "/openapi.json", "/health/live", "/system", "/auth/me"):
        get, head = await owner("GET", path), await owner("HEAD", path)
        assert (head.status, head.body) == (get.status, b""), path
        assert head.headers.get("Content-Type") == get.headers.get("Content-Type")
        if "Content-Length" in head.headers and path != "/system":
            assert int(head.headers["Content-Length"]) == len(get.body), path
    assert (await nobody("HEAD", "/datasets")).status == 401
    assert (await owner("HEAD", "/datasets/none")).status == 404
    assert (await owner("HEAD", "/auth/logout")).status == 405
    assert (await owner("GET", "/auth/me")).status == 200


async def test_a_link_is_not_used_up_by_looking(jp_fetch: Callable[..., Any], services: Any) -> None:
    ticket = services.accounts.signin_link(None, "jupyterlab").ticket
    answer = await jp_fetch("dapp", "signin", params={"ticket": ticket}, method="HEAD", raise_error=False, follow_redirects=False)
    assert answer.code == 200
    assert services.accounts.redeem_ticket(ticket, "jupyterlab")


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https://evil.example",
        "%2f%2fevil.example",
        "\\\\evil.example",
        "/a%40b//evil.example/../..",
        "javascript:alert(1)",
        "\t//evil.example",
    ],
)
async def test_a_link_leads_nowhere_else(jp_fetch: Callable[..., Any], services: Any, wanted: str) -> None:
    ticket = services.accounts.signin_link(None, "jupyterlab").ticket
    answer = await jp_fetch("dapp", "signin", params={"ticket": ticket, "next": wanted}, raise_error=False, follow_redirects=False)
    assert answer.code == 302
    assert answer.headers["Location"].startswith("/a%40b/")
    assert not answer.headers["Location"].startswith("//")


async def test_numbers_are_for_people_with_an_account(nobody: Caller, owner: Caller, jp_auth_header: dict[str, str], backend: Backend) -> None:
    assert (await nobody("GET", "/metrics")).status == 401
    assert (await nobody("GET", "/metrics", headers=jp_auth_header)).status == 401
    await nobody("BREW", "/datasets")
    text = (await owner("GET", "/metrics")).body.decode()
    assert "BREW" not in text, "a stranger's verb makes no line of its own"


async def test_a_flood_is_slowed_down_and_others_are_not(owner: Caller, signed_in: Callable[[Role], Caller], backend: Backend) -> None:
    viewer = signed_in(Role.viewer)
    backend.rate = Rate(burst=5, per_second=1)
    answers = [await viewer("GET", "/auth/me") for _ in range(8)]
    assert [each.status for each in answers[:5]] == [200] * 5
    assert (answers[-1].status, answers[-1].code) == (429, "throttled")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 2
    assert (await owner("GET", "/auth/me")).status == 200


async def test_a_flood_at_the_open_doors(nobody: Caller, services: Any, backend: Backend) -> None:
    backend.public_rate = Rate(burst=3, per_second=0.1)
    answers = [await nobody("POST", "/auth/refresh", {"refresh_token": "x"}) for _ in range(5)]
    assert [each.status for each in answers] == [401, 401, 401, 429, 429]
    assert (await nobody("GET", "/health/live")).status == 200
    assert services.accounts.sign_in_owner()


def test_a_bucket_fills_again_and_forgets_the_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [0.0]
    monkeypatch.setattr("dapp_ext.handlers.rates.time.monotonic", lambda: moment[0])
    rate = Rate(burst=2, per_second=2)
    rate.take("a")
    rate.take("a")
    with pytest.raises(Throttled) as refused:
        rate.take("a")
    assert refused.value.details["retry_after"] == 1
    moment[0] = 1.0
    rate.take("a")
    monkeypatch.setattr("dapp_ext.handlers.rates.KEPT", 3)
    for name in "bcd":
        rate.take(name)
    assert list(rate._left) == ["b", "c", "d"]


async def test_signing_in_says_nothing_of_who_exists(nobody: Caller, services: Any, signed_in: Callable[[Role], Caller]) -> None:
    """Answers alike, and in the same time: the quickest of a few, since others use this machine too."""
    signed_in(Role.viewer)
    told: dict[str, list[float]] = {"viewer@example.org": [], "nobody@example.org": []}
    seen = []
    for _ in range(5):
        for email, seconds in told.items():
            began = time.perf_counter()
            answer = await nobody("POST", "/auth/login", {"email": email, "password": "wrong words of a test"})
            seconds.append(time.perf_counter() - began)
            seen.append((answer.status, answer.json["error"]["message"], answer.json["error"]["details"], sorted(set(answer.headers) - {"Date"})))
    assert len({str(each) for each in seen}) == 1
    quickest = [min(seconds) for seconds in told.values()]
    assert max(quickest) < 3 * min(quickest) + 0.02


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        ("GET /a%40b/dapp/api/v1/datasets HTTP/1.1\r\nHost: localhost\r\n", True),
        ("POST /a%40b/dapp/api/v1/auth/logout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n", True),
        ("DELETE /a%40b/dapp/api/v1/datasets/x HTTP/1.1\r\nHost: evil.example\r\n", True),
        ("OPTIONS /a%40b/dapp/api/v1/datasets HTTP/1.1\r\nHost: evil.example\r\n", True),
        ("POST /a%40b/dapp/api/v1/datasets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n", False),
        ("POST /a%40b/dapp/api/v1/datasets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n", False),
    ],
)
async def test_a_refusal_keeps_the_connection_or_says_that_it_ends(nobody: Caller, jp_http_port: int, head: str, kept: bool) -> None:
    """Else a client sends its next request into a closed connection and hears of a reset instead of an answer."""
    await nobody("GET", "/health/live")  # the server is up
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    writer.write(f"{head}\r\n".encode())
    async with asyncio.timeout(10):
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert answer.split()[1] in ("401", "403")
        assert ("connection: close" not in answer) is kept
        if kept:
            length = int(answer.partition("content-length: ")[2].split()[0])
            await reader.readexactly(length)
            writer.write(b"GET /a%40b/dapp/api/v1/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("odd", ["http://[", "http://[::1", "//", "null", "http://a:b:c"])
async def test_an_odd_origin_is_a_foreign_one(owner: Caller, nobody: Caller, odd: str, jp_auth_header: dict[str, str]) -> None:
    socket = {"Origin": odd, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    assert (await owner("GET", "/events/ws", headers=socket)).status == 403
    assert (await nobody("POST", "/auth/jupyter", headers={"Origin": odd})).status in (401, 403, 404)
    assert (await owner("GET", "/auth/me", headers={"Origin": odd})).status == 200


@pytest.mark.parametrize("version", [2**31, 2**63, 10**30])
async def test_a_version_that_no_database_can_hold_is_not_there(owner: Caller, version: int) -> None:
    ref = f"/datasets/{(await owner('POST', '/datasets', CSV, filename='cities.csv')).json['id']}"
    for path in (ref, f"{ref}/profile", f"{ref}/rows", f"{ref}/data", f"{ref}/original", f"{ref}/dependents"):
        answer = await owner("GET", path, version=version)
        assert (answer.status, answer.code) in ((404, "not_found"), (404, "dataset_not_found"), (409, "not_ready")), path
    assert (await owner("GET", f"{ref}/compare", **{"from": version})).status == 404


async def test_a_name_without_end_is_quoted_in_part(owner: Caller) -> None:
    ref = f"/datasets/{(await owner('POST', '/datasets', CSV, filename='cities.csv')).json['id']}"
    answer = await owner("POST", "/models", {"dataset": "x" * 90_000, "target": "y"})
    assert answer.status in (404, 422)
    assert len(answer.body) < 2_500
    assert len((await owner("GET", f"{ref}/rows", sort="x" * 20_000)).body) < 2_500


@pytest.mark.parametrize("head", ["GET /a%40b/dapp/api/v1/datasets/%ff", "BREW /a%40b/dapp/api/v1/datasets"])
async def test_a_line_that_tornado_closes_says_so(nobody: Caller, jp_http_port: int, head: str) -> None:
    await nobody("GET", "/health/live")
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    writer.write(f"{head} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    async with asyncio.timeout(10):
        answer = (await reader.read()).decode().lower()
    assert answer.split()[1] in ("400", "405")
    assert "connection: close" in answer
    writer.close()
    await writer.wait_closed()
