"""Links for one use: into a new account, or to a new password. An administrator makes them and never learns a password."""

from __future__ import annotations

import secrets
from datetime import timedelta

from dapp_ext.errors import AccountNotFound, Denied, NameTaken, NotFound, NotSignedIn
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.base import Named, Page, Subject, now
from dapp_ext.schema.signins import InvitationCreate, InvitationRead, LinkAccept, LinkMade, LinkOffer
from dapp_ext.services.accounts import Accounts, display_name, plain_email
from dapp_ext.services.context import Context
from dapp_ext.services.known_tokens import Entry
from dapp_ext.services.sessions import digest
from dapp_ext.services.system import System
from dapp_ext.store import accounts as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Account, Invitation

RESET_LIFE = timedelta(hours=24)
_PREFIX = "dapp_iv_"


class Invitations:
    """The service."""

    def __init__(self, context: Context, accounts: Accounts, system: System) -> None:
        self._context = context
        self._accounts = accounts
        self._system = system

    def create(self, actor: Actor, request: InvitationCreate) -> LinkMade:
        """Invite somebody; an earlier invitation of the same address opens nothing any more.

        Raises
        ------
        NameTaken
            When the address has an account already.
        """
        self._context.permit(actor, "invitation.create")
        email = plain_email(request.email)
        name = display_name(request.name) if request.name.strip() else ""
        row = Invitation(
            hash="", email=email, name=name, role=request.role.value, invited_by=actor.account_id, expires_at=now() + timedelta(hours=request.hours)
        )
        with self._context.change(actor, "invitation.create", Subject(kind="invitation", id=row.id)) as change:
            if store.by_email(change.session, email) is not None:
                raise NameTaken("There is an account with this email already. To let its person set a new password, reset it.")
            change.details.update(email=email, role=row.role)
            return self._link(change.session, row)

    def list(self, actor: Actor) -> Page[InvitationRead]:
        """Invitations that wait for their person, newest first."""
        self._context.permit(actor, "invitation.list")
        with self._context.database.read() as session:
            rows = store.open_invitations(session)
            names = store.names(session, {row.invited_by for row in rows})
        items = [
            InvitationRead(
                id=row.id,
                email=row.email,
                name=row.name,
                role=Role(row.role),
                invited_by=Named(id=row.invited_by, name=names.get(row.invited_by, "")),
                created_at=row.created_at,
                expires_at=row.expires_at,
            )
            for row in rows
        ]
        return Page(items=items, total=len(items))

    def withdraw(self, actor: Actor, invitation_id: str) -> None:
        """Let a link open nothing any more."""
        self._context.permit(actor, "invitation.withdraw")
        with self._context.change(actor, "invitation.withdraw", Subject(kind="invitation", id=invitation_id)) as change:
            row = change.session.get(Invitation, invitation_id)
            if row is None or row.used_at or row.withdrawn_at:
                raise NotFound("There is no such invitation, or it was used already.")
            row.withdrawn_at = now()
            change.session.add(row)

    def reset(self, actor: Actor, account_id: str) -> LinkMade:
        """A link to a new password for somebody. The present password stops working at once, and every session ends."""
        self._context.permit(actor, "account.update")
        if account_id == actor.account_id and actor.door != "cli":
            raise Denied("Change your own password on the Account page.")
        with self._context.change(actor, "account.reset", Subject(kind="account", id=account_id)) as change:
            if change.session.get(Account, account_id) is None:
                raise AccountNotFound
            account = self._accounts.replace_password(change, account_id, None)
            row = Invitation(hash="", email=account.email, name=account.name, role=account.role, account_id=account.id, invited_by=actor.account_id)
            row.expires_at = now() + RESET_LIFE
            return self._link(change.session, row)

    # -- for whoever holds a link -------------------------------------------------------------------------------

    def offer(self, token: str) -> LinkOffer:
        """What a link leads to; looking does not use it up.

        Raises
        ------
        NotSignedIn
            When it opens nothing (any more).
        """
        with self._context.database.read() as session:
            return _offer(store.open_invitation(session, digest(token)))

    def accept(self, request: LinkAccept, entry: Entry) -> Actor:
        """Use up a link: make the account, or give it the new password. The visitor then signs its person in.

        Raises
        ------
        NotSignedIn
            When it opens nothing (any more).
        PasswordWeak
            The link can be used again with a better one.
        """
        offer = self.offer(request.token)
        name = display_name(request.name or offer.name or offer.email.partition("@")[0])
        password_hash = self._accounts.hash_password(request.password, offer.email, name)
        with self._context.change(None, None) as change:
            row = store.win_invitation(change.session, digest(request.token))
            _offer(row)
            assert row is not None
            if row.account_id is None:
                account = self._accounts.add(change, Account(email=row.email, name=name, role=row.role, password_hash=password_hash))
            else:
                account = self._accounts.replace_password(change, row.account_id, password_hash)
            if account.disabled:
                raise NotSignedIn("This account is disabled. Ask an administrator.")
            return self._accounts.record_acceptance(change, account, entry, "account.reset" if row.account_id else "invitation.accept")

    def _link(self, session: Session, row: Invitation) -> LinkMade:
        token = _PREFIX + secrets.token_urlsafe(32)
        row.hash = digest(token)
        store.withdraw_invitations(session, row.email)
        session.add(row)
        session.flush()
        base = self._system.dashboard_address()
        return LinkMade(id=row.id, email=row.email, token=token, url=f"{base}/accept?token={token}" if base else None, expires_at=row.expires_at)


def _offer(row: Invitation | None) -> LinkOffer:
    if row is None:
        raise NotSignedIn("This link was used already, was withdrawn, or is too old. Ask an administrator for a new one.")
    purpose = "reset" if row.account_id else "invitation"
    return LinkOffer(purpose=purpose, email=row.email, name=row.name, role=Role(row.role), expires_at=row.expires_at)
