"""Alembic's entry: runs the steps on the connection it is given (see ``upgrade`` in the package)."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from dapp_ext.store import tables as _tables  # noqa: F401  registers the tables that autogenerate compares with

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    transactional_ddl=False,  # the caller's transaction holds everything
)
context.run_migrations()
