"""Answers under a threshold: from which probability of the positive class on a model of two classes says it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.learning.targets import label_text


def decide(answers: pa.Table, labels: list[Any], threshold: float | None) -> pa.Table:
    """The answers with their prediction by the threshold; as they are without one, or for a model of another kind.

    ``labels`` are the two classes in their original type, the positive one last.
    """
    if threshold is None or len(labels) != 2:
        return answers
    chance = answers.column(f"probability_{label_text(labels[1])}")
    kind = answers.column("prediction").type
    yes, no = (pa.scalar(labels[place], type=kind) for place in (1, 0))
    place = answers.column_names.index("prediction")
    return answers.set_column(place, "prediction", pc.if_else(pc.greater_equal(chance, threshold), yes, no))
