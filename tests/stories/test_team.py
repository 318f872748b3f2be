"""A team: the service under keys of its own, and a person's JupyterLab that forwards to it and holds nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dapp_ext.client import DAPPClient
from dapp_ext.errors import Denied, NotSignedIn, TooLarge, Unavailable
from tests.servers import Redis, free_port

pytestmark = pytest.mark.story
START_SECONDS = 90.0
PASSWORD = "plain words of a test 7"
API = "/dapp/api/v1"
SECRETS = {"DAPP_SECRET_KEY": "b7Qw0u5Zk2_nXy8Rt4Lm6Pv1Hs3Gd9Fj", "DAPP_ENCRYPTION_KEY": "Jf9dG3sH1vP6mL4tR8yXn2_kZ5u0wQ7b"}


@dataclass
class Process:
    """One process of ours."""

    words: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([sys.executable, *self.words], env=self.environment, stdout=log, stderr=log, start_new_session=True)

    def end(self, by: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(by)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def wait_for(url: str, process: Process) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(url, trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert process.process is not None
        assert process.process.poll() is None, process.log.read_text()
        assert time.monotonic() < until, process.log.read_text()
        time.sleep(0.2)


def plain_environment(base: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAPP_", "JUPYTER", "JPY_", "DATABASE_", "REDIS_"))}
    folders = {f"JUPYTER_{kind}_DIR": str(base / f"jupyter-{kind.lower()}") for kind in ("CONFIG", "DATA", "RUNTIME")}
    return kept | folders


@dataclass
class Team:
    """The service, its worker, and one person's server."""

    service: Process
    worker: Process
    person: Process
    service_url: str
    person_url: str
    base: Path


@pytest.fixture
def team(tmp_path: Path, postgres_url: str, redis_server: Redis) -> Iterator[Team]:
    here, there = free_port(), free_port()
    service_url, person_url = f"http://127.0.0.1:{there}", f"http://127.0.0.1:{here}"
    shared = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_server.url, "DAPP_STORAGE_URL": f"file://{tmp_path / 'storage'}", **SECRETS}
    plain = plain_environment(tmp_path) | {"DAPP_START_WORKER": "false"}
    service = plain | shared | {"DAPP_HOME": str(tmp_path / "service"), "DAPP_SERVICE_PORT": str(there), "DAPP_UPLOAD_LIMIT": "3000000"}
    lab = ["-m", "jupyter_server", f"--ServerApp.port={here}", "--ServerApp.token=jupyters-own", "--no-browser", "--allow-root"]
    found = Team(
        Process(["-m", "dapp_ext.serve"], service, tmp_path / "service.log"),
        Process(["-m", "dapp_ext.worker"], plain | shared | {"DAPP_HOME": str(tmp_path / "worker")}, tmp_path / "worker.log"),
        Process([*lab, f"--ServerApp.root_dir={tmp_path}"], plain | {"DAPP_HOME": str(tmp_path / "person"), "DAPP_URL": service_url}, tmp_path / "person.log"),
        service_url,
        person_url,
        tmp_path,
    )
    parts = (found.service, found.worker, found.person)
    for part in parts:
        part.start()
    try:
        wait_for(f"{service_url}{API}/health/ready", found.service)
        wait_for(f"{person_url}{API}/health/ready", found.person)
        yield found
    finally:
        for part in parts:
            part.end()


def add_account(team: Team, email: str) -> None:
    words = ["-m", "dapp_ext.cli", "users", "add", email, "--role", "analyst", "--password-stdin"]
    done = subprocess.run([sys.executable, *words], env=team.service.environment, input=PASSWORD, text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_a_team_works_through_a_server_that_holds_nothing(team: Team) -> None:
    add_account(team, "ada@example.org")
    with DAPPClient(team.person_url) as client, DAPPClient(team.service_url) as direct:
        with pytest.raises((NotSignedIn, Denied)):
            client.datasets()
        client.login("ada@example.org", PASSWORD)
        direct.login("ada@example.org", PASSWORD)
        heard: list[str] = []
        follower = threading.Thread(target=follow, args=(team, client, heard), daemon=True)
        follower.start()
        table = b"city,people,visited\n" + b"".join(
            b"City %d,%d,%s\n" % (number, number * 977 % 4001, b"yes" if number % 3 else b"no") for number in range(30_000)
        )
        (team.base / "cities.csv").write_bytes(table)
        dataset = client.upload_file(team.base / "cities.csv", wait=True)
        assert len(direct.get_processed_data(dataset.id)) == len(client.get_processed_data(dataset.id)) == 30_000
        with httpx.stream("GET", f"{team.person_url}{API}/datasets/{dataset.id}/original", headers=bearer(direct), trust_env=False) as answer:
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert b"".join(answer.iter_bytes()) == table
        with pytest.raises(TooLarge, match="3,000,000"):  # told as the service tells it
            client.upload_file(large_file(team.base))
        until = time.monotonic() + 10
        while "dataset.ready" not in heard and time.monotonic() < until:
            time.sleep(0.05)
        assert heard[0] == "hello"
        assert "dataset.ready" in heard
        team.service.end(signal.SIGKILL)
        with pytest.raises(Unavailable, match="does not answer"):
            client.datasets()
        follower.join(15)
        assert heard[-1] == "closed 1012"
        team.service.start()
        wait_for(f"{team.service_url}{API}/health/ready", team.service)
        assert [each.id for each in client.datasets()] == [dataset.id]
    nothing_to_steal(team)


def large_file(folder: Path) -> Path:
    path = folder / "large.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 2_000_000)
    return path


def follow(team: Team, client: DAPPClient, heard: list[str]) -> None:
    ticket = httpx.post(f"{team.person_url}{API}/auth/ticket", json={"purpose": "websocket"}, headers=bearer(client), trust_env=False).json()["ticket"]
    url = f"ws{team.person_url.removeprefix('http')}{API}/events/ws"
    try:
        with connect(url, subprotocols=["dapp.v1", f"dapp.ticket.{ticket}"], origin=team.person_url, proxy=None) as line:  # type: ignore[arg-type, list-item]
            while True:
                frame: dict[str, Any] = json.loads(line.recv())
                heard.append(frame["event"]["type"] if frame["type"] == "event" else frame["type"])
    except ConnectionClosed as end:
        heard.append(f"closed {end.rcvd.code if end.rcvd else None}")


def bearer(client: DAPPClient) -> dict[str, str]:
    return {"Authorization": client._connection.transport.sign_in.headers()["Authorization"]}


def nothing_to_steal(team: Team) -> None:
    """Neither a home nor a secret is where that person's kernels run."""
    assert not (team.base / "person").exists()
    assert team.person.process is not None
    environment = Path(f"/proc/{team.person.process.pid}/environ")
    if environment.exists():
        assert not any(value.encode() in environment.read_bytes() for value in SECRETS.values())
    with httpx.Client(trust_env=False) as browser:
        for path, status in (("/api/kernels", 404), ("/api/contents", 404), ("/lab", 404), (f"{API}/system", 401)):
            assert browser.get(team.service_url + path).status_code == status
        refused = browser.post(f"{team.person_url}{API}/auth/jupyter", headers={"Authorization": "token jupyters-own"})
        assert refused.status_code in (401, 403)  # whoever holds this server's token is nobody over there
        assert browser.get(f"{team.person_url}{API}/system", headers={"Authorization": "token jupyters-own"}).status_code == 401
        wrong = f"ws{team.person_url.removeprefix('http')}{API}/events/ws"
        answer = browser.get(
            wrong.replace("ws", "http", 1),
            headers={
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                "Origin": team.person_url,
            },
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")
