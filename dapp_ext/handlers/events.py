"""The feed over HTTP and WebSocket: every event that the account may see, in order, from any cursor on."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Literal

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from dapp_ext.errors import Busy, DappError, Denied, NotSignedIn
from dapp_ext.handlers.backend import Backend
from dapp_ext.handlers.base import DappHandler
from dapp_ext.handlers.frames import Encoder, Frame, Told
from dapp_ext.handlers.handshake import check_handshake
from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.handlers.queries import EventsQuery, FeedQuery
from dapp_ext.handlers.wire import read_query
from dapp_ext.logs import outline
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.events import Event, EventPage

if TYPE_CHECKING:
    from dapp_ext.services.events import Subscription

SUBPROTOCOL = "dapp.v1"
TICKET_PREFIX = "dapp.ticket."
HEARTBEAT_SECONDS = 15.0
CHECK_SECONDS = 1.0
QUEUE_LENGTH = 1000
REPLAY_PAGE = 500
MOST_SOCKETS = 1000
MOST_PER_ACCOUNT = 64
SESSION_ENDED = 4401
READER_TOO_SLOW = 4408
RESTART = 1012


def index(call: Call[EventsQuery, Nothing]) -> EventPage:
    events = call.services.events
    if call.query.recent:
        head = events.head()  # asked first: what happens in between is told twice rather than never
        return EventPage(items=events.recent(call.actor, limit=call.query.limit)[::-1], next=head)
    return events.page(call.actor, call.query.after, limit=call.query.limit)


ENCODER = Encoder()


def notice(kind: Literal["hello", "heartbeat", "reset"], cursor: str) -> str:
    """A frame that carries no event."""
    return json.dumps({"type": kind, "cursor": cursor})


class FeedSocket(WebSocketHandler, DappHandler):
    """One follower of the feed.

    Jupyter's WebSocketMixin is left out: it lets any page in that holds Jupyter's token or sends no origin, and counts
    pings in milliseconds where tornado reads seconds. Both are settled here.
    """

    actor: Actor
    _subscription: Subscription | None = None
    _writer: asyncio.Task[None] | None = None
    _left = False
    _is_sending = False

    @property
    def ping_interval(self) -> float:
        return 20.0

    @property
    def ping_timeout(self) -> float:
        return 20.0

    @property
    def max_message_size(self) -> int:
        return 64 * 1024

    # -- the handshake ------------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        self.forget_jupyter()
        self.refuse_foreign_host()
        check_handshake(self.request.headers, "Read the feed by GET /events.")
        query = read_query(FeedQuery, self.request.query_arguments)
        has_header = self.credential() is not None
        self._refuse_foreign_page(has_header)
        self.actor = await (self.authenticate() if has_header else self._redeem())
        self._refuse_crowd()
        services = await self.backend.services()
        self._after = query.after
        # Asked before the upgrade, so that a cursor that nobody gave out is answered by an error that can be read.
        self._page = await self.backend.call(self._first_page, services, query.after)

    def _refuse_foreign_page(self, has_header: bool) -> None:
        """Browsers let any page open a socket anywhere, so its origin must be ours; a script has none, but a header."""
        if self.get_origin() is None and not has_header:
            raise NotSignedIn("A program shows its access token in the header Authorization; a ticket is for a browser's page.")
        if not self.origin_is_ours() and self.get_origin() is not None:
            raise Denied("The feed was asked for by a page of another site. Add its origin to DAPP_ALLOW_ORIGIN if you trust it.")

    def check_origin(self, origin: str) -> bool:
        """Checked in :meth:`prepare`, before a ticket is used up."""
        return True

    async def _redeem(self) -> Actor:
        offered = [each.strip() for each in self.request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        tickets = [each.removeprefix(TICKET_PREFIX) for each in offered if each.startswith(TICKET_PREFIX)]
        if len(tickets) != 1:
            raise NotSignedIn
        services = await self.backend.services()
        return await self.backend.call(services.accounts.redeem_ticket, tickets[0], "websocket", address=self.address)

    def _refuse_crowd(self) -> None:
        mine = sum(1 for each in self.backend.sockets if each.actor.account_id == self.actor.account_id)
        if mine >= MOST_PER_ACCOUNT or len(self.backend.sockets) >= MOST_SOCKETS:
            raise Busy("Too many screens follow the feed already. Close some of them.")

    def _first_page(self, services: Any, after: str | None) -> EventPage:
        if after is None:
            return EventPage(items=[], next=services.events.head())
        page: EventPage = services.events.page(self.actor, after, limit=REPLAY_PAGE)
        return page

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None

    @allow_unauthenticated
    async def get(self, **path: str) -> None:
        await super().get()

    # -- the line -----------------------------------------------------------------------------------------------

    def open(self, *args: str, **kwargs: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(QUEUE_LENGTH)
        self._cursor = self._page.next if self._page.reset or self._after is None else self._after
        self.backend.sockets.add(self)
        self.backend.metrics.connected(len(self.backend.sockets))
        self._writer = self.backend.spawn(self._follow())
        if not self.backend.sessions_watched:
            self.backend.sessions_watched = True
            self.backend.spawn(watch_sessions(self.backend))

    async def _follow(self) -> None:
        try:
            await self.write_message(notice("hello", self._cursor))
            await self._replay()
            services = await self.backend.services()
            self._subscription = await self.backend.call(services.events.subscribe, self.actor, self._deliver, self._cursor)
            if self._left:  # while it was made
                await self._unsubscribe()
            await self._write()
        except (WebSocketClosedError, asyncio.CancelledError):
            pass  # on_close cleans up
        except Exception as error:  # noqa: BLE001  told in the log and to the follower
            self.log.error("The feed of request %s broke:\n%s", self.request_id, outline(error))
            self.leave(1011, self._cursor)

    async def _replay(self) -> None:
        """Send what was missed, page by page, as fast as it is read; what happens meanwhile follows by itself."""
        page = self._page
        if page.reset:
            await self.write_message(notice("reset", page.next))
        services = await self.backend.services()
        while True:
            for event in page.items:
                await self.write_message(ENCODER.frame(event).text)
                self.backend.metrics.told()
                self._cursor = event.id
            self._cursor = page.next
            if not page.more:
                return
            page = await self.backend.call(services.events.page, self.actor, page.next, limit=REPLAY_PAGE)

    def _deliver(self, event: Event) -> None:
        """Called on the feed's thread."""
        changes_rights = event.type == "user.changed" and event.subject.id == self.actor.account_id
        self.backend.crowd.tell(self._loop, self.take, Told(event.id, ENCODER.frame(event), changes_rights))

    def take(self, told: Told) -> None:
        """Send an event at once where nothing is before it, else when its turn comes."""
        if self._left:
            return
        if told.changes_rights:
            # What this line may carry was decided by the role that it began with.
            self.leave(RESTART, self._cursor)
            return
        if not self._is_sending and self._queue.empty():
            self._send(told.cursor, told.frame)
        elif self._queue.full():
            self.leave(READER_TOO_SLOW, self._cursor)
        else:
            self._queue.put_nowait((told.cursor, told.frame.text))

    def _send(self, cursor: str, frame: Frame) -> None:
        """The bytes that are the same for everybody, without a task for each socket."""
        if self.ws_connection is None:
            return
        try:
            sent = self.ws_connection.stream.write(frame.wire)
        except StreamClosedError:
            return  # tornado has noticed, and on_close follows
        self.backend.metrics.told()
        self._cursor = cursor
        if not sent.done():  # the reader is behind: what follows waits in the queue
            self._is_sending = True
            sent.add_done_callback(self._sent)

    def _sent(self, sent: asyncio.Future[None]) -> None:
        self._is_sending = False

    async def _write(self) -> None:
        beat = self._loop.time() + HEARTBEAT_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(beat):
                    cursor, frame = await self._queue.get()
            except TimeoutError:
                beat = self._loop.time() + HEARTBEAT_SECONDS
                await self.write_message(notice("heartbeat", self._cursor))
                continue
            self._is_sending = True
            await self.write_message(frame)
            self._is_sending = False
            self.backend.metrics.told()
            self._cursor = cursor

    def on_message(self, message: str | bytes) -> None:
        """The feed only speaks; whatever is sent to it ends the line."""
        self.leave(1003, "The feed takes no messages.")

    def leave(self, code: int, reason: str) -> None:
        """Say goodbye; what still waits is not sent, the follower comes back with its cursor."""
        if not self._left:
            self.close(code, reason)
            self._forget()

    def on_close(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._left = True
        self.backend.sockets.discard(self)
        self.backend.metrics.connected(len(self.backend.sockets))
        if self._writer is not None and self._writer is not asyncio.current_task():
            self._writer.cancel()
        if self._subscription is not None:
            self.backend.spawn(self._unsubscribe())

    async def _unsubscribe(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await self.backend.give_back(subscription.close)


async def watch_sessions(backend: Backend) -> None:
    """End the lines of sessions that have ended, within a second; runs while anybody follows."""
    try:
        while backend.sockets:
            await asyncio.sleep(CHECK_SECONDS)
            for session_id, actor in {each.actor.session_id: each.actor for each in backend.sockets}.items():
                if not await _is_live(backend, actor):
                    for socket in [each for each in backend.sockets if each.actor.session_id == session_id]:
                        socket.leave(SESSION_ENDED, "Your sign-in has ended.")
    finally:
        backend.sessions_watched = False


async def _is_live(backend: Backend, actor: Actor) -> bool:
    try:
        services = await backend.services()
        return await backend.call(services.accounts.is_live, actor)
    except DappError as error:  # a database that does not answer proves nothing; the next look does
        backend.log.warning("Sessions could not be checked and are checked again: %s", error.message)
        return True
