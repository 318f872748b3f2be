"""One row by REST, and sixteen callers at once: this platform against ``mlflow models serve`` on the same pipeline.

Usage::

    python benchmarks/serving.py [--mlflow PYTHON] [--seconds N] [--callers N]

PYTHON is the interpreter of an environment with mlflow and the same release of scikit-learn, made for example by
``uv venv peer && uv pip install -p peer mlflow scikit-learn==…``. Without it only this platform is measured. The pipeline
(standardised numbers into histogram boosting, 20 columns) is fitted once, saved for both, and asked with the same rows.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
COLUMNS, ROWS = 20, 4000
START_SECONDS = 180.0


@dataclass(frozen=True)
class Address:
    """Where one row is asked for, and how."""

    port: int
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Measured:
    """Milliseconds of one caller, and calls a second of many."""

    p50: float
    p99: float
    per_second: float
    many_p50: float


def table() -> pd.DataFrame:
    """Numbers, and a target that hangs on some of them."""
    rng = np.random.default_rng(0)
    found = pd.DataFrame(rng.normal(size=(ROWS, COLUMNS)), columns=[f"c{number}" for number in range(COLUMNS)])
    found["y"] = np.where(found.c0 + found.c1 * found.c2 + rng.normal(size=ROWS) * 0.5 > 0, "gone", "stays")
    return found


def fitted(frame: pd.DataFrame) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), HistGradientBoostingClassifier(random_state=0)).fit(frame.drop(columns="y"), frame.y)


def measure(address: Address, seconds: float, callers: int) -> Measured:
    """One caller for a while, then many; each on a connection that is kept."""
    alone = _ask(address, seconds, 1)
    together = _ask(address, seconds, callers)
    return Measured(
        p50=1000 * statistics.median(alone[0]),
        p99=1000 * sorted(alone[0])[int(0.99 * len(alone[0]))],
        per_second=sum(len(each) for each in together) / seconds,
        many_p50=1000 * statistics.median([each for times in together for each in times]),
    )


def _ask(address: Address, seconds: float, callers: int) -> list[list[float]]:
    times: list[list[float]] = [[] for _ in range(callers)]
    ends = time.perf_counter() + seconds + 1.0

    def call(mine: list[float]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=60)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < ends:
            began = time.perf_counter()
            connection.request("POST", address.path, address.body, address.headers)
            answer = connection.getresponse()
            data = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{answer.status}: {data[:300]!r}")
            if began > ends - seconds:  # the first second warms up
                mine.append(time.perf_counter() - began)
        connection.close()

    threads = [threading.Thread(target=call, args=(mine,)) for mine in times]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(process: subprocess.Popen[bytes], answers: Callable[[], bool]) -> None:
    """Wait until a server answers."""
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with {process.returncode}.")
        try:
            if answers():
                return
        except OSError:
            pass
        time.sleep(0.3)
    raise RuntimeError("The server does not start.")


def answers_at(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    return connection.getresponse().status == 200


def end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def ours(folder: Path, frame: pd.DataFrame, pipeline: Any, options: argparse.Namespace) -> dict[str, Measured]:
    """A Jupyter server with DAPP: the pipeline brought along, and a model that the platform searched for itself."""
    port = free_port()
    environment = {**os.environ, "DAPP_HOME": str(folder / "home"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "JUPYTER_DATA_DIR": str(folder / "data")}
    environment |= {"JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_CONFIG_PATH": str(ROOT / "jupyter_config"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += ["--IdentityProvider.token=benchmark", f"--ServerApp.root_dir={folder}", "--ServerApp.log_level=ERROR"]
    process = subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        wait_for(process, lambda: answers_at(port, "/dapp/api/v1/health/ready"))
        return _asked(port, frame, pipeline, options)
    finally:
        end(process)


def _asked(port: int, frame: pd.DataFrame, pipeline: Any, options: argparse.Namespace) -> dict[str, Measured]:
    from dapp_ext.client import DAPPClient

    client = DAPPClient(f"http://127.0.0.1:{port}/?token=benchmark")
    client.upload_file(frame, name="rows")
    models = {"same pipeline": client.register(pipeline, name="brought", dataset="rows", target="y")}
    models["own search"] = client.train_model("rows", "y", time_budget=20, name="searched", wait=True)
    headers = {**client._connection.transport.sign_in.headers(), "Content-Type": "application/json"}
    body = json.dumps({"rows": frame.drop(columns="y").head(1).to_dict("records")}).encode()
    found = {}
    for name, model in models.items():
        address = Address(port, f"/dapp/api/v1/models/{model.id}/predict", headers, body)
        found[f"DAPP, {name}"] = measure(address, options.seconds, options.callers)
    client.close()
    return found


def theirs(folder: Path, frame: pd.DataFrame, pipeline: Any, options: argparse.Namespace) -> Measured:
    """``mlflow models serve`` as its manual says, with the pipeline as a scikit-learn model."""
    import pickle

    (folder / "pipeline.pkl").write_bytes(pickle.dumps(pipeline))
    save = "import mlflow.sklearn, pickle, sys; mlflow.sklearn.save_model(pickle.load(open(sys.argv[1], 'rb')), sys.argv[2], **({'serialization_format': 'cloudpickle'}))"
    subprocess.run([options.mlflow, "-c", save, str(folder / "pipeline.pkl"), str(folder / "model")], check=True)
    port = free_port()
    command = [options.mlflow, "-m", "mlflow", "models", "serve", "-m", str(folder / "model"), "-p", str(port), "--env-manager", "local"]
    environment = {**os.environ, "PATH": f"{Path(options.mlflow).parent}:{os.environ['PATH']}", "MLFLOW_TRACKING_URI": str(folder / "runs")}
    process = subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    try:
        wait_for(process, lambda: answers_at(port, "/ping"))
        row = frame.drop(columns="y").head(1)
        body = json.dumps({"dataframe_split": {"columns": list(row.columns), "data": row.to_numpy().tolist()}}).encode()
        return measure(Address(port, "/invocations", {"Content-Type": "application/json"}, body), options.seconds, options.callers)
    finally:
        end(process)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mlflow", help="interpreter of an environment with mlflow")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--callers", type=int, default=16)
    options = parser.parse_args()
    frame = table()
    pipeline = fitted(frame)
    with tempfile.TemporaryDirectory() as folder:
        found = ours(Path(folder), frame, pipeline, options)
        if options.mlflow:
            found["mlflow models serve"] = theirs(Path(folder), frame, pipeline, options)
    print(f"| server | one row p50 / p99, ms | calls/s with {options.callers} callers | p50 then, ms |\n|---|---|---|---|")
    for name, each in found.items():
        print(f"| {name} | {each.p50:.1f} / {each.p99:.1f} | {each.per_second:,.0f} | {each.many_p50:.1f} |")
    peer, mine = found.get("mlflow models serve"), found["DAPP, same pipeline"]
    if peer is not None:
        print(f"One row {peer.p50 / mine.p50:.1f} times as fast (aim 3), {mine.per_second / peer.per_second:.1f} times as many (aim 8).")


if __name__ == "__main__":
    main()
