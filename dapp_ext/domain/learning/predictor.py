"""A trained model that answers for new rows."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.pipeline import Pipeline

from dapp_ext.domain.learning.blending import pipeline_outputs
from dapp_ext.domain.learning.features import Encoded, TableEncoder
from dapp_ext.domain.learning.guards import name_list
from dapp_ext.domain.learning.targets import label_text
from dapp_ext.errors import NotReady, RowsMismatch
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Reasons, Task

Array = npt.NDArray[Any]
CHUNK = 50_000


@dataclass
class Predictor:
    """Predicts tables; knows its features, and says what was missing or new in the rows.

    Attributes
    ----------
    target : str
        The column that it predicts.
    task : str
        binary, multiclass or regression.
    features : list of Column
        The columns that it uses.
    labels : list
        The classes in their original type; empty for regression.
    label_type : str
        Arrow type of the classes.
    pipeline : sklearn.pipeline.Pipeline
        From a table to codes of classes or to values.
    background : Encoded, optional
        A few typical rows, which reasons are told against.
    """

    target: str
    task: Task
    features: list[Column]
    labels: list[Any]
    label_type: str
    pipeline: Pipeline
    libraries: dict[str, str] = field(default_factory=dict)
    background: Encoded | None = None

    @property
    def classes(self) -> list[str] | None:
        """The classes as texts, None for regression."""
        return [label_text(v) for v in self.labels] if self.labels else None

    @property
    def encoder(self) -> TableEncoder:
        """The first step of the pipeline."""
        encoder: TableEncoder = self.pipeline.named_steps["table"]
        return encoder

    def outputs(self, X: Encoded) -> Array:
        """Probabilities (n, classes) or values (n,) of encoded rows."""
        return pipeline_outputs(self.pipeline, X, len(self.labels))

    def predict(self, table: pa.Table) -> tuple[pa.Table, list[str]]:
        """Predict rows.

        Returns
        -------
        table : pyarrow.Table
            Column ``prediction`` in the target's original type, and ``probability_<class>`` for each class.
        notes : list of str
            What was missing, new or of another type, in plain sentences.

        Raises
        ------
        RowsMismatch
            None of the columns that the model uses is there.
        """
        notes = self._column_notes(table)
        X, read_notes = self.encoder.read(table)
        parts = [self.outputs(X.take(np.arange(i, min(i + CHUNK, len(X))))) for i in range(0, len(X), CHUNK)]
        out = np.concatenate(parts) if parts else np.empty((0, len(self.labels)) if self.labels else (0,))
        return self._answer(out), notes + read_notes

    def reasons(self, row: pa.Table, seed: int = 0) -> Reasons:
        """Why the model says what it says about one row, told against typical rows.

        Raises
        ------
        NotReady
            The model was stored before typical rows were kept with it.
        """
        from dapp_ext.domain.learning.reasoning import reasons

        if self.background is None:
            raise NotReady("This model was stored without typical rows, so it cannot give reasons. Train it again.")
        self._column_notes(row)
        return reasons(self, row, self.background, seed)

    def _column_notes(self, table: pa.Table) -> list[str]:
        known = {c.name for c in self.features}
        given = set(table.column_names)
        if len(given) < len(table.column_names):
            raise RowsMismatch("A column name occurs twice in the rows. Give each column once.")
        missing = [c.name for c in self.features if c.name not in given]
        if len(missing) == len(self.features):
            raise RowsMismatch(f"None of the columns that the model learned from is there. It uses {name_list(missing)}.")
        extra = [n for n in table.column_names if n not in known and n != self.target]
        notes = []
        if missing:
            notes.append(f"{name_list(missing)} {'is' if len(missing) == 1 else 'are'} not in the rows and counted as missing.")
        if extra:
            notes.append(f"{name_list(extra)} {'is' if len(extra) == 1 else 'are'} not used by the model.")
        plain = {_letters(name): name for name in extra}
        notes += [f"Perhaps “{plain[_letters(name)]}” is meant by “{name}”." for name in missing if _letters(name) in plain]
        return notes

    def _answer(self, out: Array) -> pa.Table:
        if not self.labels:
            return pa.table({"prediction": pa.array(out.astype(np.float64))})
        labels = pa.array(self.labels, type=pa.type_for_alias(self.label_type))
        answer = {"prediction": labels.take(pa.array(out.argmax(axis=1).astype(np.int64)))}
        for k, name in enumerate(self.classes or []):
            answer[f"probability_{name}"] = pa.array(out[:, k].astype(np.float64))
        return pa.table(answer)


def _letters(name: str) -> str:
    """A name without case, accents, blanks and punctuation."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", name).casefold() if letter.isalnum())
