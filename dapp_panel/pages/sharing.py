"""Sharing: named people for datasets and models, read-only links for results, what notebooks publish, what was deleted and can come back."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dapp_ext.schema.base import Request
from dapp_ext.schema.grants import GrantLevel, GrantPut
from dapp_ext.schema.insights import InsightPublish
from dapp_ext.schema.shares import ShareCreate
from dapp_ext.schema.trash import TrashPut
from dapp_panel.pages.asking import Call, Listing, Nothing, One, call


class GrantsOf(Request):
    """Who may do how much with one thing."""

    kind: Literal["dataset", "model"]
    ref: str = Field(min_length=1, max_length=300)


class GrantTo(GrantsOf):
    """One person of them."""

    person: str = Field(min_length=1, max_length=300)
    level: GrantLevel = "use"


class SharesOf(Request):
    """Links to one model or insight, or all."""

    model: str | None = Field(default=None, max_length=300)
    insight: str | None = Field(default=None, max_length=300)


CALLS: dict[str, Call] = {
    "grants.people": call(Listing, lambda services, actor, asked: services.sharing.people(actor, asked.search)),
    "grants.list": call(GrantsOf, lambda services, actor, asked: services.sharing.list(actor, asked.kind, asked.ref)),
    "grants.put": call(GrantTo, lambda services, actor, asked: services.sharing.put(actor, asked.kind, asked.ref, asked.person, GrantPut(level=asked.level))),
    "grants.remove": call(GrantTo, lambda services, actor, asked: services.sharing.remove(actor, asked.kind, asked.ref, asked.person)),
    "shares.list": call(SharesOf, lambda services, actor, asked: services.shares.list(actor, model=asked.model, insight=asked.insight)),
    "shares.create": call(ShareCreate, lambda services, actor, asked: services.shares.create(actor, asked)),
    "shares.withdraw": call(One, lambda services, actor, asked: services.shares.withdraw(actor, asked.ref)),
    "insights.publish": call(InsightPublish, lambda services, actor, asked: services.insights.publish(actor, asked)),
    "trash.list": call(Nothing, lambda services, actor, _: services.trash.list(actor)),
    "trash.put": call(TrashPut, lambda services, actor, asked: services.trash.put(actor, asked.kind, asked.ref)),
    "trash.restore": call(One, lambda services, actor, asked: services.trash.restore(actor, asked.ref)),
    "trash.delete": call(One, lambda services, actor, asked: services.trash.delete(actor, asked.ref)),
    "insights.table": call(One, lambda services, actor, asked: services.insights.table(actor, asked.ref)),
}
