"""One-click answers to guards: each is a change of the train request, so the request as it was is the undo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from dapp_ext.schema.models import Cleaning, Fix, TrainRequest, Validation

_CLEANING_LABELS: dict[Cleaning, str] = {
    "drop_duplicates": "Leave repeated rows out",
    "drop_conflicts": "Leave contradicting rows out",
    "drop_rare": "Leave rows of rare values out",
    "merge_rare": "Put rare values together as “other”",
}


class Asked(Protocol):
    """What fixes look at: a train request or a recipe."""

    @property
    def exclude(self) -> list[str]: ...
    @property
    def allow(self) -> list[str]: ...
    @property
    def clean(self) -> list[Cleaning]: ...
    @property
    def missing(self) -> dict[str, list[Any]]: ...


def apply_fix(request: TrainRequest, fix: Fix) -> TrainRequest:
    """The request with the fix in it."""
    return TrainRequest.model_validate(request.model_dump() | fix.change)


def _listed(names: Sequence[str]) -> str:
    return f"“{names[0]}”" if len(names) == 1 else f"these {len(names)} columns"


def drop_columns(asked: Asked, names: Sequence[str]) -> Fix:
    """Train without columns."""
    change = {"exclude": _more(asked.exclude, names), "allow": [n for n in asked.allow if n not in names]}
    return Fix(code="drop_columns", label=f"Train without {_listed(names)}", change=change)


def keep_columns(asked: Asked, names: Sequence[str]) -> Fix:
    """Use columns that a guard has held back."""
    return Fix(code="keep_columns", label=f"Use {_listed(names)} anyway", change={"allow": _more(asked.allow, names)})


def group_by(name: str) -> Fix:
    """Keep rows with the same value on one side of every split."""
    change: dict[str, Any] = {"validation": "group", "group": name}
    return Fix(code="group_by", label=f"Keep rows of the same “{name}” together", change=change)


def forward_split(name: str) -> Fix:
    """Learn from earlier rows, test on later ones."""
    change: dict[str, Any] = {"validation": "time", "time_column": name, "group": None}
    return Fix(code="forward_split", label=f"Test on the latest rows by “{name}”", change=change)


def clean_rows(asked: Asked, what: Cleaning) -> Fix:
    """Do something to the rows that were found."""
    return Fix(code="clean_rows", label=_CLEANING_LABELS[what], change={"clean": _more(asked.clean, [what])})


def mark_missing(asked: Asked, values: dict[str, list[Any]]) -> Fix:
    """Read values of some columns as missing."""
    merged = {name: list(known) for name, known in asked.missing.items()}
    for name, found in values.items():
        merged[name] = _more(merged.get(name, []), found)
    return Fix(code="mark_missing", label="Read them as missing", change={"missing": merged})


def change_of(code: str, label: str, **change: Any) -> Fix:
    """Any other change of the request."""
    return Fix(code=code, label=label, change=change)


def _more(known: Sequence[Any], new: Iterable[Any]) -> list[Any]:
    return [*known, *(n for n in new if n not in known)]


VALIDATIONS: tuple[Validation, ...] = ("random", "stratified", "group", "time")
