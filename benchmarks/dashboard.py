"""The dashboard against a well-written Streamlit app: the same table, filters and charts, on this machine, in one run.

    python benchmarks/dashboard.py                                  the dashboard alone, over made-up flights
    python benchmarks/dashboard.py --table FILE.parquet --streamlit /path/to/python-with-streamlit

Visitors are protocol clients: each changes a filter once a second and waits for all numbers and charts. Streamlit is
measured twice, with its table cached and the changing part in a fragment, and with every answer cached as well; its
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
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
import psutil
from websockets.asyncio.client import ClientConnection, connect

from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.services import open_services
from dapp_ext.settings import Settings
from dapp_panel.auth import Cookie

HERE = Path(__file__).parent
CARRIERS = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]
CHARTS = [
    {"shape": "bar", "x": "carrier", "y": "arr_delay", "measure": "mean"},
    {"shape": "histogram", "x": "arr_delay"},
    {"shape": "bar", "x": "month", "y": "arr_delay", "measure": "mean"},
]


def main() -> None:
    """Print the table."""
    asked = _asked()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(asked.table) if asked.table else _made_up(Path(folder) / "flights.parquet", asked.rows)
        print(f"{'page':34} {'users':>5} {'change p50':>11} {'p95':>9} {'first p50':>10} {'changes/s':>10}", flush=True)
        with _dashboard(Path(folder) / "home", file) as (address, home, process):
            dataset = _dataset(home)
            for users in asked.users:
                before = _memory(process)
                opened, changes, seconds = asyncio.run(_visits(address, home, dataset, users, asked.seconds))
                _line("dashboard", users, opened, changes, seconds)
                if users == max(asked.users):
                    print(f"{'':34} memory for one more session: {max(0.0, (_memory(process) - before) / users / 1e6):.2f} MB", flush=True)
            _print_server_time(address, home, dataset)
            print(f"{'':34} an event on {asked.pages} open pages, p95: {asyncio.run(_event(address, home, asked.pages)) * 1000:.0f} ms", flush=True)
        if asked.streamlit:
            for name, cached in (("Streamlit, cache and fragment", "0"), ("Streamlit, every answer cached", "1")):
                with _streamlit(asked.streamlit, file, cached) as port:
                    for users in asked.users:
                        answer = subprocess.run(
                            [asked.streamlit, str(HERE / "streamlit" / "clients.py"), str(port), str(users), str(asked.seconds)],
                            check=True,
                            capture_output=True,
                            text=True,
                            timeout=600,
                        )
                        found = json.loads(answer.stdout.splitlines()[-1])
                        _line(name, users, found["opened"], found["changes"], asked.seconds)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--table", default="", help="a Parquet file with the columns carrier, month, distance, arr_delay and origin")
    parser.add_argument("--rows", type=int, default=336_776, help="rows of the made-up table")
    parser.add_argument("--users", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--streamlit", default="", help="a Python that has Streamlit")
    return parser.parse_args()


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


def _cookie(home: Path) -> str:
    with open_services(Settings(home=home)) as services:
        actor = services.accounts.redeem_ticket(services.accounts.signin_link(None, "dashboard").ticket, "dashboard")
        return services.accounts.open_browser_session(actor, door="dashboard")


class Page:
    """One open page, in the protocol of its channel."""

    def __init__(self, socket: ClientConnection, root: str) -> None:
        self._socket = socket
        self._root = root
        self._number = 0

    async def send(self, data: dict[str, Any]) -> None:
        values = {"type": "map", "entries": [["model", {"id": self._root}], ["data", _typed(data)]]}
        event = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": {"type": "event", "name": "data_event", "values": values}}
        for part in ({"msgid": "bench", "msgtype": "PATCH-DOC"}, {}, {"events": [event]}):
            await self._socket.send(json.dumps(part))

    async def call(self, name: str, **params: Any) -> float:
        self._number += 1
        start = time.perf_counter()
        await self.send({"id": self._number, "call": name, "params": params})
        await self.until(f'"id":{self._number},')
        return time.perf_counter() - start

    async def until(self, text: str) -> None:
        escaped = text.replace('"', '\\"')
        while True:
            part = await asyncio.wait_for(self._socket.recv(), 60)
            if isinstance(part, str) and (escaped in part or text in part):
                if '"error"' in part.replace('\\"', '"')[:400] and '"ok"' not in part.replace('\\"', '"')[:400]:
                    raise RuntimeError(part[:600])
                return


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {"type": "map", "entries": [[key, _typed(each)] for key, each in value.items()]}
    return [_typed(each) for each in value] if isinstance(value, list) else value


async def _open(address: str, home: Path, cookie: str) -> Page:
    name = Cookie.of(Settings(home=home)).name
    async with httpx.AsyncClient(cookies={name: cookie}, timeout=60) as http:
        answer = (await http.get(f"{address}/channel")).json()
    opening = connect(
        address.replace("http", "ws") + "/ws",
        origin=address,  # type: ignore[arg-type]
        subprotocols=["bokeh", answer["token"]],  # type: ignore[list-item]
        additional_headers={"Cookie": f"{name}={cookie}"},
        max_size=2**26,
    )
    page = Page(await opening, answer["root"])
    await page.until('"ACK"')
    return page


def _board(dataset: str) -> dict[str, Any]:
    low = random.randint(1, 6)
    filters = [
        {"column": "carrier", "op": "in", "value": sorted(random.sample(CARRIERS, 2))},
        {"column": "month", "op": "between", "value": [low, low + random.randint(1, 6)]},
    ]
    return {"ref": dataset, "charts": CHARTS, "figures": [{"op": "mean", "column": "arr_delay"}], "filters": filters}


async def _visits(address: str, home: Path, dataset: str, users: int, seconds: float) -> tuple[list[float], list[float], float]:
    cookie = _cookie(home)

    async def arrive() -> tuple[Page, float]:
        start = time.perf_counter()
        page = await _open(address, home, cookie)
        await page.call("explore.board", ref=dataset, charts=CHARTS, figures=[{"op": "mean", "column": "arr_delay"}], filters=[])
        return page, time.perf_counter() - start

    await (await arrive())[0].call("explore.board", **_board(dataset))  # the table is decrypted once per process
    arrived = await asyncio.gather(*(arrive() for _ in range(users)))
    changes: list[float] = []
    until = time.perf_counter() + seconds

    async def stay(page: Page) -> None:
        await asyncio.sleep(random.random())
        while time.perf_counter() < until:
            taken = await page.call("explore.board", **_board(dataset))
            changes.append(taken)
            await asyncio.sleep(max(0.0, 1.0 - taken))

    start = time.perf_counter()
    await asyncio.gather(*(stay(page) for page, _ in arrived))
    return [seconds for _, seconds in arrived], changes, time.perf_counter() - start


async def _event(address: str, home: Path, pages: int) -> float:
    """From a change anywhere to the last of many open pages."""
    cookie = _cookie(home)
    opened = await asyncio.gather(*(_open(address, home, cookie) for _ in range(pages)))
    for page in opened:
        await page.send({"follow": ""})
        await page.until('"following"')
    found: list[float] = []
    with open_services(Settings(home=home)) as services:
        actor = services.system.shell_actor()
        dataset = services.datasets.list(actor).items[0]
        from dapp_ext.schema.datasets import DatasetUpdate

        for turn in range(5):
            waiting = [asyncio.create_task(page.until("dataset.changed")) for page in opened]
            await asyncio.sleep(0.05)
            start = time.perf_counter()
            await asyncio.to_thread(services.datasets.update, actor, dataset.id, DatasetUpdate(name=f"flights {turn}"))

            async def taken(task: asyncio.Task[None], since: float = start) -> float:
                await task
                return time.perf_counter() - since

            found.extend(await asyncio.gather(*(taken(each) for each in waiting)))
    return _share(found, 95)


def _print_server_time(address: str, home: Path, dataset: str) -> None:
    """What the service itself needs, without a line between."""
    from dapp_ext.schema.boards import BoardRequest

    with open_services(Settings(home=home)) as services:
        actor = services.system.shell_actor()
        requests = [BoardRequest.model_validate({name: value for name, value in _board(dataset).items() if name != "ref"}) for _ in range(60)]
        services.boards.answer(actor, dataset, requests[0])
        services.boards.answer(actor, dataset, requests[1])
        fresh = [_timed(lambda each=each: services.boards.answer(actor, dataset, each)) for each in requests[2:]]
        kept = [_timed(lambda each=each: services.boards.answer(actor, dataset, each)) for each in requests[2:]]
    print(
        f"{'':34} server time: new query p50 {_share(fresh, 50) * 1000:.1f} ms, p95 {_share(fresh, 95) * 1000:.1f} ms; kept p50 {_share(kept, 50) * 1000:.1f} ms",
        flush=True,
    )


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextmanager
def _streamlit(python: str, file: Path, cached: str) -> Iterator[int]:
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
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _memory(process: int) -> int:
    return int(psutil.Process(process).memory_info().rss)


def _share(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def _line(name: str, users: int, opened: list[float], changes: list[float], seconds: float) -> None:
    print(
        f"{name:34} {users:5} {_share(changes, 50) * 1000:8.0f} ms {_share(changes, 95) * 1000:6.0f} ms {_share(opened, 50) * 1000:7.0f} ms {len(changes) / seconds:10.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
