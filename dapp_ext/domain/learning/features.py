"""From a table to arrays, the same way at training and at prediction.

:class:`TableEncoder` only names and reads values: it knows each column's kind and the values of its categories and
learns nothing that could carry a target from one row to another. What is learned (medians, scales, frequencies,
embeddings) is learned inside the folds by the steps of :mod:`preparation`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.base import BaseEstimator, TransformerMixin

from dapp_ext.domain.learning.reading import as_flags, as_moments, as_numbers, as_texts, natural, one_array
from dapp_ext.schema.datasets import Column

Array = npt.NDArray[Any]
MISSING, UNSEEN = -1, -2
LARGEST_VOCABULARY = 10_000
PARTS = ("year", "month", "day", "weekday", "day_of_year", "hour", "minute")


@dataclass(frozen=True)
class Encoded:
    """Rows as arrays: ``numbers`` (n, p) float32 with NaN, ``codes`` (n, c) int32 below zero for missing or unseen,
    ``texts`` (n, t) objects, empty for missing."""

    numbers: Array
    codes: Array
    texts: Array

    def __len__(self) -> int:
        return int(self.numbers.shape[0])

    def take(self, rows: Array) -> Encoded:
        """The rows of these numbers, or of this mask."""
        return Encoded(self.numbers[rows], self.codes[rows], self.texts[rows])

    @staticmethod
    def joined(parts: Sequence[Encoded]) -> Encoded:
        """Rows of several, one after the other."""
        return Encoded(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("numbers", "codes", "texts")))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; scikit-learn asks for it."""
        return len(self), self.numbers.shape[1] + self.codes.shape[1] + self.texts.shape[1]


@dataclass(frozen=True)
class Place:
    """Where a column of the table went: the array's name and its columns."""

    array: str
    columns: list[int]


def role_of(kind: str, distinct: int, rows: int, words: float) -> str:
    """What a column is used as: number, flag, moment, category or text."""
    if kind in ("integer", "decimal", "time", "duration"):
        return "number"
    if kind == "boolean":
        return "flag"
    if kind in ("date", "datetime"):
        return "moment"
    return "text" if distinct > max(50, rows // 5) or (words >= 5 and distinct > 50) else "category"


class TableEncoder(TransformerMixin, BaseEstimator):
    """Reads a table into :class:`Encoded` by a plan of plain values: kinds, date parts and category names.

    Parameters
    ----------
    columns : list of Column
        The features; other columns of a table are ignored.
    """

    def __init__(self, columns: list[Column] | None = None) -> None:
        self.columns = columns

    def fit(self, table: pa.Table, y: Any = None) -> Self:
        """Make the plan from these rows."""
        del y
        self.plan_: list[dict[str, Any]] = [_plan(column, table.column(column.name)) for column in self.columns or []]
        self._index()
        return self

    def _index(self) -> None:
        self._values: dict[str, pa.Array] = {step["name"]: pa.array(step["values"], type=pa.string()) for step in self.plan_ if step["role"] == "category"}
        numbers = codes = texts = 0
        self.places: dict[str, Place] = {}
        self.cardinalities: list[int] = []
        for step in self.plan_:
            if step["role"] == "category":
                self.places[step["name"]] = Place("codes", [codes])
                self.cardinalities.append(len(step["values"]))
                codes += 1
            elif step["role"] == "text":
                self.places[step["name"]] = Place("texts", [texts])
                texts += 1
            else:
                width = len(step["parts"]) if step["role"] == "moment" else 1
                self.places[step["name"]] = Place("numbers", list(range(numbers, numbers + width)))
                numbers += width
        self._widths = (numbers, codes, texts)

    def transform(self, table: Any) -> Encoded:
        """The rows as arrays."""
        return self.read(table)[0]

    def read(self, table: Any) -> tuple[Encoded, list[str]]:
        """The rows as arrays, and notes on what was missing, new or of another type."""
        if not isinstance(table, pa.Table):
            table = pa.Table.from_pandas(table, preserve_index=False)
        rows = table.num_rows
        numbers = np.full((rows, self._widths[0]), np.nan, dtype=np.float32)
        codes = np.full((rows, self._widths[1]), MISSING, dtype=np.int32)
        texts = np.full((rows, self._widths[2]), "", dtype=object)
        arrays = {"numbers": numbers, "codes": codes, "texts": texts}
        notes: list[str] = []
        present = set(table.column_names)
        for step in self.plan_:
            if step["name"] not in present:
                continue
            place = self.places[step["name"]]
            block, unread = self._read_column(step, table.column(step["name"]))
            arrays[place.array][:, place.columns] = block
            if unread:
                notes.append(_unread_note(step, unread))
            notes += _odd_notes(step, table.column(step["name"]), block)
        return Encoded(numbers, codes, texts), notes

    def _read_column(self, step: dict[str, Any], column: pa.ChunkedArray) -> tuple[Array, int]:
        role = step["role"]
        if role == "category":
            codes, unread = encode(as_texts(column), self._values[step["name"]])
            return codes[:, None], unread
        if role == "text":
            texts = as_texts(column).fill_null("").to_numpy(zero_copy_only=False)
            return np.asarray(texts, dtype=object)[:, None], 0
        if role == "moment":
            moments, unread = as_moments(column)
            return date_parts(moments, step["parts"]), unread
        values, unread = as_flags(column) if role == "flag" else as_numbers(column)
        return values[:, None], unread

    def __getstate__(self) -> dict[str, Any]:
        return {"plan": json.dumps({"columns": [c.model_dump() for c in self.columns or []], "plan": self.plan_})}

    def __setstate__(self, state: dict[str, Any]) -> None:
        plan = json.loads(state["plan"])
        self.columns = [Column.model_validate(c) for c in plan["columns"]]
        self.plan_ = plan["plan"]
        self._index()

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "plan_")


