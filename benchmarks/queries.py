"""Looking into large datasets, against peers in the same run: pages, aggregates, downloads, sealed reading, uploads.

Usage::

    python benchmarks/queries.py [--rows N] [--uploads N] [--upload-mib N] [--only PART ...]

Makes its own tables in a temporary folder and prints a table with figures, targets and ratios. Peers are polars on the
plain table in memory, pandas reading plain Parquet from disk, and pyarrow reading the same columns without sealing.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.datasets import DatasetUpload, QueryRequest, RowsRequest
from dapp_ext.services import Services, open_services
from dapp_ext.services.work import perform
from dapp_ext.settings import Settings

PARTS = ("pages", "groups", "sealed", "frame", "uploads")
CITIES = [f"{name} {number}" for name in ("Aachen", "Bergen", "Como", "Dijon", "Espoo") for number in range(10)]


@dataclass(frozen=True)
class Line:
    """One figure: what, how much, beside which peer, and what it should be."""

    work: str
    value: str
    peer: str
    target: str
    met: bool


def main() -> None:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--frame-rows", type=int, default=1_000_000)
    parser.add_argument("--uploads", type=int, default=20)
    parser.add_argument("--upload-mib", type=int, default=50)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    given = parser.parse_args()
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="dapp-bench-") as folder:
        base = Path(folder)
        if set(given.only) & {"pages", "groups", "sealed"}:
            lines += at_the_service(base / "service", given.rows, given.only)
        if set(given.only) & {"frame", "uploads"}:
            lines += at_the_server(base / "server", given)
    show(lines)


def show(lines: list[Line]) -> None:
    """The table, as text."""
    print(f"\n{'work':<52} {'measured':>12} {'beside':>34} {'target':>14}")
    for line in lines:
        print(f"{line.work:<52} {line.value:>12} {line.peer:>34} {line.target:>14}  {'met' if line.met else 'MISSED'}")


def table_of(rows: int) -> pa.Table:
    """Sales: a text column of 50 places, one of 4 kinds, numbers, days and a flag."""
    dice = np.random.default_rng(3)
    city, kind = dice.integers(0, len(CITIES), rows), dice.integers(0, 4, rows)
    return pa.table(
        {
            "number": pa.array(np.arange(rows)),
            "city": pa.DictionaryArray.from_arrays(pa.array(city, pa.int32()), pa.array(CITIES)).cast(pa.string()),
            "kind": pa.DictionaryArray.from_arrays(pa.array(kind, pa.int32()), pa.array(["web", "shop", "phone", "post"])).cast(pa.string()),
            "amount": pa.array(dice.gamma(2.0, 40.0, rows)),
            "pieces": pa.array(dice.integers(1, 20, rows)),
            "day": pa.array(dice.integers(18_000, 20_000, rows).astype("datetime64[D]")),
            "new": pa.array(dice.random(rows) < 0.3),
        }
    )


def clocked(work: Callable[[], Any], times: int = 5) -> float:
    """The median of several runs, in seconds."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def in_turn(ours: Callable[[], Any], peer: Callable[[], Any], times: int = 5) -> tuple[float, float]:
    """The medians of both in seconds, after a first run of each; they take turns, so that what else the machine does meets both."""
    found = [(clocked(ours, 1), clocked(peer, 1)) for _ in range(times + 1)][1:]
    return statistics.median(each[0] for each in found), statistics.median(each[1] for each in found)


# -- at the service -----------------------------------------------------------------------------------------------------


def at_the_service(home: Path, rows: int, only: list[str]) -> list[Line]:
    """Pages, aggregates and sealed reading of one large dataset."""
    home.mkdir()
    table = table_of(rows)
    plain = home / "plain.parquet"
    pq.write_table(table, plain, compression="zstd", compression_level=1, row_group_size=128 * 1024)
    settings = Settings(home=home / "home", start_worker=False, cache_memory=2 * 2**30)
    begun = time.perf_counter()
    with open_services(settings) as services:
        actor = services.system.shell_actor()
        ref = bring_in(services, actor, plain)
        print(f"{rows:,} rows are in after {time.perf_counter() - begun:.1f} s", flush=True)
    lines: list[Line] = []
    with open_services(settings) as services:
        if "pages" in only:
            lines += pages(services, actor, ref, rows)
        if "groups" in only:
            lines += groups(services, actor, ref, table)
        if "sealed" in only:
            lines += sealed(services, actor, ref, plain)
    return lines


