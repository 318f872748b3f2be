"""``jupyter dapp backup``: everything in one sealed file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapp_ext.cli import session
from dapp_ext.cli.asking import ask_secret
from dapp_ext.schema.backups import BackupRead
from dapp_ext.settings import read_secret

if TYPE_CHECKING:
    from dapp_ext.services import BackupKey

app = typer.Typer(help="Backup and restore.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
File = Annotated[Path, typer.Argument(help="The backup.")]
FromStdin = Annotated[bool, typer.Option("--passphrase-stdin", help="Read the passphrase from standard input.")]
FromFile = Annotated[Path | None, typer.Option("--passphrase-file", help="Read the passphrase from a file.")]
KeyFile = Annotated[Path | None, typer.Option("--key-file", help="A file with a secret of at least 32 characters, instead of a passphrase.")]


@app.command("create")
def create(file: File, passphrase_stdin: FromStdin = False, passphrase_file: FromFile = None, key_file: KeyFile = None, as_json: Json = False) -> None:
    """Write a backup of this moment, while everything runs. The root keys are not in it: see keys export."""
    key = _key(passphrase_stdin, passphrase_file, key_file, confirm=True)
    with session.services() as services:
        found = services.backups.create(services.system.shell_actor(), file.absolute(), key)
    _show(found, as_json, f"The backup is in {file}: {found.objects} objects, {found.size / 2**20:,.1f} MiB.")


@app.command("verify")
def verify(file: File, passphrase_stdin: FromStdin = False, passphrase_file: FromFile = None, key_file: KeyFile = None, as_json: Json = False) -> None:
    """Read everything in a backup and check it, without putting anything on the disk in clear."""
    from dapp_ext.services import verify_backup

    key = _key(passphrase_stdin, passphrase_file, key_file)
    settings = session.settings()
    if not settings.uses_sqlite or settings.database_file.exists():
        with session.services(settings) as services:
            found = services.backups.verify(services.system.shell_actor(), file, key)
    else:
        found = verify_backup(settings, file, key)
    depth = "every one was opened with its key" if found.opened is not None else "the root keys are not here, so only their digests were compared"
    _show(found, as_json, f"The backup is whole: {found.objects} objects, {depth}.")


@app.command("restore")
def restore(file: File, passphrase_stdin: FromStdin = False, passphrase_file: FromFile = None, key_file: KeyFile = None, as_json: Json = False) -> None:
    """Put a backup into an empty home; put the keys there first, with keys restore."""
    from dapp_ext.services import restore_backup

    key = _key(passphrase_stdin, passphrase_file, key_file)
    found = restore_backup(session.settings(), file, key)
    text = (
        f"Restored into {found.home}: {found.objects} objects as of {found.backup_of:%Y-%m-%d %H:%M} UTC. "
        f"{found.sessions_ended} sign-ins were ended, {found.jobs_queued_again} jobs wait again. Start with: jupyter dapp start"
    )
    session.show(found.model_dump(mode="json"), as_json, text)


def _key(from_stdin: bool, from_file: Path | None, key_file: Path | None, *, confirm: bool = False) -> BackupKey:
    from dapp_ext.services import BackupKey

    if key_file is not None:
        return BackupKey(read_secret("--key-file", f"file:{key_file}"), is_passphrase=False)
    return BackupKey(ask_secret("passphrase", from_stdin=from_stdin, from_file=from_file, confirm=confirm))


def _show(found: BackupRead, as_json: bool, text: str) -> None:
    damaged = "".join(f"\nDamaged before the backup was made: {name}. Restore it from an older backup." for name in found.damaged)
    session.show(found.model_dump(mode="json"), as_json, text + damaged)
    if found.damaged:
        raise typer.Exit(1)
