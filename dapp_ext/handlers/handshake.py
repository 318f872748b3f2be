"""What a request has to say to become a WebSocket (RFC 6455, 4.2.1), told in the one envelope where tornado says it in words of its own."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders

from dapp_ext.errors import Malformed

_VERSIONS = ("7", "8", "13")


def check_handshake(headers: HTTPHeaders, instead: str = "") -> None:
    """Pass a request that can become a WebSocket.

    Parameters
    ----------
    headers : HTTPHeaders
        Of the request.
    instead : str
        What to do who did not want one.

    Raises
    ------
    Malformed
    """
    if headers.get("Upgrade", "").lower() != "websocket":
        raise Malformed(f"This address speaks WebSocket only.{instead and ' '}{instead}")
    if "upgrade" not in (each.strip().lower() for each in headers.get("Connection", "").split(",")):
        raise Malformed("The header Connection does not say upgrade. A proxy on the way has to pass on Upgrade and Connection.")
    if headers.get("Sec-WebSocket-Version") not in _VERSIONS or not headers.get("Sec-WebSocket-Key"):
        raise Malformed("A WebSocket is opened with Sec-WebSocket-Version: 13 and a Sec-WebSocket-Key.")
