"""Read-only links over HTTP. What they lead to is a page of the dashboard."""

from __future__ import annotations

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.handlers.queries import SharesQuery
from dapp_ext.schema.base import Page
from dapp_ext.schema.shares import ShareCreate, ShareMade, ShareRead


def index(call: Call[SharesQuery, Nothing]) -> Page[ShareRead]:
    return call.services.shares.list(call.actor, model=call.query.model, insight=call.query.insight)


def create(call: Call[Nothing, ShareCreate]) -> ShareMade:
    return call.services.shares.create(call.actor, call.body)


def withdraw(call: Call[Nothing, Nothing]) -> None:
    call.services.shares.withdraw(call.actor, call.ref)
