"""Who is let in, from where, and what of a sign-in can be read."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from dapp_ext.schema.accounts import AccountUpdate, Actor, Role
from dapp_ext.services import Services
from dapp_ext.settings import Settings
from dapp_panel.auth import Cookie, Origins
from tests.conftest import PASSWORD
from tests.panel.visiting import Visit

FOREIGN = (
    "https://evil.example",
    "http://127.0.0.1:{port}.evil.example",
    "http://evil.example#127.0.0.1:{port}",
    "null",
    "http://127.0.0.1:1",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1",
)


def _foreign(address: str) -> list[str]:
    return [each.format(port=address.rpartition(":")[2]) for each in FOREIGN]


def _socket(address: str, token: str, *, origin: str | None = None, **headers: str) -> ClientConnection:
    return connect(address.replace("http", "ws") + "/ws", origin=origin, subprotocols=["bokeh", token], additional_headers=headers)  # type: ignore[arg-type,list-item]


def test_origins_are_exact() -> None:
    origins = Origins.of(Settings(home=Path("/h"), dashboard_url="https://dapp.example.org/"), 3000)
    for good in ("http://localhost:3000", "http://127.0.0.1:3000", "https://dapp.example.org", "http://[::1]:3000"):
        assert origins.allows(good)
    for bad in ("http://localhost:3001", "https://localhost:3000", "https://dapp.example.org.evil.org", "https://dapp.example.org/path", "null", "", None):
        assert not origins.allows(bad)
    assert origins.allows_host("dapp.example.org")
    assert origins.allows_host("localhost:3000")
    assert not origins.allows_host("evil.example:3000")


def test_with_tls_the_cookie_follows_the_strict_rules_of_browsers() -> None:
    plain = Cookie.of(Settings(home=Path("/h")))
    strict = Cookie.of(Settings(home=Path("/h"), dashboard_url="https://dapp.example.org"))
    assert plain.name.startswith("dapp_")
    assert not plain.secure
    assert strict.name == f"__Host-{plain.name}"
    assert strict.attributes() | {"max_age": 0} == {"httponly": True, "samesite": "Strict", "secure": True, "path": "/", "max_age": 0}


def test_without_a_cookie_there_is_the_sign_in_page_and_nothing_else(address: str) -> None:
    with httpx.Client(base_url=address) as client:
        page = client.get("/")
        assert (page.status_code, page.headers["location"]) == (302, "/signin")
        assert client.get("/signin").status_code == 200
        assert client.get("/channel").status_code == 401
        assert client.post("/call/home", json={}, headers={"Origin": address}).status_code == 401
        assert client.get("/call/home").status_code == 405
        assert client.get("/download/any").status_code == 401
        assert client.post("/upload?filename=a.csv", content=b"a\n1\n", headers={"Origin": address}).status_code == 401
        assert client.get("/health/ready").json() == {"status": "ok"}
        for path in ("/autoload.js?bokeh-autoload-element=x", "/metadata", "/static/js/bokeh.min.js", "/assets/manifest.json", "/assets/..%2fapp.py"):
            assert client.get(path).status_code == 404, path
    with pytest.raises(InvalidStatus) as refused, _socket(address, "x.y", origin=address):
        pass
    assert refused.value.response.status_code == 401


def test_a_link_from_another_site_finds_the_strict_cookie_at_the_second_look(address: str) -> None:
    page = httpx.get(address + "/", headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200
    assert 'http-equiv="refresh"' in page.text


def test_signing_in_and_out(address: str, visit: Callable[..., Visit], settings: Settings) -> None:
    visit("maya")
    name = Cookie.of(settings).name
    headers = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=address) as client:
        wrong = client.post("/signin", data={"email": "maya@example.org", "password": "wrong"}, headers=headers)
        assert wrong.status_code == 401
        assert "Email or password is not right" in wrong.text
        assert 'value="maya@example.org"' in wrong.text
        entered = client.post("/signin", data={"email": "maya@example.org", "password": PASSWORD}, headers=headers)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        given = entered.headers["set-cookie"]
        assert given.startswith(f"{name}=")
        for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
            assert part in given
        assert client.get("/").status_code == 200
        left = client.post("/signout", headers=headers)
        assert (left.status_code, left.headers["location"]) == (303, "/signin")
        client.cookies.set(name, given.split(";")[0].partition("=")[2])
        assert client.get("/").status_code == 302


def test_too_many_wrong_passwords_are_slowed_down(address: str) -> None:
    with httpx.Client(base_url=address, headers={"Origin": address}) as client:
        answers = [client.post("/signin", data={"email": "nobody@example.org", "password": "x"}) for _ in range(6)]
    assert [each.status_code for each in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "Too many" in answers[-1].text


def test_a_ticket_signs_in_once(address: str, services: Services) -> None:
    ticket = services.accounts.signin_link(None, "dashboard").ticket
    with httpx.Client(base_url=address) as client:
        assert client.get(f"/signin?ticket={ticket}", headers={"Sec-Purpose": "prefetch"}).status_code == 204
        entered = client.get(f"/signin?ticket={ticket}")
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert client.get("/").status_code == 200
    with httpx.Client(base_url=address) as other:
        again = other.get(f"/signin?ticket={ticket}")
        assert again.status_code == 401
        assert "used already" in again.text
        assert not other.cookies


@pytest.mark.parametrize("place", ["/signin", "/signout", "/upload?filename=a.csv", "/call/home"])
def test_posts_from_elsewhere_are_refused(place: str, address: str, visit: Callable[..., Visit], services: Services) -> None:
    maya = visit("maya")
    for origin in [*_foreign(address), None]:
        headers = {"Origin": origin} if origin else {}
        answer = maya.http.post(place, content=b"email=maya%40example.org&password=x", headers=headers)
        assert answer.status_code == 403, (place, origin)
    crossed = maya.http.post(place, content=b"a\n1\n", headers=maya.headers(**{"Sec-Fetch-Site": "cross-site"}))
    assert crossed.status_code == 403
    assert maya.http.get("/").status_code == 200
    assert services.datasets.list(maya.actor).items == []


def test_sockets_from_elsewhere_are_refused(address: str, visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    opened = maya.open()
    for origin in _foreign(address):
        with pytest.raises(InvalidStatus) as refused:
            maya.channel(opened, origin=origin)
        assert refused.value.response.status_code == 403, origin
    with pytest.raises(InvalidStatus) as refused, _socket(address, opened.token, Cookie=f"{maya.name}={maya.cookie}"):
        pass
    assert refused.value.response.status_code == 403
    maya.channel(opened).leave()


def test_a_channel_belongs_to_the_sign_in_that_opened_it(visit: Callable[..., Visit]) -> None:
    maya, tom = visit("maya"), visit("tom", Role.admin)
    stolen = maya.open()
    with pytest.raises(ConnectionClosed) as refused:
        tom.channel(stolen)
    assert refused.value.rcvd is not None
    assert refused.value.rcvd.code == 4403


def test_a_forged_token_opens_nothing(visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    opened = maya.open()
    body, _, signature = opened.token.partition(".")
    payload = json.loads(base64.urlsafe_b64decode(body + "=="))
    payload["session_id"] = "forged"
    forged = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    for token in (f"{forged}.{signature}", forged, f"{body}.{'A' * len(signature)}"):
        with pytest.raises(ConnectionClosed):
            maya.channel(replace(opened, token=token))


def test_a_session_cannot_be_named(visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    assert maya.http.get("/channel?bokeh-session-id=mine").status_code == 403
    assert maya.http.get("/channel", headers={"Bokeh-Session-Id": "mine"}).status_code == 403


def test_the_page_and_its_token_say_nothing_secret(visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    page = maya.http.get("/", headers={"X-Secret": "header-of-the-visitor", "Authorization": "Bearer of-the-visitor"})
    token = maya.open().token
    payload = json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    packed = payload.get("__bk__zlib_", "")
    plain = zlib.decompress(base64.urlsafe_b64decode(packed + "==")).decode() if packed else json.dumps(payload)
    for text in (page.text, token, plain):
        for secret in (maya.cookie, "header-of-the-visitor", "of-the-visitor", maya.name):
            assert secret not in text
    assert json.loads(plain).get("cookies", {}) == {}
    assert json.loads(plain).get("headers", {}) == {}


def test_every_answer_carries_the_safe_headers(address: str, visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    script = re.search(r"assets/app-[A-Z0-9]+\.js", maya.http.get("/").text)
    assert script
    for path in ("/", "/signin", "/channel", "/nothing-here", f"/{script.group()}", "/health/live"):
        answer = maya.http.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
        assert "unsafe-eval" not in answer.headers["content-security-policy"], path
        assert answer.headers["referrer-policy"] == "same-origin", path
        assert "server" not in answer.headers, path
    assert maya.http.get("/").headers["cache-control"] == "no-store"
    assert "immutable" in maya.http.get(f"/{script.group()}").headers["cache-control"]


def test_another_name_for_the_server_is_refused(address: str, visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    for path in ("/", "/signin", "/channel", "/upload", "/call/home", "/health/live"):
        assert maya.http.get(path, headers={"Host": "evil.example"}).status_code == 403, path


def test_nothing_on_the_page_comes_from_elsewhere(visit: Callable[..., Visit]) -> None:
    page = visit("maya").http.get("/").text
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []


def test_a_page_learns_that_its_sign_in_has_ended(visit: Callable[..., Visit], services: Services) -> None:
    maya = visit("maya")
    line = maya.channel()
    assert "ok" in maya.call("home")
    services.accounts.logout(maya.actor)
    assert maya.call("home")["error"]["code"] == "not_signed_in"
    assert line.until(lambda item: "ended" in item)


def test_a_new_role_reaches_the_open_page(visit: Callable[..., Visit], services: Services, owner: Actor) -> None:
    maya = visit("maya", Role.viewer)
    line = maya.channel()
    line.send({"follow": ""})
    line.until(lambda item: "following" in item)
    services.accounts.update(owner, maya.actor.account_id, AccountUpdate(role=Role.analyst))
    told = line.until(lambda item: "rights" in item)
    assert told["account"]["role"] == "analyst"
    assert told["rights"]["dataset.create"] == 3
