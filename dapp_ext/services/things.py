"""What the policy needs to know of a dataset or model, by itself and for somebody who asks."""

from __future__ import annotations

from dapp_ext.domain.access import Thing
from dapp_ext.schema.accounts import Actor
from dapp_ext.store import grants
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Dataset, Model


def kind_of(row: Dataset | Model) -> str:
    return "dataset" if isinstance(row, Dataset) else "model"


def thing_of(row: Dataset | Model) -> Thing:
    """The thing by itself, as for an event about it."""
    return Thing(row.owner_id, row.visibility)


def thing_for(session: Session, actor: Actor, row: Dataset | Model) -> Thing:
    """The thing with what was granted to the actor."""
    if row.owner_id == actor.account_id:
        return thing_of(row)
    return Thing(row.owner_id, row.visibility, grants.level(session, kind_of(row), row.id, actor.account_id))
