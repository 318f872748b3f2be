"""``jupyter dapp demo``: an empty home filled with samples, a trained model and an account for each role."""

from __future__ import annotations

import secrets
import shlex
import subprocess
import time
from importlib import resources
from typing import TYPE_CHECKING, Annotated

import typer

from dapp_ext.cli import session
from dapp_ext.errors import Conflict, TimeExceeded
from dapp_ext.schema.accounts import AccountCreate, Actor, Role
from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.schema.jobs import FINAL_JOB_STATUSES
from dapp_ext.schema.models import TrainRequest
from dapp_ext.settings import PYTHON, default_home, process_environment

if TYPE_CHECKING:
    from dapp_ext.services import Services

SAMPLES = {"adult_income.csv": "Adult income", "penguins.csv": "Penguins", "seoul_bikes.csv": "Seoul bikes"}
PEOPLE = {Role.admin: ("ada@example.org", "Ada"), Role.analyst: ("alan@example.org", "Alan"), Role.viewer: ("vera@example.org", "Vera")}
PATIENCE_SECONDS = 300.0


def demo(time_budget: Annotated[int, typer.Option(help="Seconds for training the model.")] = 20) -> None:
    """Fill an empty home with samples, a trained model and one account per role."""
    settings = session.settings()
    with session.services(settings) as services:
        owner = services.system.shell_actor()
        if services.datasets.list(owner).items or len(services.accounts.list(owner)) > 1:
            raise Conflict("This home is not empty. Choose another one with --home, or DAPP_HOME.")
        passwords = _people(services, owner)
        worker = None
        if not services.system.status(owner).workers:
            worker = subprocess.Popen([*PYTHON, "-m", "dapp_ext.worker", "--if-free"], env=process_environment(settings), stderr=subprocess.DEVNULL)
        try:
            _fill(services, owner, time_budget)
        finally:
            if worker is not None:
                worker.terminate()
                worker.wait(20)
    home = "" if settings.home == default_home() else f" --home {shlex.quote(str(settings.home))}"
    typer.echo(f"The demo is ready. Start it with: jupyter dapp{home} start")
    typer.echo("Sign in on the dashboard as:")
    rows = [{"email": PEOPLE[role][0], "password": password, "role": role.value} for role, password in passwords.items()]
    typer.echo(session.as_table(rows, ["email", "password", "role"]))


def _people(services: Services, owner: Actor) -> dict[Role, str]:
    passwords = {}
    for role, (email, name) in PEOPLE.items():
        passwords[role] = "-".join(secrets.token_hex(3) for _ in range(3))
        services.accounts.create(owner, AccountCreate(email=email, name=name, role=role, password=passwords[role]))
    return passwords


def _fill(services: Services, owner: Actor, time_budget: int) -> None:
    for filename, name in SAMPLES.items():
        data = (resources.files("dapp_ext") / "samples" / filename).read_bytes()
        upload = services.datasets.begin_upload(owner, DatasetUpload(filename=filename, name=name, size=len(data)))
        upload.write(data)
        dataset = upload.finish()
        _wait(services, owner, dataset.job_id or "", f"Reading {name}")
    model = services.models.train(owner, TrainRequest(dataset="Adult income", target="income", name="Who earns more", time_budget=time_budget))
    _wait(services, owner, model.job_id or "", f"Training {model.name!r} for about {time_budget} seconds")


def _wait(services: Services, owner: Actor, job_id: str, what: str) -> None:
    typer.echo(what)
    until = time.monotonic() + PATIENCE_SECONDS
    while (job := services.jobs.get(owner, job_id)).status not in FINAL_JOB_STATUSES:
        if time.monotonic() > until:
            raise TimeExceeded(f"{what} takes too long. Look at the worker's log.")
        services.bell.wait(0.5)
    if job.status != "succeeded":
        raise Conflict(f"{what} ended as {job.status}: {job.error}")
