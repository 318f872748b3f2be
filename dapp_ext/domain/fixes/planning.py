"""Planning a fix: what it must know of all values, and the table that it makes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol

import pyarrow as pa

from dapp_ext.domain.fixes.offers import Asked
from dapp_ext.schema.datasets import Column, Profile


class Table(Protocol):
    """A table that is read in parts, as the store's frames are."""

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def rows(self) -> int: ...

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Whole columns."""
        ...

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """All rows in order, in parts."""
        ...


class Fix(ABC):
    """A planned fix. A subclass changes values, leaves out rows or columns, or adds rows at the end.

    Attributes
    ----------
    columns : list of Column
        The columns of the table that is made, with their kinds.
    schema : pyarrow.Schema
        Their types.
    """

    def __init__(self, table: Table, columns: Sequence[Column], profile: Profile, asked: Asked) -> None:
        self.table = table
        self.asked = asked
        self.profiles = {each.name: each for each in profile.columns}
        self.kinds = {column.name: column.kind for column in columns}
        self.columns = list(columns)
        self.schema = pa.schema([table.schema.field(column.name).remove_metadata() for column in columns])
        self.prepare()

    def prepare(self) -> None:  # noqa: B027  most fixes need nothing
        """Look at all values that matter before the first part is changed."""

    @abstractmethod
    def apply(self, part: pa.Table) -> pa.Table:
        """The next part of the table, mended; parts come in order, once."""

    def rest(self) -> Iterator[pa.Table]:
        """Rows that come after the last part."""
        return iter(())

    @abstractmethod
    def sentence(self) -> str:
        """What was done, for people; asked when all parts are through."""

    def column(self, name: str) -> pa.ChunkedArray:
        """All values of a column; texts plain, whether they are stored as codes or not."""
        return decoded(self.table.read([name]).column(0))

    def becomes(self, name: str, kind: str, stored: pa.DataType) -> None:
        """Say that a column is of another kind and type from now on."""
        place = self.schema.get_field_index(name)
        self.schema = self.schema.set(place, pa.field(name, stored))
        changed = Column.model_validate({"name": name, "kind": kind})
        self.columns = [changed if column.name == name else column for column in self.columns]


def decoded(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts themselves where codes stand for them."""
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def plan(table: Table, columns: Sequence[Column], profile: Profile, asked: Asked) -> Fix:
    """The fix that was asked for, ready to be applied.

    Raises
    ------
    Invalid
        If the values do not allow it, such as when no row would be left.
    """
    from dapp_ext.domain.fixes import gaps, rows, values

    kinds: dict[str, type[Fix]] = {
        "drop_duplicate_rows": rows.DropDuplicates,
        "drop_header_rows": rows.DropHeaders,
        "drop_rows": rows.DropGiven,
        "drop_columns": rows.DropColumns,
        "drop_missing_rows": rows.DropMissing,
        "fill_gaps": gaps.FillGaps,
        "fill_missing": values.FillMissing,
        "mark_missing": values.MarkMissing,
        "convert": values.Convert,
        "clip_outliers": values.ClipOutliers,
        "clear_infinite": values.ClearInfinite,
        "log_scale": values.LogScale,
        "group_rare": values.GroupRare,
        "cut_texts": values.CutTexts,
        "normalise_texts": values.NormaliseTexts,
        "parse_dates": values.ParseDates,
    }
    return kinds[asked.code](table, columns, profile, asked)


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """Column names in a sentence."""
    shown = ", ".join(f'"{name[:80]}"' for name in names[:5])
    return shown + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
