"""Signing in and out over HTTP."""

from __future__ import annotations

import os
from typing import Any

from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider

from dapp_ext.errors import Denied
from dapp_ext.handlers.base import ApiHandler
from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.schema.accounts import AccountRead, LoginRequest, PasswordChange, ProfileChange, RefreshRequest, TicketRead, TicketRequest, TokenPair

# The providers that know one secret of one server. Any other knows people, of whom none is mapped to an account.
ONE_PERSON_PROVIDERS: tuple[type[IdentityProvider], ...] = (IdentityProvider, PasswordIdentityProvider)

# A JupyterHub's own provider, by its name: the Hub is installed where people use one, and nowhere else.
HUB_PROVIDER = ("jupyterhub.singleuser.extension", "JupyterHubIdentityProvider")


def login(call: Call[Nothing, LoginRequest]) -> TokenPair:
    return call.services.accounts.login(call.body, door="api", address=call.address, request_id=call.request_id)


def refresh(call: Call[Nothing, RefreshRequest]) -> TokenPair:
    return call.services.accounts.refresh(call.body.refresh_token, address=call.address)


def logout(call: Call[Nothing, Nothing]) -> None:
    call.services.accounts.logout(call.actor)


def me(call: Call[Nothing, Nothing]) -> AccountRead:
    return call.services.accounts.me(call.actor)


def profile(call: Call[Nothing, ProfileChange]) -> AccountRead:
    return call.services.accounts.change_profile(call.actor, call.body)


def ticket(call: Call[Nothing, TicketRequest]) -> TicketRead:
    return call.services.accounts.issue_ticket(call.actor, call.body.purpose)


def password(call: Call[Nothing, PasswordChange]) -> None:
    call.services.accounts.set_password(call.actor, call.body)


def exchange(call: Call[Nothing, Nothing]) -> TokenPair:
    return call.services.accounts.sign_in_owner(door="jupyterlab", address=call.address)


def holds_one_secret(provider: IdentityProvider) -> bool:
    """Whether this is Jupyter's own login by one token or password, and one is set."""
    return type(provider) in ONE_PERSON_PROVIDERS and bool(provider.token or getattr(provider, "hashed_password", ""))


def is_hub(provider: IdentityProvider) -> bool:
    """Whether a JupyterHub says who asks."""
    kind = type(provider)
    return (kind.__module__, kind.__qualname__) == HUB_PROVIDER


def is_hub_owner(user: Any) -> bool:
    """Whether this is the person for whom the Hub started this server.

    Others may be let in as well (shared servers, the Hub's administrators and services): they are somebody else, and
    sign in with an account of their own.
    """
    known = getattr(user, "hub_user", None) or {}
    return bool(known.get("name")) and known.get("kind") == "user" and known["name"] == os.environ.get("JUPYTERHUB_USER")


class JupyterExchange(ApiHandler):
    """Jupyter's login for DAPP's tokens: on a one-person server whoever holds its secret is the owner."""

    async def admit(self) -> None:
        await super().admit()
        provider = self.identity_provider
        if is_hub(provider) and self.backend.personal:
            self._admit_from_hub()
            return
        if type(provider) not in ONE_PERSON_PROVIDERS or not self.backend.personal:
            raise Denied("This server knows people by another login, which is not mapped to DAPP's accounts. Sign in with your DAPP email and password.")
        if not holds_one_secret(provider):
            raise Denied(
                "This Jupyter server runs without a token or password, so it cannot tell who you are. "
                "Start it with one, or sign in with your DAPP email and password."
            )

    def _admit_from_hub(self) -> None:
        """A Hub gives each person a server and a home of their own; whose it is owns the workspace that is kept there."""
        if not self.backend.settings().uses_sqlite:
            raise Denied("Everybody on this JupyterHub opens the same workspace. Sign in with your DAPP email and password.")
        if not is_hub_owner(self.current_user):
            raise Denied("The JupyterHub server you are on is somebody else's. Sign in with your own DAPP email and password.")
