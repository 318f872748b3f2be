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
import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dapp_ext.errors import IntegrityFailed, KeyWrong
from dapp_ext.settings import Settings
from dapp_ext.store.sealing import KEY_BYTES, field_place, open_field, seal_field

_ROOT_MARK = "dapp-root-v1 "
_KID_BYTES = 8
_VERSION = b"\x01"


def _derive(secret: bytes, purpose: str) -> bytes:
    """32 bytes from a secret for one purpose (HKDF, RFC 5869)."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"dapp/v1/{purpose}".encode()).derive(secret)


def fingerprint_of(root: bytes) -> str:
    """32 hexadecimal characters that tell roots apart and say nothing else about them."""
    return hashlib.sha256(_derive(root, "fingerprint")).hexdigest()[:32]


@dataclass(frozen=True)
class SigningKey:
    """The Ed25519 pair that signs tokens; ``kid`` names it in a token's header."""

    kid: str
    private_key: Ed25519PrivateKey = field(repr=False)
    public_key: Ed25519PublicKey = field(repr=False)


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
        self.kid = active
        self.fingerprint = fingerprint_of(roots[active])
        private = Ed25519PrivateKey.from_private_bytes(signing_seed)
        public = private.public_key()
        self._signing = SigningKey(hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16], private, public)

    def __repr__(self) -> str:
        return f"Keyring(kid={self.kid!r}, roots={len(self._roots)})"

    def __reduce__(self) -> str:
        raise TypeError("a keyring stays in its process")

    @property
    def kids(self) -> list[str]:
        """Ids of all roots held, the one in use first."""
        return [self.kid, *sorted(set(self._roots) - {self.kid})]

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
            key = self._derived[kid, purpose] = _derive(self._root(kid), purpose)
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
        """The pair that signs access tokens."""
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


def open_keyring(settings: Settings, *, expected: str | None = None) -> Keyring:
    """The keys of a home folder; made on the first start, by one process even when several start at once.

    Parameters
    ----------
    settings : Settings
        With ``encryption_key`` or ``secret_key`` given those are used, else files in ``keys_folder``.
    expected : str, optional
        Fingerprint that the database remembers. With one, a root is never made anew, and the root in use must be it.

    Raises
    ------
    KeyWrong
        If a key file is missing, damaged, readable by others, or not the expected one.
    """
    folder = settings.keys_folder
    needs_folder = not settings.encryption_key or not settings.secret_key
    roots: dict[str, bytes] = {}
    active = ""
    seed = b""
    if needs_folder and expected is None:
        _make_folder(folder)
    if folder.is_dir():
        _require_private(folder, os.lstat(folder), folder=True)
        with _locked(folder):
            roots = _read_roots(folder)
            if not settings.encryption_key:
                active = _active_root(folder, roots, may_create=expected is None)
            if not settings.secret_key:
                seed = _signing_seed(folder)
    elif needs_folder:
        raise KeyWrong(f"The keys folder {folder} is missing, but data was sealed. Put the folder back from your backup.")
    if settings.encryption_key:
        root = _derive(settings.encryption_key.encode(), "root")
        active = fingerprint_of(root)[: 2 * _KID_BYTES]
        roots[active] = root
    if settings.secret_key:
        seed = _derive(settings.secret_key.encode(), "signing")
    ring = Keyring(roots, active, seed)
    if expected is not None:
        ring.check(expected)
    return ring


def _wrap_place(object_id: str, kid: str) -> bytes:
    return json.dumps(["dapp-data-key-v1", object_id, kid], separators=(",", ":")).encode()


def _split(wrapped: bytes) -> tuple[str, bytes]:
    if wrapped[:1] != _VERSION or len(wrapped) <= 1 + _KID_BYTES:
        raise IntegrityFailed
    return wrapped[1 : 1 + _KID_BYTES].hex(), wrapped[1 + _KID_BYTES :]


def _make_folder(folder: Path) -> None:
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise KeyWrong(f"The keys folder {folder} cannot be made: {error.strerror}. Choose another DAPP_HOME.") from error


def _require_private(path: Path, found: os.stat_result, *, folder: bool) -> None:
    right = stat.S_ISDIR(found.st_mode) if folder else stat.S_ISREG(found.st_mode)
    if not right:
        raise KeyWrong(f"{path} must be a plain {'folder' if folder else 'file'}, not a link or anything else. Replace it by the real one.")
    if found.st_uid != os.geteuid():
        raise KeyWrong(f"{path} belongs to another account of this machine. Run as its owner, or give it to yours with chown.")
    if found.st_mode & 0o077:
        raise KeyWrong(f"{path} can be reached by other accounts of this machine. Run: chmod {'700' if folder else '600'} '{path}'")


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Only one process at a time reads or makes the files of a keys folder; the lock of a dead process is free."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read_roots(folder: Path) -> dict[str, bytes]:
    roots: dict[str, bytes] = {}
    for path in sorted(folder.glob("root-*.key")):
        text = _read_private(path).decode("ascii", "replace").strip()
        kid = path.stem.removeprefix("root-")
        try:
            root = base64.urlsafe_b64decode(text.removeprefix(_ROOT_MARK))
        except ValueError:
            root = b""
        if not text.startswith(_ROOT_MARK) or len(root) != KEY_BYTES or fingerprint_of(root)[: 2 * _KID_BYTES] != kid:
            raise KeyWrong(f"The key file {path} is damaged. Put it back from your backup.")
        roots[kid] = root
    return roots


def _active_root(folder: Path, roots: dict[str, bytes], *, may_create: bool) -> str:
    """Id of the root file in use; adds a new root to ``roots`` on the first start."""
    marker = folder / "active"
    if marker.exists():
        kid = _read_private(marker).decode("ascii", "replace").strip()
        if kid not in roots:
            raise KeyWrong(f"The key file {folder / f'root-{kid}.key'} is missing. Put it back from your backup.")
        return kid
    if len(roots) == 1:
        # A start that was killed between writing the key and naming it.
        (kid,) = roots
    elif roots:
        raise KeyWrong(f"{marker} is missing and there are {len(roots)} key files beside it. Write the id of the one in use into it.")
    elif not may_create:
        raise KeyWrong(f"There is no key file in {folder}, but data was sealed. Put the file back from your backup.")
    else:
        root = os.urandom(KEY_BYTES)
        kid = fingerprint_of(root)[: 2 * _KID_BYTES]
        _write_private(folder / f"root-{kid}.key", f"{_ROOT_MARK}{base64.urlsafe_b64encode(root).decode()}\n".encode())
        roots[kid] = root
    _write_private(marker, f"{kid}\n".encode())
    return kid


def _signing_seed(folder: Path) -> bytes:
    path = folder / "signing.pem"
    if not path.exists():
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        _write_private(path, Ed25519PrivateKey.generate().private_bytes(*form))
    try:
        key = serialization.load_pem_private_key(_read_private(path), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyWrong(f"The key file {path} is damaged. Remove it: a new one is made, and everyone signs in again.")
    return key.private_bytes_raw()


def _read_private(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise KeyWrong(f"The key file {path} cannot be read: {error.strerror}.") from error
    with open(handle, "rb") as file:
        _require_private(path, os.fstat(handle), folder=False)
        return file.read(4096)


def _write_private(path: Path, data: bytes) -> None:
    """A new file of mode 0600 that is wholly there or not at all, also after a power cut."""
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        draft.rename(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise KeyWrong(f"The key file {path} cannot be written: {error.strerror}.") from error
