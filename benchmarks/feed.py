"""An event on its way to many followers of one process, against a bare Tornado server that writes the same to as many.

Usage::

    python benchmarks/feed.py [--followers N] [--events N]

The followers are sockets of one other process, spread over 20 accounts, each with a token of its own account. An event
begins with the request that causes it (ours: somebody changes their name; Tornado: a request that writes to all) and is
over when the last follower has it. Both servers are asked in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.serving import ROOT, answers_at, end, free_port, wait_for

ACCOUNTS = 20
TOLD = b'"kind":"announcement"'
BARE = """
import asyncio, sys, tornado.web, tornado.websocket
ALL = set()
class Line(tornado.websocket.WebSocketHandler):
    def open(self): ALL.add(self)
    def on_close(self): ALL.discard(self)
class Tell(tornado.web.RequestHandler):
    def patch(self):
        self.set_status(200)
        self.finish(b"{}")
        for each in ALL: each.write_message(MESSAGE)
    get = patch
MESSAGE = sys.argv[2]
async def main():
    tornado.web.Application([("/tell", Tell), ("/ws", Line)]).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()
asyncio.run(main())
"""


class Follower(asyncio.Protocol):
    """A WebSocket that only listens, and says which frames hold a word."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self._crowd = crowd
        self._request = request
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._is_open:
            if not data.startswith(b"HTTP/1.1 101"):
                raise RuntimeError(data.decode())
            self._is_open = True
            self._crowd.opened += 1
        self._crowd.heard += data.count(self._crowd.word)


class Crowd:
    """All followers of one server, and the one who causes what they hear."""

    def __init__(self, port: int, word: bytes) -> None:
        self.port = port
        self.word = word
        self.opened = self.heard = 0
        self._lines: list[Follower] = []

    async def follow(self, path: str, tokens: list[str], followers: int) -> None:
        loop = asyncio.get_running_loop()
        for number in range(followers):
            key = base64.b64encode(os.urandom(16)).decode()
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            head += f"Sec-WebSocket-Key: {key}\r\nAuthorization: Bearer {tokens[number % len(tokens)]}\r\n\r\n"
            self._lines.append((await loop.create_connection(lambda head=head: Follower(self, head.encode()), "127.0.0.1", self.port))[1])  # type: ignore[misc]
        while self.opened < followers:
            await asyncio.sleep(0.05)
        await asyncio.sleep(2)  # until each has said hello and subscribed

    async def cause(self, request: bytes) -> float:
        """Seconds from a request until the last follower has what it caused."""
        self.heard, began = 0, time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await reader.readline()
        if b" 20" not in answer:
            raise RuntimeError(answer.decode())
        while self.heard < len(self._lines):
            await asyncio.sleep(0.0005)
            if time.perf_counter() - began > 20:
                raise RuntimeError(f"Only {self.heard} of {len(self._lines)} heard of it.")
        writer.close()
        return time.perf_counter() - began


async def measure(ours: tuple[int, list[str]], bare: int, options: argparse.Namespace) -> tuple[list[float], list[float]]:
    port, tokens = ours
    mine, theirs = Crowd(port, TOLD), Crowd(bare, TOLD)
    await mine.follow("/dapp/api/v1/events/ws", tokens, options.followers)
    await theirs.follow("/ws", tokens, options.followers)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(options.events):
        body = f'{{"message":"Something that everybody is told, number {number}."}}'
        head = f"POST /dapp/api/v1/announcements HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {tokens[0]}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        times[0].append(await mine.cause(head.encode()))
        times[1].append(await theirs.cause(f"PATCH /tell HTTP/1.1\r\nHost: 127.0.0.1:{bare}\r\nContent-Length: 0\r\n\r\n".encode()))
        await asyncio.sleep(0.1)
    return times


def serve(folder: Path, port: int, people: int) -> tuple[subprocess.Popen[bytes], list[str]]:
    """``jupyter dapp serve`` in an empty home, and tokens of its people; the first is the owner's."""
    from dapp_ext.schema.accounts import AccountCreate, LoginRequest, Role
    from dapp_ext.services import open_services
    from dapp_ext.settings import Settings, process_environment

    settings = Settings(home=folder / "home", service_port=port, start_worker=False)
    password = "plain words of a benchmark"
    with open_services(settings) as services:
        tokens = [services.accounts.sign_in_owner(door="api", address="").access_token]
        for number in range(people - 1):
            email = f"p{number}@example.org"
            services.accounts.create(services.system.shell_actor(), AccountCreate(email=email, name=email, role=Role.analyst, password=password))
            tokens.append(services.accounts.login(LoginRequest(email=email, password=password), door="api", address="").access_token)
    environment = {**os.environ, **process_environment(settings), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "dapp_ext.serve"], env=environment, start_new_session=True, stderr=subprocess.DEVNULL)
    wait_for(process, lambda: answers_at(port, "/dapp/api/v1/health/ready"))
    return process, tokens


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--followers", type=int, default=1000)
    parser.add_argument("--events", type=int, default=40)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    message = (
        '{"type":"event","event":{"id":"'
        + "0" * 40
        + '","type":"system.announcement","subject":{"kind":"announcement","id":"","name":""},"data":{}'
        + " " * 160
        + "}}"
    )
    with tempfile.TemporaryDirectory() as folder:
        ports = free_port(), free_port()
        mine, tokens = serve(Path(folder), ports[0], ACCOUNTS)
        bare = subprocess.Popen([sys.executable, "-c", BARE, str(ports[1]), message], start_new_session=True)
        try:
            wait_for(bare, lambda: answers_at(ports[1], "/tell"))
            times = asyncio.run(measure((ports[0], tokens), ports[1], options))
        finally:
            end(mine)
            end(bare)
    print(f"| {options.followers:,} followers of one process | p50 | p95 |\n|---|---|---|")
    for name, found in zip(("DAPP, from the request through the database to the last follower", "Tornado's own write_message"), times, strict=True):
        each = sorted(found)
        print(f"| {name} | {1000 * statistics.median(each):.0f} ms | {1000 * each[int(0.95 * len(each))]:.0f} ms |")
    print(f"{statistics.median(mine / theirs for mine, theirs in zip(*times, strict=True)):.2f} of Tornado's (aim: p95 below 60 ms).")


if __name__ == "__main__":
    main()
