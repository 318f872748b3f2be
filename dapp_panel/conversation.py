"""One open page talks with the services: a call comes in as one message, its answer and live events go out as one.

Nothing here knows Panel or Bokeh: it is given a way to send text and a way to reach the page's event loop.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from dapp_ext.errors import Busy, CursorInvalid, DappError, Internal, Invalid, NotSignedIn
from dapp_ext.schema.accounts import AccountRead, Actor, Role
from dapp_ext.schema.base import ErrorAnswer, ErrorBody, new_id
from dapp_ext.schema.events import Event
from dapp_panel.auth import Visitor
from dapp_panel.pages import CALLS
from dapp_panel.state import VisitState

if TYPE_CHECKING:
    from dapp_ext.services import Subscription
    from dapp_panel.dashboard import Dashboard

log = logging.getLogger(__name__)

MOST_IN_FLIGHT = 64


class Conversation:
    """The calls and events of one page.

    Parameters
    ----------
    dashboard : Dashboard
        Services and threads.
    visitor : Visitor
        Whose page it is; looked up again on every call.
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
        self._answers: list[str] = []
        self._events: list[Event] = []
        self._flushing = False
        self._in_flight = 0
        self._subscription: Subscription | None = None
        self._followed_as: Role | None = None
        self.closed = False
        state.param.watch(self._tell_account, ["account", "rights"])

    def receive(self, message: Any) -> None:
        """Take a message of the page: a call to answer, or where the visitor went."""
        if self.closed or not isinstance(message, dict):
            return
        if "place" in message:
            self.state.go(str(message["place"]))
            return
        if "follow" in message:
            self._start(self._follow, str(message["follow"] or ""))
            return
        number, name, given = message.get("id"), message.get("call"), message.get("params") or {}
        if not isinstance(number, int) or not isinstance(name, str) or not isinstance(given, dict):
            return
        if self._in_flight >= MOST_IN_FLIGHT:
            self._say(number, Busy("Too much was asked at once. Wait a moment and try again."))
            return
        with self._lock:
            self._in_flight += 1
        try:
            self._start(self._answer, number, name, given)
        except Busy as error:
            with self._lock:
                self._in_flight -= 1
            self._say(number, error)

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        self._dashboard.crew.submit(work, *args)

    def _answer(self, number: int, name: str, given: dict[str, Any]) -> None:
        request_id, began = new_id(), time.perf_counter()
        try:
            self._put(f'{{"id":{number},"ok":{self._ask(name, given, request_id)}}}')
        except DappError as error:
            self._say(number, error, request_id)
        except Exception as error:
            log.exception("call %s failed, request %s", name, request_id)
            self._say(number, Internal(error_type=type(error).__name__), request_id)
        finally:
            with self._lock:
                self._in_flight -= 1
            self._dashboard.services.system.pace.note("dashboard", time.perf_counter() - began)

    def _ask(self, name: str, given: dict[str, Any], request_id: str) -> str:
        call = CALLS.get(name)
        if call is None:
            raise Invalid("The page asked for something that this server does not know. Reload the page.")
        try:
            actor = self._dashboard.doorkeeper.look_up(self.visitor.cookie, self.visitor.address, request_id)
        except NotSignedIn:
            self.end()
            raise
        return as_json(call(self._dashboard.services, actor, given))

    def _say(self, number: int, error: DappError, request_id: str = "") -> None:
        self._put(f'{{"id":{number},"error":{error_json(error, request_id)}}}')

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
        """The sign-in has ended: tell the page, answer nothing more."""
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
            self._answers.append(text)
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
            answers, self._answers = self._answers, []
            events, self._events = self._events, []
        if self.closed:
            return
        kept = self.state.absorb(events)
        if kept:
            answers.append(f'{{"events":[{",".join(each.model_dump_json() for each in kept)}]}}')
        if answers:
            self._send(f"[{','.join(answers)}]")


def as_json(answer: Any) -> str:
    """The wire form of an answer: one shape, a list of shapes, or plain JSON values."""
    if isinstance(answer, bytes):
        return answer.decode()  # kept as it goes out
    if isinstance(answer, BaseModel):
        return answer.model_dump_json(by_alias=True)
    if isinstance(answer, list):
        return f"[{','.join(as_json(each) for each in answer)}]"
    if isinstance(answer, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{as_json(value)}" for key, value in answer.items()) + "}"
    return json.dumps(answer)


def error_json(error: DappError, request_id: str) -> str:
    """The error of the one envelope, without the envelope."""
    body = ErrorBody(code=error.code, message=error.message, details=error.details, request_id=request_id)
    return body.model_dump_json()


def error_answer(error: DappError, request_id: str) -> str:
    """The envelope of a failure for routes."""
    body = ErrorBody(code=error.code, message=error.message, details=error.details, request_id=request_id)
    return ErrorAnswer(error=body).model_dump_json()
