"""What a job does, in a process of its own: without the database, without the root key, killable at any moment.

An order holds everything that is needed: where the sealed input is and its own key, where the sealed output goes. What
happens is told through ``say``; what people want meanwhile is asked with ``wishes``.
"""

from __future__ import annotations

import io
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, BinaryIO, cast

from dapp_ext.domain.drift import Counts, Reference, count, make_reference
from dapp_ext.domain.drift import add as add_counts
from dapp_ext.domain.fixes.offers import Asked
from dapp_ext.domain.learning import Recipe
from dapp_ext.domain.learning.recipe import Wishes as SearchWishes
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.base import Named
from dapp_ext.schema.datasets import Column, Profile, ReadOptions, ReadReport
from dapp_ext.schema.models import Guard, Results, SecondScore, Trial
from dapp_ext.services.allocation import cores_of_job
from dapp_ext.services.cluster import Cluster, engine_of
from dapp_ext.services.passes import FilePass
from dapp_ext.store.objects import SealedFile, StoredObject, open_sealed

# So many rows tell how a table is spread.
REFERENCE_ROWS = 2_000
COUNTED_ROWS = 20_000


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
class FixOrder:
    """Mend a table by another one."""

    source: FilePass
    profile: FilePass
    columns: list[Column]
    table: FilePass
    asked: Asked


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
    counts: dict[str, list[int]] | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class TrainOrder:
    """Search for the best model of a table."""

    table: FilePass
    columns: list[Column]
    recipe: Recipe
    finished: Sequence[Trial]
    artifact: FilePass
    results: FilePass
    reference: FilePass
    model: Named
    dataset: Named
    dataset_version: int
    cluster: Cluster | None = None


@dataclass(frozen=True)
class RegisterOrder:
    """Score a pipeline that somebody brought along."""

    table: FilePass
    columns: list[Column]
    pipeline: FilePass
    asked: dict[str, Any]
    artifact: FilePass
    results: FilePass
    reference: FilePass
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
    reference_pass: FilePass
    reference_stored: StoredObject
    results: Results


@dataclass(frozen=True)
class PredictOrder:
    """Predict every row of a table."""

    artifact: FilePass
    source: FilePass
    columns: list[Column]
    table: FilePass
    threshold: float | None = None
    reference: FilePass | None = None
    profile: FilePass | None = None
    cluster: Cluster | None = None


@dataclass(frozen=True)
class RescoreOrder:
    """Score once more, with a change of the request that a model came from."""

    table: FilePass
    columns: list[Column]
    recipe: Recipe
    learner: Trial
    change: dict[str, Any]


@dataclass(frozen=True)
class ScoredAgain:
    """The score before and after."""

    second: SecondScore


Order = IngestOrder | FixOrder | TrainOrder | RegisterOrder | PredictOrder | RescoreOrder


def perform(order: Order, say: Say, wanted: Callable[[], Wanted]) -> Any:
    """Do the work of one order and return what was made."""
    if isinstance(order, IngestOrder):
        return ingest(order, say)
    if isinstance(order, FixOrder):
        return fix(order, say)
    if isinstance(order, TrainOrder):
        return train(order, say, wanted)
    if isinstance(order, RegisterOrder):
        return register(order, say)
    if isinstance(order, RescoreOrder):
        return rescore(order, say)
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


def fix(order: FixOrder, say: Say) -> TableMade:
    """Table → the same table mended, a slice at a time; the notes say what was done."""
    from dapp_ext.domain.fixes.planning import plan
    from dapp_ext.domain.profiling import Profiler
    from dapp_ext.store.frames import FrameWriter, open_frame

    profile = _read_profile(order.profile)
    source = open_frame(order.source.path, order.source.key, order.source.label)
    say(Progress(0.02, "Looking at the values"))
    planned = plan(source, order.columns, profile, order.asked)
    profiler, done = Profiler(planned.schema), 0
    with FrameWriter(order.table.path, order.table.key, order.table.label) as writer:
        writer.start(planned.schema)
        for rows in chain(map(planned.apply, source.batches()), planned.rest()):
            for piece in rows.select(planned.schema.names).cast(planned.schema).combine_chunks().to_batches():
                writer.write(piece)
                profiler.update(piece)
            done += rows.num_rows
            say(Progress(0.1 + 0.85 * min(1.0, done / max(1, source.rows)), f"Mending {done:,} rows"))
        stored = writer.finish()
    return TableMade(order.table, stored, planned.columns, done, profiler.finish(planned.columns), None, [planned.sentence()])


