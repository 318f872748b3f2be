"""``jupyter dapp signin-link``."""

from __future__ import annotations

import faulthandler
import sys
from typing import Annotated, Literal

import typer

from dapp_ext.cli import session
from dapp_ext.errors import DappError, Unavailable

Door = Literal["dashboard", "jupyterlab"]
# A program that has not made its tickets by then says where it stands.
STUCK_SECONDS = 30.0
# A program that prints a ticket of the owner's for JupyterLab and one for the dashboard, a line each.
TICKETS = "from dapp_ext.cli.link import print_tickets; print_tickets()"


def sign_in_address(kind: Door, base: str, ticket: str) -> str:
    """The address that a ticket is used at."""
    return f"{base}/signin?ticket={ticket}" if kind == "dashboard" else f"{base}/dapp/signin?ticket={ticket}"


def print_tickets() -> None:
    """For ``jupyter dapp start``, which goes on for long and so loads nothing of the services itself."""
    faulthandler.dump_traceback_later(STUCK_SECONDS)
    try:
        with session.services() as services:
            doors: tuple[Door, ...] = ("jupyterlab", "dashboard")
            for door in doors:
                sys.stdout.write(services.accounts.signin_link(None, door).ticket + "\n")
    except DappError as error:
        sys.stderr.write(error.message + "\n")
        raise SystemExit(1) from None


def signin_link(
    email: Annotated[str | None, typer.Argument(help="Whose account; the owner's when left out.")] = None,
    door: Annotated[str, typer.Option(help="dashboard or jupyterlab.")] = "dashboard",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a link that signs in once, within fifteen minutes."""
    kind: Door = "jupyterlab" if door == "jupyterlab" else "dashboard"
    with session.services() as services:
        base = services.system.addresses().get(kind)
        if kind == "dashboard" and services.settings.dashboard_url:
            base = services.settings.dashboard_url
        if base is None:
            raise Unavailable(f"No {'JupyterLab' if kind == 'jupyterlab' else 'dashboard'} of this home answers. Start it with: jupyter dapp start")
        ticket = services.accounts.signin_link(email, kind)
    url = sign_in_address(kind, base.rstrip("/"), ticket.ticket)
    session.show({"url": url, "expires_at": ticket.expires_at.isoformat()}, as_json, url)
