"""Looking into a dataset: pages of rows, aggregates, downloads. One engine and one cache serve every door."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dapp_ext.domain.keeper import Keeper
from dapp_ext.errors import DatasetNotFound
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject
from dapp_ext.schema.datasets import Column, Filter, QueryRead, QueryRequest, RowsRead, RowsRequest
from dapp_ext.services import files
from dapp_ext.services.answers import SharedAnswers
from dapp_ext.services.context import Context
from dapp_ext.services.files import Download
from dapp_ext.services.reads import forget, known, require_ready
from dapp_ext.services.things import thing_for
from dapp_ext.store import datasets as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Dataset, DatasetVersion

if TYPE_CHECKING:
    from dapp_ext.domain.sources import KeptSource
    from dapp_ext.store.cached_frames import CachedFrame

ExportFormat = Literal["arrow", "parquet", "csv", "xlsx"]
KEPT_ANSWER_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class OpenTable:
    """A ready dataset version."""

    dataset_id: str
    name: str
    version: int
    columns: list[Column]
    frame: CachedFrame


class Tables:
    """What can be asked of a dataset's rows."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._answers = Keeper(KEPT_ANSWER_BYTES)
        self._shared = SharedAnswers(context, "query")
        self._columns = Keeper(context.settings.cache_memory // 2)
        self._expects = False

    def _expect_questions(self) -> None:
        """Somebody looks at a list of datasets and will open one: load what that takes, beside the answer.

        Until then a process without visitors does without some 60 MB of libraries.
        """
        first, self._expects = not self._expects, True
        if first:
            threading.Thread(target=importlib.import_module, args=("dapp_ext.domain.queries",), name="expect-questions", daemon=True).start()

    def rows(self, actor: Actor, ref: str, request: RowsRequest) -> RowsRead:
        """A page of rows: sorted, filtered and searched here, so that a table may have any length."""
        from dapp_ext.domain import queries  # polars starts threads, which a fork server must not have

        table = self.open(actor, ref, request.version, "dataset.read")
        columns, rows, total = queries.select_rows(self._kept(table), table.columns, request)
        return RowsRead(version=table.version, columns=columns, rows=rows, offset=request.offset, total=total)

    def query(self, actor: Actor, ref: str, request: QueryRequest) -> QueryRead:
        """An aggregate: groups, bins or buckets of time with their figures."""
        return QueryRead.model_validate_json(self.query_json(actor, ref, request))

    def query_json(self, actor: Actor, ref: str, request: QueryRequest) -> bytes:
        """The same as JSON, as it is sent; asked again it comes from memory."""
        from dapp_ext.domain import queries

        with self._context.database.read() as session:
            dataset, row = self.find(actor, session, ref, request.version, "dataset.read")
        key = (dataset.id, row.version, request.model_dump_json(exclude={"version"}))
        self._context.note_read(actor, "dataset.look", Subject(kind="dataset", id=dataset.id), row.version)

        def make() -> bytes:
            table = self.open(actor, dataset.id, row.version, "dataset.read")
            answer = queries.ask(self._kept(table), table.columns, request)
            return answer.model_copy(update={"version": table.version}).model_dump_json(by_alias=True).encode()

        sent: bytes = self._answers.get(key, lambda: self._shared.get(key, make), len)
        return sent

    def _kept(self, table: OpenTable) -> KeptSource:
        """The table with its columns kept ready for the next question."""
        from dapp_ext.domain.sources import KeptSource

        coded = [column.name for column in table.columns if column.kind == "category"]
        return KeptSource(table.frame, self._columns, (table.dataset_id, table.version), coded)

    def let_go(self, dataset_id: str) -> None:
        """Forget what is kept of a dataset that goes away."""
        for keeper in (self._answers, self._columns):
            keeper.drop(dataset_id)
        forget(self._context, dataset_id)

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
        return Download(f"{table.name}.{format}", media_type, chunks, version=table.version, rows=None if filters else table.frame.rows)

    def open(self, actor: Actor, ref: str, version: int | None, verb: str) -> OpenTable:
        """A ready dataset version that the actor may do this to."""
        from dapp_ext.store.frames import open_frame

        with self._context.database.read() as session:
            dataset, row = self.find(actor, session, ref, version, verb)
            require_ready(dataset, row)
            columns = known(self._context, session, row).columns
            given = files.stored_pass(self._context, session, row.table_id)
        frame = self._context.frames.open(dataset.id, row.version, lambda: open_frame(given.path, given.key, given.label))
        if verb == "dataset.read":
            self._context.note_read(actor, "dataset.look", Subject(kind="dataset", id=dataset.id), row.version)
        return OpenTable(dataset.id, dataset.name, row.version, columns, frame)

    def find(self, actor: Actor, session: Session, ref: str, version: int | None, verb: str) -> tuple[Dataset, DatasetVersion]:
        """A dataset version that the actor may do this to."""
        dataset = store.find(session, ref, actor.account_id)
        if dataset is None:
            raise DatasetNotFound
        self._context.permit(actor, verb, thing_for(session, actor, dataset), DatasetNotFound)
        row = store.version_of(session, dataset.id, version or dataset.version)
        if row is None:
            raise DatasetNotFound(f"{dataset.name!r} has no version {version}. The latest is {dataset.version}.")
        return dataset, row
