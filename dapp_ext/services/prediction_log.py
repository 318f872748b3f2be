"""The log of predictions: sealed, and written in groups so that no call waits for the disk.

Calls are kept in memory for a second at most, then written with their audit rows in one transaction. A server that is
killed loses the lines of that second; nobody was told that they are on disk.
"""

from __future__ import annotations

import json
import logging
import math
import threading
import time
import zlib
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dapp_ext.domain import drift
from dapp_ext.domain.drift import Reference
from dapp_ext.errors import DappError, NotFound
from dapp_ext.logs import outline
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject, new_id, now
from dapp_ext.schema.models import Prediction
from dapp_ext.services import files
from dapp_ext.services.context import Context
from dapp_ext.store import predictions as store
from dapp_ext.store.audit import Entry as AuditEntry
from dapp_ext.store.database import Session
from dapp_ext.store.sealing import open_field, seal_field
from dapp_ext.store.tables import Model, PredictionGroup

log = logging.getLogger(__name__)
FLUSH_SECONDS = 1.0
MOST_WAITING = 20_000
MOST_COUNTED_ROWS = 2_000
KEPT_REFERENCES = 32
SWEEP_SECONDS = 3600.0


@dataclass(frozen=True)
class Entry:
    """One call."""

    model_id: str
    actor: Actor
    rows: list[dict[str, Any]]
    milliseconds: float
    answers: Sequence[Prediction] = ()
    policy_version: int | None = None
    error: str | None = None
    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=now)


class PredictionLog:
    """What one server process logs.

    Parameters
    ----------
    context : Context
    after_writing : callable
        Given the id of each model that something was written of; looks whether its predictions still look the same.
    """

    def __init__(self, context: Context, after_writing: Callable[[str], None]) -> None:
        self._context = context
        self._after_writing = after_writing
        self._waiting: deque[Entry] = deque()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._references: OrderedDict[str, Reference | None] = OrderedDict()
        self._swept = 0.0

    def add(self, entry: Entry) -> None:
        """Log a call; returns at once."""
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                log.warning("The log of predictions cannot be written fast enough; its oldest lines are lost")
            self._waiting.append(entry)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="dapp-prediction-log", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Bring everything that waits to the disk."""
        with self._writing:
            with self._lock:
                entries, self._waiting = list(self._waiting), deque()
            by_model: dict[str, list[Entry]] = {}
            for entry in entries:
                by_model.setdefault(entry.model_id, []).append(entry)
            for model_id, group in by_model.items():
                self._write(model_id, group)
        for model_id in by_model:
            self._after_writing(model_id)
        self._sweep()

    def close(self) -> None:
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(10)
        try:
            self.flush()
        except DappError as error:
            log.warning("The last predictions could not be logged: %s", error.message)

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(FLUSH_SECONDS)
            try:
                self.flush()
            except DappError as error:
                log.warning("Predictions could not be logged: %s", error.message)
            except Exception as error:  # noqa: BLE001  told in the log; the next ones are logged again
                log.error("Predictions could not be logged:\n%s", outline(error))

    def _write(self, model_id: str, entries: list[Entry]) -> None:
        good = [entry for entry in entries if entry.error is None]
        with self._context.database.read() as session:
            if session.get(Model, model_id) is None:
                return
            reference = self.reference(session, model_id)
        stats = {"milliseconds": time_buckets([entry.milliseconds for entry in entries]), "counts": _count(reference, good) if reference else {}}
        group = PredictionGroup(
            model_id=model_id,
            calls=len(entries),
            rows=sum(len(entry.rows) for entry in good),
            errors=len(entries) - len(good),
            milliseconds=sum(entry.milliseconds for entry in entries),
            slowest=max(entry.milliseconds for entry in entries),
        )
        with self._context.change(None, None) as change:
            if change.session.get(Model, model_id) is None:
                return
            group.sealed = self._context.seal(change.session, model_id, stats_place(group), stats)
            if self._context.settings.prediction_log_days > 0:
                group.entries = seal_entries(self._context, change.session, group, [_line(entry) for entry in entries])
            change.session.add(group)
            for actor, details in _by_caller(entries):
                self._context.record(change.session, AuditEntry(actor, "model.predict", Subject(kind="model", id=model_id), "allow", details))

    def reference(self, session: Session, model_id: str) -> Reference | None:
        """How the data that a model learned from is spread; ``None`` for one from before this was kept."""
        if model_id not in self._references:
            model = session.get(Model, model_id)
            self._references[model_id] = read_reference(self._context, session, model) if model else None
            while len(self._references) > KEPT_REFERENCES:
                self._references.popitem(last=False)
        return self._references.get(model_id)

    def _sweep(self) -> None:
        """Forget what is older than the retention time."""
        if time.monotonic() - self._swept < SWEEP_SECONDS:
            return
        self._swept = time.monotonic()
        before = now() - timedelta(days=max(1, self._context.settings.prediction_log_days))
        with self._context.database.write() as session:
            store.forget_before(session, before)


def read_reference(context: Context, session: Session, model: Model) -> Reference | None:
    """The stored reference of a model."""
    try:
        return Reference.from_json(json.loads(files.read_stored(context, session, model.reference_id)))
    except NotFound:
        return None


def stats_place(group: PredictionGroup) -> str:
    return f"prediction_groups/{group.id}"


def seal_entries(context: Context, session: Session, group: PredictionGroup, lines: list[dict[str, Any]]) -> bytes:
    """The calls of a group as they are kept: compressed, then sealed under the model's key."""
    data = zlib.compress(json.dumps(lines, ensure_ascii=False, separators=(",", ":")).encode(), 1)
    return seal_field(context.data_key(session, group.model_id), _entries_aad(group), data)


