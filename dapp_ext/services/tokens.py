"""Access tokens: short EdDSA-signed pointers to a live session, made and read in this one place.

The reader is stricter than the library: exactly three header fields and eight claims, canonical base64url, typed
values, a bounded life (RFC 8725). A token proves a session, nothing else; the role is read from the database.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jwt

from dapp_ext.errors import NotSignedIn
from dapp_ext.store.keys import SigningKey

AUDIENCE = "dapp-api"
LEEWAY_SECONDS = 30
MAX_TOKEN_LENGTH = 4096
KEPT_TOKENS = 512
_KID = re.compile(r"[0-9a-f]{16}", re.ASCII)
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
# Our ids are of this form; nothing else is asked of the database.
_ID = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)
_CLAIMS = {"iss": str, "aud": str, "sub": str, "sid": str, "jti": str, "iat": int, "nbf": int, "exp": int}


@dataclass(frozen=True)
class _Read:
    account_id: str
    session_id: str
    kid: str
    expires: int


@dataclass(frozen=True)
class AccessTokens:
    """Signs and reads the access tokens of one workspace."""

    issuer: str
    lifetime: int
    # What was read already: the same token is sent with every call, and a signature does not change.
    _read: dict[str, _Read] = field(default_factory=dict, repr=False, compare=False)

    def make(self, key: SigningKey, account_id: str, session_id: str) -> str:
        """A token for a session, good for ``lifetime`` seconds, signed with a key."""
        moment = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": account_id,
            "sid": session_id,
            "jti": secrets.token_hex(16),
            "iat": moment,
            "nbf": moment,
            "exp": moment + self.lifetime,
        }
        return jwt.encode(claims, key.private_key, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": key.kid})

    def read(self, token: str, accepted: Callable[[str], Any | None]) -> tuple[str, str]:
        """The account and session that a token points to.

        Parameters
        ----------
        accepted : callable
            Gives the public key of an id, ``None`` for one that is not believed; asked each time, since keys rotate.

        Raises
        ------
        NotSignedIn
            For anything that is not exactly such a token, always with the same sentence.
        """
        known = self._read.get(token)
        if known is not None and time.time() < known.expires and accepted(known.kid) is not None:
            return known.account_id, known.session_id
        if len(token) > MAX_TOKEN_LENGTH or not _SHAPE.fullmatch(token):
            raise NotSignedIn
        parts = [_canonical(part) for part in token.split(".")]
        header = _object(parts[0])
        kid = header.pop("kid", None)
        if header != {"alg": "EdDSA", "typ": "at+jwt"} or not isinstance(kid, str) or not _KID.fullmatch(kid):
            raise NotSignedIn
        public_key = accepted(kid)
        if public_key is None:
            raise NotSignedIn
        try:
            claims: dict[str, Any] = jwt.decode(
                token, public_key, algorithms=["EdDSA"], audience=AUDIENCE, issuer=self.issuer, leeway=LEEWAY_SECONDS, options={"require": list(_CLAIMS)}
            )
        except jwt.PyJWTError:
            raise NotSignedIn from None
        if _object(parts[1]).keys() != _CLAIMS.keys() or any(type(claims[name]) is not kind for name, kind in _CLAIMS.items()):
            raise NotSignedIn
        if not all(_ID.fullmatch(claims[name]) for name in ("sub", "sid", "jti")):
            raise NotSignedIn
        if not 0 < claims["exp"] - claims["iat"] <= self.lifetime or claims["iat"] > time.time() + LEEWAY_SECONDS:
            raise NotSignedIn
        if len(self._read) >= KEPT_TOKENS:
            self._read.clear()
        if claims["nbf"] <= time.time():
            self._read[token] = _Read(claims["sub"], claims["sid"], kid, claims["exp"])
        return claims["sub"], claims["sid"]


def _canonical(part: str) -> bytes:
    """Decode base64url and refuse a second spelling of the same bytes."""
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise NotSignedIn from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise NotSignedIn
    return data


def _object(data: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise NotSignedIn
        return found

    try:
        value = json.loads(data, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise NotSignedIn from None
    if not isinstance(value, dict):
        raise NotSignedIn
    return value
