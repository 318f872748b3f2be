"""The live feed against a WebSocket server that drops, refuses and resets as the test says."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.http11 import Request, Response
from websockets.sync.server import Server as SocketServer
from websockets.sync.server import ServerConnection, serve

from dapp_ext.client.auth import SignIn
from dapp_ext.client.discovery import Server
from dapp_ext.client.live import LiveFeed, wait_until
from dapp_ext.errors import Invalid, NotSignedIn, TimeExceeded, Unavailable
from dapp_ext.schema.events import Event

from .scripted import tokens

SECONDS = 10


def event(number: int, type: str = "dataset.ready", subject: str = "d1") -> dict[str, object]:
    return {"id": f"c{number}", "type": type, "at": "2024-01-31T12:00:00Z", "subject": {"kind": "dataset", "id": subject}, "data": {"name": "x"}}


@dataclass
class Feed:
    """What the test's server does: ``play`` gets each connection and its number."""

    url: str
    cursors: list[str | None] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)


@contextmanager
def feeding(play: Callable[[ServerConnection, int], None], refuse: Callable[[int], int | None] = lambda number: None) -> Iterator[Feed]:
    feed = Feed("")

    def check(connection: ServerConnection, request: Request) -> Response | None:
        feed.headers.append(request.headers.get("Authorization", ""))
        status = refuse(len(feed.headers))
        return connection.respond(status, "no") if status else None

    def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        cursor = parse_qs(urlsplit(connection.request.path).query).get("after", [None])[0]
        feed.cursors.append(cursor)
        connection.send(json.dumps({"type": "hello", "cursor": cursor or "c0"}))
        play(connection, len(feed.cursors))

    server: SocketServer
    with serve(handle, "127.0.0.1", 0, process_request=check) as server:
        feed.url = f"http://127.0.0.1:{server.socket.getsockname()[1]}/"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield feed
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def listening(feed: Feed) -> Iterator[LiveFeed]:
    server = Server(feed.url, jupyter_token="jt")
    given = iter(range(1, 100))
    live = LiveFeed(server, SignIn(server, lambda path, body, headers: tokens(next(given))[1]))
    try:
        yield live
    finally:
        live.close()


def until_closed(connection: ServerConnection) -> None:
    for _ in connection:
        pass


def test_events_arrive_by_pattern() -> None:
    def play(connection: ServerConnection, number: int) -> None:
        for at, type in enumerate(("dataset.ready", "model.trial", "model.trained"), 1):
            connection.send(json.dumps({"type": "event", "event": event(at, type)}))
        connection.send(json.dumps({"type": "heartbeat", "cursor": "c9"}))
        until_closed(connection)

    heard: Queue[str] = Queue()
    every: Queue[str] = Queue()
    with feeding(play) as feed, listening(feed) as live:
        live.on("model.*", lambda each: heard.put(each.type))
        live.on("*", lambda each: every.put(each.type))
        live.start(wait=SECONDS)
        assert live.connected
        assert [heard.get(timeout=SECONDS), heard.get(timeout=SECONDS)] == ["model.trial", "model.trained"]
        assert [every.get(timeout=SECONDS) for _ in range(3)] == ["dataset.ready", "model.trial", "model.trained"]
        assert live.cursor == "c3"  # a heartbeat may be ahead of events under way
    assert live.state == "closed"


def test_lost_connection_is_resumed_where_it_ended() -> None:
    def play(connection: ServerConnection, number: int) -> None:
        if number < 3:
            connection.send(json.dumps({"type": "event", "event": event(number)}))
            connection.close(4408 if number == 1 else 1012)
            return
        connection.send(json.dumps({"type": "event", "event": event(3)}))
        until_closed(connection)

    heard: Queue[str] = Queue()
    with feeding(play) as feed, listening(feed) as live:
        live.on("*", lambda each: heard.put(each.id))
        live.start(wait=SECONDS)
        assert [heard.get(timeout=SECONDS) for _ in range(3)] == ["c1", "c2", "c3"]
    assert feed.cursors == [None, "c1", "c2"]


def test_reset_makes_watchers_look_anew() -> None:
    def play(connection: ServerConnection, number: int) -> None:
        if number == 1:
            connection.send(json.dumps({"type": "event", "event": event(1)}))
            connection.send(json.dumps({"type": "reset", "cursor": "c70"}))
            connection.close(1012)
            return
        until_closed(connection)

    looks: Queue[str | None] = Queue()
    with feeding(play) as feed, listening(feed) as live:
        live.watch(lambda each: looks.put(each.id if each else None))
        live.start(wait=SECONDS)
        assert [looks.get(timeout=SECONDS) for _ in range(4)] == [None, "c1", None, None]  # hello, event, reset, hello
    assert feed.cursors == [None, "c70"]


