"""Train: ask for a model, follow its search, stop it."""

from __future__ import annotations

from dapp_ext.schema.models import TrainRequest
from dapp_panel.pages.asking import Call, One, call

CALLS: dict[str, Call] = {
    "models.train": call(TrainRequest, lambda services, actor, asked: services.models.train(actor, asked)),
    "models.leaderboard": call(One, lambda services, actor, asked: services.models.leaderboard(actor, asked.ref)),
    "models.stop": call(One, lambda services, actor, asked: services.models.stop(actor, asked.ref)),
}
