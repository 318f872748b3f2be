"""Admin: accounts, invitations, the audit log, the state of the platform."""

from __future__ import annotations

from pydantic import Field

from dapp_ext.schema.accounts import AccountCreate, AccountUpdate
from dapp_ext.schema.signins import InvitationCreate
from dapp_panel.pages.asking import Call, Listing, Nothing, One, call


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
    "accounts.quotas": call(Nothing, lambda services, actor, _: services.accounts.quotas(actor)),
    "accounts.reset": call(One, lambda services, actor, asked: services.invitations.reset(actor, asked.ref)),
    "accounts.sessions": call(One, lambda services, actor, asked: services.signins.sessions(actor, asked.ref)),
    "accounts.end_sessions": call(One, lambda services, actor, asked: services.signins.end_all(actor, asked.ref)),
    "invitations.list": call(Nothing, lambda services, actor, _: services.invitations.list(actor)),
    "invitations.create": call(InvitationCreate, lambda services, actor, asked: services.invitations.create(actor, asked)),
    "invitations.withdraw": call(One, lambda services, actor, asked: services.invitations.withdraw(actor, asked.ref)),
    "audit.list": call(AuditListing, lambda services, actor, asked: services.audit.list(actor, limit=asked.limit, cursor=asked.cursor, action=asked.action)),
    "system.status": call(Nothing, lambda services, actor, _: services.system.status(actor)),
}