def encode(texts: pa.Array, values: pa.Array) -> tuple[Array, int]:
    """Places of texts in a vocabulary as int32, ``MISSING`` for nulls and ``UNSEEN`` for others, which are counted."""
    found = pc.index_in(texts, value_set=values)
    codes = np.array(found.fill_null(UNSEEN).to_numpy(zero_copy_only=False), dtype=np.int32)
    if texts.null_count:
        codes[np.asarray(texts.is_null().to_numpy(zero_copy_only=False), dtype=bool)] = MISSING
    return codes, int((codes == UNSEEN).sum())


def date_parts(moments: pa.Array, parts: list[str]) -> Array:
    """Parts of the moments as an (n, len(parts)) float32 array, NaN for missing."""
    readers = {
        "year": pc.year,
        "month": pc.month,
        "day": pc.day,
        "weekday": pc.day_of_week,
        "day_of_year": pc.day_of_year,
        "hour": pc.hour,
        "minute": pc.minute,
    }
    out = np.empty((len(moments), len(parts)), dtype=np.float32)
    for i, part in enumerate(parts):
        out[:, i] = readers[part](moments).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return out


def _plan(column: Column, values: pa.ChunkedArray) -> dict[str, Any]:
    step: dict[str, Any] = {"name": column.name, "kind": column.kind}
    if column.kind in ("category", "text"):
        texts = as_texts(values)
        counts = pc.value_counts(texts.drop_null())
        distinct = len(counts)
        sample = texts.drop_null().slice(0, 2000)
        words = float(np.mean([t.count(" ") + 1 for t in sample.to_pylist()])) if len(sample) else 0.0
        step["role"] = role_of(column.kind, distinct, len(texts), words)
        if step["role"] == "category":
            often = sorted(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True), key=lambda vc: (-vc[1], vc[0]))
            # In natural order, since many names carry one (1-9, 10-24, …) that trees can use.
            step["values"] = sorted((value for value, _ in often[:LARGEST_VOCABULARY]), key=natural)
        return step
    step["role"] = role_of(column.kind, 0, 0, 0.0)
    if step["role"] == "number":
        known = as_numbers(values)[0]
        known = known[~np.isnan(known)]
        step["range"] = [float(known.min()), float(known.max())] if len(known) else None
    if step["role"] == "moment":
        step["parts"] = _varied_parts(as_moments(values)[0])
    return step


def _varied_parts(moments: pa.Array) -> list[str]:
    everything = date_parts(moments, list(PARTS))
    varied = []
    for i, part in enumerate(PARTS):
        known = everything[~np.isnan(everything[:, i]), i]
        if known.size and known.min() != known.max():
            varied.append(part)
    return varied or ["year"]


def _unread_note(step: dict[str, Any], unread: int) -> str:
    rows = "1 row has" if unread == 1 else f"{unread} rows have"
    what = {
        "category": "a value that was not there when the model learned; it counts as unknown",
        "moment": "a value that is not a date; it counts as missing",
        "flag": "a value that is neither yes nor no; it counts as missing",
    }.get(step["role"], "a value that is not a number; it counts as missing")
    return f"Column “{step['name']}”: {rows} {what}."


def _odd_notes(step: dict[str, Any], given: pa.ChunkedArray, block: Array) -> list[str]:
    """What was read, but is not as it was when the model learned."""
    if step["role"] not in ("number", "flag"):
        return []
    notes = []
    kind = given.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        notes.append(came_as_text(step["name"], "yes and no" if step["role"] == "flag" else "numbers"))
    elif pa.types.is_boolean(kind) and step["role"] == "number":
        notes.append(f"Column “{step['name']}” came as yes and no and was read as 1 and 0.")
    if step.get("range"):
        notes += beyond_note(step["name"], block, step["range"])
    return notes


def came_as_text(name: str, what: str) -> str:
    """The sentence about a column of texts where others were learned from."""
    return f"Column “{name}” came as text and was read as {what}."


def beyond_note(name: str, values: Array, known: Sequence[float]) -> list[str]:
    """A sentence about values outside the range that the model learned from, if there are any."""
    with np.errstate(invalid="ignore"):
        count = int(((values < known[0]) | (values > known[1])).sum())
    if not count:
        return []
    rows = "1 row has" if count == 1 else f"{count} rows have"
    low, high = (f"{each:.6g}" for each in known)
    return [f"Column “{name}”: {rows} a value beyond all that the model learned from ({low} to {high}); the answer is a guess there."]


def usable(column: Column, values: pa.ChunkedArray) -> bool:
    """Whether values of this type can be read at all; nested and binary ones cannot."""
    kind = one_array(values).type
    return not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))
