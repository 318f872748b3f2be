"""Who is asking, and the shapes of signing in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Named, Request


class Role(StrEnum):
    """What an account may do; the policy is in ``domain.access``."""

    admin = "admin"
    analyst = "analyst"
    viewer = "viewer"


Door = Literal["api", "jupyterlab", "dashboard", "cli", "worker"]
TicketPurpose = Literal["websocket", "dashboard", "jupyterlab"]
# What a personal access token may be used for; each includes the ones before.
TokenScope = Literal["read", "predict", "write", "admin"]


class Actor(Answer):
    """The account behind a call, as the database knows it at this moment."""

    account_id: str
    email: str
    name: str
    role: Role
    session_id: str | None = None
    scope: TokenScope | None = None  # of a personal access token; None for a person who is signed in
    door: Door = "api"
    address: str = ""
    request_id: str = ""


class AccountRead(Answer):
    """An account as others may see it."""

    id: str
    email: str
    name: str
    role: Role
    disabled: bool = False
    has_password: bool = True
    created_at: datetime
    last_seen_at: datetime | None = None


class LoginRequest(Request):
    email: str = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=1024)


class RefreshRequest(Request):
    refresh_token: str = Field(min_length=1, max_length=512)


class ResumeRequest(Request):
    refresh_token: str | None = Field(
        default=None, min_length=1, max_length=512, description="One that the browser keeps from now on; left out, the one that it keeps already."
    )


class TokenPair(Answer):
    """A short access token and the refresh token that follows it; each refresh token is good once."""

    access_token: str
    refresh_token: str = Field(description="Empty where the browser keeps it.")
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = Field(description="Seconds until the access token ends.")
    account: AccountRead


class TicketRequest(Request):
    purpose: TicketPurpose


class TicketRead(Answer):
    """A credential for one use within a minute or so."""

    ticket: str
    purpose: TicketPurpose
    expires_at: datetime
    url: str | None = Field(default=None, description="Where to use it, for tickets that open a page.")


class AccountCreate(Request):
    email: str = Field(min_length=3, max_length=254)
    name: str = Field(default="", max_length=120)
    role: Role = Role.analyst
    password: str | None = Field(default=None, max_length=1024)


class AccountUpdate(Request):
    name: str | None = Field(default=None, max_length=120)
    role: Role | None = None
    disabled: bool | None = None
    quota: int | None = Field(default=None, ge=0, le=2**60, description="Bytes that may be stored, 0 for any number; null for the workspace's own setting.")


class QuotaRead(Answer):
    """What an account stores and may store, in bytes; ``quota`` is null where nothing is limited."""

    account: Named
    email: str
    used: int
    quota: int | None = None
    free: int | None = None
    is_own: bool = Field(default=False, description="Whether the quota was set for this account.")


class ProfileChange(Request):
    """What everybody may change of the own account."""

    name: str = Field(min_length=1, max_length=120)


class PasswordChange(Request):
    """The present password may be left out only while the account has none yet."""

    current_password: str | None = Field(default=None, max_length=1024)
    new_password: str = Field(max_length=1024)
