"""One shape for any failure, and the same headers on every answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from dapp_ext.handlers.backend import Backend
from dapp_ext.handlers.operation import JSON
from dapp_ext.handlers.routes import OPERATIONS
from dapp_ext.handlers.wire import BODY_LIMIT
from tests.handlers.serving import API, CSV, Caller

WITH_BODY = [each for each in OPERATIONS if each.method in ("POST", "PUT", "PATCH") and each.takes == JSON]


def _address(path: str) -> str:
    return re.sub(r"\{\w+\}", "anything", path)


SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def test_a_body_of_another_kind_is_refused_everywhere(owner: Caller, jp_auth_header: dict[str, str]) -> None:
    for operation in WITH_BODY:
        path = _address(operation.path)
        # The exchange looks at Jupyter's login, which its own header carries.
        headers = {"Content-Type": "text/plain", **(jp_auth_header if operation.access == "jupyter" else {})}
        answer = await owner(operation.method, path, b"{}", headers=headers)
        assert (answer.status, answer.code) == (415, "media_unsupported"), operation


async def test_unknown_fields_are_refused_everywhere(owner: Caller, jp_auth_header: dict[str, str]) -> None:
    for operation in WITH_BODY:
        path = _address(operation.path)
        headers = jp_auth_header if operation.access == "jupyter" else {}
        answer = await owner(operation.method, path, {"no_such_field": 1}, headers=headers)
        assert (answer.status, answer.code) == (422, "invalid"), operation
        assert any(each["field"] == "no_such_field" for each in answer.json["error"]["details"]["fields"]), operation


async def test_unknown_parameters_are_refused_everywhere(owner: Caller) -> None:
    for operation in OPERATIONS:
        if operation.method == "GET" and operation.access == "account":
            answer = await owner("GET", _address(operation.path), no_such_parameter="1")
            assert (answer.status, answer.code) == (422, "invalid"), operation


async def test_jupyterlabs_cache_buster_is_no_parameter(owner: Caller) -> None:
    assert (await owner("GET", "/datasets", **{"1700000000000": ""})).status == 200


@pytest.mark.parametrize("body", [b"{", b'{"email": "a", "email": "b"}', b'{"email": NaN}', b"[" * 100, b'{"email": "\xff"}'])
async def test_broken_json_is_malformed(nobody: Caller, body: bytes) -> None:
    answer = await nobody("POST", "/auth/login", body, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (400, "malformed")


async def test_a_body_may_not_be_larger_than_a_mebibyte(nobody: Caller) -> None:
    answer = await nobody("POST", "/auth/login", b'"' + b"x" * BODY_LIMIT + b'"', headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (413, "too_large")


async def test_wrong_types_are_invalid(owner: Caller) -> None:
    answer = await owner("POST", "/models", {"dataset": 7, "time_budget": "sixty"})
    assert answer.code == "invalid"
    assert {each["field"] for each in answer.json["error"]["details"]["fields"]} == {"dataset", "time_budget"}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/datasets/none", "dataset_not_found"),
        ("/models/none", "model_not_found"),
        ("/jobs/none", "job_not_found"),
        ("/nothing/here", "route_not_found"),
        ("", "route_not_found"),
        ("/datasets/a/b/c", "route_not_found"),
    ],
)
async def test_what_is_not_there_is_not_found(owner: Caller, path: str, code: str) -> None:
    answer = await owner("GET", path)
    assert (answer.status, answer.code) == (404, code)


async def test_any_verb_at_no_address_is_not_found(nobody: Caller) -> None:
    for verb in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = await nobody(verb, "/nothing")
        assert (answer.status, answer.code) == (404, "route_not_found"), verb


async def test_a_verb_that_nobody_knows_is_refused_in_the_envelope(nobody: Caller) -> None:
    answer = await nobody("PROPFIND", "/datasets")
    assert (answer.status, answer.code) == (405, "method_not_allowed")


@pytest.mark.parametrize("cursor", ["nonsense", "x.1", "-1", "0" * 100])
async def test_a_cursor_that_nobody_gave_out(owner: Caller, cursor: str) -> None:
    for path, name in (("/datasets", "cursor"), ("/events", "after")):
        answer = await owner("GET", path, **{name: cursor})
        assert (answer.status, answer.code) == (400, "cursor_invalid"), path


@pytest.mark.parametrize("limit", ["0", "-1", "501", "1e9", "abc"])
async def test_a_limit_that_makes_no_sense(owner: Caller, limit: str) -> None:
    assert (await owner("GET", "/datasets", limit=limit)).status == 422


async def test_every_answer_has_the_headers_that_keep_browsers_safe(owner: Caller, nobody: Caller) -> None:
    answers = [
        await owner("GET", "/datasets"),
        await owner("POST", "/datasets", CSV, filename="cities.csv"),
        await owner("POST", "/auth/logout"),
        await nobody("GET", "/datasets"),
        await nobody("GET", "/nothing"),
        await nobody("PUT", "/datasets"),
        await nobody("OPTIONS", "/datasets"),
        await nobody("GET", "/health/live"),
        await nobody("GET", "/openapi.json"),
    ]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in SAFE_HEADERS} == SAFE_HEADERS, answer
        assert "Server" not in answer.headers
        assert "Etag" not in answer.headers
        assert "Set-Cookie" not in answer.headers


async def test_the_request_id_is_the_callers_own_if_it_is_reasonable(nobody: Caller) -> None:
    own = await nobody("GET", "/datasets", headers={"X-Request-Id": "my-request-0001"})
    assert own.json["error"]["request_id"] == own.headers["X-Request-Id"] == "my-request-0001"
    other = await nobody("GET", "/datasets", headers={"X-Request-Id": "<script>"})
    assert other.headers["X-Request-Id"] != "<script>"


async def test_success_has_the_shape_that_the_table_says(owner: Caller) -> None:
    page = (await owner("GET", "/datasets")).json
    assert page == {"items": [], "next": None, "total": page["total"]}
    status = (await owner("GET", "/system")).json
    assert status["version"]
    assert (await owner("GET", "/health/ready")).json == {"status": "ok"}


async def test_an_unforeseen_error_tells_only_its_request_id(
    owner: Caller, services: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("4711-secret")

    monkeypatch.setattr(type(services.datasets), "list", broken)
    answer = await owner("GET", "/datasets")
    assert (answer.status, answer.code) == (500, "internal")
    assert b"4711-secret" not in answer.body
    assert "4711-secret" not in caplog.text
    assert answer.headers["X-Request-Id"] in caplog.text
    assert "RuntimeError" in caplog.text


async def test_queries_stay_out_of_the_log(owner: Caller, caplog: pytest.LogCaptureFixture) -> None:
    await owner("GET", "/datasets/none/rows", search="4711-secret")
    assert "/datasets/none/rows" in caplog.text
    assert "4711-secret" not in caplog.text


async def test_other_sites_are_not_allowed_to_read(owner: Caller, jp_fetch: Callable[..., Any]) -> None:
    preflight = await jp_fetch(
        f"{API}/datasets",
        method="OPTIONS",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"},
    )
    assert not [name for name in preflight.headers if name.startswith("Access-Control")]
    answer = await owner("GET", "/datasets", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


async def test_an_allowed_site_may_read(owner: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backend, "allowed_origins", lambda self: frozenset({"https://lab.example"}))
    page = {"Origin": "https://lab.example"}
    preflight = await owner("OPTIONS", "/datasets", headers={**page, "Access-Control-Request-Method": "POST"})
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://lab.example"
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, POST, HEAD, OPTIONS"
    assert "x-dapp-authorization" in preflight.headers["Access-Control-Allow-Headers"]
    for answer in (await owner("GET", "/datasets", headers=page), await owner("GET", "/datasets/none", headers=page)):
        assert answer.headers["Access-Control-Allow-Origin"] == "https://lab.example"
        assert answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Origin" not in (await owner("GET", "/datasets", headers={"Origin": "https://lab.example.evil"})).headers


async def test_health_says_only_that_it_lives(nobody: Caller) -> None:
    assert json.loads((await nobody("GET", "/health/live")).body) == {"status": "ok"}
