"""Home: what goes on now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Answer
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.events import Event
from dapp_ext.schema.insights import InsightRead
from dapp_ext.schema.jobs import JobRead
from dapp_ext.schema.models import ModelRead
from dapp_panel.pages.asking import Call, Nothing, call

if TYPE_CHECKING:
    from dapp_ext.services import Services

SHOWN = 6


class HomeRead(Answer):
    """Everything that Home shows, in one answer."""

    jobs: list[JobRead]
    datasets: list[DatasetRead]
    datasets_total: int | None
    models: list[ModelRead]
    models_total: int | None
    insights: list[InsightRead]
    activity: list[Event]


def summary(services: Services, actor: Actor, _: Nothing) -> HomeRead:
    """Work under way, the newest datasets and models, and the team's latest doings."""
    datasets = services.datasets.list(actor, limit=SHOWN)
    models = services.models.list(actor, search=None, limit=SHOWN, cursor=None)
    jobs = [*services.jobs.list(actor, status="running", limit=20).items, *services.jobs.list(actor, status="queued", limit=20).items]
    return HomeRead(
        jobs=jobs,
        datasets=datasets.items,
        datasets_total=datasets.total,
        models=models.items,
        models_total=models.total,
        insights=services.insights.list(actor, limit=SHOWN).items,
        activity=services.events.recent(actor, limit=30),
    )


CALLS: dict[str, Call] = {"home": call(Nothing, summary)}
