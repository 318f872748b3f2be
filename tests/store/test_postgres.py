"""PostgreSQL: the same schema, one line of events, news across machines, plain words when it is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

from dapp_ext.errors import Invalid, SettingInvalid, Unavailable
from dapp_ext.schema.base import Subject
from dapp_ext.schema.events import UserEvent
from dapp_ext.store import feed, migrations, queue
from dapp_ext.store.bell import Bells
from dapp_ext.store.copying import copy_rows
from dapp_ext.store.database import Database
from dapp_ext.store.tables import Account, EventRow, Job
from dapp_ext.store.wires import NotifyWire
from tests import servers

FIRST_RELEASE = (
    "INSERT INTO instance (id, instance_id, epoch, key_fingerprint, created_at) VALUES (1, 'i', 'e', repeat('f', 64), '2026-01-01')",
    "INSERT INTO accounts (id, email, name, role, disabled, is_owner, created_at) VALUES ('a', 'a@example.org', 'A', 'admin', false, true, '2026-01-01')",
    "INSERT INTO datasets (id, name, name_key, owner_id, visibility, status, version, created_at, updated_at)"
    " VALUES ('d', 'D', 'd', 'a', 'team', 'ready', 1, '2026-01-01', '2026-01-01')",
    "INSERT INTO dataset_versions (id, dataset_id, version, filename, size, source_model_id, created_at) VALUES ('v', 'd', 1, 'd.csv', 7, 'm', '2026-01-01')",
    "INSERT INTO models (id, name, name_key, version, owner_id, visibility, status, dataset_id, dataset_name, dataset_version, time_budget, stop_requested,"
    " created_at, updated_at) VALUES ('m', 'M', 'm', 1, 'a', 'team', 'ready', 'd', 'D', 1, 60, false, '2026-01-01', '2026-01-01')",
)


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    found = Database(postgres_url)
    yield found
    found.close()


def event(name: str) -> feed.NewEvent:
    return feed.NewEvent("user.signed_in", Subject(kind="account", id="a"), UserEvent(name=name))


def add_account(database: Database) -> None:
    with database.write() as session:
        session.add(Account(id="a", email="a@example.org", name="A", role="admin"))


def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), SQLModel.metadata) == []


def test_a_database_of_the_first_release_keeps_what_it_holds(postgres: servers.Postgres) -> None:
    name = postgres.new_database()
    found = Database(postgres.address(name))
    with found.engine.begin() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for row in FIRST_RELEASE:
            connection.execute(text(row))
    migrations.upgrade(found)
    with found.engine.connect() as connection:
        joined = "SELECT d.name, v.size, v.origin FROM datasets d JOIN dataset_versions v ON v.dataset_id = d.id"
        assert tuple(connection.execute(text(joined)).one()) == ("D", 7, "prediction")
        assert connection.execute(text("SELECT champion, test_looks FROM models")).one() == (False, 0)
        assert connection.execute(text("SELECT kid FROM root_keys")).scalar() == "f" * 16
    found.close()
    postgres.drop(name)


def test_many_processes_bring_the_schema_up_to_date_at_once(postgres: servers.Postgres) -> None:
    name = postgres.new_database()
    found: list[str | None] = []

    def start() -> None:
        own = Database(postgres.address(name))
        migrations.upgrade(own)
        found.append(migrations.current_revision(own))
        own.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    postgres.drop(name)
    assert found == [migrations.head_revision()] * 4


def test_a_reader_misses_no_event_of_writers_who_overtake_each_other(database: Database) -> None:
    stopping = threading.Event()
    seen: list[int] = []

    def write(writer: int) -> None:
        for number in range(25):
            with database.write() as session:
                feed.append(session, [event(f"{writer}/{number}")])
                time.sleep(0.001 * (writer % 3))

    def read() -> None:
        while not stopping.is_set() or len(seen) < 150:
            with database.read() as session:
                seen.extend(row.id or 0 for row in feed.after(session, seen[-1] if seen else 0))
            if stopping.is_set() and len(seen) < 150:
                with database.read() as session:
                    assert feed.head(session) > (seen[-1] if seen else 0), "events were committed behind what was read"

    reader = threading.Thread(target=read)
    reader.start()
    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    stopping.set()
    reader.join(20)
    with database.read() as session:
        everything = [row.id for row in feed.after(session, 0)]
    assert seen == everything
    assert len(seen) == 150


def test_one_job_is_claimed_once(database: Database) -> None:
    add_account(database)
    with database.write() as session:
        for number in range(40):
            session.add(Job(kind="ingest", subject_kind="dataset", subject_id=str(number), subject_name="d", owner_id="a"))
    claimed: list[str] = []

    def work(worker: str) -> None:
        while True:
            with database.write() as session:
                job = queue.claim(session, worker, ["ingest"])
            if job is None:
                return
            claimed.append(job.id)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 40


def test_news_reaches_another_machine_with_the_commit(database: Database, tmp_path: Path) -> None:
    # Two homes have two folders of bells, as two machines have.
    here, there = Bells(tmp_path / "here", NotifyWire(database)), Bells(tmp_path / "there", NotifyWire(database))
    bell, own = there.listen(), here.listen()
    assert bell.wait(5)  # the wire is open: what was told before it was, is looked for once
    assert own.wait(5)
    with database.write() as session:
        here.announce(session)
        assert not bell.wait(0.05)
    began = time.monotonic()
    assert bell.wait(5)
    assert time.monotonic() - began < 2
    assert not own.wait(0.1)  # it heard the datagram of its own machine, if there was one
    for each in (bell, own):
        each.close()
    for bells in (here, there):
        bells.close()


def test_a_lost_connection_is_made_again(database: Database, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapp_ext.store.wires.AGAIN_SECONDS", 0.1)
    bells = Bells(tmp_path, NotifyWire(database))
    bell = bells.listen()
    assert bell.wait(5)
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    assert bell.wait(5)  # it listens again, and looks for what it missed
    with database.read() as session:
        assert session.connection().execute(text("SELECT 1")).scalar() == 1  # the pool has noticed too
    with database.write() as session:
        Bells(tmp_path / "other", NotifyWire(database)).announce(session)
    assert bell.wait(5)
    bell.close()
    bells.close()


def test_what_cannot_be_kept_is_one_sentence(database: Database) -> None:
    with pytest.raises(Invalid, match="cannot be kept"), database.write() as session:
        session.add(Account(email="a\0b@example.org", name="A", role="viewer"))
        session.flush()


def test_a_database_that_takes_no_changes_is_one_sentence(database: Database) -> None:
    with pytest.raises(Unavailable, match="cannot be written"), database.write() as session:
        session.connection().execute(text("SET TRANSACTION READ ONLY"))
        session.add(Account(email="a@example.org", name="A", role="viewer"))
        session.flush()


def test_a_writer_that_waits_too_long_is_one_sentence(postgres_url: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapp_ext.store.database.BUSY_SECONDS", 0.1)
    impatient = Database(postgres_url)
    with database.write(), pytest.raises(Unavailable, match="Try again"), impatient.write():
        pass
    impatient.close()


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("postgresql://127.0.0.1:1/none", Unavailable, "does not answer"),
        ("postgresql://a:b:c", SettingInvalid, "DATABASE_URL"),
        ("mysql+pymysql://host/name", SettingInvalid, "DATABASE_URL"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_sentence(url: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says), Database(url).read() as session:
        session.connection()


def test_a_name_that_is_not_there_is_one_sentence(postgres: servers.Postgres) -> None:
    missing = Database(postgres.address("dapp_test_nothing"))
    with pytest.raises(Unavailable, match="DATABASE_URL"):
        migrations.current_revision(missing)
    missing.close()


def test_rows_move_from_a_laptop_to_a_server_and_back(database: Database, migrated: Path, tmp_path: Path) -> None:
    laptop = Database(f"sqlite:///{migrated.parent / f'{tmp_path.name}.sqlite'}")
    migrations.upgrade(laptop)
    add_account(laptop)
    with laptop.write() as session:
        feed.append(session, [event("Ä\u2028"), event("two")])
        session.add(Job(kind="train", subject_kind="model", subject_id="m", subject_name="M", owner_id="a", sealed=bytes(range(256)), progress=0.125))
    copied = copy_rows(laptop, database)
    with database.write() as session:
        feed.append(session, [event("three")])  # numbers go on behind those that were copied
        assert [row.id for row in feed.after(session, 0)] == [1, 2, 3]
    back = Database(f"sqlite:///{tmp_path / 'back.sqlite'}")
    migrations.upgrade(back)
    assert copy_rows(database, back) == copied + 1 == 5
    with laptop.read() as before, back.read() as after:
        assert before.get(Job, before.connection().execute(text("SELECT id FROM jobs")).scalar()) == after.get(
            Job, after.connection().execute(text("SELECT id FROM jobs")).scalar()
        )
        assert before.get(EventRow, 1) == after.get(EventRow, 1)
    for each in (laptop, back):
        each.close()
