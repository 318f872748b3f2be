"""What all objects of one client share: the way to the server and what was used last."""

from __future__ import annotations

import threading
from dataclasses import replace

from dapp_ext.client.certificates import certificate_file
from dapp_ext.client.discovery import find_server
from dapp_ext.client.live import LiveFeed
from dapp_ext.client.transport import Transport


class Connection:
    """One server, one sign-in, one live feed.

    Parameters
    ----------
    url : str, optional
        Address of the server; found by :func:`~dapp_ext.client.discovery.find_server` when left out.
    token : str, optional
        A personal access token; it counts before every other credential that is found.
    verify : path, optional
        A file of certificates that count beside those of the public authorities.
    """

    def __init__(self, url: str | None = None, token: str | None = None, verify: object = None) -> None:
        found = replace(find_server(url), certificate=certificate_file(verify))
        self.server = replace(found, jupyter_token="", dapp_token=token) if token else found
        self.transport = Transport(self.server)
        self.feed = LiveFeed(self.server, self.transport.sign_in)
        self._lock = threading.Lock()
        self._last: dict[str, str] = {}

    def remember(self, kind: str, id: str) -> None:
        with self._lock:
            self._last[kind] = id

    def last(self, kind: str) -> str | None:
        with self._lock:
            return self._last.get(kind)

    def close(self) -> None:
        self.feed.close()
        self.transport.close()
