"""A backup of a workspace that is being used, and what of it comes back."""

from __future__ import annotations

import json
import random
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dapp_ext.errors import Conflict, DappError, Denied, Invalid, KeyWrong, NotSignedIn
from dapp_ext.schema.accounts import Actor, LoginRequest, Role
from dapp_ext.schema.datasets import DatasetRead, DatasetUpload, RowsRequest
from dapp_ext.services import BackupKey, Services, open_services, restore_backup, restore_keys, verify_backup
from dapp_ext.settings import Settings
from dapp_ext.store import backups as store

KEY = BackupKey("a passphrase for backups")
AddDataset = Callable[..., DatasetRead]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deriving a key takes a quarter of a second on purpose; here it need not."""
    for module in ("keys", "backups"):
        monkeypatch.setattr(f"dapp_ext.store.{module}.KDF", {"passes": 1, "memory": 64, "lanes": 1})


def other_home(services: Services, owner: Actor, tmp_path: Path) -> Settings:
    """An empty home with nothing but the keys of the first."""
    empty = Settings(home=tmp_path / "other", start_worker=False)
    restore_keys(empty, services.keys.export(owner, "a passphrase for the safe"), "a passphrase for the safe")
    return empty


def test_what_was_backed_up_comes_back(services: Services, owner: Actor, add_dataset: AddDataset, upload: Callable[..., DatasetRead], tmp_path: Path) -> None:
    dataset = add_dataset()
    waiting = upload(owner, b"a,b\n1,2\n3,4\n", "waiting.csv")
    worker = services.jobs.enlist()
    assert services.jobs.claim(worker) is not None  # a job runs while the backup is made
    pair = services.accounts.sign_in_owner(door="api", address="")
    cursor = services.events.head()
    rows = services.datasets.rows(owner, dataset.id, RowsRequest())
    made = services.backups.create(owner, tmp_path / "backup", KEY)
    assert (made.objects, made.damaged) == (4, [])
    checked = services.backups.verify(owner, tmp_path / "backup", KEY)
    assert checked.opened == 4
    empty = other_home(services, owner, tmp_path)
    done = restore_backup(empty, tmp_path / "backup", KEY)
    assert (done.objects, done.jobs_queued_again) == (4, 1)
    assert done.sessions_ended >= 1
    with open_services(empty) as restored:
        assert restored.instance_id == services.instance_id
        again = restored.system.shell_actor()
        assert restored.datasets.rows(again, dataset.id, RowsRequest()) == rows
        assert b"".join(restored.datasets.original(again, dataset.id).chunks) == b"".join(services.datasets.original(owner, dataset.id).chunks)
        assert restored.jobs.get(again, waiting.job_id or "").status == "queued"
        assert restored.events.page(again, cursor).reset
        with pytest.raises(NotSignedIn):
            restored.accounts.authenticate(pair.access_token)
        with pytest.raises(NotSignedIn):
            restored.accounts.refresh(pair.refresh_token, address="")
        verified = restored.audit.verify(again, seq=made.audit_rows, mac=head_of(tmp_path / "backup"))
        assert verified.ok
        assert [each.outcome for each in restored.audit.list(again, action="backup.restore").items] == ["allow"]
    modes = {path: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (empty.home, *empty.home.rglob("*")) if path.is_dir()}
    assert not any(modes.values()), "nobody else of the machine looks into it"


def head_of(path: Path) -> str:
    with store.open_archive(path, KEY) as archive:
        return str(archive.manifest["audit_head"]["mac"])


def test_predictions_after_a_restore_are_the_same(
    services: Services, owner: Actor, upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], tmp_path: Path
) -> None:
    from dapp_ext.schema.models import PredictRequest, TrainRequest

    chance = random.Random(7)
    lines = [f"{x},{chance.random():.4f},{'yes' if x > 50 else 'no'}" for x in (chance.randrange(100) for _ in range(150))]
    dataset = upload(owner, ("x,noise,answer\n" + "\n".join(lines)).encode(), "numbers.csv")
    run_jobs()
    model = services.models.train(owner, TrainRequest(dataset=dataset.id, target="answer", time_budget=5, families=["linear"]))
    run_jobs()
    assert services.models.results(owner, model.id).scores
    assert [each.subject_id for each in services.audit.list(owner, action="model.look").items] == [model.id]
    asked = PredictRequest(rows=[{"x": 10, "noise": 0.3}, {"x": 90, "noise": 0.1}])
    before = services.predictions.predict(owner, model.id, asked)
    services.backups.create(owner, tmp_path / "backup", KEY)
    empty = other_home(services, owner, tmp_path)
    restore_backup(empty, tmp_path / "backup", KEY)
    with open_services(empty) as restored:
        after = restored.predictions.predict(restored.system.shell_actor(), model.id, asked)
    assert after.model_dump(exclude={"id", "at"}) == before.model_dump(exclude={"id", "at"})


def test_a_backup_under_writing_is_of_one_moment(services: Services, owner: Actor, add_dataset: AddDataset, tmp_path: Path) -> None:
    first = add_dataset("first")
    ended, failed = threading.Event(), list[BaseException]()

    def use() -> None:
        """Uploads and deletes all the time."""
        try:
            number = 0
            while not ended.is_set():
                number += 1
                incoming = services.datasets.begin_upload(owner, DatasetUpload(filename=f"{number}.csv", name=f"busy {number}"))
                incoming.write(b"a,b\n" + b"1,2\n" * 5000)
                made = incoming.finish()
                if number % 2:
                    services.datasets.delete(owner, made.id)
        except BaseException as error:
            failed.append(error)

    busy = [threading.Thread(target=use, args=()) for _ in range(1)]
    for each in busy:
        each.start()
    paths = [tmp_path / f"backup {number}" for number in range(3)]
    for path in paths:
        assert services.backups.create(owner, path, KEY).damaged == []
    ended.set()
    for each in busy:
        each.join()
    assert not failed
    for path in paths:
        found = services.backups.verify(owner, path, KEY)
        assert found.opened == found.objects
    empty = other_home(services, owner, tmp_path)
    restore_backup(empty, paths[-1], KEY)
    with open_services(empty) as restored:
        again = restored.system.shell_actor()
        everything = restored.datasets.list(again, limit=500).items
        assert first.id in {each.id for each in everything}
        for each in everything:
            assert b"".join(restored.datasets.original(again, each.id).chunks)
        assert restored.audit.verify(again).ok


def test_a_changed_or_cut_backup_is_refused_everywhere(services: Services, owner: Actor, add_dataset: AddDataset, tmp_path: Path) -> None:
    add_dataset()
    path = tmp_path / "backup"
    services.backups.create(owner, path, KEY)
    empty = other_home(services, owner, tmp_path)
    whole = path.read_bytes()
    header = 12 + int.from_bytes(whole[8:12], "big")
    seed = random.randrange(2**32)
    print("seed", seed)  # noqa: T201
    chance = random.Random(seed)
    places = [*range(0, header + 56, 7), *(chance.randrange(header, len(whole)) for _ in range(60))]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(DappError):
            verify_backup(services.settings, path, KEY)
    for size in (0, 5, 12, header, header + 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(DappError):
            restore_backup(empty, path, KEY)
    path.write_bytes(whole + b"\0")
    with pytest.raises(DappError):
        restore_backup(empty, path, KEY)
    assert sorted(each.name for each in empty.home.iterdir()) == ["keys"]
    path.write_bytes(whole)
    restore_backup(empty, path, KEY)


@pytest.mark.only_sqlite
def test_who_and_where(services: Services, owner: Actor, person: Callable[[str, Role], Actor], settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    ann = person("ann", Role.analyst)
    for refused in (lambda: services.backups.create(ann, path, KEY), lambda: services.backups.verify(ann, path, KEY)):
        with pytest.raises(Denied):
            refused()
    with pytest.raises(Invalid, match="too short"):
        services.backups.create(owner, path, BackupKey("short"))
    services.backups.create(owner, path, KEY)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict, match="already"):
        services.backups.create(owner, path, KEY)
    with pytest.raises(Conflict, match="has a database"):
        restore_backup(settings, path, KEY)
    for wrong in (BackupKey("another passphrase"), BackupKey("k" * 40, is_passphrase=False)):
        with pytest.raises(KeyWrong):
            services.backups.verify(owner, path, wrong)
    without_keys = Settings(home=tmp_path / "bare", start_worker=False)
    with pytest.raises(KeyWrong, match="keys restore"):
        restore_backup(without_keys, path, KEY)
    assert not without_keys.home.exists()
    assert verify_backup(without_keys, path, KEY).opened is None
    assert {each.name for each in tmp_path.iterdir()} == {"home", "backup"}
    by_file = BackupKey("0123456789abcdefghijklmnopqrstuvwxyz", is_passphrase=False)
    services.backups.create(owner, tmp_path / "by file", by_file)
    assert services.backups.verify(owner, tmp_path / "by file", by_file).opened == 0
    with pytest.raises(Invalid, match="not a backup"):
        verify_backup(settings, settings.home / "dapp.sqlite", KEY)


def test_no_key_no_session_and_no_value_is_readable_in_a_backup(
    services: Services, owner: Actor, add_dataset: AddDataset, settings: Settings, person: Callable[[str, Role], Actor], tmp_path: Path
) -> None:
    add_dataset()
    person("ann", Role.analyst)
    path = tmp_path / "backup"
    services.backups.create(owner, path, KEY)
    root = next(settings.keys_folder.glob("root-*.key")).read_bytes().split()[1]
    sealed = path.read_bytes()
    with store.open_archive(path, KEY) as archive:
        inside = archive.read_database() + b"".join(b"".join(archive.pieces(each)) for each in archive.manifest["objects"])
        listed = json.dumps(archive.manifest).encode()
    for content in (sealed, inside, listed):
        for secret in (root, b"Quackenbush", b"Xanadu", b"a passphrase"):
            assert secret not in content
    assert b"ann@example.org" not in sealed
    with services.context.database.read():
        pass
    assert services.accounts.login(LoginRequest(email="ann@example.org", password="plain words of a test 7"))


def test_a_restore_that_was_killed_can_be_done_again(
    services: Services, owner: Actor, add_dataset: AddDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_dataset()
    path = tmp_path / "backup"
    services.backups.create(owner, path, KEY)
    empty = other_home(services, owner, tmp_path)
    real, moved = __import__("os").replace, list[object]()

    def once(source: Path, target: Path) -> None:
        moved.append(source)
        real(source, target)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("dapp_ext.services.backups.os.replace", once)
        patch.setattr("dapp_ext.services.backups.shutil.rmtree", lambda *_, **__: None)  # as SIGKILL would leave it
        with pytest.raises(KeyboardInterrupt):
            restore_backup(empty, path, KEY)
    assert moved
    with pytest.raises(DappError, match="missing or empty"):
        open_services(empty)
    (empty.home / "dapp.sqlite").unlink(missing_ok=True)
    restore_backup(empty, path, KEY)
    open_services(empty).close()


def test_an_object_that_was_damaged_before_is_named(services: Services, owner: Actor, add_dataset: AddDataset, settings: Settings, tmp_path: Path) -> None:
    add_dataset()
    victim = sorted(settings.objects_folder.rglob("*.profile"))[0]
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    made = services.backups.create(owner, tmp_path / "backup", KEY)
    assert made.damaged == [victim.relative_to(settings.objects_folder).as_posix()]
    assert services.backups.verify(owner, tmp_path / "backup", KEY).damaged == made.damaged


def test_a_damaged_database_inside_is_found(services: Services, owner: Actor, tmp_path: Path) -> None:
    writer = store.BackupWriter(tmp_path / "backup", KEY, {"instance_id": "i", "created_at": "2026-01-01T00:00:00+00:00", "dapp": "0"})
    (tmp_path / "db").write_bytes(b"SQLite format 3\0" + bytes(8000))
    writer.add_file("dapp.sqlite", tmp_path / "db")
    writer.finish({"database": writer.members["dapp.sqlite"], "objects": [], "damaged": []})
    with pytest.raises(DappError, match="damaged"):
        verify_backup(services.settings, tmp_path / "backup", KEY)


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", "objects/../../x", "other"])
def test_a_name_that_leads_elsewhere_is_refused(services: Services, tmp_path: Path, name: str) -> None:
    writer = store.BackupWriter(tmp_path / "backup", KEY, {})
    (tmp_path / "file").write_bytes(b"x")
    writer.add_file(name, tmp_path / "file")
    writer.finish({"database": {}, "objects": [writer.members[name]], "damaged": []})
    with pytest.raises(DappError, match="no backup has"):
        restore_backup(Settings(home=tmp_path / "other"), tmp_path / "backup", KEY)


def test_sqlites_own_checks_are_asked(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "db")
    connection.executescript("CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a INTEGER REFERENCES a); INSERT INTO b VALUES (7);")
    assert store.faults_of(connection) == ["a row of b names a row of a that does not exist"]
    connection.close()
