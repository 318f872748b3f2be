"""Rotating the root while the workspace is used, being killed in the middle of it, retiring, exporting."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dapp_ext.errors import Conflict, DappError, Denied, Invalid, KeyWrong, NotFound
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead, RowsRequest
from dapp_ext.services import Services, open_services, restore_keys
from dapp_ext.settings import Settings, hide_secrets, read_settings
from dapp_ext.store import instance, key_files

OLD = "4ePw0nWb8xq1ZtGm6vRk3yHs9uJd2cLa5fQi7oTe"
NEW = "Zk3uYt9vQm1xWb7nRe5cHs2pLd8fJg4aTo6iVy0w"
PASSPHRASE = "a passphrase for the safe"
AddDataset = Callable[..., DatasetRead]


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


def first_cell(services: Services, owner: Actor, dataset: DatasetRead) -> object:
    return services.datasets.rows(owner, dataset.id, RowsRequest(limit=1)).rows[0]


def objects(settings: Settings) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in settings.objects_folder.rglob("*") if path.is_file()}


def test_a_rotation_rewraps_every_key_and_rewrites_no_data(services: Services, settings: Settings, owner: Actor, add_dataset: AddDataset) -> None:
    dataset = add_dataset()
    before, files, pepper = services.keys.status(owner), objects(settings), services.context.secret("pepper")
    cell = first_cell(services, owner, dataset)
    (count,) = [key.wraps for key in before.keys]
    assert count >= 2, "of the workspace, of the dataset, and of what was found in it"
    after = services.keys.rotate(owner)
    assert after.active != before.active
    assert {key.kid: (key.state, key.wraps) for key in after.keys} == {before.active: ("old", 0), after.active: ("active", count)}
    assert not after.unfinished
    assert objects(settings) == files
    with open_services(settings) as fresh:
        assert first_cell(fresh, owner, dataset) == cell
        assert fresh.context.secret("pepper") == pepper
    assert (settings.keys_folder / "active").read_text().strip() == after.active


def test_another_process_goes_on_without_a_restart(services: Services, settings: Settings, owner: Actor, add_dataset: AddDataset) -> None:
    dataset = add_dataset()
    with open_services(settings) as other:
        new = other.keys.rotate(owner)
        old = next(key.kid for key in new.keys if key.state == "old")
        second = add_dataset("second")  # by the process that has not heard of the rotation
        services.context._keys.clear()
        assert first_cell(services, owner, dataset)
        wraps = {key.kid: key.wraps for key in other.keys.status(owner).keys}
        assert wraps[old] == 0
        assert wraps[new.active] > next(key.wraps for key in new.keys if key.kid == new.active)
        other.keys.retire(owner, old)
        assert first_cell(other, owner, second)
    services.context._keys.clear()
    assert first_cell(services, owner, second)


@pytest.mark.parametrize("mode", ["file", "secret"])
def test_a_rotation_can_be_killed_anywhere(settings: Settings, monkeypatch: pytest.MonkeyPatch, mode: str, tmp_path: Path) -> None:
    """At each step in turn: the home opens, everything in it opens, and the same command finishes."""
    if mode == "secret":
        settings = replace(settings, encryption_key=OLD)
    secret = NEW if mode == "secret" else None
    with open_services(settings) as services:
        owner = services.system.shell_actor()
        with services.context.change(owner, None) as change:
            keys = {f"thing {number}": services.context.new_key(change.session, f"thing {number}") for number in range(4)}
    monkeypatch.setattr("dapp_ext.services.keys.BATCH", 2)
    steps = [(key_files, "write_root"), (key_files, "write_active"), (instance, "use_root"), (instance, "rewrap")]
    for module, name in steps:
        for when, call in itertools.product(("before", "after"), (1, 2)):
            calls = itertools.count(1)
            real = getattr(module, name)

            def deadly(*given: object, _real: object = real, _calls: object = calls, _when: str = when, _call: int = call, **more: object) -> object:
                mine = next(_calls) == _call  # type: ignore[call-overload]
                if mine and _when == "before":
                    raise Killed
                answer = _real(*given, **more)  # type: ignore[operator]
                if mine:
                    raise Killed
                return answer

            with pytest.MonkeyPatch.context() as patch, open_services(settings) as services:
                patch.setattr(module, name, deadly)
                try:
                    services.keys.rotate(owner, new_secret=secret)
                except (Killed, Conflict):
                    pass
            with open_services(settings) as services:
                for thing, key in keys.items():
                    with services.context.database.read() as session:
                        assert services.context.data_key(session, thing) == key, (name, when, call)
            if mode == "secret":
                break  # a secret can be rotated to once
        with open_services(settings) as services:
            if services.keys.status(owner).unfinished:
                assert not services.keys.rotate(owner).unfinished
    with open_services(settings) as services:
        final = services.keys.status(owner)
        assert len(final.keys) > 1
        assert {key.wraps for key in final.keys if key.state == "old"} == {0}
        assert services.audit.verify(owner).ok


def test_from_one_secret_to_the_next(settings: Settings, add_dataset: AddDataset) -> None:
    """Both secrets open the home until the older one is retired; from then on the older one stops the start."""
    before, after = replace(settings, encryption_key=OLD), replace(settings, encryption_key=NEW)
    with open_services(settings) as services:
        owner = services.system.shell_actor()
        file_kid = services.keys.status(owner).active
        services.keys.rotate(owner, new_secret=OLD)
        with pytest.raises(Conflict, match="DAPP_ENCRYPTION_KEY"):
            services.keys.retire(owner, file_kid)
    with open_services(before) as services:
        services.keys.retire(owner, file_kid)
        assert not (settings.keys_folder / f"root-{file_kid}.key").exists()
        with pytest.raises(Invalid, match="--new-key-file"):
            services.keys.rotate(owner)
        with pytest.raises(Conflict, match="in use before"):
            services.keys.rotate(owner, new_secret=OLD)
        old_kid = services.keys.status(owner).active
        services.keys.rotate(owner, new_secret=NEW)
        with pytest.raises(Conflict, match="DAPP_ENCRYPTION_KEY"):
            services.keys.retire(owner, old_kid)
    for each in (before, after):
        open_services(each).close()
    with open_services(after) as services:
        services.keys.retire(owner, old_kid)
        assert [(key.state, key.here) for key in services.keys.status(owner).keys] == [("retired", False), ("retired", False), ("active", True)]
    with pytest.raises(KeyWrong) as caught:
        open_services(before)
    assert "\n" not in caught.value.message


def test_retiring_refuses_while_anything_needs_the_key(services: Services, owner: Actor, add_dataset: AddDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    add_dataset()
    kid = services.keys.status(owner).active
    with pytest.raises(Conflict, match="in use"):
        services.keys.retire(owner, kid)
    with pytest.raises(NotFound):
        services.keys.retire(owner, "0" * 16)
    with monkeypatch.context() as patch:
        patch.setattr(instance, "rewrap", lambda *_: 0)
        assert services.keys.rotate(owner).unfinished
    count = sum(key.wraps for key in services.keys.status(owner).keys)
    with pytest.raises(Conflict, match=f"still wraps {count} ") as caught:
        services.keys.retire(owner, kid)
    assert caught.value.details == {"wraps": count}
    assert count >= 2
    services.keys.rotate(owner)
    services.keys.retire(owner, kid)


def test_only_administrators(services: Services, person: Callable[[str, Role], Actor]) -> None:
    analyst = person("ann", Role.analyst)
    for call in (
        services.keys.status,
        services.keys.rotate,
        lambda who: services.keys.retire(who, "0" * 16),
        lambda who: services.keys.export(who, PASSPHRASE),
    ):
        with pytest.raises(Denied):
            call(analyst)


def test_an_export_brings_the_keys_back(services: Services, settings: Settings, owner: Actor, add_dataset: AddDataset, tmp_path: Path) -> None:
    dataset = add_dataset()
    services.keys.rotate(owner)
    exported = services.keys.export(owner, PASSPHRASE)
    cell = first_cell(services, owner, dataset)
    moved = tmp_path / "lost keys"
    settings.keys_folder.rename(moved)
    with pytest.raises(KeyWrong):
        open_services(settings)
    with pytest.raises(KeyWrong, match="passphrase"):
        restore_keys(settings, exported, "another passphrase")
    assert not settings.keys_folder.exists()
    assert len(restore_keys(settings, exported, PASSPHRASE)) == 2
    assert restore_keys(settings, exported, PASSPHRASE) == []
    with open_services(settings) as again:
        assert first_cell(again, owner, dataset) == cell
    for path in moved.glob("root-*.key"):
        secret = path.read_bytes().split()[1]
        assert secret not in exported


def test_a_changed_export_is_refused(services: Services, settings: Settings, owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapp_ext.store.keys.KDF", {"passes": 1, "memory": 64, "lanes": 1})
    exported = services.keys.export(owner, PASSPHRASE)
    assert restore_keys(settings, exported, PASSPHRASE) == []
    for place in range(0, len(exported), 3):
        changed = bytearray(exported)
        changed[place] ^= 2
        if changed.strip() != exported.strip():
            with pytest.raises(DappError):
                restore_keys(settings, bytes(changed), PASSPHRASE)
    for junk in (b"", b"[]", b"{}", b'{"sealed": 3}', b"\xff" * 40, exported.replace(b'"memory": 64', b'"memory": 99999999')):
        with pytest.raises(Invalid):
            restore_keys(settings, junk, PASSPHRASE)
    with pytest.raises(Invalid, match="passphrase"):
        services.keys.export(owner, "short")


def test_a_wrong_key_changes_nothing(settings: Settings) -> None:
    right = Settings(home=settings.home, encryption_key=OLD, start_worker=False)
    open_services(right).close()
    database = sqlite3.connect(settings.home / "dapp.sqlite")
    database.execute("UPDATE alembic_version SET version_num = '0003'")  # an older home: a start would migrate it
    database.commit()
    dump = list(database.iterdump())
    with pytest.raises(KeyWrong) as caught:
        open_services(Settings(home=settings.home, encryption_key=NEW, start_worker=False))
    assert "\n" not in caught.value.message
    assert OLD not in caught.value.message
    assert NEW not in caught.value.message
    assert list(database.iterdump()) == dump
    database.close()


@pytest.mark.only_sqlite
def test_a_lost_database_is_never_replaced_by_an_empty_one(services: Services, settings: Settings, add_dataset: AddDataset) -> None:
    add_dataset()
    services.close()
    for damage in (Path.unlink, lambda path: path.write_bytes(b"")):
        damage(settings.home / "dapp.sqlite")
        with pytest.raises(DappError, match="missing or empty"):
            open_services(settings)
    (settings.home / "dapp.sqlite").write_bytes(b"not a database at all" * 300)
    with pytest.raises(DappError, match="damaged"):
        open_services(settings)


@pytest.mark.only_sqlite
def test_a_deleted_key_is_in_no_free_page(services: Services, settings: Settings, owner: Actor, add_dataset: AddDataset) -> None:
    dataset = add_dataset()
    database = sqlite3.connect(settings.home / "dapp.sqlite")
    (wrapped,) = database.execute("SELECT wrapped FROM data_keys WHERE subject_id = ?", (dataset.id,)).fetchone()
    database.close()

    def holds() -> bool:
        return any(wrapped in path.read_bytes() for path in settings.home.glob("dapp.sqlite*"))

    assert holds()
    services.datasets.delete(owner, dataset.id)
    assert not holds()
    assert not objects(settings)


def test_a_secret_from_systemd_or_a_private_file(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "dapp-encryption-key").write_text(f"{OLD}\n")
    environ = {"CREDENTIALS_DIRECTORY": str(folder), "DAPP_HOME": str(tmp_path)}
    found = read_settings(environ=environ, folder=tmp_path)
    assert (found.encryption_key, found.key_source()) == (OLD, "systemd credential")
    given = read_settings(environ={**environ, "DAPP_ENCRYPTION_KEY": NEW}, folder=tmp_path)
    assert (given.encryption_key, given.key_source()) == (NEW, "setting")
    path = tmp_path / "key"
    path.write_text(NEW)
    path.chmod(0o640)
    with pytest.raises(Invalid, match="chmod 600"):
        read_settings(environ={"DAPP_ENCRYPTION_KEY": f"file:{path}"}, folder=tmp_path)
    path.chmod(0o600)
    assert read_settings(environ={"DAPP_ENCRYPTION_KEY": f"file:{path}"}, folder=tmp_path).key_source() == "file"


def test_secrets_leave_the_environment_once_they_are_read() -> None:
    environ = {"DAPP_ENCRYPTION_KEY": OLD, "SECRET_KEY": NEW, "DAPP_SECRET_KEY": "file:/run/secrets/key", "DAPP_HOME": "/home/ann/dapp", "PATH": "/bin"}
    hide_secrets(environ)
    assert environ == {"DAPP_SECRET_KEY": "file:/run/secrets/key", "DAPP_HOME": "/home/ann/dapp", "PATH": "/bin"}


def test_a_damaged_key_file_is_replaced_by_the_exported_one(settings: Settings, services: Services, owner: Actor) -> None:
    exported = services.keys.export(owner, PASSPHRASE)
    services.close()
    path = next(settings.keys_folder.glob("root-*.key"))
    good = path.read_bytes()
    path.write_bytes(b"x" * 60)
    with pytest.raises(KeyWrong, match="keys restore"):
        open_services(settings)
    assert restore_keys(settings, exported, PASSPHRASE) == [path.stem.removeprefix("root-")]
    assert path.read_bytes() == good
    open_services(settings).close()
