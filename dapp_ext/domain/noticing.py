"""Which events are worth a line behind whose bell, and its words. What may be seen at all is decided before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dapp_ext.schema.datasets import Severity
from dapp_ext.schema.events import Event


@dataclass(frozen=True)
class Told:
    """An event, as the bell of one account sees it."""

    event: Event
    owner_id: str | None
    account_id: str

    @property
    def mine(self) -> bool:
        """Whether it is about a thing of the account."""
        return self.owner_id == self.account_id

    @property
    def by_me(self) -> bool:
        return self.event.actor is not None and self.event.actor.id == self.account_id

    @property
    def data(self) -> dict[str, Any]:
        return self.event.data

    @property
    def who(self) -> str:
        return self.event.actor.name if self.event.actor else "Somebody"

    def name(self, key: str = "") -> str:
        given = (self.data.get(key) or {}) if key else self.data
        return f"“{given.get('name', '')}”"


Line = tuple[Severity, str] | None


def _dataset_ready(told: Told) -> Line:
    rows = told.data.get("rows")
    size = f": {rows:,} rows × {told.data.get('columns') or 0:,} columns" if rows is not None else ""
    if told.mine:
        return "info", f"{told.name()} is ready{size}"
    return "info", f"{told.who} uploaded {told.name()}{size}"


def _shared(told: Told) -> Line:
    person = told.data.get("person") or {}
    if person.get("id") != told.account_id or not told.data.get("level"):
        return None
    return "info", f"{told.who} shared {told.name()} with you"


def _own(severity: Severity, words: str, key: str = "") -> Callable[[Told], Line]:
    return lambda told: (severity, words.format(told.name(key))) if told.mine else None


def _system(told: Told) -> Line:
    if told.data.get("withdrawn"):
        return None
    severity = told.data.get("severity", "info")
    return (severity if severity in ("info", "warning", "alert") else "info"), str(told.data.get("message", ""))


_LINES: dict[str, Callable[[Told], Line]] = {
    "dataset.ready": _dataset_ready,
    "dataset.failed": _own("warning", "{} could not be read"),
    "dataset.shared": _shared,
    "model.shared": _shared,
    "model.trained": _own("info", "{} is trained"),
    "model.failed": _own("warning", "{} could not be trained"),
    "model.cancelled": lambda told: None if told.by_me else _own("warning", "The training of {} was cancelled")(told),
    "prediction.ready": _own("info", "{} has scored a dataset", "model"),
    "prediction.failed": _own("warning", "{} could not score a dataset", "model"),
    "monitor.alert": _own("alert", "Predictions of {} are not what they were"),
    "insight.published": lambda told: None if told.mine else ("info", f"{told.who} published an insight"),
    "system.alert": _system,
    "system.announcement": _system,
    "system.maintenance": _system,
}
NOTIFIABLE = tuple(_LINES)


def line_of(told: Told) -> Line:
    """How grave, and the words; ``None`` when it is no business of this account's bell."""
    maker = _LINES.get(told.event.type)
    return maker(told) if maker else None
