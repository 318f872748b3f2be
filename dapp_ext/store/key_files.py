"""The keys folder: files of mode 0600 that are wholly there or not at all, and are read only where nobody else could have.

``root-<kid>.key`` for each root, ``active`` with the id of the one in use, and ``signing.pem``.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dapp_ext.errors import KeyWrong
from dapp_ext.store.folders import make_private
from dapp_ext.store.sealing import KEY_BYTES

_ROOT_MARK = "dapp-root-v1 "
_KID_BYTES = 8


def derive_key(secret: bytes, purpose: str) -> bytes:
    """32 bytes from a secret for one purpose (HKDF, RFC 5869)."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"dapp/v1/{purpose}".encode()).derive(secret)


def fingerprint_of(root: bytes) -> str:
    """32 hexadecimal characters that tell roots apart and say nothing else about them."""
    return hashlib.sha256(derive_key(root, "fingerprint")).hexdigest()[:32]


def kid_of(fingerprint: str) -> str:
    """The id of a root: the first half of its fingerprint."""
    return fingerprint[: 2 * _KID_BYTES]


def make_folder(folder: Path) -> None:
    try:
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise KeyWrong(f"The keys folder {folder} cannot be made: {error.strerror}. Choose another DAPP_HOME.") from error


def require_private(path: Path, found: os.stat_result, *, folder: bool) -> None:
    right = stat.S_ISDIR(found.st_mode) if folder else stat.S_ISREG(found.st_mode)
    if not right:
        raise KeyWrong(f"{path} must be a plain {'folder' if folder else 'file'}, not a link or anything else. Replace it by the real one.")
    if found.st_uid != os.geteuid():
        raise KeyWrong(f"{path} belongs to another account of this machine. Run as its owner, or give it to yours with chown.")
    if found.st_mode & 0o077:
        raise KeyWrong(f"{path} can be reached by other accounts of this machine. Run: chmod {'700' if folder else '600'} '{path}'")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one process at a time reads or makes the files of a keys folder; the lock of a dead process is free."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyWrong(f"The keys folder {folder} cannot be read: {error.strerror}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def read_roots(folder: Path, replaced: Collection[str] = ()) -> dict[str, bytes]:
    """The roots of a keys folder by their ids; a damaged file of one that is about to be ``replaced`` counts as none."""
    roots: dict[str, bytes] = {}
    for path in sorted(folder.glob("root-*.key")):
        text = read_private(path).decode("ascii", "replace").strip()
        kid = path.stem.removeprefix("root-")
        try:
            root = base64.urlsafe_b64decode(text.removeprefix(_ROOT_MARK))
        except ValueError:
            root = b""
        if not text.startswith(_ROOT_MARK) or len(root) != KEY_BYTES or kid_of(fingerprint_of(root)) != kid:
            if kid in replaced:
                continue
            raise KeyWrong(f"The key file {path} is damaged. Put it back from your backup, or with: jupyter dapp keys restore FILE")
        roots[kid] = root
    return roots


def active_root(folder: Path, roots: dict[str, bytes], wanted: str | None) -> str:
    """Id of the root file in use: the one that the database names, else the marker's.

    Adds a new root to ``roots`` on the first start, when no database wants one yet. A rotation that was killed between
    the database's word and the marker's is taken up here.
    """
    marker = folder / "active"
    named = read_private(marker).decode("ascii", "replace").strip() if marker.exists() else None
    if wanted in roots:
        kid = str(wanted)
    elif named is not None:
        if named not in roots:
            raise KeyWrong(f"The key file {folder / f'root-{named}.key'} is missing. Put it back from your backup.")
        kid = named
    elif len(roots) == 1:
        # A start that was killed between writing the key and naming it.
        (kid,) = roots
    elif roots:
        raise KeyWrong(f"{marker} is missing and there are {len(roots)} key files beside it. Write the id of the one in use into it.")
    elif wanted is not None:
        raise KeyWrong(f"There is no key file in {folder}, but data was sealed. Put the file back from your backup.")
    else:
        root = os.urandom(KEY_BYTES)
        kid = write_root(folder, root)
        roots[kid] = root
    if kid != named:
        write_active(folder, kid)
    return kid


def write_root(folder: Path, root: bytes) -> str:
    """Keep a root in a file of its own; returns its id."""
    kid = kid_of(fingerprint_of(root))
    write_private(folder / f"root-{kid}.key", f"{_ROOT_MARK}{base64.urlsafe_b64encode(root).decode()}\n".encode())
    return kid


def write_active(folder: Path, kid: str) -> None:
    """Name the root that wraps from now on."""
    write_private(folder / "active", f"{kid}\n".encode())


def shred_root(folder: Path, kid: str) -> bool:
    """Overwrite and remove the file of a root; false when there was none."""
    path = folder / f"root-{kid}.key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise KeyWrong(f"The key file {path} cannot be removed: {error.strerror}.") from error
    with open(handle, "wb", buffering=0) as file:
        file.write(os.urandom(os.fstat(handle).st_size))
        os.fsync(handle)
    path.unlink()
    return True


def signing_seed(folder: Path) -> bytes:
    path = folder / "signing.pem"
    if not path.exists():
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write_private(path, Ed25519PrivateKey.generate().private_bytes(*form))
    try:
        key = serialization.load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyWrong(f"The key file {path} is damaged. Remove it: a new one is made, and everyone signs in again.")
    return key.private_bytes_raw()


def read_private(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise KeyWrong(f"The key file {path} cannot be read: {error.strerror}.") from error
    with open(handle, "rb") as file:
        require_private(path, os.fstat(handle), folder=False)
        return file.read(4096)


def write_private(path: Path, data: bytes) -> None:
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
