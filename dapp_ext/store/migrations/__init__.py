"""Bringing a database to the present schema, in recorded steps (Alembic), once however many processes start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from dapp_ext.errors import Broken
from dapp_ext.store.database import MIGRATION_LOCK, Database, translated

if TYPE_CHECKING:
    from alembic.config import Config

VERSIONS = Path(__file__).parent / "versions"


def known_revisions() -> list[str]:
    """The steps of this release, oldest first; the name of each file begins with ``v`` and its number.

    Alembic itself is loaded only where there is something to do: it takes half a second of every start.
    """
    return sorted(each.name[1:].partition("_")[0] for each in VERSIONS.glob("v*_*.py"))


def head_revision() -> str:
    """The newest step that this release knows."""
    return known_revisions()[-1]


def current_revision(database: Database) -> str | None:
    """The step that the database is at; ``None`` for an empty one."""
    with translated(), database.engine.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def upgrade(database: Database) -> None:
    """Run the missing steps in one transaction, while no other process can.

    Raises
    ------
    Broken
        If a newer release has already changed the database.
    """
    if current_revision(database) == head_revision():
        return
    from alembic import command

    with translated(), database.engine.execution_options(dapp_write=True).begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL lock_timeout = 0"))  # whoever was first may take its time
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        _refuse_newer(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _refuse_newer(connection: Connection) -> None:
    current = _revision(connection)
    if current is not None and current not in known_revisions():
        raise Broken("This database was written by a newer release of DAPP. Install that release, or restore a backup.")


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
