"""``jupyter dapp status`` and ``jupyter dapp doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from dapp_ext.cli import session
from dapp_ext.cli.notices import as_sentence
from dapp_ext.settings import describe_settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def status(as_json: Json = False) -> None:
    """Show addresses, workers and the queue."""
    with session.services() as services:
        found = services.system.status(services.system.shell_actor())
    value = found.model_dump(mode="json")
    lines = [
        f"DAPP {found.version}",
        f"home        {found.home}",
        f"JupyterLab  {found.jupyterlab or 'not running'}",
        f"dashboard   {found.dashboard or 'not running'}",
        f"service     {found.api or 'not running'}",
        f"workers     {len(found.workers)}",
        f"jobs        {found.running} running, {found.queued} waiting",
        *(
            f"{each.door:<11} {each.p50_ms:.0f} ms, 95 of 100 below {each.p95_ms:.0f} ms ({each.answers} {'jobs waited' if each.door == 'queue' else 'answers'})"
            for each in found.latency
        ),
        f"maintenance {as_sentence(found.maintenance)}",
        f"isolation   {found.isolation}",
    ]
    session.show(value, as_json, "\n".join(lines))


def doctor(
    as_json: Json = False,
    show_settings: Annotated[bool, typer.Option("--settings", help="List every setting instead.")] = False,
) -> None:
    """Look for what is wrong, say why it matters and what mends it; exit code 1 when something has to be mended."""
    if show_settings:
        rows = describe_settings()
        session.show(rows, as_json, session.as_table(rows, ["variable", "default", "unit", "help"]))
        return
    from dapp_ext.services.doctor import examine

    found = examine(session.settings())
    lines = []
    for check in found.checks:
        lines.append(f"{check.state:<5} {check.name:<13} {check.says}")
        if check.why:
            lines.append(f"{'':<19} {check.why}" + (f" Mend it with: {check.mend}" if check.mend else ""))
    session.show(found.model_dump(mode="json"), as_json, "\n".join(lines))
    if not found.healthy:
        raise typer.Exit(1)
