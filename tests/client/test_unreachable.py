"""Why nobody answers, in words that say what to do."""

from __future__ import annotations

import socket

import pytest

from dapp_ext.client import DAPPClient
from dapp_ext.client.unreachable import nobody
from dapp_ext.errors import Unavailable


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def _after(cause: BaseException) -> BaseException:
    error = RuntimeError("as httpx gives it on")
    error.__cause__ = cause
    return error


def test_each_reason_has_its_own_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "jupyter dapp start" in nobody(_after(ConnectionRefusedError()), "http://127.0.0.1:8888/")
    assert "ask whoever runs it" in nobody(_after(ConnectionRefusedError()), "http://dapp.example.org/")
    assert "no machine named 'dapp.example.org'" in nobody(_after(socket.gaierror()), "http://dapp.example.org/")
    assert "begins with http or https" in nobody(_after(ConnectionResetError()), "https://127.0.0.1:8888/")
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:secret@proxy.example.org:3128")
    said = nobody(_after(ConnectionRefusedError()), "https://dapp.example.org/")
    assert "by way of the proxy proxy.example.org:3128" in said
    assert "secret" not in said
    assert "proxy" not in nobody(_after(ConnectionRefusedError()), "https://127.0.0.1:8888/"), "this machine is asked directly"
    monkeypatch.setenv("NO_PROXY", "example.org")
    assert "proxy" not in nobody(_after(ConnectionRefusedError()), "https://dapp.example.org/")


def test_a_dead_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with DAPPClient("http://dapp.example.org", "t") as client, pytest.raises(Unavailable, match=r"by way of the proxy 127\.0\.0\.1:9\."):
        client.people()
