"""Short tracebacks: when something was asked for that cannot be, the reader needs the sentence, not our inner life."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from pydantic import ValidationError

from dapp_ext.errors import Broken, DappError, Invalid

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
        except ValidationError as error:  # of what was asked; answers that do not fit are told by the transport
            raise refused_value(error) from None

    return call


def refused_value(error: ValidationError) -> Invalid:
    """What was given and cannot be used, in one sentence."""
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    return Invalid(f"{name!r} cannot be used: {first['msg']}." if name else f"This cannot be used: {first['msg']}.")
