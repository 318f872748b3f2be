"""What is no HTTP, or too much of it, never reaches a handler: tornado answers it with a bare status line, or not at all.

Here it is told in the one envelope as well, so that a script finds a code and a sentence whatever it sent.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, UnsatisfiableReadError

from dapp_ext.errors import DappError, Malformed, TooLarge
from dapp_ext.handlers.wire import envelope
from dapp_ext.schema.base import new_id

# All that tornado says to what it cannot read; it closes the line after it.
_BARE = b"HTTP/1.1 400 Bad Request\r\n\r\n"
_PIECE = 64 * 1024
# So much of what lies behind overlong headers is still taken in: a line that is closed over unread bytes takes the answer with it.
_PIECES = 32


def explain_unreadable(server: HTTPServer) -> None:
    """Let a server tell in the envelope why it cannot read a request.

    Parameters
    ----------
    server : HTTPServer
        One that has not accepted a line yet; those that it has are left as they are.
    """
    server.handle_stream = partial(_handle, server.handle_stream)


def _handle(handle_stream: Any, stream: IOStream, address: tuple[Any, ...]) -> None:
    line = _Line(stream)
    stream.write = line.write
    stream.close = line.close
    handle_stream(stream, address)


class _Line:
    """Stands between tornado and one stream."""

    def __init__(self, stream: IOStream) -> None:
        self._stream = stream
        self._write: Any = stream.write
        self._close: Any = stream.close
        self._ends = False  # the present answer says that it is the last one

    def write(self, data: bytes | memoryview) -> Any:
        if isinstance(data, bytes) and data[:5] == b"HTTP/":
            if data == _BARE:
                data = b"" if self._ends else _answer("400 Bad Request", _not_http())
            else:
                self._ends = b"\r\nConnection: close\r\n" in data.partition(b"\r\n\r\n")[0] + b"\r\n"
        return self._write(data)

    def close(self, exc_info: Any = False) -> None:
        if isinstance(exc_info, UnsatisfiableReadError) and not self._stream.closed():
            with suppress(OSError):  # whoever sent it has gone
                self._write(_answer("431 Request Header Fields Too Large", _too_long()))
                rest = bytearray(_PIECE)
                for _ in range(_PIECES):
                    if not self._stream.read_from_fd(rest):
                        break
        self._close(exc_info)


def _answer(status: str, error: DappError) -> bytes:
    request_id = new_id()
    body = envelope(error, request_id)
    head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Request-Id: {request_id}\r\nConnection: close"
    return f"HTTP/1.1 {status}\r\n{head}\r\n\r\n".encode() + body


def _not_http() -> DappError:
    return Malformed("This cannot be read as HTTP. Check the request line, the headers and the length of the body.")


def _too_long() -> DappError:
    return TooLarge("The address and the headers of the request are too long together. Send long values in the body.")
