"""What a search and a scoring know of other machines: they run functions, and may be lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol


class Lost(Exception):
    """No machine has brought the result back."""


class Engine(Protocol):
    """Other machines that run functions; ``width`` is how many are worth sending at once."""

    width: int

    def keep(self, value: Any) -> Any:
        """Bring a value to all machines once; what it gives stands for the value in :meth:`submit`."""

    def submit(self, function: Callable[..., Any], *given: Any) -> Future[Any]:
        """Run a function on one of them. The future fails with :class:`Lost` where the machines are gone."""
