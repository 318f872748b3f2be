"""State, numbers, template, accounts and audit over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dapp_ext import __version__
from dapp_ext.handlers.backend import Backend
from dapp_ext.schema.accounts import Role
from tests.handlers.serving import CSV, PASSWORD, Caller


async def test_the_state(owner: Caller, signed_in: Callable[[Role], Caller], tmp_path: Path) -> None:
    status = (await owner("GET", "/system")).json
    assert status["version"] == __version__
    assert status["home"] == str(tmp_path / "workspace")
    assert status["isolation"]
    assert status["dashboard"] is None
    assert status["workers"] == []
    viewer = signed_in(Role.viewer)
    assert (await viewer("GET", "/system")).json["home"] == ""


async def test_the_numbers(owner: Caller, nobody: Caller) -> None:
    await nobody("GET", "/datasets")
    await owner("POST", "/datasets", CSV, filename="a.csv")
    answer = await owner("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = answer.body.decode().splitlines()
    assert 'dapp_requests_total{method="GET",status="401"} 1.0' in lines
    assert 'dapp_requests_total{method="POST",status="202"} 1.0' in lines
    assert 'dapp_jobs{status="queued"} 1.0' in lines
    assert "dapp_feed_connections 0.0" in lines
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(values["dapp_queue_age_seconds"]) > 0
    assert float(values["dapp_stored_bytes"]) > len(CSV)
    assert float(values["dapp_objects"]) == 1
    assert float(values["dapp_events"]) >= 2
    assert float(values["dapp_prediction_seconds_count"]) == 0
    assert {"dapp_workers", "dapp_cached_bytes", "dapp_redis_answers", "dapp_feed_frames_total", "dapp_request_seconds_count"} <= set(values)


async def test_the_template_is_a_notebook(owner: Caller) -> None:
    answer = await owner("GET", "/system/template")
    assert answer.status == 200
    assert answer.json["nbformat"] == 4
    assert answer.json["cells"]


async def test_ready_is_asked_of_the_database(nobody: Caller, services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await nobody("GET", "/health/ready")).status == 200
    monkeypatch.setattr(type(services.system), "ready", lambda self: False)
    answer = await nobody("GET", "/health/ready")
    assert (answer.status, answer.code) == (503, "unavailable")


# -- the dashboard's button ---------------------------------------------------------------------------------------


async def test_a_dashboard_that_answers_is_not_started_again(owner: Caller, services: Any, backend: Backend) -> None:
    with services.system.announce_address("dashboard", "http://127.0.0.1:3999/"):
        answer = await owner("POST", "/system/dashboard", {})
    assert answer.status == 200
    assert answer.json["started"] is False
    address, _, ticket = answer.json["url"].partition("?ticket=")
    assert address == "http://127.0.0.1:3999/signin"
    assert services.accounts.redeem_ticket(ticket, "dashboard").role is Role.admin
    assert not backend.dashboard.running


async def test_a_dashboard_is_started_where_none_answers_and_ends_with_the_server(
    owner: Caller, services: Any, backend: Backend, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A process that announces itself as the dashboard does; the dashboard's own start is tried with the whole product.
    announcing = (
        "import time; from dapp_ext.services import open_services; from dapp_ext.settings import read_settings\n"
        "with open_services(read_settings()) as services, services.system.announce_address('dashboard', 'http://127.0.0.1:3998'):\n    time.sleep(60)\n"
    )
    (tmp_path / "announcing_dashboard.py").write_text(announcing)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    start = backend.dashboard.start
    monkeypatch.setattr(backend.dashboard, "start", lambda environment, *_: start(environment, "announcing_dashboard"))
    answer = await owner("POST", "/system/dashboard")
    assert answer.status == 200
    assert answer.json["started"] is True
    assert answer.json["url"].startswith("http://127.0.0.1:3998/signin?ticket=")
    assert backend.dashboard.running
    await jp_serverapp.cleanup_extensions()
    assert not backend.dashboard.running


async def test_a_dashboard_that_does_not_start_is_told(owner: Caller, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    start = backend.dashboard.start
    monkeypatch.setattr(backend.dashboard, "start", lambda environment, *_: start(environment, "there_is_no_such_module"))
    answer = await owner("POST", "/system/dashboard")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert "jupyter dapp dashboard" in answer.json["error"]["message"]


# -- people and the audit log -------------------------------------------------------------------------------------


async def test_administrators_keep_the_accounts(owner: Caller) -> None:
    made = await owner("POST", "/users", {"email": "Ada@Example.org", "name": "Ada", "role": "viewer", "password": PASSWORD})
    assert made.status == 201
    assert (made.json["email"], made.json["role"]) == ("ada@example.org", "viewer")
    assert "password" not in made.json
    twice = await owner("POST", "/users", {"email": "ada@example.org"})
    assert (twice.status, twice.code) == (409, "name_taken")
    changed = await owner("PATCH", f"/users/{made.json['id']}", {"role": "analyst"})
    assert changed.json["role"] == "analyst"
    everyone = (await owner("GET", "/users")).json
    assert everyone["total"] == 2
    assert changed.json in everyone["items"]
    missing = await owner("PATCH", "/users/none", {"name": "x"})
    assert (missing.status, missing.code) == (404, "account_not_found")


async def test_the_last_administrator_stays(owner: Caller) -> None:
    me = (await owner("GET", "/auth/me")).json["id"]
    answer = await owner("PATCH", f"/users/{me}", {"role": "viewer"})
    assert answer.status in (403, 409)


@pytest.mark.parametrize("fields", [{"id": "x"}, {"is_owner": True}, {"password_hash": "x"}, {"email": "other@example.org"}])
async def test_an_account_has_fields_that_nobody_sets(owner: Caller, fields: dict[str, Any]) -> None:
    me = (await owner("GET", "/auth/me")).json["id"]
    assert (await owner("PATCH", f"/users/{me}", fields)).status == 422


async def test_others_may_not(signed_in: Callable[[Role], Caller]) -> None:
    for role in (Role.viewer, Role.analyst):
        caller = signed_in(role)
        me = (await caller("GET", "/auth/me")).json["id"]
        for method, path, body in (
            ("GET", "/users", None),
            ("POST", "/users", {"email": "x@example.org"}),
            ("PATCH", f"/users/{me}", {"role": "admin"}),
            ("GET", "/audit", None),
        ):
            answer = await caller(method, path, body)
            assert (answer.status, answer.code) == (403, "denied"), (role, path)


async def test_the_audit_log_knows_who_did_what(owner: Caller) -> None:
    made = (await owner("POST", "/datasets", CSV, filename="a.csv")).json
    await owner("DELETE", f"/datasets/{made['id']}")
    rows = (await owner("GET", "/audit", action="dataset.delete")).json["items"]
    assert [(each["action"], each["subject_id"], each["outcome"]) for each in rows] == [("dataset.delete", made["id"], "allow")]
    assert rows[0]["actor_name"] == "Owner"
    assert rows[0]["address"] == "127.0.0.1"
    first = (await owner("GET", "/audit", limit="1")).json
    second = (await owner("GET", "/audit", limit="1", cursor=first["next"])).json
    assert first["items"][0]["id"] > second["items"][0]["id"]
