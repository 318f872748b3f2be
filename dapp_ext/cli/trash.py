"""``jupyter dapp trash``: what was deleted and can be brought back."""

from __future__ import annotations

from typing import Annotated

import typer

from dapp_ext.cli import session

app = typer.Typer(help="What was deleted within a day and can be brought back.", no_args_is_help=True)
Which = Annotated[str, typer.Argument(help="Its id, from the list.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_deleted(as_json: Json = False) -> None:
    """List what can be brought back, whoever deleted it."""
    with session.services() as services:
        found = services.trash.list(services.system.shell_actor())
    rows = [each.model_dump(mode="json") for each in found.items]
    session.show(rows, as_json, session.as_table([row | {"by": row["by"]["name"]} for row in rows], ["id", "kind", "name", "by", "until"]))


@app.command("restore")
def restore(which: Which) -> None:
    """Bring something back as it was."""
    with session.services() as services:
        found = services.trash.restore(services.system.shell_actor(), which)
    typer.echo(f"{found.name} is back.")


@app.command("delete")
def delete(which: Which) -> None:
    """Delete something for good now, with its key."""
    with session.services() as services:
        services.trash.delete(services.system.shell_actor(), which)
    typer.echo("It is deleted for good.")
