"""Predictions: rows now, or a whole dataset in the background."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dapp_ext.client.connection import Connection
from dapp_ext.client.datasets import Dataset, get_dataset
from dapp_ext.client.frames import arrow_table
from dapp_ext.client.models import get_model
from dapp_ext.client.transport import path_of
from dapp_ext.errors import Invalid, RowsMismatch
from dapp_ext.schema.models import BatchPredictRead, BatchPredictRequest, Prediction, PredictRead

if TYPE_CHECKING:
    import pandas as pd

# The server takes 10,000 rows and 1 MiB at once; smaller pieces answer sooner and hold less.
_ROWS_AT_ONCE = 2_000
_BYTES_AT_ONCE = 900_000


def predict(connection: Connection, ref: object, thing: Any) -> pd.DataFrame:
    """Predictions for rows, in a frame with the index of the rows."""
    import pandas as pd

    model = get_model(connection, ref)
    rows, index = rows_of(thing)
    if not rows:
        raise RowsMismatch("There are no rows to predict. Give at least one.")
    found: list[Prediction] = []
    version: int | None = None
    for piece in _batches(rows):
        # The version of the first answer holds for all, so that one call never mixes two models.
        body = {"rows": piece} if version is None else {"rows": piece, "version": version}
        answer = connection.transport.post(PredictRead, f"models/{path_of(model.id)}/predict", body)
        version = answer.model_version
        found += answer.predictions
    columns: dict[str, list[Any]] = {"prediction": [each.prediction for each in found]}
    for name in found[0].probabilities or {}:
        columns[f"probability_{name}"] = [(each.probabilities or {}).get(name) for each in found]
    return pd.DataFrame(columns, index=index)


def predict_dataset(connection: Connection, ref: object, dataset: object, name: str | None = None, *, wait: bool = True) -> Dataset:
    """Predict all rows of a dataset; the answer is a dataset of its own, which everybody sees who sees the model."""
    model = get_model(connection, ref)
    source = get_dataset(connection, dataset)
    if source.status == "processing":
        source.wait()
    body = BatchPredictRequest(dataset=source.id, name=name) if name is not None else BatchPredictRequest(dataset=source.id)
    made = connection.transport.post(BatchPredictRead, f"models/{path_of(model.id)}/predictions", body)
    result = get_dataset(connection, made.dataset_id)
    return result.wait() if wait else result


def rows_of(thing: Any) -> tuple[list[dict[str, Any]], Any]:
    """Rows as JSON-ready objects, and the index that the answer gets.

    Parameters
    ----------
    thing : table, pandas Series, mapping or sequence of mappings
        A pandas, polars or Arrow table; one row as a Series or a mapping; several rows as mappings.
    """
    import pandas as pd

    if isinstance(thing, pd.Series):
        thing = thing.to_frame().T.infer_objects()
    if isinstance(thing, Mapping):
        thing = [thing]
    if isinstance(thing, Sequence) and not isinstance(thing, (str, bytes)):
        if not all(isinstance(row, Mapping) for row in thing):
            raise Invalid("Give the rows as a table, or as dictionaries of column name and value.")
        return [{str(name): _plain(value) for name, value in row.items()} for row in thing], pd.RangeIndex(len(thing))
    index = thing.index if isinstance(thing, pd.DataFrame) else None
    rows = [{name: _plain(value) for name, value in row.items()} for row in arrow_table(thing, keep_index=False).to_pylist()]
    return rows, pd.RangeIndex(len(rows)) if index is None else index


def _batches(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The rows in pieces that fit into one request."""
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        length = len(json.dumps(row, ensure_ascii=False).encode())
        if batch and (len(batch) == _ROWS_AT_ONCE or size + length > _BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length + 2
    yield batch


def _plain(value: Any) -> Any:
    """A value as JSON has it: missing is null, dates are ISO 8601 texts, durations are seconds."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if value == value and value not in (float("inf"), float("-inf")) else None
    if isinstance(value, (datetime, date, time)):
        return value.isoformat() if value == value else None  # NaT is a datetime that does not equal itself
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return float(value)
    if hasattr(value, "item"):  # a NumPy scalar
        return _plain(value.item())
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    raise Invalid(f"A {type(value).__name__} cannot be predicted from. Give numbers, texts, dates, True, False or None.")
