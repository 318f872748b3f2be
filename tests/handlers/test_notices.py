"""Announcements, maintenance and the bell over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dapp_ext.schema.accounts import Role
from tests.handlers.serving import CSV, Caller


async def test_maintenance_is_seen_felt_and_ended(owner: Caller, signed_in: Callable[[Role], Caller]) -> None:
    analyst = signed_in(Role.analyst)
    assert (await analyst("GET", "/maintenance")).json["state"] == "off"
    assert (await analyst("POST", "/maintenance", {})).code == "denied"
    begun = await owner("POST", "/maintenance", {"message": "New disks", "minutes": 5})
    assert begun.json["state"] == "on"
    refused = await analyst("POST", "/datasets", CSV, filename="a.csv")
    assert (refused.status, refused.code) == (503, "maintenance")
    assert 30 <= int(refused.headers["Retry-After"]) <= 300
    assert (await analyst("GET", "/datasets")).status == 200
    assert (await analyst("GET", "/system")).json["maintenance"]["message"] == "New disks"
    assert (await owner("DELETE", "/maintenance")).status == 204
    assert (await owner("DELETE", "/maintenance")).code == "conflict"
    assert (await analyst("POST", "/datasets", CSV, filename="a.csv")).status == 202


async def test_announcements(owner: Caller, signed_in: Callable[[Role], Caller]) -> None:
    viewer = signed_in(Role.viewer)
    made = await owner("POST", "/announcements", {"message": "<b>Cake</b>", "severity": "warning", "ends_at": "2999-01-01T00:00:00Z"})
    assert made.status == 201
    shown = (await viewer("GET", "/announcements")).json["items"]
    assert [(each["message"], each["severity"], each["author"]["name"]) for each in shown] == [("<b>Cake</b>", "warning", "Owner")]
    assert (await viewer("GET", "/announcements", all="true")).code == "denied"
    assert (await viewer("POST", "/announcements", {"message": "x"})).code == "denied"
    assert (await viewer("DELETE", f"/announcements/{made.json['id']}")).code == "denied"
    assert (await owner("DELETE", f"/announcements/{made.json['id']}")).status == 204
    assert (await viewer("GET", "/announcements")).json["items"] == []
    assert (await owner("GET", "/announcements", all="true")).json["total"] == 1


async def test_an_announcement_for_later_is_told_to_nobody_yet(owner: Caller, signed_in: Callable[[Role], Caller]) -> None:
    viewer = signed_in(Role.viewer)
    made = await owner("POST", "/announcements", {"message": "Cake", "starts_at": "2999-01-01T00:00:00Z"})
    assert (made.status, made.json["is_current"], made.json["is_coming"]) == (201, False, True)
    assert (await viewer("GET", "/announcements")).json["items"] == []
    assert (await viewer("GET", "/notifications")).json["items"] == []
    assert [each["type"] for each in (await viewer("GET", "/events")).json["items"] if each["type"].startswith("system.")] == []
    assert [each["type"] for each in (await owner("GET", "/events")).json["items"] if each["type"].startswith("system.")] == ["system.scheduled"]
    assert (await owner("DELETE", f"/announcements/{made.json['id']}")).status == 204
    assert [each["type"] for each in (await viewer("GET", "/events")).json["items"] if each["type"].startswith("system.")] == []


@pytest.mark.parametrize(
    "body", [{"message": ""}, {"message": "x", "starts_at": "2030-01-01T00:00:00"}, {"message": "x", "severity": "loud"}, {"message": "x" * 501}]
)
async def test_an_announcement_that_makes_no_sense(owner: Caller, body: dict[str, Any]) -> None:
    assert (await owner("POST", "/announcements", body)).code == "invalid"


async def test_the_bell(owner: Caller, signed_in: Callable[[Role], Caller]) -> None:
    viewer = signed_in(Role.viewer)
    for number in range(3):
        await owner("POST", "/announcements", {"message": f"News {number}"})
    page = (await viewer("GET", "/notifications", limit=2)).json
    assert ([each["title"] for each in page["items"]], page["unread"]) == (["News 2", "News 1"], 3)
    rest = (await viewer("GET", "/notifications", limit=2, cursor=page["next"])).json
    assert ([each["title"] for each in rest["items"]], rest["next"]) == (["News 0"], None)
    assert (await viewer("POST", "/notifications/read", {"id": page["items"][0]["id"]})).json == {"unread": 2}
    assert (await viewer("GET", "/notifications/unread")).json == {"unread": 2}
    assert len((await viewer("GET", "/notifications", unread="true")).json["items"]) == 2
    assert (await viewer("POST", "/notifications/read")).json == {"unread": 0}
    assert (await viewer("POST", "/notifications/read", {"id": "x"})).code == "cursor_invalid"
    assert page["items"][0]["link"]["kind"] == "announcement"
