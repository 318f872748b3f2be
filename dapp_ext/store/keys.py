"""The root key, and every key that comes from it.

::

    root (a setting or a key file, never in the database)
     └─ HKDF-SHA-256, label "dapp/v1/<purpose>"
         ├─ data-keys   wraps the random key of each object
         ├─ fields      seals single database fields
         └─ …           whatever else a service derives

A root is known by its fingerprint; the first half of it, the key id (``kid``), goes in front of everything that the
root wrapped, so several roots can be held at once and data keys can be wrapped anew without touching the data.

The keys folder holds ``root-<kid>.key`` for each root, ``active`` with the id of the one in use, and ``signing.pem``.
With a secret in the settings that secret is the root in use, and the files only open what they wrapped before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import resource
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from dapp_ext.errors import IntegrityFailed, Invalid, KeyWrong
from dapp_ext.settings import Settings
from dapp_ext.store import key_files
from dapp_ext.store.key_files import derive_key, fingerprint_of, kid_of
from dapp_ext.store.sealing import KEY_BYTES, NONCE_BYTES, field_place, open_field, seal_field

__all__ = ["Keyring", "RootLink", "SigningKey", "fingerprint_of", "new_root", "open_keyring", "root_of_secret", "seal_export", "wrapped_kid"]

_KID_BYTES = 8
_VERSION = b"\x01"
EXPORT_FORMAT = "dapp-keys-v1"
# Argon2id as RFC 9106 recommends where memory is scarce: three passes over 64 MiB.
KDF = {"passes": 3, "memory": 65536, "lanes": 4}
KDF_LARGEST = {"passes": 16, "memory": 1048576, "lanes": 16}
PASSPHRASE_LENGTH = 12


@dataclass(frozen=True)
class RootLink:
    """A root sealed under another one, kept from a rotation to the end of it: who holds either root holds both."""

    kid: str
    by_kid: str
    sealed: bytes


@dataclass(frozen=True)
class SigningKey:
    """The Ed25519 pair that signs tokens; ``kid`` names it in a token's header."""

    kid: str
    private_key: Ed25519PrivateKey = field(repr=False)
    public_key: Ed25519PublicKey = field(repr=False)

    @classmethod
    def of_seed(cls, seed: bytes) -> SigningKey:
        """The pair that 32 bytes stand for."""
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key()
        return cls(hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16], private, public)


def public_key_of(raw: bytes) -> Ed25519PublicKey:
    """The public half of a pair, from its 32 bytes."""
    return Ed25519PublicKey.from_public_bytes(raw)


class Keyring:
    """All keys that a process may use. It cannot be pickled, so a root never reaches a child process by accident.

    Parameters
    ----------
    roots : dict of str to bytes
        Roots by key id.
    active : str
        Id of the root that wraps from now on.
    signing_seed : bytes
        32 bytes for the Ed25519 key.
    """

    def __init__(self, roots: dict[str, bytes], active: str, signing_seed: bytes) -> None:
        self._roots = dict(roots)
        self._derived: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()
        self.kid = active
        self.fingerprint = fingerprint_of(roots[active])
        self._signing = SigningKey.of_seed(signing_seed)

    def __repr__(self) -> str:
        return f"Keyring(kid={self.kid!r}, roots={len(self._roots)})"

    def __reduce__(self) -> str:
        raise TypeError("a keyring stays in its process")

    @property
    def kids(self) -> list[str]:
        """Ids of all roots held, the one in use first."""
        return [self.kid, *sorted(set(self._roots) - {self.kid})]

    def holds(self, kid: str) -> bool:
        """Whether a root is here."""
        return kid in self._roots

    def adopt(self, other: Keyring) -> None:
        """Go on with the roots of another ring, in place: everything that shares this ring sees them at once."""
        with self._lock:
            self._roots = {**other._roots}
            self.kid, self.fingerprint = other.kid, other.fingerprint

    def link(self, kid: str, by_kid: str) -> RootLink:
        """One root sealed under another."""
        return RootLink(kid, by_kid, seal_field(self.derive("roots", by_kid), _link_place(kid, by_kid), self._root(kid)))

    def with_root(self, root: bytes) -> Keyring:
        """A ring with one root more, which is the one in use."""
        kid = kid_of(fingerprint_of(root))
        return Keyring({**self._roots, kid: root}, kid, self._signing.private_key.private_bytes_raw())

    def check(self, fingerprint: str) -> None:
        """Make sure that the root in use is the one that the home folder was sealed with.

        Raises
        ------
        KeyWrong
            If it is another one.
        """
        if not hmac.compare_digest(fingerprint, self.fingerprint):
            raise KeyWrong(
                f"The encryption key (id {self.kid}) does not belong to this home folder, which was sealed with the key "
                f"{fingerprint[:16]}. Give the right DAPP_ENCRYPTION_KEY or put its key file back, or choose another DAPP_HOME."
            )

    def derive(self, purpose: str, kid: str | None = None) -> bytes:
        """A key of 32 bytes for one purpose, always the same for the same root."""
        kid = kid or self.kid
        key = self._derived.get((kid, purpose))
        if key is None:
            key = self._derived[kid, purpose] = derive_key(self._root(kid), purpose)
        return key

    def new_data_key(self) -> bytes:
        """A random key of 32 bytes for one object."""
        return os.urandom(KEY_BYTES)

    def wrap(self, data_key: bytes, object_id: str) -> bytes:
        """Seal the data key of an object with the root in use, bound to the object's id."""
        sealed = seal_field(self.derive("data-keys"), _wrap_place(object_id, self.kid), data_key)
        return _VERSION + bytes.fromhex(self.kid) + sealed

    def unwrap(self, wrapped: bytes, object_id: str) -> bytes:
        """The data key of an object.

        Raises
        ------
        KeyWrong
            If it was wrapped with a root that is not here.
        IntegrityFailed
            If it was changed or belongs to another object.
        """
        kid, sealed = _split(wrapped)
        return open_field(self.derive("data-keys", kid), _wrap_place(object_id, kid), sealed)

    def seal_field(self, table: str, row_id: str, column: str, data: bytes) -> bytes:
        """Seal a database field with the root in use, bound to its place."""
        return _VERSION + bytes.fromhex(self.kid) + seal_field(self.derive("fields"), field_place(table, row_id, column), data)

    def open_field(self, table: str, row_id: str, column: str, sealed: bytes) -> bytes:
        """Open a database field; errors as for :meth:`unwrap`."""
        kid, rest = _split(sealed)
        return open_field(self.derive("fields", kid), field_place(table, row_id, column), rest)

    def signing_key(self) -> SigningKey:
        """The pair of the settings or the keys folder; it signs access tokens until it is rotated for the first time."""
        return self._signing

    def _root(self, kid: str) -> bytes:
        try:
            return self._roots[kid]
        except KeyError:
            raise KeyWrong(
                f"This was sealed with the key {kid}, which is not here. Put its file back into the keys folder, or give the right DAPP_ENCRYPTION_KEY."
            ) from None


