"""Sessions, personal access tokens and invitations from a notebook or a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dapp_ext.client.connection import Connection
from dapp_ext.client.drawing import ago
from dapp_ext.client.objects import Listing
from dapp_ext.client.tracebacks import short_tracebacks
from dapp_ext.client.transport import path_of
from dapp_ext.schema.accounts import AccountRead, ProfileChange, Role, TokenScope
from dapp_ext.schema.base import Page
from dapp_ext.schema.signins import InvitationCreate, InvitationRead, LinkMade, SessionRead, TokenCreate, TokenMade, TokenRead

_SESSION_COLUMNS: dict[str, Callable[[SessionRead], Any]] = {
    "door": lambda each: each.door,
    "address": lambda each: each.address,
    "token": lambda each: each.token_name or "",
    "seen": lambda each: ago(each.seen_at),
    "": lambda each: "this one" if each.is_current else "",
    "id": lambda each: each.id,
}
_TOKEN_COLUMNS: dict[str, Callable[[TokenRead], Any]] = {
    "name": lambda each: each.name,
    "scope": lambda each: each.scope,
    "expires": lambda each: f"{each.expires_at:%Y-%m-%d}",
    "id": lambda each: each.id,
}
_INVITATION_COLUMNS: dict[str, Callable[[InvitationRead], Any]] = {
    "email": lambda each: each.email,
    "role": lambda each: each.role.value,
    "by": lambda each: each.invited_by.name,
    "expires": lambda each: f"{each.expires_at:%Y-%m-%d %H:%M}",
    "id": lambda each: each.id,
}


@short_tracebacks
class SignIns:
    """The part of the client that is about who is signed in where, and with what."""

    _connection: Connection

    def _user_id(self, user: AccountRead | str) -> str:
        raise NotImplementedError

    def change_name(self, name: str) -> AccountRead:
        """Change the own name, as others see it."""
        return self._connection.transport.patch(AccountRead, "auth/me", ProfileChange(name=name))

    def sessions(self, user: AccountRead | str | None = None) -> Listing[SessionRead]:
        """Where this account is signed in; of somebody else (by object, id or email) for administrators."""
        path = "auth/sessions" if user is None else f"users/{path_of(self._user_id(user))}/sessions"
        found = self._connection.transport.get(Page[SessionRead], path)
        return Listing(found.items, "Sessions", _SESSION_COLUMNS)

    def end_session(self, session: SessionRead | str) -> None:
        """End one session at once."""
        self._connection.transport.call("DELETE", f"auth/sessions/{path_of(_id(session))}")

    def sign_out_elsewhere(self, user: AccountRead | str | None = None) -> None:
        """End every session but this one, with the personal access tokens; of somebody else for administrators: all of them."""
        if user is None:
            self._connection.transport.call("DELETE", "auth/sessions")
        else:
            self._connection.transport.call("DELETE", f"users/{path_of(self._user_id(user))}/sessions")

    def tokens(self) -> Listing[TokenRead]:
        """The personal access tokens of this account."""
        return Listing(self._connection.transport.get(Page[TokenRead], "auth/tokens").items, "Tokens", _TOKEN_COLUMNS)

    def create_token(self, name: str, scope: TokenScope = "read", days: int = 90) -> TokenMade:
        """A personal access token for a script or CI, given as ``DAPP_TOKEN``; it is shown this once."""
        return self._connection.transport.post(TokenMade, "auth/tokens", TokenCreate(name=name, scope=scope, days=days))

    def end_token(self, token: TokenRead | str) -> None:
        """End a personal access token at once."""
        self._connection.transport.call("DELETE", f"auth/tokens/{path_of(_id(token))}")

    def invitations(self) -> Listing[InvitationRead]:
        """Invitations that wait for their person."""
        return Listing(self._connection.transport.get(Page[InvitationRead], "invitations").items, "Invitations", _INVITATION_COLUMNS)

    def invite(self, email: str, name: str = "", role: Role | str = Role.analyst, hours: int = 72) -> LinkMade:
        """Invite somebody; ``url`` of the answer is the link to send, which is good once."""
        return self._connection.transport.post(
            LinkMade, "invitations", InvitationCreate.model_validate({"email": email, "name": name, "role": role, "hours": hours})
        )

    def withdraw_invitation(self, invitation: InvitationRead | str) -> None:
        """Let an invitation open nothing any more."""
        self._connection.transport.call("DELETE", f"invitations/{path_of(_id(invitation))}")

    def reset_password(self, user: AccountRead | str) -> LinkMade:
        """A link to a new password; the present one and all sessions of the account end."""
        return self._connection.transport.post(LinkMade, f"users/{path_of(self._user_id(user))}/reset")


def _id(thing: Any) -> str:
    return thing if isinstance(thing, str) else str(thing.id)
