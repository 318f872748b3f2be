"""Secrets on their way into a command: from a prompt, standard input or a file; never from an argument.

Every process of a machine can read the arguments of every other one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from dapp_ext.errors import Invalid


def ask_secret(what: str, *, from_stdin: bool, from_file: Path | None, confirm: bool = False) -> str:
    """A secret from where the caller says.

    Parameters
    ----------
    what : str
        What it is called, such as ``passphrase``; the options are named after it.
    """
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if from_file is not None:
        try:
            return from_file.read_text("utf-8").splitlines()[0]
        except (OSError, IndexError, UnicodeDecodeError) as error:
            raise Invalid(f"The {what} file {from_file} cannot be read.") from error
    if not sys.stdin.isatty():
        raise Invalid(f"There is nobody to ask for a {what}. Use --{what}-stdin or --{what}-file.")
    return str(typer.prompt(what.capitalize(), hide_input=True, confirmation_prompt=confirm))
