"""How many requests one caller may send: so many at once, and so many a second after that.

Who is signed in is counted by sign-in, so that nobody is slowed down by others at the same address. Who is not signed in
is counted by address, and only at the doors that are open to everybody and cost something.

Where there is a Redis, servers tell each other what they have counted (:meth:`Rate.counted`, :meth:`Rate.heard`), so
that asking at several of them gives nobody more. Each decides by itself at once; what others have counted arrives a
moment later.
"""

from __future__ import annotations

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from dapp_ext.errors import Throttled

KEPT = 10_000


@dataclass
class Rate:
    """Token buckets of one kind, on the event loop alone; the callers that were silent longest are forgotten first.

    Parameters
    ----------
    burst : float
        Requests that may come at once.
    per_second : float
        Requests that are given back every second.
    """

    burst: float
    per_second: float
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _counted: Counter[str] = field(default_factory=Counter)
    _is_shared: bool = False

    def take(self, caller: str) -> None:
        """Count a request.

        Raises
        ------
        Throttled
            When it is one too many; says when to come back.
        """
        moment = time.monotonic()
        left, seen = self._left.pop(caller, (self.burst, moment))
        left = min(self.burst, left + (moment - seen) * self.per_second)
        self._left[caller] = (left - 1 if left >= 1 else left, moment)
        while len(self._left) > KEPT:
            self._left.popitem(last=False)
        if self._is_shared:
            self._counted[caller] += 1
        if left < 1:
            seconds = math.ceil((1 - left) / self.per_second)
            raise Throttled(f"Too many requests. Go on in {seconds} seconds, and more slowly.", retry_after=seconds)

    def counted(self) -> dict[str, int]:
        """How many requests came since the last time, by caller; counted from the first time on."""
        found, self._counted, self._is_shared = self._counted, Counter(), True
        return dict(found)

    def heard(self, others: Mapping[str, int]) -> None:
        """Take what callers have asked of other servers from what they have left here."""
        for caller, count in others.items():
            if caller in self._left:
                left, seen = self._left[caller]
                self._left[caller] = (max(0.0, left - count), seen)
