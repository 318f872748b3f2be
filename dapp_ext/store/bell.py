"""A doorbell between the processes of one machine: rung after a commit, heard within a millisecond.

Each listening process binds a datagram socket of its own in a private folder; whoever rings sends one byte to all of
them. A bell carries no information, so a lost one costs only the wait until the next slow look at the database.
The folder is outside the home, since the path of a Unix socket may have about a hundred characters only.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import select
import socket
import tempfile
from pathlib import Path

from dapp_ext.schema.base import new_id


def bell_folder(home: Path) -> Path:
    """The private folder for the bells of one home."""
    base = Path(tempfile.gettempdir()) / f"dapp-{os.getuid()}"
    folder = base / hashlib.sha256(str(home).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if base.stat().st_uid != os.getuid():
        raise PermissionError(f"{base} belongs to somebody else")
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

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{new_id()[-12:]}.bell"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(self._path))

    def wait(self, seconds: float) -> bool:
        """Sleep until the bell rings, at most so long; whether it rang."""
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
