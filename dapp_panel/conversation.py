"""What is live on one open page: events, changes of the account, the end of the sign-in; many go out as one message.

Nothing here knows Panel or Bokeh: it is given a way to send text and a way to reach the page's event loop.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dapp_ext.errors import Busy, CursorInvalid, DappError, NotSignedIn
from dapp_ext.schema.accounts import AccountRead, Actor, Role
from dapp_ext.schema.events import Event
from dapp_panel.auth import Visitor
from dapp_panel.state import VisitState

if TYPE_CHECKING:
    from dapp_ext.services import Subscription
    from dapp_panel.dashboard import Dashboard

log = logging.getLogger(__name__)


class Conversation:
    """The live half of one page; what it asks comes as requests of its own (:mod:`dapp_panel.calls`).

    Parameters
    ----------
    dashboard : Dashboard
        Services and threads.
    visitor : Visitor
        Whose page it is; looked up again with every change of the account.
    state : VisitState
        What the page knows.
    to_page : callable
        Runs a function on the page's event loop, from any thread.
    send : callable
        Sends one text to the page; called on its event loop only.
    """

    def __init__(
        self, dashboard: Dashboard, visitor: Visitor, state: VisitState, *, to_page: Callable[[Callable[[], None]], None], send: Callable[[str], None]
    ) -> None:
        self._dashboard = dashboard
        self.visitor = visitor
        self.state = state
        self._to_page = to_page
        self._send = send
        self._lock = threading.Lock()
        self._words: list[str] = []
        self._events: list[Event] = []
        self._flushing = False
        self._subscription: Subscription | None = None
        self._followed_as: Role | None = None
        self.closed = False
        state.param.watch(self._tell_account, ["account", "rights"])

    def receive(self, message: Any) -> None:
        """Take a message of the page: where the visitor went, or from which event on it follows."""
        if self.closed or not isinstance(message, dict):
            return
        if "place" in message:
            self.state.go(str(message["place"]))
        elif "follow" in message:
            try:
                self._start(self._follow, str(message["follow"] or ""))
            except Busy as error:
                self._put(json.dumps({"unfollowed": error.message}))

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        self._dashboard.crew.submit(work, *args)

    def _follow(self, after: str) -> None:
        """Subscribe to what happens, from a cursor on when the page lost its connection."""
        if self._subscription is not None:
            return
        services = self._dashboard.services
        try:
            actor = self._dashboard.doorkeeper.look_up(self.visitor.cookie, self.visitor.address)
            self._followed_as = actor.role
            head = services.events.head()
            try:
                self._subscription = services.events.subscribe(actor, self._deliver, after or head)
            except CursorInvalid:
                self._subscription = services.events.subscribe(actor, self._deliver, head)
                self._put('{"reset":true}')
            self._put(json.dumps({"following": head}))
        except NotSignedIn:
            self.end()
        except DappError as error:
            log.warning("a page cannot follow the feed: %s", error.code)
            self._put(json.dumps({"unfollowed": error.message}))
        if self.closed:
            self._unsubscribe()

    def _follow_anew(self, after: str) -> None:
        self._unsubscribe()
        self._follow(after)

    def _deliver(self, event: Event) -> None:
        """Called on the feed's thread."""
        with self._lock:
            self._events.append(event)
        self._wake()
        if event.type == "user.changed" and event.subject.id == self.visitor.actor.account_id:
            self.refresh()

    def refresh(self) -> None:
        """Look the account up again, in a thread: its role or name may have changed, or its sign-in ended."""
        if not self.closed:
            self._start(self._refresh)

    def _refresh(self) -> None:
        try:
            actor = self._dashboard.doorkeeper.look_up(self.visitor.cookie, self.visitor.address)
            account = self._dashboard.services.accounts.me(actor)
        except NotSignedIn:
            self.end()
        except DappError as error:
            log.warning("an account could not be looked up: %s", error.code)
        else:
            self._to_page(lambda: self._admit(actor, account))

    def _admit(self, actor: Actor, account: AccountRead) -> None:
        """On the page's event loop."""
        if not self.closed and self.state.admit(actor, account) and self._followed_as not in (None, actor.role):
            # What may be seen is fixed when the feed is joined, so it is joined anew.
            self._start(self._follow_anew, self.state.cursor)

    def _tell_account(self, *_: Any) -> None:
        if self.state.account is not None:
            self._put(f'{{"account":{self.state.account.model_dump_json()},"rights":{json.dumps(self.state.rights)}}}')

    def end(self) -> None:
        """The sign-in has ended: tell the page, send nothing more."""
        self.state.leave()
        self._put('{"ended":true}')
        self._unsubscribe()

    def close(self) -> None:
        """The page is gone."""
        self.closed = True
        self._unsubscribe()

    def _unsubscribe(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()

    def _put(self, text: str) -> None:
        with self._lock:
            self._words.append(text)
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            if self._flushing or self.closed:
                return
            self._flushing = True
        self._to_page(self._flush)

    def _flush(self) -> None:
        """On the page's event loop: everything that waits goes out as one message."""
        with self._lock:
            self._flushing = False
            words, self._words = self._words, []
            events, self._events = self._events, []
        if self.closed:
            return
        kept = self.state.absorb(events)
        if kept:
            words.append(f'{{"events":[{",".join(each.model_dump_json() for each in kept)}]}}')
        if words:
            self._send(f"[{','.join(words)}]")
