"""Looking into a dataset: pages of rows, aggregates, downloads. One engine and one cache serve every door."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dapp_ext.domain.access import Thing
from dapp_ext.errors import DatasetNotFound, NotReady
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject
from dapp_ext.schema.datasets import Column, Filter, QueryRead, QueryRequest, RowsRead, RowsRequest
from dapp_ext.services import files
from dapp_ext.services.context import Context
from dapp_ext.services.files import Download
from dapp_ext.store import datasets as store
from dapp_ext.store.database import Session
from dapp_ext.store.frame_cache import CachedFrame
from dapp_ext.store.frames import open_frame
from dapp_ext.store.tables import Dataset, DatasetVersion

ExportFormat = Literal["arrow", "parquet", "csv", "xlsx"]
KEPT_ANSWERS = 256


@dataclass(frozen=True)
class OpenTable:
    """A ready dataset version."""

    dataset_id: str
    name: str
    version: int
    columns: list[Column]
    frame: CachedFrame


class Answers:
    """The last aggregates by dataset version and query; a version never changes, so neither does its answer."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, str], QueryRead] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, int, str]) -> QueryRead | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple[str, int, str], answer: QueryRead) -> None:
        with self._lock:
            self._kept[key] = answer
            while len(self._kept) > KEPT_ANSWERS:
                self._kept.popitem(last=False)


class Tables:
    """What can be asked of a dataset's rows."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._answers = Answers()

    def rows(self, actor: Actor, ref: str, request: RowsRequest) -> RowsRead:
        """A page of rows: sorted, filtered and searched here, so that a table may have any length."""
        from dapp_ext.domain import queries  # polars starts threads, which a fork server must not have

        table = self.open(actor, ref, request.version, "dataset.read")
        columns, rows, total = queries.select_rows(table.frame, table.columns, request)
        return RowsRead(version=table.version, columns=columns, rows=rows, offset=request.offset, total=total)

    def query(self, actor: Actor, ref: str, request: QueryRequest) -> QueryRead:
        """An aggregate: groups, bins or buckets of time with their figures."""
        from dapp_ext.domain import queries

        table = self.open(actor, ref, request.version, "dataset.read")
        key = (table.dataset_id, table.version, request.model_dump_json(exclude={"version"}))
        answer = self._answers.get(key)
        if answer is None:
            names, rows, truncated = queries.aggregate(table.frame, table.columns, request)
            answer = QueryRead(version=table.version, columns=names, rows=rows, truncated=truncated)
            self._answers.put(key, answer)
        return answer

    def export(
        self,
        actor: Actor,
        ref: str,
        format: ExportFormat,
        *,
        version: int | None = None,
        columns: Sequence[str] | None = None,
        filters: Sequence[Filter] = (),
    ) -> Download:
        """The processed data as a file; texts in CSV and XLSX cannot become formulas."""
        from dapp_ext.domain import exporting, queries

        table = self.open(actor, ref, version, "dataset.export")
        wanted = list(columns) if columns is not None else [column.name for column in table.columns]
        pieces = queries.filtered_batches(table.frame, table.columns, wanted, list(filters))
        kinds = {column.name: column for column in table.columns}
        chosen = [kinds[name] for name in wanted if name in kinds]
        self._context.note(actor, "dataset.export", Subject(kind="dataset", id=table.dataset_id), "allow", {"format": format, "version": table.version})
        media_type, chunks = exporting.export(pieces, chosen, format)
        return Download(f"{table.name}.{format}", media_type, chunks)

    def open(self, actor: Actor, ref: str, version: int | None, verb: str) -> OpenTable:
        """A ready dataset version that the actor may do this to."""
        with self._context.database.read() as session:
            dataset, row = self.find(actor, session, ref, version, verb)
            if row.error_code is not None:
                raise NotReady(f"{dataset.name!r} could not be read, so there is nothing to look at. Its page says why.")
            if row.table_id is None:
                raise NotReady(f"{dataset.name!r} is still being processed. Wait until it is ready.")
            inside = self._context.unseal(session, dataset.id, f"dataset_versions/{row.id}", row.sealed)
            given = files.stored_pass(self._context, session, row.table_id)
        frame = self._context.frames.open(dataset.id, row.version, lambda: open_frame(given.path, given.key, given.label))
        columns = [Column.model_validate(each) for each in inside["schema"]]
        if verb == "dataset.read":
            self._context.note_read(actor, "dataset.look", Subject(kind="dataset", id=dataset.id), row.version)
        return OpenTable(dataset.id, dataset.name, row.version, columns, frame)

    def find(self, actor: Actor, session: Session, ref: str, version: int | None, verb: str) -> tuple[Dataset, DatasetVersion]:
        """A dataset version that the actor may do this to."""
        dataset = store.by_reference(session, ref)
        if dataset is None:
            raise DatasetNotFound
        self._context.permit(actor, verb, Thing(dataset.owner_id, dataset.visibility), DatasetNotFound)
        row = store.version_of(session, dataset.id, version or dataset.version)
        if row is None:
            raise DatasetNotFound(f"{dataset.name!r} has no version {version}. The latest is {dataset.version}.")
        return dataset, row
