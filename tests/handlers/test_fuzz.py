"""The whole API description, thrown at a real server by schemathesis as everybody: no 5xx, nothing outside the description."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import negative_data_rejection

from dapp_ext.handlers.openapi import describe
from dapp_ext.schema.accounts import AccountCreate, Role
from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.schema.models import TrainRequest
from dapp_ext.services import Services, open_services
from dapp_ext.settings import Settings
from tests.client.server import environment
from tests.conftest import PASSWORD, work_off

CHANCE = random.Random(7)
KINDS = ("adelie", "gentoo")
CSV = "species,mass,island\n" + "".join(f"{KINDS[row % 2]},{CHANCE.gauss(3700 + row % 2 * 1200, 300):.0f},{CHANCE.choice('abc')}\n" for row in range(150))
NOBODY = "nobody"
LONGEST_ADDRESS = 63 * 1024
# The first prediction of a server loads the learning libraries, which takes its time on a busy machine.
PATIENCE = 90
ENDS_SESSIONS = ("/auth/logout", "/auth/sessions", "/auth/sessions/{ref}", "/auth/password", "/users/{ref}", "/users/{ref}/reset", "/users/{ref}/sessions")
# What a column may be, or which row fits a model, no description can say: 422 is an answer to data of the right shape.
# Texts that are too long may also make the body too long, which is said first: 413.
FITS_NOT = {
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "403", "404", "409", "422", "429", "503"]},
        "negative_data_rejection": {"expected-statuses": ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]},
    }
}
CONFIG = SchemathesisConfig.from_dict(FITS_NOT)
PLAIN = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
ROLES = (NOBODY, *(role.value for role in Role))


@dataclass
class Server:
    """A server over a home with one thing of each kind, and everybody's credentials."""

    url: str
    things: dict[str, str]
    home: Path
    _tokens: dict[str, str] = field(default_factory=dict)

    def headers(self, role: str) -> dict[str, str]:
        if role == NOBODY:
            return {}
        if role not in self._tokens:
            with open_services(Settings(home=self.home)) as services:
                actor = services.accounts.acting_as(services.system.shell_actor(), f"{role}@example.org")
                self._tokens[role] = services.accounts.open_session(actor).access_token
        return {"Authorization": f"Bearer {self._tokens[role]}"}

    def call(self, case: Any, role: str) -> None:
        """Send a case as one role and check the answer; a session that a call has ended is opened again."""
        # A parameter that is given empty counts as left out, so it is no mistake that would have to be refused.
        excused = [negative_data_rejection] if any(value in ("", [], {}, None) for value in (case.query or {}).values()) else []
        try:
            case.call_and_validate(base_url=self.url, headers=self.headers(role), timeout=PATIENCE, excluded_checks=excused)
        except requests.ConnectionError as cut:
            # Tornado hangs up on more than 64 KiB of address and headers without a word; everything shorter is answered.
            if cut.request is None or len(cut.request.url or "") < LONGEST_ADDRESS:
                raise
        if case.operation.path in ENDS_SESSIONS:
            self._tokens.clear()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _serve(tmp_path_factory.mktemp("fuzzed"), with_model=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _serve(tmp_path_factory.mktemp("fuzzed"), with_model=True)


def _serve(base: Path, *, with_model: bool) -> Iterator[Server]:
    env = environment(base)
    home = Path(env["DAPP_HOME"])
    with open_services(Settings(home=home)) as services:
        things = _fill(services, with_model)
    # A dashboard that "answers" already is not started; its address is this process.
    run = home / "run"
    run.mkdir(exist_ok=True)
    (run / f"dashboard-{os.getpid()}.json").write_text(json.dumps({"kind": "dashboard", "url": "http://127.0.0.1:9", "pid": os.getpid()}))
    log = base / "server.log"
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", "--ServerApp.port=0", f"--ServerApp.root_dir={base}"]
    command += ["--DappExtension.start_worker=False"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=env, cwd=base, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield Server(f"{_address(process, Path(env['JUPYTER_RUNTIME_DIR']), log)}dapp/api/v1", things, home)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def _address(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    info = runtime / f"jpserver-{process.pid}.json"
    ends = time.monotonic() + 90
    while time.monotonic() < ends and process.poll() is None:
        time.sleep(0.1)
        if info.exists() and info.read_text().endswith("}"):
            url = str(json.loads(info.read_text())["url"])
            try:
                if httpx.get(f"{url}dapp/api/v1/health/ready").status_code == 200:
                    return url
            except httpx.HTTPError:
                continue
    raise AssertionError(f"The server did not start:\n{log.read_text('utf-8', 'replace')}")


def _fill(services: Services, with_model: bool) -> dict[str, str]:
    """One thing of each kind, all of them shared with the team, so that calls get beyond the door."""
    owner = services.system.shell_actor()
    for role in Role:
        services.accounts.create(owner, AccountCreate(email=f"{role.value}@example.org", role=role, password=PASSWORD))
    upload = services.datasets.begin_upload(owner, DatasetUpload(filename="penguins.csv", name="Penguins"))
    upload.write(CSV.encode())
    dataset = upload.finish()
    work_off(services)
    things = {"datasets": dataset.id, "jobs": dataset.job_id or "", "users": "nobody"}
    if with_model:
        model = services.models.train(
            owner, TrainRequest(dataset=dataset.id, target="species", name="Which penguin", time_budget=5, trials=1, families=["linear"])
        )
        work_off(services)
        assert services.models.get(owner, model.id).status == "ready"
        things["models"] = model.id
    return things


def throw(server: Server, roles: Sequence[str], examples: int, mode: GenerationMode) -> tuple[int, list[str]]:
    """Every operation of the description a few times, the same as each role; how many calls, and what was wrong."""
    description = {**describe(), "servers": [{"url": server.url}]}
    found: list[str] = []
    calls = 0
    operations: Any = schemathesis.openapi.from_dict(description, config=CONFIG).get_all_operations()
    for result in operations:
        operation = result.ok()
        if operation.path == "/events/ws":
            continue  # not HTTP; tests/handlers/test_events.py knows it
        try:
            calls += _throw(server, roles, operation, settings(PLAIN, max_examples=examples), mode)
        except Unsatisfiable:
            continue  # it takes nothing that could be wrong
        except (Failure, FailureGroup) as failure:
            parts = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
            found.append(f"{operation.label}: {' | '.join(str(each) for each in parts)}")
        if operation.label == "POST /maintenance":
            httpx.delete(f"{server.url}/maintenance", headers=server.headers("admin"))
    return calls, found


def _throw(server: Server, roles: Sequence[str], operation: Any, how: settings, mode: GenerationMode) -> int:
    noun = operation.path.split("/")[1]
    path = {"ref": server.things[noun]} if "{ref}" in operation.path and noun in server.things and operation.method != "delete" else None
    calls = 0

    @how
    @given(case=operation.as_strategy(mode, path_parameters=path))
    def call(case: Any) -> None:
        nonlocal calls
        for role in roles:
            calls += 1
            server.call(case, role)

    call()
    return calls


def test_nothing_outside_the_description(server: Server) -> None:
    """Every route, with what fits its description, as everybody."""
    calls, found = throw(server, ROLES, 1, GenerationMode.POSITIVE)
    assert not found, "\n\n".join(found)
    assert calls > 90 * len(ROLES)


def test_what_does_not_fit_is_refused_in_the_declared_way(server: Server) -> None:
    calls, found = throw(server, ("admin",), 1, GenerationMode.NEGATIVE)
    assert not found, "\n\n".join(found)
    assert calls > 60


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=str)
def test_nothing_outside_the_description_however_often(trained: Server, mode: GenerationMode) -> None:
    calls, found = throw(trained, ROLES, 25, mode)
    assert not found, "\n\n".join(found)
    assert calls > 1000
