"""Sealed tables: written in batches, read by column and row group, refused when anything was changed."""

from __future__ import annotations

import random
import resource
import signal
import threading
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dapp_ext.errors import ColumnUnknown, IntegrityFailed, Internal, StorageFull
from dapp_ext.schema.base import new_id
from dapp_ext.store import frames
from dapp_ext.store.frames import Frame, FrameWriter, open_frame
from dapp_ext.store.sealing import Label

KEY = bytes(range(32))
LABEL = Label("frame", "01890000-0000-7000-8000-00000000beef", 3)


def every_kind(rows: int = 1000) -> pa.Table:
    """All types that reading makes, with missing values."""
    dice = random.Random(0)

    def some(make: object) -> list[object]:
        return [None if dice.random() < 0.1 else make(i) for i in range(rows)]  # type: ignore[operator]

    start = datetime(2024, 1, 1)
    return pa.table(
        {
            "whole": pa.array(some(lambda i: i * 7 - 3000), pa.int64()),
            "small": pa.array(some(lambda i: i % 100), pa.int8()),
            "decimal": pa.array(some(lambda i: dice.gauss(0, 1)), pa.float64()),
            "exact": pa.array(some(lambda i: Decimal(i) / 100), pa.decimal128(12, 2)),
            "yes": pa.array(some(lambda i: i % 3 == 0), pa.bool_()),
            "text": pa.array(some(lambda i: f"marked value {i} ä漢"), pa.string()),
            "kind": pa.array(some(lambda i: f"kind {i % 5}"), pa.string()).dictionary_encode(),
            "day": pa.array(some(lambda i: date(2024, 1, 1) + timedelta(days=i)), pa.date32()),
            "at": pa.array(some(lambda i: start + timedelta(minutes=i)), pa.timestamp("us")),
            "zoned": pa.array(some(lambda i: (start + timedelta(hours=i)).replace(tzinfo=UTC)), pa.timestamp("us", "Europe/Berlin")),
            "clock": pa.array(some(lambda i: time(i % 24, i % 60)), pa.time64("us")),
            "span": pa.array(some(lambda i: timedelta(seconds=i)), pa.duration("us")),
            "nothing": pa.nulls(rows),
            "a": pa.array(some(lambda i: i), pa.int32()),
            "a.b": pa.array(some(lambda i: -i), pa.int32()),
        }
    )


def written(path: Path, table: pa.Table, key: bytes = KEY, label: Label = LABEL, batch: int = 300) -> Path:
    with FrameWriter(path, key, label) as writer:
        writer.start(table.schema)
        for piece in table.to_batches(batch):
            writer.write(piece)
        writer.finish()
    return path


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_GROUP_ROWS", 100)
    monkeypatch.setattr(frames, "_SMALLEST_GROUP_ROWS", 100)


def test_every_type_comes_back(tmp_path: Path, small_groups: None) -> None:
    table = every_kind()
    frame = open_frame(written(tmp_path / "t", table), KEY, LABEL)
    assert frame.rows == 1000
    assert frame.group_rows == [100] * 10
    assert frame.schema.equals(table.schema)
    assert frame.read().equals(table)
    assert pa.concat_tables(frame.batches()).equals(table)


def test_what_was_finished_is_described(tmp_path: Path) -> None:
    path = tmp_path / "t"
    with FrameWriter(path, KEY, LABEL) as writer:
        writer.start(pa.schema([("x", pa.int64())]))
        writer.write(pa.table({"x": range(10)}))
        stored = writer.finish()
    import hashlib

    assert writer.rows == 10
    assert stored.name.endswith(f"{LABEL.object_id}.3.frame")
    assert stored.sealed_size == stored.plain_size == path.stat().st_size
    assert stored.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600


def test_single_columns_and_row_groups(tmp_path: Path, small_groups: None) -> None:
    table = every_kind()
    frame = open_frame(written(tmp_path / "t", table), KEY, LABEL)
    assert frame.read(["text", "whole"]).equals(table.select(["text", "whole"]))
    assert frame.read(["a"]).equals(table.select(["a"]))  # and not "a.b", which Parquet would take for a part of it
    assert frame.read(["kind", "a.b"], [2, 5]).equals(pa.concat_tables([table.slice(200, 100), table.slice(500, 100)]).select(["kind", "a.b"]))
    assert frame.read([]).num_rows == 0
    with pytest.raises(ColumnUnknown, match="nowhere"):
        frame.read(["whole", "nowhere"])


def test_names_and_values_are_not_on_disk(tmp_path: Path) -> None:
    on_disk = written(tmp_path / "t", every_kind()).read_bytes()
    for readable in (b"marked value", b"nothing", b"decimal", b"ARROW:schema", b"kind 3"):
        assert readable not in on_disk


