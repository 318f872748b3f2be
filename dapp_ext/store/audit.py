"""The audit log: rows are added, never changed, and each carries a code over itself and the row before.

The code is an HMAC-SHA-256 under a secret of the workspace, so whoever can write to the database but does not hold the
keys can neither change a row nor make one. The head, one row that is changed together with each new one, tells when
rows were cut off at the end; against somebody who also puts back an older head, only a head kept elsewhere helps.

The chain begins with the workspace itself, so a log without a head, or one whose rows have no codes, was tampered with.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from dapp_ext.errors import Broken
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.audit import AuditFilter, AuditFinding
from dapp_ext.schema.base import Subject, now
from dapp_ext.store.tables import AuditHead, AuditRow

LONGEST = 300
LONGEST_DETAILS = 4096
PAGE = 1000
MOST_FINDINGS = 100
COLUMNS = ("id", "at", "actor_id", "actor_name", "door", "address", "action", "subject_kind", "subject_id", "outcome", "request_id", "details")
# What the first row is linked to.
_BEGINNING = hashlib.sha256().digest()
# What spreadsheet programs take for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


@dataclass(frozen=True)
class Origin:
    """By which door a request came, and from where."""

    door: str = ""
    address: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Entry:
    """What is to be recorded. ``details`` never holds values from anyone's data; ``origin`` says how somebody without an account came."""

    actor: Actor | None
    action: str
    subject: Subject | None = None
    outcome: str = "allow"
    details: dict[str, Any] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)


def begin(session: Session, key: bytes) -> None:
    """Begin the chain of a new workspace, in the transaction that makes it: nothing comes before it, and it is never begun again."""
    session.add(AuditHead(id=1, seq=0, mac=_BEGINNING, seal=_seal(key, 0, _BEGINNING)))
    session.flush()


def record(session: Session, key: bytes, entry: Entry) -> None:
    """Add a row to the transaction of what it tells of; the lock on the head keeps the rows of all processes in one line."""
    head = session.exec(select(AuditHead).where(AuditHead.id == 1).with_for_update()).first()
    if head is None:
        raise Broken("The end of the audit log was removed, so nothing can be added to it. Run: jupyter dapp audit verify")
    actor = entry.actor
    origin = entry.origin if actor is None else Origin(actor.door, actor.address, actor.request_id)
    # A row that somebody else put behind the end must not keep us from writing; the check of the chain names it.
    number = max(head.seq, session.exec(select(func.max(AuditRow.id))).one() or 0) + 1
    row = AuditRow(
        id=number,
        at=now(),
        actor_id=actor.account_id if actor else None,
        actor_name=_short(actor.name if actor else ""),
        door=origin.door,
        address=_short(origin.address),
        action=entry.action,
        subject_kind=entry.subject.kind if entry.subject else None,
        subject_id=_short(entry.subject.id) if entry.subject else None,
        outcome=entry.outcome,
        request_id=_short(origin.request_id),
        details=_small(entry.details),
        link=head.mac,
    )
    row.mac = _code(key, row, number)
    head.seq, head.mac = number, row.mac
    head.seal = _seal(key, head.seq, head.mac)
    session.add(row)
    session.add(head)
    session.flush()


def head_of(session: Session) -> tuple[int, bytes]:
    """Number and code of the newest row; (0, empty) before the first."""
    head = session.get(AuditHead, 1)
    return (0, b"") if head is None else (head.seq, head.mac)


def page(session: Session, wanted: AuditFilter, *, limit: int, before: int | None) -> list[AuditRow]:
    """Rows, newest first."""
    query = _filtered(wanted).order_by(col(AuditRow.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(AuditRow.id) < before)
    return list(session.exec(query))


def ascending(session: Session, wanted: AuditFilter | None = None) -> Iterator[AuditRow]:
    """Rows, oldest first, a page at a time: the log may be longer than memory."""
    last = None
    while True:
        query = _filtered(wanted or AuditFilter()).order_by(col(AuditRow.id)).limit(PAGE)
        rows = list(session.exec(query if last is None else query.where(col(AuditRow.id) > last)))
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1].id
        session.expunge_all()


