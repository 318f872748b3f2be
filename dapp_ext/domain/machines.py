"""What a search and a scoring know of what does their work side by side: it runs functions, and may be lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol


class Lost(Exception):
    """No machine has brought the result back."""


class Engine(Protocol):
    """Other machines, or this one's cores, that run functions.

    ``width`` is how many are worth sending at once, ``way`` the seconds that one is on its way there and back.
    """

    width: int
    way: float

    def keep(self, value: Any) -> Any:
        """Bring a value to all machines once; what it gives stands for the value in :meth:`submit`."""

    def submit(self, function: Callable[..., Any], *given: Any) -> Future[Any]:
        """Run a function on one of them. The future fails with :class:`Lost` where the machines are gone."""