def wrapped_kid(wrapped: bytes) -> str:
    """Id of the root that a wrapped key or a sealed field needs."""
    return _split(wrapped)[0]


def new_root() -> bytes:
    """A random root."""
    return os.urandom(KEY_BYTES)


def root_of_secret(secret: str) -> bytes:
    """The root that a secret in the settings stands for."""
    return derive_key(secret.encode(), "root")


def _keep_out_of_dumps() -> None:
    """A process that holds keys leaves no picture of its memory on the disk when it crashes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def open_keyring(settings: Settings, *, expected: str | None = None, links: Iterable[RootLink] = ()) -> Keyring:
    """The keys of a home folder; made on the first start, by one process even when several start at once.

    Parameters
    ----------
    settings : Settings
        With ``encryption_key`` or ``secret_key`` given those are used, else files in ``keys_folder``.
    expected : str, optional
        Fingerprint that the database remembers. With one, a root is never made anew, and the root in use must be it.
    links : iterable of RootLink
        What a rotation left in the database: a root that is held opens the ones that are sealed under it.

    Raises
    ------
    KeyWrong
        If a key file is missing, damaged, readable by others, or not the expected one.
    """
    _keep_out_of_dumps()
    folder = settings.keys_folder
    wanted = None if expected is None else kid_of(expected)
    known = list(links)
    needs_folder = not settings.encryption_key or not settings.secret_key
    roots: dict[str, bytes] = {}
    given: dict[str, bytes] = {}
    active = ""
    seed = b""
    if settings.encryption_key:
        root = root_of_secret(settings.encryption_key)
        active = kid_of(fingerprint_of(root))
        given = _follow({active: root}, known)
    if needs_folder and expected is None:
        key_files.make_folder(folder)
    if folder.is_dir():
        key_files.require_private(folder, os.lstat(folder), folder=True)
        with key_files.locked(folder):
            roots = key_files.read_roots(folder)
            if not settings.encryption_key:
                given = _follow(roots, known)
                active = wanted if wanted in given and wanted not in roots else key_files.active_root(folder, roots, wanted)
            if not settings.secret_key:
                seed = key_files.signing_seed(folder)
    elif needs_folder:
        raise KeyWrong(f"The keys folder {folder} is missing, but data was sealed. Put the folder back from your backup.")
    if settings.secret_key:
        seed = derive_key(settings.secret_key.encode(), "signing")
    ring = Keyring(roots | given, wanted if wanted in given else active, seed)
    if expected is not None:
        ring.check(expected)
    return ring


def opens_alone(settings: Settings, fingerprint: str) -> bool:
    """Whether the settings or the keys folder give this root themselves, without a link from another root."""
    kid = kid_of(fingerprint)
    if settings.encryption_key:
        return kid_of(fingerprint_of(root_of_secret(settings.encryption_key))) == kid
    return (settings.keys_folder / f"root-{kid}.key").is_file()


def _follow(roots: dict[str, bytes], links: list[RootLink]) -> dict[str, bytes]:
    """The roots, and those that they open."""
    found = dict(roots)
    grown = True
    while grown:
        grown = False
        for link in links:
            if link.by_kid in found and link.kid not in found:
                root = open_field(derive_key(found[link.by_kid], "roots"), _link_place(link.kid, link.by_kid), link.sealed)
                if kid_of(fingerprint_of(root)) != link.kid:
                    raise IntegrityFailed
                found[link.kid] = root
                grown = True
    return found


def seal_export(ring: Keyring, passphrase: str, about: dict[str, str]) -> bytes:
    """All roots under a passphrase, as one JSON document: Argon2id, then AES-256-GCM bound to everything around it."""
    if len(passphrase) < PASSPHRASE_LENGTH:
        raise Invalid(f"The passphrase is too short. Use at least {PASSPHRASE_LENGTH} characters.")
    salt = os.urandom(16)
    head: dict[str, object] = {"format": EXPORT_FORMAT, "kdf": {"name": "argon2id", **KDF, "salt": salt.hex()}, **about, "kid": ring.kid, "kids": ring.kids}
    inside = {"active": ring.kid, "roots": {kid: base64.b64encode(root).decode() for kid, root in ring._roots.items()}}
    key = passphrase_key(passphrase, KDF, salt)
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, json.dumps(inside).encode(), _export_aad(head))
    return (json.dumps({**head, "sealed": base64.b64encode(sealed).decode()}, indent=1) + "\n").encode()


def open_export(data: bytes, passphrase: str) -> tuple[dict[str, bytes], str]:
    """The roots of an export by id, and which one was in use.

    Raises
    ------
    Invalid
        If this is not such a file.
    KeyWrong
        If the passphrase is another one, or the file was changed; which of the two cannot be told.
    """
    try:
        head = json.loads(data)
        sealed = base64.b64decode(head.pop("sealed"), validate=True)
        kdf = {name: int(head["kdf"][name]) for name in KDF}
        salt = bytes.fromhex(head["kdf"]["salt"])
        fits = head["format"] == EXPORT_FORMAT and head["kdf"]["name"] == "argon2id" and len(salt) == 16
    except (ValueError, KeyError, TypeError, AttributeError):
        fits = False
    if not fits or any(not 1 <= kdf[name] <= KDF_LARGEST[name] for name in KDF_LARGEST):
        raise Invalid("This is not an export of DAPP's keys. Give the file that jupyter dapp keys export wrote.")
    try:
        inside = json.loads(AESGCM(passphrase_key(passphrase, kdf, salt)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _export_aad(head)))
    except (InvalidTag, ValueError):
        raise KeyWrong("The passphrase is not the one of this export, or the file was changed.") from None
    roots = {kid: base64.b64decode(root) for kid, root in inside["roots"].items()}
    if any(kid_of(fingerprint_of(root)) != kid for kid, root in roots.items()) or inside["active"] not in roots:
        raise IntegrityFailed
    return roots, str(inside["active"])


def passphrase_key(passphrase: str, kdf: dict[str, int], salt: bytes) -> bytes:
    """32 bytes from a passphrase (Argon2id, RFC 9106); ``memory`` in KiB."""
    derivation = Argon2id(salt=salt, length=KEY_BYTES, iterations=kdf["passes"], lanes=kdf["lanes"], memory_cost=kdf["memory"])
    return derivation.derive(passphrase.encode())


def put_back(settings: Settings, roots: dict[str, bytes], active: str) -> list[str]:
    """Write the roots of an export into the keys folder of a home; files that are there stay, unless they are damaged. Returns the ids written."""
    folder = settings.keys_folder
    key_files.make_folder(folder)
    key_files.require_private(folder, os.lstat(folder), folder=True)
    with key_files.locked(folder):
        here = key_files.read_roots(folder, replaced=set(roots))
        missing = sorted(set(roots) - set(here))
        for kid in missing:
            key_files.write_root(folder, roots[kid])
        if not (folder / "active").exists():
            key_files.write_active(folder, active)
    return missing


def _export_aad(head: dict[str, object]) -> bytes:
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()


def _link_place(kid: str, by_kid: str) -> bytes:
    return json.dumps(["dapp-root-link-v1", kid, by_kid], separators=(",", ":")).encode()


def _wrap_place(object_id: str, kid: str) -> bytes:
    return json.dumps(["dapp-data-key-v1", object_id, kid], separators=(",", ":")).encode()


def _split(wrapped: bytes) -> tuple[str, bytes]:
    if wrapped[:1] != _VERSION or len(wrapped) <= 1 + _KID_BYTES:
        raise IntegrityFailed
    return wrapped[1 : 1 + _KID_BYTES].hex(), wrapped[1 + _KID_BYTES :]
