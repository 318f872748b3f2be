"""Threshold policies: from which probability on a model of two classes says yes; versioned, so that each answer can be traced."""

from __future__ import annotations

from typing import Any

from dapp_ext.errors import Invalid
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Page, Subject, now
from dapp_ext.schema.models import DecisionRequest, Results
from dapp_ext.schema.serving import PolicyRead, ThresholdRequest
from dapp_ext.services.context import Context
from dapp_ext.services.models import Models, tell
from dapp_ext.services.serving import policy_place
from dapp_ext.store import models as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Model, PolicyRow


class Policies:
    """The service."""

    def __init__(self, context: Context, models: Models) -> None:
        self._context = context
        self._models = models

    def set(self, actor: Actor, ref: str, request: ThresholdRequest) -> PolicyRead:
        """Save a threshold with a model: form, batch and API follow it from now on.

        Raises
        ------
        Invalid
            The model does not tell two classes apart, or what the choice needs is not given.
        """
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.threshold")
            results = self._models.stored_results(session, model)
        if results.task != "binary" or results.positive is None:
            raise Invalid("Only a model that tells two classes apart has a threshold. This one answers something else.")
        inside = _choose(results, request) | {"by": request.by, "positive": results.positive, "reason": request.reason.strip()}
        with self._context.change(actor, "model.threshold", Subject(kind="model", id=model.id)) as change:
            model = self._models.find(actor, change.session, model.id, "model.threshold")
            earlier = store.policies(change.session, model.id)
            version = earlier[0].version + 1 if earlier else 1
            row = PolicyRow(model_id=model.id, version=version, actor_id=actor.account_id, actor_name=actor.name)
            row.sealed = self._context.seal(change.session, model.id, policy_place(row), inside)
            model.policy_version, model.updated_at = version, now()
            change.session.add(row)
            change.session.add(model)
            change.details.update({"policy": version, "by": request.by})
            tell(change, "model.changed", model)
            return self._read(change.session, model, row)

    def list(self, actor: Actor, ref: str) -> Page[PolicyRead]:
        """The policies of a model, the one that counts first."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.read")
            return Page(items=[self._read(session, model, row) for row in store.policies(session, model.id)])

    def _read(self, session: Session, model: Model, row: PolicyRow) -> PolicyRead:
        inside: dict[str, Any] = self._context.unseal(session, model.id, policy_place(row), row.sealed)
        return PolicyRead(
            model=Named(id=model.id, name=model.name),
            model_version=model.version,
            version=row.version,
            set_by=Named(id=row.actor_id, name=row.actor_name),
            at=row.at,
            **inside,
        )


def _choose(results: Results, request: ThresholdRequest) -> dict[str, Any]:
    """The threshold, and what it did on the locked test part."""
    from dapp_ext.domain.learning import choose_threshold

    if request.by == "value" and request.value is None:
        raise Invalid("Give the value of the threshold, from 0 to 1.")
    if request.by == "cost" and (request.cost_false_alarm is None or request.cost_missed is None):
        raise Invalid("Give what a false alarm costs and what a missed case costs.")
    if request.by == "capacity" and request.capacity is None:
        raise Invalid("Give the share of all rows that can be looked at, from 0 to 1.")
    if results.decisions is None:
        if request.by != "value":
            raise Invalid("This model does not tell what each threshold would do. Choose the threshold by its value, or train again.")
        return {"threshold": request.value, "sentence": f"“{results.positive}” is said from a probability of {request.value:.3g} on."}
    wanted = {
        "value": {"threshold": request.value},
        "cost": {"cost_false_alarm": request.cost_false_alarm, "cost_missed": request.cost_missed},
        "capacity": {"capacity": request.capacity},
    }[request.by]
    decision = choose_threshold(results.decisions, DecisionRequest.model_validate(wanted))
    # Nobody may be named where naming costs more than it brings; a probability never exceeds 1.
    return decision.model_dump(include={"named", "right", "missed", "cost", "sentence"}) | {"threshold": decision.threshold}
