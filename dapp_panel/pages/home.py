"""Home: what goes on now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapp_ext.domain import access
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
LOOKED_THROUGH = 24  # the newest of each, for what has gone wrong among them
EXECUTIVE = 60


class Needs(Answer):
    """What waits for a decision, however many newer things there are."""

    datasets: list[DatasetRead]
    models: list[ModelRead]


class HomeRead(Answer):
    """Everything that Home shows, in one answer."""

    jobs: list[JobRead]
    needs: Needs
    datasets: list[DatasetRead]
    datasets_total: int | None
    models: list[ModelRead]
    models_total: int | None
    insights: list[InsightRead]
    activity: list[Event]


def summary(services: Services, actor: Actor, _: Nothing) -> HomeRead:
    """Work under way, the newest datasets and models, and the team's latest doings."""
    # Who only looks sees a card for each shared result; everybody else the newest, and their own lists.
    looks = access.scope(actor, "dataset.create") == access.Scope.nobody
    datasets = services.datasets.list(actor, limit=LOOKED_THROUGH)
    models = services.models.list(actor, search=None, limit=EXECUTIVE if looks else LOOKED_THROUGH, cursor=None)
    jobs = [*services.jobs.list(actor, status="running", limit=20).items, *services.jobs.list(actor, status="queued", limit=20).items]
    return HomeRead(
        jobs=jobs,
        needs=_needs(datasets.items, models.items),
        datasets=datasets.items[:SHOWN],
        datasets_total=datasets.total,
        models=models.items if looks else models.items[:SHOWN],
        models_total=models.total,
        insights=services.insights.list(actor, limit=LOOKED_THROUGH if looks else SHOWN).items,
        activity=services.events.recent(actor, limit=30),
    )


def _needs(datasets: list[DatasetRead], models: list[ModelRead]) -> Needs:
    """Files that failed; and models that failed, changed under watch, or should not be relied on, unless a newer version is there."""
    newest: dict[tuple[str, str], ModelRead] = {}
    for each in models:  # newest first
        newest.setdefault((each.owner.id, each.name), each)
    return Needs(
        datasets=[each for each in datasets if each.status == "failed"],
        models=[each for each in models if each.alert or (each is newest[each.owner.id, each.name] and (each.status == "failed" or each.concern))],
    )


CALLS: dict[str, Call] = {"home": call(Nothing, summary)}
