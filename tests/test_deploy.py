"""What is in ``deploy/`` fits the product: settings, commands, names of secrets; and the proxy's file works in a real nginx."""

from __future__ import annotations

import configparser
import json
import os
import re
import runpy
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from websockets.sync.client import connect

from dapp_ext.settings import describe_settings
from tests.servers import free_port
from tests.stories.test_team import PASSWORD, SECRETS, Process, plain_environment, wait_for

DEPLOY = Path(__file__).parents[1] / "deploy"
COMMANDS = {"serve", "worker", "dashboard"}
VARIABLES = {row["variable"] for row in describe_settings()} | {"DATABASE_URL", "REDIS_URL"}


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())["services"]
    return found


def test_the_example_names_every_setting() -> None:
    made = runpy.run_path(str(DEPLOY / "make_env_example.py"))["text"]()
    assert (DEPLOY / ".env.example").read_text() == made, "run: python deploy/make_env_example.py > deploy/.env.example"


def test_the_containers_run_commands_that_exist_with_settings_that_exist() -> None:
    ours = {name: each for name, each in services().items() if each.get("command", [""])[0] == "jupyter-dapp"}
    assert {each["command"][1] for each in ours.values()} == COMMANDS
    for each in services().values():
        named = {name for name in each.get("environment", {}) if name.startswith("DAPP_") or name in ("DATABASE_URL", "REDIS_URL")}
        assert named <= VARIABLES
    declared = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())["secrets"]
    for each in ours.values():
        files = {value.rpartition("/")[2] for value in each["environment"].values() if str(value).startswith("file:/run/secrets/")}
        assert files == set(each["secrets"]) <= set(declared)


def test_kernels_have_no_way_to_keys_or_database() -> None:
    lab = services()["jupyter"]
    assert "secrets" not in lab
    assert lab["networks"] == ["outside"]
    assert set(lab["environment"]) == {"DAPP_URL", "DAPP_PUBLIC_URL", "JUPYTER_TOKEN"}
    assert all("outside" not in services()[name]["networks"] for name in ("postgres", "redis", "worker", "dask-scheduler", "dask-worker"))
    for name in ("dask-scheduler", "dask-worker"):
        assert not {"secrets"} & set(services()[name])
        assert not [each for each in services()[name].get("environment", {}) if each.startswith(("DAPP_", "DATABASE"))]


@pytest.mark.parametrize("name", ["service", "worker", "dashboard"])
def test_the_units(name: str) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    text = (DEPLOY / "systemd" / f"dapp-{name}.service").read_text()
    unit.read_string(text)
    assert unit["Service"]["ExecStart"].split() == ["/opt/dapp/bin/jupyter-dapp", {"service": "serve"}.get(name, name)]
    assert set(re.findall(r"LoadCredential=([\w-]+):", text)) == {"dapp-secret-key", "dapp-encryption-key"}
    assert {each.partition("=")[0] for each in unit["Service"]["Environment"].split()} <= VARIABLES


