"""The cores of this machine as an engine: each checks a candidate of its own, on a thread of this process.

Learners leave the interpreter alone while they work, so threads do, and they share the rows. One learner that is spread
over all cores has to bring its threads together after every split of a tree, which takes longer than the work where
other programs want the cores too: two candidates on two cores are ready sooner than one after the other on both.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue
from typing import Any

from threadpoolctl import threadpool_limits

from dapp_ext.domain.learning.clock import Clock
from dapp_ext.domain.learning.recipe import Recipe
from dapp_ext.domain.learning.search import Ground
from dapp_ext.domain.learning.sizing import at_once


@contextmanager
def threads_beside(width: int, threads: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads whose learners use so many of their own."""
    # Each thread would put back filters that another one is still using, so all are the same while there are threads.
    with warnings.catch_warnings(), ThreadPoolExecutor(width, "candidate", lambda: threadpool_limits(threads)) as pool:
        warnings.simplefilter("ignore")
        yield pool


def each_on_a_core(width: int, threads: int, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """What the work makes of each item, in their order."""
    if width == 1 or len(items) < 2:
        return [work(item) for item in items]
    with threads_beside(width, threads) as pool:
        return list(pool.map(work, items))


@contextmanager
def cores_engine(recipe: Recipe, clock: Clock) -> Iterator[Cores]:
    """The cores that a recipe may use as an engine, for a search by this clock; its threads have ended when the context ends."""
    width, threads = at_once(recipe.threads)
    with threads_beside(width, threads) as pool:
        yield Cores(width, pool, clock)


class Cores:
    """An engine whose functions get their own view of the ground first and the clock of the search last."""

    way = 0.0

    def __init__(self, width: int, pool: ThreadPoolExecutor, clock: Clock) -> None:
        self.width = width
        self._pool = pool
        self._clock = clock

    def keep(self, value: Ground) -> SimpleQueue[Ground]:
        """As many views of the ground as there are threads: of the same rows, with what libraries keep for each of them apart."""
        views: SimpleQueue[Ground] = SimpleQueue()
        for _ in range(self.width):
            views.put(replace(value, own={}))
        return views

    def submit(self, function: Callable[..., Any], views: SimpleQueue[Ground], *given: Any) -> Future[Any]:
        """Run a function on one of the cores."""

        def work() -> Any:
            view = views.get()
            try:
                return function(view, *given, self._clock)
            finally:
                views.put(view)

        return self._pool.submit(work)
