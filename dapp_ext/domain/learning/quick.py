"""Rows that are exactly as a model expects them, read straight into its arrays.

A table for one row costs more than the model. Where each row has all columns of the model and each value the type that it
was learned with, the arrays are made without one. Whatever is odd (a missing or further column, a text for a number, a
category that was not there) is left to the long way, which knows what to say about it; both give the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dapp_ext.domain.learning.features import MISSING, Encoded
from dapp_ext.domain.learning.predictor import Predictor
from dapp_ext.domain.learning.registered import RegisteredPredictor
from dapp_ext.domain.learning.walking import walk_of

Array = npt.NDArray[Any]
Row = dict[str, Any]
# Beyond these a number is not the same as 32 bits, or as an integer that a float can hold.
LARGEST, LARGEST_WHOLE = 3.0e38, 2**53


class _Odd(Exception):
    """A value that the long way has to look at."""


class QuickReader:
    """Reads rows for one model.

    Parameters
    ----------
    predictor : Predictor
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._names = frozenset(column.name for column in predictor.features)
        self._with_target = self._names | {predictor.target}
        self._vocabularies: dict[str, dict[str, int]] = {}
        self._read: Callable[[list[Row]], Array] | None = None
        self._walk: Callable[[Array], Array | None] | None = None
        labels = pa.array(predictor.labels, type=pa.type_for_alias(predictor.label_type)) if predictor.labels else pa.array([])
        self.labels: list[Any] = labels.to_pylist()
        self.classes = predictor.classes or []
        if isinstance(predictor, RegisteredPredictor):
            if predictor.arrays and all(column.kind in ("integer", "decimal") for column in predictor.features):
                self._read = self._registered
                self._ranges = [(column.name, predictor.ranges.get(column.name)) for column in predictor.features]
                self._order = predictor.order if predictor.labels else []
                self._walk = walk_of(predictor.pipeline, len(predictor.features))
        else:
            steps = [step for step in predictor.encoder.plan_ if step["role"] == "category"]
            self._vocabularies = {step["name"]: {value: code for code, value in enumerate(step["values"])} for step in steps}
            self._read = self._own

    def predict(self, rows: list[Row]) -> pa.Table | None:
        """The same as :meth:`Predictor.predict`, or ``None`` where something is odd about the rows."""
        out = self.outputs(rows)
        return None if out is None else self._predictor._answer(out)

    def outputs(self, rows: list[Row]) -> Array | None:
        """Probabilities (n, classes) or values (n,), or ``None`` where something is odd about the rows."""
        if self._read is None or any(row.keys() != self._names and row.keys() != self._with_target for row in rows):
            return None
        try:
            return self._read(rows)
        except _Odd:
            return None

    def _registered(self, rows: list[Row]) -> Array:
        assert isinstance(self._predictor, RegisteredPredictor)
        X = np.asarray([[_number(row[name], known) for name, known in self._ranges] for row in rows], dtype=np.float64)
        out = self._walk(X) if self._walk is not None else None
        if out is None:
            return self._predictor.answers({name: X[:, place] for place, (name, _) in enumerate(self._ranges)})
        return out[:, self._order] if self._order else out

    def _own(self, rows: list[Row]) -> Array:
        encoder = self._predictor.encoder
        numbers = np.full((len(rows), encoder._widths[0]), np.nan, dtype=np.float32)
        codes = np.full((len(rows), encoder._widths[1]), MISSING, dtype=np.int32)
        texts = np.full((len(rows), encoder._widths[2]), "", dtype=object)
        for step in encoder.plan_:
            name, role = step["name"], step["role"]
            place = encoder.places[name].columns[0]
            values = [row[name] for row in rows]
            if role == "number":
                numbers[:, place] = [_number(value, step.get("range")) for value in values]
            elif role == "flag":
                numbers[:, place] = [_flag(value) for value in values]
            elif role == "category":
                known = self._vocabularies[name]
                codes[:, place] = [_code(value, known) for value in values]
            elif role == "text":
                texts[:, place] = [_text(value) for value in values]
            elif any(value is not None for value in values):
                raise _Odd
        return self._predictor.outputs(Encoded(numbers, codes, texts))


def _number(value: Any, known: Sequence[float] | None) -> float:
    kind = type(value)
    if kind is float or kind is int:
        low, high = known or (-LARGEST, LARGEST)
        # The ends of the range are as 32 bits hold them.
        if (low <= value <= high or (-LARGEST < value < LARGEST and low <= np.float32(value) <= high)) and (
            kind is float or -LARGEST_WHOLE <= value <= LARGEST_WHOLE
        ):
            return float(value)
    elif value is None:
        return np.nan
    raise _Odd


def _flag(value: Any) -> float:
    if value is None:
        return np.nan
    if type(value) is not bool:
        raise _Odd
    return float(value)


def _code(value: Any, known: dict[str, int]) -> int:
    if value is None:
        return MISSING
    if type(value) is not str or value not in known:
        raise _Odd
    return known[value]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if type(value) is not str:
        raise _Odd
    return value