def test_starting_anew_forgets_what_was_written(tmp_path: Path, small_groups: None) -> None:
    table = every_kind()
    path = tmp_path / "t"
    with FrameWriter(path, KEY, LABEL) as writer:
        writer.start(pa.schema([("whole", pa.int8())]))
        writer.write(pa.table({"whole": pa.array([1] * 250, pa.int8())}))
        writer.start(table.schema)
        writer.write(table)
        writer.finish()
    assert open_frame(path, KEY, LABEL).read().equals(table)
    assert path.stat().st_size == written(tmp_path / "straight", table).stat().st_size


def test_batches_with_other_dictionaries(tmp_path: Path) -> None:
    pieces = [pa.table({"c": pa.array(values).dictionary_encode()}) for values in (["x", "y"], ["y", "z"], ["w", None])]
    path = tmp_path / "t"
    with FrameWriter(path, KEY, LABEL) as writer:
        writer.start(pieces[0].schema)
        for piece in pieces:
            writer.write(piece)
        writer.finish()
    assert open_frame(path, KEY, LABEL).read()["c"].to_pylist() == ["x", "y", "y", "z", "w", None]


def test_a_table_without_rows(tmp_path: Path) -> None:
    empty = every_kind(0)
    frame = open_frame(written(tmp_path / "t", empty), KEY, LABEL)
    assert frame.rows == 0
    assert frame.read().equals(empty)
    assert list(frame.batches()) == []


def test_many_columns_make_smaller_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_GROUP_CELLS", 30_000)
    monkeypatch.setattr(frames, "_SMALLEST_GROUP_ROWS", 1000)
    for columns, rows in ((3, 10_000), (20, 1500), (100, 1000)):
        table = pa.table({f"c{i}": pa.array(range(4000), pa.int16()) for i in range(columns)})
        frame = open_frame(written(tmp_path / str(columns), table, batch=5000), KEY, LABEL)
        assert max(frame.group_rows) == min(rows, 4000)
        assert frame.read([f"c{columns - 1}"]).equals(table.select([f"c{columns - 1}"]))


def test_what_does_not_belong_is_not_written(tmp_path: Path) -> None:
    with FrameWriter(tmp_path / "t", KEY, LABEL) as writer:
        with pytest.raises(Internal):
            writer.write(pa.table({"x": [1]}))
        with pytest.raises(Internal):
            writer.finish()
        with pytest.raises(Internal, match="same name"):
            writer.start(pa.schema([("x", pa.int64()), ("x", pa.int64())]))
        writer.start(pa.schema([("x", pa.int64())]))
        with pytest.raises(Internal):
            writer.write(pa.table({"x": ["text"]}))
    assert not (tmp_path / "t").exists()


def test_an_unfinished_table_leaves_nothing(tmp_path: Path, small_groups: None) -> None:
    with pytest.raises(RuntimeError, match="killed"), FrameWriter(tmp_path / "t", KEY, LABEL) as writer:
        writer.start(every_kind(0).schema)
        writer.write(every_kind())
        raise RuntimeError("killed")
    assert list(tmp_path.iterdir()) == []


def test_a_full_device_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    noise = pa.py_buffer(random.Random(0).randbytes(8 * 300_000))
    table = pa.table({"x": pa.Array.from_buffers(pa.int64(), 300_000, [None, noise])})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        with pytest.raises(StorageFull):
            written(tmp_path / "t", table, batch=20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("key", "label"),
    [
        (bytes(32), LABEL),
        (KEY, Label("frame", LABEL.object_id, 2)),
        (KEY, Label("frame", LABEL.object_id, 4)),
        (KEY, Label("frame", "01890000-0000-7000-8000-00000000cafe", 3)),
        (KEY, Label("export", LABEL.object_id, 3)),
    ],
)
def test_another_key_object_or_generation_is_refused(tmp_path: Path, key: bytes, label: Label) -> None:
    path = written(tmp_path / "t", every_kind(10))
    with pytest.raises(IntegrityFailed):
        open_frame(path, key, label)


def test_a_plain_table_in_its_place_is_refused(tmp_path: Path) -> None:
    pq.write_table(every_kind(10), tmp_path / "t")
    with pytest.raises(IntegrityFailed):
        open_frame(tmp_path / "t", KEY, LABEL)
    with pytest.raises(IntegrityFailed, match="missing"):
        open_frame(tmp_path / "nowhere", KEY, LABEL)
    (tmp_path / "empty").touch()
    with pytest.raises(IntegrityFailed):
        open_frame(tmp_path / "empty", KEY, LABEL)


