"""Stored health reports, of which no more is read at once than is needed.

To read ten thousand columns in one call would hold up everybody else of the process for more than a second. So a report is taken
apart where its columns part, and read column by column, only those that are asked for. Quotes within JSON's texts have a backslash
before them, so what is looked for here stands between the parts of the report only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pydantic_core import from_json

from dapp_ext.domain.fixes.offers import with_offers
from dapp_ext.schema.datasets import ColumnProfile, Profile

_COLUMNS, _FINDINGS, _COLUMN, _KIND = b'"columns":[', b'],"findings":[', b'{"name":', b',"kind":'


@dataclass(frozen=True)
class Parts:
    """A report without its columns, and the columns as they are stored."""

    light: Profile
    columns: bytes

    @classmethod
    def of(cls, stored: bytes) -> Parts:
        """The parts of a stored report; where it does not part as expected, its columns are in the light report."""
        before, found, rest = stored.partition(_FINDINGS)
        head, has_columns, columns = before.partition(_COLUMNS)
        if not found or not has_columns:
            return cls(Profile.model_validate_json(stored), b"")
        return cls(Profile.model_validate_json(head + _COLUMNS + _FINDINGS + rest), columns)

    def named(self, names: Collection[str]) -> Iterator[ColumnProfile]:
        """Some of the columns, in their order."""
        return (ColumnProfile.model_validate_json(_COLUMN + piece) for piece in self._pieces() if from_json(piece.partition(_KIND)[0]) in names)

    def stored(self) -> dict[str, bytes]:
        """All columns by their names, as they are stored."""
        if self.light.columns:
            return {column.name: column.model_dump_json(by_alias=True).encode() for column in self.light.columns}
        return {from_json(piece.partition(_KIND)[0]): _COLUMN + piece for piece in self._pieces()}

    def _pieces(self) -> Iterator[bytes]:
        return (piece for piece in self.columns.removeprefix(_COLUMN).split(b"," + _COLUMN) if piece)


def offering(stored: bytes, version: int) -> bytes:
    """A stored report as JSON with the fix that each finding offers; what is said of the columns goes through as it is."""
    parts = Parts.of(stored)
    if parts.light.columns:
        return with_offers(parts.light).model_copy(update={"version": version}).model_dump_json(by_alias=True).encode()
    offered = with_offers(concerned(parts))
    bare = offered.model_copy(update={"version": version, "columns": []}).model_dump_json(by_alias=True).encode()
    first, _, last = bare.partition(_COLUMNS)
    return b"".join((first, _COLUMNS, parts.columns, last))


def concerned(parts: Parts, others: Collection[str] = ()) -> Profile:
    """The report with the columns that findings name, and some others."""
    if parts.light.columns:
        return parts.light
    wanted = {name for finding in parts.light.findings for name in finding.columns} | set(others)
    return parts.light.model_copy(update={"columns": list(parts.named(wanted))})
