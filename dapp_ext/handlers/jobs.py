"""Jobs over HTTP."""

from __future__ import annotations

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.handlers.queries import JobsQuery
from dapp_ext.schema.base import Page
from dapp_ext.schema.jobs import JobRead


def index(call: Call[JobsQuery, Nothing]) -> Page[JobRead]:
    query = call.query
    return call.services.jobs.list(call.actor, status=query.status, limit=query.limit, cursor=query.cursor)


def show(call: Call[Nothing, Nothing]) -> JobRead:
    return call.services.jobs.get(call.actor, call.ref)


def cancel(call: Call[Nothing, Nothing]) -> JobRead:
    return call.services.jobs.cancel(call.actor, call.ref)
