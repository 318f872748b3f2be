"""The shared cache of decrypted columns: bounded, read once, and always the same as the table."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from dapp_ext.errors import ColumnUnknown, IntegrityFailed
from dapp_ext.store import frames
from dapp_ext.store.cached_frames import CachedFrame
from dapp_ext.store.frame_cache import FrameCache
from dapp_ext.store.frames import Frame, FrameWriter, open_frame
from dapp_ext.store.sealing import Label

KEY = bytes(range(32))
LABEL = Label("frame", "01890000-0000-7000-8000-00000000beef", 1)
TABLE = pa.table(
    {
        "n": pa.array(range(1000), pa.int64()),
        "x": pa.array([i / 7 for i in range(1000)], pa.float64()),
        "t": pa.array([f"text {i}" for i in range(1000)]),
        "k": pa.array([f"kind {i % 3}" for i in range(1000)]).dictionary_encode(),
    }
)


class Counting(Frame):
    """Counts what is read from disk."""

    reads: list[tuple[tuple[str, ...], tuple[int, ...]]]
    pause = 0.0

    def read(self, columns: object = None, groups: object = None) -> pa.Table:
        self.reads.append((tuple(columns), tuple(groups)))  # type: ignore[arg-type]
        time.sleep(self.pause)
        return super().read(columns, groups)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(frames, "_GROUP_ROWS", 100)
    monkeypatch.setattr(frames, "_SMALLEST_GROUP_ROWS", 100)
    with FrameWriter(tmp_path / "t", KEY, LABEL) as writer:
        writer.start(TABLE.schema)
        writer.write(TABLE)
        writer.finish()
    return tmp_path / "t"


@pytest.fixture
def opener(path: Path) -> Callable[[], Counting]:
    def make() -> Counting:
        frame = Counting(path, KEY, LABEL)
        frame.reads = []
        return frame

    return make


def opened(cache: FrameCache, opener: Callable[[], Counting]) -> tuple[CachedFrame, Counting]:
    made: list[Counting] = []

    def once() -> Counting:
        made.append(opener())
        return made[-1]

    return cache.open("dataset", 1, once), made[0]


def test_a_plain_page_reads_only_its_row_group(opener: Callable[[], Counting]) -> None:
    frame, counted = opened(FrameCache(1 << 20), opener)
    page = frame.read(["t", "n"], 340, 20)
    assert page.equals(TABLE.select(["t", "n"]).slice(340, 20))
    assert counted.reads == [(("t", "n"), (3,))]
    assert frame.read(["t", "n"], 350, 20).equals(TABLE.select(["t", "n"]).slice(350, 20))
    assert len(counted.reads) == 1
    assert frame.read(["n"], 395, 10).equals(TABLE.select(["n"]).slice(395, 10))
    assert counted.reads[1:] == [(("n",), (4,))]


@pytest.mark.parametrize(("offset", "limit"), [(0, 0), (0, 1000), (999, 5), (1000, 5), (5000, 5), (0, None), (950, None), (99, 2), (100, 100)])
def test_any_range(opener: Callable[[], Counting], offset: int, limit: int | None) -> None:
    frame, _ = opened(FrameCache(1 << 20), opener)
    assert frame.read(["x", "k"], offset, limit).equals(TABLE.select(["x", "k"]).slice(offset, limit))


@pytest.mark.parametrize("rows", [[], [0], [999, 0, 500, 500, 1], list(range(999, -1, -37))])
@pytest.mark.parametrize("limit", [1 << 20, 100])
def test_single_rows_in_any_order(opener: Callable[[], Counting], rows: list[int], limit: int) -> None:
    frame, _ = opened(FrameCache(limit), opener)
    assert frame.take(rows, ["t", "k", "n"]).to_pylist() == TABLE.select(["t", "k", "n"]).take(pa.array(rows, pa.int64())).to_pylist()


def test_whole_columns_are_read_once(opener: Callable[[], Counting]) -> None:
    cache = FrameCache(1 << 20)
    frame, counted = opened(cache, opener)
    for _ in range(3):
        assert frame.table(["n", "k"]).equals(TABLE.select(["n", "k"]))
    assert len(counted.reads) == 10
    assert frame.table(["k", "x"]).equals(TABLE.select(["k", "x"]))
    assert counted.reads[10:] == [(("x",), (group,)) for group in range(10)]
    assert pa.concat_tables(frame.batches(["x"])).equals(TABLE.select(["x"]))
    assert len(counted.reads) == 20


def test_memory_is_bounded_and_the_oldest_goes_first(opener: Callable[[], Counting]) -> None:
    cache = FrameCache(40_000)
    frame, counted = opened(cache, opener)
    frame.read(["n"], 0, 100)
    for column in ("x", "t", "n", "k", "x", "t"):
        frame.read([column])
        frame.read(["n"], 0, 100)
        assert cache.held_bytes <= 40_000
    assert counted.reads.count((("n",), (0,))) == 1
    assert sum(size for _, size in cache._columns.values()) == cache.held_bytes > 0


def test_what_is_too_large_is_read_around(opener: Callable[[], Counting]) -> None:
    cache = FrameCache(20_000)
    frame, _ = opened(cache, opener)
    assert frame.fits(["n"])
    assert not frame.fits(["n", "x", "t"])
    frame.read(["n"])
    held = cache.held_bytes
    assert frame.read(["x", "t", "n"]).equals(TABLE.select(["x", "t", "n"]))
    assert pa.concat_tables(frame.batches(["x", "t"])).equals(TABLE.select(["x", "t"]))
    assert cache.held_bytes == held
    with pytest.raises(ColumnUnknown):
        frame.fits(["nowhere"])


def test_a_cache_of_nothing_still_answers(opener: Callable[[], Counting]) -> None:
    cache = FrameCache(0)
    frame, _ = opened(cache, opener)
    assert frame.table(["n"]).equals(TABLE.select(["n"]))
    assert frame.read(["n"], 5, 5).equals(TABLE.select(["n"]).slice(5, 5))
    assert cache.held_bytes == 0


def test_a_version_is_opened_once(opener: Callable[[], Counting]) -> None:
    cache = FrameCache(1 << 20)
    opens: list[Counting] = []

    def once() -> Counting:
        opens.append(opener())
        return opens[-1]

    for version in (1, 1, 2, 1, 2):
        cache.open("dataset", version, once)
    assert len(opens) == 2


def test_dropping_a_dataset_forgets_it(opener: Callable[[], Counting]) -> None:
    cache = FrameCache(1 << 20)
    frame, counted = opened(cache, opener)
    other = cache.open("another", 1, opener)
    frame.table(["n"])
    other.table(["n"])
    held = cache.held_bytes
    cache.drop("dataset")
    assert cache.held_bytes == held // 2
    # Whoever still holds it gets answers, but nothing is kept for it any more.
    assert frame.table(["n"]).equals(TABLE.select(["n"]))
    assert cache.held_bytes == held // 2
    assert len(counted.reads) == 20


def test_threads_wait_for_one_reading(opener: Callable[[], Counting]) -> None:
    cache = FrameCache(1 << 20)
    frame, counted = opened(cache, opener)
    counted.pause = 0.02
    answers: list[pa.Table] = []
    columns = (["n", "x"], ["x", "t"], ["t", "n"], ["k", "n", "x", "t"])
    threads = [threading.Thread(target=lambda names=names: answers.append((names, frame.table(names)))) for names in columns * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(answers) == 12
    for names, table in answers:
        assert table.equals(TABLE.select(names))
    units = [(name, group) for names, groups in counted.reads for name in names for group in groups]
    assert len(units) == len(set(units)) == 40
    assert cache._loading == {}


def test_a_failed_reading_is_told_to_all_and_not_kept(path: Path, opener: Callable[[], Counting]) -> None:
    cache = FrameCache(1 << 20)
    frame, counted = opened(cache, opener)
    counted.pause = 0.02
    counted.close()
    good = path.read_bytes()
    path.write_bytes(bytes(len(good)))
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            frame.table(["n"])
        except IntegrityFailed as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(failures) == 5
    path.write_bytes(good)
    assert frame.table(["n"]).equals(TABLE.select(["n"]))


def test_many_threads_and_little_memory(opener: Callable[[], Counting]) -> None:
    cache = FrameCache(30_000)
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(12):
            if number == 0 and turn % 4 == 3:
                cache.drop("dataset")
            names = TABLE.column_names[(number + turn) % 3 :][:2]
            try:
                if not cache.open("dataset", 1, opener).read(names, turn * 70, 150).equals(TABLE.select(names).slice(turn * 70, 150)):
                    wrong.append((number, turn))
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert wrong == []
    assert cache.held_bytes == sum(size for _, size in cache._columns.values()) <= 30_000


def test_plain_frames_fit_as_well(path: Path) -> None:
    assert FrameCache(1 << 20).open("dataset", "draft", lambda: open_frame(path, KEY, LABEL)).rows == 1000
