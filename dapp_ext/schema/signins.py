"""Ways in: invitations and other links for one use, the places where one is signed in, tokens for scripts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from dapp_ext.schema.accounts import Door, Role, TokenScope
from dapp_ext.schema.base import Answer, Named, Request


class InvitationCreate(Request):
    """Ask somebody in; the account is made when the link is used."""

    email: str = Field(min_length=3, max_length=254)
    name: str = Field(default="", max_length=120)
    role: Role = Role.analyst
    hours: int = Field(default=72, ge=1, le=24 * 30, description="How long the link can be used, in hours.")


class InvitationRead(Answer):
    """An invitation that waits. The link itself is told once, to whoever made it."""

    id: str
    email: str
    name: str = ""
    role: Role
    invited_by: Named
    created_at: datetime
    expires_at: datetime


class LinkMade(Answer):
    """A link for one use, told this once; ``url`` is null while no dashboard answers and none is configured."""

    id: str
    email: str
    token: str
    url: str | None = None
    expires_at: datetime


class LinkOffer(Answer):
    """What a link leads to: an account of one's own, or a new password for one."""

    purpose: Literal["invitation", "reset"]
    email: str
    name: str = ""
    role: Role
    expires_at: datetime


class LinkAccept(Request):
    """Use up a link: choose a name (for a new account) and a password."""

    token: str = Field(min_length=1, max_length=512)
    password: str = Field(min_length=1, max_length=1024)
    name: str = Field(default="", max_length=120)


class SessionRead(Answer):
    """One place where an account is signed in."""

    id: str
    door: Door
    address: str = ""
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_current: bool = Field(default=False, description="Whether it is the one that asked.")
    token_name: str | None = Field(default=None, description="The personal access token behind it, where there is one.")


class TokenCreate(Request):
    """Ask for a personal access token."""

    name: str = Field(min_length=1, max_length=120)
    scope: TokenScope = "read"
    days: int = Field(default=90, ge=1, le=366, description="How long it is valid, in days.")


class TokenRead(Answer):
    """A personal access token, without the token."""

    id: str
    name: str
    scope: TokenScope
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None


class TokenMade(TokenRead):
    """A new personal access token; the token itself is told this once."""

    token: str
