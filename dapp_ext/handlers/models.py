"""Models and predictions over HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dapp_ext.errors import DappError
from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.handlers.queries import ListQuery, ModelExportQuery
from dapp_ext.schema.base import Page
from dapp_ext.schema.jobs import JobRead
from dapp_ext.schema.models import (
    Advice,
    BatchPredictRead,
    BatchPredictRequest,
    ExtendRequest,
    Leaderboard,
    ModelRead,
    ModelUpdate,
    PredictRead,
    PredictRequest,
    RescoreRequest,
    Results,
    SkipRequest,
    TrainRequest,
)

if TYPE_CHECKING:
    from dapp_ext.services.files import Download


def index(call: Call[ListQuery, Nothing]) -> Page[ModelRead]:
    query = call.query
    return call.services.models.list(call.actor, search=query.search, limit=query.limit, cursor=query.cursor)


def train(call: Call[Nothing, TrainRequest]) -> ModelRead:
    return call.services.models.train(call.actor, call.body)


def advise(call: Call[Nothing, TrainRequest]) -> Advice:
    return call.services.models.advise(call.actor, call.body)


def show(call: Call[Nothing, Nothing]) -> ModelRead:
    return call.services.models.get(call.actor, call.ref)


def update(call: Call[Nothing, ModelUpdate]) -> ModelRead:
    return call.services.models.update(call.actor, call.ref, call.body)


def delete(call: Call[Nothing, Nothing]) -> None:
    call.services.models.delete(call.actor, call.ref)


def leaderboard(call: Call[Nothing, Nothing]) -> Leaderboard:
    return call.services.models.leaderboard(call.actor, call.ref)


def results(call: Call[Nothing, Nothing]) -> Results:
    return call.services.models.results(call.actor, call.ref)


def stop(call: Call[Nothing, Nothing]) -> ModelRead:
    return call.services.models.stop(call.actor, call.ref)


def extend(call: Call[Nothing, ExtendRequest]) -> ModelRead:
    return call.services.models.extend(call.actor, call.ref, call.body)


def skip(call: Call[Nothing, SkipRequest]) -> ModelRead:
    return call.services.models.skip(call.actor, call.ref, call.body)


def rescore(call: Call[Nothing, RescoreRequest]) -> JobRead:
    return call.services.rescoring.ask(call.actor, call.ref, call.body)


def predict(call: Call[Nothing, PredictRequest]) -> PredictRead:
    return call.services.predictions.predict(call.actor, call.ref, call.body)


async def predict_soon(call: Call[Nothing, PredictRequest]) -> PredictRead | None:
    """Ask without a thread for each caller: one thread speaks with the process that predicts."""
    from dapp_ext.services.predictions import Back  # loaded by now; importing it takes seconds

    loop = asyncio.get_running_loop()
    answer: asyncio.Future[PredictRead] = loop.create_future()

    def then(found: PredictRead | DappError) -> None:
        if answer.done():
            return
        if isinstance(found, DappError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    predictions, back = call.services.predictions, Back(then, loop.call_soon_threadsafe)
    key = ("predict", call.actor.account_id, call.ref, call.body.version)
    if predictions.predict_soon(call.actor, call.ref, call.body, back):
        return await answer
    if not await call.backend.joined(key):
        await call.backend.lead(key, predictions.prepare, call.actor, call.ref, call.body.version)
    return await answer if predictions.predict_soon(call.actor, call.ref, call.body, back) else None


def predict_dataset(call: Call[Nothing, BatchPredictRequest]) -> BatchPredictRead:
    return call.services.predictions.predict_batch(call.actor, call.ref, call.body)


def export(call: Call[ModelExportQuery, Nothing]) -> Download:
    return call.services.models.export(call.actor, call.ref, call.query.format)
