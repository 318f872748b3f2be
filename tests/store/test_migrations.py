"""A workspace of the first release keeps everything when its database is brought up to date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from dapp_ext.store import migrations
from dapp_ext.store.database import Database
from dapp_ext.store.migrations import _config

_ROWS = (
    "INSERT INTO accounts (id, email, name, role, disabled, is_owner, created_at) VALUES ('a', 'a@example.org', 'A', 'admin', 0, 1, '2026-01-01')",
    "INSERT INTO datasets (id, name, name_key, owner_id, visibility, status, version, created_at, updated_at)"
    " VALUES ('d', 'D', 'd', 'a', 'team', 'ready', 1, '2026-01-01', '2026-01-01')",
    "INSERT INTO dataset_versions (id, dataset_id, version, filename, size, source_model_id, created_at) VALUES ('v', 'd', 1, 'd.csv', 7, 'm', '2026-01-01')",
    "INSERT INTO objects (id, subject_id, version, purpose, plain_size, sealed_size, sha256, created_at) VALUES ('o', 'd', 1, 'table', 1, 2, '', '2026-01-01')",
    "INSERT INTO events (type, at, subject_kind, subject_id, audience, data) VALUES ('dataset.ready', '2026-01-01', 'dataset', 'd', 'team', '{}')",
)


def test_a_full_database_of_the_first_release_comes_through(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'dapp.sqlite'}")
    config = _config()
    with database.engine.execution_options(dapp_write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for row in _ROWS:
            connection.execute(text(row))
    migrations.upgrade(database)
    with database.engine.connect() as connection:
        found = connection.execute(
            text("SELECT d.name, v.size, v.origin, v.source_model_id FROM datasets d JOIN dataset_versions v ON v.dataset_id = d.id")
        ).one()
        assert tuple(found) == ("D", 7, "prediction", "m")
        assert connection.execute(text("SELECT count(*), max(quota) FROM accounts")).one() == (1, None)
        assert connection.execute(text("SELECT sealed_size FROM objects")).scalar() == 2
        assert connection.execute(text("SELECT count(*) FROM events")).scalar() == 1
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    database.close()


def test_the_names_of_the_files_are_the_steps_that_alembic_knows() -> None:
    steps = ScriptDirectory.from_config(_config())
    assert [each.revision for each in steps.walk_revisions()] == migrations.known_revisions()[::-1]
    assert steps.get_current_head() == migrations.head_revision()


def test_a_start_without_steps_to_take_loads_no_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'dapp.sqlite'}"
    database = Database(url)
    assert migrations.current_revision(database) is None
    migrations.upgrade(database)
    assert migrations.current_revision(database) == migrations.head_revision()
    database.close()
    code = f"import sys; from dapp_ext.store.database import Database; from dapp_ext.store import migrations; migrations.upgrade(Database({url!r}))"
    subprocess.run([sys.executable, "-c", f"{code}; assert 'alembic' not in sys.modules"], check=True)
