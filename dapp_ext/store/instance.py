"""The one row that says which workspace this is."""

from __future__ import annotations

from sqlmodel import Session

from dapp_ext.store.keys import Keyring
from dapp_ext.store.tables import DataKey, Instance


def find(session: Session) -> Instance | None:
    return session.get(Instance, 1)


def create(session: Session, keyring: Keyring, instance_id: str) -> Instance:
    """Make the row, and a data key of the workspace itself for its own secrets."""
    row = Instance(id=1, instance_id=instance_id, key_fingerprint=keyring.fingerprint)
    session.add(row)
    session.add(DataKey(subject_id=instance_id, kid=keyring.kid, wrapped=keyring.wrap(keyring.new_data_key(), instance_id)))
    session.flush()
    return row
