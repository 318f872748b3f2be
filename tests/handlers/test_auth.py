"""Signing in over HTTP: by password, by refresh token, by Jupyter's own login."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider, User
from tornado.httputil import HTTPHeaders
from traitlets.config import Config

from dapp_ext.handlers.auth import HUB_PROVIDER
from dapp_ext.handlers.backend import Backend
from dapp_ext.schema.accounts import Role
from tests.handlers.serving import PASSWORD, Caller

Fetch = Callable[..., Awaitable[Any]]


async def test_login_gives_tokens_that_work(signed_in: Callable[[Role], Caller], nobody: Caller) -> None:
    signed_in(Role.analyst)
    pair = await nobody("POST", "/auth/login", {"email": "analyst@example.org", "password": PASSWORD})
    assert pair.status == 200
    assert pair.json["token_type"] == "Bearer"
    assert pair.json["account"]["role"] == "analyst"
    me = await Caller(nobody.fetch, pair.json["access_token"])("GET", "/auth/me")
    assert me.json == pair.json["account"] | {"last_seen_at": me.json["last_seen_at"]}


@pytest.mark.parametrize(("email", "password"), [("analyst@example.org", "not the password"), ("nobody@example.org", PASSWORD)])
async def test_a_wrong_login_never_says_which_part_is_wrong(signed_in: Callable[[Role], Caller], nobody: Caller, email: str, password: str) -> None:
    signed_in(Role.analyst)
    answer = await nobody("POST", "/auth/login", {"email": email, "password": password})
    assert (answer.status, answer.code) == (401, "login_refused")
    assert answer.json["error"]["message"] == "Email or password is not right. Check both and try again."
    assert answer.json["error"]["details"] == {}


async def test_too_many_failures_are_slowed_down(nobody: Caller, services: Any) -> None:
    for _ in range(5):
        await nobody("POST", "/auth/login", {"email": "a@example.org", "password": "wrong"})
    answer = await nobody("POST", "/auth/login", {"email": "a@example.org", "password": "wrong"})
    assert (answer.status, answer.code) == (429, "throttled")
    assert int(answer.headers["Retry-After"]) >= 1


async def test_a_refresh_token_is_good_once(nobody: Caller, services: Any) -> None:
    first = services.accounts.sign_in_owner()
    pair = await nobody("POST", "/auth/refresh", {"refresh_token": first.refresh_token})
    assert pair.status == 200
    assert pair.json["refresh_token"] != first.refresh_token
    wrong = await nobody("POST", "/auth/refresh", {"refresh_token": "dapp_rt_guessed"})
    assert (wrong.status, wrong.code) == (401, "not_signed_in")


async def test_the_password_is_changed(signed_in: Callable[[Role], Caller], nobody: Caller) -> None:
    analyst = signed_in(Role.analyst)
    weak = await analyst("POST", "/auth/password", {"current_password": PASSWORD, "new_password": "short"})
    assert (weak.status, weak.code) == (422, "password_weak")
    changed = await analyst("POST", "/auth/password", {"current_password": PASSWORD, "new_password": "quite other words 11"})
    assert (changed.status, changed.body) == (204, b"")
    pair = await nobody("POST", "/auth/login", {"email": "analyst@example.org", "password": "quite other words 11"})
    assert pair.status == 200


# -- Jupyter's own login ------------------------------------------------------------------------------------------


async def test_whoever_holds_jupyters_token_is_the_owner(nobody: Caller, jp_auth_header: dict[str, str]) -> None:
    pair = await nobody("POST", "/auth/jupyter", headers=jp_auth_header)
    assert pair.status == 200
    assert pair.json["account"]["role"] == "admin"
    assert (await Caller(nobody.fetch, pair.json["access_token"])("GET", "/users")).status == 200


async def test_the_token_in_the_address_counts_as_for_jupyter(nobody: Caller, jp_serverapp: Any) -> None:
    assert (await nobody("POST", "/auth/jupyter", token=jp_serverapp.identity_provider.token)).status == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "token wrong"}, {"Authorization": "Bearer x.y.z"}])
async def test_nobody_else_is(nobody: Caller, services: Any, headers: dict[str, str]) -> None:
    answer = await nobody("POST", "/auth/jupyter", headers=headers)
    # Without a token Jupyter asks for the page's XSRF token first.
    assert answer.status in (401, 403)
    assert answer.code in ("not_signed_in", "denied")


async def _login_cookies(jp_serverapp: Any, jp_fetch: Fetch) -> dict[str, str]:
    """What a browser holds after Jupyter's login page."""
    token = jp_serverapp.identity_provider.token
    page = await jp_fetch("login", headers={"Authorization": ""})
    xsrf = _cookies(page.headers)["_xsrf"]
    answer = await jp_fetch(
        "login",
        method="POST",
        body=f"password={token}&_xsrf={xsrf}",
        headers={"Authorization": "", "Cookie": f"_xsrf={xsrf}", "Content-Type": "application/x-www-form-urlencoded"},
        follow_redirects=False,
        raise_error=False,
    )
    return {**_cookies(answer.headers), "_xsrf": xsrf}


def _cookies(headers: HTTPHeaders) -> dict[str, str]:
    pairs = [line.split(";")[0].partition("=") for line in headers.get_list("Set-Cookie")]
    return {name: value for name, _, value in pairs}


