"""``jupyter dapp tokens``: personal access tokens, from the machine's own shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dapp_ext.cli import session
from dapp_ext.errors import Invalid
from dapp_ext.schema.signins import TokenCreate

if TYPE_CHECKING:
    from dapp_ext.schema.accounts import Actor
    from dapp_ext.services import Services

app = typer.Typer(help="Personal access tokens for scripts.", no_args_is_help=True)
SCOPES = ("read", "predict", "write", "admin")
Whose = Annotated[str | None, typer.Option("--email", help="Whose tokens; the owner's when left out.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_tokens(email: Whose = None, as_json: Json = False) -> None:
    """List the tokens of an account that are still good."""
    with session.services() as services:
        found = services.signins.tokens(_actor(services, email))
    rows = [token.model_dump(mode="json") for token in found.items]
    session.show(rows, as_json, session.as_table(rows, ["id", "name", "scope", "expires_at", "last_used_at"]))


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    scope: Annotated[str, typer.Option(help="read, predict, write or admin; each includes the ones before.")] = "read",
    days: Annotated[int, typer.Option(help="How long it is valid, in days.", min=1, max=366)] = 90,
    email: Whose = None,
    as_json: Json = False,
) -> None:
    """Make a token. It is printed this once."""
    if scope not in SCOPES:
        raise Invalid(f"The scope must be one of {', '.join(SCOPES)}, not {scope!r}.")
    with session.services() as services:
        made = services.signins.create_token(_actor(services, email), TokenCreate(name=name, scope=scope, days=days))
    session.show(made.model_dump(mode="json"), as_json, made.token)


@app.command("end")
def end(token_id: Annotated[str, typer.Argument(help="The token's id, from the list.")]) -> None:
    """End a token at once, whoever it belongs to."""
    with session.services() as services:
        services.signins.end_token(services.system.shell_actor(), token_id)
    typer.echo("The token has ended.")


def _actor(services: Services, email: str | None) -> Actor:
    actor = services.system.shell_actor()
    return services.accounts.acting_as(actor, email) if email else actor
