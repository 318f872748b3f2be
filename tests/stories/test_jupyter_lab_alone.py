"""Plain ``jupyter lab`` with the package installed: a worker and the dashboard start by themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.stories.conftest import environment, free_port

pytestmark = pytest.mark.story

# What a user types into a notebook's cells; run by an interpreter that the server's kernels would be.
CELLS = """
from dapp_ext.client import DAPPClient
from dapp_ext.client.samples import sample_path
client = DAPPClient()
print("who", client.whoami().role.value)
data = client.upload_file(sample_path("penguins"))
model = client.train_model(data, target="species", time_budget=8)
model.wait()
results = client.get_results(model)
print("sentence", results.sentence)
frame = client.get_processed_data(data)
print("answer", client.predict(model, frame.head(1))["prediction"].iloc[0])
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, dict[str, str]]]:
    port = free_port()
    given = environment(tmp_path / "home")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={tmp_path}"]
    if os.geteuid() == 0:
        command.append("--allow-root")
    with open(tmp_path / "lab.log", "wb") as log:
        process = subprocess.Popen(command, env=given, cwd=tmp_path, stdout=log, stderr=log)
    url = f"http://localhost:{port}"
    until = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/dapp/api/v1/health/ready", timeout=2).status_code == 200:
                break
        except httpx.HTTPError:
            pass
        assert process.poll() is None, (tmp_path / "lab.log").read_text("utf-8")
        assert time.monotonic() < until, (tmp_path / "lab.log").read_text("utf-8")
        time.sleep(0.2)
    yield process, url, given
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_the_job_in_a_notebook_and_the_dashboard_by_a_button(lab: tuple[subprocess.Popen[bytes], str, dict[str, str]], tmp_path: Path) -> None:
    process, url, given = lab
    kernel = given | {"JPY_PARENT_PID": str(process.pid)}
    done = subprocess.run([sys.executable, "-c", CELLS], env=kernel, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("who ", "sentence ", "answer ")))
    assert said["who"] == "admin"
    assert said["answer"] == "Adelie"
    workers = [each for each in psutil.Process(process.pid).children(recursive=True) if "dapp_ext.worker" in " ".join(each.cmdline())]
    assert workers, "the worker was to start by itself"

    runtime = next(Path(given["JUPYTER_RUNTIME_DIR"]).glob("jpserver-*.json")).read_text("utf-8")
    token = runtime.partition('"token": "')[2].partition('"')[0]
    pair = httpx.post(f"{url}/dapp/api/v1/auth/jupyter", headers={"Authorization": f"token {token}"}, timeout=10).json()
    answer = httpx.post(f"{url}/dapp/api/v1/system/dashboard", headers={"Authorization": f"Bearer {pair['access_token']}"}, json={}, timeout=60)
    assert answer.status_code == 200, answer.text
    with httpx.Client(follow_redirects=True, timeout=30) as browser:
        page = browser.get(answer.json()["url"])
        assert page.status_code == 200
        assert browser.cookies

    started = [each for each in psutil.Process(process.pid).children(recursive=True) if each.status() != psutil.STATUS_ZOMBIE]
    ours = [each for each in started if "dapp" in " ".join(each.cmdline())]
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    _, alive = psutil.wait_procs(ours, timeout=20)
    assert alive == [], "what the server had started outlived it"
