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
NEEDED = 20


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
    datasets = services.datasets.list(actor, limit=SHOWN)
    models = services.models.list(actor, search=None, limit=EXECUTIVE if looks else LOOKED_THROUGH, cursor=None)
    jobs = [*services.jobs.list(actor, status="running", limit=20).items, *services.jobs.list(actor, status="queued", limit=20).items]
    return HomeRead(
        jobs=jobs,
        needs=_needs(services, actor, models.items),
        datasets=datasets.items[:SHOWN],
        datasets_total=datasets.total,
        models=models.items if looks else models.items[:SHOWN],
        models_total=models.total,
        insights=services.insights.list(actor, limit=LOOKED_THROUGH if looks else SHOWN).items,
        activity=services.events.recent(actor, limit=30),
    )


def _needs(services: Services, actor: Actor, models: list[ModelRead]) -> Needs:
    """Files that failed; models that failed or changed under watch; and those of the newest that should not be relied on, unless a newer version is there."""
    newest: dict[tuple[str, str], ModelRead] = {}
    for each in models:  # newest first
        newest.setdefault((each.owner.id, each.name), each)
    troubled = services.needs.models(actor, limit=NEEDED)
    known = {each.id for each in troubled}
    doubtful = [each for each in models if each.concern and each.id not in known and each is newest[each.owner.id, each.name]]
    return Needs(datasets=services.needs.datasets(actor, limit=NEEDED), models=[*troubled, *doubtful])


CALLS: dict[str, Call] = {"home": call(Nothing, summary)}
