"""The look at an installation: a healthy home is found healthy, each planted fault is found and has a way out."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dapp_ext.schema.accounts import AccountCreate, AccountUpdate, Actor, Role
from dapp_ext.schema.base import now
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.signins import InvitationCreate, LinkAccept
from dapp_ext.services import BackupKey, Services, doctor, open_services
from dapp_ext.services.known_tokens import Entry
from dapp_ext.settings import Settings
from dapp_ext.store import examining
from tests.conftest import PASSWORD


@pytest.fixture
def home(settings: Settings, services: Services, add_dataset: Callable[..., DatasetRead]) -> Settings:
    """A home with something in it, at rest."""
    add_dataset()
    services.jobs.leave(services.jobs.enlist())
    with services.context.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM workers")
    services.close()
    return settings


def found(settings: Settings) -> dict[str, tuple[str, str, str]]:
    """State, sentence and way out of everything that is not well."""
    return {each.name: (each.state, each.says, each.mend) for each in doctor.examine(settings).checks if each.state != "ok" and each.name != "port"}


def test_a_healthy_home_is_found_healthy(home: Settings) -> None:
    before = {path: path.stat().st_mtime_ns for path in home.home.rglob("*") if path.is_file()}
    assert doctor.examine(home).healthy
    assert set(found(home)) == {"backup"}
    assert {path: path.stat().st_mtime_ns for path in home.home.rglob("*") if path.is_file()} == before


def test_looking_makes_nothing(tmp_path: Path) -> None:
    assert doctor.examine(Settings(home=tmp_path / "nowhere")).healthy
    assert list(tmp_path.iterdir()) == []


def test_a_backup_is_remembered(home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_services(home) as services:
        services.backups.create(services.system.shell_actor(), tmp_path / "backup", BackupKey("k" * 40, is_passphrase=False))
    assert found(home) == {}
    monkeypatch.setattr(doctor, "now", lambda: now() + timedelta(days=9))
    assert found(home)["backup"][1] == "9 days ago"


def by_hand(settings: Settings, statement: str) -> None:
    database = sqlite3.connect(settings.home / "dapp.sqlite")
    database.execute("PRAGMA foreign_keys=OFF")
    database.execute(statement)
    database.commit()
    database.close()


def loose_home(settings: Settings) -> None:
    settings.home.chmod(0o755)


def loose_key(settings: Settings) -> None:
    next(settings.keys_folder.glob("root-*.key")).chmod(0o644)


def loose_database(settings: Settings) -> None:
    (settings.home / "dapp.sqlite").chmod(0o644)


def lost_keys(settings: Settings) -> None:
    settings.keys_folder.rename(settings.home / "elsewhere")


def lost_object(settings: Settings) -> None:
    next(settings.objects_folder.rglob("*.table")).unlink()


def orphan(settings: Settings) -> None:
    known = next(settings.objects_folder.rglob("*.table"))
    stray = known.with_name("00000000-0000-7000-8000-000000000000.1.table")
    stray.write_bytes(b"x")
    os.utime(stray, (time.time() - 7200,) * 2)


def broken_database(settings: Settings) -> None:
    path = settings.home / "dapp.sqlite"
    path.write_bytes(path.read_bytes()[:20000] + os.urandom(8192) + path.read_bytes()[28192:])


def broken_reference(settings: Settings) -> None:
    by_hand(settings, "UPDATE datasets SET owner_id = 'nobody'")


def edited_audit(settings: Settings) -> None:
    by_hand(settings, "UPDATE audit SET actor_name = 'Somebody else' WHERE id = 1")


def promoted_by_hand(settings: Settings) -> None:
    by_hand(
        settings, "INSERT INTO accounts (id, email, name, role, disabled, is_owner, created_at) VALUES ('x', 'x@example.org', 'x', 'admin', 0, 0, '2026-01-01')"
    )


def no_worker(settings: Settings) -> None:
    by_hand(settings, "UPDATE jobs SET status = 'queued'")


def late_clock(settings: Settings) -> None:
    by_hand(settings, "UPDATE events SET at = '2099-01-01 00:00:00.000000'")


def cut_object(settings: Settings) -> None:
    path = next(settings.objects_folder.rglob("*.table"))
    os.truncate(path, path.stat().st_size - 7)


def emptied_database(settings: Settings) -> None:
    lost_database(settings)
    (settings.home / "dapp.sqlite").touch(0o600)


def lost_database(settings: Settings) -> None:
    for path in settings.home.glob("dapp.sqlite*"):
        path.unlink()


def newer_release(settings: Settings) -> None:
    by_hand(settings, "UPDATE alembic_version SET version_num = '9999'")


def dropped_table(settings: Settings) -> None:
    by_hand(settings, "DROP TABLE shares")


def dropped_column(settings: Settings) -> None:
    by_hand(settings, "ALTER TABLE shares DROP COLUMN opened")


PLANTED = [
    (dropped_table, "schema", "bad"),
    (dropped_column, "schema", "bad"),
    (cut_object, "lengths", "bad"),
    (emptied_database, "database", "bad"),
    (lost_database, "database", "bad"),
    (newer_release, "schema", "bad"),
    (loose_home, "permissions", "bad"),
    (loose_key, "permissions", "bad"),
    (loose_database, "permissions", "bad"),
    (lost_keys, "keys", "bad"),
    (lost_object, "objects", "bad"),
    (orphan, "orphans", "note"),
    (broken_database, "database", "bad"),
    (broken_reference, "database", "bad"),
    (edited_audit, "audit", "bad"),
    (promoted_by_hand, "accounts", "bad"),
    (no_worker, "workers", "bad"),
    (late_clock, "clock", "bad"),
]


@pytest.mark.only_sqlite
@pytest.mark.parametrize(("plant", "name", "state"), PLANTED, ids=lambda each: getattr(each, "__name__", each))
def test_a_planted_fault_is_found(home: Settings, plant: Callable[[Settings], None], name: str, state: str) -> None:
    plant(home)
    examination = doctor.examine(home)
    assert examination.healthy == (state == "note")
    check = next(each for each in examination.checks if each.name == name and each.state != "ok")
    assert check.state == state
    assert check.why
    assert check.mend or "not here" in check.says


@pytest.mark.parametrize(
    ("given", "name", "state"),
    [
        ({"host": "0.0.0.0"}, "listening", "bad"),
        ({"public_url": "https://dapp.example.org"}, "addresses", "note"),
        ({"dashboard_url": "https://dapp.example.org"}, "addresses", "note"),
        ({"allow_origin": "https://*.example.org"}, "origins", "bad"),
        ({"encryption_key": "4ePw0nWb8xq1ZtGm6vRk3yHs9uJd2cLa5fQi7oTe"}, "key source", "note"),
    ],
)
def test_settings_that_are_not_safe_are_found(tmp_path: Path, given: dict[str, str], name: str, state: str) -> None:
    assert found(replace(Settings(home=tmp_path / "home"), **given))[name][0] == state  # type: ignore[arg-type]


@pytest.mark.only_sqlite
def test_other_places_and_versions(home: Settings, monkeypatch: pytest.MonkeyPatch, services: Services) -> None:
    class Mount:
        mountpoint, fstype = "/", "nfs4"

    monkeypatch.setattr(doctor.psutil, "disk_partitions", lambda **_: [Mount])
    monkeypatch.setattr(doctor, "FREE_FLOOR", 2**60)
    monkeypatch.setattr(doctor, "_requirements", lambda: [("tornado", ">=99")])
    bad = {name for name, (state, _, _) in found(home).items() if state == "bad"}
    assert bad == {"file system", "room", "libraries"}


def test_an_interrupted_rotation_is_told(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_services(home) as services:
        owner: Actor = services.system.shell_actor()
        with monkeypatch.context() as patch:
            patch.setattr("dapp_ext.services.keys.instance.rewrap", lambda *_: 0)
            services.keys.rotate(owner)
        count = sum(key.wraps for key in services.keys.status(owner).keys)
    assert count >= 2
    assert found(home)["rotation"] == ("note", f"{count} data keys wait", "jupyter dapp keys rotate")


@pytest.mark.only_sqlite
def test_accounts_are_as_the_log_tells_however_they_came_to_be(settings: Settings, services: Services, owner: Actor) -> None:
    accounts, database = services.accounts, services.context.database

    def strangers() -> list[str]:
        with database.read() as session:
            return examining.accounts_beside_the_log(session)

    made = accounts.create(owner, AccountCreate(email="ada@example.org", role=Role.viewer, password=PASSWORD))
    accounts.update(owner, made.id, AccountUpdate(role=Role.analyst, disabled=True))
    accounts.update(owner, made.id, AccountUpdate(disabled=False))
    accounts.update(owner, made.id, AccountUpdate(role=None, disabled=None, name="Ada"))
    link = services.invitations.create(owner, InvitationCreate(email="alan@example.org", role=Role.admin))
    services.invitations.accept(LinkAccept(token=link.token, password=PASSWORD, name="Alan"), Entry())
    link = services.invitations.reset(owner, made.id)
    services.invitations.accept(LinkAccept(token=link.token, password="another plain sentence 8", name=""), Entry())
    assert strangers() == []
    for wrong, right in (("role = 'admin'", "role = 'analyst'"), ("disabled = 1", "disabled = 0"), ("is_owner = 1", "is_owner = 0")):
        by_hand(settings, f"UPDATE accounts SET {wrong} WHERE email = 'ada@example.org'")
        assert strangers() == ["ada@example.org"], wrong
        by_hand(settings, f"UPDATE accounts SET {right} WHERE email = 'ada@example.org'")
    assert strangers() == []


def test_a_home_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(0o600)
    assert found(Settings(home=tmp_path / "file"))["home"][:2] == ("bad", f"{tmp_path / 'file'} is not a folder")
    state, says, mend = found(Settings(home=tmp_path / "file" / "below"))["home"]
    assert (state, mend) == ("bad", "export DAPP_HOME=/a/folder/of/yours")
    assert "cannot be made" in says


def test_what_does_not_answer_is_named_without_its_password(home: Settings) -> None:
    gone = found(replace(home, database_url="postgresql://dapp:secret4711@127.0.0.1:9/x"))["database"]
    assert gone[0] == "bad"
    assert gone[1].startswith("127.0.0.1, port 9, does not answer")
    assert "secret4711" not in str(gone)
    assert found(replace(home, dask_address="tcp://127.0.0.1:9"))["cluster"][0] == "note"


def test_another_release_of_the_sidebar_is_told(home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = tmp_path / "labextensions" / "jupyter-dapp"
    built.mkdir(parents=True)
    (built / "package.json").write_text('{"version": "0.0.1"}')
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *_: [str(built.parent)])
    assert found(home)["labextension version"][:2] == ("note", f"of version 0.0.1, while this is {doctor.__version__}")
