"""Sharing with named people over HTTP, for datasets and models alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pydantic import Field

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.schema.base import Page, Request
from dapp_ext.schema.grants import GrantPut, GrantRead, PersonRead

if TYPE_CHECKING:
    from dapp_ext.services.sharing import ThingKind


class PeopleQuery(Request):
    search: str | None = Field(default=None, max_length=200, description="Text that the name or address contains.")


def people(call: Call[PeopleQuery, Nothing]) -> Page[PersonRead]:
    return call.services.sharing.people(call.actor, call.query.search)


class Grants:
    """The functions for one kind of thing."""

    def __init__(self, kind: str) -> None:
        self._kind = cast("ThingKind", kind)

    def index(self, call: Call[Nothing, Nothing]) -> Page[GrantRead]:
        return call.services.sharing.list(call.actor, self._kind, call.ref)

    def put(self, call: Call[Nothing, GrantPut]) -> Page[GrantRead]:
        return call.services.sharing.put(call.actor, self._kind, call.ref, call.path["account"], call.body)

    def remove(self, call: Call[Nothing, Nothing]) -> Page[GrantRead]:
        return call.services.sharing.remove(call.actor, self._kind, call.ref, call.path["account"])


of_datasets, of_models = Grants("dataset"), Grants("model")
