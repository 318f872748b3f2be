"""The dashboard against a well-written Streamlit app: the same table, filters and charts, on this machine, in one run.

    python benchmarks/dashboard.py                                  the dashboard alone, over made-up flights
    python benchmarks/dashboard.py --table FILE.parquet --users 1 10 30 60 --pages 100 --seconds 15 --chromium --streamlit /path/to/python-with-streamlit
    python benchmarks/dashboard.py --rows 3000000 …                 the same over three million rows

Visitors are protocol clients: each changes a filter once a second and waits for all numbers and charts, either any change
(new answers) or one of forty that were asked before (kept answers). Streamlit is measured twice, with its table cached and
the changing part in a fragment, and with every answer cached as well, asked before; its
Python is an environment of its own (``python -m venv X && X/bin/pip install streamlit pandas pyarrow websockets``).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
import psutil
import screens
from visitors import Sign, Visitor

from dapp_ext.schema.accounts import AccountCreate, Role
from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.services import open_services
from dapp_ext.settings import Settings
from dapp_panel.auth import Cookie

HERE = Path(__file__).parent
POOL = 40
CARRIERS = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]
CHARTS = [
    {"shape": "bar", "x": "carrier", "y": "arr_delay", "measure": "mean"},
    {"shape": "histogram", "x": "arr_delay"},
    {"shape": "bar", "x": "month", "y": "arr_delay", "measure": "mean"},
]


def main() -> None:
    """Print what was measured, and which figures are reached."""
    asked = _asked()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = _table(asked, Path(folder))
        with _dashboard(Path(folder) / "home", file) as (address, home, process):
            dataset = _dataset(home)
            print(f"{'page':34} {'users':>5} {'change p50':>11} {'p95':>9} {'first p50':>10} {'changes/s':>10}", flush=True)
            for users in asked.users:
                for kind, pool in (("new", 0), ("kept", POOL)):
                    stayed = asyncio.run(_visits(_signs(address, home, users), dataset, Visits(users, asked.seconds, pool, process)))
                    found[f"dashboard {kind} {users}"] = _line(f"dashboard, {kind} answers", users, stayed.opened, stayed.changes, stayed.seconds)
                    found[f"memory {users}"] = stayed.memory
                    print(f"{'':34} {'':5} processor of the server: {stayed.changing:.1f} ms a change, {stayed.arriving:.0f} ms an arrival", flush=True)
            print(f"{'':34} memory for one more session: {found[f'memory {max(asked.users)}']:.2f} MB", flush=True)
            found["server"] = _server_time(home, dataset)
            found["event"] = asyncio.run(_event(_signs(address, home, asked.pages), home)) * 1000
            print(f"{'':34} an event on {asked.pages} open pages, p95: {found['event']:.0f} ms", flush=True)
            if asked.chromium:
                sign = _signs(address, home, 1)[0]
                found["screen dashboard"] = _screen("dashboard", screens.dashboard_way(address, dataset, (sign.name, sign.cookie), CHARTS))
        for name, cached in (("fragments", "0"), ("cached", "1")) if asked.streamlit else ():
            with _streamlit(asked.streamlit, file, cached) as (port, process):
                for users in asked.users:
                    opened, changes, spent = _streamlit_visits(asked, (port, process), users, cached == "1")
                    found[f"streamlit {name} {users}"] = _line(f"Streamlit, {name}", users, opened, changes, asked.seconds)
                    print(f"{'':34} {'':5} processor of the server: {spent:.1f} ms a change", flush=True)
                if asked.chromium:
                    found[f"screen {name}"] = _screen(f"Streamlit, {name}", screens.streamlit_way(port))
    for line in verdicts(found, asked.users, asked.pages):
        print(line, flush=True)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--table", default="", help="a Parquet file with the columns carrier, month, distance, arr_delay and origin")
    parser.add_argument("--rows", type=int, default=336_776, help="rows: of the made-up table, or until which a given one is repeated")
    parser.add_argument("--users", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--chromium", action="store_true", help="measure one browser too")
    parser.add_argument("--streamlit", default="", help="a Python that has Streamlit")
    return parser.parse_args()


def _table(asked: argparse.Namespace, folder: Path) -> Path:
    if not asked.table:
        return _made_up(folder / "flights.parquet", asked.rows)
    import polars as pl

    frame = pl.read_parquet(asked.table, columns=["carrier", "month", "distance", "arr_delay", "origin"])
    times = max(1, -(-asked.rows // frame.height))
    path = folder / "flights.parquet"
    pl.concat([frame] * times).head(max(asked.rows, frame.height)).write_parquet(path)
    return path


def verdicts(found: dict[str, Any], users: list[int], pages: int) -> list[str]:
    """Each figure that is to be reached, what was measured, and whether it holds."""
    rows: list[tuple[str, str, bool]] = []
    many = max(users)

    def at_most(name: str, value: float, limit: float, unit: str) -> None:
        rows.append((name, f"{value:.1f} {unit}, target < {limit:g}", value < limit))

    for each in users:
        mine = found[f"dashboard new {each}"]
        for other, kind, factor in (("fragments", "new", 10), ("cached", "kept", 3)):
            if f"streamlit {other} {each}" in found and each > 1:
                times = found[f"streamlit {other} {each}"]["p95"] / found[f"dashboard {kind} {each}"]["p95"]
                rows.append((f"p95 of {each} users against Streamlit, {other}", f"{times:.1f} times faster, target {factor}", times >= factor))
        if each == many:
            at_most(f"p95 of a change, {each} users", mine["p95"], 60, "ms")
            at_most(f"{each} users open at once, p50", mine["first"], 1500, "ms")
    at_most("server time, kept answer, p95", found["server"]["kept"], 6, "ms")
    at_most("server time, new query, p95", found["server"]["new"], 20, "ms")
    at_most("memory for one more session", found[f"memory {many}"], 2, "MB")
    at_most(f"an event on {pages} open pages, p95", found["event"], 500, "ms")
    if "screen dashboard" in found:
        screen = found["screen dashboard"]
        at_most("Chromium, change to screen, p50", screen.p50, 50, "ms")
        at_most("Chromium, page opened to data", screen.first, 900, "ms")
        if "screen fragments" in found:
            rows.append(
                (
                    "  faster than Streamlit's",
                    f"{screen.first:.0f} against {found['screen fragments'].first:.0f} ms",
                    screen.first < found["screen fragments"].first,
                )
            )
    return [f"{'reached' if holds else 'MISSED':8} {name:52} {words}" for name, words, holds in rows]


def _streamlit_visits(asked: argparse.Namespace, server: tuple[int, int], users: int, cached: bool) -> tuple[list[float], list[float], float]:
    """Seconds of arrivals and changes, and the processor milliseconds of the server (port, process) for one change."""
    port, process = server
    command = [asked.streamlit, str(HERE / "streamlit" / "clients.py"), str(port), str(users), str(asked.seconds), *([str(POOL)] if cached else [])]
    visitors = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert visitors.stdout is not None
    with visitors.stdout:
        visitors.stdout.readline()  # all have arrived
        busy = _busy(process)
        told = json.loads(visitors.stdout.readline())
    visitors.wait(30)
    return told["opened"], told["changes"], (_busy(process) - busy) / max(1, len(told["changes"])) * 1000


def _screen(name: str, way: screens.Way) -> screens.Screen:
    found = screens.measure(way)
    print(
        f"{name + ', Chromium':34} first visit {found.first:.0f} ms, reload {found.again:.0f} ms, change p50 {found.p50:.0f} ms, p95 {found.p95:.0f} ms, "
        f"{found.kilobytes:.0f} kB in {found.requests} requests",
        flush=True,
    )
    return found


def _made_up(path: Path, rows: int) -> Path:
    import numpy as np
    import polars as pl

    chance = np.random.default_rng(1)
    frame = {
        "carrier": np.array(CARRIERS)[chance.integers(0, 16, rows)],
        "month": chance.integers(1, 13, rows),
        "distance": chance.integers(80, 5000, rows) // 20 * 20,
        "arr_delay": (chance.gamma(1.2, 30, rows) - 30).round(),
        "origin": np.array(["EWR", "JFK", "LGA"])[chance.integers(0, 3, rows)],
    }
    pl.DataFrame(frame).write_parquet(path)
    return path


@contextmanager
def _dashboard(home: Path, file: Path) -> Iterator[tuple[str, Path, int]]:
    """A dashboard of its own, with the table read by a worker that has ended before anything is measured."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAPP_")} | {"DAPP_HOME": str(home), "DAPP_DASHBOARD_PORT": "0"}
    with open_services(Settings(home=home)) as services:
        owner = services.accounts.redeem_ticket(services.accounts.signin_link(None, "dashboard").ticket, "dashboard")
        upload = services.datasets.begin_upload(owner, DatasetUpload(filename=file.name))
        with file.open("rb") as source:
            while piece := source.read(2**20):
                upload.write(piece)
        dataset = upload.finish()
        worker = subprocess.Popen([sys.executable, "-m", "dapp_ext.worker"], env=environment, stderr=subprocess.DEVNULL)
        while services.datasets.get(owner, dataset.id).status == "processing":
            time.sleep(0.2)
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)
    process = subprocess.Popen([sys.executable, "-m", "dapp_panel"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[1], home, process.pid
    finally:
        process.terminate()
        process.wait(60)


def _dataset(home: Path) -> str:
    with open_services(Settings(home=home)) as services:
        return services.datasets.list(services.system.shell_actor()).items[0].id


def _signs(address: str, home: Path, people: int) -> list[Sign]:
    """So many people, each signed in."""
    with open_services(Settings(home=home)) as services:
        shell = services.system.shell_actor()
        known = {each.email for each in services.accounts.list(shell)}
        emails = [f"person{number}@example.org" for number in range(people)]
        for email in emails:
            if email not in known:
                services.accounts.create(shell, AccountCreate(email=email, role=Role.analyst))
        cookies = [services.accounts.open_browser_session(services.accounts.acting_as(shell, email), door="dashboard") for email in emails]
    name = Cookie.of(Settings(home=home)).name
    return [Sign(address, name, each) for each in cookies]


def _board(dataset: str) -> dict[str, Any]:
    low = random.randint(1, 6)
    filters = [
        {"column": "carrier", "op": "in", "value": sorted(random.sample(CARRIERS, 2))},
        {"column": "month", "op": "between", "value": [low, low + random.randint(1, 6)]},
    ]
    return {"ref": dataset, "charts": CHARTS, "figures": [{"op": "mean", "column": "arr_delay"}], "filters": filters}


@dataclass(frozen=True)
class Visits:
    """How many come, for how long, among how many changes they pick (0: any), and the process whose memory is looked at."""

    users: int
    seconds: float
    pool: int
    process: int


@dataclass(frozen=True)
class Stayed:
    """Seconds until each page had its data and of each change, how long it went on; megabytes and processor milliseconds of the server, each."""

    opened: list[float]
    changes: list[float]
    seconds: float
    memory: float
    arriving: float
    changing: float


async def _visits(signs: list[Sign], dataset: str, asked: Visits) -> Stayed:
    """Let people come, stay and change things."""
    pool = [_board(dataset) for _ in range(asked.pool)]
    listening: list[asyncio.Task[None]] = []

    async def arrive(sign: Sign) -> tuple[Visitor, float]:
        start, visitor = time.perf_counter(), Visitor(sign)
        await visitor.page()
        await visitor.call("explore.open", ref=dataset)
        await visitor.call("explore.board", ref=dataset, charts=CHARTS, figures=[{"op": "mean", "column": "arr_delay"}], filters=[])
        took = time.perf_counter() - start
        listening.append(asyncio.create_task(visitor.listen()))
        return visitor, took

    first, _ = await arrive(signs[0])
    await asyncio.gather(*listening)
    for each in pool or [_board(dataset)]:
        await first.call("explore.board", **each)  # the table is decrypted once per process
    before, busy = _memory(asked.process), _busy(asked.process)
    arrived = await asyncio.gather(*(arrive(each) for each in signs))
    await asyncio.gather(*listening)
    grown = max(0.0, (_memory(asked.process) - before) / asked.users / 1e6)
    arriving = (_busy(asked.process) - busy) / asked.users
    changes: list[float] = []
    until = time.perf_counter() + asked.seconds

    async def stay(visitor: Visitor) -> None:
        await asyncio.sleep(random.random())
        while time.perf_counter() < until:
            taken = await visitor.call("explore.board", **(random.choice(pool) if pool else _board(dataset)))
            changes.append(taken)
            await asyncio.sleep(max(0.0, 1.0 - taken))

    start, busy = time.perf_counter(), _busy(asked.process)
    await asyncio.gather(*(stay(visitor) for visitor, _ in arrived))
    took = time.perf_counter() - start
    spent = (_busy(asked.process) - busy) / max(1, len(changes))
    for visitor in (first, *(each for each, _ in arrived)):
        await visitor.leave()
    return Stayed([seconds for _, seconds in arrived], changes, took, grown, arriving * 1000, spent * 1000)


async def _event(signs: list[Sign], home: Path) -> float:
    """From a change anywhere to the last of many open pages."""
    pages = [Visitor(each) for each in signs]
    await asyncio.gather(*(each.listen(later=False) for each in pages))
    found: list[float] = []
    with open_services(Settings(home=home)) as services:
        actor = services.system.shell_actor()
        dataset = services.datasets.list(actor).items[0]
        from dapp_ext.schema.datasets import DatasetUpdate

        for turn in range(5):
            waiting = [asyncio.create_task(page.hears("dataset.changed")) for page in pages]
            await asyncio.sleep(0.05)
            start = time.perf_counter()
            await asyncio.to_thread(services.datasets.update, actor, dataset.id, DatasetUpdate(name=f"flights {turn}"))

            async def taken(task: asyncio.Task[None], since: float = start) -> float:
                await task
                return time.perf_counter() - since

            found.extend(await asyncio.gather(*(taken(each) for each in waiting)))
    for each in pages:
        await each.leave()
    return _share(found, 95)


def _server_time(home: Path, dataset: str) -> dict[str, float]:
    """What the service itself needs, without a line between: p95 in milliseconds of a new query and of a kept answer."""
    from dapp_ext.schema.boards import BoardRequest

    with open_services(Settings(home=home)) as services:
        actor = services.system.shell_actor()
        requests = [BoardRequest.model_validate({name: value for name, value in _board(dataset).items() if name != "ref"}) for _ in range(60)]
        for each in requests[:2]:
            services.boards.answer(actor, dataset, each)
        fresh = [_timed(lambda each=each: services.boards.answer(actor, dataset, each)) for each in requests[2:]]
        kept = [_timed(lambda each=each: services.boards.answer(actor, dataset, each)) for each in requests[2:]]
    told = {"new p50": _share(fresh, 50), "new": _share(fresh, 95), "kept p50": _share(kept, 50), "kept": _share(kept, 95)}
    told = {name: seconds * 1000 for name, seconds in told.items()}
    print(f"{'':34} server time: " + ", ".join(f"{name} {value:.1f} ms" for name, value in told.items()), flush=True)
    return told


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextmanager
def _streamlit(python: str, file: Path, cached: str) -> Iterator[tuple[int, int]]:
    port = random.randint(20_000, 40_000)
    command = [
        python,
        "-m",
        "streamlit",
        "run",
        str(HERE / "streamlit" / "app.py"),
        "--server.port",
        str(port),
        "--server.address",
        "127.0.0.1",
        "--server.headless",
        "true",
    ]
    options = ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
    process = subprocess.Popen(
        [*command, *options], env=os.environ | {"BENCH_TABLE": str(file), "BENCH_CACHED": cached}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).status_code == 200:
                break
        except httpx.HTTPError:
            time.sleep(0.3)
    try:
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _memory(process: int) -> int:
    return int(psutil.Process(process).memory_info().rss)


def _busy(process: int) -> float:
    """Seconds of processor that a process has used, which other work on the machine does not change much."""
    times = psutil.Process(process).cpu_times()
    return times.user + times.system


def _share(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def _line(name: str, users: int, opened: list[float], changes: list[float], seconds: float) -> dict[str, float]:
    told = {"p50": _share(changes, 50) * 1000, "p95": _share(changes, 95) * 1000, "first": _share(opened, 50) * 1000}
    print(f"{name:34} {users:5} {told['p50']:8.0f} ms {told['p95']:6.0f} ms {told['first']:7.0f} ms {len(changes) / seconds:10.1f}", flush=True)
    return told


if __name__ == "__main__":
    main()
