"""Large answers of a server on this machine, read from the socket straight into the reader's memory.

httpx copies each 64 KiB of a body three times; over loopback, where nothing else takes long, a table of a million rows
then costs the client four times the processor time. Only plain HTTP to this machine comes here: nothing stands in
between, so there is no proxy, no certificate, no redirect and no compressed answer to think of.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# Below so many bytes a copy costs less than a block of its own.
_SMALL = 4096


class DirectAnswer(io.RawIOBase):
    """An answer whose body is a file that can be read once.

    Parameters
    ----------
    url : str
        Absolute address on this machine, with its query.
    headers : mapping
    timeout : float
        Seconds for the connection, and for each wait for bytes.

    Raises
    ------
    OSError, http.client.HTTPException
        If nobody answers, or not in HTTP. Reading raises the latter when the line is cut.
    """

    def __init__(self, url: str, headers: Mapping[str, str], timeout: float) -> None:
        parts = urlsplit(url)
        self._line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        try:
            self._line.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path, headers=dict(headers))
            self._answer = self._line.getresponse()
        except BaseException:
            self._line.close()
            raise
        self.status = self._answer.status
        self.headers = self._answer.getheaders()

    @property
    def rows(self) -> int | None:
        """How many rows of a table come, where the server says it."""
        given = self._answer.getheader("X-DAPP-Rows", "")
        return int(given) if given.isdecimal() else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            count = self._answer.readinto(buffer)
        except OSError as error:
            # To whoever writes the body to a file, an OSError would be one of that file.
            raise http.client.IncompleteRead(b"", self._answer.length) from error
        if not count and self._answer.length:
            raise http.client.IncompleteRead(b"", self._answer.length)
        return count

    def read(self, size: int | None = -1, /) -> Any:
        """The next bytes, all that were asked for unless the body ends before; many of them in a block that Arrow takes as it is."""
        if size is None or size < 0:
            return b"".join(iter(lambda: bytes(self.read(1 << 20)), b""))
        block = memoryview(self._block(size))
        have = 0
        while have < size and (count := self.readinto(block[have:])):
            have += count
        return block[:have].tobytes() if size <= _SMALL else block[:have]

    @staticmethod
    def _block(size: int) -> Any:
        """Room for so many bytes. numpy's is not wiped first, which for large ones takes as long as to fill it."""
        if size <= _SMALL:
            return bytearray(size)
        import numpy as np

        return np.empty(size, np.uint8)

    def close(self) -> None:
        if not self.closed:
            self._line.close()
        super().close()
