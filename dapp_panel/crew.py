"""A bounded crew of threads for everything that blocks, so that the event loop never waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from dapp_ext.errors import Busy

P = ParamSpec("P")
T = TypeVar("T")


class Crew:
    """Threads with a bounded queue; when it is full a caller is told so instead of waiting for ever.

    Parameters
    ----------
    name : str
        What the threads are called.
    hands : int
        Number of threads.
    waiting : int
        Calls that may wait for a thread.
    """

    def __init__(self, name: str, *, hands: int = 8, waiting: int = 256) -> None:
        self._pool = ThreadPoolExecutor(max_workers=hands, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(hands + waiting)

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start work in a thread.

        Raises
        ------
        Busy
            When every place is taken.
        """
        if not self._places.acquire(blocking=False):
            raise Busy
        try:
            future = self._pool.submit(work, *args, **kwargs)
        except RuntimeError as error:
            self._places.release()
            raise Busy("The dashboard is being stopped. Try again in a moment.") from error
        future.add_done_callback(lambda _: self._places.release())
        return future

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of work done in a thread, awaited on the event loop."""
        return await asyncio.wrap_future(self.submit(work, *args, **kwargs))

    def close(self) -> None:
        """Take no more work; what has begun is finished."""
        self._pool.shutdown(wait=True, cancel_futures=True)
