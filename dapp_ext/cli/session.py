"""Settings and services of one call of the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dapp_ext.settings import Settings, read_settings

if TYPE_CHECKING:
    from dapp_ext.services import Services

_given: dict[str, Any] = {}


def choose_home(home: Path | None) -> None:
    """Remember what was given before the command's name."""
    _given.clear()
    if home is not None:
        _given["home"] = home


def settings(**more: Any) -> Settings:
    """The settings of this call."""
    return read_settings({**_given, **more})


def services(given: Settings | None = None) -> Services:
    """The door. Imported here, so that ``--help`` does not load the database and the data libraries."""
    from dapp_ext.services import open_services

    return open_services(given or settings())


def show(value: Any, as_json: bool, text: str) -> None:
    """Print for programs or for people."""
    typer.echo(json.dumps(value, indent=2, default=str) if as_json else text)


def as_table(rows: list[dict[str, Any]], columns: list[str]) -> str:
    """Rows in aligned columns."""
    lines = [columns, *([str(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