def _read_profile(given: FilePass) -> Profile:
    with open_sealed(given.path, given.key, given.label) as sealed:
        return Profile.model_validate_json(sealed.read())


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
    with engine_of(order.cluster) as engine:
        trained = search(table, order.columns, replace(order.recipe, threads=cores_of_job()), Watch(), order.finished, engine)
    results = trained.results(order.model, order.dataset, order.dataset_version)
    return ModelMade(
        order.artifact,
        _write(order.artifact, trained.dump()),
        order.results,
        _write(order.results, results.model_dump_json(by_alias=True).encode()),
        order.reference,
        _write(order.reference, json.dumps(reference_of(table, trained.predictor, results).as_json()).encode()),
        results,
    )


def register(order: RegisterOrder, say: Say) -> ModelMade:
    """Table and pipeline → the pipeline in our own wrapping, with the same pages as one of ours."""
    from dapp_ext.domain.learning.registered import register as score
    from dapp_ext.store.frames import open_frame

    say(Progress(0.1, "Reading the pipeline"))
    with open_sealed(order.pipeline.path, order.pipeline.key, order.pipeline.label) as reader:
        data = reader.read()
    table = open_frame(order.table.path, order.table.key, order.table.label).read()
    say(Progress(0.3, "Scoring it"))
    predictor, facts = score(table, order.columns, data, order.asked)
    results = Results(model=order.model, dataset=order.dataset, dataset_version=order.dataset_version, **facts)
    return ModelMade(
        order.artifact,
        _write(order.artifact, predictor.dump()),
        order.results,
        _write(order.results, results.model_dump_json(by_alias=True).encode()),
        order.reference,
        _write(order.reference, json.dumps(reference_of(table, predictor, results).as_json()).encode()),
        results,
    )


def rescore(order: RescoreOrder, say: Say) -> ScoredAgain:
    """Table and a change → the score of the learner that did best, without and with the change."""
    from dapp_ext.domain.learning.rescoring import score_again
    from dapp_ext.store.frames import open_frame

    say(Progress(0.1, "Scoring with and without it"))
    table = open_frame(order.table.path, order.table.key, order.table.label).read()
    return ScoredAgain(score_again(table, order.columns, order.recipe, order.learner, order.change))


def reference_of(table: Any, predictor: Any, results: Results) -> Reference:
    """How the data that a model learned from is spread, from a sample of its rows, for the watch over its predictions."""
    import numpy as np

    if table.num_rows > REFERENCE_ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(table.num_rows, REFERENCE_ROWS, replace=False))
        table = table.take(chosen)
    answers, _ = predictor.predict(table.select([column.name for column in results.features]))
    weights = {each.column: each.value for each in results.importances}
    return make_reference(table, [column.name for column in results.features], _watched(answers), weights)


def _watched(answers: Any) -> list[Any]:
    """What is watched of the answers: of two classes the positive one's probability, else the class or the amount itself."""
    chances = [name for name in answers.column_names if name.startswith("probability_")]
    values: list[Any] = answers.column(chances[1] if len(chances) == 2 else "prediction").to_pylist()
    return values


