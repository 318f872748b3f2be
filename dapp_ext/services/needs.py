"""What waits for a decision, however many newer things there are."""

from __future__ import annotations

from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.models import ModelRead
from dapp_ext.services.context import Context
from dapp_ext.services.models import read_all, with_access
from dapp_ext.services.reads import View, around, read
from dapp_ext.store import datasets as datasets_store
from dapp_ext.store import models as models_store


class Needs:
    """Files that could not be read, and models that want to be looked at."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def datasets(self, actor: Actor, *, limit: int = 20) -> list[DatasetRead]:
        """Datasets that the actor may see and that could not be read, newest first."""
        self._context.permit(actor, "dataset.list")
        with self._context.database.read() as session:
            rows = datasets_store.failed(session, actor.account_id, limit)
            view = View(self._context, session, actor)
            beside = around(view, [dataset for dataset, _ in rows])
            return [read(view, dataset, version, beside) for dataset, version in rows]

    def models(self, actor: Actor, *, limit: int = 20) -> list[ModelRead]:
        """Models whose watch has found something, and those that failed and have no later version, newest first."""
        self._context.permit(actor, "model.list")
        with self._context.database.read() as session:
            rows = models_store.troubled(session, actor.account_id, limit)
            return [with_access(session, actor, model, shown) for model, shown in zip(rows, read_all(self._context, session, rows), strict=True)]
