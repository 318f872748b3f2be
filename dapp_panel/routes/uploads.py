"""Files come in as they are read: in pieces, sealed while they stream, never whole in memory."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from tornado.iostream import StreamClosedError
from tornado.web import stream_request_body

from dapp_ext.errors import DappError, Internal, Invalid, TooLarge
from dapp_ext.handlers.parting import BODY_SECONDS, PartingHandler
from dapp_ext.logs import outline
from dapp_ext.schema.datasets import DatasetUpload, ReadOptions
from dapp_panel.pages.asking import invalid_from
from dapp_panel.routes.base import DashboardHandler

if TYPE_CHECKING:
    from dapp_ext.services import Upload

log = logging.getLogger(__name__)

PIECE = 1024 * 1024
SLACK = 64 * PIECE  # of a file that does not say how long it is
_OPTIONS = tuple(name for name in ReadOptions.model_fields if name != "missing")


@stream_request_body
class UploadHandler(PartingHandler, DashboardHandler):
    """``POST /upload?filename=…&name=…`` with the bytes of one file as the body."""

    async def prepare(self) -> None:
        self._upload: Upload | None = None
        self._failed: DappError | None = None
        self._held = bytearray()
        self._received = 0
        self._writing = asyncio.Lock()
        if self.request.method != "POST":
            return
        self.request.connection.set_max_body_size(self.dashboard.settings.upload_limit + SLACK)
        try:
            await self._begin()
        except DappError as error:
            self._failed = error
            await self.part(error)
        else:
            self.set_body_watch(BODY_SECONDS)

    async def _begin(self) -> None:
        self.check_same_origin()
        visitor = await self.signed_in()
        asked = self._asked()
        if asked.size is not None and asked.size > self.dashboard.settings.upload_limit:
            raise self._too_large()
        self._upload = await self.dashboard.transfers.run(self.dashboard.services.datasets.begin_upload, visitor.actor, asked)

    def _asked(self) -> DatasetUpload:
        size = self.request.headers.get("Content-Length")
        given: dict[str, Any] = {name: value for name in _OPTIONS if (value := self.get_query_argument(name, None, strip=False)) is not None}
        if marks := self.get_query_arguments("missing", strip=False):
            given["missing"] = marks
        try:
            return DatasetUpload(
                filename=self.get_query_argument("filename", ""),
                name=self.get_query_argument("name", None) or None,
                visibility=self.get_query_argument("visibility", "team"),
                version_of=self.get_query_argument("version_of", None) or None,
                size=int(size) if size and size.isdigit() else None,
                options=ReadOptions(**given),
            )
        except ValidationError as error:
            raise invalid_from(error) from error

    def _too_large(self) -> TooLarge:
        limit = self.dashboard.settings.upload_limit
        return TooLarge(
            f"The file is larger than the {limit / 1e6:,.0f} MB that may be uploaded here. Send a smaller one, or ask an administrator.", limit=limit
        )

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece; the next one is read from the network only when this one is written."""
        self._received += len(chunk)
        if self._failed is not None:
            self.drop(chunk)
            return
        self.set_body_watch(BODY_SECONDS)
        if self._received > self.dashboard.settings.upload_limit:
            self._failed = self._too_large()
            await self._drop()
        self._held += chunk
        if self._failed is None and len(self._held) >= PIECE:
            await self._write()
        if self._failed is not None and not self.parted:
            await self.part(self._failed)

    async def give_up(self, error: DappError) -> None:
        self._failed = error
        await self._drop()
        await super().give_up(error)

    async def _write(self) -> None:
        piece, self._held = bytes(self._held), bytearray()
        async with self._writing:
            if self._upload is None or self._failed is not None:
                return
            try:
                for start in range(0, len(piece), PIECE):
                    async with self.dashboard.sealing:
                        await self.dashboard.transfers.run(self._upload.write, piece[start : start + PIECE])
            except DappError as error:
                self._failed = error
        if self._failed is not None:
            await self._drop()

    async def _drop(self) -> None:
        async with self._writing:
            upload, self._upload = self._upload, None
            if upload is not None:
                await self.dashboard.transfers.run(upload.abort)

    async def post(self) -> None:
        self.stop_watch()
        if self.parted:
            self.take_leave()
            return
        if self._held:
            await self._write()
        if self._failed is not None:
            raise self._failed
        upload, self._upload = self._upload, None
        if upload is None:
            raise Invalid
        if self._received == 0:
            await self.dashboard.transfers.run(upload.abort)
            raise Invalid("The file is empty. Choose another one.")
        dataset = await self.dashboard.transfers.run(upload.finish)
        self.set_status(202)
        self.set_header("Content-Type", "application/json")
        self.finish(dataset.model_dump_json(by_alias=True))

    def on_connection_close(self) -> None:
        """The browser went away in the middle: nothing is kept."""
        self.stop_watch()
        self._failed = self._failed or Internal()
        task = asyncio.ensure_future(self._drop())
        task.add_done_callback(_log_failure)


def _log_failure(task: asyncio.Future[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, StreamClosedError):
        log.error("an upload that was broken off could not be dropped:\n%s", outline(error))
