"""Versions, sharing, lineage and quotas over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dapp_ext.schema.accounts import Role
from tests.handlers.serving import CSV, Caller

Run = Callable[[], None]


@pytest.fixture
def cities(services: Any, run_jobs: Run, upload: Callable[..., Any]) -> str:
    made = upload(services.system.shell_actor(), CSV, "cities.csv")
    run_jobs()
    return str(made.id)


async def test_versions_from_upload_to_restore(owner: Caller, cities: str, run_jobs: Run) -> None:
    again = await owner("POST", f"/datasets/{cities}/versions", {"options": {"header": False}})
    assert (again.status, again.json["version"], again.json["status"], again.json["origin"]) == (202, 2, "processing", "reread")
    run_jobs()
    sent = await owner("POST", "/datasets", b"city,people\nOslo,700000\n", filename="north.csv", version_of="cities")
    assert (sent.status, sent.json["id"], sent.json["version"]) == (202, cities, 3)
    run_jobs()
    listed = (await owner("GET", f"/datasets/{cities}/versions")).json["items"]
    assert [(each["version"], each["origin"], each["rows"], each["latest"]) for each in listed] == [
        (3, "upload", 1, True),
        (2, "reread", 4, False),
        (1, "upload", 3, False),
    ]
    compared = (await owner("GET", f"/datasets/{cities}/compare", **{"from": 1, "to": 3})).json
    assert (compared["rows_before"], compared["rows_after"], compared["from_version"], compared["to_version"]) == (3, 1, 1, 3)
    assert (await owner("GET", f"/datasets/{cities}/compare")).code == "invalid"
    restored = await owner("POST", f"/datasets/{cities}/restore", {"version": 1})
    assert (restored.status, restored.json["version"], restored.json["rows"]) == (200, 4, 3)
    assert (await owner("POST", f"/datasets/{cities}/restore", {"version": 4})).code == "conflict"
    assert (await owner("GET", f"/datasets/{cities}/rows")).json["version"] == 4
    assert (await owner("GET", f"/datasets/{cities}/profile", version=2)).json["version"] == 2
    data = await owner("GET", f"/datasets/{cities}/data", format="csv", version=3)
    assert (data.headers["X-DAPP-Version"], data.body.count(b"\n")) == ("3", 2)
    original = await owner("GET", f"/datasets/{cities}/original", version=3)
    assert original.body == b"city,people\nOslo,700000\n"
    assert (await owner("GET", f"/datasets/{cities}/dependents")).json["versions"] == 4
    lineage = (await owner("GET", f"/datasets/{cities}/lineage")).json
    assert [node["kind"] for node in lineage["nodes"]].count("version") == 4
    assert {edge["label"] for edge in lineage["edges"]} == {"uploaded", "read again", "brought back"}


async def test_sharing_with_a_person(owner: Caller, signed_in: Callable[[Role], Caller], cities: str) -> None:
    analyst = signed_in(Role.analyst)
    await owner("PATCH", f"/datasets/{cities}", {"visibility": "private"})
    assert (await analyst("GET", f"/datasets/{cities}")).code == "dataset_not_found"
    (person,) = (await owner("GET", "/people", search="ANALYST")).json["items"]
    put = await owner("PUT", f"/datasets/{cities}/grants/{person['id']}", {"level": "use"})
    assert [(each["person"]["email"], each["level"]) for each in put.json["items"]] == [("analyst@example.org", "use")]
    seen = await analyst("GET", f"/datasets/{cities}")
    assert (seen.json["access"], seen.json["shared_with"]) == ("use", None)
    assert (await analyst("GET", f"/datasets/{cities}/grants")).code == "denied"
    assert (await owner("PUT", f"/datasets/{cities}/grants/{person['id']}", {"level": "own"})).code == "invalid"
    assert (await owner("PUT", f"/datasets/{cities}/grants/nobody", {"level": "use"})).code == "account_not_found"
    heard = (await analyst("GET", "/events")).json["items"]
    assert [(each["type"], each["data"]["level"]) for each in heard if each["type"] == "dataset.shared"] == [("dataset.shared", "use")]
    gone = await owner("DELETE", f"/datasets/{cities}/grants/{person['email']}")
    assert gone.json["items"] == []
    assert (await analyst("GET", f"/datasets/{cities}")).code == "dataset_not_found"


async def test_a_quota_is_told_before_the_bytes_come(owner: Caller, services: Any, cities: str) -> None:
    used = (await owner("GET", "/usage")).json
    assert (used["quota"], used["free"], used["used"] > 0) == (None, None, True)
    services.context.settings = replace(services.context.settings, quota=used["used"] + 1000)
    refused = await owner("POST", "/datasets", b"x" * 2000, filename="a.csv")
    assert (refused.status, refused.code, refused.json["error"]["details"]) == (413, "quota_exceeded", {"free": 1000})
    assert (await owner("GET", "/usage")).json["free"] == 1000


async def test_one_version_is_deleted(owner: Caller, signed_in: Callable[[Role], Caller], cities: str, run_jobs: Run) -> None:
    assert (await owner("DELETE", f"/datasets/{cities}/versions/1")).code == "conflict"
    assert (await owner("POST", f"/datasets/{cities}/versions", {"options": {"header": False}})).status == 202
    run_jobs()
    told = (await owner("GET", f"/datasets/{cities}/dependents", version=1)).json
    assert (told["later"], told["versions"], told["bytes"] > 0) == ([2], 1, True)
    viewer = await signed_in(Role.viewer)("DELETE", f"/datasets/{cities}/versions/1")
    assert viewer.status in (403, 404)
    for number in ("9", "x", "-1", "1.5", "9" * 30):
        assert (await owner("DELETE", f"/datasets/{cities}/versions/{number}")).code == "dataset_not_found"
    assert (await owner("DELETE", f"/datasets/{cities}/versions/1")).status == 204
    assert [each["version"] for each in (await owner("GET", f"/datasets/{cities}/versions")).json["items"]] == [2]
    assert (await owner("GET", f"/datasets/{cities}/rows", version=1)).code == "dataset_not_found"