def open_entries(context: Context, session: Session, group: PredictionGroup) -> list[dict[str, Any]]:
    """What :func:`seal_entries` sealed; none where they were not kept."""
    if group.entries is None:
        return []
    lines: list[dict[str, Any]] = json.loads(zlib.decompress(open_field(context.data_key(session, group.model_id), _entries_aad(group), group.entries)))
    return lines


def _entries_aad(group: PredictionGroup) -> bytes:
    return f"dapp/v1/entries\0{group.model_id}\0{group.id}".encode()


def _by_caller(entries: list[Entry]) -> list[tuple[Actor, dict[str, Any]]]:
    """Who called and how often: a row of the audit for each call that comes alone, one for a stream of calls within a second."""
    callers: dict[tuple[str, str | None, str], list[Entry]] = {}
    for entry in entries:
        callers.setdefault((entry.actor.account_id, entry.actor.session_id, entry.actor.door), []).append(entry)
    return [
        (
            group[0].actor,
            {"calls": len(group), "rows": sum(len(each.rows) for each in group), "first": group[0].id, "last": group[-1].id}
            | ({"errors": sum(each.error is not None for each in group)} if any(each.error for each in group) else {}),
        )
        for group in callers.values()
    ]


def _line(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "by": [entry.actor.account_id, entry.actor.name],
        "door": entry.actor.door,
        "policy": entry.policy_version,
        "ms": round(entry.milliseconds, 3),
        "rows": entry.rows,
        "answers": [answer.prediction for answer in entry.answers],
        "error": entry.error,
    }


def _count(reference: Reference, entries: list[Entry]) -> drift.Counts:
    rows = [row for entry in entries for row in entry.rows][:MOST_COUNTED_ROWS]
    answers = [answer for entry in entries for answer in entry.answers][:MOST_COUNTED_ROWS]
    columns = {name: [row.get(name) for row in rows] for name in reference.columns}
    return drift.count(reference, columns, answer_values(answers))


def answer_values(answers: Sequence[Prediction]) -> list[Any]:
    """What is watched of the answers: of two classes the positive one's probability, else the class or the amount itself."""
    return [list(each.probabilities.values())[1] if each.probabilities and len(each.probabilities) == 2 else each.prediction for each in answers]


def time_buckets(milliseconds: Sequence[float]) -> dict[str, int]:
    """Counts by quarter powers of two."""
    found: dict[str, int] = {}
    for each in milliseconds:
        bucket = str(round(4 * math.log2(max(each, 0.01))))
        found[bucket] = found.get(bucket, 0) + 1
    return found


def time_quantile(buckets: dict[str, int], share: float) -> float | None:
    """Milliseconds that this share of the calls took at the most, to about a tenth."""
    total, seen = sum(buckets.values()), 0
    for bucket in sorted(buckets, key=int):
        seen += buckets[bucket]
        if seen >= share * total:
            return round(float(2 ** (int(bucket) / 4)), 2)
    return None
