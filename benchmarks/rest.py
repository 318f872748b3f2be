"""A small answer by REST: this platform's service against a bare Tornado handler that gives the same bytes, one process each.

Usage::

    python benchmarks/rest.py [--seconds N] [--rounds N]

Ours checks the DAPP token of every request against the live session. Both are asked in turn over 16 kept connections, from a
process of its own; then ours is asked 200 times a second, each call at its time whether or not the last one was answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.feed import serve
from benchmarks.serving import answers_at, end, free_port, wait_for

CONNECTIONS = 16
PER_SECOND = 200
BARE = """
import asyncio, sys, tornado.web
class Small(tornado.web.RequestHandler):
    def get(self):
        self.set_header("Content-Type", "application/json")
        self.finish(BODY)
BODY = sys.argv[2]
async def main():
    tornado.web.Application([("/", Small)]).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()
asyncio.run(main())
"""


class Caller(asyncio.Protocol):
    """One kept connection; an answer is over when its announced length has come."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self._held = b""
        self._answered: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, found, body = self._held.partition(b"\r\n\r\n")
        if not found or self._answered is None:
            return
        length = int(next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))[15:])
        if len(body) >= length:
            self._held = body[length:]
            if not head.startswith(b"HTTP/1.1 200"):
                self._answered.set_exception(RuntimeError(head.decode()))
            else:
                self._answered.set_result(None)

    async def call(self) -> float:
        """Seconds until the answer."""
        began = time.perf_counter()
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(self.request)
        await self._answered
        return time.perf_counter() - began


async def as_many_as_possible(port: int, request: bytes, seconds: float) -> float:
    """Calls a second over all connections."""
    callers = [await _connected(port, request) for _ in range(CONNECTIONS)]
    ends = time.perf_counter() + seconds

    async def go_on(caller: Caller) -> int:
        count = 0
        while time.perf_counter() < ends:
            await caller.call()
            count += 1
        return count

    found = sum(await asyncio.gather(*[go_on(each) for each in callers])) / seconds
    for each in callers:
        each.transport.close()
    return found


async def at_a_pace(port: int, request: bytes, seconds: float) -> list[float]:
    """Seconds that each call took, counted from when it was due."""
    free: asyncio.Queue[Caller] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await _connected(port, request))
    begins = time.perf_counter() + 0.5  # until all calls are planned
    times: list[float] = []

    async def one(due: float) -> None:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        caller = await free.get()
        await caller.call()
        times.append(time.perf_counter() - due)
        free.put_nowait(caller)

    await asyncio.gather(*[one(begins + number / PER_SECOND) for number in range(int(seconds * PER_SECOND))])
    return sorted(times)


async def _connected(port: int, request: bytes) -> Caller:
    return (await asyncio.get_running_loop().create_connection(lambda: Caller(request), "127.0.0.1", port))[1]


def request_of(port: int, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *[f"{name}: {value}" for name, value in headers.items()]]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    body = json.dumps({"id": "0" * 36, "email": "owner@localhost", "name": "Owner", "role": "admin", "status": "active", "created_at": "2026-01-01T00:00:00Z"})
    with tempfile.TemporaryDirectory() as folder:
        ports = free_port(), free_port()
        mine, (token,) = serve(Path(folder), ports[0], people=1)
        bare = subprocess.Popen([sys.executable, "-c", BARE, str(ports[1]), body], start_new_session=True)
        try:
            wait_for(bare, lambda: answers_at(ports[1], "/"))
            asked = request_of(ports[0], "/dapp/api/v1/auth/me", {"Authorization": f"Bearer {token}"})
            plain = request_of(ports[1], "/", {"Authorization": f"Bearer {token}"})
            asyncio.run(as_many_as_possible(ports[0], asked, 1.0))
            rounds = [
                [asyncio.run(as_many_as_possible(port, request, options.seconds)) for port, request in zip(ports, (asked, plain), strict=True)]
                for _ in range(options.rounds)
            ]
            paced = asyncio.run(at_a_pace(ports[0], asked, 2.5 * options.seconds))
        finally:
            end(mine)
            end(bare)
    ratio = statistics.median(ours / theirs for ours, theirs in rounds)
    print(f"| server | calls a second, {CONNECTIONS} connections |\n|---|---|")
    for number, name in enumerate(("DAPP, token checked against the live session", "bare Tornado handler")):
        print(f"| {name} | {statistics.median(each[number] for each in rounds):,.0f} |")
    print(f"{ratio:.2f} of the bare handler (aim 0.5), median of {options.rounds} rounds.")
    print(f"At {PER_SECOND} calls a second: p50 {1000 * statistics.median(paced):.1f} ms, p99 {1000 * paced[int(0.99 * len(paced))]:.1f} ms (aim 15).")


if __name__ == "__main__":
    main()
