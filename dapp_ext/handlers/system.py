"""The state of the platform over HTTP, the notebook template, and the button that starts the dashboard."""

from __future__ import annotations

import time
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import dapp_ext
from dapp_ext.errors import Unavailable
from dapp_ext.handlers.operation import JSON, Call, Content, Nothing
from dapp_ext.schema.system import DashboardAddress, DashboardStart, HealthRead, StatusRead
from dapp_ext.settings import process_environment

TEMPLATE = "templates/hybrid_workflow_template.ipynb"
DASHBOARD_SECONDS = 20.0
LOOK_SECONDS = 0.25


def live(_call: Call[Nothing, Nothing]) -> HealthRead:
    return HealthRead()


async def live_soon(_call: Call[Nothing, Nothing]) -> HealthRead:
    return HealthRead()


def ready(call: Call[Nothing, Nothing]) -> HealthRead:
    if not call.services.system.ready():
        raise Unavailable("The database or the storage does not answer.")
    return HealthRead()


def status(call: Call[Nothing, Nothing]) -> StatusRead:
    return call.services.system.status(call.actor)


def metrics(call: Call[Nothing, Nothing]) -> Content:
    return Content("text/plain; version=0.0.4; charset=utf-8", call.backend.metrics.text(call.services.system.numbers(call.actor)))


def template(call: Call[Nothing, Nothing]) -> Content:
    """The notebook that the launcher's card opens a copy of."""
    shipped = resources.files(dapp_ext) / TEMPLATE
    # In a checkout the notebook stands where people look for it; the wheel carries it inside the package.
    source = Path(dapp_ext.__file__).parents[1] / "notebooks" / TEMPLATE
    try:
        return Content(JSON, shipped.read_bytes() if shipped.is_file() else source.read_bytes())
    except OSError as error:
        raise Unavailable("The notebook template is missing from this installation. Install jupyter-dapp again.") from error


def start_dashboard(call: Call[Nothing, DashboardStart]) -> DashboardAddress:
    """The address of the dashboard with a sign-in for one use; starts it where none answers."""
    system = call.services.system
    ticket = call.services.accounts.issue_ticket(call.actor, "dashboard")  # first: who may not have one starts nothing
    # Where people open it may be on another machine, of which this one knows nothing but the address.
    address = call.backend.settings().dashboard_url or system.status(call.actor).dashboard
    started = False
    if address is None:
        started = call.backend.dashboard.start(process_environment(system.settings), "dapp_ext.cli", "dashboard")
        ends = time.monotonic() + DASHBOARD_SECONDS
        while address is None:
            if not call.backend.dashboard.running or time.monotonic() > ends:
                raise Unavailable("The dashboard did not start. The reason is in the server's log; try: jupyter dapp dashboard")
            time.sleep(LOOK_SECONDS)
            address = system.status(call.actor).dashboard
    base = call.backend.settings().dashboard_url or address
    return DashboardAddress(url=f"{base.rstrip('/')}/signin?ticket={quote(ticket.ticket)}", started=started)
