"""Train: ask for a model, follow its search, stop it."""

from __future__ import annotations

from pydantic import Field

from dapp_ext.schema.models import ExtendRequest, RescoreRequest, SkipRequest, TrainRequest
from dapp_ext.schema.registry import BatchTrainRequest
from dapp_panel.pages.asking import Call, One, call


class ExtendOf(ExtendRequest):
    """More time for one search."""

    ref: str = Field(min_length=1, max_length=300)


class SkipOf(SkipRequest):
    """A family that one search leaves out from now on."""

    ref: str = Field(min_length=1, max_length=300)


class RescoreOf(RescoreRequest):
    """A finding whose fix is tried, or columns that one model is scored without."""

    ref: str = Field(min_length=1, max_length=300)

    def request(self) -> RescoreRequest:
        """What the service is asked."""
        return RescoreRequest(**self.model_dump(exclude={"ref"}))


CALLS: dict[str, Call] = {
    "models.train": call(TrainRequest, lambda services, actor, asked: services.models.train(actor, asked)),
    "models.advise": call(TrainRequest, lambda services, actor, asked: services.models.advise(actor, asked)),
    "models.leaderboard": call(One, lambda services, actor, asked: services.models.leaderboard(actor, asked.ref)),
    "models.train_batch": call(BatchTrainRequest, lambda services, actor, asked: services.batches.train(actor, asked)),
    "models.extend": call(ExtendOf, lambda services, actor, asked: services.models.extend(actor, asked.ref, ExtendRequest(seconds=asked.seconds))),
    "models.skip": call(SkipOf, lambda services, actor, asked: services.models.skip(actor, asked.ref, SkipRequest(family=asked.family))),
    "models.rescore": call(RescoreOf, lambda services, actor, asked: services.rescoring.ask(actor, asked.ref, asked.request())),
    "models.stop": call(One, lambda services, actor, asked: services.models.stop(actor, asked.ref)),
}
