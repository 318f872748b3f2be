"""The watch over a model in use: volume, time, errors, and whether inputs and answers still look like the training data."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Any

from dapp_ext.domain import drift
from dapp_ext.domain.drift import Counts, Drift, Reference
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Page, Subject, now
from dapp_ext.schema.events import MonitorEvent
from dapp_ext.schema.serving import ColumnDrift, LoggedCall, MonitoringRead, MonitorPoint
from dapp_ext.services.context import Context, list_cursor
from dapp_ext.services.models import Models
from dapp_ext.services.prediction_log import open_entries, read_reference, stats_place, time_quantile
from dapp_ext.services.things import thing_of
from dapp_ext.store import predictions as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Model, PredictionGroup

MOST_GROUPS = 2_000
LOOK_EVERY_SECONDS = 30.0
LOOK_BACK = timedelta(days=1)
ERROR_SHARE, ERROR_CALLS = 0.05, 50
SENTENCES = {
    None: "What it is asked looks like what it learned from.",
    "prediction_drift": "Its answers are spread differently from those for the data that it learned from. Look at the columns that moved; train again if the world has changed.",
    "input_drift": "Columns that it relies on have moved away from the data that it learned from. Look at them; train again if the world has changed.",
    "errors": "More than one call in twenty ends in an error. Look at who calls it and with which columns.",
}


class Monitoring:
    """The service."""

    def __init__(self, context: Context, models: Models) -> None:
        self._context = context
        self._models = models
        self._looked: dict[str, float] = {}
        self._lock = threading.Lock()

    def read(self, actor: Actor, ref: str, days: int = 7) -> MonitoringRead:
        """How a model was used during the last days; by the hour up to two days, else by the day."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.monitor")
            groups = store.since(session, model.id, now() - timedelta(days=days), MOST_GROUPS)
            reference = read_reference(self._context, session, model)
            stats = {group.id: self._context.unseal(session, model.id, stats_place(group), group.sealed) for group in groups}
        answer, columns = self._drifts(reference, groups, stats)
        code = _code(groups, answer, columns)
        calls = sum(group.calls for group in groups)
        buckets: dict[str, int] = {}
        for each in stats.values():
            for bucket, number in each.get("milliseconds", {}).items():
                buckets[bucket] = buckets.get(bucket, 0) + number
        return MonitoringRead(
            model=Named(id=model.id, name=model.name),
            model_version=model.version,
            champion=model.champion,
            days=days,
            calls=calls,
            rows=sum(group.rows for group in groups),
            errors=sum(group.errors for group in groups),
            milliseconds=round(sum(group.milliseconds for group in groups) / calls, 2) if calls else None,
            p50=time_quantile(buckets, 0.5),
            p95=time_quantile(buckets, 0.95),
            code=code,
            sentence=_sentence(code, calls, answer),
            input_drift=round(drift.overall(columns), 4) if answer else None,
            prediction_drift=_column(answer) if answer else None,
            columns=[_column(each) for each in columns],
            series=_series(reference, groups, stats, timedelta(hours=1) if days <= 2 else timedelta(days=1)),
            retention_days=self._context.settings.prediction_log_days,
        )

    def log(self, actor: Actor, ref: str, *, limit: int = 50, cursor: str | None = None) -> Page[LoggedCall]:
        """The calls as they were logged, newest first, a whole group of them at a time."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.log")
            groups = store.page(session, model.id, limit=max(1, min(limit, 200)), before=list_cursor(cursor))
            items: list[LoggedCall] = []
            last: str | None = None
            for group in groups:
                items += [_logged(model, line) for line in reversed(open_entries(self._context, session, group))]
                last = group.id
                if len(items) >= limit:
                    break
        self._context.note(actor, "model.log", Subject(kind="model", id=model.id), "allow")
        more = bool(groups) and (last != groups[-1].id or len(groups) >= limit)
        return Page(items=items, next=last if more else None)

    def look(self, model_id: str) -> None:
        """See whether a model's predictions of the last day still look the same, at most twice a minute."""
        with self._lock:
            if time.monotonic() - self._looked.get(model_id, -LOOK_EVERY_SECONDS) < LOOK_EVERY_SECONDS:
                return
            self._looked[model_id] = time.monotonic()
        with self._context.database.read() as session:
            model = session.get(Model, model_id)
            if model is None:
                return
            groups = store.since(session, model_id, now() - LOOK_BACK, MOST_GROUPS)
            stats = {group.id: self._context.unseal(session, model_id, stats_place(group), group.sealed) for group in groups}
            answer, columns = self._drifts(read_reference(self._context, session, model), groups, stats)
        code = _code(groups, answer, columns)
        if code != model.alert_code:
            self._tell(model_id, code, len(drift.verdict(answer, columns)[1]) if answer else 0)

    def _tell(self, model_id: str, code: str | None, columns: int) -> None:
        with self._context.change(None, None) as change:
            model = change.session.get(Model, model_id)
            if model is None or model.alert_code == code:
                return
            model.alert_code = code
            change.session.add(model)
            if code is not None:
                data = MonitorEvent(name=model.name, version=model.version, code=code, columns=columns)
                change.tell("monitor.alert", Subject(kind="model", id=model.id), data, thing_of(model))

    def _drifts(self, reference: Reference | None, groups: list[PredictionGroup], stats: dict[str, dict[str, Any]]) -> tuple[Drift | None, list[Drift]]:
        if reference is None or not groups:
            return None, []
        return drift.drifts(reference, _total(groups, stats))


