"""Columns as codes and numbers, and the rows that pass conditions as masks; made once per table version and shared.

A column of few different values is kept as one small code per row. A condition is then decided on the different values,
and counting is counting codes; only columns of many different numbers are looked at row by row.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from dapp_ext.domain.cells import to_cells
from dapp_ext.domain.conditions import Place, condition, find_column
from dapp_ext.domain.keeper import Keeper
from dapp_ext.domain.sources import Source, as_frame
from dapp_ext.errors import Invalid
from dapp_ext.schema.datasets import Column, Filter

Array = np.ndarray[Any, Any]
_SAMPLE = 20_000
_MANY = 5_000
_SECOND = 1_000_000


@dataclass(frozen=True)
class Levels:
    """A column as codes of its different values; the code after the last value is for rows without one."""

    codes: Array
    values: pl.DataFrame  # one column, c0: the values in the order of their codes, then a missing one

    @property
    def size(self) -> int:
        return self.values.height - 1

    def numbers(self) -> Array:
        """Each value as a number: itself, seconds, or microseconds since 1970 for times; not-a-number where there is none."""
        return as_numbers(self.values.to_series())


@dataclass(frozen=True)
class Axis:
    """Codes of the rows along one direction of a chart; the code ``size`` is for rows that are not on it."""

    codes: Array
    size: int
    names: tuple[Any, ...] = ()
    edges: tuple[float, ...] = ()
    ordered: bool = False


class ColumnDesk:
    """The columns of one table version, as charts need them.

    Parameters
    ----------
    key : tuple
        Names the table version in the keeper.
    source : Source
        The table.
    columns : sequence of Column
        Its columns.
    keeper : Keeper
        Keeps what is made.
    """

    def __init__(self, key: tuple[Hashable, ...], source: Source, columns: Sequence[Column], keeper: Keeper) -> None:
        self.key = key
        self.rows = source.rows
        self.columns = columns
        self.keeper = keeper
        self._source = source

    def column(self, name: str) -> Column:
        """The column of that name."""
        return find_column(self.columns, name)

    def levels(self, name: str, *, always: bool = False) -> Levels | None:
        """The column as codes; None for one of many different numbers, unless ``always``."""
        self.column(name)
        made: tuple[Levels | None] = self.keeper.get(
            (*self.key, "levels", name, always), lambda: (self._levels(name, always),), lambda it: 64 + (it[0].codes.nbytes if it[0] else 0)
        )
        return made[0]

    def _levels(self, name: str, always: bool) -> Levels | None:
        chunked = self._source.read([name]).column(0)
        textual = pa.types.is_string(chunked.type) or pa.types.is_large_string(chunked.type) or pa.types.is_dictionary(chunked.type)
        # A few thousand different values among the first rows: this will not be a column of few values.
        if not always and not textual and not pa.types.is_boolean(chunked.type) and len(chunked.slice(0, _SAMPLE).unique()) > _MANY:
            return None
        encoded = chunked if pa.types.is_dictionary(chunked.type) else chunked.dictionary_encode()
        whole = encoded.unify_dictionaries().combine_chunks()
        if isinstance(whole, pa.ChunkedArray):
            whole = whole.chunk(0) if whole.num_chunks else pa.array([], chunked.type).dictionary_encode()
        values = as_frame(pa.table({"c": whole.dictionary})).to_series()
        codes = whole.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
        codes, values = _one_missing(codes, values)
        if not textual:  # numbers, times, true and false come in their own order
            order = values.arg_sort().to_numpy()
            place = np.append(np.argsort(order), len(order))
            codes, values = place[codes], values.gather(order)
        return Levels(codes.astype(_least(len(values))), pl.DataFrame({"c0": values.extend_constant(None, 1)}))

    def numbers(self, name: str) -> Array:
        """The column as numbers, not-a-number where there is none.

        Raises
        ------
        Invalid
            If it holds no numbers.
        """
        column = self.column(name)
        if column.kind not in ("integer", "decimal", "boolean", "duration", "date", "datetime"):
            raise Invalid(f"Column {name!r} holds no numbers. Choose another column, or count rows.")

        def make() -> Array:
            levels = self.levels(name)
            if levels is not None:
                numbers: Array = levels.numbers()[levels.codes]
                return numbers
            return as_numbers(as_frame(self._source.read([name])).to_series())

        found: Array = self.keeper.get((*self.key, "numbers", name), make, lambda it: int(it.nbytes))
        return found

    def kept_values(self, filter: Filter, levels: Levels) -> Array:
        """Which of the different values of a column pass a condition; every chart of a board asks for the same."""
        column = self.column(filter.column)
        key = (*self.key, "values", filter.model_dump_json())
        found: Array = self.keeper.get(key, lambda: _passing(levels.values, column, filter), lambda it: int(it.nbytes) + 256)
        return found

    def mask(self, filters: Sequence[Filter]) -> Array | None:
        """The rows that pass all conditions; None when there are none."""
        if not filters:
            return None
        if len(filters) == 1:
            each = filters[0]
            found: Array = self.keeper.get((*self.key, "mask", each.model_dump_json()), lambda: self._mask(each), lambda it: int(it.nbytes))
            return found
        texts = sorted(each.model_dump_json() for each in filters)

        def join() -> Array:
            masks = [self.mask([each]) for each in filters]
            return np.logical_and.reduce([each for each in masks if each is not None])

        both: Array = self.keeper.get((*self.key, "masks", *texts), join, lambda it: int(it.nbytes))
        return both

    def _mask(self, filter: Filter) -> Array:
        levels = self.levels(filter.column)
        if levels is not None:
            kept: Array = self.kept_values(filter, levels)[levels.codes]
            return kept
        return _passing(as_frame(self._source.read([filter.column])), self.column(filter.column), filter)

    def cells(self, levels: Levels) -> list[Any]:
        """The different values of a column as cells."""
        return to_cells(levels.values.to_series()[:-1])


def as_numbers(series: pl.Series) -> Array:
    """A series as numbers; times of a zone as the clock there shows them."""
    kind = series.dtype
    if isinstance(kind, pl.Datetime):
        series = series.dt.replace_time_zone(None).cast(pl.Datetime("us")).to_physical()
    elif kind == pl.Date:
        series = series.cast(pl.Datetime("us")).to_physical()
    elif isinstance(kind, pl.Duration):
        series = series.dt.total_microseconds() / _SECOND
    numbers: Array = series.cast(pl.Float64, strict=False).to_numpy()
    if not np.isfinite(numbers).all():
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    return numbers


def _passing(frame: pl.DataFrame, column: Column, filter: Filter) -> Array:
    place = Place(column, frame.schema["c0"], pl.col("c0"))
    passing = frame.select(condition(place, filter).fill_null(False).alias("k")).to_series()
    kept: Array = passing.to_numpy() if len(passing) == frame.height else np.full(frame.height, bool(passing[0]))
    return kept


def _one_missing(codes: Array, values: pl.Series) -> tuple[Array, pl.Series]:
    """Codes whose missing values all have the last code, also those that became missing when read (not-a-number)."""
    if values.null_count() == 0:
        return codes, values
    known = values.is_not_null().to_numpy()
    places = np.where(known, np.cumsum(known) - 1, int(known.sum()))
    return np.append(places, int(known.sum()))[codes], values.drop_nulls()


def _least(size: int) -> Any:
    return np.uint8 if size < 255 else np.uint16 if size < 65_535 else np.uint32
