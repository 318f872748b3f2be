"""Shapes of what pages ask, and how a call is made of a shape and a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field, ValidationError

from dapp_ext.errors import Invalid
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Request

if TYPE_CHECKING:
    from dapp_ext.services import Services

Call = Callable[["Services", Actor, dict[str, Any]], Any]
R = TypeVar("R", bound=Request)


class Nothing(Request):
    """A call without parameters."""


class One(Request):
    """One thing, by id or name, at a version where it has versions."""

    ref: str = Field(min_length=1, max_length=300)
    version: int | None = None


class Pair(Request):
    """Two versions of one thing, or two things."""

    ref: str = Field(min_length=1, max_length=300)
    a: int | None = Field(default=None, ge=1)
    b: int | None = Field(default=None, ge=1)
    other: str | None = Field(default=None, max_length=300)


class Listing(Request):
    """One page of a list."""

    search: str | None = Field(default=None, max_length=200)
    status: str | None = Field(default=None, max_length=40)
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=500)


def call(shape: type[R], function: Callable[[Services, Actor, R], Any]) -> Call:
    """A call that validates its parameters with a shape."""

    def validated(services: Services, actor: Actor, given: dict[str, Any]) -> Any:
        try:
            asked = shape.model_validate(given)
        except ValidationError as error:
            raise invalid_from(error) from error
        return function(services, actor, asked)

    return validated


def invalid_from(error: ValidationError) -> Invalid:
    """What a shape found wrong, in one sentence."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return Invalid(f"{where or 'The request'}: {first['msg']}.", field=where)
