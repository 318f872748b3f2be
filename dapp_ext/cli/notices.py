"""``jupyter dapp announce`` and ``jupyter dapp maintenance``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from dapp_ext.cli import session
from dapp_ext.errors import Invalid
from dapp_ext.schema.base import now
from dapp_ext.schema.notices import AnnouncementCreate, MaintenanceRead, MaintenanceStart

if TYPE_CHECKING:
    from dapp_ext.services import Services

maintenance = typer.Typer(help="Hold changes and new jobs while running ones end.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SEVERITIES = ("info", "warning", "alert")


def announce(
    message: Annotated[str | None, typer.Argument(help="What everybody should know; the present announcements are listed when left out.")] = None,
    severity: Annotated[str, typer.Option(help="info, warning or alert.")] = "info",
    starts: Annotated[datetime | None, typer.Option(help="When it begins, in local time; at once when left out.")] = None,
    hours: Annotated[float | None, typer.Option(help="How long it is shown; until it is withdrawn when left out.", min=0.01)] = None,
    withdraw: Annotated[str | None, typer.Option(help="Withdraw the announcement with this id instead.")] = None,
    as_json: Json = False,
) -> None:
    """Tell everybody something, at every door."""
    if severity not in SEVERITIES:
        raise Invalid(f"The severity must be one of {', '.join(SEVERITIES)}, not {severity!r}.")
    with session.services() as services:
        if withdraw is not None:
            services.announcements.withdraw(services.system.shell_actor(), withdraw)
        elif message is not None:
            begins = starts.astimezone() if starts else None
            ends = (begins or now()) + timedelta(hours=hours) if hours else None
            request = AnnouncementCreate(message=message, severity=severity, starts_at=begins, ends_at=ends)
            services.announcements.create(services.system.shell_actor(), request)
        _list(services, as_json)


def _list(services: Services, as_json: bool) -> None:
    found = services.announcements.history(services.system.shell_actor()).items
    moment = now()
    rows = [each.model_dump(mode="json") for each in found if each.is_current or each.starts_at > moment]
    session.show(rows, as_json, session.as_table(rows, ["id", "severity", "starts_at", "ends_at", "message"]))


@maintenance.command("on")
def on(
    message: Annotated[str, typer.Option(help="What people are told.")] = "",
    in_minutes: Annotated[int, typer.Option("--in", help="Minutes until it begins; they are counted down at every door.", min=0, max=10_080)] = 0,
    minutes: Annotated[int | None, typer.Option("--for", help="Minutes that it is expected to take.", min=1, max=10_080)] = None,
    as_json: Json = False,
) -> None:
    """Announce maintenance, or begin it at once."""
    with session.services() as services:
        found = services.maintenance.start(services.system.shell_actor(), MaintenanceStart(message=message, in_minutes=in_minutes, minutes=minutes))
    _show(found, as_json)


@maintenance.command("off")
def off(as_json: Json = False) -> None:
    """Take changes in again; jobs that waited go on."""
    with session.services() as services:
        services.maintenance.end(services.system.shell_actor())
        found = services.maintenance.read(services.system.shell_actor())
    _show(found, as_json)


@maintenance.command("status")
def status(as_json: Json = False) -> None:
    """Say whether it is on, and what still runs."""
    with session.services() as services:
        found = services.maintenance.read(services.system.shell_actor())
    _show(found, as_json)


def _show(found: MaintenanceRead, as_json: bool) -> None:
    session.show(found.model_dump(mode="json"), as_json, as_sentence(found))


def as_sentence(found: MaintenanceRead) -> str:
    """The state in one line."""
    if found.state == "off":
        return "off"
    if found.state == "announced":
        return f"begins in {found.starts_in} seconds: {found.message}"
    return f"on, {found.running_jobs} jobs still run: {found.message}"
