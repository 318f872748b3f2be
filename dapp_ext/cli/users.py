"""``jupyter dapp users``: the accounts, from the machine's own shell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dapp_ext.cli import invitations, session
from dapp_ext.errors import Invalid
from dapp_ext.schema.accounts import AccountCreate, AccountUpdate, Role

app = typer.Typer(help="Accounts.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(help="The account's email.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
FromFile = Annotated[Path | None, typer.Option("--password-file", help="Read the password from a file.")]

for each in (invitations.invite, invitations.invitations, invitations.withdraw, invitations.reset, invitations.sessions):
    app.command(each.__name__)(each)


@app.command("list")
def list_users(as_json: Json = False) -> None:
    """List all accounts."""
    with session.services() as services:
        accounts = services.accounts.list(services.system.shell_actor())
    rows = [account.model_dump(mode="json") for account in accounts]
    shown = [{**row, "state": "disabled" if row["disabled"] else "active" if row["has_password"] else "no password yet"} for row in rows]
    session.show(rows, as_json, session.as_table(shown, ["email", "name", "role", "state"]))


@app.command("add")
def add(
    email: Email,
    role: Annotated[Role, typer.Option(help="What the account may do.")] = Role.analyst,
    name: Annotated[str, typer.Option(help="How others see the person.")] = "",
    password_stdin: FromStdin = False,
    password_file: FromFile = None,
    no_password: Annotated[bool, typer.Option("--no-password", help="The person signs in by a link first.")] = False,
) -> None:
    """Make an account."""
    password = None if no_password else _password(password_stdin, password_file)
    with session.services() as services:
        account = services.accounts.create(services.system.shell_actor(), AccountCreate(email=email, name=name, role=role, password=password))
    typer.echo(f"{account.email} is now {account.role.value}.")


@app.command("role")
def role(email: Email, role: Annotated[Role, typer.Argument(help="The new role.")]) -> None:
    """Give an account another role."""
    _update(email, AccountUpdate(role=role))


@app.command("disable")
def disable(email: Email) -> None:
    """Refuse an account from now on; its sessions end at once."""
    _update(email, AccountUpdate(disabled=True))


@app.command("enable")
def enable(email: Email) -> None:
    """Let an account sign in again."""
    _update(email, AccountUpdate(disabled=False))


@app.command("password")
def password(email: Email, password_stdin: FromStdin = False, password_file: FromFile = None) -> None:
    """Set an account's password; all its sessions end."""
    new = _password(password_stdin, password_file)
    with session.services() as services:
        services.accounts.reset_password(services.system.shell_actor(), email, new)
    typer.echo(f"{email} has a new password.")


def _update(email: str, change: AccountUpdate) -> None:
    with session.services() as services:
        actor = services.system.shell_actor()
        account = services.accounts.update(actor, services.accounts.find(actor, email).id, change)
    typer.echo(f"{account.email}: {account.role.value}{', disabled' if account.disabled else ''}")


def _password(from_stdin: bool, from_file: Path | None) -> str:
    """A password from where the caller says; never from an argument, which every process on the machine can read."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if from_file is not None:
        try:
            return from_file.read_text("utf-8").splitlines()[0]
        except (OSError, IndexError) as error:
            raise Invalid(f"The password file {from_file} cannot be read.") from error
    if not sys.stdin.isatty():
        raise Invalid("There is nobody to ask for a password. Use --password-stdin or --password-file.")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
