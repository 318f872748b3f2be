"""Predict: one case now, or a whole dataset in the background."""

from __future__ import annotations

from pydantic import Field

from dapp_ext.schema.models import BatchPredictRequest, PredictRequest
from dapp_ext.schema.serving import CheckRequest
from dapp_panel.pages.asking import Call, call


class PredictOf(PredictRequest):
    """Rows for one model."""

    ref: str = Field(min_length=1, max_length=300)


class CheckOf(CheckRequest):
    """Columns, or a dataset, for one model."""

    ref: str = Field(min_length=1, max_length=300)


class BatchOf(BatchPredictRequest):
    """A dataset for one model."""

    ref: str = Field(min_length=1, max_length=300)


CALLS: dict[str, Call] = {
    "models.predict": call(
        PredictOf,
        lambda services, actor, asked: services.predictions.predict(
            actor, asked.ref, PredictRequest(rows=asked.rows, version=asked.version, explain=asked.explain)
        ),
    ),
    "models.check": call(
        CheckOf,
        lambda services, actor, asked: services.predictions.check(
            actor, asked.ref, CheckRequest(columns=asked.columns, dataset=asked.dataset, version=asked.version)
        ),
    ),
    "models.predict_batch": call(
        BatchOf,
        lambda services, actor, asked: services.predictions.predict_batch(
            actor, asked.ref, BatchPredictRequest(dataset=asked.dataset, version=asked.version, name=asked.name)
        ),
    ),
}
