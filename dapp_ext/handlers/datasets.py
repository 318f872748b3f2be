"""Datasets over HTTP; a file comes in as the raw body and is sealed while it is received."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel

from dapp_ext.errors import DappError, Internal, Invalid, MediaUnsupported
from dapp_ext.handlers.base import ApiHandler
from dapp_ext.handlers.operation import JSON, Call, Encoded, Nothing, Operation
from dapp_ext.handlers.queries import ExportQuery, ListQuery, RowsQuery, UploadQuery, VersionQuery
from dapp_ext.handlers.wire import encode, read_json_text, read_query
from dapp_ext.logs import outline
from dapp_ext.schema.base import Page
from dapp_ext.schema.boards import BoardRead, BoardRequest
from dapp_ext.schema.datasets import (
    DatasetRead,
    DatasetUpdate,
    DatasetUpload,
    Filter,
    Profile,
    QueryRead,
    QueryRequest,
    ReadOptions,
    RowsRead,
    RowsRequest,
    UsageRead,
)

if TYPE_CHECKING:
    from dapp_ext.schema.accounts import Actor
    from dapp_ext.services import Services
    from dapp_ext.services.files import Download

PIECE = 512 * 1024
# What browsers' forms send wraps the bytes of the file in other bytes.
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def index(call: Call[ListQuery, Nothing]) -> Page[DatasetRead]:
    query = call.query
    return call.services.datasets.list(call.actor, search=query.search, limit=query.limit, cursor=query.cursor)


def upload(call: Call[UploadQuery, Nothing]) -> DatasetRead:
    """Never called: :class:`DatasetsHandler` takes the body by pieces. Stands in the route table for its shape."""
    raise Invalid("Send the file's bytes as the body.")


def show(call: Call[VersionQuery, Nothing]) -> DatasetRead:
    return call.services.datasets.get(call.actor, call.ref, call.query.version)


def update(call: Call[Nothing, DatasetUpdate]) -> DatasetRead:
    return call.services.datasets.update(call.actor, call.ref, call.body)


def delete(call: Call[Nothing, Nothing]) -> None:
    call.services.datasets.delete(call.actor, call.ref)


def profile(call: Call[VersionQuery, Nothing]) -> Encoded[Profile]:
    return Encoded(JSON, call.services.datasets.profile_json(call.actor, call.ref, call.query.version))


def first_rows(call: Call[RowsQuery, Nothing]) -> RowsRead:
    return call.services.datasets.rows(call.actor, call.ref, RowsRequest(**call.query.model_dump()))


def rows(call: Call[Nothing, RowsRequest]) -> RowsRead:
    return call.services.datasets.rows(call.actor, call.ref, call.body)


def query(call: Call[Nothing, QueryRequest]) -> Encoded[QueryRead]:
    return Encoded(JSON, call.services.datasets.query_json(call.actor, call.ref, call.body))


def board(call: Call[Nothing, BoardRequest]) -> BoardRead:
    return BoardRead.model_validate_json(call.services.boards.answer(call.actor, call.ref, call.body))


def data(call: Call[ExportQuery, Nothing]) -> Download:
    asked = call.query
    filters: list[Filter] = read_json_text(list[Filter], asked.filters, "filters") if asked.filters else []
    return call.services.datasets.export(call.actor, call.ref, asked.format, version=asked.version, columns=asked.columns, filters=filters)


def original(call: Call[VersionQuery, Nothing]) -> Download:
    return call.services.datasets.original(call.actor, call.ref, call.query.version)


def usage(call: Call[Nothing, Nothing]) -> UsageRead:
    return call.services.datasets.usage(call.actor)


class FileSink(Protocol):
    """What takes a file piece by piece."""

    def write(self, data: bytes) -> None: ...
    def finish(self) -> BaseModel: ...
    def abort(self) -> None: ...


class DatasetsHandler(ApiHandler):
    """The list of datasets, and the address that takes files."""

    _upload: FileSink | None = None

    def initialize(self, operations: Mapping[str, Operation]) -> None:
        super().initialize(operations)
        # One piece is written at a time, also when the line is cut while a thread still writes.
        self._turn = asyncio.Lock()

    def body_limit(self) -> int:
        return self.backend.settings().upload_limit if self.request.method == "POST" else super().body_limit()

    async def admit(self) -> None:
        if self.request.method != "POST":
            await super().admit()
            return
        await self.backend.services()  # the limit is a setting, which may be what is wrong
        await super().admit()
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in _FORMS:
            raise MediaUnsupported("Send the bytes of the file alone as the body, with Content-Type: application/octet-stream.")
        services = await self.backend.services()
        assert self.account is not None
        async with self.backend.opening_files:
            self._upload = await self.backend.call(self.beginning(services, self.account))

    def beginning(self, services: Services, account: Actor) -> Callable[[], FileSink]:
        """What takes the file, once it is called on a thread; the query is validated before."""
        return partial(services.datasets.begin_upload, account, self.upload_asked(read_query(UploadQuery, self._query())))

    def upload_asked(self, asked: UploadQuery) -> DatasetUpload:
        return DatasetUpload(
            filename=asked.filename,
            name=asked.name,
            visibility=asked.visibility,
            version_of=asked.version_of,
            size=self.announced_size(),
            options=ReadOptions(**asked.model_dump(include=set(ReadOptions.model_fields))),
        )

    async def give_up(self, error: DappError) -> None:
        self._refusal = error
        await self._abort()
        await super().give_up(error)

    async def take(self, chunk: bytes) -> None:
        if self._upload is None:
            await super().take(chunk)
            return
        self.set_body_watch(self.patience)
        self._body += chunk
        if len(self._body) >= PIECE:
            await self._write()

    async def _write(self) -> None:
        """Hand what has come to the upload; the client is not read further until it is written."""
        async with self._turn:
            if self._upload is None or not self._body:
                return
            piece, self._body = bytes(self._body), bytearray()
            try:
                async with self.backend.writing:
                    await self.backend.call(self._upload.write, piece)
            except DappError as error:
                self._refusal = error
            except Exception as error:  # noqa: BLE001  told in the log and to the client, once the body has passed
                self.log.error("Request %s failed while its file came in:\n%s", self.request_id, outline(error))
                self._refusal = Internal()
        if self._refusal is not None:
            await self._abort()

    async def answer(self, path: Mapping[str, str]) -> None:
        if self._upload is None:
            await super().answer(path)
            return
        await self._write()
        if self._refusal is not None:
            raise self._refusal
        upload, self._upload = self._upload, None
        async with self.backend.opening_files:
            made = await self.backend.call(upload.finish)
        self.set_status(202)
        self.set_header("Content-Type", JSON)
        self.finish(encode(made))

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._upload is not None:
            self.backend.spawn(self._abort())

    async def _abort(self) -> None:
        async with self._turn:
            upload, self._upload = self._upload, None
            self._body.clear()
            if upload is not None:
                await self.backend.give_back(upload.abort)
