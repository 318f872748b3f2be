"""Visitors of the Streamlit page without a browser, in Streamlit's own protocol; run with the Python that has Streamlit.

``python clients.py PORT USERS SECONDS [POOL]`` prints a line when all have arrived, and at the end one of JSON: seconds from a change of a filter to its end, and to the
first page. With POOL, every visitor picks among that many changes only, which all have been asked once before.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import urllib.request

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

CARRIERS = 16


class Visitor:
    def __init__(self, port: int) -> None:
        self.port = port
        self.ids: dict[str, str] = {}
        self.fragment = ""
        self.line: ClientConnection | None = None

    async def open(self) -> float:
        start = time.perf_counter()
        await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=60).read())
        self.line = await connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream", origin=f"http://127.0.0.1:{self.port}", subprotocols=["streamlit"], max_size=2**28
        )
        message = BackMsg()
        message.rerun_script.query_string = ""
        await self.line.send(message.SerializeToString())
        await self._finished()
        return time.perf_counter() - start

    async def change(self, change: tuple[list[int], int, int]) -> float:
        message = BackMsg()
        state = message.rerun_script
        state.fragment_id = self.fragment
        picked = state.widget_states.widgets.add()
        picked.id = self.ids["carrier"]
        # Newer releases send the texts, older ones the places.
        chosen, low, high = change
        if hasattr(picked, "string_array_value"):
            names = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]
            picked.string_array_value.data.extend([names[each] for each in chosen])
        else:
            picked.int_array_value.data.extend(chosen)
        span = state.widget_states.widgets.add()
        span.id = self.ids["month"]
        span.double_array_value.data.extend([low, high])
        start = time.perf_counter()
        assert self.line is not None
        await self.line.send(message.SerializeToString())
        await self._finished()
        return time.perf_counter() - start

    async def _finished(self) -> None:
        assert self.line is not None
        while True:
            data = await asyncio.wait_for(self.line.recv(), 120)
            message = ForwardMsg()
            message.ParseFromString(data)
            kind = message.WhichOneof("type")
            if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                self.fragment = message.delta.fragment_id or self.fragment
                if element.WhichOneof("type") == "multiselect":
                    self.ids["carrier"] = element.multiselect.id
                elif element.WhichOneof("type") == "slider":
                    self.ids["month"] = element.slider.id
            if kind == "script_finished":
                return


async def visit(visitor: Visitor, until: float, found: list[float], pool: list[tuple[list[int], int, int]]) -> None:
    await asyncio.sleep(random.random())
    while time.perf_counter() < until:
        start = time.perf_counter()
        found.append(await visitor.change(random.choice(pool) if pool else _any()))
        await asyncio.sleep(max(0.0, 1.0 - (time.perf_counter() - start)))


def _any() -> tuple[list[int], int, int]:
    low = random.randint(1, 6)
    return sorted(random.sample(range(CARRIERS), 2)), low, low + random.randint(1, 6)


async def main() -> None:
    port, users, seconds = (int(each) for each in sys.argv[1:4])
    pool = [_any() for _ in range(int(sys.argv[4]))] if len(sys.argv) > 4 else []
    first = Visitor(port)
    await first.open()
    for each in pool or [_any()]:
        await first.change(each)
    visitors = [Visitor(port) for _ in range(users)]
    opened = await asyncio.gather(*(each.open() for each in visitors))
    found: list[float] = []
    sys.stdout.write("arrived\n")
    sys.stdout.flush()
    await asyncio.gather(*(visit(each, time.perf_counter() + seconds, found, pool) for each in visitors))
    sys.stdout.write(json.dumps({"opened": opened, "changes": found}) + "\n")


asyncio.run(main())
