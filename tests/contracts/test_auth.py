"""Who gets in: no route answers without a DAPP credential but the ones that say so."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from traitlets.config import Config

from dapp_ext.handlers.routes import OPERATIONS
from dapp_ext.schema.accounts import Role
from tests.handlers.serving import API, Caller

NEEDS_ACCOUNT = [each for each in OPERATIONS if each.access == "account"]


def _address(path: str) -> str:
    return re.sub(r"\{\w+\}", "anything", path)


async def test_every_route_refuses_whoever_shows_no_dapp_credential(services: Any, nobody: Caller, jp_auth_header: dict[str, str]) -> None:
    refused = {
        "none": {},
        "Jupyter's token": jp_auth_header,
        "a wrong token": {"Authorization": "Bearer x.y.z"},
        "the other header": {"X-DAPP-Authorization": "Bearer x.y.z"},
    }
    for operation in NEEDS_ACCOUNT:
        for kind, headers in refused.items():
            answer = await nobody(operation.method, _address(operation.path), headers=headers)
            assert (answer.status, answer.code) == (401, "not_signed_in"), (operation, kind)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_every_route_refuses_other_verbs(services: Any, owner: Caller) -> None:
    by_path: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, set()).add(operation.method)
    for path, verbs in by_path.items():
        assert ((await owner("HEAD", _address(path))).status == 405) == ("GET" not in verbs), path
        for verb in {"GET", "POST", "PUT", "PATCH", "DELETE"} - verbs:
            answer = await owner(verb, _address(path))
            assert (answer.status, answer.code) == (405, "method_not_allowed"), (verb, path)
            assert set(answer.headers["Allow"].split(", ")) == {*verbs, "OPTIONS"} | ({"HEAD"} if "GET" in verbs else set())


async def test_a_dapp_credential_alone_is_enough(signed_in: Callable[[Role], Caller]) -> None:
    analyst = signed_in(Role.analyst)
    me = await analyst("GET", "/auth/me")
    assert me.status == 200
    assert me.json["role"] == "analyst"
    beside = Caller(analyst.fetch, headers={"X-DAPP-Authorization": f"bearer {analyst.token}", "Authorization": "token of-jupyter"})
    assert (await beside("GET", "/auth/me")).json == me.json


async def test_two_credentials_must_be_the_same(owner: Caller) -> None:
    same = await owner("GET", "/auth/me", headers={"X-DAPP-Authorization": f"Bearer {owner.token}"})
    other = await owner("GET", "/auth/me", headers={"X-DAPP-Authorization": "Bearer x.y.z"})
    assert same.status == 200
    assert (other.status, other.code) == (400, "malformed")


async def test_a_post_needs_no_xsrf_token_with_a_credential_of_ours(owner: Caller) -> None:
    answer = await owner("POST", "/auth/ticket", {"purpose": "websocket"}, headers={"Cookie": "_xsrf=something"})
    assert answer.status == 200


async def test_the_end_of_a_session_counts_at_once(owner: Caller) -> None:
    assert (await owner("POST", "/auth/logout")).status == 204
    assert (await owner("GET", "/auth/me")).code == "not_signed_in"


async def test_the_role_is_that_of_the_moment(owner: Caller, signed_in: Callable[[Role], Caller]) -> None:
    viewer = signed_in(Role.viewer)
    account = (await viewer("GET", "/auth/me")).json["id"]
    assert (await viewer("GET", "/users")).code == "denied"
    await owner("PATCH", f"/users/{account}", {"role": "admin"})
    assert (await viewer("GET", "/users")).status == 200
    await owner("PATCH", f"/users/{account}", {"disabled": True})
    assert (await viewer("GET", "/users")).code == "not_signed_in"


async def test_another_host_name_is_refused(owner: Caller) -> None:
    answer = await owner("GET", "/auth/me", headers={"Host": "evil.example"})
    assert (answer.status, answer.code) == (403, "denied")


@pytest.mark.parametrize("path", [f"{API}/health/live", "dapp/docs"])
async def test_public_pages_are_not_for_other_host_names(jp_fetch: Callable[..., Any], path: str) -> None:
    answer = await jp_fetch(path, headers={"Host": "evil.example"}, raise_error=False)
    assert answer.code == 403


def test_jupyter_finds_no_route_open_by_mistake(tmp_path: Any, jp_environ: Any, jp_asyncio_loop: Any) -> None:
    """Jupyter warns of a handler that says nothing about who may call it; here a warning is an error, and is raised."""

    async def start() -> ServerApp:
        app = ServerApp.instance(config=Config({"DappExtension": {"home": str(tmp_path), "start_worker": False}}), allow_root=True)
        app.allow_unauthenticated_access = False
        app.reraise_server_extension_failures = True
        app.jpserver_extensions = {"dapp_ext": True}
        app.initialize(argv=[], find_extensions=False, new_httpserver=False)
        return app

    ServerApp.clear_instance()
    app = jp_asyncio_loop.run_until_complete(start())
    assert "dapp_ext" in app.extension_manager.extensions
