"""The wheel and the source distribution, in an environment that has nothing of this folder and no Node."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.servers import free_port

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints" / f"python{sys.version_info[0]}.{sys.version_info[1]}.txt"
START_SECONDS = 120.0
pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.timeout(1200)]
JOB = """
import pandas as pd
from dapp_ext.client import DAPPClient

table = pd.DataFrame({"hours": range(200), "passed": ["yes" if hour % 100 > 40 else "no" for hour in range(200)]})
with DAPPClient(URL, token=TOKEN) as client:
    data = client.upload_file(table, name="Exams")
    model = client.train_model(data, "passed", trials=2, time_budget=10, wait=True)
    print(client.predict(model, pd.DataFrame({"hours": [10, 90]}))["prediction"].tolist())
"""


@dataclass(frozen=True)
class Packages:
    """What was built: the source distribution from this folder, the wheel from the source distribution."""

    sdist: Path
    wheel: Path


@dataclass(frozen=True)
class Place:
    """An environment with the wheel in it, an empty folder and an empty home."""

    scripts: Path
    folder: Path

    def environment(self) -> dict[str, str]:
        # No program of this machine is on the path, Node least of all, and nothing leads back to this folder.
        own = {f"JUPYTER_{name}_DIR": str(self.folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        return own | {"PATH": str(self.scripts), "HOME": str(self.folder), "DAPP_HOME": str(self.folder / "home"), "LANG": "C.UTF-8"}

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [self.scripts / words[0], *words[1:]], cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def uv(*words: str, path: str | None = None) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAPP_")}
    done = subprocess.run([sys.executable, "-m", "uv", *words], env=environment | ({"PATH": path} if path else {}), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    made, empty = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("empty")
    uv("build", "--quiet", "--sdist", "--out-dir", str(made), str(ROOT))
    sdist = next(made.glob("*.tar.gz"))
    uv("build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", str(made), str(sdist), path=str(empty))
    return Packages(sdist, next(made.glob("*.whl")))


@pytest.fixture(scope="module")
def place(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("place")
    uv("venv", "--quiet", "--python", sys.executable, str(folder / "venv"))
    uv("pip", "install", "--quiet", "--python", str(folder / "venv" / "bin" / "python"), "--constraint", str(CONSTRAINTS), str(packages.wheel))
    return Place(folder / "venv" / "bin", folder)


@pytest.fixture(scope="module")
def running(place: Place) -> Iterator[tuple[int, int]]:
    """The whole product from the wheel; the ports of JupyterLab and dashboard."""
    port, panel = free_port(), free_port()
    with (place.folder / "log").open("wb") as log:
        command = [place.scripts / "jupyter-dapp", "start", "--port", str(port), "--dashboard-port", str(panel)]
        process = subprocess.Popen(command, cwd=place.folder, env=place.environment(), stdout=log, stderr=log)
    try:
        until = time.monotonic() + START_SECONDS
        while not (answers(f"http://127.0.0.1:{port}/dapp/api/v1/health/ready") and answers(f"http://127.0.0.1:{panel}/signin")):
            assert process.poll() is None, (place.folder / "log").read_text()
            assert time.monotonic() < until, (place.folder / "log").read_text()
            time.sleep(0.2)
        yield port, panel
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_the_wheel_holds_what_the_folder_holds_and_nothing_else(packages: Packages) -> None:
    with zipfile.ZipFile(packages.wheel) as archive:
        inside = archive.namelist()
    modules = {str(path.relative_to(ROOT)) for package in ("dapp_ext", "dapp_panel") for path in (ROOT / package).rglob("*.py") if "frontend" not in path.parts}
    assert modules <= set(inside)
    for needed in ("dapp_panel/dist/manifest.json", "jupyter-dapp/package.json", "jupyter-dapp/install.json", "jupyter_server_config.d/dapp_ext.json"):
        assert any(name.endswith(needed) for name in inside), needed
    assert not [name for name in inside if "node_modules" in name or name.startswith(("tests/", "benchmarks/", "docs/"))]


def test_the_source_distribution_can_be_worked_on(packages: Packages) -> None:
    with tarfile.open(packages.sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    for needed in (
        "Makefile",
        "pyproject.toml",
        "CHANGELOG.md",
        "labextension/package-lock.json",
        "dapp_panel/frontend/src",
        "tests/conftest.py",
        "docs/conf.py",
    ):
        assert any(name.startswith(needed) for name in inside), needed
    assert not [name for name in inside if "node_modules" in name or ".venv" in name or ".git/" in name]


def test_jupyter_knows_both_halves(place: Place) -> None:
    listed = place.run("jupyter", "labextension", "list")
    assert "jupyter-dapp" in listed
    assert "disabled" not in listed
    assert "dapp_ext" in place.run("jupyter", "server", "extension", "list")


def test_it_does_the_whole_job(place: Place, running: tuple[int, int]) -> None:
    token = place.run("jupyter-dapp", "tokens", "create", "job", "--scope", "write").strip().split()[-1]
    script = place.folder / "job.py"
    script.write_text(JOB.replace("URL", repr(f"http://127.0.0.1:{running[0]}/")).replace("TOKEN", repr(token)))
    assert place.run("python", str(script)).strip().splitlines()[-1] == "['no', 'yes']"
    page = httpx.get(f"http://127.0.0.1:{running[1]}/signin", trust_env=False)
    assert "DAPP" in page.text


def test_the_doctor_finds_nothing_wrong(place: Place, running: tuple[int, int]) -> None:
    place.run("jupyter-dapp", "doctor")