def predict(order: PredictOrder, say: Say) -> TableMade:
    """Table → the same table with a prediction for each row, a slice at a time: one is read, one predicted, one written at once."""
    from dapp_ext.domain.conveyor import Belt, ahead
    from dapp_ext.domain.learning import load_predictor
    from dapp_ext.domain.learning.deciding import decide
    from dapp_ext.store.frames import FrameWriter, open_frame

    with open_sealed(order.artifact.path, order.artifact.key, order.artifact.label) as reader:
        predictor = load_predictor(reader.read())
    source = open_frame(order.source.path, order.source.key, order.source.label)
    total, done, notes, began = max(1, source.rows), 0, list[str](), time.monotonic()
    watched = _Watched(_read_reference(order.reference) if order.reference else None)
    with FrameWriter(order.table.path, order.table.key, order.table.label) as writer:
        scored = _Scored(writer, order.profile is not None)
        belts = Belt(scored.write, 2), Belt(scored.describe, 2)
        try:
            for rows, (answers, found) in _asked(predictor, ahead(source.batches(), 1)):
                answers = decide(answers, predictor.labels, order.threshold)
                notes = notes or found
                watched.count(rows, answers, done)
                for belt in belts:
                    belt.put((rows, answers))
                done += rows.num_rows
                say(Progress(0.95 * done / total, f"Predicted {done:,} of {total:,} rows"))
            for belt in belts:
                belt.finish()
        finally:
            for belt in belts:
                belt.stop()
        if scored.schema is None or scored.profiler is None:
            raise FileUnreadable("The dataset has no rows to predict.")
        stored = writer.finish()
    columns = _columns_of(scored.schema, order.columns, predictor.task)
    profile = scored.profiler.finish([column for column in columns if column.name in scored.new])
    if order.profile is not None:
        known = _read_profile(order.profile)
        profile = known.model_copy(update={"version": profile.version, "columns": [*known.columns, *profile.columns]})
    return TableMade(order.table, stored, columns, done, profile, None, notes, watched.counts, time.monotonic() - began)


def _asked(predictor: Any, batches: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    """Each batch with its answers, one asked on each core: threads of the learners' own would wait for one another after every tree."""
    from threadpoolctl import threadpool_limits

    threads = min(4, cores_of_job())
    with ThreadPoolExecutor(threads, initializer=lambda: threadpool_limits(1)) as pool:
        waiting: deque[tuple[Any, Future[Any]]] = deque()
        for rows in batches:
            waiting.append((rows, pool.submit(predictor.predict, rows)))
            if len(waiting) > threads:
                first, answer = waiting.popleft()
                yield first, answer.result()
        while waiting:
            first, answer = waiting.popleft()
            yield first, answer.result()


class _Scored:
    """Where scored rows go: into the table, and what is new of them into its profile; each is called on a thread of its own."""

    def __init__(self, writer: Any, profile_known: bool) -> None:
        self._writer = writer
        self._profile_known = profile_known
        self.schema: Any = None
        self.profiler: Any = None
        self.new: list[str] = []

    def write(self, item: tuple[Any, Any]) -> None:
        joined = _beside(*item)
        if self.schema is None:
            self.schema = joined.schema
            self._writer.start(self.schema)
        for piece in joined.cast(self.schema).combine_chunks().to_batches():
            self._writer.write(piece)

    def describe(self, item: tuple[Any, Any]) -> None:
        import pyarrow as pa

        from dapp_ext.domain.profiling import Profiler

        joined = _beside(*item)
        if self.profiler is None:
            # What is known of the rows need not be found out again: only the answers are new.
            names = joined.schema.names
            self.new = names[item[0].num_columns :] if self._profile_known else names
            self.profiler = Profiler(pa.schema([joined.schema.field(name) for name in self.new]))
        for piece in joined.select(self.new).combine_chunks().to_batches():
            self.profiler.update(piece)


class _Watched:
    """The first rows and their answers, counted for the watch over drift."""

    def __init__(self, reference: Reference | None) -> None:
        self._reference = reference
        self.counts: Counts = {}

    def count(self, rows: Any, answers: Any, done: int) -> None:
        if self._reference is None or done >= COUNTED_ROWS:
            return
        some = rows.slice(0, COUNTED_ROWS - done)
        columns = {name: _values(some.column(name)) for name in self._reference.columns if name in some.column_names}
        add_counts(self.counts, count(self._reference, columns, _watched(answers.slice(0, some.num_rows))))


def _values(column: Any) -> Any:
    """The values of a column: numbers as an array with NaN for missing, all else as they are."""
    import pyarrow as pa

    return column.to_numpy() if pa.types.is_floating(column.type) else column.to_pylist()


def _read_reference(given: FilePass) -> Reference:
    with open_sealed(given.path, given.key, given.label) as reader:
        return Reference.from_json(json.loads(reader.read()))


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

    described = {column.name: column for column in known}
    found = []
    for each in schema:
        kind: Any = (
            "decimal"
            if types.is_floating(each.type)
            else "integer"
            if types.is_integer(each.type)
            else "boolean"
            if types.is_boolean(each.type)
            else "category"
        )
        found.append(described.get(each.name) or Column(name=each.name, kind=kind))
    return found