def _filtered(wanted: AuditFilter) -> Any:
    query = select(AuditRow)
    if wanted.action is not None:
        query = query.where(col(AuditRow.action).startswith(wanted.action, autoescape=True))
    if wanted.actor is not None:
        query = query.where(or_(col(AuditRow.actor_id) == wanted.actor, col(AuditRow.actor_name) == wanted.actor))
    if wanted.outcome is not None:
        query = query.where(AuditRow.outcome == wanted.outcome)
    if wanted.subject is not None:
        query = query.where(AuditRow.subject_id == wanted.subject)
    if wanted.since is not None:
        query = query.where(col(AuditRow.at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(AuditRow.at) < wanted.until)
    return query


# -- the chain ------------------------------------------------------------------------------------------------------


@dataclass
class Check:
    """What a walk over the whole log found."""

    rows: int = 0
    last: int = 0
    findings: list[AuditFinding] = field(default_factory=list)

    def add(self, kind: str, first: int, last: int, says: str) -> None:
        """Note a finding; neighbours of the same kind become one."""
        before = self.findings[-1] if self.findings else None
        if before is not None and before.kind == kind and before.last_row + 1 == first and kind in ("moved", "added"):
            self.findings[-1] = AuditFinding(kind=kind, row=before.row, last_row=last, says=before.says)
        elif len(self.findings) < MOST_FINDINGS:
            self.findings.append(AuditFinding(kind=kind, row=first, last_row=last, says=says))


def verify(session: Session, key: bytes, exported: tuple[int, bytes] | None = None) -> Check:
    """Walk over all rows and name each that was changed, removed, added or moved.

    Parameters
    ----------
    exported : (int, bytes), optional
        A head that was kept elsewhere: number and code of the newest row of that time.
    """
    found = Check()
    mac = _BEGINNING
    whole = True
    seen: bytes | None = None
    head = session.get(AuditHead, 1)
    end = None if head is None else head.seq
    for row in ascending(session):
        assert row.id is not None
        found.rows += 1
        if row.id < 1:
            found.add("added", row.id, row.id, f"Row {row.id} was added by somebody else than DAPP.")
            continue
        if exported is not None and row.id == exported[0]:
            seen = row.mac
        if row.id != found.last + 1:
            missing = (found.last + 1, row.id - 1)
            found.add("removed", *missing, f"{_rows(*missing)} removed.")
        shift = next((step for step in (0, 1, -1, 2, -2) if _fits(key, row, row.id - step)), None)
        if end is not None and row.id > end:
            found.add("added", row.id, row.id, f"Row {row.id} was added by somebody else than DAPP.")
        elif shift is None:
            found.add("changed", row.id, row.id, f"Row {row.id} was changed, or put there by somebody else than DAPP.")
        elif shift:
            found.add("moved", row.id, row.id, f"Rows from {row.id} on were given other numbers.")
        elif row.link != mac and whole and row.id == found.last + 1:
            before = max(row.id - 1, 1)
            found.add("changed", before, before, f"What stands before row {row.id} is not what stood there when it was written.")
        whole = shift == 0
        mac, found.last = row.mac or b"", row.id
    _verify_end(session, key, found, mac)
    if exported is not None:
        _verify_exported(found, exported, seen)
    return found


def _verify_end(session: Session, key: bytes, found: Check, mac: bytes) -> None:
    """Compare the newest row with the head."""
    head = session.get(AuditHead, 1)
    last = max(found.last, 1)
    if head is None:
        found.add("removed", last, last, "The row that marks the end of the log was removed, so rows may be missing, or all may have been written anew.")
    elif not hmac.compare_digest(head.seal, _seal(key, head.seq, head.mac)):
        found.add("changed", last, last, "The row that marks the end of the log was changed, so rows may be missing at the end.")
    elif found.last < head.seq:
        found.add("removed", found.last + 1, head.seq, f"{_rows(found.last + 1, head.seq)} cut off at the end.")
    elif not found.findings and not hmac.compare_digest(head.mac, mac):
        found.add("changed", last, last, f"Row {last} is not the one that the end of the log was marked with.")


def _verify_exported(found: Check, exported: tuple[int, bytes], seen: bytes | None) -> None:
    seq, mac = exported
    if found.last < seq:
        says = f"{_rows(found.last + 1, seq)} cut off at the end: the exported head knows row {seq}."
        found.findings = [each for each in found.findings if (each.kind, each.row) != ("removed", found.last + 1)]
        found.add("removed", found.last + 1, seq, says)
    elif seen is not None and not hmac.compare_digest(seen, mac):
        found.add("changed", seq, seq, f"Row {seq} is not the one of the exported head: the log was written anew.")


def _fits(key: bytes, row: AuditRow, number: int) -> bool:
    return row.mac is not None and hmac.compare_digest(row.mac, _code(key, row, number))


def _code(key: bytes, row: AuditRow, number: int) -> bytes:
    return hmac.new(key, b"row\0" + _canonical(row, number), hashlib.sha256).digest()


def _seal(key: bytes, seq: int, mac: bytes) -> bytes:
    return hmac.new(key, b"head\0" + str(seq).encode() + b"\0" + mac, hashlib.sha256).digest()


def _canonical(row: AuditRow, number: int) -> bytes:
    values = [getattr(row, name) for name in COLUMNS if name not in ("id", "at")]
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    return json.dumps([number, at, *values, (row.link or b"").hex()], sort_keys=True, separators=(",", ":"), default=str).encode() + b"\n"


def _rows(first: int, last: int) -> str:
    return f"Row {first} was" if first == last else f"Rows {first} to {last} were"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _small(details: dict[str, Any]) -> dict[str, Any]:
    """The details as they will be read again; what is too long for a log is left out, and that is said."""
    text = json.dumps(details, default=str)
    kept: dict[str, Any] = json.loads(text)
    return kept if len(text) <= LONGEST_DETAILS else {"left_out": f"{len(text)} characters of details"}


# -- for other programs ---------------------------------------------------------------------------------------------


def as_lines(session: Session, wanted: AuditFilter, instance_id: str) -> Iterator[bytes]:
    """JSON lines: one row each with its codes, and as the last line the head, to verify against later."""
    for row in ascending(session, wanted):
        value = {name: getattr(row, name) for name in COLUMNS} | {"link": (row.link or b"").hex(), "mac": (row.mac or b"").hex()}
        yield json.dumps(value | {"at": _text_of(row.at)}, ensure_ascii=True).encode() + b"\n"
    seq, mac = head_of(session)
    yield json.dumps({"head": {"seq": seq, "mac": mac.hex(), "instance_id": instance_id, "at": _text_of(now())}}).encode() + b"\n"


def as_csv(session: Session, wanted: AuditFilter) -> Iterator[bytes]:
    """CSV for spreadsheets: what such a program would take for a formula has an apostrophe in front."""
    yield _csv_line(COLUMNS)
    for row in ascending(session, wanted):
        values = [getattr(row, name) for name in COLUMNS]
        values[1] = _text_of(row.at)
        values[-1] = json.dumps(row.details, ensure_ascii=False) if row.details else ""
        yield _csv_line(["" if value is None else str(value) for value in values])


def _csv_line(values: Any) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([f"'{value}" if value.startswith(_FORMULA) else value for value in values])
    return line.getvalue().encode()


def _text_of(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
