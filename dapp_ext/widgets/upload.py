"""Uploading by dropping: the browser sends pieces, the kernel passes them on while they come."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from dapp_ext.client import DAPPClient, Dataset
from dapp_ext.client.datasets import UploadPlan, upload
from dapp_ext.client.drawing import amount
from dapp_ext.client.frames import Source
from dapp_ext.client.progress import Display
from dapp_ext.errors import DappError, FileUnreadable, Invalid
from dapp_ext.schema.datasets import Visibility
from dapp_ext.widgets.base import ClientWidget

_FOLDER = Path(__file__).parent
_ACCEPT = ".csv,.tsv,.txt,.gz,.xlsx,.xlsm,.parquet,.json,.jsonl,.ndjson"
# As many pieces as are under way at a time; with 1 MiB each it bounds what the kernel holds.
_UNDER_WAY = 4
_SILENCE_SECONDS = 120.0
_MOST_SHOWN = 20
_PERIOD_SECONDS = 0.15


class DropZone(anywidget.AnyWidget):
    """The browser's half."""

    _esm = _FOLDER / "upload.js"
    _css = _FOLDER / "upload.css"
    files = traitlets.List(traitlets.Dict()).tag(sync=True)
    accept = traitlets.Unicode(_ACCEPT).tag(sync=True)
    hint = traitlets.Unicode("CSV, Excel, Parquet or JSON; everybody in the team sees it").tag(sync=True)


class FileUploadWidget(ClientWidget):
    """A place to drop files; ``datasets`` are the ones that were uploaded here, the newest last.

    Parameters
    ----------
    client : DAPPClient
        Signed in.
    visibility : {"team", "private"}
        Who may see what is uploaded.
    """

    def __init__(self, client: DAPPClient, visibility: Visibility = "team") -> None:
        super().__init__(client)
        self.visibility = visibility
        self.datasets: list[Dataset] = []
        self.zone = DropZone()
        if visibility == "private":
            self.zone.hint = "CSV, Excel, Parquet or JSON; only you see it"
        self.zone.on_msg(self._hear)
        self._incoming: dict[str, _Incoming] = {}
        self._shown: dict[str, dict[str, Any]] = {}
        self.root.children = [self.zone]
        self._ends.append(self._give_up)

    def _hear(self, _: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        kind, id = message.get("kind"), str(message.get("id"))
        if kind == "begin":
            incoming = _Incoming(str(message["name"]), int(message["size"]))
            self._incoming[id] = incoming
            self._show(id, name=incoming.name, state="sending", text="waiting", fraction=0.0)
            threading.Thread(target=self._upload, args=(id, incoming), name="dapp-upload", daemon=True).start()
        elif kind == "piece" and id in self._incoming:
            self._incoming[id].take(int(message["at"]), bytes(buffers[0]))
        elif kind == "unreadable" and id in self._incoming:
            self._incoming[id].break_off()

    def _upload(self, id: str, incoming: _Incoming) -> None:
        """One upload from its first piece to the processed dataset, on a thread of its own."""
        row = _Row(self, id)
        self._ask(id, _UNDER_WAY)
        pieces = incoming.pieces(lambda: self._ask(id, 1))
        try:
            dataset = upload(self.client.connection, Source(incoming.name, incoming.size, pieces), UploadPlan(visibility=self.visibility, display=row))
        except DappError as error:
            self._show(id, state="failed", text=error.message, fraction=1.0)
        else:
            self.datasets.append(dataset)
            shape = f"{amount(dataset.rows, 'row')} × {amount(dataset.read.column_count, 'column')}"
            self._show(id, state="ready", text=f"{dataset.name}: {shape}", fraction=1.0)
        finally:
            self._incoming.pop(id, None)
            self.screen.change(lambda: self.zone.send({"kind": "end", "id": id}))

    def _ask(self, id: str, count: int) -> None:
        self.screen.change(lambda: self.zone.send({"kind": "more", "id": id, "count": count}))

    def _show(self, id: str, **given: Any) -> None:
        def change() -> None:
            self._shown[id] = {**self._shown.get(id, {}), **given}
            while len(self._shown) > _MOST_SHOWN:
                self._shown.pop(next(iter(self._shown)))
            self.zone.files = list(self._shown.values())

        self.screen.change(change)

    def _give_up(self) -> None:
        for incoming in list(self._incoming.values()):
            incoming.break_off()


class _Incoming:
    """A file that is coming from the browser, piece by piece."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self._expected = 0
        self._waiting: dict[int, bytes] = {}
        self._ready: queue.Queue[bytes | None] = queue.Queue()
        self._lock = threading.Lock()

    def take(self, at: int, piece: bytes) -> None:
        """Take a piece; the browser reads several at once, so that one may overtake another."""
        with self._lock:
            self._waiting[at] = piece
            while (following := self._waiting.pop(self._expected, None)) is not None:
                self._expected += len(following)
                self._ready.put(following)

    def break_off(self) -> None:
        """No more will come."""
        self._ready.put(None)

    def pieces(self, taken: Callable[[], None]) -> Iterator[bytes]:
        """The pieces in order; ``taken`` is called when one is passed on."""
        received = 0
        while received < self.size:
            try:
                piece = self._ready.get(timeout=_SILENCE_SECONDS)
            except queue.Empty:
                raise Invalid("The browser stopped sending the file. Drop it again.") from None
            if piece is None:
                raise FileUnreadable("The browser could not read the file. Check that it is still there and drop it again.")
            received += len(piece)
            yield piece
            taken()


class _Row(Display):
    """Shows the progress of one upload in its row instead of under the cell."""

    def __init__(self, widget: FileUploadWidget, id: str) -> None:
        super().__init__()
        self._widget = widget
        self._id = id
        self._notebook = self._terminal = False
        self._told = 0.0

    def line(self, text: str) -> None:
        """The row says by itself how it ended."""

    def bar(self, fraction: float | None, text: str, *, now: bool = False) -> None:
        if not now and time.monotonic() - self._told < _PERIOD_SECONDS:
            return
        self._told = time.monotonic()
        state = "sending" if text.startswith("Sending") else "processing"
        self._widget._show(self._id, state=state, text=text, fraction=fraction)
