"""The command ``jupyter dapp``: its options, its exit codes, and which file answers which noun."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dapp_ext import __version__
from dapp_ext.cli import audit, backup, demo, keys, link, links, notices, operating, quota, serving, state, tokens, trash, users
from dapp_ext.cli.session import choose_home
from dapp_ext.errors import Broken, Conflict, DappError, Denied, Invalid, JobFailed, NotFound, NotSignedIn, Throttled, Unavailable

# The first class that an error belongs to decides; 2 is what the shell means by a wrong call.
EXIT_CODES: tuple[tuple[type[DappError], int], ...] = (
    (Invalid, 2),
    (NotSignedIn, 3),
    (Denied, 3),
    (NotFound, 4),
    (Conflict, 5),
    (JobFailed, 6),
    (Throttled, 7),
    (Unavailable, 7),
    (Broken, 70),
    (DappError, 1),
)

app = typer.Typer(
    name="jupyter dapp", help="DAPP, the Data Analysis and Prediction Platform.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
app.command("start")(serving.start)
app.command("serve")(serving.serve)
app.command("dashboard")(serving.dashboard)
app.command("worker")(serving.worker)
app.command("status")(state.status)
app.command("doctor")(state.doctor)
app.command("signin-link")(link.signin_link)
app.command("demo")(demo.demo)
app.command("quota")(quota.quota)
app.command("announce")(notices.announce)
app.add_typer(notices.maintenance, name="maintenance")
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.add_typer(operating.db, name="db")
app.add_typer(operating.queue, name="queue")
app.add_typer(backup.app, name="backup")
app.add_typer(tokens.app, name="tokens")
app.add_typer(links.app, name="links")
app.add_typer(trash.app, name="trash")


def exit_code(error: DappError) -> int:
    """What the shell learns of an error."""
    return next(code for kind, code in EXIT_CODES if isinstance(error, kind))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    home: Annotated[Path | None, typer.Option(help="Home folder, instead of DAPP_HOME.")] = None,
    _version: Annotated[bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_print_version)] = False,
) -> None:
    """DAPP, the Data Analysis and Prediction Platform."""
    choose_home(home)


def main() -> int:
    """Run the command; errors become one sentence and an exit code."""
    try:
        # The parser gives back what a command left with, instead of raising it.
        left: object = app(standalone_mode=False)
    except DappError as error:
        typer.echo(f"Error: {error.message}", err=True)
        return exit_code(error)
    except typer.Exit as leaving:
        return leaving.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:
        if hasattr(error, "show"):  # a wrong call, in the words of the parser
            error.show()
            return int(getattr(error, "exit_code", 2))
        raise
    return left if isinstance(left, int) else 0


if __name__ == "__main__":
    sys.exit(main())
