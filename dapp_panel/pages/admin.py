"""Admin: accounts, the audit log, the state of the platform."""

from __future__ import annotations

from pydantic import Field

from dapp_ext.schema.accounts import AccountCreate, AccountUpdate
from dapp_panel.pages.asking import Call, Listing, Nothing, call


class UpdateOf(AccountUpdate):
    """A new name, role or state for one account."""

    ref: str = Field(min_length=1, max_length=300)


class AuditListing(Listing):
    """One page of the audit log."""

    action: str | None = Field(default=None, max_length=80)


CALLS: dict[str, Call] = {
    "accounts.list": call(Nothing, lambda services, actor, _: services.accounts.list(actor)),
    "accounts.create": call(AccountCreate, lambda services, actor, asked: services.accounts.create(actor, asked)),
    "accounts.update": call(
        UpdateOf,
        lambda services, actor, asked: services.accounts.update(actor, asked.ref, AccountUpdate(**asked.model_dump(exclude={"ref"}, exclude_unset=True))),
    ),
    "audit.list": call(AuditListing, lambda services, actor, asked: services.audit.list(actor, limit=asked.limit, cursor=asked.cursor, action=asked.action)),
    "system.status": call(Nothing, lambda services, actor, _: services.system.status(actor)),
}
