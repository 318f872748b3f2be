"""The live feed: a WebSocket on a thread of its own that comes back by itself and misses nothing.

Every event has a cursor. After a lost connection the feed asks for what came after the last one it saw; when the server
says that this is no longer possible (``reset``), watchers are told to look at everything anew.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from dapp_ext.client.auth import SignIn
from dapp_ext.client.certificates import trusted
from dapp_ext.client.discovery import API, Server
from dapp_ext.errors import DappError, Invalid, NotSignedIn, TimeExceeded, Unavailable
from dapp_ext.schema.events import Event

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

log = logging.getLogger(__name__)
T = TypeVar("T")
State = Literal["idle", "connecting", "connected", "reconnecting", "ended", "closed"]

_SILENCE_SECONDS = 40.0  # the server speaks at least every 15 s
_PAUSE_SECONDS = (0.1, 0.3, 1.0, 3.0, 10.0)
_SESSION_ENDED = 4401
_CHANCE = random.Random()  # of our own: a notebook that has seeded `random` draws what it would draw without us
_POLL_CONNECTED, _POLL_ALONE = 3.0, 0.5
_PATIENCE_SECONDS = 120.0


class Subscription:
    """A callback that listens; :meth:`close` ends it. Also a context manager."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close

    def close(self) -> None:
        self._close()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class LiveFeed:
    """Events as they happen.

    Parameters
    ----------
    server : Server
        Where the feed is.
    sign_in : SignIn
        Gives the headers that sign the connection.
    """

    def __init__(self, server: Server, sign_in: SignIn) -> None:
        self._server = server
        self._sign_in = sign_in
        self._watchers: list[Callable[[Event | None], None]] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._socket: ClientConnection | None = None
        self._stop = threading.Event()
        self._settled = threading.Event()
        self._failure: DappError | None = None
        self._used_headers: dict[str, str] = {}
        self.cursor: str | None = None
        self.state: State = "idle"

    @property
    def connected(self) -> bool:
        return self.state == "connected"

    def on(self, pattern: str, callback: Callable[[Event], Any]) -> Subscription:
        """Call back for each event whose type matches, such as ``"model.trained"``, ``"model.*"`` or ``"*"``."""
        if not pattern or not callable(callback):
            raise Invalid('Give a type of event and a function: client.on("model.*", print)')

        def deliver(event: Event | None) -> None:
            if event is not None and fnmatchcase(event.type, pattern):
                callback(event)

        return self.watch(deliver)

    def watch(self, watcher: Callable[[Event | None], None]) -> Subscription:
        """Call back for every event, and with ``None`` when everything should be looked at anew."""
        with self._lock:
            self._watchers.append(watcher)

        def forget() -> None:
            with self._lock, suppress(ValueError):  # closed twice
                self._watchers.remove(watcher)

        return Subscription(forget)

    def start(self, wait: float = 0.0) -> None:
        """Start listening, once; wait up to so many seconds until events are sure to come.

        Raises
        ------
        NotSignedIn
            If the server refuses this sign-in.
        """
        with self._lock:
            if self._stop.is_set():
                raise Unavailable("This client is closed. Make a new one: DAPPClient()")
            if self._thread is None or (self.state == "ended" and self._sign_in.possible):
                self._settled.clear()
                self._failure = None
                self.state = "connecting"
                self._thread = threading.Thread(target=self._run, name="dapp-live", daemon=True)
                self._thread.start()
        if wait > 0 and self._settled.wait(wait) and self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Stop listening and end the thread."""
        self._stop.set()
        with self._lock:
            socket, thread = self._socket, self._thread
        if socket is not None:
            socket.close()
        if thread is not None and thread is not threading.current_thread():
            thread.join(3)
        self.state = "closed"

    def _run(self) -> None:
        tries = 0
        while not self._stop.is_set():
            try:
                if self._listen():
                    tries = 0
            except DappError as error:
                if isinstance(error, NotSignedIn):
                    self._end(error)
                    return
                log.debug("The live feed tries again: %s", error.message)
            if self._stop.is_set():
                return
            self.state = "reconnecting"
            pause = _PAUSE_SECONDS[min(tries, len(_PAUSE_SECONDS) - 1)]
            tries += 1
            # Many clients lose the same server at once; they should not all come back in the same instant.
            self._stop.wait(pause * _CHANCE.uniform(0.8, 1.2))

    def _listen(self) -> bool:
        """One connection, until it ends; true when it had been a good one."""
        from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
        from websockets.sync.client import connect

        headers = self._sign_in.headers()
        greeted = False
        try:
            options: dict[str, Any] = {"proxy": None} if self._server.is_local else {}
            if self._server.url.startswith("https:"):
                options["ssl"] = trusted(self._server.url, self._server.certificate)
            with connect(self._address(), additional_headers=headers, open_timeout=10, close_timeout=1, max_size=1 << 22, **options) as socket:
                with self._lock:
                    self._socket = socket
                while not self._stop.is_set():
                    greeted = self._take(socket.recv(timeout=_SILENCE_SECONDS)) or greeted
        except InvalidStatus as error:
            if error.response.status_code not in (401, 403):
                raise Unavailable() from error
            self._again(headers)
        except ConnectionClosed as error:
            if error.rcvd is not None and error.rcvd.code == _SESSION_ENDED:
                self._again(headers)
        except (OSError, TimeoutError, WebSocketException) as error:
            raise Unavailable() from error
        finally:
            with self._lock:
                self._socket = None
        return greeted

    def _again(self, headers: dict[str, str]) -> None:
        """The credential was refused: renew it, but end when a renewed one is refused too."""
        if headers == self._used_headers:
            raise NotSignedIn("The live feed refused this sign-in. Sign in again with: client.login(email, password)")
        self._sign_in.renew(headers)
        self._used_headers = self._sign_in.headers()

    def _end(self, error: DappError) -> None:
        self.state = "ended"
        self._failure = error
        self._settled.set()
        log.warning("The live feed has ended: %s", error.message)

    def _address(self) -> str:
        base = f"ws{self._server.url.removeprefix('http')}{API}events/ws"
        return f"{base}?after={quote(self.cursor, safe='')}" if self.cursor else base

    def _take(self, frame: str | bytes) -> bool:
        """Handle one frame; true for the server's greeting.

        A heartbeat only shows that the line is alive: its cursor may be ahead of events that are still on their way.
        """
        message = json.loads(frame)
        kind = message.get("type")
        if kind == "event":
            try:
                event = Event.model_validate(message["event"])
            except ValidationError:
                log.warning("An event of a kind that this client does not know was left out")
                return False
            self.cursor = event.id
            self._deliver(event)
        elif kind == "hello":
            # While the feed catches up, the cursor stands where it was; a first greeting tells where to begin.
            self.cursor = self.cursor or message["cursor"]
            self.state = "connected"
            self._used_headers = {}
            self._settled.set()
            self._deliver(None)
            return True
        elif kind == "reset":
            self.cursor = message["cursor"]
            self._deliver(None)
        return False

    def _deliver(self, event: Event | None) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for watcher in watchers:
            try:
                watcher(event)
            except Exception:
                log.exception("A callback on the live feed failed")


def wait_until(
    feed: LiveFeed,
    look: Callable[[], T | None],
    concerns: Callable[[Event], bool],
    *,
    timeout: float | None = None,
) -> T:
    """Look, and look again whenever an event concerns us, until there is something.

    The feed makes it quick; a slow look every few seconds makes it sure, also where no WebSocket gets through.

    Parameters
    ----------
    look : callable
        Reads over HTTP; gives ``None`` while there is nothing yet.
    concerns : callable
        Whether an event is a reason to look; called on the feed's thread.
    timeout : float, optional
        Seconds to wait at the most.

    Raises
    ------
    TimeExceeded
        If nothing came in time; the work itself goes on.
    Unavailable
        If the server does not come back within two minutes: a restart takes seconds, and the work outlives it.
    """
    wake = threading.Event()
    answered: float | None = None

    def notice(event: Event | None) -> None:
        if event is None or concerns(event):
            wake.set()

    end = None if timeout is None else time.monotonic() + timeout
    with feed.watch(notice):
        feed.start()
        while True:
            wake.clear()
            try:
                found = look()
                answered = time.monotonic()
            except Unavailable:
                if answered is None or time.monotonic() > answered + _PATIENCE_SECONDS:
                    raise
                found = None
            if found is not None:
                return found
            pause = _POLL_CONNECTED if feed.connected else _POLL_ALONE
            if end is not None:
                pause = min(pause, end - time.monotonic())
                if pause <= 0:
                    raise TimeExceeded(f"It was not finished within {timeout:g} seconds. It goes on in the background; wait again when you like.")
            wake.wait(pause)
