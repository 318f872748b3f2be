"""Versions of a dataset in a notebook: listed, compared, made, brought back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dapp_ext.client.answers import Dependents
from dapp_ext.client.connection import Connection
from dapp_ext.client.drawing import Html, ago, amount, badge, card, paragraph, size_text, table, text_table
from dapp_ext.client.objects import Listing
from dapp_ext.client.transport import path_of
from dapp_ext.errors import Conflict, Invalid
from dapp_ext.schema.base import Page
from dapp_ext.schema.datasets import DatasetRead, ReadOptions
from dapp_ext.schema.fixes import FixOptions, FixRequest
from dapp_ext.schema.lineage import Lineage, LineageNode
from dapp_ext.schema.versions import ColumnComparison, RestoreRequest, VersionComparison, VersionCreate, VersionRead

_TONES = {"same": "calm", "added": "good", "removed": "bad", "changed": "warn"}
_COLUMNS: dict[str, Callable[[VersionRead], Any]] = {
    "version": lambda each: f"{each.version}{' (latest)' if each.latest else ''}",
    "status": lambda each: each.status,
    "made": lambda each: each.sentence,
    "rows": lambda each: None if each.rows is None else f"{each.rows:,}",
    "columns": lambda each: each.column_count,
    "by": lambda each: each.by.name if each.by else None,
    "when": lambda each: ago(each.created_at),
}


class Comparison:
    """What changed between two versions; draws itself in a notebook.

    Parameters
    ----------
    read : VersionComparison
        As it came over the wire.
    """

    def __init__(self, read: VersionComparison) -> None:
        self.read = read

    @property
    def columns(self) -> list[ColumnComparison]:
        """One for each column of either version, those that differ first."""
        return self.read.columns

    @property
    def sentences(self) -> list[str]:
        return self.read.sentences

    def _lines(self) -> list[tuple[Any, ...]]:
        kinds = {(each.name): " → ".join(dict.fromkeys(kind for kind in (each.kind_before, each.kind_after) if kind)) for each in self.read.columns}
        return [
            (each.name, each.change, kinds[each.name], "" if each.shift is None else f"{each.shift:.0%}", " ".join(each.sentences)) for each in self.columns
        ]

    def _title(self) -> str:
        return f"{self.read.dataset.name}: version {self.read.from_version} and version {self.read.to_version}"

    def __repr__(self) -> str:
        headers = ("column", "change", "kind", "shift", "")
        return "\n".join([self._title(), *(f"- {each}" for each in self.sentences), text_table(headers, self._lines()[:60])])

    def _repr_html_(self) -> str:
        lines = [(name, Html(badge(change, _TONES[change])), *rest) for name, change, *rest in self._lines()[:200]]
        return card(self._title(), *(paragraph(each) for each in self.sentences), table(("column", "", "kind", "shift", ""), lines))


class DatasetLineage:
    """What came from what: ``nodes`` and ``edges``; draws itself in a notebook."""

    def __init__(self, read: Lineage) -> None:
        self.read = read

    @property
    def nodes(self) -> list[LineageNode]:
        return self.read.nodes

    def _lines(self) -> list[tuple[Any, ...]]:
        called = {node.id: f"{node.kind} {node.name}" + (f" (version {node.version})" if node.kind != "file" else "") for node in self.read.nodes}
        return [(called[edge.source], edge.label, called[edge.target]) for edge in self.read.edges]

    def __repr__(self) -> str:
        return "Lineage\n" + text_table(("from", "", "to"), self._lines())

    def _repr_html_(self) -> str:
        return card("Lineage", table(("from", "", "to"), self._lines()))


def listed(connection: Connection, dataset_id: str) -> Listing[VersionRead]:
    """All versions, newest first."""
    return Listing(connection.transport.get(Page[VersionRead], f"datasets/{path_of(dataset_id)}/versions").items, "Versions", _COLUMNS)


def compared(connection: Connection, dataset_id: str, before: int, after: int | None) -> Comparison:
    """What changed between two versions."""
    query = {"from": before, "to": after}
    return Comparison(connection.transport.get(VersionComparison, f"datasets/{path_of(dataset_id)}/compare", **query))


def read_again(connection: Connection, dataset_id: str, options: ReadOptions | Mapping[str, Any] | None) -> DatasetRead:
    """Queue a new version from the original, read with other options."""
    return connection.transport.post(DatasetRead, f"datasets/{path_of(dataset_id)}/versions", VersionCreate(options=read_options(options) or ReadOptions()))


def restored(connection: Connection, dataset_id: str, version: int) -> DatasetRead:
    """Make an older version the latest."""
    return connection.transport.post(DatasetRead, f"datasets/{path_of(dataset_id)}/restore", RestoreRequest(version=version))


def fixed(connection: Connection, dataset_id: str, code: str, columns: Sequence[str], options: Mapping[str, Any]) -> DatasetRead:
    """Queue a new version that is mended."""
    try:
        asked = FixRequest(code=code, columns=list(columns), options=FixOptions.model_validate(dict(options)))
    except (TypeError, ValueError) as error:
        raise Invalid(f"The options of the fix cannot be used. Known are: {', '.join(FixOptions.model_fields)}.") from error
    return connection.transport.post(DatasetRead, f"datasets/{path_of(dataset_id)}/fixes", asked)


def unfixed(connection: Connection, dataset_id: str) -> DatasetRead:
    """Take the last fix back."""
    return connection.transport.post(DatasetRead, f"datasets/{path_of(dataset_id)}/fixes/undo")


def lineage(connection: Connection, kind: str, thing_id: str) -> DatasetLineage:
    """What came from what."""
    return DatasetLineage(connection.transport.get(Lineage, f"{kind}/{path_of(thing_id)}/lineage"))


def dependents(connection: Connection, dataset_id: str, version: int | None = None) -> Dependents:
    """What hangs on a dataset, or on one version of it."""
    return connection.transport.get(Dependents, f"datasets/{path_of(dataset_id)}/dependents", version=version)


def deleted(connection: Connection, dataset_id: str, version: int, force: bool) -> None:
    """Delete one version, unless something hangs on it."""
    if not force and (told := warning(dependents(connection, dataset_id, version))):
        raise Conflict(f"{told} To delete it all the same: dataset.delete_version({version}, force=True)")
    connection.transport.call("DELETE", f"datasets/{path_of(dataset_id)}/versions/{version}")


def warning(found: Dependents) -> str:
    """What deleting would mean, in a sentence; empty when nothing hangs on it."""
    parts = []
    if found.models:
        parts.append(f"{amount(len(found.models), 'model')} trained from it ({', '.join(each.name for each in found.models[:3])})")
    if found.predictions:
        parts.append(f"{amount(len(found.predictions), 'dataset')} of predictions for it")
    if found.unseen:
        parts.append(f"{found.unseen:,} more that you do not see")
    if found.later:
        parts.append(f"{amount(len(found.later), 'later version')} made from it ({', '.join(map(str, found.later[:5]))})")
    if found.people:
        parts.append(f"{'one person' if found.people == 1 else f'{found.people:,} people'} it is shared with")
    return f"{size_text(found.bytes)} in {amount(found.versions, 'version')} would be erased; it matters to {', '.join(parts)}." if parts else ""


def read_options(given: ReadOptions | Mapping[str, Any] | None) -> ReadOptions | None:
    """Options for reading as people write them.

    Raises
    ------
    Invalid
        If one is not known, or has a value that it cannot have.
    """
    if given is None or isinstance(given, ReadOptions):
        return given
    try:
        return ReadOptions.model_validate(dict(given))
    except (TypeError, ValueError) as error:
        raise Invalid(f"The options for reading cannot be used. Known are: {', '.join(ReadOptions.model_fields)}.") from error
