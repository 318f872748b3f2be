"""The documentation and the door that a sign-in link opens."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from jupyter_server.auth.identity import IdentityProvider, User

from dapp_ext.handlers.backend import Backend
from dapp_ext.schema.accounts import Role
from tests.handlers.serving import Caller

Fetch = Callable[..., Awaitable[Any]]


@pytest.fixture
def visit(jp_fetch: Fetch) -> Fetch:
    """Opens a page as a browser without any cookie does."""

    async def open_it(path: str, **given: Any) -> Any:
        headers = {"Authorization": "", **given.pop("headers", {})}
        return await jp_fetch(path, headers=headers, raise_error=False, follow_redirects=False, **given)

    return open_it


async def test_the_documentation_stands_by_itself(visit: Fetch) -> None:
    page = await visit("dapp/docs")
    assert page.code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for name, kind in (("docs.css", "text/css"), ("docs.js", "text/javascript")):
        part = await visit(f"dapp/docs/{name}")
        assert part.code == 200
        assert part.headers["Content-Type"].startswith(kind)
        assert f'"docs/{name}"' in page.body.decode()
        assert not re.search(rb"https?://", part.body)
    assert not re.search(rb"https?://", page.body)


async def test_the_description_names_this_servers_address(nobody: Caller) -> None:
    answer = await nobody("GET", "/openapi.json")
    assert answer.status == 200
    assert answer.json["servers"] == [{"url": "/a%40b/dapp/api/v1"}]
    assert answer.json["openapi"] == "3.1.0"


async def test_other_files_are_not_shipped(visit: Fetch) -> None:
    assert (await visit("dapp/docs/docs.py")).code == 404
    assert (await visit("dapp/docs", method="POST", body="")).code == 405


def _link(services: Any) -> str:
    return str(services.accounts.signin_link(None, "jupyterlab").ticket)


async def test_a_link_opens_jupyterlab_once(services: Any, visit: Fetch, jp_fetch: Fetch) -> None:
    ticket = _link(services)
    ahead = await visit("dapp/signin", params={"ticket": ticket}, headers={"Sec-Purpose": "prefetch;prerender"})
    assert ahead.code == 204, "looked at in advance"
    answer = await visit("dapp/signin", params={"ticket": ticket})
    assert answer.code == 302
    assert answer.headers["Location"] == "/a%40b/lab"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("username-")
    assert "HttpOnly" in cookie
    me = await jp_fetch("api/me", headers={"Authorization": "", "Cookie": cookie.split(";")[0]})
    assert json.loads(me.body)["identity"]["username"]
    again = await visit("dapp/signin", params={"ticket": ticket})
    assert again.code == 401
    assert "signin-link" in again.body.decode()
    assert "Set-Cookie" not in again.headers


async def test_a_link_is_dead_with_every_session_of_its_account(services: Any, visit: Fetch) -> None:
    ticket = _link(services)
    services.signins.end_all(services.system.shell_actor())
    answer = await visit("dapp/signin", params={"ticket": ticket})
    assert answer.code == 401
    assert "Set-Cookie" not in answer.headers


async def test_the_ticket_stays_out_of_the_log(services: Any, visit: Fetch, caplog: pytest.LogCaptureFixture) -> None:
    ticket = _link(services)
    await visit("dapp/signin", params={"ticket": ticket})
    await visit("dapp/signin", params={"ticket": ticket})
    assert "/dapp/signin" in caplog.text
    assert ticket not in caplog.text


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("/a%40b/lab/tree/x.ipynb?reset#top", "/a%40b/lab/tree/x.ipynb?reset#top"),
        ("//evil.example", "/a%40b/lab"),
        ("/\\evil.example", "/a%40b/lab"),
        ("https://evil.example/a%40b/", "/a%40b/lab"),
        ("https:evil.example", "/a%40b/lab"),
        ("/other", "/a%40b/lab"),
        ("/a%40b/../../x", "/a%40b/lab"),
        ("/a%40b/\nSet-Cookie: x=1", "/a%40b/lab"),
        ("http://[", "/a%40b/lab"),
        ("", "/a%40b/lab"),
    ],
)
async def test_it_leads_to_local_pages_only(services: Any, visit: Fetch, wanted: str, place: str) -> None:
    answer = await visit("dapp/signin", params={"ticket": _link(services), "next": wanted})
    assert (answer.code, answer.headers["Location"]) == (302, place)


@pytest.mark.parametrize("ticket", ["", "guessed", "<script>alert(1)</script>"])
async def test_a_wrong_link_is_explained(services: Any, visit: Fetch, ticket: str) -> None:
    answer = await visit("dapp/signin", params={"ticket": ticket})
    assert answer.code in (400, 401)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b"<script>alert" not in answer.body
    assert "Set-Cookie" not in answer.headers


async def test_a_ticket_for_something_else_opens_nothing(owner: Caller, visit: Fetch) -> None:
    ticket = (await owner("POST", "/auth/ticket", {"purpose": "dashboard"})).json["ticket"]
    assert (await visit("dapp/signin", params={"ticket": ticket})).code == 401


async def test_only_administrators_get_a_shell_this_way(signed_in: Callable[[Role], Caller], visit: Fetch) -> None:
    analyst = signed_in(Role.analyst)
    issued = await analyst("POST", "/auth/ticket", {"purpose": "jupyterlab"})
    if issued.status == 200:
        answer = await visit("dapp/signin", params={"ticket": issued.json["ticket"]})
        assert answer.code == 403
        assert "Set-Cookie" not in answer.headers
    else:
        assert (issued.status, issued.code) == (403, "denied")


async def test_where_jupyter_knows_people_a_link_opens_nothing(services: Any, visit: Fetch, jp_serverapp: Any, backend: Backend) -> None:
    class People(IdentityProvider):
        def get_user(self, handler: Any) -> User:
            return User("somebody")

    jp_serverapp.web_app.settings["identity_provider"] = People(parent=jp_serverapp, token="x")
    answer = await visit("dapp/signin", params={"ticket": _link(services)})
    assert answer.code == 403
    assert "Set-Cookie" not in answer.headers
