"""How long JupyterLab's server and the dashboard take to answer, alone and while a training runs.

Usage::

    python benchmarks/while_training.py [--seconds N] [--rows N]

Two addresses are asked in turn, ten times a second each: a list of the API through JupyterLab's server, and a page of the
dashboard. First with nothing else to do, then while a search with all families runs.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
START_SECONDS = 120.0
AIM_MS = 20.0


def table(rows: int) -> pd.DataFrame:
    """Numbers and words, and a target that hangs on some of them."""
    rng = np.random.default_rng(0)
    found = pd.DataFrame(rng.normal(size=(rows, 12)), columns=[f"c{number}" for number in range(12)])
    found["kind"] = rng.choice(["red", "green", "blue"], rows)
    found["y"] = np.where(found.c0 + found.c1 * found.c2 + (found.kind == "red") + rng.normal(size=rows) * 0.5 > 0, "gone", "stays")
    return found


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answer(port: int, path: str, headers: dict[str, str]) -> int:
    """The status of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=headers)
    found = connection.getresponse()
    found.read()
    connection.close()
    return found.status


def wait_for(port: int, path: str) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        try:
            if answer(port, path, {}) < 500:
                return
        except OSError:
            pass
        time.sleep(0.3)
    raise RuntimeError(f"Nothing answers at {port}{path}.")


def measured(places: dict[str, tuple[int, str, dict[str, str]]], seconds: float) -> dict[str, np.ndarray]:
    """Milliseconds of each answer."""
    times: dict[str, list[float]] = {name: [] for name in places}
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for name, (port, path, headers) in places.items():
            began = time.perf_counter()
            status = answer(port, path, headers)
            times[name].append(1000 * (time.perf_counter() - began))
            if status != 200:
                raise RuntimeError(f"{name} answered {status}.")
            time.sleep(0.05)
    return {name: np.asarray(found) for name, found in times.items()}


def asked(port: int, dashboard: int, options: argparse.Namespace) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The times alone, and those while a training runs."""
    from dapp_ext.client import DAPPClient

    client = DAPPClient(f"http://127.0.0.1:{port}/?token=benchmark")
    client.upload_file(table(options.rows), name="rows")
    headers = client._connection.transport.sign_in.headers()
    places = {"JupyterLab's server, models": (port, "/dapp/api/v1/models", headers), "dashboard, sign-in page": (dashboard, "/signin", {})}
    measured(places, 2.0)
    alone = measured(places, options.seconds)
    model = client.train_model("rows", "y", time_budget=int(options.seconds) + 30)
    while model.status != "training" or not model.board().trials:
        time.sleep(0.3)
    meanwhile = measured(places, options.seconds)
    model.stop()
    client.close()
    return alone, meanwhile


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rows", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "DAPP_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_PATH": str(ROOT / "jupyter_config")}
        environment |= {f"JUPYTER_{part.upper()}_DIR": str(folder / part) for part in ("runtime", "data", "config")}
        port, dashboard = free_port(), free_port()
        server = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
        server += ["--IdentityProvider.token=benchmark", f"--ServerApp.root_dir={folder}", "--ServerApp.log_level=ERROR"]
        commands = [server, [sys.executable, "-m", "dapp_ext.cli", "dashboard", "--port", str(dashboard)]]
        processes = [subprocess.Popen(each, env=environment, start_new_session=True, stdout=subprocess.DEVNULL) for each in commands[:1]]
        try:
            wait_for(port, "/dapp/api/v1/health/ready")
            processes.append(subprocess.Popen(commands[1], env=environment, start_new_session=True, stdout=subprocess.DEVNULL))
            wait_for(dashboard, "/signin")
            alone, meanwhile = asked(port, dashboard, options)
        finally:
            for process in processes:
                os.killpg(process.pid, signal.SIGTERM)
            for process in processes:
                process.wait(30)
    print("| what | alone p50 / p95, ms | while a training runs p50 / p95, ms | p95 grew by |\n|---|---|---|---|")
    for what in alone:
        first, second = (np.quantile(each[what], [0.5, 0.95]) for each in (alone, meanwhile))
        print(f"| {what} | {first[0]:.1f} / {first[1]:.1f} | {second[0]:.1f} / {second[1]:.1f} | {second[1] - first[1]:+.1f} ms (aim < {AIM_MS:.0f}) |")


if __name__ == "__main__":
    main()