async def test_jupyters_cookie_counts_with_its_xsrf_token_only(nobody: Caller, jp_serverapp: Any, jp_fetch: Fetch) -> None:
    cookies = await _login_cookies(jp_serverapp, jp_fetch)
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    refused = await nobody("POST", "/auth/jupyter", headers=cookie)
    assert (refused.status, refused.code) == (403, "denied")
    assert (await nobody("POST", "/auth/jupyter", headers={**cookie, "X-XSRFToken": cookies["_xsrf"]})).status == 200


async def test_jupyters_cookie_from_another_site_is_refused(nobody: Caller, jp_serverapp: Any, jp_fetch: Fetch) -> None:
    cookies = await _login_cookies(jp_serverapp, jp_fetch)
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), "X-XSRFToken": cookies["_xsrf"], "Origin": "https://evil.example"}
    answer = await nobody("POST", "/auth/jupyter", headers=headers)
    assert answer.status in (403, 404)


async def test_a_server_without_any_secret_cannot_tell_who_it_is(nobody: Caller, services: Any, jp_serverapp: Any) -> None:
    jp_serverapp.identity_provider.token = ""
    cookie = {"Cookie": "_xsrf=2|a|b|1", "X-XSRFToken": "2|a|b|1"}
    answer = await nobody("POST", "/auth/jupyter", headers=cookie)
    assert (answer.status, answer.code) == (403, "denied")
    jp_serverapp.web_app.settings["disable_check_xsrf"] = True
    answer = await nobody("POST", "/auth/jupyter")
    assert (answer.status, answer.code) == (403, "denied")
    assert "without a token or password" in answer.json["error"]["message"]


class People(IdentityProvider):
    """A login that knows names, as a hub's does."""

    def get_user(self, handler: Any) -> User:
        return User("somebody")

    def is_token_authenticated(self, handler: Any) -> bool:
        return True


async def test_a_login_that_knows_people_makes_nobody_the_owner(nobody: Caller, services: Any, jp_serverapp: Any) -> None:
    jp_serverapp.web_app.settings["identity_provider"] = People(parent=jp_serverapp, token="x")
    answer = await nobody("POST", "/auth/jupyter")
    assert (answer.status, answer.code) == (403, "denied")
    assert "not mapped" in answer.json["error"]["message"]


async def test_a_server_for_a_team_makes_nobody_the_owner(nobody: Caller, backend: Backend, jp_auth_header: dict[str, str]) -> None:
    backend.personal = False
    assert (await nobody("POST", "/auth/jupyter", headers=jp_auth_header)).code == "denied"


class _HubUser(User):
    def __init__(self, kind: str, name: str) -> None:
        super().__init__(name)
        self.hub_user = {"kind": kind, "name": name}


@pytest.fixture
def hub(jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """A server that a JupyterHub has started for ada, and who it says is there."""
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")

    def says(kind: str, name: str) -> None:
        answers = {"get_user": lambda self, handler: _HubUser(kind, name), "is_token_authenticated": lambda self, handler: True}
        module, named = HUB_PROVIDER
        provider = type(named, (IdentityProvider,), {**answers, "__module__": module, "__qualname__": named})
        jp_serverapp.web_app.settings["identity_provider"] = provider(parent=jp_serverapp, token="x")

    return says


async def test_the_person_for_whom_a_hub_started_the_server_is_the_owner(nobody: Caller, services: Any, hub: Callable[[str, str], None]) -> None:
    hub("user", "ada")
    pair = await nobody("POST", "/auth/jupyter")
    assert (pair.status, pair.json["account"]["role"]) == (200, "admin")


@pytest.mark.parametrize(("kind", "name"), [("user", "grace"), ("service", "ada")])
async def test_whoever_else_a_hub_lets_in_is_not(nobody: Caller, services: Any, hub: Callable[[str, str], None], kind: str, name: str) -> None:
    hub(kind, name)
    answer = await nobody("POST", "/auth/jupyter")
    assert (answer.status, answer.code) == (403, "denied")
    assert "somebody else's" in answer.json["error"]["message"]


async def test_a_hub_whose_servers_share_a_database_makes_nobody_the_owner(
    nobody: Caller, services: Any, backend: Backend, hub: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub("user", "ada")
    monkeypatch.setattr(backend, "_settings", replace(backend.settings(), database_url="postgresql://somewhere/dapp"))
    answer = await nobody("POST", "/auth/jupyter")
    assert (answer.status, answer.code) == (403, "denied")
    assert "the same workspace" in answer.json["error"]["message"]


async def test_a_password_is_a_secret_too(jp_serverapp: Any) -> None:
    from dapp_ext.handlers.auth import holds_one_secret

    config = Config()
    assert holds_one_secret(PasswordIdentityProvider(config=config, token="", hashed_password="argon2:x"))
    assert not holds_one_secret(PasswordIdentityProvider(config=config, token=""))
    assert not holds_one_secret(People(token="x"))


async def test_tickets_are_for_what_they_say(owner: Caller) -> None:
    ticket = await owner("POST", "/auth/ticket", {"purpose": "websocket"})
    assert ticket.json["purpose"] == "websocket"
    assert (await owner("POST", "/auth/ticket", {"purpose": "everything"})).code == "invalid"
