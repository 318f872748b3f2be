"""Admin: accounts, invitations, the audit log, the state of the platform."""

from __future__ import annotations

from pydantic import Field

from dapp_ext.schema.accounts import AccountCreate, AccountUpdate
from dapp_ext.schema.audit import AuditFilter
from dapp_ext.schema.keys import KeyRetire, SigningRotate
from dapp_ext.schema.signins import InvitationCreate
from dapp_panel.pages.asking import Call, Nothing, One, call


class UpdateOf(AccountUpdate):
    """A new name, role or state for one account."""

    ref: str = Field(min_length=1, max_length=300)


class AuditListing(AuditFilter):
    """One page of the audit log."""

    limit: int = Field(default=60, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=100)


def filter_of(asked: AuditListing) -> AuditFilter:
    """What the log is looked through for."""
    return AuditFilter(**{name: getattr(asked, name) for name in AuditFilter.model_fields})


CALLS: dict[str, Call] = {
    "accounts.list": call(Nothing, lambda services, actor, _: services.accounts.list(actor)),
    "accounts.create": call(AccountCreate, lambda services, actor, asked: services.accounts.create(actor, asked)),
    "accounts.update": call(
        UpdateOf,
        lambda services, actor, asked: services.accounts.update(actor, asked.ref, AccountUpdate(**asked.model_dump(exclude={"ref"}, exclude_unset=True))),
    ),
    "accounts.quotas": call(Nothing, lambda services, actor, _: services.accounts.quotas(actor)),
    "accounts.reset": call(One, lambda services, actor, asked: services.invitations.reset(actor, asked.ref)),
    "accounts.end_sessions": call(One, lambda services, actor, asked: services.signins.end_all(actor, asked.ref)),
    "invitations.list": call(Nothing, lambda services, actor, _: services.invitations.list(actor)),
    "invitations.create": call(InvitationCreate, lambda services, actor, asked: services.invitations.create(actor, asked)),
    "invitations.withdraw": call(One, lambda services, actor, asked: services.invitations.withdraw(actor, asked.ref)),
    "audit.list": call(
        AuditListing, lambda services, actor, asked: services.audit.list(actor, limit=asked.limit, cursor=asked.cursor, wanted=filter_of(asked))
    ),
    "audit.verify": call(Nothing, lambda services, actor, _: services.audit.verify(actor)),
    "keys.status": call(Nothing, lambda services, actor, _: services.keys.status(actor)),
    "keys.rotate": call(Nothing, lambda services, actor, _: services.keys.rotate(actor)),
    "keys.rotate_signing": call(SigningRotate, lambda services, actor, asked: services.keys.rotate_signing(actor, at_once=asked.now)),
    "keys.retire": call(KeyRetire, lambda services, actor, asked: services.keys.retire(actor, asked.kid)),
    "system.status": call(Nothing, lambda services, actor, _: services.system.status(actor)),
}
