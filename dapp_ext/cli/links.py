"""``jupyter dapp links``: read-only links to results and insights, from the machine's own shell."""

from __future__ import annotations

from typing import Annotated

import typer

from dapp_ext.cli import session
from dapp_ext.errors import Invalid
from dapp_ext.schema.shares import ShareCreate

app = typer.Typer(help="Read-only links to results and insights.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_links(as_json: Json = False) -> None:
    """List the links that open something now, whoever made them."""
    with session.services() as services:
        found = services.shares.list(services.system.shell_actor())
    rows = [each.model_dump(mode="json") for each in found.items]
    lines = [row | {"opens": (row["model"] or row["insight"])["name"], "by": row["by"]["name"]} for row in rows]
    session.show(rows, as_json, session.as_table(lines, ["id", "opens", "by", "opened", "expires_at"]))


@app.command("create")
def create(
    model: Annotated[str | None, typer.Option(help="Id or name of the model whose result it opens.")] = None,
    insight: Annotated[str | None, typer.Option(help="Id of the insight that it opens.")] = None,
    days: Annotated[int, typer.Option(help="How long it opens that, in days.", min=1, max=365)] = 14,
    as_json: Json = False,
) -> None:
    """Make a link, for whoever holds it. It is printed this once."""
    if (model is None) == (insight is None):
        raise Invalid("Say what the link opens: --model or --insight.")
    with session.services() as services:
        made = services.shares.create(services.system.shell_actor(), ShareCreate(model=model, insight=insight, days=days))
    text = made.url or f"No dashboard answers now. When it runs, the link is its address followed by: /shared/{made.token}"
    session.show(made.model_dump(mode="json"), as_json, text)


@app.command("withdraw")
def withdraw(link_id: Annotated[str, typer.Argument(help="The link's id, from the list.")]) -> None:
    """Let a link open nothing any more, whoever made it."""
    with session.services() as services:
        services.shares.withdraw(services.system.shell_actor(), link_id)
    typer.echo("The link is withdrawn.")
