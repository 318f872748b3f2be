"""The feed: complete, in order, once, and only what one may see."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from dapp_ext.errors import CursorInvalid
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.events import PAYLOADS, Event
from dapp_ext.services import Services, open_services
from dapp_ext.settings import Settings

Upload = Callable[..., DatasetRead]
DATA = b"a,b\n1,2\n"


def _wait(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_a_change_in_one_process_is_heard_in_another_at_once(settings: Settings, services: Services, owner: Actor, upload: Upload) -> None:
    heard: list[Event] = []
    with open_services(settings) as other:
        other.events.subscribe(owner, heard.append)
        upload(owner, DATA)
        began = time.monotonic()  # writing the file is the disk's time, not that of the news
        assert _wait(lambda: len(heard) == 2)
        assert time.monotonic() - began < 1.0
    assert [event.type for event in heard] == ["job.queued", "dataset.uploaded"]
    for event in heard:
        PAYLOADS[event.type].model_validate(event.data)


def test_resuming_misses_nothing_and_repeats_nothing(services: Services, owner: Actor, upload: Upload) -> None:
    start = services.events.head()
    stop = threading.Event()

    def produce() -> None:
        while not stop.is_set():
            upload(owner, DATA)

    producer = threading.Thread(target=produce)
    producer.start()
    received: list[str] = []
    cursor = start
    for _ in range(6):
        part: list[Event] = []
        subscription = services.events.subscribe(owner, part.append, after=cursor)
        assert _wait(lambda part=part: len(part) >= 5)
        subscription.close()
        got = list(part)
        received += [event.id for event in got]
        cursor = got[-1].id
    stop.set()
    producer.join()
    everything = [event.id for event in services.events.page(owner, start, 1000).items]
    assert received == everything[: len(received)]


def test_what_was_read_is_not_told_again_where_the_feed_is_behind(services: Services, owner: Actor, upload: Upload) -> None:
    held, go_on, heard = threading.Event(), threading.Event(), list[Event]()

    def hold(_: Event) -> None:
        held.set()
        go_on.wait(10)

    services.events.subscribe(owner, hold)
    upload(owner, DATA)
    assert held.wait(5)
    upload(owner, DATA)
    cursor = services.events.head()  # the feed of this process stands two uploads before it
    services.events.subscribe(owner, heard.append, after=cursor)
    go_on.set()
    upload(owner, DATA)
    assert _wait(lambda: len(heard) >= 2)
    assert [each.id for each in heard] == [each.id for each in services.events.page(owner, cursor).items]


def test_a_page_goes_on_where_the_last_ended(services: Services, owner: Actor, upload: Upload) -> None:
    for _ in range(4):
        upload(owner, DATA)
    first = services.events.page(owner, None, limit=3)
    rest = services.events.page(owner, first.next, limit=1000)
    assert first.more
    assert not rest.more
    ids = [event.id for event in (*first.items, *rest.items)]
    assert len(set(ids)) == len(ids)
    assert services.events.page(owner, rest.next).items == []


def test_private_things_are_told_to_their_owner_only(services: Services, owner: Actor, person: Callable[[str, Role], Actor], upload: Upload) -> None:
    ada, alan = person("ada", Role.analyst), person("alan", Role.analyst)
    start = services.events.head()
    heard: list[Event] = []
    services.events.subscribe(alan, heard.append)
    upload(ada, DATA, visibility="private")
    upload(ada, DATA)
    assert _wait(lambda: len(heard) == 2)
    assert len(services.events.page(ada, start).items) == 4
    assert len(services.events.page(alan, start).items) == 2


def test_accounts_are_told_of_to_admins(services: Services, owner: Actor, person: Callable[[str, Role], Actor]) -> None:
    ada = person("ada", Role.analyst)
    person("alan", Role.analyst)
    assert {event.data["name"] for event in services.events.page(ada, None).items if event.type == "user.created"} == {"Ada"}
    assert {"Ada", "Alan"} <= {event.data["name"] for event in services.events.page(owner, None).items}


@pytest.mark.parametrize("cursor", ["", "1", "x.1", "....", "1 OR 1=1", "\u0661.\u0661"])
def test_cursors_that_were_not_given_out_are_refused(services: Services, owner: Actor, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        services.events.page(owner, cursor)


def test_a_cursor_of_another_epoch_says_start_anew(services: Services, owner: Actor) -> None:
    page = services.events.page(owner, "0" * 12 + ".5")
    assert page.reset
    assert page.items == []


def test_a_broken_reader_does_not_stop_the_others(services: Services, owner: Actor, upload: Upload, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []

    def broken(_event: Event) -> None:
        raise RuntimeError("this reader is broken")

    services.events.subscribe(owner, broken)
    services.events.subscribe(owner, heard.append)
    upload(owner, DATA)
    upload(owner, DATA)
    assert _wait(lambda: len(heard) == 4)
    assert "is dropped" in caplog.text


def test_recent_is_newest_first_without_small_steps(services: Services, owner: Actor, upload: Upload) -> None:
    upload(owner, DATA)
    assert [event.type for event in services.events.recent(owner, 2)] == ["dataset.uploaded", "user.created"]
