"""What a job does, in a process of its own: without the database, without the root key, killable at any moment.

An order holds everything that is needed: where the sealed input is and its own key, where the sealed output goes. What
happens is told through ``say``; what people want meanwhile is asked with ``wishes``.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from dapp_ext.domain.learning import Recipe
from dapp_ext.domain.learning.recipe import Wishes as SearchWishes
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.base import Named
from dapp_ext.schema.datasets import Column, Profile, ReadOptions, ReadReport
from dapp_ext.schema.models import Guard, Results, Trial
from dapp_ext.services.files import FilePass
from dapp_ext.store.objects import SealedFile, StoredObject, open_sealed


@dataclass(frozen=True)
class Progress:
    fraction: float
    message: str


@dataclass(frozen=True)
class TrialEnded:
    trial: Trial
    seconds_left: float | None


@dataclass(frozen=True)
class SearchBegan:
    """The search knows by now what it learns and by which measure."""

    task: str
    metric: str


@dataclass(frozen=True)
class GuardsChecked:
    guards: list[Guard]


@dataclass(frozen=True)
class Wanted:
    """What people want of a running job; sent to its process whenever it changes."""

    stop: bool = False
    extra_seconds: int = 0
    skipped: frozenset[str] = frozenset()


Say = Callable[[Any], None]


@dataclass(frozen=True)
class IngestOrder:
    """Read an uploaded file into a sealed table."""

    original: FilePass
    table: FilePass
    filename: str
    options: ReadOptions


@dataclass(frozen=True)
class TableMade:
    """A table is on disk, sealed, in staging."""

    table: FilePass
    stored: StoredObject
    columns: list[Column]
    rows: int
    profile: Profile
    report: ReadReport | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TrainOrder:
    """Search for the best model of a table."""

    table: FilePass
    columns: list[Column]
    recipe: Recipe
    finished: Sequence[Trial]
    artifact: FilePass
    results: FilePass
    model: Named
    dataset: Named
    dataset_version: int


@dataclass(frozen=True)
class ModelMade:
    """A trained model and its results are on disk, sealed, in staging."""

    artifact: FilePass
    artifact_stored: StoredObject
    results_pass: FilePass
    results_stored: StoredObject
    results: Results


@dataclass(frozen=True)
class PredictOrder:
    """Predict every row of a table."""

    artifact: FilePass
    source: FilePass
    columns: list[Column]
    table: FilePass


Order = IngestOrder | TrainOrder | PredictOrder


def perform(order: Order, say: Say, wanted: Callable[[], Wanted]) -> Any:
    """Do the work of one order and return what was made."""
    if isinstance(order, IngestOrder):
        return ingest(order, say)
    if isinstance(order, TrainOrder):
        return train(order, say, wanted)
    return predict(order, say)


def ingest(order: IngestOrder, say: Say) -> TableMade:
    """Original → typed, sealed Parquet and its profile, in one pass over the rows where the format allows."""
    from dapp_ext.domain.reading import read_table
    from dapp_ext.services.sinking import TableSink
    from dapp_ext.store.frames import FrameWriter

    def tell(fraction: float) -> None:
        say(Progress(fraction * 0.95, f"Reading {order.filename}"))

    with FrameWriter(order.table.path, order.table.key, order.table.label) as writer, TableSink(writer) as sink:
        with open_sealed(order.original.path, order.original.key, order.original.label) as sealed:
            read = read_table(cast(BinaryIO, sealed), order.filename, order.options, sink, tell)
        if read.rows == 0:
            raise FileUnreadable("The file has column names but no rows. Upload a file with at least one row.")
        say(Progress(0.97, "Looking for what is wrong with it"))
        stored, profile = sink.finish(read.columns)
    profile = profile.model_copy(update={"findings": [*read.findings, *profile.findings]})
    return TableMade(order.table, stored, read.columns, read.rows, profile, read.report)


def train(order: TrainOrder, say: Say, wanted: Callable[[], Wanted]) -> ModelMade:
    """Table → the best pipeline that was found, with everything that is known about it."""
    from dapp_ext.domain.learning import train as search
    from dapp_ext.store.frames import open_frame

    class Watch:
        def began(self, task: str, metric: str) -> None:
            say(SearchBegan(task, metric))

        def guards(self, guards: list[Guard]) -> None:
            say(GuardsChecked(guards))

        def trial(self, trial: Trial, seconds_left: float | None) -> None:
            say(TrialEnded(trial, seconds_left))

        def progress(self, fraction: float, message: str) -> None:
            say(Progress(fraction, message))

        def should_stop(self) -> bool:
            return wanted().stop

        def wishes(self) -> SearchWishes:
            return SearchWishes(wanted().extra_seconds, wanted().skipped)

    table = open_frame(order.table.path, order.table.key, order.table.label).read()
    trained = search(table, order.columns, order.recipe, Watch(), order.finished)
    results = trained.results(order.model, order.dataset, order.dataset_version)
    return ModelMade(
        order.artifact,
        _write(order.artifact, trained.dump()),
        order.results,
        _write(order.results, results.model_dump_json(by_alias=True).encode()),
        results,
    )


def predict(order: PredictOrder, say: Say) -> TableMade:
    """Table → the same table with a prediction for each row, a slice at a time."""
    from dapp_ext.domain.learning import load_predictor
    from dapp_ext.domain.profiling import Profiler
    from dapp_ext.store.frames import FrameWriter, open_frame

    with open_sealed(order.artifact.path, order.artifact.key, order.artifact.label) as reader:
        predictor = load_predictor(reader.read())
    source = open_frame(order.source.path, order.source.key, order.source.label)
    total, done, notes = max(1, source.rows), 0, list[str]()
    profiler: Profiler | None = None
    schema = None
    with FrameWriter(order.table.path, order.table.key, order.table.label) as writer:
        for rows in source.batches():
            answers, found = predictor.predict(rows)
            notes = notes or found
            joined = _beside(rows, answers)
            if profiler is None:
                schema = joined.schema
                writer.start(schema)
                profiler = Profiler(schema)
            for piece in joined.cast(schema).combine_chunks().to_batches():
                writer.write(piece)
                profiler.update(piece)
            done += rows.num_rows
            say(Progress(0.95 * done / total, f"Predicted {done:,} of {total:,} rows"))
        if schema is None or profiler is None:
            raise FileUnreadable("The dataset has no rows to predict.")
        stored = writer.finish()
    columns = _columns_of(schema, order.columns, predictor.task)
    return TableMade(order.table, stored, columns, done, profiler.finish(columns), None, notes)


def _write(given: FilePass, data: bytes) -> StoredObject:
    with SealedFile(given.path, given.key, given.label) as sealed:
        stream = io.BytesIO(data)
        while piece := stream.read(1 << 20):
            sealed.write(piece)
        return sealed.finish()


def _beside(rows: Any, answers: Any) -> Any:
    """The answers as further columns; a name that the table has already is given a number."""
    for name in answers.column_names:
        free, number = name, 2
        while free in rows.column_names:
            free, number = f"{name}_{number}", number + 1
        rows = rows.append_column(free, answers[name])
    return rows


def _columns_of(schema: Any, known: Sequence[Column], task: str) -> list[Column]:
    """Kinds of the table with predictions: the known ones, and what the answers are."""
    import pyarrow.types as types

    kinds = {column.name: column.kind for column in known}
    found = []
    for each in schema:
        kind = kinds.get(each.name)
        if kind is None:
            kind = (
                "decimal"
                if types.is_floating(each.type)
                else "integer"
                if types.is_integer(each.type)
                else "boolean"
                if types.is_boolean(each.type)
                else "category"
            )
        found.append(Column(name=each.name, kind=kind))
    return found
