"""Answers that were given a moment ago, given again as they were sent, as long as nothing at all was committed since.

Many pages ask for the same lists again and again. What is kept belongs to one sign-in and one address, and to one state
of the database, which every call looks at; so nobody sees less, more or older things than by asking the services.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import NamedTuple

from dapp_ext.handlers.operation import Content

KEPT_SECONDS = 1.0
MOST_KEPT = 1000
MOST_BYTES = 64 * 1024


class Question(NamedTuple):
    """Who asks what of which state of the database."""

    sign_in: str
    address: str
    stamp: int


class KeptAnswers:
    """The answers that were asked for last; used on the event loop alone."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Question, tuple[float, Content]] = OrderedDict()

    def find(self, question: Question) -> Content | None:
        """The answer, if it was given within the last second."""
        at, content = self._kept.get(question, (0.0, None))
        return content if time.monotonic() - at <= KEPT_SECONDS else None

    def keep(self, question: Question, asked_at: float, content: Content) -> None:
        """Keep an answer that the services were asked for at this moment, after the stamp was read."""
        if len(content.content) > MOST_BYTES:
            return
        self._kept[question] = (asked_at, content)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
