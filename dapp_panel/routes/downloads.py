"""Files go out as they are made, a piece at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError
from tornado.iostream import StreamClosedError

from dapp_ext.errors import Invalid
from dapp_ext.handlers.wire import check_json
from dapp_ext.schema.audit import AuditFilter
from dapp_ext.schema.datasets import Filter
from dapp_panel.pages.asking import invalid_from
from dapp_panel.routes.base import DashboardHandler

if TYPE_CHECKING:
    from dapp_ext.services import Download

_FILTERS = TypeAdapter(list[Filter])
FORMATS = ("csv", "xlsx", "parquet", "arrow")


class Sender(DashboardHandler):
    """Sends what a service gives."""

    async def send(self, download: Download, *, inline: bool = False) -> None:
        """Headers, then the pieces, each read in a thread and awaited on the network."""
        self.set_header("Content-Type", download.media_type)
        self.set_header("Content-Disposition", f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(download.filename, safe='')}")
        self.set_header("X-Accel-Buffering", "no")
        if download.size is not None:
            self.set_header("Content-Length", str(download.size))
        pieces = iter(download.chunks)
        try:
            if self.request.method == "HEAD":
                await self.flush()
                return
            while (piece := await self.dashboard.transfers.run(_next, pieces)) is not None:
                self.write(bytes(piece))
                await self.flush()
        except StreamClosedError:
            return
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                await self.dashboard.transfers.run(close)


def _version(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("The version must be a whole number.")
    return int(text)


def _next(pieces: Iterator[bytes | memoryview]) -> bytes | memoryview | None:
    return next(pieces, None)


class DatasetDownload(Sender):
    """``GET /download/<dataset>?format=csv|xlsx|parquet|arrow|original&version&columns&filters``."""

    async def get(self, ref: str) -> None:
        self.check_not_cross_site()
        visitor = await self.signed_in()
        kind = self.get_query_argument("format", "csv")
        datasets = self.dashboard.services.datasets
        if kind == "original":
            await self.send(await self.dashboard.transfers.run(datasets.original, visitor.actor, ref))
            return
        if kind not in FORMATS:
            raise Invalid(f"Choose one of the formats {', '.join(FORMATS)} or original.")
        version = self.get_query_argument("version", "")
        columns = self.get_query_arguments("columns") or None
        work = self.dashboard.transfers.run(datasets.export, visitor.actor, ref, kind, version=_version(version), columns=columns, filters=self._filters())
        await self.send(await work)

    def _filters(self) -> list[Filter]:
        text = self.get_query_argument("filters", "[]")
        check_json(text.encode())
        try:
            return _FILTERS.validate_python(json.loads(text))
        except ValidationError as error:
            raise invalid_from(error) from error


class InsightPicture(Sender):
    """``GET /download/insights/<insight>``: the picture, shown in a page or, with ``?download``, as a file."""

    async def get(self, ref: str) -> None:
        self.check_not_cross_site()
        visitor = await self.signed_in()
        download = await self.dashboard.transfers.run(self.dashboard.services.insights.picture, visitor.actor, ref)
        await self.send(download, inline=self.get_query_argument("download", None) is None)


class AuditDownload(Sender):
    """``GET /download/audit?format=csv|jsonl&action&actor&outcome&subject&since&until``."""

    async def get(self) -> None:
        self.check_not_cross_site()
        visitor = await self.signed_in()
        given = {name: value for name in AuditFilter.model_fields if (value := self.get_query_argument(name, ""))}
        try:
            wanted = AuditFilter(**given)
        except ValidationError as error:
            raise invalid_from(error) from error
        kind = self.get_query_argument("format", "csv")
        if kind not in ("csv", "jsonl"):
            raise Invalid("Choose one of the formats csv or jsonl.")
        await self.send(await self.dashboard.transfers.run(self.dashboard.services.audit.export, visitor.actor, kind, wanted))


class ModelDownload(Sender):
    """``GET /download/models/<model>?format=skops``."""

    async def get(self, ref: str) -> None:
        self.check_not_cross_site()
        visitor = await self.signed_in()
        kind = self.get_query_argument("format", "skops")
        await self.send(await self.dashboard.transfers.run(self.dashboard.services.models.export, visitor.actor, ref, kind))
