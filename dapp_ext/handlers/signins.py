"""Sessions, personal access tokens, invitations and other links for one use, over HTTP."""

from __future__ import annotations

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.schema.accounts import TokenPair
from dapp_ext.schema.base import Page
from dapp_ext.schema.signins import InvitationCreate, InvitationRead, LinkAccept, LinkMade, SessionRead, TokenCreate, TokenMade, TokenRead


def sessions(call: Call[Nothing, Nothing]) -> Page[SessionRead]:
    return call.services.signins.sessions(call.actor)


def end_session(call: Call[Nothing, Nothing]) -> None:
    call.services.signins.end(call.actor, call.ref)


def end_sessions(call: Call[Nothing, Nothing]) -> None:
    call.services.signins.end_all(call.actor)


def sessions_of(call: Call[Nothing, Nothing]) -> Page[SessionRead]:
    return call.services.signins.sessions(call.actor, call.ref)


def end_sessions_of(call: Call[Nothing, Nothing]) -> None:
    call.services.signins.end_all(call.actor, call.ref)


def tokens(call: Call[Nothing, Nothing]) -> Page[TokenRead]:
    return call.services.signins.tokens(call.actor)


def create_token(call: Call[Nothing, TokenCreate]) -> TokenMade:
    return call.services.signins.create_token(call.actor, call.body)


def end_token(call: Call[Nothing, Nothing]) -> None:
    call.services.signins.end_token(call.actor, call.ref)


def invitations(call: Call[Nothing, Nothing]) -> Page[InvitationRead]:
    return call.services.invitations.list(call.actor)


def invite(call: Call[Nothing, InvitationCreate]) -> LinkMade:
    return call.services.invitations.create(call.actor, call.body)


def withdraw(call: Call[Nothing, Nothing]) -> None:
    call.services.invitations.withdraw(call.actor, call.ref)


def reset(call: Call[Nothing, Nothing]) -> LinkMade:
    return call.services.invitations.reset(call.actor, call.ref)


def accept(call: Call[Nothing, LinkAccept]) -> TokenPair:
    from dapp_ext.services.known_tokens import Entry  # loaded by now; importing it takes seconds

    actor = call.services.invitations.accept(call.body, Entry("api", call.address, call.request_id))
    return call.services.accounts.open_session(actor)
