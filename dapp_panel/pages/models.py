"""Models: the list, one model, its results."""

from __future__ import annotations

from pydantic import Field

from dapp_ext.schema.models import ModelUpdate
from dapp_ext.schema.registry import ReasonRequest
from dapp_panel.pages.asking import Call, Listing, One, Pair, call


class UpdateOf(ModelUpdate):
    """A new name or visibility for one model."""

    ref: str = Field(min_length=1, max_length=300)


class ReasonOf(ReasonRequest):
    """Why one model becomes the champion, or the one before it again."""

    ref: str = Field(min_length=1, max_length=300)


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
    "models.lineage": call(One, lambda services, actor, asked: services.lineage.of_model(actor, asked.ref)),
    "models.delete": call(One, lambda services, actor, asked: services.models.delete(actor, asked.ref)),
}
