"""``jupyter dapp status`` and ``jupyter dapp doctor``."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from dapp_ext import __version__
from dapp_ext.cli import session
from dapp_ext.cli.notices import as_sentence
from dapp_ext.errors import DappError
from dapp_ext.settings import Settings, describe_settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FREE_FLOOR = 2**30
_LIBRARIES = ("jupyterlab", "jupyter-server", "panel", "bokeh", "pyarrow", "scikit-learn", "lightgbm", "skops", "cryptography", "sqlalchemy")


def status(as_json: Json = False) -> None:
    """Show addresses, workers and the queue."""
    with session.services() as services:
        found = services.system.status(services.system.shell_actor())
    value = found.model_dump(mode="json")
    lines = [
        f"DAPP {found.version}",
        f"home        {found.home}",
        f"JupyterLab  {found.jupyterlab or 'not running'}",
        f"dashboard   {found.dashboard or 'not running'}",
        f"service     {found.api or 'not running'}",
        f"workers     {len(found.workers)}",
        f"jobs        {found.running} running, {found.queued} waiting",
        f"maintenance {as_sentence(found.maintenance)}",
        f"isolation   {found.isolation}",
    ]
    session.show(value, as_json, "\n".join(lines))


def doctor(
    as_json: Json = False,
    show_settings: Annotated[bool, typer.Option("--settings", help="List every setting instead.")] = False,
) -> None:
    """Check this installation and say what to mend."""
    if show_settings:
        rows = describe_settings()
        session.show(rows, as_json, session.as_table(rows, ["variable", "default", "unit", "help"]))
        return
    given = session.settings()
    checks = [_python(), _sqlite(), _home(given), _keys(given), _room(given), _labextension(), _opens(given)]
    bad = [check for check in checks if check["state"] == "bad"]
    value = {"checks": checks, "libraries": {name: metadata.version(name) for name in _LIBRARIES}, "version": __version__}
    lines = [f"{check['state']:<5} {check['name']:<14} {check['says']}" for check in checks]
    session.show(value, as_json, "\n".join(lines))
    if bad:
        raise typer.Exit(1)


def _check(name: str, good: bool, says: str, *, grave: bool = True) -> dict[str, str]:
    return {"name": name, "state": "ok" if good else "bad" if grave else "note", "says": says}


def _python() -> dict[str, str]:
    return _check("python", (3, 11) <= sys.version_info[:2] <= (3, 13), f"{sys.version.split()[0]} (3.11 to 3.13 are supported)")


def _sqlite() -> dict[str, str]:
    from dapp_ext.store.database import wal_is_safe

    journal = "write-ahead log" if wal_is_safe() else "rollback journal, since its write-ahead log is safe from 3.51.3 only"
    return _check("sqlite", True, f"{sqlite3.sqlite_version}, {journal}")


def _home(given: Settings) -> dict[str, str]:
    if not given.home.exists():
        return _check("home", True, f"{given.home} will be made at the first start")
    mode = stat.S_IMODE(given.home.stat().st_mode)
    writable = os.access(given.home, os.W_OK)
    good = writable and not mode & 0o077
    return _check("home", good, f"{given.home}, mode {mode:04o}" + ("" if good else "; it should be yours alone: chmod 700"), grave=not writable)


def _keys(given: Settings) -> dict[str, str]:
    if given.encryption_key and given.secret_key:
        return _check("keys", True, "from the settings")
    loose = [path.name for path in given.keys_folder.glob("*") if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    return _check("keys", not loose, f"{loose[0]} can be read by others: chmod 600" if loose else "in the home folder, readable by you alone")


def _room(given: Settings) -> dict[str, str]:
    folder: Path = given.home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return _check("room", free > FREE_FLOOR, f"{free / 2**30:.1f} GiB free")


def _labextension() -> dict[str, str]:
    from jupyter_core.paths import jupyter_path

    found = any((Path(folder) / "jupyter-dapp" / "package.json").is_file() for folder in jupyter_path("labextensions"))
    return _check("labextension", found, "installed" if found else "not installed; install the package again")


def _opens(given: Settings) -> dict[str, str]:
    try:
        with session.services(given) as services:
            ready = services.system.ready()
    except DappError as error:
        return _check("opens", False, error.message)
    return _check("opens", ready, "the database and the keys belong together")
