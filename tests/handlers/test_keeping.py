"""A sign-in that the browser keeps over a reload: whom its cookie is given to, whom it serves, and what ends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx
import pytest
from sqlmodel import select
from tornado.web import URLSpec

from dapp_ext.handlers.forwarding import ForwardResume, Service
from dapp_ext.handlers.keeping import KEPT_SECONDS
from dapp_ext.schema.accounts import Role
from dapp_ext.schema.base import now
from dapp_ext.services.sessions import REFRESH_GRACE, REFRESH_IDLE
from dapp_ext.store.tables import AuditRow, RefreshToken
from tests.handlers.serving import PASSWORD, Answer, Caller

RESUME = "/auth/resume"
PATH = "/a%40b/dapp/api/v1/auth/resume"
SignIn = Callable[..., Awaitable[Answer]]


class Browser:
    """A page of this server: its origin, its XSRF token, and the cookies that it was given."""

    def __init__(self, nobody: Caller, origin: str, path: str = RESUME) -> None:
        self.cookies = {"_xsrf": "a-token-of-the-page"}
        self.headers = {"Origin": origin, "X-XSRFToken": "a-token-of-the-page"}
        self.given: Morsel[str] | None = None
        self._nobody = nobody
        self._path = path

    async def __call__(self, method: str = "POST", body: Any = None, **headers: str | None) -> Answer:
        sent: dict[str, str | None] = {**self.headers, "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self._nobody(method, self._path, body, headers={name: value for name, value in sent.items() if value is not None})
        for line in answer.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.given = morsel
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        return answer

    @property
    def kept(self) -> str:
        return next((value for name, value in self.cookies.items() if "dapp_kept" in name), "")

    @kept.setter
    def kept(self, value: str) -> None:
        self.cookies[next(name for name in self.cookies if "dapp_kept" in name)] = value


@pytest.fixture
def browser(nobody: Caller, jp_serverapp: Any, jp_http_port: int) -> Browser:
    return Browser(nobody, f"http://127.0.0.1:{jp_http_port}")


@pytest.fixture
def sign_in(signed_in: Callable[[Role], Caller], nobody: Caller, browser: Browser) -> SignIn:
    """Sign an analyst in with a password, and have the browser keep it."""

    async def run(keeps: Browser = browser, **headers: str | None) -> Answer:
        signed_in(Role.analyst)
        pair = await nobody("POST", "/auth/login", {"email": "analyst@example.org", "password": PASSWORD})
        return await keeps("POST", {"refresh_token": pair.json["refresh_token"]}, **headers)

    return run


def _age(services: Any, column: str, age: timedelta) -> None:
    """Make every refresh token older than it is."""
    with services.context.database.write() as session:
        for row in session.exec(select(RefreshToken)):
            if getattr(row, column) is not None:
                setattr(row, column, now() - age)
                session.add(row)


async def test_no_script_can_read_it_and_it_goes_to_one_address_only(sign_in: SignIn, browser: Browser) -> None:
    answer = await sign_in()
    assert (answer.status, answer.json["refresh_token"]) == (200, "")
    cookie = browser.given
    assert cookie is not None
    assert (cookie["path"], cookie["samesite"], cookie["httponly"], cookie["secure"]) == (PATH, "Strict", True, "")
    assert cookie["max-age"] == str(KEPT_SECONDS)
    assert browser.kept not in answer.body.decode()
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_is_kept_as_long_as_it_is_good() -> None:
    assert timedelta(seconds=KEPT_SECONDS) == REFRESH_IDLE


async def test_behind_encryption_it_never_goes_without(sign_in: SignIn, browser: Browser, jp_http_port: int) -> None:
    origin = f"https://127.0.0.1:{jp_http_port}"
    await sign_in(Origin=origin)
    assert browser.given is not None
    assert browser.given["secure"] is True
    assert browser.given.key.startswith("__Secure-")
    assert (await browser(Origin=origin)).status == 200
    assert (await browser()).status == 204  # one that came without encryption was not set by us


async def test_a_reload_goes_on_with_it_and_uses_it_up(sign_in: SignIn, browser: Browser, nobody: Caller) -> None:
    await sign_in()
    first = browser.kept
    pair = await browser()
    assert pair.status == 200
    assert browser.kept not in ("", first)
    me = await Caller(nobody.fetch, pair.json["access_token"])("GET", "/auth/me")
    assert me.json["email"] == "analyst@example.org"


async def test_where_none_is_kept_nothing_is_said(browser: Browser, services: Any) -> None:
    answer = await browser()
    assert (answer.status, answer.body, answer.headers.get_list("Set-Cookie")) == (204, b"", [])
    assert (await browser("POST", {})).status == 204
    assert (await browser("DELETE")).status == 204


FOREIGN: tuple[dict[str, str | None], ...] = (
    {"X_XSRFToken": None},
    {"X_XSRFToken": "another"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://[::1"},
    {"Origin": None},
    {"Host": "evil.example"},
)


async def test_no_page_of_another_site_can_use_it(sign_in: SignIn, browser: Browser) -> None:
    await sign_in()
    kept = browser.kept
    for headers in FOREIGN:
        for method in ("POST", "DELETE"):
            refused = await browser(method, **headers)
            assert (refused.status, refused.code) == (403, "denied"), (method, headers)
            assert "Access-Control-Allow-Origin" not in refused.headers
            assert browser.kept == kept
    assert (await browser()).status == 200


async def test_no_page_of_another_site_signs_its_visitors_in(sign_in: SignIn, browser: Browser) -> None:
    refused = await sign_in(Origin="https://evil.example")
    assert (refused.status, browser.kept) == (403, "")


async def test_two_tabs_that_come_together_both_go_on(sign_in: SignIn, browser: Browser) -> None:
    await sign_in()
    first = browser.kept
    await browser()
    second = browser.kept
    browser.kept = first
    assert (await browser()).status == 200
    assert browser.kept == second


async def test_a_stolen_one_ends_the_sign_in_of_both(sign_in: SignIn, browser: Browser, nobody: Caller, services: Any) -> None:
    await sign_in()
    stolen = browser.kept
    pair = await browser()
    newest = browser.kept
    _age(services, "used_at", REFRESH_GRACE + timedelta(seconds=1))
    browser.kept = stolen
    refused = await browser()
    assert (refused.status, refused.code, browser.kept) == (401, "not_signed_in", "")
    assert (await Caller(nobody.fetch, pair.json["access_token"])("GET", "/auth/me")).status == 401
    browser.cookies[browser.given.key if browser.given else ""] = newest
    assert (await browser()).status == 401
    with services.context.database.read() as session:
        assert [each.action for each in session.exec(select(AuditRow).where(AuditRow.outcome == "deny"))] == ["account.refresh_reuse"]


async def test_one_that_was_not_used_for_long_has_ended(sign_in: SignIn, browser: Browser, services: Any) -> None:
    await sign_in()
    _age(services, "issued_at", REFRESH_IDLE + timedelta(minutes=1))
    assert ((await browser()).status, browser.kept) == (401, "")


async def test_what_another_server_has_given_is_worth_nothing(sign_in: SignIn, browser: Browser) -> None:
    await sign_in()
    browser.kept = "dapp_rt_of-another-home"
    assert ((await browser()).status, browser.kept) == (401, "")


@pytest.mark.parametrize("how", ["logout", "elsewhere", "disabled"])
async def test_it_ends_with_its_session(sign_in: SignIn, browser: Browser, nobody: Caller, owner: Caller, how: str) -> None:
    pair = (await sign_in()).json
    itself = Caller(nobody.fetch, pair["access_token"])
    if how == "logout":
        await itself("POST", "/auth/logout")
    elif how == "elsewhere":
        await owner("DELETE", f"/users/{pair['account']['id']}/sessions")
    else:
        await owner("PATCH", f"/users/{pair['account']['id']}", {"disabled": True})
    assert ((await browser()).status, browser.kept) == (401, "")


async def test_a_page_ends_it_without_any_token(sign_in: SignIn, browser: Browser, nobody: Caller, services: Any) -> None:
    pair = (await sign_in()).json
    old = browser.kept
    assert ((await browser("DELETE")).status, browser.kept) == (204, "")
    assert (await Caller(nobody.fetch, pair["access_token"])("GET", "/auth/me")).status == 401
    browser.cookies[browser.given.key if browser.given else ""] = old
    assert ((await browser("DELETE")).status, browser.kept) == (204, "")
    with services.context.database.read() as session:
        assert "account.logout" in [each.action for each in session.exec(select(AuditRow))]


class TestInFrontOfAService:
    """The cookie stays at the server that the page came from; the service is asked as by any other visitor."""

    @pytest.fixture
    def browser(self, jp_serverapp: Any, nobody: Caller, jp_http_port: int, jp_asyncio_loop: Any) -> Iterator[Browser]:
        service = Service(f"http://127.0.0.1:{jp_http_port}/a%40b")
        front = URLSpec(r"/a%40b/dapp/api/v1/front/auth/resume", ForwardResume, {"service": service})
        jp_serverapp.web_app.default_router.rules.insert(0, front)
        yield Browser(nobody, f"http://127.0.0.1:{jp_http_port}", "/front/auth/resume")
        jp_asyncio_loop.run_until_complete(service.client.aclose())

    async def test_it_is_kept_renewed_and_ended(self, sign_in: SignIn, browser: Browser, nobody: Caller) -> None:
        answer = await sign_in()
        assert (answer.status, answer.json["refresh_token"]) == (200, "")
        pair = await browser()
        token = Caller(nobody.fetch, pair.json["access_token"])
        assert (await token("GET", "/auth/me")).status == 200
        assert (await browser("DELETE")).status == 204
        assert browser.kept == ""
        assert (await token("GET", "/auth/me")).status == 401
        assert (await browser()).status == 204

    async def test_what_the_service_refuses_is_refused_and_dropped(self, sign_in: SignIn, browser: Browser) -> None:
        await sign_in()
        browser.kept = "dapp_rt_of-another-home"
        refused = await browser()
        assert (refused.status, refused.json["error"]["code"], browser.kept) == (401, "not_signed_in", "")

    async def test_no_page_of_another_site_can_use_it(self, sign_in: SignIn, browser: Browser) -> None:
        await sign_in()
        assert (await browser(X_XSRFToken=None)).status == 403
        assert (await browser(Origin="https://evil.example")).status == 403
        assert (await browser()).status == 200

    async def test_a_service_that_is_silent_keeps_the_cookie(self, sign_in: SignIn, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        await sign_in()
        kept = browser.kept

        async def silent(*_: Any, **__: Any) -> httpx.Response:
            raise httpx.ConnectError("nobody")

        monkeypatch.setattr(httpx.AsyncClient, "post", silent)
        answer = await browser()
        assert (answer.status, answer.code, browser.kept) == (503, "unavailable", kept)
