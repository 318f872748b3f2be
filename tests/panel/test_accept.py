"""The page behind a link for one use."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import httpx
import pytest

from dapp_ext.schema.accounts import Actor, LoginRequest, Role
from dapp_ext.schema.signins import InvitationCreate
from dapp_ext.services import Services
from dapp_panel.auth import Cookie
from tests.conftest import PASSWORD
from tests.panel.visiting import Visit

NEW = "quite other words 99"


def _browser(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"Origin": address, "Sec-Fetch-Site": "same-origin"}, timeout=20)


def _form(token: str, **more: str) -> dict[str, str]:
    return {"token": token, "name": "Ada", "password": PASSWORD, "again": PASSWORD, **more}


def test_an_invited_person_makes_an_account_and_is_in(address: str, services: Services, owner: Actor) -> None:
    made = services.invitations.create(owner, InvitationCreate(email="ada@example.org", role=Role.viewer))
    assert made.url == f"{address}/accept?token={made.token}"
    with _browser(address) as browser:
        for _ in range(2):  # looking does not use it up, nor does a mail program's preview
            assert browser.head(made.url).status_code == 200
            page = browser.get(made.url)
            assert page.status_code == 200
            assert "ada@example.org" in page.text
        differ = browser.post("/accept", data=_form(made.token, again=NEW))
        assert (differ.status_code, "differ" in differ.text) == (422, True)
        weak = browser.post("/accept", data=_form(made.token, password="short", again="short"))
        assert (weak.status_code, "at least 15" in weak.text) == (422, True)
        entered = browser.post("/accept", data=_form(made.token))
        assert (entered.status_code, entered.headers["Location"]) == (303, "/")
        assert "Ada" in browser.get("/").text
        spent = browser.get(made.url)
        assert (spent.status_code, "used already" in spent.text) == (401, True)
    assert services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD)).account.role is Role.viewer


def test_another_sites_page_cannot_use_a_link(address: str, services: Services, owner: Actor) -> None:
    made = services.invitations.create(owner, InvitationCreate(email="ada@example.org"))
    for headers in ({"Origin": "http://evil.example"}, {"Origin": address, "Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}, {}):
        answer = httpx.post(f"{address}/accept", data=_form(made.token), headers=headers)
        assert answer.status_code == 403
    assert services.invitations.offer(made.token)


def test_a_name_in_an_invitation_is_text(address: str, services: Services, owner: Actor) -> None:
    made = services.invitations.create(owner, InvitationCreate(email="ada@example.org", name='"><img src=x onerror=alert(1)>'))
    page = httpx.get(f"{address}/accept?token={made.token}").text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


@pytest.mark.parametrize("token", ["", "x", "dapp_iv_" + "x" * 43, "x" * 5000, "\u0000", "<script>"])
def test_a_link_that_opens_nothing(address: str, token: str) -> None:
    answer = httpx.get(f"{address}/accept", params={"token": token})
    assert answer.status_code in (400, 401)
    assert "<script>" not in answer.text.replace('<script type="module"', "")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_browser_that_was_here_before_is_known(address: str, services: Services, visit: Callable[..., Visit]) -> None:
    visit("maya")
    with _browser(address) as browser:
        assert browser.post("/signin", data={"email": "maya@example.org", "password": PASSWORD}).status_code == 303
        device = Cookie.of(services.settings).device_name
        marks = [each for each in browser.cookies.jar if each.name == device]
        assert len(marks) == 1
        assert browser.get("/channel").status_code == 200
        browser.post("/signout")
        assert browser.get("/channel").status_code == 401, "the mark opens nothing"
        throttle = services.accounts._throttle
        attempt = throttle.attempt("maya@example.org", "127.0.0.1")
        with services.context.database.write() as session:
            for _ in range(13):  # so that the next try is minutes away, however slow this machine is
                throttle._count(session, attempt)
        stranger = httpx.post(
            f"{address}/signin", data={"email": "maya@example.org", "password": PASSWORD}, headers={"Origin": address, "Sec-Fetch-Site": "same-origin"}
        )
        assert stranger.status_code == 429
        assert browser.post("/signin", data={"email": "maya@example.org", "password": PASSWORD}).status_code == 303


def test_a_browser_that_signs_in_again_leaves_no_session_behind(address: str, services: Services, owner: Actor, visit: Callable[..., Visit]) -> None:
    """A link into the same account goes on with the session of its browser; whoever signs in anew ends what was there."""

    def link(email: str) -> str:
        return f"/signin?ticket={services.accounts.signin_link(email, 'dashboard').ticket}"

    def sessions(who: Visit) -> int:
        return len(services.signins.sessions(owner, who.actor.account_id).items)

    maya, tom = visit("maya"), visit("tom")
    for each in (maya, tom):
        services.signins.end_all(owner, each.actor.account_id)
    name = Cookie.of(services.settings).name
    with _browser(address) as browser:
        assert browser.get(link("maya@example.org")).status_code == 303
        first = browser.cookies[name]
        line = Visit(address, services.settings, first, maya.actor)
        assert browser.get(link("maya@example.org")).status_code == 303
        assert (browser.cookies[name], sessions(maya)) == (first, 1)
        used = link("maya@example.org")
        assert [browser.get(used).status_code for _ in range(2)] == [303, 302], "good once, also where its person is in already"
        assert browser.post("/signin", data={"email": "maya@example.org", "password": PASSWORD}).status_code == 303
        assert browser.cookies[name] != first
        assert sessions(maya) == 1
        assert line.http.get("/channel").status_code == 401
        assert browser.get(link("tom@example.org")).status_code == 303
        assert (sessions(maya), sessions(tom)) == (0, 1)
        services.signins.end_all(owner, tom.actor.account_id)
        assert browser.get(link("maya@example.org")).status_code == 303, "a cookie that counts no more is in nobody's way"
    line.close()


def test_an_ended_session_ends_its_page_within_five_seconds(visit: Callable[..., Visit], services: Services, owner: Actor) -> None:
    page = visit("maya")
    line = page.channel()
    assert page.call("account.me")["ok"]["email"] == "maya@example.org"
    sessions = page.call("sessions.list")["ok"]["items"]
    current = [each for each in sessions if each["is_current"]]
    assert len(current) == 1
    began = time.monotonic()
    services.signins.end(owner, current[0]["id"])
    assert line.until(lambda item: item.get("ended"))
    assert time.monotonic() - began < 5


def test_tokens_and_invitations_on_the_pages(visit: Callable[..., Visit], services: Services) -> None:
    boss = visit("boss", Role.admin)
    made = boss.call("tokens.create", name="nightly", scope="read", days=3)["ok"]
    assert re.fullmatch(r"dapp_pat_[\w-]{43}", made["token"])
    assert services.accounts.authenticate(made["token"]).scope == "read"
    assert [each["name"] for each in boss.call("tokens.list")["ok"]["items"]] == ["nightly"]
    boss.call("tokens.end", ref=made["id"])
    invited = boss.call("invitations.create", email="ada@example.org", role="viewer")["ok"]
    assert [each["id"] for each in boss.call("invitations.list")["ok"]["items"]] == [invited["id"]]
    boss.call("invitations.withdraw", ref=invited["id"])
    assert boss.call("invitations.list")["ok"]["items"] == []
    viewer = visit("vera", Role.viewer)
    assert viewer.call("invitations.create", email="x@example.org")["error"]["code"] == "denied"
    assert viewer.call("account.profile", name="Vera V.")["ok"]["name"] == "Vera V."
