"""Changes of the screen from any thread."""

from __future__ import annotations

import asyncio
import threading
import time

from dapp_ext.errors import Unavailable
from dapp_ext.widgets.refresher import Refresher
from dapp_ext.widgets.screen import Screen


def from_thread(work: object) -> threading.Thread:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_without_a_loop_changes_are_made_at_once() -> None:
    made: list[int] = []
    screen = Screen()
    screen.change(lambda: made.append(threading.get_ident()))
    from_thread(lambda: screen.change(lambda: made.append(threading.get_ident()))).join()
    assert made[0] == threading.get_ident() != made[1]


def test_changes_of_other_threads_are_made_on_the_loop() -> None:
    made: list[int] = []

    async def cell() -> None:
        screen = Screen()
        thread = from_thread(lambda: screen.change(lambda: made.append(threading.get_ident())))
        while thread.is_alive():
            await asyncio.sleep(0.01)

    asyncio.run(cell())
    assert made == [threading.get_ident()]


def test_changes_do_not_wait_for_a_cell_that_is_busy() -> None:
    made: list[int] = []

    async def cell() -> None:
        screen = Screen()
        thread = from_thread(lambda: screen.change(lambda: made.append(threading.get_ident())))
        thread.join(5)  # the loop stands still
        assert len(made) == 1
        await asyncio.sleep(0.05)  # what waited on the loop must not be made a second time

    asyncio.run(cell())
    assert len(made) == 1
    assert made != [threading.get_ident()]


def test_kernel_that_refuses_other_threads_gets_the_change_later() -> None:
    made: list[int] = []

    def change() -> None:
        if threading.current_thread() is not threading.main_thread():
            raise LookupError
        made.append(1)

    async def cell() -> None:
        screen = Screen()
        from_thread(lambda: screen.change(change)).join(5)
        assert made == []
        await asyncio.sleep(0.05)

    asyncio.run(cell())
    assert made == [1]


def test_refresher_thins_out_and_tells_errors() -> None:
    fetched: list[float] = []
    shown: list[int] = []
    told: list[str] = []

    def fetch() -> int:
        fetched.append(time.monotonic())
        if len(fetched) == 2:
            raise Unavailable("Nothing answers.")
        return len(fetched)

    refresher = Refresher(Screen(), fetch, shown.append, told.append)
    for _ in range(50):
        refresher.ask()
    end = time.monotonic() + 10
    while not shown and time.monotonic() < end:
        time.sleep(0.01)
    refresher.ask()
    while not told and time.monotonic() < end:
        time.sleep(0.01)
    refresher.close()
    refresher.ask()
    assert told == ["Nothing answers."]
    assert 2 <= len(fetched) <= 3
    assert shown[0] == 1
