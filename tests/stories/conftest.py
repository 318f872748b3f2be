"""The real product, started as a user starts it: JupyterLab, dashboard and worker over an empty home."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

START_SECONDS = 120.0


@dataclass
class Running:
    """What ``jupyter dapp start`` said, and its process."""

    home: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def link(self, door: str) -> str:
        """The one-time link of a door, as it was printed."""
        path = "/dapp/signin" if door == "jupyterlab" else "/signin"
        return next(found.group() for line in self.lines if (found := re.search(rf"http://\S+?:\d+{path}\?ticket=\S+", line)))

    def address(self, door: str) -> str:
        return re.match(r"http://[^/]+", self.link(door)).group()  # type: ignore[union-attr]

    def new_link(self, door: str, email: str | None = None) -> str:
        """Another link, by the command line."""
        return self.command("signin-link", *([email] if email else []), "--door", door).strip()

    def command(self, *words: str, given: str | None = None) -> str:
        """Run ``jupyter dapp …`` in the same home."""
        done = subprocess.run(
            [sys.executable, "-m", "dapp_ext.cli", *words], env=environment(self.home), input=given, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text('utf-8', 'replace')[-4000:]}" for path in sorted((self.home / "logs").glob("*.log")))


def environment(home: Path) -> dict[str, str]:
    """A new user's environment: nothing of ours but the home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAPP_", "JUPYTER", "JPY_"))}
    config = home.parent / "jupyter"
    return kept | {
        "DAPP_HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_RUNTIME_DIR": str(config / "runtime"),
        "JUPYTER_DATA_DIR": str(config / "data"),
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(home: Path, folder: Path) -> Running:
    """Start everything and wait for the two links."""
    command = [sys.executable, "-m", "dapp_ext.cli", "start", "--port", str(free_port()), "--dashboard-port", str(free_port()), "--folder", str(folder)]
    process = subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
    running = Running(home, process)
    printed = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            running.lines.append(line.rstrip())
            if "Stop with Ctrl-C" in line:
                printed.set()
        printed.set()

    threading.Thread(target=read, daemon=True).start()
    assert printed.wait(START_SECONDS), running.logs()
    assert process.poll() is None, "\n".join(running.lines) + running.logs()
    return running


def stop(running: Running) -> int:
    """Ctrl-C, and how it ended."""
    running.process.send_signal(signal.SIGINT)
    code = running.process.wait(40)
    assert running.process.stdout is not None
    running.process.stdout.close()
    return code


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("story")
    folder = base / "work"
    folder.mkdir()
    found = start(base / "home", folder)
    yield found
    began = time.monotonic()
    code = stop(found)
    assert code == 0, found.logs()
    assert time.monotonic() - began < 30
