"""Sessions, tokens, invitations over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from dapp_ext.schema.accounts import Role
from tests.handlers.serving import CSV, PASSWORD, Caller

NEW = "quite other words 99"


async def test_an_invitation_from_link_to_work(owner: Caller, nobody: Caller, services: Any) -> None:
    with services.system.announce_address("dashboard", "http://localhost:3999/"):
        made = await owner("POST", "/invitations", {"email": "Ada@Example.org", "role": "viewer"})
    assert made.status == 201
    assert made.json["url"] == f"http://localhost:3999/accept?token={made.json['token']}"
    listed = (await owner("GET", "/invitations")).json
    assert [(each["email"], each["role"], each["invited_by"]["name"]) for each in listed["items"]] == [("ada@example.org", "viewer", "Owner")]
    assert made.json["token"] not in str(listed)
    weak = await nobody("POST", "/auth/accept", {"token": made.json["token"], "password": "short"})
    assert (weak.status, weak.code) == (422, "password_weak")
    pair = await nobody("POST", "/auth/accept", {"token": made.json["token"], "password": PASSWORD, "name": "Ada"})
    assert pair.json["account"]["role"] == "viewer"
    ada = Caller(nobody.fetch, pair.json["access_token"])
    assert (await ada("GET", "/auth/me")).json["name"] == "Ada"
    again = await nobody("POST", "/auth/accept", {"token": made.json["token"], "password": NEW})
    assert (again.status, again.code) == (401, "not_signed_in")


async def test_an_invitation_is_withdrawn(owner: Caller, nobody: Caller) -> None:
    made = (await owner("POST", "/invitations", {"email": "ada@example.org"})).json
    assert made["url"] is None
    assert (await owner("DELETE", f"/invitations/{made['id']}")).status == 204
    assert (await owner("DELETE", f"/invitations/{made['id']}")).status == 404
    assert (await nobody("POST", "/auth/accept", {"token": made["token"], "password": PASSWORD})).status == 401


async def test_a_reset_by_an_administrator(owner: Caller, nobody: Caller, signed_in: Callable[[Role], Caller]) -> None:
    analyst = signed_in(Role.analyst)
    account = (await analyst("GET", "/auth/me")).json
    link = (await owner("POST", f"/users/{account['id']}/reset")).json
    assert (await analyst("GET", "/auth/me")).status == 401
    assert (await nobody("POST", "/auth/login", {"email": account["email"], "password": PASSWORD})).code == "login_refused"
    assert (await nobody("POST", "/auth/accept", {"token": link["token"], "password": NEW})).status == 200
    assert (await nobody("POST", "/auth/login", {"email": account["email"], "password": NEW})).status == 200
    assert (await owner("POST", "/users/nobody/reset")).code == "account_not_found"


async def test_sessions_are_seen_and_end_within_a_second(owner: Caller, nobody: Caller, signed_in: Callable[[Role], Caller]) -> None:
    analyst = signed_in(Role.analyst)
    pair = (await nobody("POST", "/auth/login", {"email": "analyst@example.org", "password": PASSWORD})).json
    other = Caller(nobody.fetch, pair["access_token"])
    found = (await analyst("GET", "/auth/sessions")).json["items"]
    assert len(found) == 2
    foreign = next(each for each in found if not each["is_current"])
    assert (await analyst("DELETE", f"/auth/sessions/{foreign['id']}")).status == 204
    began = time.monotonic()
    assert (await other("GET", "/auth/me")).status == 401
    assert time.monotonic() - began < 1
    assert (await nobody("POST", "/auth/refresh", {"refresh_token": pair["refresh_token"]})).status == 401
    account = (await analyst("GET", "/auth/me")).json["id"]
    assert len((await owner("GET", f"/users/{account}/sessions")).json["items"]) == 1
    assert (await owner("DELETE", f"/users/{account}/sessions")).status == 204
    assert (await analyst("GET", "/auth/me")).status == 401


async def test_signing_out_everywhere_else(nobody: Caller, signed_in: Callable[[Role], Caller]) -> None:
    viewer = signed_in(Role.viewer)
    pair = (await nobody("POST", "/auth/login", {"email": "viewer@example.org", "password": PASSWORD})).json
    assert (await viewer("DELETE", "/auth/sessions")).status == 204
    assert (await Caller(nobody.fetch, pair["access_token"])("GET", "/auth/me")).status == 401
    assert (await viewer("GET", "/auth/me")).status == 200


async def test_somebody_elses_sessions_are_not_there(owner: Caller, signed_in: Callable[[Role], Caller]) -> None:
    viewer, mine = signed_in(Role.viewer), (await owner("GET", "/auth/sessions")).json["items"][0]["id"]
    foreign, absent = await viewer("DELETE", f"/auth/sessions/{mine}"), await viewer("DELETE", "/auth/sessions/none")
    assert (foreign.status, foreign.code) == (absent.status, absent.code) == (404, "sign_in_not_found")
    assert foreign.json["error"]["message"] == absent.json["error"]["message"]
    owners = (await owner("GET", "/auth/me")).json["id"]
    assert (await viewer("GET", f"/users/{owners}/sessions")).status == 404
    assert (await owner("GET", "/auth/me")).status == 200


async def test_a_personal_token_works_within_its_scope(nobody: Caller, signed_in: Callable[[Role], Caller]) -> None:
    analyst = signed_in(Role.analyst)
    made = await analyst("POST", "/auth/tokens", {"name": "nightly", "scope": "read", "days": 7})
    assert made.status == 201
    script = Caller(nobody.fetch, made.json["token"])
    assert (await script("GET", "/datasets")).status == 200
    refused = await script("POST", "/datasets", CSV, filename="a.csv")
    assert (refused.status, refused.code) == (403, "denied")
    assert (await script("POST", "/auth/tokens", {"name": "more"})).status == 403
    assert (await script("POST", "/auth/ticket", {"purpose": "dashboard"})).status == 403
    assert (await script("POST", "/system/dashboard")).status == 403
    assert (await script("POST", "/auth/ticket", {"purpose": "websocket"})).status == 200
    listed = (await analyst("GET", "/auth/tokens")).json["items"]
    assert [(each["name"], each["scope"]) for each in listed] == [("nightly", "read")]
    assert "token" not in listed[0]
    assert (await analyst("DELETE", f"/auth/tokens/{made.json['id']}")).status == 204
    assert (await script("GET", "/datasets")).status == 401


@pytest.mark.parametrize("body", [{"name": "x", "days": 0}, {"name": "x", "days": 400}, {"name": ""}, {"name": "x", "scope": "root"}, {"name": "\u200b"}])
async def test_a_token_that_makes_no_sense(owner: Caller, body: dict[str, Any]) -> None:
    assert (await owner("POST", "/auth/tokens", body)).code == "invalid"


async def test_the_own_name(signed_in: Callable[[Role], Caller]) -> None:
    viewer = signed_in(Role.viewer)
    assert (await viewer("PATCH", "/auth/me", {"name": "Vera V."})).json["name"] == "Vera V."
    assert (await viewer("PATCH", "/auth/me", {"role": "admin"})).code == "invalid"
    assert (await viewer("GET", "/auth/me")).json["role"] == "viewer"


async def test_quotas_are_administered(owner: Caller, signed_in: Callable[[Role], Caller]) -> None:
    analyst = signed_in(Role.analyst)
    account = (await analyst("GET", "/auth/me")).json["id"]
    assert (await owner("PATCH", f"/users/{account}", {"quota": 50})).status == 200
    listed = {each["email"]: each for each in (await owner("GET", "/quotas")).json["items"]}
    assert (listed["analyst@example.org"]["quota"], listed["analyst@example.org"]["is_own"], listed["owner@localhost"]["quota"]) == (50, True, None)
    assert (await analyst("POST", "/datasets", CSV, filename="a.csv")).code == "quota_exceeded"
    assert (await owner("PATCH", f"/users/{account}", {"quota": None})).status == 200
    assert (await analyst("POST", "/datasets", CSV, filename="a.csv")).status == 202
    assert (await owner("PATCH", f"/users/{account}", {"quota": -1})).code == "invalid"
    assert (await analyst("PATCH", f"/users/{account}", {"quota": 0})).code == "denied"
    assert (await analyst("GET", "/quotas")).code == "denied"
