"""What the rules need of a table: its columns, ranges of rows, single rows. The store's frames fit, and so does an Arrow table."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Protocol

import polars as pl
import pyarrow as pa

from dapp_ext.domain.cells import written
from dapp_ext.domain.keeper import Keeper
from dapp_ext.errors import ColumnUnknown

_SLICE_ROWS = 128 * 1024
_CALENDAR_DAYS = 73_000_000
_NUMBER_BYTES = 32


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


class KeptSource:
    """A source whose columns are kept ready for polars between questions: mended, and categories as codes.

    Parameters
    ----------
    source : Source
        Where the columns come from.
    keeper : Keeper
        Shared by all threads of a process.
    key : tuple
        What they are kept under, before the name of each.
    coded : collection of str
        Columns of few different texts, which are kept as codes.
    """

    def __init__(self, source: Source, keeper: Keeper, key: tuple[Hashable, ...], coded: Sequence[str]) -> None:
        self._source, self._keeper, self._key, self._coded = source, keeper, key, frozenset(coded)
        self.rows, self.schema = source.rows, source.schema

    def fits(self, columns: Sequence[str]) -> bool:
        return self._source.fits(columns)

    def read(self, columns: Sequence[str], offset: int = 0, limit: int | None = None) -> pa.Table:
        return self._source.read(columns, offset, limit)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        return self._source.batches(columns)

    def take(self, rows: Sequence[int], columns: Sequence[str]) -> pa.Table:
        return self._source.take(rows, columns)

    def frame(self, columns: Sequence[str]) -> pl.DataFrame | None:
        """Whole columns as ``c0``, ``c1``, …; none where they do not fit into memory."""
        if not columns or not self._source.fits(columns):
            return None
        found: dict[str, pl.Series | None] = {name: self._keeper.peek((*self._key, name)) for name in columns}
        missing = [name for name, column in found.items() if column is None]
        if missing:
            made = as_frame(self._source.read(missing))
            for place, name in enumerate(missing):
                column = made.get_column(f"c{place}")
                if name in self._coded and column.dtype == pl.String:
                    column = column.cast(pl.Categorical)
                found[name] = kept = column.rechunk()
                self._keeper.keep((*self._key, name), kept, int(kept.estimated_size()))
        return pl.DataFrame([found[name].alias(f"c{place}") for place, name in enumerate(columns)])  # type: ignore[union-attr]

    def known(self, name: str) -> pl.Series | None:
        """The different values of a kept column of categories, found out once; nothing for other columns."""
        column = self._keeper.peek((*self._key, name))
        if column is None or column.dtype != pl.Categorical:
            return None
        found: pl.Series = self._keeper.get((*self._key, name, "known"), column.unique, lambda each: _NUMBER_BYTES + int(each.estimated_size()))
        return found

    def is_narrow(self, name: str) -> bool:
        """Whether whole numbers of a kept column are so small that the sum of all of them, and of any, fits 64 bits; found out once."""
        column = self._keeper.peek((*self._key, name))
        if column is None or column.dtype != pl.Int64:
            return False
        largest: int = self._keeper.get(
            (*self._key, name, "largest"), lambda: max(abs(int(each or 0)) for each in (column.min(), column.max())), lambda _: _NUMBER_BYTES
        )
        return largest * max(1, self.rows) < 2**63


def parts(source: Source, columns: Sequence[str]) -> Iterator[pa.Table]:
    """All rows of some columns: in one part where they fit into memory, in several where not."""
    if source.fits(columns):
        yield source.read(columns)
    else:
        yield from source.batches(columns)


def as_frame(table: pa.Table, *, shown: bool = False) -> pl.DataFrame:
    """An Arrow table as a polars frame with columns ``c0``, ``c1``, …; not-a-number becomes missing, and so does a date 200,000 years away.

    Names from the data never reach an expression: polars takes ``*`` and ``^…$`` for patterns.

    Parameters
    ----------
    shown : bool
        Whether whole numbers of more than 38 digits, which polars does not have, become texts with all of them; else they
        become floating point numbers, to be counted and compared with.
    """
    columns = [_for_polars(column, shown=shown) for column in table.columns]
    frame = pl.DataFrame(pl.from_arrow(pa.table({f"c{i}": column for i, column in enumerate(columns)}), rechunk=False))
    mended = [pl.col(name).fill_nan(None) for name, kind in frame.schema.items() if kind.is_float() and frame.get_column(name).is_nan().any()]
    mended += [_within_calendar(frame, name, kind) for name, kind in frame.schema.items() if kind in (pl.Date, pl.Datetime)]
    return frame.with_columns(mended) if mended else frame


def _for_polars(column: pa.ChunkedArray, *, shown: bool) -> pa.ChunkedArray:
    if column.type == pa.string():
        # Arrow makes views of texts several times as quickly as polars copies them.
        return column.cast(pa.string_view())
    if not pa.types.is_decimal256(column.type):
        return column
    if not shown:
        return column.cast(pa.float64())
    texts = [pa.array([None if value is None else written(value) for value in piece.to_pylist()], pa.string()) for piece in column.chunks]
    return pa.chunked_array(texts, pa.string())


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
