"""Threads side by side: order, errors and ends."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from dapp_ext.domain.conveyor import Belt, ahead


def threads() -> int:
    return sum(thread.name in ("ahead", "belt") for thread in threading.enumerate())


def test_items_come_in_order_and_the_thread_ends() -> None:
    assert list(ahead(iter(range(1000)))) == list(range(1000))
    assert threads() == 0


def test_an_error_comes_after_the_items_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    found = []
    with pytest.raises(ValueError, match="broken"):
        for item in ahead(source()):
            found.append(item)
    assert found == [1]
    assert threads() == 0


def test_whoever_stops_early_ends_the_thread_and_no_more_is_made() -> None:
    made = []
    items = ahead((made.append(number) or number for number in range(10_000)), 2)  # type: ignore[func-returns-value]
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    assert threads() == 0
    assert len(made) < 10


def test_a_belt_works_in_order_and_finishes() -> None:
    done: list[int] = []
    belt = Belt(done.append, 2)
    for number in range(500):
        belt.put(number)
    belt.finish()
    assert done == list(range(500))
    assert threads() == 0


def test_an_error_on_a_belt_comes_to_who_puts() -> None:
    def work(number: int) -> None:
        raise ValueError(f"no {number}")

    belt = Belt(work, 1)
    with pytest.raises(ValueError, match="no 0"):
        for number in range(1000):
            belt.put(number)
    with pytest.raises(ValueError, match="no 0"):
        belt.finish()
    assert threads() == 0


def test_a_stopped_belt_forgets_what_waits() -> None:
    gate, done = threading.Event(), []

    def work(number: int) -> None:
        gate.wait(5)
        done.append(number)

    belt = Belt(work, 3)
    for number in range(3):
        belt.put(number)
    threading.Timer(0.1, gate.set).start()
    belt.stop()
    assert len(done) <= 1
    assert threads() == 0


def test_what_is_read_ahead_by_two_threads_ends_with_whoever_reads() -> None:
    ended = threading.Event()

    def numbers() -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            ended.set()

    items = ahead(ahead(numbers(), 1), 1)
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    assert ended.is_set()
    assert threads() == 0
