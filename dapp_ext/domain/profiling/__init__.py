"""Describes a table while it streams by: what is in each column, what is wrong with it, what one may want to predict.

Memory is bounded whatever the number of rows: values are counted exactly while they are few and estimated after that
(the profile says which), quantiles come from an even sample of up to 100,000 rows, everything else from all rows.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.findings import SHOWN_ROWS
from dapp_ext.domain.profiling.findings import Seen, duplicates, find, suggested
from dapp_ext.domain.profiling.numbers import NumberColumn, countable
from dapp_ext.domain.profiling.sketches import EqualRows, Hashes, RowSample, hashes
from dapp_ext.domain.profiling.target import likely_target
from dapp_ext.domain.profiling.texts import TextColumn
from dapp_ext.domain.profiling.totals import totals_row
from dapp_ext.schema.datasets import Column, Profile

__all__ = ["Profiler"]

_SAMPLE_CELLS = 10_000_000
_SAMPLE_ROWS = 100_000
_COUNTED_CELLS = 2_000_000
_WIDE = 500
"""Columns up to which the last row is looked at."""
_FLUSH_ROWS = 131_072
_FLUSH_BYTES = 32 * 1024 * 1024


class Profiler:
    """Takes a table batch by batch and describes it.

    Parameters
    ----------
    columns_schema : pa.Schema
        Schema of the batches, in stored types (see :mod:`dapp_ext.domain.reading.kinds`); texts may come with a dictionary.
    """

    def __init__(self, columns_schema: pa.Schema) -> None:
        self.schema = columns_schema
        self.rows = 0
        width = max(len(columns_schema), 1)
        limit = min(20_000, max(200, _COUNTED_CELLS // width))
        self._columns: list[NumberColumn | TextColumn] = [
            TextColumn(limit) if pa.types.is_string(field.type) or pa.types.is_large_string(field.type) else NumberColumn(field.type, limit)
            for field in columns_schema
        ]
        self._sample = RowSample(min(_SAMPLE_ROWS, max(1000, _SAMPLE_CELLS // width)))
        self._equal = EqualRows()
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._last: list[Any] = []

    def update(self, batch: pa.RecordBatch) -> None:
        """Take the next rows."""
        if not batch.num_rows:
            return
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        if self._waiting_rows >= _FLUSH_ROWS or self._waiting_bytes >= _FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows = self._waiting_rows
        together = [_joined([batch.column(place) for batch in self._waiting]) for place in range(len(self.schema))]
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        self._last = [None if pa.types.is_temporal(array.type) else array[-1].as_py() for array in together] if len(together) <= _WIDE else []
        picked = self._sample.pick(rows)
        for array, evidence in zip(together, self._columns, strict=True):
            if isinstance(evidence, NumberColumn):
                evidence.add(array, picked)
            else:
                evidence.add(array)
        self._equal.add(_row_hashes(together), self.rows)
        self.rows += rows
        if (stay := self._sample.compress()) is not None:
            for evidence in self._columns:
                if isinstance(evidence, NumberColumn):
                    evidence.thin(stay)

    def finish(self, columns: list[Column]) -> Profile:
        """The profile of all rows taken.

        Parameters
        ----------
        columns : list of Column
            The columns with their final kinds, in the order of the schema.
        """
        self._flush()
        with ThreadPoolExecutor(1) as aside:
            # To put millions of hashes in order takes as long as all the columns together.
            repeats = aside.submit(self._equal.repeats, SHOWN_ROWS)
            pairs = zip(columns, self._columns, strict=True)
            seen = [Seen(column, evidence, evidence.profile(column), self._sample.rows) for column, evidence in pairs]
            found = find(seen, self.rows)
        repeated, repeated_rows = repeats.result()
        identifiers = {entry.column.name for entry in seen if entry.is_identifier}
        name, reason = likely_target([entry.profile for entry in seen], identifiers)
        return Profile(
            rows=self.rows,
            columns=[entry.profile for entry in seen],
            findings=[
                *suggested(name, reason, seen),
                *totals_row(seen, self._last, self.rows),
                *duplicates(repeated, repeated_rows, self.rows, len(seen)),
                *found,
            ],
            duplicate_rows=repeated,
            likely_target=name,
            likely_target_reason=reason,
        )


def _joined(pieces: list[pa.Array]) -> pa.Array:
    """Pieces of a column as one array, with a dictionary where all bring one."""
    if len(pieces) == 1:
        return pieces[0]
    if all(pa.types.is_dictionary(piece.type) for piece in pieces):
        return pa.chunked_array(pieces).unify_dictionaries().combine_chunks()
    return pa.concat_arrays([piece.dictionary_decode() if pa.types.is_dictionary(piece.type) else piece for piece in pieces])


def _row_hashes(columns: list[pa.Array]) -> Hashes:
    import polars as pl

    frame = pl.DataFrame([pl.Series(str(place), _hashable(array)) for place, array in enumerate(columns)])
    return np.asarray(frame.hash_rows(11).to_numpy(), dtype=np.uint64)


def _hashable(array: pa.Array) -> pa.Array:
    """Values as numbers or, where they are decimals, as texts; texts by their hashes, be there a dictionary or not."""
    if pa.types.is_dictionary(array.type):
        return pa.array(hashes(array.dictionary)).take(array.indices)
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        found = pa.array(hashes(array))
        return pc.if_else(array.is_valid(), found, pa.scalar(None, pa.uint64())) if array.null_count else found
    return pc.cast(array, pa.string()) if pa.types.is_decimal(array.type) else countable(array)
