"""The audit log over HTTP, for administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.handlers.queries import AuditExportQuery, AuditQuery, AuditVerifyQuery
from dapp_ext.schema.audit import AuditFilter, AuditRead, AuditVerification
from dapp_ext.schema.base import Page

if TYPE_CHECKING:
    from dapp_ext.services.files import Download


def index(call: Call[AuditQuery, Nothing]) -> Page[AuditRead]:
    query = call.query
    return call.services.audit.list(call.actor, limit=query.limit, cursor=query.cursor, wanted=_filter(query))


def verify(call: Call[AuditVerifyQuery, Nothing]) -> AuditVerification:
    return call.services.audit.verify(call.actor, seq=call.query.seq, mac=call.query.mac)


def export(call: Call[AuditExportQuery, Nothing]) -> Download:
    return call.services.audit.export(call.actor, call.query.format, _filter(call.query))


def _filter(query: AuditFilter) -> AuditFilter:
    return AuditFilter.model_validate({name: getattr(query, name) for name in AuditFilter.model_fields})
