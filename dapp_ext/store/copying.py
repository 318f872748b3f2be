"""All rows of one database into another, whatever each of them is: backups of PostgreSQL, and moving between the two."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, text
from sqlmodel import SQLModel

from dapp_ext.store import tables as _tables  # noqa: F401  registers the tables
from dapp_ext.store.database import WRITER_LOCK, Database, translated

PIECE = 1000


def copy_rows(source: Database, target: Database) -> int:
    """Copy every row as it is at one moment, in one transaction; returns how many there were.

    Both must be at the newest migration, and the target empty.
    """
    copied = 0
    with source.snapshot() as session, translated(), target.engine.execution_options(dapp_write=True).begin() as there:
        if not target.is_sqlite:
            there.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
        here = session.connection()
        for table in SQLModel.metadata.sorted_tables:
            rows = here.execution_options(yield_per=PIECE).execute(select(table))
            for piece in rows.mappings().partitions(PIECE):
                there.execute(table.insert(), [dict(row) for row in piece])
                copied += len(piece)
        if not target.is_sqlite:
            _go_on_counting(there)
    return copied


def _go_on_counting(connection: Connection) -> None:
    """Let the sequences go on behind the highest number that was copied."""
    for table in SQLModel.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and column.autoincrement is True:
            highest = connection.execute(select(func.max(column))).scalar()
            if highest:
                place = {"table": table.name, "column": column.name, "highest": highest}
                connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest)"), place)
