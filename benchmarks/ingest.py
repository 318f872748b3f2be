"""From a CSV on disk to a sealed, typed, profiled table, beside polars streaming the same CSV to plain Parquet.

Usage::

    python benchmarks/ingest.py [--rows N] [--rounds N] [--file CSV]

Without a file it makes one (about 110 bytes a row: numbers, dates, categories, decimals, some of them missing). What is timed
for DAPP is everything between the first byte that arrives and the finished profile: sealing the original, reading it back, finding the types,
writing encrypted Parquet, the health report. Each contender runs in a process of its own, imports done before the clock
starts; the order changes with every round and the best round counts. The target is a ratio of 0.8 and a peak of less than 1 GB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import secrets
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

_PIECE = 250_000


def make(path: Path, rows: int) -> None:
    """A table like those of flights: many whole numbers, some categories, decimals, a time stamp, a running number."""
    random = np.random.default_rng(0)
    tails = np.array([f"N{number:05d}" for number in range(4000)])
    airports = np.array([f"{a}{b}{c}" for a in "ABCDE" for b in "EFGHI" for c in "XYZW"])
    writer = None
    with path.open("wb") as out:
        for start in range(0, rows, _PIECE):
            n = min(_PIECE, rows - start)
            moment = np.datetime64("2013-01-01T05:00") + np.sort(random.integers(0, 5_000_000, n)).astype("m8[m]")
            delay = random.normal(8, 30, n).round().astype(np.int64)
            gone = random.random(n) < 0.03
            columns: dict[str, Any] = {
                "row_id": np.arange(start, start + n),
                "year": random.integers(2013, 2023, n),
                "month": random.integers(1, 13, n),
                "day": random.integers(1, 29, n),
                "left": pa.array(random.integers(500, 2400, n), mask=gone),
                "planned": random.integers(500, 2400, n),
                "late": pa.array(delay, mask=gone),
                "carrier": airports[random.integers(0, 16, n)],
                "flight": random.integers(1, 8500, n),
                "plane": tails[random.integers(0, len(tails), n)],
                "origin": airports[random.integers(0, 3, n)],
                "target": airports[random.integers(0, 100, n)],
                "minutes": pa.array(random.integers(20, 690, n), mask=gone),
                "miles": random.integers(17, 5000, n),
                "fare": random.gamma(3, 60, n).round(2),
                "share": random.random(n).round(4),
                "at": pc.strftime(pa.array(moment.astype("M8[s]")), format="%Y-%m-%d %H:%M:%S"),
            }
            table = pa.table(columns)
            writer = writer or arrow_csv.CSVWriter(out, table.schema, write_options=arrow_csv.WriteOptions(quoting_style="needed"))
            writer.write_table(table)
        assert writer is not None
        writer.close()


def with_polars(source: Path, folder: Path) -> dict[str, Any]:
    """Plain Parquet, in a stream."""
    import polars as pl

    def work() -> None:
        pl.scan_csv(source, try_parse_dates=True).sink_parquet(folder / "plain.parquet", compression="zstd", compression_level=1)

    return measured(work)


def with_dapp(source: Path, folder: Path) -> dict[str, Any]:
    """What an upload does: seal the original, then what the child of the ingest job does."""
    import dapp_ext.services.preload  # noqa: F401
    from dapp_ext.schema.datasets import ReadOptions
    from dapp_ext.services.allocation import keep_loaded, keep_memory
    from dapp_ext.services.passes import FilePass
    from dapp_ext.services.work import IngestOrder, ingest
    from dapp_ext.store.objects import SealedFile
    from dapp_ext.store.sealing import Label

    name = str(uuid.uuid4())
    original = FilePass(folder / "original", Label("original", name, 1), secrets.token_bytes(32))
    table = FilePass(folder / "table", Label("frame", name, 1), secrets.token_bytes(32))
    parts: dict[str, float] = {}
    keep_loaded()
    keep_memory()

    def work() -> None:
        began = time.perf_counter()
        with SealedFile(original.path, original.key, original.label) as sealed, source.open("rb") as file:
            while piece := file.read(1024 * 1024):
                sealed.write(piece)
            sealed.finish()
        parts["sealing the original"] = time.perf_counter() - began
        made = ingest(IngestOrder(original, table, source.name, ReadOptions()), lambda message: None)
        assert made.rows > 0
        assert made.profile.rows == made.rows

    return measured(work) | {"parts": parts}


def measured(work: Any) -> dict[str, Any]:
    """Wall and processor seconds of some work, and the peak of the process."""
    before, cpu = time.perf_counter(), _cpu()
    work()
    return {"wall": time.perf_counter() - before, "cpu": _cpu() - cpu, "peak": _peak()}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 if sys.platform != "darwin" else 1024 * 1024)


def _child(name: str, source: Path, folder: Path, pipe: Any) -> None:
    pipe.send((with_polars if name == "polars" else with_dapp)(source, folder))


def run(name: str, source: Path) -> dict[str, Any]:
    """One contender in a fresh process."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=_child, args=(name, source, Path(folder), there))
        process.start()
        there.close()
        try:
            found: dict[str, Any] = here.recv()
        finally:
            process.join()
    return found


def main() -> None:
    """Make the file, run both, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = asked.file or Path(folder) / "made.csv"
        if asked.file is None:
            make(source, asked.rows)
        size = source.stat().st_size / 1e6
        best: dict[str, dict[str, Any]] = {}
        for turn in range(asked.rounds):
            for name in ("polars", "dapp") if turn % 2 == 0 else ("dapp", "polars"):
                found = run(name, source)
                if name not in best or found["wall"] < best[name]["wall"]:
                    best[name] = found
    print(f"{size:,.0f} MB of CSV, best of {asked.rounds}")
    print(f"{'':34}{'seconds':>9}{'MB/s':>8}{'CPU s':>8}{'peak MB':>9}")
    for name, words in (("polars", "polars, streaming to plain Parquet"), ("dapp", "DAPP, sealed, typed, profiled")):
        each = best[name]
        print(f"{words:34}{each['wall']:9.2f}{size / each['wall']:8.0f}{each['cpu']:8.2f}{each['peak']:9.0f}")
    for part, seconds in best["dapp"]["parts"].items():
        print(f"  of it {part:26}{seconds:9.2f}")
    ratio, cpu, peak = best["polars"]["wall"] / best["dapp"]["wall"], best["polars"]["cpu"] / best["dapp"]["cpu"], best["dapp"]["peak"]
    print(f"throughput of DAPP to that of polars: {ratio:.2f} (target 0.80); by CPU time {cpu:.2f}; peak {peak:,.0f} MB (target below 1,000)")
    print(json.dumps({"benchmark": "ingest", "ratio": round(ratio, 3), "cpu_ratio": round(cpu, 3), "peak_mb": round(peak)}))


if __name__ == "__main__":
    main()
