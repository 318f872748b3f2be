"""One recipe over many datasets: checked together, queued together, followed as one job."""

from __future__ import annotations

from dapp_ext.errors import DappError, Invalid
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject
from dapp_ext.schema.jobs import JobRead
from dapp_ext.schema.models import TrainRequest
from dapp_ext.schema.registry import BatchTrainRequest
from dapp_ext.services.context import Context
from dapp_ext.services.jobs import Jobs, add_batch
from dapp_ext.services.models import Asked, Models


class Batches:
    """The service."""

    def __init__(self, context: Context, models: Models, jobs: Jobs) -> None:
        self._context = context
        self._models = models
        self._jobs = jobs

    def train(self, actor: Actor, request: BatchTrainRequest) -> JobRead:
        """Train a model of each dataset with the same recipe. All are queued, or none.

        Raises
        ------
        Invalid
            Which datasets cannot be trained and why, in ``details["datasets"]``.
        """
        self._context.permit(actor, "model.train")
        asked = self._check(actor, request)
        with self._context.change(actor, "model.batch") as change:
            visibility = "private" if any(each.dataset.visibility == "private" for each in asked) else "team"
            batch = add_batch(self._context, change, request.name or f"{len(asked)} trainings", visibility)
            for each in asked:
                self._models.queue(change, each, batch)
            change.subject = Subject(kind="job", id=batch.id)
            change.details["trainings"] = len(asked)
        return self._jobs.get(actor, batch.id)

    def _check(self, actor: Actor, request: BatchTrainRequest) -> list[Asked]:
        recipe = request.model_dump(exclude={"datasets", "name"})
        asked: dict[str, Asked] = {}
        refused: list[dict[str, str]] = []
        for ref in request.datasets:
            try:
                each = self._models.ask(actor, TrainRequest.model_validate({"dataset": ref, **recipe}))
                asked.setdefault(each.dataset.id, each)
            except DappError as error:
                refused.append({"dataset": ref, "code": error.code, "message": error.message})
        if refused:
            count = len(refused)
            said = f"{count} of {len(request.datasets)} datasets cannot be trained, so nothing was started. {refused[0]['dataset']!r}: {refused[0]['message']}"
            raise Invalid(said, datasets=refused)
        return list(asked.values())
