"""Reading, checking and handing out the audit log. Rows are written by :mod:`dapp_ext.services.context`."""

from __future__ import annotations

from collections.abc import Iterator

from dapp_ext.errors import Broken, CursorInvalid, Invalid
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.audit import AuditFilter, AuditFormat, AuditHeadRead, AuditRead, AuditVerification
from dapp_ext.schema.base import Page, now
from dapp_ext.services.context import Context
from dapp_ext.services.files import PIECE, Download
from dapp_ext.store import audit as store

MEDIA_TYPES: dict[AuditFormat, str] = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


class Audit:
    """The service."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def list(
        self, actor: Actor, *, limit: int = 100, cursor: str | None = None, action: str | None = None, wanted: AuditFilter | None = None
    ) -> Page[AuditRead]:
        """Rows, newest first, for administrators."""
        self._context.permit(actor, "audit.list")
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise CursorInvalid("The list cursor is not valid. Start again without one.")
        limit = max(1, min(limit, 500))
        asked = wanted or AuditFilter(action=action)
        with self._context.database.read() as session:
            rows = store.page(session, asked, limit=limit + 1, before=int(cursor) if cursor else None)
        self._context.note_read(actor, "audit.list", None)
        items = [AuditRead.model_validate(row.model_dump()) for row in rows[:limit]]
        return Page(items=items, next=str(items[-1].id) if len(rows) > limit else None)

    def head(self, actor: Actor) -> AuditHeadRead:
        """The end of the log, to be kept elsewhere."""
        self._context.permit(actor, "audit.list")
        with self._context.database.read() as session:
            seq, mac = store.head_of(session)
        return AuditHeadRead(seq=seq, mac=mac.hex(), instance_id=self._context.instance_id, at=now())

    def verify(self, actor: Actor, *, seq: int | None = None, mac: str | None = None) -> AuditVerification:
        """Check every row's code and link, and the end of the log.

        Parameters
        ----------
        seq, mac : optional
            An exported head, both or neither: whatever was cut or written anew since is found then.
        """
        self._context.permit(actor, "audit.verify")
        if (seq is None) != (mac is None):
            raise Invalid("An exported head has a number and a code. Give both, seq and mac, or neither.")
        exported = None
        if seq is not None and mac is not None:
            try:
                exported = (seq, bytes.fromhex(mac))
            except ValueError:
                raise Invalid("The code of the exported head is not hexadecimal. Give it as it was exported.") from None
        with self._context.database.snapshot() as session:
            found = store.verify(session, self._context.audit_key, exported)
            newest, code = store.head_of(session)
        head = AuditHeadRead(seq=newest, mac=code.hex(), instance_id=self._context.instance_id, at=now())
        answer = AuditVerification(ok=not found.findings, rows=found.rows, against_head=exported is not None, head=head, findings=found.findings)
        try:
            self._context.note(actor, "audit.verify", None, "allow" if answer.ok else "error", {"rows": answer.rows, "findings": len(answer.findings)})
        except Broken:
            if answer.ok:
                raise  # else the answer itself says why nothing can be added to the log
        return answer

    def export(self, actor: Actor, format: AuditFormat, wanted: AuditFilter) -> Download:
        """The log as JSON lines (with its codes, and its head as the last line) or CSV, oldest first."""
        self._context.permit(actor, "audit.export")
        details = {"format": format, **wanted.model_dump(mode="json", exclude_none=True)}
        self._context.note(actor, "audit.export", None, "allow", details)
        return Download(f"audit.{format}", MEDIA_TYPES[format], self._chunks(format, wanted))

    def _chunks(self, format: AuditFormat, wanted: AuditFilter) -> Iterator[bytes]:
        with self._context.database.read() as session:
            lines = store.as_lines(session, wanted, self._context.instance_id) if format == "jsonl" else store.as_csv(session, wanted)
            piece = bytearray()
            for line in lines:
                piece += line
                if len(piece) >= PIECE:
                    yield bytes(piece)
                    piece.clear()
            if piece:
                yield bytes(piece)
