"""A small real HTTP server whose answers a test writes down: what a healthy DAPP server never answers is tried with it."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, Any]


@dataclass
class Seen:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Scripted:
    """The server: ``answer`` is asked for each request, ``seen`` keeps them."""

    answer: Callable[[Seen], Answer]
    url: str = ""
    seen: list[Seen] = field(default_factory=list)

    def asked(self, path: str) -> list[Seen]:
        return [each for each in self.seen if each.path.startswith(f"/dapp/api/v1/{path}")]


def envelope(status: int, code: str, message: str = "A sentence.", /, **details: Any) -> Answer:
    return status, {"error": {"code": code, "message": message, "details": details, "request_id": "req-1"}}


def tokens(number: int, expires_in: int = 600) -> Answer:
    account = {"id": "a", "email": "o@example.org", "name": "Olga", "role": "admin", "created_at": "2024-01-31T12:00:00Z"}
    return 200, {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": expires_in, "account": account}


@contextmanager
def scripted(answer: Callable[[Seen], Answer], tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    server = Scripted(answer)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Seen(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            server.seen.append(request)
            status, content = server.answer(request)
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Set-Cookie", "username=someone; Path=/")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _any

        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{httpd.server_port}/"
        if tls is not None:
            httpd.socket = tls.wrap_socket(httpd.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            httpd.shutdown()
            thread.join()
