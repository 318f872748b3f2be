"""A real Jupyter server with DAPP over an empty home, started once for all tests that talk to one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from dapp_ext.client import DAPPClient
from dapp_ext.schema.accounts import AccountCreate, AccountRead, Role

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90.0
PASSWORD = "plain words of a test 7"


@dataclass(frozen=True)
class JupyterServer:
    """Where it runs, and the environment that its kernels have."""

    url: str
    token: str
    folder: Path
    environment: dict[str, str]

    @property
    def link(self) -> str:
        return f"{self.url}?token={self.token}"

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make this process look as if it belonged to the server, as a kernel does."""
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", self.environment["JUPYTER_RUNTIME_DIR"])


def environment(base: Path) -> dict[str, str]:
    """A new user's environment: nothing of this machine's own homes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAPP_", "JUPYTER", "JPY_"))}
    own = {"DAPP_HOME": "home", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTER_DATA_DIR": "data", "IPYTHONDIR": "ipython"}
    found = kept | {name: str(base / folder) for name, folder in own.items()}
    # The package may be installed or not; either way this working copy is what runs, with its own server configuration.
    found["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    found["JUPYTER_CONFIG_PATH"] = str(ROOT / "jupyter_config")
    return found


def start(base: Path) -> Iterator[JupyterServer]:
    """Start it, wait until it answers, and stop it in the end."""
    folder = base / "work"
    folder.mkdir()
    env = environment(base)
    log = base / "jupyter.log"
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ServerApp.port=0", f"--ServerApp.root_dir={folder}"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield _wait(process, folder, env, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def _wait(process: subprocess.Popen[bytes], folder: Path, env: dict[str, str], log: Path) -> JupyterServer:
    info = Path(env["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{process.pid}.json"
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.1)
        if not info.exists():
            continue
        try:
            found = json.loads(info.read_text())
            if httpx.get(f"{found['url']}dapp/api/v1/health/ready", trust_env=False).status_code == 200:
                return JupyterServer(found["url"], found["token"], folder, env)
        except (ValueError, httpx.HTTPError):
            continue
    raise AssertionError(f"The server did not start:\n{log.read_text('utf-8', 'replace')}")


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    yield from start(tmp_path_factory.mktemp("jupyter"))


@pytest.fixture
def client(jupyter: JupyterServer) -> Iterator[DAPPClient]:
    """Signed in through Jupyter, as the owner."""
    with DAPPClient(jupyter.link) as signed_in:
        yield signed_in


def add_account(client: DAPPClient, email: str, role: Role) -> AccountRead:
    """An account with a password; the client must be an administrator's."""
    return client.connection.transport.post(AccountRead, "users", AccountCreate(email=email, name=email.partition("@")[0], role=role, password=PASSWORD))
