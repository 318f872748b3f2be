"""Files on their way out, piece by piece, no faster than the client reads."""

from __future__ import annotations

import time
from asyncio import Future
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from dapp_ext.handlers.backend import Backend

if TYPE_CHECKING:
    from dapp_ext.services.files import Download, Piece

# So many pieces, of 1 MiB at most each, are made before they are sent, as long as they come quickly.
GATHERED, GATHER_SECONDS = 8, 0.02


async def send_file(handler: RequestHandler, backend: Backend, download: Download) -> None:
    """Send a file as the answer; cut the line if it breaks on our side."""
    chunks = iter(download.chunks)
    pieces = await backend.call(_next_pieces, chunks)  # fails, if it does, while the envelope can still be sent
    handler.set_header("Content-Type", download.media_type)
    handler.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(download.filename, safe='')}")
    for name, value in (("X-DAPP-Version", download.version), ("X-DAPP-Rows", download.rows), ("Content-Length", download.size)):
        if value is not None:
            handler.set_header(name, str(value))
    try:
        await handler.flush()
        while pieces and handler.request.method != "HEAD":
            for piece in pieces:
                await _write(handler, piece, framed=download.size is None)
            pieces = await backend.call(_next_pieces, chunks)
    except StreamClosedError:
        return  # the client has gone, and tornado has noticed
    except BaseException:
        connection: Any = handler.request.connection
        connection.close()  # an end in good order would make half a file look whole
        raise
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            await backend.give_back(close)
    handler.finish()


def _next_pieces(chunks: Iterator[Piece]) -> list[Piece]:
    """The next pieces, several where they come quickly: to go from thread to thread takes as long as to send one."""
    until = time.monotonic() + GATHER_SECONDS
    found: list[Piece] = []
    for chunk in chunks:
        found.append(chunk)
        if len(found) == GATHERED or time.monotonic() > until:
            break
    return found


def _write(handler: RequestHandler, piece: Piece, *, framed: bool) -> Future[None]:
    """Send one piece, without copying it where it lies in memory that stays as it is."""
    if isinstance(piece, bytes) or not framed or handler.request.version != "HTTP/1.1" or handler._transforms:
        handler.write(bytes(piece))
        return handler.flush()
    connection: Any = handler.request.connection  # tornado would copy it twice to put its length in front (RFC 9112, 7.1)
    connection.stream.write(b"%x\r\n" % len(piece))
    connection.stream.write(piece)
    done: Future[None] = connection.stream.write(b"\r\n")
    return done
