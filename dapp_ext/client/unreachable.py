"""Why nobody answers at an address, and what to do about it."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from dapp_ext.client.discovery import is_loopback

_START = "Start DAPP with “jupyter dapp start” (or “jupyter lab”) and try again."


def nobody(error: BaseException, url: str) -> str:
    """What to say when no connection to an address could be made.

    Parameters
    ----------
    error : BaseException
        What the connection ended with; its causes are looked at too.
    """
    parts = urlsplit(url)
    proxy = _proxy(url)
    if proxy:
        return f"Nothing answers at {url} by way of the proxy {proxy}. Look at {parts.scheme.upper()}_PROXY and NO_PROXY in the environment."
    if any(isinstance(each, socket.gaierror) for each in _causes(error)):
        return f"There is no machine named {parts.hostname!r}. Check the address, and the network."
    if parts.scheme == "https" and any(isinstance(each, (ConnectionResetError, EOFError)) or "EOF" in str(each) for each in _causes(error)):
        return f"Something answers at {url}, but not with encryption. Look whether its address begins with http or https."
    return f"Nothing answers at {url}. {_START if is_loopback(url) else 'Check the address, and ask whoever runs it whether it is up.'}"


def _proxy(url: str) -> str:
    """The proxy that stands before an address, without what it is signed in with."""
    parts = urlsplit(url)
    found = urllib.request.getproxies().get(parts.scheme, "")
    if not found or is_loopback(url) or urllib.request.proxy_bypass(parts.hostname or ""):
        return ""
    proxy = urlsplit(found if "://" in found else f"http://{found}")
    return f"{proxy.hostname}:{proxy.port}" if proxy.port else str(proxy.hostname)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
