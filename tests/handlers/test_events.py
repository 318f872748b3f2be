"""The feed as a WebSocket: who may open it, what it says, and how it is resumed without a gap."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from dapp_ext.handlers import events
from dapp_ext.handlers.backend import Backend
from dapp_ext.handlers.events import FeedSocket
from dapp_ext.handlers.frames import Encoder, Frame, Told, on_the_wire
from dapp_ext.schema.accounts import AccountUpdate, LoginRequest, Role
from dapp_ext.schema.base import Subject, now
from dapp_ext.schema.events import Event
from tests.handlers.serving import API, CSV, PASSWORD, Caller

Connect = Callable[..., Awaitable[WebSocketClientConnection]]


@pytest.fixture
def connect(http_server: Any, jp_http_port: int, services: Any) -> Connect:
    """Opens a WebSocket as a script does, or as a browser with an origin does."""

    async def open_it(*, token: str = "", ticket: str = "", after: str = "", headers: dict[str, str] | None = None) -> WebSocketClientConnection:
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        query = f"?after={after}" if after else ""
        url = f"ws://127.0.0.1:{jp_http_port}/a%40b/{API}/events/ws{query}"
        offered = ["dapp.v1", f"dapp.ticket.{ticket}"] if ticket else None
        return await websocket_connect(HTTPRequest(url, headers=sent), subprotocols=offered)

    return open_it


@asynccontextmanager
async def line(connecting: Awaitable[WebSocketClientConnection]) -> AsyncIterator[WebSocketClientConnection]:
    socket = await connecting
    try:
        yield socket
    finally:
        socket.close()
        async with asyncio.timeout(10):
            while await socket.read_message() is not None:
                pass


async def frame(socket: WebSocketClientConnection) -> dict[str, Any]:
    text = await asyncio.wait_for(socket.read_message(), 10)
    assert text is not None, (socket.close_code, socket.close_reason)
    found: dict[str, Any] = json.loads(text)
    return found


async def refused(connecting: Awaitable[WebSocketClientConnection]) -> tuple[int, str]:
    with pytest.raises(HTTPClientError) as error:
        await connecting
    assert error.value.response is not None
    return error.value.code, json.loads(error.value.response.body)["error"]["code"]


async def ended(socket: WebSocketClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(10):
        while await socket.read_message() is not None:
            pass
    code, reason = socket.close_code, socket.close_reason
    socket.close()
    return code, reason


def own_origin(port: int) -> dict[str, str]:
    return {"Origin": f"http://127.0.0.1:{port}"}


async def _ticket(caller: Caller) -> str:
    return str((await caller("POST", "/auth/ticket", {"purpose": "websocket"})).json["ticket"])


# -- who gets in --------------------------------------------------------------------------------------------------


async def test_a_script_comes_with_its_token(owner: Caller, connect: Connect, services: Any) -> None:
    async with line(connect(token=owner.token)) as socket:
        assert await frame(socket) == {"type": "hello", "cursor": services.events.head()}
        assert socket.selected_subprotocol is None


async def test_a_script_may_use_the_other_header(owner: Caller, connect: Connect) -> None:
    async with line(connect(headers={"X-DAPP-Authorization": f"Bearer {owner.token}", "Authorization": "token of-jupyter"})) as socket:
        assert (await frame(socket))["type"] == "hello"


async def test_a_browser_comes_with_a_ticket_that_is_good_once(owner: Caller, connect: Connect, jp_http_port: int) -> None:
    ticket = await _ticket(owner)
    async with line(connect(ticket=ticket, headers=own_origin(jp_http_port))) as socket:
        assert socket.selected_subprotocol == "dapp.v1"
        assert (await frame(socket))["type"] == "hello"
    assert await refused(connect(ticket=ticket, headers=own_origin(jp_http_port))) == (401, "not_signed_in")


async def test_nobody_else_gets_in(connect: Connect, owner: Caller, jp_auth_header: dict[str, str], jp_http_port: int) -> None:
    assert await refused(connect(token="x.y.z")) == (401, "not_signed_in")
    assert await refused(connect(headers={**own_origin(jp_http_port), **jp_auth_header})) == (401, "not_signed_in")
    assert await refused(connect(ticket="guessed", headers=own_origin(jp_http_port))) == (401, "not_signed_in")
    other = (await owner("POST", "/auth/ticket", {"purpose": "dashboard"})).json["ticket"]
    assert await refused(connect(ticket=other, headers=own_origin(jp_http_port))) == (401, "not_signed_in")


async def test_a_ticket_is_dead_with_the_password_that_it_was_asked_under(
    nobody: Caller, signed_in: Callable[[Role], Caller], connect: Connect, jp_http_port: int
) -> None:
    analyst = signed_in(Role.analyst)
    ticket = await _ticket(analyst)
    changed = {"current_password": PASSWORD, "new_password": "quite other words 99"}
    assert (await analyst("POST", "/auth/password", changed)).status == 204
    assert await refused(connect(ticket=ticket, headers=own_origin(jp_http_port))) == (401, "not_signed_in")
    async with line(connect(ticket=await _ticket(analyst), headers=own_origin(jp_http_port))) as socket:
        assert (await frame(socket))["type"] == "hello"


@pytest.mark.parametrize(("method", "path", "body"), [("PATCH", "", {"role": "viewer"}), ("DELETE", "/sessions", None), ("POST", "/reset", None)])
async def test_a_ticket_is_dead_with_what_an_administrator_changes(
    owner: Caller, signed_in: Callable[[Role], Caller], connect: Connect, jp_http_port: int, method: str, path: str, body: Any
) -> None:
    analyst = signed_in(Role.analyst)
    ticket, account = await _ticket(analyst), (await analyst("GET", "/auth/me")).json["id"]
    assert (await owner(method, f"/users/{account}{path}", body)).status < 300
    assert await refused(connect(ticket=ticket, headers=own_origin(jp_http_port))) == (401, "not_signed_in")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://127.0.0.1:{port}.evil.example",
        "http://evil.example#127.0.0.1:{port}",
        "ftp://127.0.0.1:{port}",
        "127.0.0.1:{port}",
    ],
)
async def test_a_page_of_another_origin_is_refused_and_burns_no_ticket(owner: Caller, connect: Connect, jp_http_port: int, origin: str) -> None:
    ticket = await _ticket(owner)
    foreign = {"Origin": origin.format(port=jp_http_port)}
    assert await refused(connect(ticket=ticket, headers=foreign)) == (403, "denied")
    assert await refused(connect(token=owner.token, headers=foreign)) == (403, "denied")
    async with line(connect(ticket=ticket, headers=own_origin(jp_http_port))) as socket:
        assert (await frame(socket))["type"] == "hello"


async def test_a_ticket_without_an_origin_is_refused(owner: Caller, connect: Connect) -> None:
    assert await refused(connect(ticket=await _ticket(owner))) == (401, "not_signed_in")


async def test_an_allowed_origin_gets_in(owner: Caller, connect: Connect, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backend, "allowed_origins", lambda self: frozenset({"https://lab.example"}))
    async with line(connect(ticket=await _ticket(owner), headers={"Origin": "https://Lab.example"})) as socket:
        assert (await frame(socket))["type"] == "hello"


def test_origins_are_those_of_the_settings() -> None:
    import logging

    backend = Backend(
        {"home": "/nowhere", "allow_origin": "https://A.example/, http://b.example:81", "public_url": "https://dapp.example/x"},
        logging.getLogger(),
        lambda _: None,
    )
    assert backend.allowed_origins() == {"https://a.example", "http://b.example:81", "https://dapp.example"}


async def test_a_cursor_that_nobody_gave_out_is_refused(owner: Caller, connect: Connect) -> None:
    assert await refused(connect(token=owner.token, after="nonsense")) == (400, "cursor_invalid")


async def test_it_speaks_websocket_only(owner: Caller) -> None:
    answer = await owner("GET", "/events/ws")
    assert (answer.status, answer.code) == (400, "malformed")


async def test_a_crowd_is_sent_away(owner: Caller, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_PER_ACCOUNT", 1)
    async with line(connect(token=owner.token)) as socket:
        await frame(socket)
        assert await refused(connect(token=owner.token)) == (503, "busy")


# -- what it says -------------------------------------------------------------------------------------------------


async def test_what_happens_is_told_at_once(owner: Caller, connect: Connect) -> None:
    async with line(connect(token=owner.token)) as socket:
        await frame(socket)
        made = (await owner("POST", "/datasets", CSV, filename="a.csv")).json
        told = [await frame(socket) for _ in range(2)]
        uploaded = next(each["event"] for each in told if each["event"]["type"] == "dataset.uploaded")
        assert uploaded["subject"] == {"kind": "dataset", "id": made["id"]}
        assert uploaded["data"] == {"name": "a", "status": "processing", "version": 1}
        page = (await owner("GET", "/events")).json
        assert [each["event"] for each in told] == page["items"][-2:]


async def test_it_is_resumed_without_a_gap_or_a_double(owner: Caller, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "REPLAY_PAGE", 3)  # several pages are replayed
    async with line(connect(token=owner.token)) as socket:
        start = (await frame(socket))["cursor"]
    for number in range(5):
        await owner("POST", "/datasets", CSV, filename=f"{number}.csv")
    expected = (await owner("GET", "/events", after=start)).json["items"]
    assert len(expected) == 10
    async with line(connect(token=owner.token, after=start)) as socket:
        assert await frame(socket) == {"type": "hello", "cursor": start}
        heard = [(await frame(socket))["event"] for _ in range(7)]
        middle = heard[3]["id"]
        await owner("POST", "/datasets", CSV, filename="live.csv")
        heard += [(await frame(socket))["event"] for _ in range(5)]
    assert heard[:10] == expected
    assert [each["data"].get("name") or each["data"]["subject_name"] for each in heard[10:]] == ["live", "live"]
    async with line(connect(token=owner.token, after=middle)) as socket:
        await frame(socket)
        assert [(await frame(socket))["event"] for _ in range(8)] == heard[4:]


async def test_a_cursor_from_before_a_restore_is_told_to_start_anew(owner: Caller, connect: Connect, services: Any) -> None:
    epoch, _, number = services.events.head().partition(".")
    before = f"{'0' * len(epoch)}.{number}"
    async with line(connect(token=owner.token, after=before)) as socket:
        head = services.events.head()
        assert [await frame(socket), await frame(socket)] == [{"type": "hello", "cursor": head}, {"type": "reset", "cursor": head}]
        await owner("POST", "/datasets", CSV, filename="a.csv")
        assert (await frame(socket))["type"] == "event"


async def test_others_private_things_are_not_told(owner: Caller, signed_in: Callable[[Role], Caller], connect: Connect) -> None:
    viewer = signed_in(Role.viewer)
    async with line(connect(token=viewer.token)) as socket:
        await frame(socket)
        await owner("POST", "/datasets", CSV, filename="hidden.csv", visibility="private")
        await owner("POST", "/datasets", CSV, filename="shared.csv")
        told = await frame(socket)
        assert "hidden" not in json.dumps(told)
        assert "shared" in json.dumps(told)


async def test_it_beats_while_nothing_happens(owner: Caller, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.05)
    async with line(connect(token=owner.token)) as socket:
        cursor = (await frame(socket))["cursor"]
        assert [await frame(socket) for _ in range(2)] == [{"type": "heartbeat", "cursor": cursor}] * 2


def test_an_event_is_encoded_once_for_all() -> None:
    encoder = Encoder(kept=1)
    one = Event(id="e.1", type="job.progress", at=now(), subject=Subject(kind="job", id="j"), data={"name": "ä"})
    same = one.model_copy()
    frame = encoder.frame(one)
    assert encoder.frame(same) is frame
    assert json.loads(frame.text)["event"]["data"] == {"name": "ä"}
    assert encoder.frame(one.model_copy(update={"data": {"name": "b"}})) != frame


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
async def test_long_and_short_events_arrive_whole(owner: Caller, connect: Connect, backend: Backend, size: int) -> None:
    async with line(connect(token=owner.token)) as socket:
        await frame(socket)
        (follower,) = backend.sockets
        for number in range(2):
            text = json.dumps({"text": "ä" * (size // 2), "number": number}, ensure_ascii=False)
            follower.take(Told(str(number), Frame(text, on_the_wire(text.encode())), changes_rights=False))
        for number in range(2):
            assert await frame(socket) == {"text": "ä" * (size // 2), "number": number}


# -- how it ends --------------------------------------------------------------------------------------------------


async def test_the_end_of_the_session_ends_it(owner: Caller, connect: Connect, jp_http_port: int) -> None:
    sockets = [await connect(token=owner.token), await connect(ticket=await _ticket(owner), headers=own_origin(jp_http_port))]
    for socket in sockets:
        await frame(socket)
    await owner("POST", "/auth/logout")
    for socket in sockets:
        assert (await ended(socket))[0] == 4401


async def test_other_sessions_go_on(owner: Caller, connect: Connect, services: Any, signed_in: Callable[[Role], Caller]) -> None:
    one = signed_in(Role.analyst)
    other = services.accounts.login(LoginRequest(email="analyst@example.org", password=PASSWORD)).access_token
    async with line(connect(token=other)) as staying:
        await frame(staying)
        leaving = await connect(token=one.token)
        await one("POST", "/auth/logout")
        assert (await ended(leaving))[0] == 4401
        await owner("POST", "/datasets", CSV, filename="a.csv")
        while (told := await frame(staying))["event"]["type"] != "dataset.uploaded":
            assert told["type"] == "event"


async def test_a_new_role_begins_a_new_line(owner: Caller, connect: Connect, services: Any, signed_in: Callable[[Role], Caller]) -> None:
    viewer = signed_in(Role.viewer)
    account = (await viewer("GET", "/auth/me")).json["id"]
    socket = await connect(token=viewer.token)
    cursor = (await frame(socket))["cursor"]
    services.accounts.update(services.system.shell_actor(), account, AccountUpdate(role=Role.admin))
    assert await ended(socket) == (1012, cursor)


async def test_a_slow_reader_is_dropped_and_comes_back(owner: Caller, connect: Connect, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "QUEUE_LENGTH", 3)
    stuck = asyncio.Event()
    write = FeedSocket.write_message

    async def slow(self: FeedSocket, message: Any, binary: bool = False) -> None:
        if '"event"' in message:
            await stuck.wait()
        await write(self, message, binary)

    def full(self: FeedSocket, cursor: str, frame: Frame) -> None:
        if stuck.is_set():
            send(self, cursor, frame)
        self._is_sending = not stuck.is_set()

    send = FeedSocket._send
    monkeypatch.setattr(FeedSocket, "write_message", slow)
    monkeypatch.setattr(FeedSocket, "_send", full)
    socket = await connect(token=owner.token)
    cursor = (await frame(socket))["cursor"]
    for number in range(4):
        await owner("POST", "/datasets", CSV, filename=f"{number}.csv")
    assert await ended(socket) == (4408, cursor)
    assert backend.sockets == set()
    stuck.set()
    async with line(connect(token=owner.token, after=cursor)) as again:
        await frame(again)
        assert [(await frame(again))["type"] for _ in range(8)] == ["event"] * 8


async def test_whoever_talks_to_it_is_cut_off(owner: Caller, connect: Connect) -> None:
    socket = await connect(token=owner.token)
    await frame(socket)
    await socket.write_message("hello?")
    assert (await ended(socket))[0] == 1003


async def test_the_servers_end_says_to_come_back(owner: Caller, connect: Connect, jp_serverapp: Any) -> None:
    socket = await connect(token=owner.token)
    await frame(socket)
    closing = asyncio.create_task(jp_serverapp.cleanup_extensions())
    assert (await ended(socket))[0] == 1012
    await closing
