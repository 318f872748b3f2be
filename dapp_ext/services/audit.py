"""Reading the audit log. Rows are written by :mod:`dapp_ext.services.context`, in the transaction of what they tell of."""

from __future__ import annotations

from dapp_ext.errors import CursorInvalid
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.audit import AuditRead
from dapp_ext.schema.base import Page
from dapp_ext.services.context import Context
from dapp_ext.store import audit as store


class Audit:
    """The service."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def list(self, actor: Actor, *, limit: int = 100, cursor: str | None = None, action: str | None = None) -> Page[AuditRead]:
        """Rows, newest first, for administrators."""
        self._context.permit(actor, "audit.list")
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise CursorInvalid("The list cursor is not valid. Start again without one.")
        limit = max(1, min(limit, 500))
        with self._context.database.read() as session:
            rows = store.page(session, limit=limit + 1, before=int(cursor) if cursor else None, action=action)
        items = [AuditRead.model_validate(row.model_dump()) for row in rows[:limit]]
        return Page(items=items, next=str(items[-1].id) if len(rows) > limit else None)
