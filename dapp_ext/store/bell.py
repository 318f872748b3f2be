"""A doorbell between processes: rung after a commit, heard on the same machine within a millisecond.

Each listening process binds a datagram socket of its own in a private folder; whoever rings sends one byte to all of
them. A bell carries no information, so a lost one costs only the wait until the next slow look at the database.
The folder is outside the home, since the path of a Unix socket may have about a hundred characters only.

Processes on other machines are reached by a wire (``store.wires``): whatever arrives there rings the bells of this
process, except what a process of this machine has sent, since its datagram was here before.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import select
import socket
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from dapp_ext.errors import SettingInvalid
from dapp_ext.schema.base import new_id
from dapp_ext.store.database import Session
from dapp_ext.store.folders import make_private
from dapp_ext.store.wires import Wire


def bell_folder(home: Path) -> Path:
    """The private folder for the bells of one home.

    Raises
    ------
    SettingInvalid
        When somebody else has taken its place: everybody may write to the folder for temporary files.
    """
    base = Path(tempfile.gettempdir()) / f"dapp-{os.getuid()}"
    folder = base / hashlib.sha256(str(home).encode()).hexdigest()[:16]
    try:
        make_private(base)
        found = base.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise SettingInvalid(f"{base} is not a folder that only you can write to. Remove it, or set TMPDIR to a folder of your own.")
        make_private(folder)
    except OSError as error:
        raise SettingInvalid(f"The folder {folder} cannot be made: {error.strerror}. Set TMPDIR to a folder of your own.") from error
    return folder


def ring(folder: Path) -> None:
    """Wake everyone who listens. Never fails: the slow look finds what a bell did not tell."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for path in folder.glob("*.bell"):
            try:
                sender.sendto(b"\0", str(path))
            except OSError as error:
                if error.errno == errno.ECONNREFUSED:  # its process is gone
                    path.unlink(missing_ok=True)


class Bell:
    """One listener."""

    def __init__(self, folder: Path, begin: Callable[[], None] | None = None) -> None:
        self._begin = begin
        self._path = folder / f"{new_id()[-12:]}.bell"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(self._path))

    def wait(self, seconds: float) -> bool:
        """Sleep until the bell rings, at most so long; whether it rang."""
        if self._begin is not None:
            self._begin()
            self._begin = None
        try:
            ready, _, _ = select.select([self._socket], [], [], seconds)
        except (OSError, ValueError):  # closed by another thread
            return False
        with contextlib.suppress(OSError):
            while self._socket.recv(16):
                pass
        return bool(ready)

    def wake(self) -> None:
        """Ring only this bell."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(b"\0", str(self._path))

    def close(self) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)


class Bells:
    """All the bells of one process, and the wire to other machines if there is one.

    Parameters
    ----------
    home : Path
        The home whose processes hear each other.
    wire : Wire, optional
        What reaches the processes of other machines. It is opened when somebody listens, not before.
    """

    def __init__(self, home: Path, wire: Wire | None = None) -> None:
        self._folder = bell_folder(home)
        self._wire = wire
        self._token = _token_of(self._folder)
        self._mine: set[Bell] = set()
        self._lock = threading.Lock()
        self._listening = False

    def listen(self) -> Bell:
        """Another bell of this process."""
        made = Bell(self._folder, self._open_wire)
        with self._lock:
            self._mine.add(made)
        return made

    def announce(self, session: Session) -> None:
        """Ring with the commit of this transaction, on wires that can."""
        if self._wire is not None:
            self._wire.announce(session, self._token)

    def ring(self) -> None:
        """Wake everyone who listens. Never fails."""
        ring(self._folder)
        if self._wire is not None:
            self._wire.send(self._token)

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()

    def _open_wire(self) -> None:
        with self._lock:
            first, self._listening = not self._listening, True
        if first and self._wire is not None:
            self._wire.open(self._heard)

    def _heard(self, token: str) -> None:
        if token == self._token:
            return
        with self._lock:
            mine = list(self._mine)
        for each in mine:
            each.wake()


def _token_of(folder: Path) -> str:
    """Which folder this is, among all machines: two containers may have the same path, or the same host name."""
    found = folder.stat()
    try:
        machine = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        machine = socket.gethostname()
    return hashlib.sha256(f"{machine}|{found.st_dev}|{found.st_ino}".encode()).hexdigest()[:16]
