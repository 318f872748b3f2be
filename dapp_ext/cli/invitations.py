"""``jupyter dapp users invite|invitations|withdraw|reset|sessions``: links for one use, and where people are signed in."""

from __future__ import annotations

from typing import Annotated

import typer

from dapp_ext.cli import session
from dapp_ext.errors import NotFound
from dapp_ext.schema.accounts import Role
from dapp_ext.schema.signins import InvitationCreate, LinkMade

Email = Annotated[str, typer.Argument(help="The person's email.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def invite(
    email: Email,
    role: Annotated[Role, typer.Option(help="What the account may do.")] = Role.analyst,
    name: Annotated[str, typer.Option(help="How others see the person; they may choose another.")] = "",
    hours: Annotated[int, typer.Option(help="How long the link can be used, in hours.", min=1, max=720)] = 72,
    as_json: Json = False,
) -> None:
    """Print a link, good once, by which somebody makes an account."""
    with session.services() as services:
        made = services.invitations.create(services.system.shell_actor(), InvitationCreate(email=email, role=role, name=name, hours=hours))
    _show(made, as_json)


def invitations(as_json: Json = False) -> None:
    """List the invitations that wait for their person."""
    with session.services() as services:
        found = services.invitations.list(services.system.shell_actor())
    rows = [each.model_dump(mode="json") for each in found.items]
    session.show(rows, as_json, session.as_table(rows, ["id", "email", "role", "expires_at"]))


def withdraw(email: Email) -> None:
    """Let somebody's invitation open nothing any more."""
    with session.services() as services:
        actor = services.system.shell_actor()
        found = [each for each in services.invitations.list(actor).items if each.email == email.strip().casefold()]
        if not found:
            raise NotFound("No invitation of this address waits. See: jupyter dapp users invitations")
        for each in found:
            services.invitations.withdraw(actor, each.id)
    typer.echo(f"The invitation of {email} is withdrawn.")


def reset(email: Email, as_json: Json = False) -> None:
    """Print a link to a new password; the present one and all sessions end now."""
    with session.services() as services:
        actor = services.system.shell_actor()
        made = services.invitations.reset(actor, services.accounts.find(actor, email).id)
    _show(made, as_json)


def sessions(
    email: Email,
    end: Annotated[str | None, typer.Option(help="End the session with this id.")] = None,
    end_all: Annotated[bool, typer.Option("--end-all", help="Sign the person out everywhere; their tokens end too.")] = False,
    as_json: Json = False,
) -> None:
    """List where somebody is signed in, or end it."""
    with session.services() as services:
        actor = services.system.shell_actor()
        account = services.accounts.find(actor, email)
        if end is not None:
            services.signins.end(actor, end)
        if end_all:
            services.signins.end_all(actor, account.id)
        found = services.signins.sessions(actor, account.id)
    rows = [each.model_dump(mode="json") for each in found.items]
    session.show(rows, as_json, session.as_table(rows, ["id", "door", "address", "seen_at", "expires_at", "token_name"]))


def _show(made: LinkMade, as_json: bool) -> None:
    text = made.url or f"No dashboard answers now. When it runs, the link is its address followed by: /accept?token={made.token}"
    session.show(made.model_dump(mode="json"), as_json, text)
