"""The root keys: looked at, rotated while everything runs, retired, exported; and the key that signs tokens, rotated alike.

A rotation is three steps, each safe to be killed after: the new root is kept; one transaction makes it the one in use;
then the data keys are wrapped with it, some hundred in a transaction. Data is not touched. Until the older root is
retired both open what they wrapped. Other processes notice when they next make a key or meet one that they cannot open.
"""

from __future__ import annotations

from dapp_ext.errors import Conflict, Invalid, NotFound
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject
from dapp_ext.schema.events import SystemEvent
from dapp_ext.schema.keys import KeysRead, KeyState, RootKeyRead
from dapp_ext.services.context import Context
from dapp_ext.services.signing import Signers
from dapp_ext.store import instance, key_files
from dapp_ext.store.keys import RootLink, new_root, opens_alone, root_of_secret, seal_export

BATCH = 500


class Keys:
    """The service."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._signers = Signers(context)

    def status(self, actor: Actor) -> KeysRead:
        """Which keys there are and what they wrap."""
        self._context.permit(actor, "key.list")
        return self._read()

    def rotate(self, actor: Actor, *, new_secret: str | None = None) -> KeysRead:
        """Wrap every data key with a new root; or finish that, when it was interrupted.

        Parameters
        ----------
        new_secret : str, optional
            What ``DAPP_ENCRYPTION_KEY`` will be. Needed where the present key comes from the settings; elsewhere a
            random key is made in the keys folder.

        Raises
        ------
        Invalid
            If the present key comes from the settings and no new secret is given.
        Conflict
            If the new secret is the present one, or was retired.
        """
        self._context.permit(actor, "key.rotate")
        self._catch_up()
        if not self._read().unfinished:
            self._use_new_root(actor, new_secret)
        while self._rewrap():
            pass
        return self._read()

    def rotate_signing(self, actor: Actor, *, at_once: bool = False) -> KeysRead:
        """Sign access tokens with a new key from now on, at every process.

        Nobody has to sign in again: what was signed before is accepted until it ends. Refresh tokens, cookies and personal
        access tokens are not signed, so they go on either way.

        Parameters
        ----------
        at_once : bool
            Accept nothing any more that was signed before: the old key may have leaked. Clients renew their token by themselves.
        """
        self._context.permit(actor, "key.rotate")
        with self._context.change(actor, "key.rotate_signing") as change:
            made = self._signers.rotate(change, at_once=at_once)
            change.subject = Subject(kind="key", id=made.new)
            change.details.update({"from": made.old, "to": made.new, "at_once": at_once})
            change.tell("system.keys", change.subject, SystemEvent(message="Access tokens are signed with a new key."))
        return self._read()

    def retire(self, actor: Actor, kid: str) -> KeysRead:
        """Destroy a root that wraps nothing any more.

        Raises
        ------
        NotFound
            If there never was such a key.
        Conflict
            If it is in use, or still wraps something.
        """
        self._context.permit(actor, "key.retire")
        self._catch_up()
        with self._context.change(actor, "key.retire", Subject(kind="key", id=kid)) as change:
            row = next((each for each in instance.roots(change.session) if each.kid == kid), None)
            if row is None:
                raise NotFound(f"There is no key {kid}. The command jupyter dapp keys status names them all.")
            active = instance.active_fingerprint(change.session)
            if active == row.fingerprint:
                raise Conflict(f"The key {kid} is in use. Rotate first: jupyter dapp keys rotate")
            count = instance.wraps(change.session).get(kid, 0)
            if count:
                raise Conflict(f"The key {kid} still wraps {count} data keys. Finish the rotation first: jupyter dapp keys rotate", wraps=count)
            if not opens_alone(self._context.settings, active):
                raise Conflict("This process still reaches the key in use by way of the older one. Set DAPP_ENCRYPTION_KEY to the new secret first.")
            instance.retire_root(change.session, kid)
            change.tell("system.keys", Subject(kind="key", id=kid), SystemEvent(message="A root key was given up."))
        folder = self._context.settings.keys_folder
        if folder.is_dir():
            with key_files.locked(folder):
                key_files.shred_root(folder, kid)
        self._context.refresh_keys()
        return self._read()

    def export(self, actor: Actor, passphrase: str) -> bytes:
        """All root keys under a passphrase, for a safe place. Put back with :func:`dapp_ext.services.restore_keys`."""
        self._context.permit(actor, "key.export")
        self._catch_up()
        sealed = seal_export(self._context.keyring, passphrase, {"instance_id": self._context.instance_id})
        self._context.note(actor, "key.export", Subject(kind="key", id=self._context.keyring.kid), "allow", {"keys": len(self._context.keyring.kids)})
        return sealed

    def _use_new_root(self, actor: Actor, new_secret: str | None) -> None:
        context = self._context
        if new_secret is None and context.settings.encryption_key:
            raise Invalid("The key in use comes from the settings, so the new one has to be given: jupyter dapp keys rotate --new-key-file PATH")
        root = new_root() if new_secret is None else root_of_secret(new_secret)
        ring = context.keyring.with_root(root)
        old = context.keyring.kid
        links: list[RootLink] = []
        if new_secret is None:
            with key_files.locked(context.settings.keys_folder):
                key_files.write_root(context.settings.keys_folder, root)
        else:
            # Processes that know only one of the two secrets work on until the older one is retired.
            links = [ring.link(ring.kid, old), ring.link(old, ring.kid)]
        with context.change(actor, "key.rotate", Subject(kind="key", id=ring.kid)) as change:
            known = {each.kid: each for each in instance.roots(change.session)}
            if ring.kid in known:
                raise Conflict("The new key was in use before. Make another one.")
            if instance.active_fingerprint(change.session) != context.keyring.fingerprint:
                raise Conflict("Another rotation has just begun. Run jupyter dapp keys status to see it.")
            change.details.update({"from": old, "to": ring.kid})
            change.tell("system.keys", Subject(kind="key", id=ring.kid), SystemEvent(message="A new root key is in use."))
            instance.use_root(change.session, ring, links)
        context.refresh_keys()

    def _rewrap(self) -> bool:
        """One batch in a transaction of its own, so that nobody else waits for long."""
        with self._context.database.write() as session:
            return instance.rewrap(session, self._context.keyring, BATCH) > 0

    def _catch_up(self) -> None:
        with self._context.database.read() as session:
            fingerprint = instance.active_fingerprint(session)
        if fingerprint != self._context.keyring.fingerprint:
            self._context.refresh_keys()

    def _read(self) -> KeysRead:
        self._catch_up()
        ring = self._context.keyring
        with self._context.database.read() as session:
            rows, wraps = instance.roots(session), instance.wraps(session)
            signing = self._signers.read(session)

        def state(kid: str, retired: bool) -> KeyState:
            return "active" if kid == ring.kid else "retired" if retired else "old"

        keys = [
            RootKeyRead(
                kid=row.kid,
                fingerprint=row.fingerprint,
                state=state(row.kid, row.retired_at is not None),
                wraps=wraps.get(row.kid, 0),
                here=ring.holds(row.kid),
                created_at=row.created_at,
                retired_at=row.retired_at,
            )
            for row in rows
        ]
        waiting = sum(count for kid, count in wraps.items() if kid != ring.kid)
        return KeysRead(
            active=ring.kid,
            source=self._context.settings.key_source(),
            unfinished=waiting > 0,
            signing_key=signing[0].kid,
            keys=keys,
            signing_keys=signing,
        )
