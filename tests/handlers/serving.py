"""A Jupyter server with the extension on an empty home, under a base URL that needs care, and callers of each kind."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tornado.httputil import HTTPHeaders
from traitlets.config import Config

from dapp_ext.handlers.backend import SETTING, Backend
from dapp_ext.schema.accounts import AccountCreate, LoginRequest, Role
from dapp_ext.services import Services

API = "dapp/api/v1"
PASSWORD = "plain words of a test 7"
CSV = b"city,people\nBerlin,3700000\nParis,2100000\nRome,2800000\n"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPHeaders
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code in the envelope of a failure, whose shape is checked on the way."""
        envelope = self.json
        assert set(envelope) == {"error"}, envelope
        error = envelope["error"]
        assert set(error) == {"code", "message", "details", "request_id"}, error
        assert error["message"].endswith((".", ")")) or " jupyter dapp " in error["message"] or "/dapp/docs" in error["message"], error["message"]
        assert error["request_id"] == self.headers["X-Request-Id"]
        return str(error["code"])


@dataclass
class Caller:
    """Calls the API with one credential, or none; Jupyter's own is only sent when it is asked for."""

    fetch: Callable[..., Awaitable[Any]]
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **params: Any) -> Answer:
        sent = {"Authorization": f"Bearer {self.token}" if self.token else "", **self.headers, **(headers or {})}
        data = body
        if body is not None and not isinstance(body, bytes):
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        elif body is not None:
            sent.setdefault("Content-Type", "application/octet-stream")
        url = f"/a%40b/{API}{path}?{urlencode(params, doseq=True)}".removesuffix("?")
        response = await self.fetch(
            url, method=method, body=data, headers=sent, raise_error=False, allow_nonstandard_methods=True, follow_redirects=False, request_timeout=120
        )
        return Answer(response.code, response.headers, response.body or b"")


@pytest.fixture
def jp_server_config(tmp_path: Path) -> Config:
    return Config(
        {
            # Nothing is open that does not say so; the terminals' own handlers warn under this, and are not needed.
            "ServerApp": {"jpserver_extensions": {"dapp_ext": True, "jupyter_server_terminals": False}, "allow_unauthenticated_access": False},
            "DappExtension": {"home": str(tmp_path / "workspace"), "start_worker": False, "upload_limit": 3_000_000},
        }
    )


@pytest.fixture
def backend(jp_serverapp: Any) -> Backend:
    found: Backend = jp_serverapp.web_app.settings[SETTING]
    return found


@pytest.fixture
def nobody(jp_serverapp: Any, http_server_client: Any) -> Caller:
    return Caller(http_server_client.fetch)


@pytest.fixture
def services(backend: Backend, jp_asyncio_loop: Any) -> Services:
    """The door of the server under test."""
    opened: Services = jp_asyncio_loop.run_until_complete(backend.services())
    return opened


@pytest.fixture
def signed_in(services: Services, nobody: Caller) -> Callable[[Role], Caller]:
    """Makes an account in a role and signs it in."""

    def make(role: Role) -> Caller:
        email = f"{role.value}@example.org"
        services.accounts.create(services.system.shell_actor(), AccountCreate(email=email, role=role, password=PASSWORD))
        return Caller(nobody.fetch, services.accounts.login(LoginRequest(email=email, password=PASSWORD)).access_token)

    return make


@pytest.fixture
def owner(services: Services, nobody: Caller) -> Caller:
    return Caller(nobody.fetch, services.accounts.sign_in_owner().access_token)