def bring_in(services: Services, actor: Actor, path: Path) -> str:
    """Upload a file and do the work of a worker here."""
    incoming = services.datasets.begin_upload(actor, DatasetUpload(filename=path.name, name=f"sales {path.stem}"))
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            incoming.write(piece)
    made = incoming.finish()
    from dapp_ext.services.work import Wanted

    worker = services.jobs.enlist()
    while (job := services.jobs.claim(worker)) is not None:
        services.settling.begin(job)
        services.settling.settle(job, perform(services.settling.order(job), lambda message: None, Wanted))
    return made.id


def pages(services: Services, actor: Actor, ref: str, rows: int) -> list[Line]:
    """The first page as somebody sees it who has just come, and again."""
    first = RowsRequest(limit=100)
    begun = time.perf_counter()
    services.datasets.rows(actor, ref, first)
    cold = time.perf_counter() - begun
    warm = clocked(lambda: services.datasets.rows(actor, ref, first))
    far = clocked(lambda: services.datasets.rows(actor, ref, RowsRequest(limit=100, offset=rows // 2)))
    return [
        Line(f"first page of {rows:,} rows, cold", f"{cold * 1000:.1f} ms", "", "< 300 ms", cold < 0.3),
        Line("the same, warm", f"{warm * 1000:.1f} ms", "", "< 20 ms", warm < 0.02),
        Line("a page in the middle, warm", f"{far * 1000:.1f} ms", "", "< 20 ms", far < 0.02),
    ]


def groups(services: Services, actor: Actor, ref: str, table: pa.Table) -> list[Line]:
    """Filter and group-by, beside polars on the plain table and on one whose texts are coded."""
    import polars as pl

    frame = pl.DataFrame(pl.from_arrow(table))
    coded = frame.with_columns(pl.col("city").cast(pl.Categorical))
    edges = iter(np.linspace(20, 120, 200))

    def ask(edge: float) -> QueryRequest:
        return QueryRequest.model_validate(
            {
                "group_by": [{"column": "city"}],
                "measures": [{"op": "count"}, {"op": "mean", "column": "amount"}, {"op": "sum", "column": "pieces"}],
                "filters": [{"column": "amount", "op": "gt", "value": edge}],
            }
        )

    def peer(given: Any) -> Any:
        rows = given.lazy().filter(pl.col("amount") > next(edges))
        return rows.group_by("city").agg(pl.len(), pl.col("amount").mean(), pl.col("pieces").sum()).sort("city").collect()

    services.datasets.query_json(actor, ref, ask(1.0))
    ours = clocked(lambda: services.datasets.query_json(actor, ref, ask(next(edges))), 7)
    plain, best = clocked(lambda: peer(frame), 7), clocked(lambda: peer(coded), 7)
    again = clocked(lambda: services.datasets.query_json(actor, ref, ask(1.0)), 20)
    boxes = {"group_by": [{"column": "kind"}], "measures": [{"op": "box", "column": "amount"}]}
    spread = {"group_by": [{"column": "amount", "bins": 100}, {"column": "number", "bins": 100}], "limit": 50_000}
    box, scatter = (clocked(partial(_look, services, actor, ref, each, edges), 2) for each in (boxes, spread))
    return [
        Line(
            "filter + group-by, warm, not cached",
            f"{ours * 1000:.0f} ms",
            f"polars {plain * 1000:.0f} ms, coded {best * 1000:.0f} ms",
            "≤ 1.2 × polars",
            ours <= 1.2 * plain,
        ),
        Line("the same again", f"{again * 1000:.2f} ms", "", "< 5 ms", again < 0.005),
        Line("box plots of 4 groups", f"{box * 1000:.0f} ms", "", "", True),
        Line("100 × 100 bins", f"{scatter * 1000:.0f} ms", "", "", True),
    ]


def _look(services: Services, actor: Actor, ref: str, shape: dict[str, Any], edges: Iterator[float]) -> None:
    """Ask what was not asked before."""
    asked = {**shape, "filters": [{"column": "amount", "op": "lt", "value": 10_000 + next(edges)}]}
    services.datasets.query_json(actor, ref, QueryRequest.model_validate(asked))


def sealed(services: Services, actor: Actor, ref: str, plain: Path) -> list[Line]:
    """One column of the sealed table and of the same table in the open, from the disk's cache."""
    from dapp_ext.services import files
    from dapp_ext.store.datasets import version_of
    from dapp_ext.store.frames import open_frame

    with services.context.database.read() as session:
        row = version_of(session, ref, 1)
        assert row is not None
        given = files.stored_pass(services.context, session, row.table_id)
    frame = open_frame(given.path, given.key, given.label)
    lines = []
    for name in ("amount", "city"):
        ours, peer = in_turn(partial(frame.read, [name]), partial(pq.read_table, plain, columns=[name]), 7)
        lines.append(Line(f"one sealed column ({name})", f"{ours * 1000:.0f} ms", f"plain Parquet {peer * 1000:.0f} ms", "< 1.5 ×", ours < 1.5 * peer))
    return lines


# -- at a real server ---------------------------------------------------------------------------------------------------


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Jupyter server with DAPP over an empty home; its link and process."""
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = Path(__file__).resolve().parents[1]
    own = {"DAPP_HOME": "home", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTER_DATA_DIR": "data"}
    env = os.environ | {name: str(folder / place) for name, place in own.items()}
    env |= {"PYTHONPATH": str(root), "JUPYTER_CONFIG_PATH": str(root / "jupyter_config")}
    token = "benchmark-of-queries-on-loopback"
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--ServerApp.root_dir={folder}"], env=env, cwd=folder, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/dapp/api/v1/health/ready", process)
        yield f"http://127.0.0.1:{port}/?token={token}", process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the server answers."""
    import httpx

    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit("The server ended by itself.")
        try:
            if httpx.get(address, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit("The server did not start.")


def at_the_server(folder: Path, given: argparse.Namespace) -> list[Line]:
    """What a notebook and many uploads see."""
    from dapp_ext.client import DAPPClient

    lines: list[Line] = []
    with server(folder) as (link, process), DAPPClient(link) as client:
        if "frame" in given.only:
            lines += frames(client, process, folder, given.frame_rows)
        if "uploads" in given.only:
            lines += uploads(link, process, given.uploads, given.upload_mib)
    return lines


def frames(client: Any, process: subprocess.Popen[bytes], folder: Path, rows: int) -> list[Line]:
    """``get_processed_data`` of 20 columns beside pandas reading plain Parquet from disk; and the processor time of both, the server's included."""
    import pandas as pd
    import psutil

    both = (psutil.Process(), psutil.Process(process.pid))

    def used(work: Callable[[], Any], times: int = 3) -> float:
        before = sum(sum(each.cpu_times()[:2]) for each in both)
        for _ in range(times):
            work()
        return (sum(sum(each.cpu_times()[:2]) for each in both) - before) / times

    dice = np.random.default_rng(4)
    frame = pd.DataFrame({f"x{at}": dice.normal(size=rows) for at in range(12)} | {f"n{at}": dice.integers(0, 1000, rows) for at in range(5)})
    for at in range(3):
        frame[f"t{at}"] = np.array(CITIES, dtype=object)[dice.integers(0, len(CITIES), rows)]
    path = folder / "wide.parquet"
    frame.to_parquet(path)
    dataset = client.upload_file(path)
    ours, peer = in_turn(lambda: client.get_processed_data(dataset), lambda: pd.read_parquet(path))
    work, other = used(lambda: client.get_processed_data(dataset)), used(lambda: pd.read_parquet(path))
    return [
        Line(f"get_processed_data, {rows:,} × 20", f"{ours:.2f} s", f"pandas, plain Parquet {peer:.2f} s", "≤ 2 ×", ours <= 2 * peer),
        Line("the same, processor time with the server's", f"{work:.2f} s", f"pandas {other:.2f} s", "", True),
    ]


def uploads(link: str, process: subprocess.Popen[bytes], count: int, mebibytes: int) -> list[Line]:
    """Many uploads at once: the server's memory, and how long its event loop did not answer.

    The watcher is a process of its own, and asks a bare server in turn: what that one takes longer is the machine, not the product.
    """
    import httpx

    from dapp_ext.client import DAPPClient

    block = (b"12345,some text,3.14159\n" * 43_700)[: 1 << 20]
    address = f"{link.split('/?')[0]}/dapp/api/v1"

    def send(number: int) -> None:
        body = (block for _ in range(mebibytes))
        token = client.connection.transport.sign_in.headers()
        http.post(
            f"{address}/datasets",
            params={"filename": f"upload {number}.csv"},
            content=body,
            headers={**token, "Content-Type": "application/octet-stream", "Content-Length": str(mebibytes << 20)},
        ).raise_for_status()

    with DAPPClient(link) as client, httpx.Client(trust_env=False, timeout=600, limits=httpx.Limits(max_connections=count)) as http:
        with watching(f"{address}/health/live", process.pid) as seen:
            begun = time.perf_counter()
            senders = [threading.Thread(target=send, args=(number,)) for number in range(count)]
            for each in senders:
                each.start()
            for each in senders:
                each.join()
            seconds = time.perf_counter() - begun
        for job in client.jobs():
            if not job.done:
                job.cancel()
    gaps, bare = seen["gaps"], seen["bare"]
    speed = f"{count * mebibytes / seconds:.0f} MiB/s"
    stall, usual = max(gaps), max(bare)
    late = sum(gap > 0.05 for gap in gaps) / len(gaps)
    beside = f"{late:.1%} of {len(gaps):,} late; a bare server {usual * 1000:.0f} ms; medians {statistics.median(gaps) * 1000:.1f}, {statistics.median(bare) * 1000:.1f} ms"
    return [
        Line(f"{count} uploads of {mebibytes} MiB at once: memory", f"{seen['grown']:.0f} MiB", speed, "< 300 MiB", seen["grown"] < 300),
        Line("the same: slowest answer meanwhile", f"{stall * 1000:.0f} ms", beside, "< 50 ms, or as bare", stall < max(0.05, 1.2 * usual)),
    ]


@contextmanager
def watching(address: str, pid: int) -> Iterator[dict[str, Any]]:
    """Ask a server and a bare one, a hundred times a second, from a process of its own; what was seen is there afterwards."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    port, give = context.Pipe(duplex=False)
    bare = context.Process(target=_serve_bare, args=(give,), daemon=True)
    bare.start()
    watcher = context.Process(target=_watch, args=(there, address, f"http://127.0.0.1:{port.recv()}/", pid), daemon=True)
    watcher.start()
    here.recv()
    seen: dict[str, Any] = {}
    try:
        yield seen
    finally:
        here.send("enough")
        seen.update(here.recv())
        watcher.join()
        bare.kill()


def _watch(pipe: Any, address: str, bare: str, pid: int) -> None:
    import httpx
    import psutil

    watched = psutil.Process(pid)
    before = peak = watched.memory_info().rss
    gaps: list[float] = []
    others: list[float] = []
    with httpx.Client(trust_env=False, timeout=60) as http:
        pipe.send("ready")
        while not pipe.poll():
            for where, found in ((address, gaps), (bare, others)):
                begun = time.perf_counter()
                http.get(where)
                found.append(time.perf_counter() - begun)
            peak = max(peak, watched.memory_info().rss)
            time.sleep(0.01)
    pipe.send({"gaps": gaps, "bare": others, "grown": (peak - before) / 2**20})


def _serve_bare(give: Any) -> None:
    """A server that says yes to everything and does nothing else."""
    import asyncio

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except asyncio.IncompleteReadError:
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        give.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
