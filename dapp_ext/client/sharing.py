"""Sharing a dataset or model with named people, from a notebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dapp_ext.client.connection import Connection
from dapp_ext.client.drawing import ago
from dapp_ext.client.objects import Listing
from dapp_ext.client.transport import path_of
from dapp_ext.errors import AccountNotFound
from dapp_ext.schema.base import Page
from dapp_ext.schema.grants import GrantLevel, GrantPut, GrantRead, PersonRead

_COLUMNS: dict[str, Callable[[GrantRead], Any]] = {
    "person": lambda each: each.person.name or each.person.email,
    "address": lambda each: each.person.email,
    "may": lambda each: each.level,
    "since": lambda each: ago(each.created_at),
}


def find_person(connection: Connection, person: str) -> str:
    """The id of a colleague by id, e-mail address or name.

    Raises
    ------
    AccountNotFound
        If nobody is meant, or more than one person.
    """
    found = connection.transport.get(Page[PersonRead], "people").items
    wanted = person.strip().lower()
    exact = [each for each in found if wanted in (each.id, each.email.lower())] or [each for each in found if each.name.lower() == wanted]
    if len(exact) != 1:
        raise AccountNotFound(f"{'Several people are' if exact else 'Nobody is'} called {person!r} here. Give the e-mail address.")
    return exact[0].id


def share_with(connection: Connection, kind: str, thing_id: str, person: str, level: GrantLevel | None) -> Listing[GrantRead]:
    """Let a person read, use or edit a thing, or no more with ``None``; with whom it is shared then."""
    path = f"{kind}/{path_of(thing_id)}/grants/{path_of(find_person(connection, person))}"
    if level is None:
        return _listing(connection.transport.delete(Page[GrantRead], path))
    return _listing(connection.transport.put(Page[GrantRead], path, GrantPut(level=level)))


def grants(connection: Connection, kind: str, thing_id: str) -> Listing[GrantRead]:
    """With whom a thing is shared."""
    return _listing(connection.transport.get(Page[GrantRead], f"{kind}/{path_of(thing_id)}/grants"))


def _listing(page: Page[GrantRead]) -> Listing[GrantRead]:
    return Listing(page.items, "Shared with", _COLUMNS)
