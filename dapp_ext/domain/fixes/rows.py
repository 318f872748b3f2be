"""Fixes that leave out rows or whole columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.fixes.planning import Fix, counted, decoded, listed
from dapp_ext.errors import Invalid

_SEEDS = (11, 7_309_711)  # two of 64 bits: equal in both by chance is out of the question


class DropColumns(Fix):
    """Leave out columns."""

    def prepare(self) -> None:
        gone = set(self.asked.columns)
        self.columns = [column for column in self.columns if column.name not in gone]
        self.schema = pa.schema([self.schema.field(column.name) for column in self.columns])

    def apply(self, part: pa.Table) -> pa.Table:
        return part.select(self.schema.names)

    def sentence(self) -> str:
        return f"Removed {'the column' if len(self.asked.columns) == 1 else counted(len(self.asked.columns), 'column')} {listed(self.asked.columns)}."


class _DropRows(Fix):
    """Keep the rows that a mask says."""

    keep: npt.NDArray[np.bool_]
    _start = 0

    def check(self) -> None:
        if not self.keep.any():
            raise Invalid("No row would be left. Choose other columns.")

    @property
    def dropped(self) -> int:
        return int(len(self.keep) - self.keep.sum())

    def apply(self, part: pa.Table) -> pa.Table:
        mask = self.keep[self._start : self._start + part.num_rows]
        self._start += part.num_rows
        return part if mask.all() else part.filter(pa.array(mask))


class DropDuplicates(_DropRows):
    """Keep the first of rows that are equal, in all columns or in those named."""

    def prepare(self) -> None:
        names = self.asked.columns or self.schema.names
        hashes = [_hashes(part) for part in self.table.batches(names)]
        self.keep = pl.concat(hashes).select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy() if hashes else np.zeros(0, bool)
        self.check()

    def sentence(self) -> str:
        beside = f" (equal in {listed(self.asked.columns)})" if self.asked.columns else ""
        return f"Removed {counted(self.dropped, 'row')} that repeated an earlier one{beside}."


def _hashes(part: pa.Table) -> pl.DataFrame:
    columns = []
    for place, column in enumerate(part.columns):
        plain = decoded(column)
        plain = plain.cast(pa.string()) if pa.types.is_decimal(plain.type) else plain
        columns.append(pl.Series(str(place), plain))
    frame = pl.DataFrame(columns)
    return pl.DataFrame([frame.hash_rows(seed).alias(f"h{seed}") for seed in _SEEDS])


class DropMissing(_DropRows):
    """Leave out rows in which a named column is missing."""

    def prepare(self) -> None:
        masks = []
        for part in self.table.batches(self.asked.columns):
            present = np.ones(part.num_rows, bool)
            for column in part.columns:
                present &= pc.is_valid(column).to_numpy()
            masks.append(present)
        self.keep = np.concatenate(masks) if masks else np.zeros(0, bool)
        self.check()

    def sentence(self) -> str:
        return f"Removed {counted(self.dropped, 'row')} without a value in {listed(self.asked.columns)}."


class DropHeaders(_DropRows):
    """Leave out rows that hold the names of their columns."""

    def prepare(self) -> None:
        masks = []
        for part in self.table.batches():
            same = np.ones(part.num_rows, bool)
            for name, column in zip(part.column_names, part.columns, strict=True):
                texts = decoded(column)
                same &= pc.fill_null(pc.equal(texts, name), False).to_numpy() if pa.types.is_string(texts.type) else False
            masks.append(~same)
        self.keep = np.concatenate(masks) if masks else np.zeros(0, bool)
        self.check()

    def sentence(self) -> str:
        return f"Removed {counted(self.dropped, 'row')} that {'was' if self.dropped == 1 else 'were'} the same as the header."


class DropGiven(_DropRows):
    """Leave out the rows that were named."""

    def prepare(self) -> None:
        self.keep = np.ones(self.table.rows, bool)
        given = [row for row in self.asked.options.rows or () if row < self.table.rows]
        if not given:
            raise Invalid("Name the rows to remove, counted from 0.")
        self.keep[given] = False
        self.check()

    def sentence(self) -> str:
        shown = ", ".join(f"{row:,}" for row in np.flatnonzero(~self.keep)[:5])
        return f"Removed {counted(self.dropped, 'row')} ({shown}{' …' if self.dropped > 5 else ''}, counted from 0)."
