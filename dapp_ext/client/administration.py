"""People, the log of who did what, and the platform itself, from a notebook or a script."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from dapp_ext.client.connection import Connection
from dapp_ext.client.datasets import Dataset, pages
from dapp_ext.client.drawing import ago
from dapp_ext.client.frames import save
from dapp_ext.client.insights import Insight
from dapp_ext.client.objects import Listing, Thing, reference
from dapp_ext.client.signins import SignIns
from dapp_ext.client.tracebacks import short_tracebacks
from dapp_ext.client.transport import path_of
from dapp_ext.errors import AccountNotFound
from dapp_ext.schema.accounts import AccountCreate, AccountRead, AccountUpdate, PasswordChange, QuotaRead, Role, TicketPurpose, TicketRead, TicketRequest
from dapp_ext.schema.audit import AuditFormat, AuditRead, AuditVerification
from dapp_ext.schema.base import Page
from dapp_ext.schema.datasets import Severity
from dapp_ext.schema.notices import AnnouncementCreate, AnnouncementRead, MaintenanceRead, MaintenanceStart
from dapp_ext.schema.shares import ShareCreate, ShareMade, ShareRead
from dapp_ext.schema.system import DashboardAddress, DashboardStart, StatusRead
from dapp_ext.schema.trash import TrashKind, TrashPut, TrashRead

_ACCOUNT_COLUMNS: dict[str, Callable[[AccountRead], Any]] = {
    "email": lambda each: each.email,
    "name": lambda each: each.name,
    "role": lambda each: each.role.value,
    "state": lambda each: "disabled" if each.disabled else "",
    "seen": lambda each: ago(each.last_seen_at) if each.last_seen_at else "never",
}
_QUOTA_COLUMNS: dict[str, Callable[[QuotaRead], Any]] = {
    "email": lambda each: each.email,
    "used": lambda each: each.used,
    "may": lambda each: "any amount" if each.quota is None else each.quota,
}
_LINK_COLUMNS: dict[str, Callable[[ShareRead], Any]] = {
    "opens": lambda each: f"{each.model.name} (version {each.model_version})" if each.model else each.insight.name if each.insight else "",
    "by": lambda each: each.by.name,
    "opened": lambda each: each.opened,
    "expires": lambda each: f"{each.expires_at:%Y-%m-%d}",
    "id": lambda each: each.id,
}
_TRASH_COLUMNS: dict[str, Callable[[TrashRead], Any]] = {
    "name": lambda each: each.name,
    "kind": lambda each: each.kind,
    "by": lambda each: each.by.name,
    "until": lambda each: f"{each.until.astimezone():%Y-%m-%d %H:%M}",
    "id": lambda each: each.id,
}
_AUDIT_COLUMNS: dict[str, Callable[[AuditRead], Any]] = {
    "at": lambda each: f"{each.at.astimezone():%Y-%m-%d %H:%M:%S}",
    "who": lambda each: each.actor_name,
    "did": lambda each: each.action,
    "to": lambda each: f"{each.subject_kind} {each.subject_id}" if each.subject_id else "",
    "outcome": lambda each: each.outcome,
    "door": lambda each: each.door,
}


@short_tracebacks
class Administration(SignIns):
    """The part of the client that is about people and the platform. Most of it is for administrators."""

    _connection: Connection

    def whoami(self) -> AccountRead:
        """The account that this client is signed in as."""
        return self._connection.transport.get(AccountRead, "auth/me")

    def status(self) -> StatusRead:
        """Addresses, isolation, workers, and how much work waits."""
        return self._connection.transport.get(StatusRead, "system")

    def dashboard(self) -> str:
        """The address of the dashboard with a sign-in that is good once; starts the dashboard where none answers."""
        return self._connection.transport.post(DashboardAddress, "system/dashboard", DashboardStart()).url

    def change_password(self, new: str, current: str | None = None) -> None:
        """Change the own password; every other session of the account ends.

        Raises
        ------
        PasswordWeak, LoginRefused
            If the new one is too easy to guess, or the current one is not right.
        """
        self._connection.transport.call("POST", "auth/password", PasswordChange(current_password=current, new_password=new))

    def ticket(self, purpose: TicketPurpose) -> TicketRead:
        """A credential for one use within a minute, for a program that opens a WebSocket or a page."""
        return self._connection.transport.post(TicketRead, "auth/ticket", TicketRequest(purpose=purpose))

    def users(self) -> Listing[AccountRead]:
        """Everybody with an account."""
        return Listing(self._connection.transport.get(Page[AccountRead], "users").items, "Users", _ACCOUNT_COLUMNS)

    def quotas(self) -> Listing[QuotaRead]:
        """What everybody stores and may store, in bytes."""
        return Listing(self._connection.transport.get(Page[QuotaRead], "quotas").items, "Quotas", _QUOTA_COLUMNS)

    def add_user(self, email: str, name: str = "", role: Role | str = Role.analyst, password: str | None = None) -> AccountRead:
        """Make an account; without a password its owner signs in by a link first.

        Raises
        ------
        NameTaken, PasswordWeak, Denied
            If the address is used already, the password too weak, or this account no administrator's.
        """
        given = {"email": email, "name": name, "role": role, "password": password}
        return self._connection.transport.post(AccountRead, "users", AccountCreate.model_validate(given))

    def change_user(self, user: AccountRead | str, *, name: str | None = None, role: Role | str | None = None, disabled: bool | None = None) -> AccountRead:
        """Change the name or role of an account (by object, id or email), disable or enable it."""
        given = {"name": name, "role": role, "disabled": disabled}
        change = AccountUpdate.model_validate({field: value for field, value in given.items() if value is not None})
        return self._connection.transport.patch(AccountRead, f"users/{path_of(self._user_id(user))}", change)

    def audit(self, action: str | None = None, limit: int = 200) -> Listing[AuditRead]:
        """Who did what, the newest first; ``action`` is how its name begins, such as ``"dataset"`` or ``"model.train"``."""
        rows = (read for page in pages(self._connection, AuditRead, "audit", action=action) for read in page)
        return Listing(islice(rows, limit), "Audit", _AUDIT_COLUMNS)

    def verify_audit(self) -> AuditVerification:
        """Whether the audit log is whole, and what is not."""
        return self._connection.transport.get(AuditVerification, "audit/verify")

    def export_audit(self, path: str | os.PathLike[str], format: AuditFormat = "jsonl") -> Path:
        """Save the audit log as a file, oldest first."""
        with self._connection.transport.download("audit/export", format=format) as stream:
            return save(stream, Path(path).expanduser())

    def announcements(self, all: bool = False) -> list[AnnouncementRead]:
        """What is announced; with ``all`` also what is to come and what is over."""
        return self._connection.transport.get(Page[AnnouncementRead], "announcements", all=all or None).items

    def announce(self, message: str, severity: Severity = "info", starts_at: datetime | None = None, ends_at: datetime | None = None) -> AnnouncementRead:
        """Tell everybody something, on every screen."""
        body = AnnouncementCreate(message=message, severity=severity, starts_at=starts_at, ends_at=ends_at)
        return self._connection.transport.post(AnnouncementRead, "announcements", body)

    def withdraw_announcement(self, announcement: AnnouncementRead | str) -> None:
        """Take an announcement off every screen."""
        ref = announcement if isinstance(announcement, str) else announcement.id
        self._connection.transport.call("DELETE", f"announcements/{path_of(ref)}")

    def maintenance(self) -> MaintenanceRead:
        """Whether changes are taken in, and when that ends."""
        return self._connection.transport.get(MaintenanceRead, "maintenance")

    def start_maintenance(self, message: str = "", in_minutes: int = 0, minutes: int | None = None) -> MaintenanceRead:
        """Announce or begin maintenance: nothing is changed until :meth:`end_maintenance`."""
        body = MaintenanceStart(message=message, in_minutes=in_minutes, minutes=minutes)
        return self._connection.transport.post(MaintenanceRead, "maintenance", body)

    def end_maintenance(self) -> None:
        """Take changes in again."""
        self._connection.transport.call("DELETE", "maintenance")

    def links(self, model: object | None = None) -> Listing[ShareRead]:
        """Links that open a result or an insight now; only those to one model where it is given."""
        found = self._connection.transport.get(Page[ShareRead], "shares", model=reference(model, "a model") if model is not None else None)
        return Listing(found.items, "Links", _LINK_COLUMNS)

    def make_link(self, model: object, days: int = 14) -> ShareMade:
        """A read-only link to the result of a model, or to an insight, for whoever holds it; its token is told this once."""
        if isinstance(model, Insight):
            return self._connection.transport.post(ShareMade, "shares", ShareCreate(insight=model.id, days=days))
        return self._connection.transport.post(ShareMade, "shares", ShareCreate(model=reference(model, "a model"), days=days))

    def withdraw_link(self, link: ShareRead | str) -> None:
        """Let a link open nothing any more."""
        self._connection.transport.call("DELETE", f"shares/{path_of(link if isinstance(link, str) else link.id)}")

    def deleted(self) -> Listing[TrashRead]:
        """What was deleted within the last day and can be brought back by :meth:`restore`."""
        return Listing(self._connection.transport.get(Page[TrashRead], "trash").items, "Deleted", _TRASH_COLUMNS)

    def discard(self, thing: Dataset | Insight | Thing[Any]) -> TrashRead:
        """Delete a dataset, a version of a model or an insight so that it can be brought back by :meth:`restore` for a day."""
        kind: TrashKind = "dataset" if isinstance(thing, Dataset) else "insight" if isinstance(thing, Insight) else "model"
        return self._connection.transport.post(TrashRead, "trash", TrashPut(kind=kind, ref=thing.id))

    def erase(self, thing: TrashRead | str) -> None:
        """Delete for good something of :meth:`deleted`, with the key of its data."""
        self._connection.transport.call("DELETE", f"trash/{path_of(thing if isinstance(thing, str) else thing.id)}")

    def restore(self, thing: TrashRead | str) -> TrashRead:
        """Bring back something deleted, as it was; ``thing`` is a line of :meth:`deleted`, or its id."""
        return self._connection.transport.post(TrashRead, f"trash/{path_of(thing if isinstance(thing, str) else thing.id)}/restore")

    def _user_id(self, user: AccountRead | str) -> str:
        if isinstance(user, AccountRead):
            return user.id
        if "@" not in user:
            return user
        found = next((each for each in self.users() if each.email.casefold() == user.strip().casefold()), None)
        if found is None:
            raise AccountNotFound(f"There is no account with the address {user!r}. client.users() names them all.")
        return found.id
