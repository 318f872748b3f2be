"""Models in use, from a notebook: thresholds, checks before they run, files scored in one call, the watch over drift."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dapp_ext.client.answers import Fit, Policy
from dapp_ext.client.connection import Connection
from dapp_ext.client.datasets import Dataset, get_dataset
from dapp_ext.client.drawing import ago, card, number, paragraph, table, text_table
from dapp_ext.client.frames import source_of
from dapp_ext.client.models import get_model
from dapp_ext.client.objects import Listing
from dapp_ext.client.progress import Display
from dapp_ext.client.tracebacks import short_tracebacks
from dapp_ext.client.transport import path_of
from dapp_ext.errors import Invalid
from dapp_ext.schema.base import Page
from dapp_ext.schema.models import BatchPredictRead
from dapp_ext.schema.serving import CheckRequest, GivenColumn, LoggedCall, MonitoringRead, ThresholdRequest

if TYPE_CHECKING:
    import pandas as pd


_POLICY_COLUMNS: dict[str, Callable[[Policy], Any]] = {
    "from": lambda each: number(each.threshold),
    "by": lambda each: each.by,
    "what it does": lambda each: each.sentence,
    "reason": lambda each: each.reason,
    "set by": lambda each: each.set_by.name,
    "when": lambda each: ago(each.at),
}
_LOG_COLUMNS: dict[str, Callable[[LoggedCall], Any]] = {
    "at": lambda each: f"{each.at.astimezone():%Y-%m-%d %H:%M:%S}",
    "by": lambda each: each.by.name if each.by else "",
    "rows": lambda each: each.rows,
    "ms": lambda each: round(each.milliseconds),
    "error": lambda each: each.error or "",
}


@short_tracebacks
class Monitoring:
    """How a model is used, and whether what it is asked still looks like what it learned from; draws itself in a notebook."""

    def __init__(self, read: MonitoringRead) -> None:
        self.read = read

    @property
    def sentence(self) -> str:
        """What there is to say in one sentence."""
        return self.read.sentence

    @property
    def alert(self) -> str | None:
        """``prediction_drift``, ``input_drift`` or ``errors``, when something should be looked at."""
        return self.read.code

    @property
    def columns(self) -> pd.DataFrame:
        """How far each column moved from the training data, the weightiest first."""
        import pandas as pd

        return pd.DataFrame([each.model_dump() for each in self.read.columns], columns=["column", "distance", "level", "weight"]).set_index("column")

    @property
    def series(self) -> pd.DataFrame:
        """Volume, time, errors and drift over time."""
        import pandas as pd

        names = ["at", "calls", "rows", "errors", "milliseconds", "slowest", "input_drift", "prediction_drift"]
        return pd.DataFrame([each.model_dump() for each in self.read.series], columns=names).set_index("at")

    def _lines(self) -> list[list[Any]]:
        return [[each.column, number(each.distance), each.level] for each in self.read.columns[:12]]

    def _facts(self) -> str:
        read = self.read
        slow = f", half within {number(read.p50)} ms, 95 % within {number(read.p95)} ms" if read.p50 is not None and read.p95 is not None else ""
        return f"{read.calls:,} calls for {read.rows:,} rows in {read.days} days, {read.errors:,} errors{slow}"

    def __repr__(self) -> str:
        return f"{self.read.model.name} version {self.read.model_version}: {self.sentence}\n{self._facts()}\n" + text_table(
            ["column", "distance", "level"], self._lines()
        )

    def _repr_html_(self) -> str:
        title = f"{self.read.model.name} version {self.read.model_version} in use"
        return card(title, paragraph(self.sentence, "lead"), paragraph(self._facts(), "soft"), table(["column", "distance", "level"], self._lines()))


def set_threshold(connection: Connection, ref: object | None, given: dict[str, Any]) -> Policy:
    """Save from which probability on a model of two classes says yes."""
    model = get_model(connection, ref)
    try:
        request = ThresholdRequest.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(f"The option {'.'.join(str(part) for part in first['loc'])!r} cannot be used: {first['msg']}.") from error
    return connection.transport.post(Policy, f"models/{path_of(model.id)}/threshold", request)


def check(connection: Connection, ref: object | None, thing: Any) -> Fit:
    """How a dataset, or the columns of a table, fit a model."""
    model = get_model(connection, ref)
    if isinstance(thing, (Dataset, str)):
        request = CheckRequest(dataset=get_dataset(connection, thing).id)
    else:
        names = list(thing.columns) if hasattr(thing, "columns") else list(thing)
        request = CheckRequest(columns=[GivenColumn(name=str(name)) for name in names])
    return connection.transport.post(Fit, f"models/{path_of(model.id)}/check", request)


def predict_file(connection: Connection, ref: object | None, thing: Any, name: str | None = None, *, wait: bool = True) -> Dataset:
    """Upload a file and predict its rows in one call; the answer is a dataset of its own."""
    model = get_model(connection, ref)
    # The rows that are sent become a dataset too, and two of one name there cannot be.
    source = source_of(thing, f"{name} rows" if name else None)
    query = {"filename": source.filename, "name": name}
    with Display() as display:
        display.line(f"{source.filename}: being sent")
        path = f"models/{path_of(model.id)}/predictions/file"
        made = connection.transport.upload(BatchPredictRead, path, source.pieces, size=source.size, query=query)
    result = get_dataset(connection, made.dataset_id)
    return result.wait() if wait else result


def prediction_log(connection: Connection, ref: object | None, limit: int) -> Listing[LoggedCall]:
    """The last calls for predictions, newest first."""
    model = get_model(connection, ref)
    page = connection.transport.get(Page[LoggedCall], f"models/{path_of(model.id)}/predictions", limit=limit)
    return Listing(page.items, "Predictions", _LOG_COLUMNS)


def thresholds(connection: Connection, ref: object | None) -> Listing[Policy]:
    """The threshold policies of a model, the present one first."""
    model = get_model(connection, ref)
    return Listing(connection.transport.get(Page[Policy], f"models/{path_of(model.id)}/threshold").items, "Thresholds", _POLICY_COLUMNS)


def monitoring(connection: Connection, ref: object | None, days: int) -> Monitoring:
    """How a model was used lately."""
    model = get_model(connection, ref)
    return Monitoring(connection.transport.get(MonitoringRead, f"models/{path_of(model.id)}/monitoring", days=days))
