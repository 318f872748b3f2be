"""Where secrets must not be: arguments, a kernel's environment, addresses, logs. Looked at in the running product."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.stories import conftest as product

KEYS = {"DAPP_ENCRYPTION_KEY": secrets.token_urlsafe(40), "DAPP_SECRET_KEY": secrets.token_urlsafe(40)}


@pytest.mark.story
def test_no_secret_where_others_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    real = product.environment
    monkeypatch.setattr(product, "environment", lambda home: real(home) | KEYS)
    (tmp_path / "work").mkdir()
    running = product.start(tmp_path / "home", tmp_path / "work")
    try:
        kernel = start_kernel(running)
        environment = Path(f"/proc/{kernel.pid}/environ").read_bytes().decode()
        assert "PATH=" in environment
        for name, value in KEYS.items():
            assert value not in environment, f"{name} is in the kernel's environment"
            assert f"{name}=" not in environment
        family = psutil.Process(running.process.pid)
        for process in (family, *family.children(recursive=True)):
            words = " ".join(process.cmdline())
            for name, value in KEYS.items():
                assert value not in words, f"{name} is in the arguments of {words[:80]}"
        status = json.loads(running.command("status", "--json"))
        looked = json.loads(running.command("doctor", "--json"))  # says by its exit code that nothing is wrong, the modes of files among it
        assert looked["healthy"]
        shown = json.dumps(status) + running.command("doctor", "--settings") + "\n".join(running.lines)
        for path in (tmp_path / "home").rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not any(value.encode() in content for value in KEYS.values()), path
                assert path.name == "jupyter.token" or jupyters_token(tmp_path) not in content, path
        assert not any(value in shown for value in KEYS.values())
    finally:
        began = time.monotonic()
        assert product.stop(running) == 0, running.logs()
    assert time.monotonic() - began < 30


def jupyters_token(folder: Path) -> bytes:
    """What opens this Jupyter server, as it says itself where only its user can read it."""
    (path,) = folder.rglob("jpserver-*.json")
    token = str(json.loads(path.read_text())["token"])
    assert len(token) >= 32
    return token.encode()


def start_kernel(running: product.Running) -> psutil.Process:
    """A Python kernel of the running JupyterLab, started as the notebook does."""
    with httpx.Client(base_url=running.address("jupyterlab"), follow_redirects=True, trust_env=False, timeout=60) as client:
        client.get(running.link("jupyterlab"))
        crumb = client.cookies.get("_xsrf", "")
        made = client.post("/api/kernels", json={"name": "python3"}, headers={"X-XSRFToken": crumb})
        assert made.status_code == 201, made.text
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for process in psutil.Process(running.process.pid).children(recursive=True):
            if "ipykernel_launcher" in " ".join(process.cmdline()):
                return process
        time.sleep(0.2)
    raise AssertionError("no kernel was started")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc, which other systems do not have")
def test_looking_into_a_process_finds_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look above would find a secret: an environment given to a process is in /proc."""
    child = psutil.Popen([sys.executable, "-c", "import time; time.sleep(20)"], env={**os.environ, "PLANTED": "a planted secret"})
    try:
        assert b"a planted secret" in Path(f"/proc/{child.pid}/environ").read_bytes()
    finally:
        child.kill()
        child.wait()
