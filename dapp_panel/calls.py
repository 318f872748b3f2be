"""The calls of pages: who asks is looked up for each one, and what the services say goes out as it is.

Nothing here knows HTTP or Panel. A call is answered in a thread; what is kept from an earlier one is given at once,
without waiting for anything, so that the event loop may do it.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from dapp_ext.errors import Busy, Invalid
from dapp_panel.pages import CALLS, KEPT

if TYPE_CHECKING:
    from dapp_ext.services import Services
    from dapp_panel.auth import Doorkeeper

MOST_IN_FLIGHT = 64
PACKED_FROM = 8 * 1024


@dataclass(frozen=True)
class Asked:
    """One call of a page.

    Parameters
    ----------
    name : str
        Which of ``dapp_panel.pages.CALLS``.
    given : dict
        Its parameters, not yet looked at.
    cookie, address, request_id : str
        Whose it is, from where, and what its answer is named by in logs.
    """

    name: str
    given: dict[str, Any]
    cookie: str
    address: str
    request_id: str


class Desk:
    """Answers calls.

    Parameters
    ----------
    services : Services
    doorkeeper : Doorkeeper
        Knows whose a cookie is.
    """

    def __init__(self, services: Services, doorkeeper: Doorkeeper) -> None:
        self._services = services
        self._doorkeeper = doorkeeper
        self._in_flight: Counter[str] = Counter()

    @contextmanager
    def seat(self, cookie: str) -> Iterator[None]:
        """A place among the calls that one sign-in has under way; used on the event loop alone.

        Raises
        ------
        Busy
            When there are too many already.
        """
        if self._in_flight[cookie] >= MOST_IN_FLIGHT:
            raise Busy("Too much was asked at once. Wait a moment and try again.")
        self._in_flight[cookie] += 1
        try:
            yield
        finally:
            self._in_flight[cookie] -= 1
            if not self._in_flight[cookie]:
                del self._in_flight[cookie]

    def at_once(self, asked: Asked) -> bytes | None:
        """The answer if it is kept and whoever asks is still known; waits for nothing.

        Raises
        ------
        Invalid
            When the parameters do not fit.
        """
        kept = KEPT.get(asked.name)
        if kept is None:
            return None
        actor = self._doorkeeper.recall(asked.cookie, asked.address, asked.request_id)
        if actor is None:
            return None
        found: bytes | None = kept(self._services, actor, asked.given)
        return found

    def answer(self, asked: Asked, *, pack: bool = False) -> tuple[bytes, bool]:
        """The answer as JSON, and whether it was compressed: with ``pack``, where that saves more than it costs. Blocks.

        Raises
        ------
        NotSignedIn
            When the sign-in has ended.
        DappError
            Whatever the services refuse.
        """
        actor = self._doorkeeper.look_up(asked.cookie, asked.address, asked.request_id)
        call = CALLS.get(asked.name)
        if call is None:
            raise Invalid("The page asked for something that this server does not know. Reload the page.")
        found = as_json(call(self._services, actor, asked.given))
        return (gzip.compress(found, 1), True) if pack and len(found) >= PACKED_FROM else (found, False)


def as_json(answer: Any) -> bytes:
    """The wire form of an answer: bytes that are it already, one shape, a list of shapes, or plain JSON values."""
    if isinstance(answer, bytes):
        return answer
    if isinstance(answer, BaseModel):
        return answer.model_dump_json(by_alias=True).encode()
    if isinstance(answer, list):
        return b"[" + b",".join(as_json(each) for each in answer) + b"]"
    if isinstance(answer, dict):
        return b"{" + b",".join(json.dumps(key).encode() + b":" + as_json(value) for key, value in answer.items()) + b"}"
    return json.dumps(answer).encode()
