"""Rows for the dates that a regular series leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.fixes.planning import Fix, counted
from dapp_ext.errors import Invalid

_MOST_ADDED = 1_000_000
_Moments = npt.NDArray[np.datetime64]


class FillGaps(Fix):
    """Add a row for each date that is left out, in its place where the table is in order, else at the end."""

    def prepare(self) -> None:
        if len(self.asked.columns) != 1:
            raise Invalid("Name one column of dates.")
        self._name = self.asked.columns[0]
        stored = self.schema.field(self._name).type
        column = self.column(self._name).drop_null()
        moments = np.unique(pc.cast(column, pa.timestamp("us", getattr(stored, "tz", None))).to_numpy().astype("datetime64[us]"))
        found = left_out(moments)
        if not len(found):
            raise Invalid(f"The dates in {self._name!r} leave nothing out, or follow no regular step.")
        if len(found) > max(_MOST_ADDED, 10 * self.table.rows):
            raise Invalid(f"{len(found):,} rows would have to be added to {self._name!r}. Look at its dates first.")
        added = pa.array(found, pa.timestamp("us"))
        self._added = pc.cast(pc.assume_timezone(added, "UTC").cast(stored) if getattr(stored, "tz", None) else added, stored)

    def apply(self, part: pa.Table) -> pa.Table:
        return part

    def rest(self) -> Iterator[pa.Table]:
        columns = [self._added if field.name == self._name else pa.nulls(len(self._added), field.type) for field in self.schema]
        yield pa.table(columns, schema=self.schema)

    def sentence(self) -> str:
        return f'Added {counted(len(self._added), "row")} at the end for dates that "{self._name}" left out; their other columns are missing.'


def left_out(moments: _Moments) -> _Moments:
    """The moments that a series of different, sorted ones skips: by months where all are on the same day, else by its usual step."""
    if len(moments) < 4:
        return moments[:0]
    months = moments.astype("datetime64[M]")
    within: Any = moments - months.astype("datetime64[us]")
    if (within == within[0]).all() and len(np.unique(months)) == len(months):
        step = np.gcd.reduce(np.diff(months).astype(np.int64))
        every: _Moments = np.arange(months[0], months[-1] + np.timedelta64(1, "M"), np.timedelta64(int(step), "M")).astype("datetime64[us]") + within[0]
        return np.setdiff1d(every, moments)
    steps, counts = np.unique(np.diff(moments), return_counts=True)
    usual = steps[counts.argmax()]
    if counts.max() < 0.5 * (len(moments) - 1):
        return moments[:0]
    gaps = np.flatnonzero(np.diff(moments) > usual)
    found = [np.arange(moments[at] + usual, moments[at + 1], usual) for at in gaps]
    return np.concatenate(found) if found else moments[:0]
