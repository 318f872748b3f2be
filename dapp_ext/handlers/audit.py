"""The audit log over HTTP, for administrators."""

from __future__ import annotations

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.handlers.queries import AuditQuery
from dapp_ext.schema.audit import AuditRead
from dapp_ext.schema.base import Page


def index(call: Call[AuditQuery, Nothing]) -> Page[AuditRead]:
    query = call.query
    return call.services.audit.list(call.actor, limit=query.limit, cursor=query.cursor, action=query.action)
