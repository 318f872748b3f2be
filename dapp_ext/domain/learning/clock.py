"""Time: how much of the budget is left, and whether someone asked to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from dapp_ext.domain.learning.recipe import Wishes

POLL_SECONDS = 0.25
SETTLED_SHARE = 0.4


class Clock:
    """The wall time of one training.

    Parameters
    ----------
    budget : float
        Seconds from now.
    should_stop, wishes : callable
        Asked at most four times a second, by whichever thread looks at the clock.
    """

    def __init__(self, budget: float, should_stop: Callable[[], bool], wishes: Callable[[], Wishes] = Wishes) -> None:
        self.started = time.monotonic()
        self.budget = budget
        self.deadline = self.started + budget
        self.skipped: frozenset[str] = frozenset()
        self._here = threading.local()
        self._should_stop = should_stop
        self._wishes = wishes
        self._asked = 0.0
        self._stop = False

    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def left(self) -> float:
        """Seconds until the budget ends; negative after it."""
        return self.deadline - time.monotonic()

    def stopped(self) -> bool:
        """Whether someone asked to stop; once true it stays true."""
        now = time.monotonic()
        if not self._stop and now - self._asked >= POLL_SECONDS:
            self._asked = now
            self._stop = bool(self._should_stop())
            wanted = self._wishes()
            self.deadline = self.started + self.budget + wanted.extra_seconds
            self.skipped = wanted.skipped
        return self._stop

    @property
    def trying(self) -> str | None:
        """The family that this thread is trying at the moment."""
        return getattr(self._here, "trying", None)

    @trying.setter
    def trying(self, family: str | None) -> None:
        self._here.trying = family

    def unwanted(self) -> bool:
        """Whether the family that this thread is trying should not be tried any more."""
        return self.trying is not None and self.trying in self.skipped

    def allow(self, seconds: float, *, heed_stop: bool = True) -> Allowance:
        """A part of the time, starting now."""
        return Allowance(self, time.monotonic() + seconds, heed_stop)


class Allowance:
    """Until when one piece of work may go on.

    ``whole`` when it is worth nothing unless it comes to its end, as one of ``pieces`` that take equally long;
    ``settles`` when it may do with less (fewer trees or epochs) to come to its end in time.
    """

    def __init__(self, clock: Clock, until: float, heed_stop: bool = True, whole: bool = False) -> None:
        self.clock = clock
        self.until = until
        self.heed_stop = heed_stop
        self.whole = whole
        self.pieces = 1
        self.settles = False

    def left(self) -> float:
        """Seconds left; negative when over."""
        return self.until - time.monotonic()

    def over(self) -> bool:
        """Whether the work has to end: the time is over or someone asked to stop."""
        return time.monotonic() >= self.until or (self.heed_stop and (self.clock.stopped() or self.clock.unwanted()))

    def hopeless(self, seconds: float) -> bool:
        """Whether work that needs so many more seconds, and is worth nothing unfinished, should not go on."""
        return self.whole and seconds * self.pieces > self.left()

    def settle(self, wanted: int, each: float, fewest: int) -> int:
        """How many of the wanted trees or epochs, of so many seconds each, to make: fewer where all would take most of what is left."""
        if not (self.whole and self.settles) or wanted <= fewest:
            return wanted
        return int(min(wanted, max(SETTLED_SHARE * self.left() / max(each * self.pieces, 1e-9), fewest)))

    def share(self, parts: int) -> Allowance:
        """An equal share of what is left, for the next of ``parts`` pieces."""
        return Allowance(self.clock, time.monotonic() + max(self.left(), 0.0) / max(parts, 1), self.heed_stop)
