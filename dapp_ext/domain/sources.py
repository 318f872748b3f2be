"""What the rules need of a table: its columns, ranges of rows, single rows. The store's frames fit, and so does an Arrow table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import polars as pl
import pyarrow as pa

from dapp_ext.errors import ColumnUnknown

_SLICE_ROWS = 128 * 1024
_CALENDAR_DAYS = 73_000_000


class Source(Protocol):
    """A table that is read in parts. Columns come in the order they are asked for."""

    @property
    def rows(self) -> int: ...

    @property
    def schema(self) -> pa.Schema: ...

    def fits(self, columns: Sequence[str]) -> bool:
        """Whether the columns may be in memory as a whole."""
        ...

    def read(self, columns: Sequence[str], offset: int = 0, limit: int | None = None) -> pa.Table:
        """A range of rows."""
        ...

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """All rows in order, in parts."""
        ...

    def take(self, rows: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """Single rows by their number from 0, in the given order."""
        ...


class TableSource:
    """An Arrow table in memory as a :class:`Source`."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.rows: int = table.num_rows
        self.schema: pa.Schema = table.schema

    def fits(self, columns: Sequence[str]) -> bool:
        return True

    def read(self, columns: Sequence[str], offset: int = 0, limit: int | None = None) -> pa.Table:
        return self._chosen(columns).slice(offset, limit)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        table = self._chosen(columns)
        for start in range(0, self.rows, _SLICE_ROWS):
            yield table.slice(start, _SLICE_ROWS)

    def take(self, rows: Sequence[int], columns: Sequence[str]) -> pa.Table:
        return self._chosen(columns).take(pa.array(rows, pa.int64()))

    def _chosen(self, columns: Sequence[str]) -> pa.Table:
        for name in columns:
            if name not in self.schema.names:
                raise ColumnUnknown
        return self._table.select(list(columns))


def parts(source: Source, columns: Sequence[str]) -> Iterator[pa.Table]:
    """All rows of some columns: in one part where they fit into memory, in several where not."""
    if source.fits(columns):
        yield source.read(columns)
    else:
        yield from source.batches(columns)


def as_frame(table: pa.Table) -> pl.DataFrame:
    """An Arrow table as a polars frame with columns ``c0``, ``c1``, …; not-a-number becomes missing, and so does a date 200,000 years away.

    Names from the data never reach an expression: polars takes ``*`` and ``^…$`` for patterns.
    """
    # Arrow makes views of texts several times as quickly as polars copies them.
    columns = [column.cast(pa.string_view()) if column.type == pa.string() else column for column in table.columns]
    frame = pl.DataFrame(pl.from_arrow(pa.table({f"c{i}": column for i, column in enumerate(columns)}), rechunk=False))
    mended = [pl.col(name).fill_nan(None) for name, kind in frame.schema.items() if kind.is_float()]
    mended += [_within_calendar(frame, name, kind) for name, kind in frame.schema.items() if kind in (pl.Date, pl.Datetime)]
    return frame.with_columns(mended) if mended else frame


def _within_calendar(frame: pl.DataFrame, name: str, kind: pl.DataType) -> pl.Expr:
    """Dates that can be formatted and rounded: polars ends in a panic beyond its calendar."""
    unit = kind.time_unit if isinstance(kind, pl.Datetime) else None
    if unit == "ns":  # reaches 292 years either way
        return pl.col(name)
    most = _CALENDAR_DAYS * (1 if unit is None else 86_400_000 if unit == "ms" else 86_400_000_000)
    numbers = frame.get_column(name).to_physical()
    low, high = numbers.min(), numbers.max()
    if not isinstance(low, int) or not isinstance(high, int) or (-most <= low and high <= most):
        return pl.col(name)
    return pl.when(pl.col(name).to_physical().is_between(-most, most)).then(pl.col(name))
