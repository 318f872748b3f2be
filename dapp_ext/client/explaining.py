"""Why a model says what it says about a row, and what a training would do before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dapp_ext.client.connection import Connection
from dapp_ext.client.datasets import get_dataset
from dapp_ext.client.drawing import ORANGE, bar, card, number, paragraph, table, text_table
from dapp_ext.client.models import get_model
from dapp_ext.client.objects import Listing
from dapp_ext.client.predictions import rows_of
from dapp_ext.client.tracebacks import short_tracebacks
from dapp_ext.client.transport import path_of
from dapp_ext.errors import Invalid, RowsMismatch
from dapp_ext.schema.models import Advice, Prediction, PredictRead, Reasons, TrainRequest

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 8


@short_tracebacks
class Explanation:
    """Why a model says what it says about one row; draws itself in a notebook."""

    def __init__(self, prediction: Prediction, notes: list[str]) -> None:
        if prediction.reasons is None:
            raise RowsMismatch("The server gave no reasons for this row. It is older than this client; update it.")
        self.prediction = prediction.prediction
        self.read: Reasons = prediction.reasons
        self.notes = notes

    @property
    def reasons(self) -> pd.DataFrame:
        """Each column with its value and how far it moves the answer, the strongest first."""
        import pandas as pd

        return pd.DataFrame([each.model_dump() for each in self.read.reasons], columns=["column", "value", "effect"])

    @property
    def sentence(self) -> str:
        """From where to where the columns move the answer."""
        output = self.read.output
        return f"{self.read.label}: {number(output, output)}; for typical rows it is {number(self.read.base, output)}."

    def told(self) -> str:
        """What the model says, as a person reads it."""
        return number(self.prediction, self.prediction if isinstance(self.prediction, float) else None)

    def moved(self, effect: float) -> str:
        """How far a column moves the answer, in its unit."""
        return f"{'−' if effect < 0 else '+'}{number(abs(effect), self.read.output)}"

    def __repr__(self) -> str:
        lines = [[each.column, number(each.value), self.moved(each.effect)] for each in self.read.reasons[:_SHOWN]]
        return "\n".join([f"{self.told()}. {self.sentence}", text_table(["column", "value", "effect"], lines, numeric=[2]), *self.notes])

    def _repr_html_(self) -> str:
        largest = max((abs(each.effect) for each in self.read.reasons), default=0.0) or 1.0
        lines = [
            [each.column, number(each.value), self.moved(each.effect), bar(abs(each.effect) / largest, *([ORANGE] if each.effect < 0 else []))]
            for each in self.read.reasons[:_SHOWN]
        ]
        drawn = table(["column", "value", "effect", ""], lines, numeric=[2])
        return card(f"Why {self.told()}", paragraph(self.sentence, "lead"), drawn, *(paragraph(note, "soft") for note in [self.read.method, *self.notes]))


@short_tracebacks
class TrainingAdvice:
    """What a training would do; draws itself in a notebook."""

    def __init__(self, read: Advice) -> None:
        self.read = read

    @property
    def findings(self) -> list[str]:
        """What should be looked at first, in sentences."""
        return [guard.sentence for guard in self.read.guards if guard.state == "alerted"]

    def _facts(self) -> list[tuple[str, str]]:
        read = self.read
        return [
            ("predicts", f"{read.target} ({read.task.task}): {read.task.reason}"),
            ("goes by", read.metric_label),
            ("is checked", f"{read.validation.validation}: {read.validation.reason}"),
        ]

    def __repr__(self) -> str:
        return "\n".join([self.read.sentence, *(f"{name}: {said}" for name, said in self._facts()), *(f"! {each}" for each in self.findings)])

    def _repr_html_(self) -> str:
        lines = [[guard.state, guard.sentence, ", ".join(fix.label for fix in guard.fixes)] for guard in self.read.guards if guard.state != "passed"]
        drawn = [table(["check", "what was found", "what helps"], lines)] if lines else [paragraph("Nothing was found in the columns.", "soft")]
        return card(f"A model of {self.read.target}", paragraph(self.read.sentence, "lead"), table(["", ""], self._facts()), *drawn)


def explain(connection: Connection, ref: object | None, thing: Any) -> Listing[Explanation]:
    """Why a model says what it says, for each of a few rows."""
    model = get_model(connection, ref)
    rows, _ = rows_of(thing)
    if not rows:
        raise RowsMismatch("There are no rows to explain. Give at least one.")
    answer = connection.transport.post(PredictRead, f"models/{path_of(model.id)}/predict", {"rows": rows, "explain": True})
    found = [Explanation(each, answer.notes) for each in answer.predictions]
    return Listing(found, "Explanations", {"prediction": Explanation.told, "because of": _strongest})


def _strongest(each: Explanation) -> str:
    return ", ".join(f"{reason.column} {each.moved(reason.effect)}" for reason in each.read.reasons[:3])


def advise(connection: Connection, dataset: object | None, target: str | None, options: Mapping[str, Any]) -> TrainingAdvice:
    """What a training with these options would do."""
    source = get_dataset(connection, dataset)
    if source.status == "processing":
        source.wait()
    try:
        request = TrainRequest.model_validate({"dataset": source.id, "target": target, **options})
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(f"The option {'.'.join(str(part) for part in first['loc'])!r} cannot be used: {first['msg']}.") from error
    return TrainingAdvice(connection.transport.post(Advice, "models/advice", request))
