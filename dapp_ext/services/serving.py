"""What a call for predictions needs to know of a model, kept for a moment so that a stream of calls asks the database once.

Who may call is decided on every call. What is kept is dropped as soon as this process changes any model, as soon as the
feed tells that another one did, and after a second in any case.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from dapp_ext.domain import access
from dapp_ext.domain.access import Thing
from dapp_ext.errors import ModelNotFound
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.models import PolicyApplied
from dapp_ext.services import files
from dapp_ext.services.context import Context
from dapp_ext.services.models import Models, place_of, require_trained
from dapp_ext.services.passes import FilePass
from dapp_ext.services.things import thing_for
from dapp_ext.services.watching import Watch
from dapp_ext.store import models as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Model, PolicyRow

KEPT_SECONDS = 1.0
MOST_KEPT = 256


@dataclass(frozen=True)
class Served:
    """A trained version of a model, ready to be asked."""

    id: str
    name: str
    version: int
    thing: Thing
    task: str
    artifact: FilePass
    policy: PolicyApplied | None


class Serving:
    """The versions that were asked last."""

    def __init__(self, context: Context, models: Models) -> None:
        self._context = context
        self._models = models
        self._kept: dict[tuple[str, str, int | None], tuple[float, Served]] = {}
        self._lock = threading.Lock()
        self._forgotten = 0
        self._watch = Watch(context, _matters, lambda _id: self.forget())

    def find(self, actor: Actor, ref: str, version: int | None, verb: str) -> Served:
        """The version that a name stands for, if the actor may do this to it."""
        key = (actor.account_id, ref, version)
        kept = self._fresh(key)
        if kept is not None:
            self._context.permit(actor, verb, kept.thing, ModelNotFound)
            return kept
        with self._lock:
            forgotten = self._forgotten
        self._watch.follow()
        began = time.monotonic()
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, verb, version)
            require_trained(model)
            found = Served(
                id=model.id,
                name=model.name,
                version=model.version,
                thing=thing_for(session, actor, model),
                task=str(self._context.unseal(session, model.id, place_of(model), model.sealed).get("task")),
                artifact=files.stored_pass(self._context, session, model.artifact_id),
                policy=applied_policy(self._context, session, model),
            )
        with self._lock:
            if forgotten == self._forgotten:  # else it may have been read before the change that made us forget
                if len(self._kept) >= MOST_KEPT:
                    self._kept.clear()
                self._kept[key] = (began, found)
        return found

    def known(self, actor: Actor, ref: str, version: int | None, verb: str) -> Served | None:
        """The same where nothing has to be looked up and nothing refused; waits for nothing."""
        kept = self._fresh((actor.account_id, ref, version))
        return kept if kept is not None and not access.waits_in_maintenance(verb) and self._context.allows(actor, verb, kept.thing) else None

    def _fresh(self, key: tuple[str, str, int | None]) -> Served | None:
        with self._lock:
            kept = self._kept.get(key)
        return kept[1] if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS else None

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()
            self._forgotten += 1


def _matters(type: str, subject_kind: str) -> bool:
    return subject_kind == "model" and type != "model.trial"


def policy_place(row: PolicyRow) -> str:
    return f"policies/{row.model_id}/{row.version}"


def applied_policy(context: Context, session: Session, model: Model) -> PolicyApplied | None:
    """The threshold that a model's answers follow, where one was set."""
    row = store.policy(session, model.id, model.policy_version) if model.policy_version else None
    if row is None:
        return None
    inside = context.unseal(session, model.id, policy_place(row), row.sealed)
    return PolicyApplied(version=row.version, threshold=inside["threshold"])
