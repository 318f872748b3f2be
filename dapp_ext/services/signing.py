"""Which key signs access tokens, and which ones are believed.

The first one comes from the settings or the keys folder. A rotation makes the next at random, seals it into the database,
where every process finds it at once, and destroys what the one before could sign with; what that one has signed is good
until it ends, or no longer than this moment. Another key in the settings or the folder takes the place of them all.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dapp_ext.schema.base import now
from dapp_ext.schema.keys import SigningKeyRead
from dapp_ext.services.context import Change, Context
from dapp_ext.services.tokens import LEEWAY_SECONDS
from dapp_ext.store import signing as store
from dapp_ext.store.database import Session
from dapp_ext.store.keys import SigningKey, public_key_of
from dapp_ext.store.tables import SigningKeyRow

SEED_BYTES = 32
KEPT = 64


@dataclass(frozen=True)
class Rotated:
    """From which key to which."""

    old: str
    new: str


class Signers:
    """The keys of one workspace, as the database knows them at the moment of asking."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._opened: dict[str, SigningKey] = {}
        self._public: dict[str, Any] = {}

    def active(self, session: Session) -> SigningKey:
        """The key that signs now."""
        base = self._context.keyring.signing_key()
        row = next((row for row in store.keys(session, base.kid) if row.accepted_until is None), None)
        if row is None or row.kid == base.kid:
            return base
        if row.kid not in self._opened:
            seed = bytes.fromhex(self._context.unseal(session, self._context.instance_id, _place(row.kid), row.sealed)["seed"])
            self._opened = {row.kid: SigningKey.of_seed(seed)}
        return self._opened[row.kid]

    def accepted(self, session: Session, kid: str) -> Any | None:
        """The public key that a token names; ``None`` when nothing that it signed is believed any more."""
        base = self._context.keyring.signing_key()
        known = store.public_halves(session, base.kid)
        if not known:
            return base.public_key if kid == base.kid else None
        if kid not in known or _is_over(known[kid][1]):
            return None
        if kid not in self._public:
            if len(self._public) >= KEPT:
                self._public.clear()
            self._public[kid] = public_key_of(known[kid][0])
        return self._public[kid]

    def rotate(self, change: Change, *, at_once: bool) -> Rotated:
        """Sign with a new key from this change on.

        Parameters
        ----------
        at_once : bool
            Believe nothing any more that an earlier key has signed; else it is good until it ends.
        """
        session, base = change.session, self._context.keyring.signing_key()
        moment, old = now(), self.active(session)
        seed = os.urandom(SEED_BYTES)
        key = SigningKey.of_seed(seed)
        if not store.keys(session, base.kid):
            session.add(SigningKeyRow(kid=base.kid, base=base.kid, public=base.public_key.public_bytes_raw()))
            session.flush()
        lifetime = timedelta(seconds=0 if at_once else self._context.settings.access_minutes * 60 + LEEWAY_SECONDS)
        sealed = self._context.seal(session, self._context.instance_id, _place(key.kid), {"seed": seed.hex()})
        row = SigningKeyRow(kid=key.kid, base=base.kid, public=key.public_key.public_bytes_raw(), sealed=sealed, created_at=moment)
        store.replace(session, row, moment + lifetime)
        return Rotated(old.kid, key.kid)

    def read(self, session: Session) -> list[SigningKeyRead]:
        """All keys, the one in use first, then the latest."""
        base = self._context.keyring.signing_key()
        rows = store.keys(session, base.kid)
        if not rows:
            return [SigningKeyRead(kid=base.kid, state="active")]
        return [
            SigningKeyRead(
                kid=row.kid,
                state="active" if row.accepted_until is None else "retired" if _is_over(row.accepted_until) else "old",
                created_at=row.created_at,
                accepted_until=row.accepted_until,
            )
            for row in reversed(rows)
        ]


def _is_over(until: datetime | None) -> bool:
    return until is not None and until <= now()


def _place(kid: str) -> str:
    return f"signing_keys/{kid}"
