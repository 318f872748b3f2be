"""Models: the list, one model, its results."""

from __future__ import annotations

from pydantic import Field

from dapp_ext.schema.base import Request
from dapp_ext.schema.models import ModelUpdate
from dapp_ext.schema.registry import ReasonRequest
from dapp_ext.schema.serving import ThresholdRequest
from dapp_panel.pages.asking import Call, Listing, One, Pair, call


class UpdateOf(ModelUpdate):
    """A new name or visibility for one model."""

    ref: str = Field(min_length=1, max_length=300)


class ReasonOf(ReasonRequest):
    """Why one model becomes the champion, or the one before it again."""

    ref: str = Field(min_length=1, max_length=300)


class ThresholdOf(ThresholdRequest):
    """The decision of one model."""

    ref: str = Field(min_length=1, max_length=300)


class WatchOf(Request):
    """What the watch over one model has seen."""

    ref: str = Field(min_length=1, max_length=300)
    days: int = Field(default=7, ge=1, le=90)
    limit: int = Field(default=20, ge=1, le=200)


CALLS: dict[str, Call] = {
    "models.list": call(Listing, lambda services, actor, asked: services.models.list(actor, search=asked.search, limit=asked.limit, cursor=asked.cursor)),
    "models.get": call(One, lambda services, actor, asked: services.models.get(actor, asked.ref)),
    "models.results": call(One, lambda services, actor, asked: services.models.results(actor, asked.ref)),
    "models.update": call(
        UpdateOf,
        lambda services, actor, asked: services.models.update(actor, asked.ref, ModelUpdate(**asked.model_dump(exclude={"ref"}, exclude_unset=True))),
    ),
    "models.versions": call(One, lambda services, actor, asked: services.registry.versions(actor, asked.ref)),
    "models.promote": call(ReasonOf, lambda services, actor, asked: services.registry.promote(actor, asked.ref, ReasonRequest(reason=asked.reason))),
    "models.rollback": call(ReasonOf, lambda services, actor, asked: services.registry.rollback(actor, asked.ref, ReasonRequest(reason=asked.reason))),
    "models.compare": call(Pair, lambda services, actor, asked: services.registry.compare(actor, asked.ref, asked.other or asked.ref)),
    "models.threshold": call(
        ThresholdOf, lambda services, actor, asked: services.policies.set(actor, asked.ref, ThresholdRequest(**asked.model_dump(exclude={"ref"})))
    ),
    "models.policies": call(One, lambda services, actor, asked: services.policies.list(actor, asked.ref)),
    "models.monitoring": call(WatchOf, lambda services, actor, asked: services.monitoring.read(actor, asked.ref, asked.days)),
    "models.log": call(WatchOf, lambda services, actor, asked: services.monitoring.log(actor, asked.ref, limit=asked.limit)),
    "models.lineage": call(One, lambda services, actor, asked: services.lineage.of_model(actor, asked.ref)),
}
