"""Objects in a storage that machines share: whole or not there, sealed as ever, kept as copies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dapp_ext.errors import IntegrityFailed, SettingInvalid, Unavailable
from dapp_ext.schema.base import new_id
from dapp_ext.settings import Settings
from dapp_ext.store.objects import object_name
from dapp_ext.store.remote_objects import RemoteObjects, open_objects
from dapp_ext.store.sealing import Label
from tests import servers

KEY = bytes(range(32))
DATA = b"Zebulon Quackenbush\n" * 100_000


@pytest.fixture(params=["s3", "folder"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place of its own in a real S3 server, and one in a folder that machines share."""
    return f"file://{tmp_path / 'shared'}" if request.param == "folder" else str(request.getfixturevalue("s3_url"))


def two_machines(tmp_path: Path, url: str) -> tuple[RemoteObjects, RemoteObjects]:
    return RemoteObjects(tmp_path / "here", url), RemoteObjects(tmp_path / "there", url)


def test_what_one_machine_publishes_another_opens(tmp_path: Path, url: str) -> None:
    here, there = two_machines(tmp_path, url)
    name = new_id()
    assert list(there.names()) == []
    stored = here.put(name, 1, "original", KEY, DATA)
    assert list(there.names()) == [stored.name]
    assert there.get(name, 1, "original", KEY) == DATA
    copy = there.folder / stored.name
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.read_bytes() == (here.folder / stored.name).read_bytes()
    assert b"Quackenbush" not in copy.read_bytes()
    assert list((there.folder / "staging").iterdir()) == []
    with pytest.raises(IntegrityFailed):
        there.get(name, 2, "original", KEY)


def test_what_was_deleted_is_gone_for_a_new_machine(tmp_path: Path, url: str) -> None:
    here, there = two_machines(tmp_path, url)
    name = new_id()
    here.put(name, 1, "original", KEY, b"x")
    assert there.delete(name, 1, "original")
    assert not there.delete(name, 1, "original")
    with pytest.raises(IntegrityFailed):
        there.get(name, 1, "original", KEY)
    assert list(here.names()) == []


def test_nothing_is_published_of_what_could_not_be_uploaded(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = two_machines(tmp_path, url)
    name = new_id()

    def fail(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(here._fs, "put_file", fail)
    with pytest.raises(Unavailable, match="object storage"):
        here.put(name, 1, "original", KEY, b"x")
    assert not (here.folder / object_name(Label("original", name, 1))).exists()
    assert list((here.folder / "staging").iterdir()) == []
    assert list(there.names()) == []


def test_sweeping(tmp_path: Path, url: str) -> None:
    here, there = two_machines(tmp_path, url)
    known, unknown = here.put(new_id(), 1, "original", KEY, b"known"), here.put(new_id(), 1, "original", KEY, b"unknown")
    local = RemoteObjects(here.folder, f"file://{tmp_path / 'before'}").put(new_id(), 1, "original", KEY, b"from before the storage was set")
    (there.folder / "staging" / "left").write_bytes(b"x")
    assert here.sweep({known.name, local.name}, 3600) == []  # too young to be judged
    assert here.sweep({known.name, local.name}, -1.0) == [unknown.name]
    assert sorted(there.names()) == sorted([known.name, local.name])
    assert here.quarantined() == 1
    assert not (here.folder / unknown.name).exists()
    there.sweep({known.name, local.name}, -1.0)
    assert list((there.folder / "staging").iterdir()) == []


def test_copies_are_cleared_away_when_they_take_too_much_room(tmp_path: Path, url: str) -> None:
    small = RemoteObjects(tmp_path / "small", url, keep_bytes=250_000)
    stored = [small.put(new_id(), 1, "original", KEY, os.urandom(100_000)) for _ in range(4)]
    for number, each in enumerate(stored):
        os.utime(small.folder / each.name, (0, 1_000_000 + number))
    small.sweep({each.name for each in stored}, 1e9)
    assert [(small.folder / each.name).exists() for each in stored] == [False, False, True, True]
    assert small.local_path(stored[0].name).exists()  # fetched again when it is asked for


def test_a_storage_that_is_away_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in servers.s3_environment("http://127.0.0.1:1").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    away = RemoteObjects(tmp_path / "here", "s3://dapp/away")
    with pytest.raises(Unavailable, match="does not answer"):
        away.put(new_id(), 1, "original", KEY, b"x")
    with pytest.raises(Unavailable, match="does not answer"):
        away.get(new_id(), 1, "original", KEY)


def test_a_wrong_address_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="DAPP_STORAGE_URL"):
        open_objects(Settings(home=tmp_path, storage_url="nonsense://x"))
