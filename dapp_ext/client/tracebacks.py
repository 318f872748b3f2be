"""Short tracebacks: when something was asked for that cannot be, the reader needs the sentence, not our inner life."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from dapp_ext.errors import Broken, DappError

C = TypeVar("C")


def short_tracebacks(cls: type[C]) -> type[C]:
    """Let errors leave the public methods of a class as if raised there; those that are our own fault keep everything."""
    for name, value in list(vars(cls).items()):
        if isinstance(value, FunctionType) and not name.startswith("_"):
            setattr(cls, name, _shortened(value))
    return cls


def _shortened(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except DappError as error:
            if isinstance(error, Broken):
                raise
            raise error.with_traceback(None) from None

    return call
