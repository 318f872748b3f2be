"""Events as bytes on the wire, made once for everybody, and brought to many sockets at a time."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from dapp_ext.schema.events import Event


class Frame(NamedTuple):
    """What is sent of an event: its text, and the same as bytes on the wire."""

    text: str
    wire: bytes


class Told(NamedTuple):
    """An event on its way to one socket."""

    cursor: str
    frame: Frame
    changes_rights: bool


class Encoder:
    """Turns each event into its frame once, however many sockets it goes to."""

    def __init__(self, kept: int = 256) -> None:
        self._kept = kept
        self._frames: OrderedDict[str, tuple[Event, Frame]] = OrderedDict()
        self._lock = threading.Lock()

    def frame(self, event: Event) -> Frame:
        """The frame of an event; the same object is encoded once, an equal id with other content anew."""
        with self._lock:
            known = self._frames.get(event.id)
        if known is not None and (known[0] is event or known[0] == event):
            return known[1]
        text = '{"type":"event","event":' + event.model_dump_json(by_alias=True) + "}"
        frame = Frame(text, on_the_wire(text.encode()))
        with self._lock:
            self._frames[event.id] = (event, frame)
            while len(self._frames) > self._kept:
                self._frames.popitem(last=False)
        return frame


def on_the_wire(text: bytes) -> bytes:
    """One whole text message of a server, neither masked nor compressed (RFC 6455, section 5.2)."""
    size = len(text)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + text
    if size < 1 << 16:
        return struct.pack("!BBH", 0x81, 126, size) + text
    return struct.pack("!BBQ", 0x81, 127, size) + text


class Crowd:
    """Brings what the feed's thread has for many sockets to the event loop, and wakes it once for all of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Callable[[Told], None], Told]] = []

    def tell(self, loop: asyncio.AbstractEventLoop, take: Callable[[Told], None], told: Told) -> None:
        """Have a socket take an event; called on the feed's thread."""
        with self._lock:
            self._waiting.append((take, told))
            if len(self._waiting) > 1:
                return  # the loop knows
        loop.call_soon_threadsafe(self._pass_on)

    def _pass_on(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for take, told in waiting:
            take(told)