def test_the_preparation_makes_what_is_named(tmp_path: Path) -> None:
    here = tmp_path / "deploy"
    shutil.copytree(DEPLOY, here)
    for _ in range(2):  # the second time changes nothing
        before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
        subprocess.run(["sh", here / "prepare.sh", "dapp.example.org"], check=True, capture_output=True, timeout=60)
    assert before == {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    declared = yaml.safe_load((here / "docker-compose.yml").read_text())["secrets"]
    for each in declared.values():
        path = here / each["file"]
        assert path.stat().st_mode & 0o077 == 0
        assert len(path.read_text()) >= 32
    context = ssl.create_default_context(cafile=str(here / "certificates" / "ca.pem"))
    context.load_cert_chain(here / "certificates" / "cert.pem", here / "certificates" / "key.pem")


# -- behind a real nginx --------------------------------------------------------------------------------------------


@pytest.fixture
def nginx() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("no nginx on this machine: install it to try the proxy's file")
    return found


@pytest.mark.story
@pytest.mark.long
def test_the_product_behind_the_proxy(nginx: str, tmp_path: Path) -> None:
    service, dashboard, nowhere, door = (free_port() for _ in range(4))
    address = f"https://localhost:{door}"
    prefix = prepared(tmp_path, {"backend:8000": service, "dashboard:3000": dashboard, "jupyter:8888": nowhere}, door)
    shared = plain_environment(tmp_path) | SECRETS | {"DAPP_HOME": str(tmp_path / "home"), "DAPP_START_WORKER": "false", "DAPP_BEHIND_PROXY": "true"}
    shared |= {"DAPP_PUBLIC_URL": address, "DAPP_DASHBOARD_URL": address, "DAPP_SERVICE_PORT": str(service), "DAPP_DASHBOARD_PORT": str(dashboard)}
    parts = [Process(["-m", "dapp_ext.cli", command], shared, tmp_path / f"{command}.log") for command in ("serve", "dashboard")]
    for part in parts:
        part.start()
    proxy = subprocess.Popen([nginx, "-p", f"{prefix}/", "-c", "nginx.conf", "-g", "daemon off;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{service}/dapp/api/v1/health/ready", parts[0])
        wait_for(f"http://127.0.0.1:{dashboard}/signin", parts[1])
        words = [sys.executable, "-m", "dapp_ext.cli", "users", "add", "ada@example.org", "--password-stdin"]
        subprocess.run(words, env=shared, input=PASSWORD, text=True, check=True, capture_output=True, timeout=60)
        walk_through(address, prefix)
    finally:
        proxy.terminate()
        proxy.wait(10)
        for part in parts:
            part.end()


def prepared(tmp_path: Path, upstreams: dict[str, int], door: int) -> Path:
    """The proxy's file with the ports of this machine, and a certificate made as the preparation does."""
    here = tmp_path / "deploy"
    shutil.copytree(DEPLOY, here)
    subprocess.run(["sh", here / "prepare.sh", "localhost"], check=True, capture_output=True, timeout=60)
    text = (here / "nginx.conf").read_text()
    for name, port in upstreams.items():
        assert text.count(name) == 1
        text = text.replace(name, f"127.0.0.1:{port}")
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{door} ssl;").replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    text = text.replace("/dev/stdout", "access.log").replace("/dev/stderr", "error.log")
    # Only what a package of nginx has compiled in is given another place.
    places = "".join(f"    {name}_temp_path {name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = text.replace("http {\n", f"http {{\n{places}", 1)
    (here / "nginx.conf").write_text(f"pid nginx.pid;\n{'user root;' if os.geteuid() == 0 else ''}\n{text}")
    (here / "mime.types").write_text("types { text/html html; }\n")
    return here


def walk_through(address: str, prefix: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(prefix / "tls" / "fullchain.pem"))
    with httpx.Client(base_url=address, verify=trusted, trust_env=False, timeout=30) as browser:
        assert browser.get("/docs", follow_redirects=True).status_code == 200
        assert browser.get("/signin").status_code == 200
        assert browser.get("/jupyter/lab").status_code == 502  # nothing runs there in this test
        api = "/dapp/api/v1"
        pair = browser.post(f"{api}/auth/login", json={"email": "ada@example.org", "password": PASSWORD}, headers={"X-Forwarded-For": "203.0.113.9"}).json()
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        data = b"a,b\n" + b"1,2\n" * 500_000
        made = browser.post(f"{api}/datasets", params={"filename": "a.csv"}, content=data, headers=headers | {"Content-Type": "text/csv"})
        assert made.status_code == 202
        assert browser.get(f"{api}/datasets/{made.json()['id']}/original", headers=headers).content == data
        sessions = browser.get(f"{api}/auth/sessions", headers=headers).json()["items"]
        assert {each["address"] for each in sessions} == {"127.0.0.1"}  # what a visitor claims does not count
        ticket = browser.post(f"{api}/auth/ticket", json={"purpose": "websocket"}, headers=headers).json()["ticket"]
    feed = f"wss{address.removeprefix('https')}{api}/events/ws"
    with connect(feed, subprotocols=["dapp.v1", f"dapp.ticket.{ticket}"], origin=address, ssl=trusted, proxy=None) as line:  # type: ignore[arg-type, list-item]
        assert json.loads(line.recv(timeout=10))["type"] == "hello"
    logged = (prefix / "access.log").read_text()
    assert "/dapp/api/v1/datasets" in logged
    assert "filename=" not in logged
