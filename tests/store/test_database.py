"""The engine's settings, its migrations, and what its errors become."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

from dapp_ext.errors import Broken, Unavailable
from dapp_ext.store import migrations, tables
from dapp_ext.store.database import Database, wal_is_safe


@pytest.fixture
def database(tmp_path: Path) -> Database:
    found = Database(f"sqlite:///{tmp_path / 'a b%c' / 'dapp.sqlite'}")
    migrations.upgrade(found)
    return found


def test_the_file_is_the_owners_alone(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "a b%c" / "dapp.sqlite"
    assert path.stat().st_mode & 0o777 == 0o600


def test_safe_settings(database: Database) -> None:
    with database.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "foreign_keys", "secure_delete", "trusted_schema", "journal_mode")
        }
    assert found == {"synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "trusted_schema": 0, "journal_mode": "wal" if wal_is_safe() else "truncate"}


@pytest.mark.parametrize(
    ("version", "safe"),
    [((3, 40, 1), False), ((3, 44, 6), True), ((3, 50, 6), False), ((3, 50, 7), True), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 54, 0), True)],
)
def test_the_write_ahead_log_is_used_where_it_is_safe(version: tuple[int, ...], safe: bool) -> None:
    assert wal_is_safe(version) is safe


def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, SQLModel.metadata)
    assert differences == []
    assert tables.Job.__tablename__ == "jobs"


def test_a_home_of_the_first_release_keeps_what_it_holds(tmp_path: Path) -> None:
    found = Database(f"sqlite:///{tmp_path / 'dapp.sqlite'}")
    with found.engine.execution_options(dapp_write=True).begin() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        moment = "2026-01-01 00:00:00.000000"
        account = "('a', 'a@example.org', 'A', 'admin', NULL, 0, 1, :m, NULL)"
        connection.execute(text(f"INSERT INTO accounts VALUES {account}"), {"m": moment})
        columns = "id, name, name_key, version, owner_id, visibility, status, dataset_id, dataset_name, dataset_version, time_budget, stop_requested"
        values = "'m', 'M', 'm', 1, 'a', 'team', 'ready', 'd', 'D', 1, 60, 0"
        connection.execute(text(f"INSERT INTO models ({columns}, created_at, updated_at) VALUES ({values}, :m, :m)"), {"m": moment})
        connection.execute(text("INSERT INTO trials (model_id, number, at) VALUES ('m', 1, :m)"), {"m": moment})
    migrations.upgrade(found)
    with found.engine.connect() as connection:
        assert connection.execute(text("SELECT models.name, models.version, trials.number FROM models JOIN trials ON model_id = models.id")).all() == [
            ("M", 1, 1)
        ]


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    migrations.upgrade(database)
    assert migrations.current_revision(database) == migrations.head_revision()


def test_a_newer_database_is_refused(database: Database) -> None:
    with database.write() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Broken, match="newer release"):
        migrations.upgrade(database)


def test_a_failed_change_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(tables.Account(email="a@example.org", name="A", role="viewer"))
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM accounts")).scalar() == 0


def test_a_locked_database_is_one_sentence(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapp_ext.store.database.BUSY_SECONDS", 0.1)
    impatient = Database(database.url)
    with impatient.read() as session:
        session.connection()  # connected before the file is locked
    holder = sqlite3.connect(tmp_path / "a b%c" / "dapp.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(Unavailable, match="Try again"), impatient.write():
            pass
    finally:
        holder.close()
        impatient.close()


def test_a_damaged_database_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "dapp.sqlite"
    path.write_bytes(b"this is not a database, it is a text" * 100)
    with pytest.raises(Broken, match="backup"), Database(f"sqlite:///{path}").read() as session:
        session.connection()


@pytest.mark.only_sqlite
def test_a_table_that_is_gone_is_no_database_that_rests(database: Database) -> None:
    with pytest.raises(Broken, match="not as this release made it"), database.read() as session:
        session.connection().exec_driver_sql("SELECT * FROM tables_of_somebody_else")