def test_changed_bytes_are_found(tmp_path: Path) -> None:
    table = pa.table({"x": pa.array(range(200)), "y": pa.array([f"text {i}" for i in range(200)])})
    path = written(tmp_path / "t", table)
    good = path.read_bytes()
    unseen = []
    for place in sorted({*range(16), *random.Random(2).sample(range(len(good)), 600), *range(len(good) - 16, len(good))}):
        changed = bytearray(good)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            read = open_frame(path, KEY, LABEL).read()
        except IntegrityFailed:
            continue
        # Two things are not looked at by Parquet's reader and change nothing: the four letters that the file begins with,
        # and a flag in front of the footer that says that the AAD prefix is not in the file.
        assert read.equals(table)
        unseen.append(place)
    assert len([place for place in unseen if place > 3]) <= 1


def test_cut_tables_are_found(tmp_path: Path) -> None:
    path = written(tmp_path / "t", every_kind(100))
    good = path.read_bytes()
    for size in (0, 3, 4, 12, len(good) // 2, len(good) - 9, len(good) - 1):
        path.write_bytes(good[:size])
        with pytest.raises(IntegrityFailed):
            open_frame(path, KEY, LABEL).read()


def test_row_groups_cannot_change_places(tmp_path: Path, small_groups: None) -> None:
    """Two tables under one key: a page of one is no page of the other."""
    first, second = (pa.table({"x": pa.array([value] * 100)}) for value in (1.5, 2.5))
    one, two = written(tmp_path / "1", first), written(tmp_path / "2", second)
    a, b = one.read_bytes(), two.read_bytes()
    assert len(a) == len(b)
    one.write_bytes(a[:40] + b[40:80] + a[80:])
    with pytest.raises(IntegrityFailed):
        open_frame(one, KEY, LABEL).read()


def test_many_threads_read_one_table(tmp_path: Path, small_groups: None) -> None:
    table = every_kind(2000)
    frame: Frame = open_frame(written(tmp_path / "t", table), KEY, LABEL)
    wrong: list[object] = []

    def read(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(15):
            columns = dice.sample(table.column_names, 3)
            group = dice.randrange(20)
            try:
                if not frame.read(columns, [group]).equals(table.slice(group * 100, 100).select(columns)):
                    wrong.append((columns, group))
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_table_can_be_read_while_it_is_deleted(tmp_path: Path) -> None:
    table = every_kind()
    path = written(tmp_path / "t", table)
    frame = open_frame(path, KEY, LABEL)
    path.unlink()
    assert frame.read(["whole"]).equals(table.select(["whole"]))
    frame.close()
    with pytest.raises(IntegrityFailed, match="missing"):
        frame.read(["whole"])


def test_labels_of_real_objects_fit(tmp_path: Path) -> None:
    label = Label("frame", new_id(), 1)
    assert open_frame(written(tmp_path / "t", every_kind(10), label=label), KEY, label).rows == 10


def test_texts_with_and_without_dictionaries_make_one_plain_column(tmp_path: Path) -> None:
    texts = [["a", "b", None] * 100, ["b", "c", "c"] * 100, ["d", None, "a"] * 100]
    with FrameWriter(tmp_path / "table", KEY, LABEL) as writer:
        writer.start(pa.schema([("first", pa.string()), ("second", pa.string())]))
        for number, values in enumerate(texts):
            plain = pa.array(values, pa.string())
            columns = [plain, plain.dictionary_encode()] if number == 1 else [plain.dictionary_encode(), plain]
            writer.write(pa.RecordBatch.from_arrays(columns, names=["first", "second"]))
        writer.finish()
    frame = open_frame(tmp_path / "table", KEY, LABEL)
    assert frame.schema.types == [pa.string(), pa.string()]
    expected = [value for values in texts for value in values]
    assert frame.read().to_pydict() == {"first": expected, "second": expected}


def test_a_dictionary_in_the_first_row_group_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_GROUP_ROWS", 2048)
    first = pa.array(["x", "y"] * 1024, pa.string())
    second = pa.array([f"text {number}" for number in range(3000)], pa.string())
    with FrameWriter(tmp_path / "table", KEY, LABEL) as writer:
        writer.start(pa.schema([("text", pa.string())]))
        writer.write(pa.RecordBatch.from_arrays([first.dictionary_encode()], names=["text"]))
        writer.write(pa.RecordBatch.from_arrays([second], names=["text"]))
        writer.finish()
    frame = open_frame(tmp_path / "table", KEY, LABEL)
    assert frame.group_rows == [2048, 2048, 952]
    assert frame.read().column("text").to_pylist() == [*first.to_pylist(), *second.to_pylist()]
