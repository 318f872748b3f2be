"""``jupyter dapp start``, ``serve``, ``dashboard`` and ``worker``: the running parts, each a process of its own."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from dapp_ext.cli import session
from dapp_ext.cli.link import TICKETS, sign_in_address
from dapp_ext.errors import Conflict, Unavailable
from dapp_ext.settings import PYTHON, Settings, process_environment
from dapp_ext.store.folders import make_private, open_private

START_SECONDS = 120.0
# After so long a person wants to know what is being waited for.
PATIENCE_SECONDS = 20.0
STOP_SECONDS = 12.0
TICKET_SECONDS = 45.0
PORTS_TRIED = 50
# A part that ends is started again at once; one that keeps ending soon after its start waits longer each time. It is never
# given up, since that would take the other parts with it.
RESTARTS = 3
STEADY_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 30.0
TOKEN_FILE = "jupyter.token"


@dataclass
class Part:
    """One process that ``start`` keeps running."""

    name: str
    command: list[str]
    url: str | None = None
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    launched: float = 0.0
    due: float | None = None


def start(
    port: Annotated[int | None, typer.Option(help="Port of JupyterLab.")] = None,
    dashboard_port: Annotated[int | None, typer.Option(help="Port of the dashboard.")] = None,
    folder: Annotated[Path, typer.Option(help="Folder that JupyterLab shows.")] = Path(),
) -> None:
    """Start JupyterLab, the dashboard and a worker, and stop them on Ctrl-C."""
    settings = session.settings(lab_port=port, dashboard_port=dashboard_port, start_worker=False)
    _refuse_elsewhere(settings)
    lab_port = free_port(settings.lab_port, "JupyterLab", set())
    panel_port = free_port(settings.dashboard_port, "The dashboard", {lab_port})
    settings = replace(settings, lab_port=lab_port, dashboard_port=panel_port)
    parts = [
        Part("JupyterLab", _lab_command(lab_port, folder), f"http://localhost:{lab_port}"),
        Part("dashboard", [*PYTHON, "-m", "dapp_panel"], f"http://localhost:{panel_port}"),
        Part("worker", [*PYTHON, "-m", "dapp_ext.worker", "--parent", str(os.getpid())]),
    ]
    _keep_running(parts, settings)


def dashboard(
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the dashboard."""
    wanted = session.settings(dashboard_port=port)
    _become("dapp_panel", replace(wanted, dashboard_port=free_port(wanted.dashboard_port, "The dashboard", set())))


def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve a team: the same without kernels, terminals or files, under an account and with keys of its own."""
    wanted = session.settings(service_port=port)
    _become("dapp_ext.serve", replace(wanted, service_port=free_port(wanted.service_port, "The service", set())))


def worker() -> None:
    """Run jobs until stopped."""
    _become("dapp_ext.worker", session.settings())


def _refuse_elsewhere(settings: Settings) -> None:
    if settings.url:
        raise Conflict(f"DAPP_URL names a service elsewhere ({settings.url}), so nothing of it runs here. Start JupyterLab alone with: jupyter lab")


def _become(module: str, settings: Settings) -> None:
    """Go on as another program of ours: it loads only what it needs, and its fork server starts from little."""
    _refuse_elsewhere(settings)
    os.execve(sys.executable, [*PYTHON, "-m", module], process_environment(settings))


def free_port(wanted: int, who: str, taken: set[int]) -> int:
    """The wanted port, or the next free one, named aloud."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65_536)):
        if port not in taken and _is_free(port):
            if port != wanted:
                typer.echo(f"{who} uses port {port}, since {wanted} is taken.")
            return port
    raise Unavailable(f"{who} found no free port from {wanted} on. Choose another one.")


def _is_free(port: int) -> bool:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError:
            if family == socket.AF_INET:
                return False
            if _answers(host, port):
                return False
    return True


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=0.2):
            return True
    except OSError:
        return False


def _lab_command(port: int, folder: Path) -> list[str]:
    command = [
        *PYTHON,
        "-m",
        "jupyterlab",
        "--no-browser",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder.absolute()}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def _jupyter_token(settings: Settings) -> dict[str, str]:
    """Give Jupyter's token in a file, as new as this start: one that Jupyter makes up itself is written into its log."""
    path = settings.run_folder / TOKEN_FILE
    make_private(path.parent)
    path.unlink(missing_ok=True)
    with open_private(path) as file:
        file.write(secrets.token_hex(24))
    return {"JUPYTER_TOKEN_FILE": str(path)}


