"""Which server a client belongs to."""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dapp_ext.client.discovery import find_server, same_address
from dapp_ext.errors import Invalid, Unavailable


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    folder = tmp_path / "runtime"
    folder.mkdir()
    return folder


@pytest.fixture
def env(runtime: Path) -> dict[str, str]:
    return {"JUPYTER_RUNTIME_DIR": str(runtime)}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is the parent, not even the first process, whose child whoever is left behind becomes."""
    monkeypatch.setattr(os, "getppid", lambda: 2**22 + 9)


def running(runtime: Path, pid: int, port: int, *, token: str = "abc", base_url: str = "/", **more: Any) -> str:
    url = f"http://127.0.0.1:{port}{base_url}"
    info = {"pid": pid, "port": port, "url": url, "token": token, "base_url": base_url, "root_dir": "/", **more}
    (runtime / f"jpserver-{pid}.json").write_text(json.dumps(info))
    return url


@pytest.fixture
def answering() -> Iterator[int]:
    """Port of a server that answers as DAPP's health check does."""

    class Live(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/dapp/api/v1/health/live"
            self.send_response(200 if found else 404)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Live) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_parent_of_the_kernel_is_its_server(runtime: Path, env: dict[str, str]) -> None:
    running(runtime, 1, 8801, token="other")
    url = running(runtime, os.getppid(), 8802, token="mine")
    found = find_server(environ=env)
    assert (found.url, found.jupyter_token, found.dapp_token) == (url, "mine", "")


def test_parent_named_by_the_environment(runtime: Path, env: dict[str, str]) -> None:
    url = running(runtime, 1, 8801, token="mine", base_url="/a%40b/")
    assert find_server(environ={**env, "JPY_PARENT_PID": "1"}).url == url


def test_terminal_inside_jupyterlab(alone: None, runtime: Path, env: dict[str, str]) -> None:
    running(runtime, 1, 8801)
    running(runtime, os.getpid(), 8802, token="mine")
    assert find_server(environ={**env, "JUPYTER_SERVER_URL": "http://localhost:8802/"}).jupyter_token == "mine"


def test_server_with_the_same_root_folder(alone: None, runtime: Path, env: dict[str, str], tmp_path: Path) -> None:
    running(runtime, 1, 8801)
    running(runtime, os.getpid(), 8802, token="mine", root_dir=str(tmp_path))
    assert find_server(environ={**env, "JUPYTER_SERVER_ROOT": str(tmp_path)}).jupyter_token == "mine"


def test_otherwise_the_one_that_answers_as_dapp(alone: None, runtime: Path, env: dict[str, str], answering: int) -> None:
    running(runtime, 1, 9, token="dead")
    url = running(runtime, os.getpid(), answering, token="mine")
    assert find_server(environ=env).url == url


def test_files_of_ended_servers_and_broken_files_are_passed_over(runtime: Path, env: dict[str, str]) -> None:
    (runtime / "jpserver-5.json").write_text("{half")
    running(runtime, 2**22 + 7, 8801)  # above the largest process id of Linux
    with pytest.raises(Unavailable, match="jupyter dapp start"):
        find_server(environ=env)


def test_environment_wins_over_running_servers(runtime: Path, env: dict[str, str]) -> None:
    running(runtime, os.getppid(), 8802, token="mine")
    found = find_server(environ={**env, "DAPP_URL": "https://dapp.example/team", "DAPP_TOKEN": "tok"})
    assert (found.url, found.jupyter_token, found.dapp_token) == ("https://dapp.example/team/", "", "tok")


def test_token_goes_to_its_own_server_only(runtime: Path, env: dict[str, str]) -> None:
    running(runtime, os.getppid(), 8802, token="mine")
    given = {**env, "DAPP_URL": "https://dapp.example", "DAPP_TOKEN": "tok"}
    assert find_server("http://elsewhere.example:8802", given) == find_server("http://elsewhere.example:8802/", {})
    assert find_server("http://localhost:8802", env).jupyter_token == "mine"
    assert find_server("http://localhost:8802/other/", env).jupyter_token == ""


@pytest.mark.parametrize(
    ("given", "url", "token"),
    [
        ("http://127.0.0.1:8888", "http://127.0.0.1:8888/", ""),
        ("127.0.0.1:8888", "http://127.0.0.1:8888/", ""),
        ("http://127.0.0.1:8888/lab?token=abc", "http://127.0.0.1:8888/", "abc"),
        ("http://h/user/me/lab/tree/x.ipynb", "http://h/user/me/", ""),
        ("https://h/base/dapp/docs", "https://h/base/", ""),
    ],
)
def test_addresses_as_people_copy_them(given: str, url: str, token: str, env: dict[str, str]) -> None:
    found = find_server(given, env)
    assert (found.url, found.jupyter_token) == (url, token)


@pytest.mark.parametrize("given", ["ftp://x/", "http://", "file:///etc/passwd"])
def test_what_is_no_address(given: str, env: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        find_server(given, env)


def test_hub_gives_its_own_token(runtime: Path, env: dict[str, str]) -> None:
    hub = {**env, "JUPYTERHUB_SERVICE_PREFIX": "/user/me/", "JUPYTERHUB_API_TOKEN": "hub", "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8890/user/me/"}
    found = find_server(environ=hub)
    assert (found.url, found.jupyter_token) == ("http://127.0.0.1:8890/user/me/", "hub")
    running(runtime, os.getppid(), 8890, token="", base_url="/user/me/")
    assert find_server(environ=hub).jupyter_token == "hub"


def test_names_of_this_machine_are_one_place() -> None:
    assert same_address("http://localhost:1/a", "http://127.0.0.1:1/a/")
    assert not same_address("http://localhost:1", "http://localhost:2")
    assert not same_address("", "")