def write_group(session: Session, context: Context, group: PredictionGroup, stats: dict[str, Any]) -> None:
    """Add a group that a job made, in the transaction that makes its result known."""
    group.sealed = context.seal(session, group.model_id, stats_place(group), stats)
    session.add(group)


def _total(groups: list[PredictionGroup], stats: dict[str, dict[str, Any]]) -> Counts:
    total: Counts = {}
    for group in groups:
        drift.add(total, stats[group.id].get("counts", {}))
    return total


def _code(groups: list[PredictionGroup], answer: Drift | None, columns: list[Drift]) -> str | None:
    calls, errors = sum(group.calls for group in groups), sum(group.errors for group in groups)
    if calls >= ERROR_CALLS and errors > ERROR_SHARE * calls:
        return "errors"
    return drift.verdict(answer, columns)[0] if answer else None


def _sentence(code: str | None, calls: int, answer: Drift | None) -> str:
    if calls == 0:
        return "Nobody has asked it for predictions in this time."
    if code is None and answer is None:
        return "It was made before the training data's shape was kept, so drift cannot be told. Train it again to have it watched."
    if code is None and answer is not None and answer.level == "unknown":
        return f"It was asked about too few rows to say whether they look like the training data; {drift.FEWEST_ROWS} are needed."
    return SENTENCES[code]


def _series(reference: Reference | None, groups: list[PredictionGroup], stats: dict[str, dict[str, Any]], step: timedelta) -> list[MonitorPoint]:
    by_time: dict[datetime, list[PredictionGroup]] = {}
    for group in groups:
        moment = group.at.replace(minute=0, second=0, microsecond=0)
        by_time.setdefault(moment if step < timedelta(days=1) else moment.replace(hour=0), []).append(group)
    return [_point(reference, moment, by_time[moment], stats) for moment in sorted(by_time)]


def _point(reference: Reference | None, moment: datetime, groups: list[PredictionGroup], stats: dict[str, dict[str, Any]]) -> MonitorPoint:
    calls = sum(group.calls for group in groups)
    point = MonitorPoint(
        at=moment,
        calls=calls,
        rows=sum(group.rows for group in groups),
        errors=sum(group.errors for group in groups),
        milliseconds=round(sum(group.milliseconds for group in groups) / max(1, calls), 2),
        slowest=round(max(group.slowest for group in groups), 2),
    )
    if reference is None:
        return point
    answer, columns = drift.drifts(reference, _total(groups, stats))
    if answer.level == "unknown":
        return point
    return point.model_copy(update={"input_drift": round(drift.overall(columns), 4), "prediction_drift": round(answer.distance, 4)})


def _column(each: Drift) -> ColumnDrift:
    return ColumnDrift(column=each.name, distance=round(each.distance, 4), level=each.level, weight=each.weight)


def _logged(model: Model, line: dict[str, Any]) -> LoggedCall:
    return LoggedCall(
        id=line["id"],
        at=line["at"],
        by=Named(id=line["by"][0], name=line["by"][1]) if line.get("by") else None,
        door=line.get("door", ""),
        model_version=model.version,
        policy_version=line.get("policy"),
        milliseconds=line["ms"],
        rows=line.get("count", len(line.get("rows", ()))),
        inputs=line.get("rows", []),
        predictions=line.get("answers", []),
        dataset=Named(id=line["dataset"][0], name=line["dataset"][1]) if line.get("dataset") else None,
        error=line.get("error"),
    )