def _welcome(settings: Settings, urls: list[str], tickets: list[str]) -> None:
    lab, panel = urls
    typer.echo("")
    typer.echo("DAPP is running. Each link signs in once, within fifteen minutes; another one: jupyter dapp signin-link")
    typer.echo(f"  JupyterLab  {lab}")
    typer.echo(f"              {sign_in_address('jupyterlab', lab, tickets[0])}")
    typer.echo(f"  Dashboard   {panel}")
    typer.echo(f"              {sign_in_address('dashboard', panel, tickets[1])}")
    typer.echo(f"Data is kept sealed in {settings.home}. On one person's machine roles are guard rails, not walls. Stop with Ctrl-C.")


def _keep_running(parts: list[Part], settings: Settings) -> None:
    """Start all parts, keep them running, stop them when told to."""
    environment = process_environment(settings) | _jupyter_token(settings)
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    log_folder = settings.home / "logs"
    make_private(log_folder)
    # The pages first: a worker that warms up beside them would make people wait for its readers and learners.
    pages, others = [each for each in parts if each.url is not None], [each for each in parts if each.url is None]
    try:
        for part in pages:
            _launch(part, environment, log_folder)
        tickets = _tickets(environment, stopping)
        _wait_for_answers(pages, stopping, log_folder)
        if not stopping.is_set():
            for part in others:
                _launch(part, environment, log_folder)
            _welcome(settings, [each.url or "" for each in pages], tickets)
        while not stopping.wait(0.5):
            for part in parts:
                _revive(part, environment, log_folder)
    finally:
        _stop_all(parts)
        (settings.run_folder / TOKEN_FILE).unlink(missing_ok=True)


def _tickets(environment: dict[str, str], stopping: threading.Event) -> list[str]:
    """One for each page; made by a process that ends, so that its libraries do not stay in memory."""
    for _ in range(2):  # one that stands still has said where it does, and must not hold up the start for ever
        try:
            made = subprocess.run(
                [*PYTHON, "-c", TICKETS], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False, timeout=TICKET_SECONDS
            )
        except subprocess.TimeoutExpired:
            continue
        if made.returncode and not stopping.is_set():  # Ctrl-C ends it as well
            break
        return made.stdout.split()
    raise Unavailable("DAPP was not started, for the reason above. More says: jupyter dapp doctor")


def _launch(part: Part, environment: dict[str, str], log_folder: Path) -> None:
    log = log_folder / f"{part.name.lower()}.log"
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    part.launched = time.monotonic()
    try:
        # A session of its own: Ctrl-C reaches only this process, which then stops the parts in order.
        part.process = subprocess.Popen(part.command, env=environment, stdin=subprocess.DEVNULL, stdout=handle, stderr=handle, start_new_session=True)
    finally:
        os.close(handle)


def _wait_for_answers(parts: list[Part], stopping: threading.Event, log_folder: Path) -> None:
    began = time.monotonic()
    for part in parts:
        log, told = log_folder / f"{part.name.lower()}.log", False
        while part.url is not None and not stopping.is_set() and not _is_up(part.url):
            assert part.process is not None
            waited = time.monotonic() - began
            if part.process.poll() is not None or waited > START_SECONDS:
                raise Unavailable(f"{part.name} did not start. Its log says why: {log}")
            if waited > PATIENCE_SECONDS and not told:
                typer.echo(f"{part.name} does not answer at {part.url} yet. Its log: {log}")
                told = True
            stopping.wait(0.1)


def _is_up(url: str) -> bool:
    path = "/dapp/api/v1/health/live" if not url.endswith("/health") else ""
    try:
        with urllib.request.urlopen(url + path, timeout=2) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        return error.code in (401, 403, 404)
    except (OSError, http.client.HTTPException):
        return False


def _revive(part: Part, environment: dict[str, str], log_folder: Path) -> None:
    """Start a part again that has ended: at once, or after a pause where it ended soon after its last starts too."""
    if part.process is None or part.process.poll() is None:
        return
    now = time.monotonic()
    if part.due is None:
        part.restarts = 1 if now - part.launched > STEADY_SECONDS else part.restarts + 1
        pause = min(2.0 ** (part.restarts - RESTARTS), LONGEST_PAUSE_SECONDS) if part.restarts > RESTARTS else 0.0
        part.due = now + pause
        if pause:
            log = log_folder / f"{part.name.lower()}.log"
            typer.echo(f"{part.name} has ended {part.restarts} times, each soon after its start. It is started again in {pause:.0f} s. Its log says why: {log}")
        else:
            typer.echo(f"{part.name} ended and is started again.")
    if now >= part.due:
        part.due = None
        _launch(part, environment, log_folder)


def _stop_all(parts: list[Part]) -> None:
    running = [part.process for part in parts if part.process is not None and part.process.poll() is None]
    for process in running:
        process.terminate()
    until = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
