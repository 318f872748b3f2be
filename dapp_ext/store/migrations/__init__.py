"""Bringing a database to the present schema, in recorded steps (Alembic), once however many processes start."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from dapp_ext.errors import Broken
from dapp_ext.store.database import MIGRATION_LOCK, Database, translated


def head_revision() -> str:
    """The newest step that this release knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    return str(revision)


def current_revision(database: Database) -> str | None:
    """The step that the database is at; ``None`` for an empty one."""
    with translated(), database.engine.connect() as connection:
        revision: str | None = MigrationContext.configure(connection).get_current_revision()
    return revision


def upgrade(database: Database) -> None:
    """Run the missing steps in one transaction, while no other process can.

    Raises
    ------
    Broken
        If a newer release has already changed the database.
    """
    if current_revision(database) == head_revision():
        return
    with translated(), database.engine.execution_options(dapp_write=True).begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL lock_timeout = 0"))  # whoever was first may take its time
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        _refuse_newer(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _refuse_newer(connection: Connection) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is not None and current not in known:
        raise Broken("This database was written by a newer release of DAPP. Install that release, or restore a backup.")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
