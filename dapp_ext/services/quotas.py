"""How much an account may store, told before bytes are sent and kept to while they come."""

from __future__ import annotations

from dapp_ext.errors import QuotaExceeded
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.datasets import UsageRead
from dapp_ext.services.context import Context
from dapp_ext.store import datasets as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Account


def quota_of(context: Context, session: Session, account_id: str) -> int | None:
    """Bytes that an account may store; ``None`` for any number."""
    account = session.get(Account, account_id)
    quota = account.quota if account is not None and account.quota is not None else context.settings.quota
    return quota or None


def usage(context: Context, session: Session, account_id: str) -> UsageRead:
    """What an account stores, and how much more it may."""
    datasets, models = store.bytes_of(session, account_id)
    quota = quota_of(context, session, account_id)
    free = None if quota is None else max(0, quota - datasets - models)
    return UsageRead(used=datasets + models, datasets=datasets, models=models, quota=quota, free=free, upload_limit=context.settings.upload_limit)


def free_bytes(context: Context, session: Session, account_id: str) -> int | None:
    """Bytes that an account may still store; ``None`` for any number."""
    return usage(context, session, account_id).free


def require_room(context: Context, session: Session, account_id: str, size: int) -> None:
    """Refuse what an account may not store.

    Raises
    ------
    QuotaExceeded
        With the bytes that are free in its details.
    """
    free = free_bytes(context, session, account_id)
    if free is not None and size > free:
        raise exceeded(free)


def exceeded(free: int) -> QuotaExceeded:
    """The refusal in words."""
    return QuotaExceeded(
        f"There is room for {free / 2**20:,.1f} MiB more in what may be stored for this account. Delete something, or ask for more.", free=free
    )


def counts_for(actor: Actor, owner_id: str | None) -> str:
    """Whose quota a file counts to: that of the dataset's owner, whoever sends it."""
    return owner_id or actor.account_id
