"""Where an account is signed in, and the tokens that it gave to scripts: seen and ended by their person or an administrator."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import cast

from dapp_ext.domain.access import Thing
from dapp_ext.errors import AccountNotFound, Conflict, SignInNotFound
from dapp_ext.schema.accounts import Actor, Door, TokenScope
from dapp_ext.schema.base import Page, Subject, now
from dapp_ext.schema.events import UserEvent
from dapp_ext.schema.signins import SessionRead, TokenCreate, TokenMade, TokenRead
from dapp_ext.services.accounts import display_name
from dapp_ext.services.context import Change, Context
from dapp_ext.services.sessions import TOKEN_PREFIX, digest
from dapp_ext.store import accounts as store
from dapp_ext.store.tables import Account, SignIn

MOST_TOKENS = 50


class SignIns:
    """The service."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def sessions(self, actor: Actor, account_id: str | None = None) -> Page[SessionRead]:
        """Where an account is signed in, the latest use first; the own one, or anybody's for administrators."""
        items = [_session_read(row, actor) for row in self._rows(actor, "session.list", account_id)]
        return Page(items=items, total=len(items))

    def end(self, actor: Actor, session_id: str) -> None:
        """End a session: at once over HTTP, within a second on a WebSocket, within five on a page."""
        self._end(actor, "session.end", session_id)

    def end_all(self, actor: Actor, account_id: str | None = None) -> None:
        """End every session of an account, its personal access tokens and the links into it, but for the session that asks."""
        whose = account_id or actor.account_id
        self._context.permit(actor, "session.end", Thing(whose, "private"), AccountNotFound)
        with self._context.change(actor, "session.end_all", Subject(kind="account", id=whose)) as change:
            if change.session.get(Account, whose) is None:
                raise AccountNotFound
            store.revoke_all(change.session, whose, but=actor.session_id)
            store.end_links(change.session, whose)
            self._tell(change, whose)

    def tokens(self, actor: Actor) -> Page[TokenRead]:
        """The own personal access tokens that are still good."""
        rows = self._rows(actor, "token.list", None)
        items = [_token_read(row) for row in rows if row.token_hash is not None]
        return Page(items=items, total=len(items))

    def create_token(self, actor: Actor, request: TokenCreate) -> TokenMade:
        """A personal access token for scripts. It can do what its scope says, as far as its person's role goes."""
        self._context.permit(actor, "token.create")
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        row = SignIn(account_id=actor.account_id, door="api", address=actor.address, expires_at=now() + timedelta(days=request.days))
        row.token_hash, row.token_name, row.token_scope = digest(token), display_name(request.name), request.scope
        with self._context.change(actor, "token.create", Subject(kind="token", id=row.id)) as change:
            if sum(1 for each in store.live_sessions(change.session, actor.account_id) if each.token_hash) >= MOST_TOKENS:
                raise Conflict(f"You have {MOST_TOKENS} tokens already. End one that is not used any more.")
            change.session.add(row)
            change.details.update(scope=request.scope, days=request.days)
        return TokenMade(**_token_read(row).model_dump(), token=token)

    def end_token(self, actor: Actor, token_id: str) -> None:
        """End a personal access token at once."""
        self._end(actor, "token.end", token_id)

    def _rows(self, actor: Actor, verb: str, account_id: str | None) -> list[SignIn]:
        whose = account_id or actor.account_id
        self._context.permit(actor, verb, Thing(whose, "private"), AccountNotFound)
        with self._context.database.read() as session:
            if session.get(Account, whose) is None:
                raise AccountNotFound
            return store.live_sessions(session, whose)

    def _end(self, actor: Actor, verb: str, session_id: str) -> None:
        kind = verb.partition(".")[0]
        with self._context.database.read() as session:
            row = session.get(SignIn, session_id)
        if row is None or row.revoked_at is not None or (kind == "token") != (row.token_hash is not None):
            self._context.permit(actor, verb, Thing(actor.account_id, "private"))
            raise SignInNotFound
        self._context.permit(actor, verb, Thing(row.account_id, "private"), SignInNotFound)
        with self._context.change(actor, verb, Subject(kind=kind, id=session_id)) as change:
            store.revoke(change.session, session_id)
            self._tell(change, row.account_id)

    def _tell(self, change: Change, account_id: str) -> None:
        account = change.session.get(Account, account_id)
        assert account is not None
        change.tell("user.signed_out", Subject(kind="account", id=account_id), UserEvent(name=account.name))


def _session_read(row: SignIn, actor: Actor) -> SessionRead:
    return SessionRead(
        id=row.id,
        door=cast(Door, row.door),
        address=row.address,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        is_current=row.id == actor.session_id,
        token_name=row.token_name,
    )


def _token_read(row: SignIn) -> TokenRead:
    return TokenRead(
        id=row.id,
        name=row.token_name or "",
        scope=cast(TokenScope, row.token_scope),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.seen_at if row.seen_at > row.created_at else None,
    )
