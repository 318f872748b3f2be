"""What all services stand on, and the one way in which they change anything.

A change is one transaction that holds the rows, the events that tell of it and the audit row; when it is committed the
bell rings. Reading sealed fields and finding a thing's data key live here too, so that no service handles keys itself.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapp_ext.domain import access
from dapp_ext.errors import CursorInvalid, DappError, Denied, Internal, MaintenanceOn, NotFound
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Answer, Named, Subject, now
from dapp_ext.settings import Settings
from dapp_ext.store import audit, bell, feed, notices
from dapp_ext.store.database import Database, Session
from dapp_ext.store.frame_cache import FrameCache
from dapp_ext.store.keys import Keyring
from dapp_ext.store.objects import ObjectStore
from dapp_ext.store.sealing import open_field, seal_field
from dapp_ext.store.tables import DataKey

KEPT_KEYS = 512


@dataclass(eq=False)
class Change:
    """One transaction and what is told about it."""

    session: Session
    actor: Actor | None
    events: list[feed.NewEvent] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    subject: Subject | None = None
    by: Named | None = None  # whom background work is done for; it has no actor of its own

    def tell(self, type: str, subject: Subject, data: Answer, thing: access.Thing | None = None) -> None:
        """Add an event for everybody who may see the thing; without one, for administrators."""
        actor = Named(id=self.actor.account_id, name=self.actor.name) if self.actor else self.by
        owner = thing.owner_id if thing else None
        audience = "admin" if thing is None else thing.visibility
        self.events.append(feed.NewEvent(type, subject, data, actor, owner, audience))

    def tell_all(self, type: str, subject: Subject, data: Answer) -> None:
        """Add an event for everybody with an account."""
        actor = Named(id=self.actor.account_id, name=self.actor.name) if self.actor else None
        self.events.append(feed.NewEvent(type, subject, data, actor))

    def tell_one(self, type: str, subject: Subject, data: Answer, account_id: str) -> None:
        """Add an event for one account alone, at all its doors."""
        self.events.append(feed.NewEvent(type, subject, data, None, account_id, "private"))


@dataclass(eq=False)
class Context:
    """The parts that services share; made by ``open_services``."""

    settings: Settings
    database: Database
    keyring: Keyring
    objects: ObjectStore
    frames: FrameCache
    tail: feed.Tail
    bells: Path
    instance_id: str
    epoch: str
    _keys: OrderedDict[str, bytes] = field(default_factory=OrderedDict, repr=False)
    _keys_lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def change(self, actor: Actor | None, action: str | None, subject: Subject | None = None) -> Iterator[Change]:
        """A transaction with its audit row (when ``action`` is given) and events; the bell rings after the commit."""
        with self.database.write() as session:
            change = Change(session, actor, subject=subject)
            yield change
            if action is not None:
                audit.record(session, actor, action, change.subject or subject, "allow", change.details)
            feed.append(session, change.events)
        if change.events:
            bell.ring(self.bells)

    def permit(self, actor: Actor, verb: str, thing: access.Thing | None = None, unseen: type[NotFound] = NotFound) -> None:
        """Ask the policy; a refusal is recorded before it is raised."""
        try:
            access.check(actor, verb, thing, unseen)
        except Denied as refusal:
            self.note(actor, verb, None, "deny", {"reason": refusal.message})
            raise
        if access.waits_in_maintenance(verb):
            with self.database.read() as session:
                refuse_in_maintenance(session)

    def allows(self, actor: Actor, verb: str, thing: access.Thing | None = None) -> bool:
        """What the policy says, without a refusal."""
        return access.allowed(actor, verb, thing)

    def note(self, actor: Actor | None, action: str, subject: Subject | None, outcome: str, details: dict[str, Any] | None = None) -> None:
        """Record something that changed nothing else, such as a refusal or a download."""
        with self.database.write() as session:
            audit.record(session, actor, action, subject, outcome, details or {})

    def secret(self, purpose: str) -> bytes:
        """A secret of this workspace, the same for ever: under a data key of its own, so that rotating the root leaves it as it is."""
        with self.database.read() as session:
            key = self.data_key(session, self.instance_id)
        return hmac.new(key, f"dapp/v1/{purpose}".encode(), hashlib.sha256).digest()

    def new_key(self, session: Session, subject_id: str) -> bytes:
        """Make the data key of a new thing."""
        key = self.keyring.new_data_key()
        session.add(DataKey(subject_id=subject_id, kid=self.keyring.kid, wrapped=self.keyring.wrap(key, subject_id)))
        return key

    def data_key(self, session: Session, subject_id: str) -> bytes:
        """The data key of a thing; the last few hundred are kept in memory, unwrapped."""
        with self._keys_lock:
            if subject_id in self._keys:
                self._keys.move_to_end(subject_id)
                return self._keys[subject_id]
        row = session.get(DataKey, subject_id)
        if row is None:
            raise NotFound("This was deleted; its key does not exist any more.")
        key = self.keyring.unwrap(row.wrapped, subject_id)
        with self._keys_lock:
            self._keys[subject_id] = key
            while len(self._keys) > KEPT_KEYS:
                self._keys.popitem(last=False)
        return key

    def forget_key(self, subject_id: str) -> None:
        with self._keys_lock:
            self._keys.pop(subject_id, None)

    def seal(self, session: Session, subject_id: str, place: str, value: dict[str, Any]) -> bytes:
        """Seal JSON for a database field; ``place`` (table and row) is bound to it."""
        data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return seal_field(self.data_key(session, subject_id), _aad(subject_id, place), data)

    def unseal(self, session: Session, subject_id: str, place: str, sealed: bytes | None) -> dict[str, Any]:
        """What :meth:`seal` sealed; empty for a field that was never written."""
        if sealed is None:
            return {}
        value: dict[str, Any] = json.loads(open_field(self.data_key(session, subject_id), _aad(subject_id, place), sealed))
        return value


def _aad(subject_id: str, place: str) -> bytes:
    return f"dapp/v1/field\0{subject_id}\0{place}".encode()


def refuse_in_maintenance(session: Session) -> None:
    """Raise :class:`MaintenanceOn` while changes have to wait; says when to come back."""
    row, moment = notices.maintenance(session), now()
    if row is not None and row.starts_at <= moment:
        left = 60 if row.ends_at is None else max(30, int((row.ends_at - moment).total_seconds()))
        raise MaintenanceOn(f"{row.message} Try again later.", retry_after=left)


def list_cursor(cursor: str | None) -> str | None:
    """The id that a list cursor stands for, checked."""
    if cursor is None:
        return None
    try:
        return str(uuid.UUID(cursor))
    except ValueError:
        raise CursorInvalid("The list cursor is not valid. Start again without one.") from None


def as_dapp_error(error: Exception) -> DappError:
    """The error itself if it is one of ours, else the one that says nothing."""
    return error if isinstance(error, DappError) else Internal()
