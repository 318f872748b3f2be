"""What all services stand on, and the one way in which they change anything.

A change is one transaction that holds the rows, the events that tell of it and the audit row; when it is committed the
bell rings. Reading sealed fields and finding a thing's data key live here too, so that no service handles keys itself.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dapp_ext.domain import access
from dapp_ext.domain.keeper import Keeper
from dapp_ext.errors import CursorInvalid, DappError, Denied, Internal, MaintenanceOn, NotFound, Unavailable
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Answer, Named, Subject, now
from dapp_ext.settings import Settings
from dapp_ext.store import audit, bell, feed, grants, instance, notices
from dapp_ext.store.database import Database, Session
from dapp_ext.store.frame_cache import FrameCache
from dapp_ext.store.keys import Keyring, open_keyring
from dapp_ext.store.objects import ObjectStore
from dapp_ext.store.redis import Redis
from dapp_ext.store.sealing import open_field, seal_field
from dapp_ext.store.tables import DataKey

log = logging.getLogger(__name__)
KEPT_BYTES = 32 * 2**20
KEPT_KEYS = 512
# Looking at the same thing again within this time is one act of reading, not many.
READ_SECONDS = 900.0
KEPT_READS = 4096
# Reads whose row could not be written yet, because the database took no writes.
OWED_READS = 1000


@dataclass(eq=False)
class Change:
    """One transaction and what is told about it."""

    session: Session
    actor: Actor | None
    events: list[feed.NewEvent] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    subject: Subject | None = None
    by: Named | None = None  # whom background work is done for; it has no actor of its own

    def tell(self, type: str, subject: Subject, data: Answer, thing: access.Thing | None = None, of: Subject | None = None) -> None:
        """Add an event for everybody who may see the thing; without one, for administrators.

        ``of`` is the dataset or model that grants are looked up for, where it is not the subject itself.
        """
        actor = Named(id=self.actor.account_id, name=self.actor.name) if self.actor else self.by
        owner = thing.owner_id if thing else None
        audience = "admin" if thing is None else thing.visibility
        shared = of or subject
        readers = grants.readers(self.session, shared.kind, shared.id) if audience == "private" else []
        self.events.append(feed.NewEvent(type, subject, data, actor, owner, audience, readers))

    def tell_all(self, type: str, subject: Subject, data: Answer) -> None:
        """Add an event for everybody with an account."""
        actor = Named(id=self.actor.account_id, name=self.actor.name) if self.actor else self.by
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
    bells: bell.Bells
    instance_id: str
    epoch: str
    redis: Redis | None = None
    # What versions of datasets say of themselves, by the id of the dataset and more.
    kept: Keeper = field(default_factory=lambda: Keeper(KEPT_BYTES), repr=False)
    audit_key: bytes = field(default=b"", repr=False)
    # Called with what this process itself has just committed, before its caller goes on: sooner than the feed tells everybody.
    own_changes: list[Callable[[list[feed.NewEvent]], None]] = field(default_factory=list, repr=False)
    _keys: OrderedDict[str, bytes] = field(default_factory=OrderedDict, repr=False)
    _reads: OrderedDict[tuple[str, ...], float] = field(default_factory=OrderedDict, repr=False)
    _owed: deque[audit.Entry] = field(default_factory=lambda: deque(maxlen=OWED_READS), repr=False)
    _keys_lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def change(self, actor: Actor | None, action: str | None, subject: Subject | None = None) -> Iterator[Change]:
        """A transaction with its audit row (when ``action`` is given) and events; the bell rings after the commit."""
        with self.database.write() as session:
            change = Change(session, actor, subject=subject)
            yield change
            if action is not None:
                self.record(session, audit.Entry(actor, action, change.subject or subject, "allow", change.details))
            feed.append(session, change.events)
            if change.events:
                self.bells.announce(session)
        if change.events:
            for hear in self.own_changes:
                hear(change.events)
            self.bells.ring()

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
            self.record(session, audit.Entry(actor, action, subject, outcome, details or {}))

    def record(self, session: Session, entry: audit.Entry) -> None:
        """Add a row to the audit, in the transaction of what it tells of."""
        audit.record(session, self.audit_key, entry)

    def note_read(self, actor: Actor, action: str, subject: Subject | None, version: int | None = None) -> None:
        """Record that somebody looked at data: once for each thing and version in a quarter of an hour of a session.

        Looking goes on while the database takes no writes; the row is owed then, and written with the next one.
        """
        place = _place_of(actor, action, subject, version)
        moment = time.monotonic()
        with self._keys_lock:
            if moment - self._reads.get(place, -READ_SECONDS) < READ_SECONDS:
                return
            self._reads[place] = moment
            self._reads.move_to_end(place)
            while len(self._reads) > KEPT_READS:
                self._reads.popitem(last=False)
        self._owed.append(audit.Entry(actor, action, subject, "allow", {} if version is None else {"version": version}))
        taken: list[audit.Entry] = []
        try:
            with self.database.write() as session:
                while self._owed:
                    taken.append(self._owed.popleft())
                    self.record(session, taken[-1])
        except Unavailable as error:
            self._owed.extendleft(reversed(taken))
            log.warning("An audit row of reading waits until the database takes writes again: %s", error.message)

    def has_noted(self, actor: Actor, action: str, subject: Subject | None, version: int | None = None) -> bool:
        """Whether :meth:`note_read` would have nothing to record; waits for nothing."""
        with self._keys_lock:
            return time.monotonic() - self._reads.get(_place_of(actor, action, subject, version), -READ_SECONDS) < READ_SECONDS

    def secret(self, purpose: str) -> bytes:
        """A secret of this workspace, the same for ever: under a data key of its own, so that rotating the root leaves it as it is."""
        with self.database.read() as session:
            key = self.data_key(session, self.instance_id)
        return secret_of(key, purpose)

    def new_key(self, session: Session, subject_id: str) -> bytes:
        """Make the data key of a new thing."""
        key = self.keyring.new_data_key()
        self.keep_key(session, subject_id, key)
        return key

    def keep_key(self, session: Session, subject_id: str, key: bytes) -> None:
        """Add the data key of a new thing to a change, wrapped with the root that is in use at this moment."""
        if instance.active_fingerprint(session) != self.keyring.fingerprint:
            self.refresh_keys()
        session.add(DataKey(subject_id=subject_id, kid=self.keyring.kid, wrapped=self.keyring.wrap(key, subject_id)))

    def refresh_keys(self) -> None:
        """Go on with the keys as they are now: another process has rotated the root."""
        expected, links = instance.known_key(self.database)
        self.keyring.adopt(open_keyring(self.settings, expected=expected, links=links))
        log.info("The root key in use is now %s", self.keyring.kid)

    def data_key(self, session: Session, subject_id: str) -> bytes:
        """The data key of a thing; the last few hundred are kept in memory, unwrapped."""
        with self._keys_lock:
            if subject_id in self._keys:
                self._keys.move_to_end(subject_id)
                return self._keys[subject_id]
        row = session.get(DataKey, subject_id)
        if row is None:
            raise NotFound("This was deleted; its key does not exist any more.")
        if not self.keyring.holds(row.kid):
            self.refresh_keys()
        key = self.keyring.unwrap(row.wrapped, subject_id)
        with self._keys_lock:
            self._keys[subject_id] = key
            while len(self._keys) > KEPT_KEYS:
                self._keys.popitem(last=False)
        return key

    def own_key(self, session: Session, file_id: str) -> bytes | None:
        """The key of a file that has one of its own; None where its key is derived from that of its subject."""
        with self._keys_lock:
            if file_id in self._keys:
                return self._keys[file_id]
        return None if session.get(DataKey, file_id) is None else self.data_key(session, file_id)

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


def secret_of(instance_key: bytes, purpose: str) -> bytes:
    """A secret for one purpose, from the workspace's own data key."""
    return hmac.new(instance_key, f"dapp/v1/{purpose}".encode(), hashlib.sha256).digest()


def _aad(subject_id: str, place: str) -> bytes:
    return f"dapp/v1/field\0{subject_id}\0{place}".encode()


def refuse_in_maintenance(session: Session) -> None:
    """Raise :class:`MaintenanceOn` while changes have to wait; says when to come back."""
    row, moment = notices.maintenance(session), now()
    if row is not None and row.starts_at <= moment:
        left = 60 if row.ends_at is None else max(30, int((row.ends_at - moment).total_seconds()))
        raise MaintenanceOn(f"{row.message.rstrip('.')}. Try again later.", retry_after=left)


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


def _place_of(actor: Actor, action: str, subject: Subject | None, version: int | None) -> tuple[str, str, str, str]:
    return (actor.session_id or f"{actor.account_id} {actor.door}", action, subject.id if subject else "", str(version or ""))
