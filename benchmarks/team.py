"""What everything together costs while nobody is there, and how it answers while sixty people work.

Usage::

    python benchmarks/team.py FILE [--target COLUMN] [--users N] [--seconds N]

FILE is a table, such as the flights of 2013. JupyterLab, dashboard and worker are started by ``jupyter dapp start`` in an
empty home. Each of the people has an account and does one thing a second over REST: looks at lists and rows, filters and
groups, predicts; somebody starts a training every twenty seconds. An answer that is an error ends the measurement.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
import psutil

from benchmarks.serving import ROOT, answers_at, end, free_port, wait_for

PASSWORD = "plain words of a benchmark"
TRAIN_SECONDS = 20.0
SETTLE_SECONDS = 20.0
IDLE_SECONDS = 30.0


@dataclass
class Office:
    """The place where people work: one table, one model, and how long each answer took."""

    url: str
    dataset: str
    model: str
    column: str
    target: str
    row: dict[str, Any]
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def ask(self, who: httpx.AsyncClient, kind: str, method: str, path: str, body: Any = None) -> None:
        began = time.perf_counter()
        answer = await who.request(method, f"{self.url}{path}", json=body)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        self.times[kind].append(time.perf_counter() - began)

    def doings(self, who: httpx.AsyncClient, chance: random.Random) -> list[Callable[[], Awaitable[None]]]:
        """What somebody may do next."""
        data, word = f"/datasets/{self.dataset}", {"column": self.column, "op": "gt", "value": chance.randint(0, 500)}
        groups = {"group_by": [{"column": self.target}], "measures": [{"op": "count"}], "filters": [word]}
        return [
            lambda: self.ask(who, "browse", "GET", "/datasets"),
            lambda: self.ask(who, "browse", "GET", "/models"),
            lambda: self.ask(who, "browse", "GET", f"{data}/profile"),
            lambda: self.ask(who, "browse", "GET", f"{data}/rows?offset={100 * chance.randint(0, 200)}&limit=100"),
            lambda: self.ask(who, "browse", "GET", f"/models/{self.model}/results"),
            lambda: self.ask(who, "filter", "POST", f"{data}/rows", {"limit": 100, "filters": [word]}),
            lambda: self.ask(who, "filter", "POST", f"{data}/query", groups),
            lambda: self.ask(who, "predict", "POST", f"/models/{self.model}/predict", {"rows": [self.row]}),
        ]


async def work(office: Office, tokens: list[str], seconds: float) -> None:
    """Everybody does one thing a second, each at a moment of their own."""
    ends = time.monotonic() + seconds

    async def person(number: int, token: str) -> None:
        chance = random.Random(number)
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False) as who:
            await asyncio.sleep(chance.random())
            while time.monotonic() < ends:
                began = time.monotonic()
                await chance.choice(office.doings(who, chance))()
                await asyncio.sleep(max(0.0, 1.0 - (time.monotonic() - began)))

    async def trainer(token: str) -> None:
        number = 0
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False) as who:
            while time.monotonic() + TRAIN_SECONDS < ends:
                recipe = {"dataset": office.dataset, "target": office.target, "time_budget": 10, "name": f"made at work {number}"}
                await office.ask(who, "train", "POST", "/models", recipe)
                number += 1
                await asyncio.sleep(TRAIN_SECONDS)

    await asyncio.gather(trainer(tokens[0]), *[person(number, token) for number, token in enumerate(tokens)])


def idle(process: int) -> str:
    """Memory that nobody else shares and processor time of a process and all below it, while nothing is asked."""
    time.sleep(SETTLE_SECONDS)
    tree = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]

    def cpu() -> float:
        return sum(sum(each.cpu_times()[:2]) for each in tree if each.is_running())

    before, began = cpu(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    share = (cpu() - before) / (time.monotonic() - began)
    memory = sum(each.memory_full_info().pss for each in tree if each.is_running())
    return f"Idle: {memory / 1e6:,.0f} MB in {len(tree)} processes (aim 600), {100 * share:.1f} % of one core (aim 2)."


def prepare(home: Path, url: str, options: argparse.Namespace) -> tuple[Office, list[str]]:
    """People, a table and a model."""
    from dapp_ext.client import DAPPClient
    from dapp_ext.schema.accounts import AccountCreate, LoginRequest, Role
    from dapp_ext.services import open_services
    from dapp_ext.settings import Settings

    tokens = []
    with open_services(Settings(home=home, start_worker=False)) as services:
        for number in range(options.users):
            email = f"p{number}@example.org"
            services.accounts.create(services.system.shell_actor(), AccountCreate(email=email, name=email, role=Role.analyst, password=PASSWORD))
            tokens.append(services.accounts.login(LoginRequest(email=email, password=PASSWORD), door="api", address="").access_token)
    with DAPPClient(f"{url}/").login("p0@example.org", PASSWORD) as client:
        data = client.upload_file(options.file, name="Table")
        model = client.train_model(data, options.target, time_budget=20, name="Model", wait=True)
        features = client.get_processed_data(data).drop(columns=options.target)
        row, numbers = features.head(1).to_dict("records")[0], list(features.select_dtypes("integer").columns)
        plain = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
        return Office(f"{url}/dapp/api/v1", data.id, model.id, numbers[0], options.target, plain), tokens


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--target", default="arr_delay")
    parser.add_argument("--users", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=300.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, port, panel = Path(folder) / "home", free_port(), free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAPP_", "JUPYTER"))}
        own = {f"JUPYTER_{name}_DIR": str(Path(folder) / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        environment = kept | own | {"DAPP_HOME": str(home), "PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_PATH": str(ROOT / "jupyter_config")}
        command = [sys.executable, "-m", "dapp_ext.cli", "start", "--port", str(port), "--dashboard-port", str(panel)]
        process = subprocess.Popen(command, env=environment, cwd=folder, start_new_session=True, stdout=subprocess.DEVNULL)
        try:
            wait_for(process, lambda: answers_at(port, "/dapp/api/v1/health/ready"))
            wait_for(process, lambda: answers_at(panel, "/signin"))
            print(idle(process.pid), flush=True)
            office, tokens = prepare(home, f"http://127.0.0.1:{port}", options)
            asyncio.run(work(office, tokens, options.seconds))
        finally:
            end(process)
    print(f"| {options.users} people, {options.seconds:.0f} s | answers | p50 | p95 | p99 |\n|---|---|---|---|---|")
    for kind, times in sorted(office.times.items()):
        each = [1000 * value for value in sorted(times)]
        print(f"| {kind} | {len(each):,} | {statistics.median(each):.0f} ms | {each[int(0.95 * len(each))]:.0f} ms | {each[int(0.99 * len(each))]:.0f} ms |")
    print("No answer was an error. Aim: p95 of what is read below 500 ms.")


if __name__ == "__main__":
    main()
