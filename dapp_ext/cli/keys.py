"""``jupyter dapp keys``: the root keys, from the machine's own shell."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dapp_ext.cli import session
from dapp_ext.cli.asking import ask_secret
from dapp_ext.errors import Conflict, Invalid, Unavailable
from dapp_ext.schema.keys import KeysRead
from dapp_ext.settings import read_secret

app = typer.Typer(help="The root keys, and the key that signs tokens.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FromStdin = Annotated[bool, typer.Option("--passphrase-stdin", help="Read the passphrase from standard input.")]
FromFile = Annotated[Path | None, typer.Option("--passphrase-file", help="Read the passphrase from a file.")]


@app.command("status")
def status(as_json: Json = False) -> None:
    """Show which keys there are and what they wrap."""
    with session.services() as services:
        found = services.keys.status(services.system.shell_actor())
    _show(found, as_json)


@app.command("rotate")
def rotate(
    new_key_file: Annotated[Path | None, typer.Option(help="File with the next DAPP_ENCRYPTION_KEY, where the key comes from the settings.")] = None,
    signing: Annotated[bool, typer.Option("--signing", help="Change the key that signs access tokens instead; nobody has to sign in again.")] = False,
    at_once: Annotated[bool, typer.Option("--now", help="With --signing: accept nothing any more that the old key has signed.")] = False,
    as_json: Json = False,
) -> None:
    """Wrap all data keys with a new root key, while everything runs; or finish a rotation that was interrupted."""
    if signing:
        if new_key_file is not None:
            raise Invalid("A file with the next key is for the root key. The key that signs tokens is made at random: jupyter dapp keys rotate --signing")
        _rotate_signing(at_once, as_json)
        return
    if at_once:
        raise Invalid("--now is about tokens. Write: jupyter dapp keys rotate --signing --now")
    secret = None if new_key_file is None else read_secret("--new-key-file", f"file:{new_key_file}")
    with session.services() as services:
        actor = services.system.shell_actor()
        before = services.keys.status(actor)
        found = services.keys.rotate(actor, new_secret=secret)
    _show(found, as_json)
    if as_json:
        return
    if before.unfinished:
        typer.echo("The rotation that was interrupted is finished. Run the command again for another key.")
    elif secret is not None:
        typer.echo("Now put the new secret into DAPP_ENCRYPTION_KEY and restart; then retire the old key.")
    typer.echo(f"Keep an export of the new key in a safe place: jupyter dapp keys export FILE. Then: jupyter dapp keys retire {before.active}")


def _rotate_signing(at_once: bool, as_json: bool) -> None:
    with session.services() as services:
        found = services.keys.rotate_signing(services.system.shell_actor(), at_once=at_once)
    _show(found, as_json)
    if not as_json:
        typer.echo("What the old key has signed is not accepted any more." if at_once else "What the old key has signed is accepted until it ends.")


@app.command("retire")
def retire(kid: Annotated[str, typer.Argument(help="Id of the key, as keys status shows it.")], as_json: Json = False) -> None:
    """Destroy a key that wraps nothing any more. Backups from before the rotation need its export from then on."""
    with session.services() as services:
        found = services.keys.retire(services.system.shell_actor(), kid)
    _show(found, as_json)


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="New file for the sealed keys.")],
    passphrase_stdin: FromStdin = False,
    passphrase_file: FromFile = None,
) -> None:
    """Write the root keys into a file, sealed with a passphrase."""
    passphrase = ask_secret("passphrase", from_stdin=passphrase_stdin, from_file=passphrase_file, confirm=True)
    with session.services() as services:
        sealed = services.keys.export(services.system.shell_actor(), passphrase)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Conflict(f"There is a file {file} already. Choose another name.") from None
    except OSError as error:
        raise Unavailable(f"The file {file} cannot be written: {error.strerror}.") from error
    with open(handle, "wb") as out:
        out.write(sealed)
        out.flush()
        os.fsync(handle)
    typer.echo(f"The keys are in {file}, sealed with the passphrase. Put them back with: jupyter dapp keys restore {file}")


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="What keys export wrote.")],
    passphrase_stdin: FromStdin = False,
    passphrase_file: FromFile = None,
) -> None:
    """Put exported keys back into the keys folder; keys that are there stay."""
    from dapp_ext.services import restore_keys

    try:
        data = file.read_bytes()
    except OSError as error:
        raise Invalid(f"The file {file} cannot be read: {error.strerror}.") from error
    passphrase = ask_secret("passphrase", from_stdin=passphrase_stdin, from_file=passphrase_file)
    written = restore_keys(session.settings(), data, passphrase)
    typer.echo(f"Put back: {', '.join(written)}." if written else "All keys of the export are here already.")


def _show(found: KeysRead, as_json: bool) -> None:
    value = found.model_dump(mode="json")
    rows = [{**each, "here": "yes" if each["here"] else "no"} for each in value["keys"]]
    text = f"from {found.source}{'; a rotation is not finished: jupyter dapp keys rotate' if found.unfinished else ''}\n"
    text += session.as_table(rows, ["kid", "state", "wraps", "here", "created_at", "retired_at"])
    text += "\n\nThey sign access tokens:\n" + session.as_table(value["signing_keys"], ["kid", "state", "created_at", "accepted_until"])
    session.show(value, as_json, text)
