"""Sealed files on disk: whole or not there, found by id, cleared away."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import random
import resource
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from dapp_ext.errors import IntegrityFailed, Internal, StorageFull, Unavailable
from dapp_ext.schema.base import new_id
from dapp_ext.store.objects import ObjectStore, SealedFile, StoredObject, open_sealed
from dapp_ext.store.sealing import Label

KEY = bytes(range(32))
MARK = b"a value that must not be readable on disk "


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def room(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes, as if the device were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("ended", [True, False])
def test_a_large_file_is_hashed_beside_its_sealing(store: ObjectStore, monkeypatch: pytest.MonkeyPatch, ended: bool) -> None:
    monkeypatch.setattr("dapp_ext.store.objects._HASHED_HERE", 100_000)
    object_id = new_id()
    with store.create(object_id, 1, "original", KEY) as staged:
        for number in range(50):
            staged.write(random.Random(number).randbytes(20_000))
        assert [thread for thread in threading.enumerate() if thread.name.startswith("digest")]
        if ended:
            stored = staged.finish()
            staged.publish()
            assert stored.sha256 == hashlib.sha256((store.folder / stored.name).read_bytes()).hexdigest()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("digest")]


def test_written_published_and_read(store: ObjectStore) -> None:
    object_id, data = new_id(), random.Random(0).randbytes(300_000)
    with store.create(object_id, 1, "original", KEY) as staged:
        for start in range(0, len(data), 7000):
            staged.write(data[start : start + 7000])
        stored = staged.finish()
        assert not store.path_for(object_id, 1, "original").exists()
        path = staged.publish()
    assert path == store.path_for(object_id, 1, "original") == store.folder / stored.name
    assert list(store.names()) == [stored.name]
    on_disk = path.read_bytes()
    assert stored == StoredObject(stored.name, len(data), len(on_disk), hashlib.sha256(on_disk).hexdigest())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with store.open(object_id, 1, "original", KEY) as reader:
        assert reader.read() == data
        assert reader.seek(123_456) == 123_456
        assert reader.read(10) == data[123_456:123_466]
    assert files_below(store.folder) == [path]


def test_names_tell_nothing_but_ids(store: ObjectStore) -> None:
    object_id = new_id()
    stored = store.put(object_id, 7, "profile", KEY, b"x")
    assert stored.name == f"{object_id[-4:-2]}/{object_id[-2:]}/{object_id}.7.profile"


@pytest.mark.parametrize(
    ("object_id", "generation", "purpose"),
    [
        ("../../etc/passwd", 1, "original"),
        ("01890000-0000-7000-8000-00000000BEEF", 1, "original"),
        ("", 1, "original"),
        ("01890000-0000-7000-8000-00000000beef/x", 1, "original"),
        ("01890000-0000-7000-8000-00000000beef", -1, "original"),
        ("01890000-0000-7000-8000-00000000beef", 1, "../x"),
        ("01890000-0000-7000-8000-00000000beef", 1, ""),
    ],
)
def test_no_name_leads_out_of_the_folder(store: ObjectStore, object_id: str, generation: int, purpose: str) -> None:
    with pytest.raises(Internal):
        store.path_for(object_id, generation, purpose)
    with pytest.raises(Internal):
        store.create(object_id, generation, purpose, KEY)


def test_nothing_readable_reaches_the_disk(store: ObjectStore) -> None:
    object_id = new_id()
    with store.create(object_id, 1, "original", KEY) as staged:
        staged.write(MARK * 5000)
        for path in files_below(store.folder):
            assert MARK not in path.read_bytes()
        staged.finish()
        staged.publish()
    store.put(new_id(), 1, "profile", KEY, MARK)
    paths = files_below(store.folder)
    assert len(paths) == 2
    for path in paths:
        assert MARK[:12] not in path.read_bytes()
    assert store.get(object_id, 1, "original", KEY) == MARK * 5000


def test_what_was_not_published_leaves_nothing(store: ObjectStore) -> None:
    with store.create(new_id(), 1, "original", KEY) as staged:
        staged.write(b"x" * 100_000)
    with store.create(new_id(), 1, "original", KEY) as staged:
        staged.write(b"x")
        staged.finish()
    with pytest.raises(RuntimeError, match="upload was cut"), store.create(new_id(), 1, "original", KEY) as staged:
        staged.write(b"x")
        raise RuntimeError("upload was cut")
    assert files_below(store.folder) == []


def test_only_a_finished_file_is_published(store: ObjectStore) -> None:
    with store.create(new_id(), 1, "original", KEY) as staged, pytest.raises(Internal):
        staged.publish()
    assert files_below(store.folder) == []


def test_swapped_rolled_back_or_changed_files_are_refused(store: ObjectStore) -> None:
    one, two = new_id(), new_id()
    store.put(one, 1, "original", KEY, b"first")
    store.put(one, 2, "original", KEY, b"second")
    store.put(two, 1, "original", KEY, b"other")
    path = store.path_for(one, 2, "original")
    good = path.read_bytes()
    for other in (store.path_for(one, 1, "original"), store.path_for(two, 1, "original")):
        path.write_bytes(other.read_bytes())
        with pytest.raises(IntegrityFailed):
            store.get(one, 2, "original", KEY)
    path.write_bytes(good[:-1])
    with pytest.raises(IntegrityFailed):
        store.get(one, 2, "original", KEY)
    path.write_bytes(good)
    assert store.get(one, 2, "original", KEY) == b"second"
    with pytest.raises(IntegrityFailed):
        store.get(one, 2, "original", bytes(32))
    path.unlink()
    with pytest.raises(IntegrityFailed, match="missing"):
        store.get(one, 2, "original", KEY)


def test_a_full_device_is_told_and_leaves_nothing(store: ObjectStore) -> None:
    with room(200_000), pytest.raises(StorageFull), store.create(new_id(), 1, "original", KEY) as staged:
        for _ in range(10):
            staged.write(b"x" * 50_000)
    with room(16), pytest.raises(StorageFull):
        store.create(new_id(), 1, "original", KEY)
    assert files_below(store.folder) == []
    store.put(new_id(), 1, "original", KEY, b"x" * 500_000)


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, Unavailable)])
def test_a_failed_flush_is_final(store: ObjectStore, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception]) -> None:
    calls = []

    def failing(handle: int) -> None:
        calls.append(handle)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(expected), store.create(new_id(), 1, "original", KEY) as staged:
        staged.write(b"x")
        staged.finish()
    assert len(calls) == 1
    assert files_below(store.folder) == []


def test_order_of_making_a_file_safe(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def sync(handle: int) -> None:
        done.append("sync folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "sync file")
        real_sync(handle)

    def replace(source: Path, target: Path) -> None:
        done.append("rename")
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", replace)
    store.put(new_id(), 1, "original", KEY, b"x")
    assert done[:3] == ["sync file", "rename", "sync folder"]


def test_a_second_attempt_replaces_what_the_first_left(store: ObjectStore) -> None:
    object_id = new_id()
    store.put(object_id, 1, "original", KEY, b"first attempt")
    store.put(object_id, 1, "original", bytes(32), b"second attempt")
    assert store.get(object_id, 1, "original", bytes(32)) == b"second attempt"


def test_deleting_overwrites_the_head(store: ObjectStore, tmp_path: Path) -> None:
    object_id = new_id()
    store.put(object_id, 1, "original", KEY, b"x" * 20_000)
    path = store.path_for(object_id, 1, "original")
    os.link(path, tmp_path / "seen")
    assert store.delete(object_id, 1, "original") is True
    assert store.delete(object_id, 1, "original") is False
    assert not path.exists()
    left = (tmp_path / "seen").read_bytes()
    assert left[:4096] == bytes(4096)
    assert left[-4096:] == bytes(4096)


def _child_writes(path: str, key: bytes, label: Label, answers: multiprocessing.Queue[StoredObject]) -> None:
    with SealedFile(path, key, label) as sealed:
        sealed.write(b"made by a child")
        answers.put(sealed.finish())


def test_a_child_needs_only_path_key_and_label(store: ObjectStore) -> None:
    object_id = new_id()
    label = Label("model", object_id, 4)
    path = store.staging_path(object_id, 4, "model")
    spawn = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[StoredObject] = spawn.Queue()
    child = spawn.Process(target=_child_writes, args=(str(path), KEY, label, answers))
    child.start()
    stored = answers.get(timeout=60)
    child.join()
    with open_sealed(path, KEY, label) as reader:
        assert reader.read() == b"made by a child"
    store.publish(path, label)
    assert stored.name in set(store.names())
    assert store.get(object_id, 4, "model", KEY) == b"made by a child"


def test_a_path_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_bytes(b"mine")
    with pytest.raises(Unavailable):
        SealedFile(path, KEY, Label("model", new_id(), 1))
    assert path.read_bytes() == b"mine"


def age(path: Path, by: timedelta) -> None:
    when = path.stat().st_mtime - by.total_seconds()
    os.utime(path, (when, when))


def test_sweeping_clears_what_crashes_left(store: ObjectStore) -> None:
    known, unknown, fresh = (store.put(new_id(), 1, "original", KEY, b"x") for _ in range(3))
    old_staging, new_staging = store.folder / "staging" / "old", store.folder / "staging" / "new"
    for path in (old_staging, new_staging):
        path.write_bytes(b"half")
    for path in (store.folder / known.name, store.folder / unknown.name, old_staging):
        age(path, timedelta(hours=2))
    assert store.sweep({known.name}, older_than=3600) == [unknown.name]
    assert set(store.names()) == {known.name, fresh.name}
    assert not old_staging.exists()
    assert new_staging.exists()
    (kept,) = (store.folder / "quarantine").iterdir()
    assert store.sweep({known.name}, older_than=3600) == []
    assert kept.exists()
    age(kept, timedelta(days=8))
    store.sweep({known.name}, older_than=3600)
    assert not kept.exists()