def test_ended_session_is_renewed_and_then_given_up(caplog: pytest.LogCaptureFixture) -> None:
    def play(connection: ServerConnection, number: int) -> None:
        connection.close(4401)

    with feeding(play, lambda number: 401 if number > 2 else None) as feed, listening(feed) as live, caplog.at_level(logging.WARNING):
        live.start()
        assert live._thread is not None
        live._thread.join(SECONDS)
        assert live.state == "ended"
        with pytest.raises(NotSignedIn):
            live.start(wait=SECONDS)
    assert "has ended" in caplog.text


def test_refused_at_the_door() -> None:
    with feeding(lambda connection, number: None, lambda number: 401) as feed, listening(feed) as live:
        with pytest.raises(NotSignedIn):
            live.start(wait=SECONDS)
        assert len(feed.headers) == 2  # once more with a renewed token, then no more
        assert live.state == "ended"


def test_unreachable_feed_keeps_trying_and_close_ends_it() -> None:
    def stay(connection: ServerConnection, number: int) -> None:
        until_closed(connection)

    with feeding(stay, lambda number: 503 if number < 3 else None) as feed, listening(feed) as live:
        live.start(wait=SECONDS)
        assert live.connected
        assert len(feed.headers) == 3
    with pytest.raises(Unavailable, match="closed"):
        live.start()


def test_broken_callback_does_not_silence_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def play(connection: ServerConnection, number: int) -> None:
        connection.send(json.dumps({"type": "event", "event": {"of": "another version"}}))
        connection.send(json.dumps({"type": "event", "event": event(1)}))
        until_closed(connection)

    heard: Queue[str] = Queue()

    def broken(each: Event) -> None:
        raise RuntimeError("of the user")

    with feeding(play) as feed, listening(feed) as live:
        live.on("*", broken)
        live.on("*", lambda each: heard.put(each.id))
        live.start(wait=SECONDS)
        assert heard.get(timeout=SECONDS) == "c1"
    assert "A callback on the live feed failed" in caplog.text
    assert "left out" in caplog.text


def test_closed_subscription_hears_nothing() -> None:
    go = threading.Event()

    def play(connection: ServerConnection, number: int) -> None:
        go.wait(SECONDS)
        connection.send(json.dumps({"type": "event", "event": event(1)}))
        until_closed(connection)

    first: list[str] = []
    second: Queue[str] = Queue()
    with feeding(play) as feed, listening(feed) as live:
        with live.on("*", lambda each: first.append(each.id)) as subscription:
            live.start(wait=SECONDS)
        subscription.close()
        live.on("*", lambda each: second.put(each.id))
        go.set()
        assert second.get(timeout=SECONDS) == "c1"
    assert first == []
    with pytest.raises(Invalid):
        live.on("", print)


def test_waiting_wakes_with_the_event() -> None:
    ready = threading.Event()

    def play(connection: ServerConnection, number: int) -> None:
        ready.wait(SECONDS)
        connection.send(json.dumps({"type": "event", "event": event(1, subject="mine")}))
        until_closed(connection)

    looks = 0

    def look() -> str | None:
        nonlocal looks
        looks += 1
        if looks == 2:  # connected by now: from here on only the event can be as quick
            ready.set()
        return "done" if ready.is_set() and looks > 2 else None

    with feeding(play) as feed, listening(feed) as live:
        assert wait_until(live, look, lambda each: each.subject.id == "mine", timeout=SECONDS) == "done"


def test_waiting_goes_on_without_a_feed() -> None:
    counts = iter([None, None, "done"])
    with feeding(lambda connection, number: None, lambda number: 503) as feed, listening(feed) as live:
        assert wait_until(live, lambda: next(counts), lambda each: True, timeout=SECONDS) == "done"
        with pytest.raises(TimeExceeded, match="goes on"):
            wait_until(live, lambda: None, lambda each: True, timeout=0.05)


def test_waiting_outlives_a_server_that_is_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([None, Unavailable("Nothing answers."), Unavailable("Nothing answers."), "done"])

    def look() -> str | None:
        answer = next(answers, None) or None
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    def gone() -> None:
        raise Unavailable("Nothing answers.")

    with feeding(lambda connection, number: None, lambda number: 503) as feed, listening(feed) as live:
        assert wait_until(live, look, lambda each: True, timeout=SECONDS) == "done"
        with pytest.raises(Unavailable):
            wait_until(live, gone, lambda each: True, timeout=SECONDS)
        monkeypatch.setattr("dapp_ext.client.live._PATIENCE_SECONDS", 0.1)
        with pytest.raises(Unavailable):
            wait_until(live, _once(gone), lambda each: True, timeout=SECONDS)


def _once(then: Callable[[], None]) -> Callable[[], None]:
    """Looks well once."""
    looks = iter([lambda: None])
    return lambda: next(looks, then)()
