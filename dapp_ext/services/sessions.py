"""Signing in and staying signed in: sessions, access and refresh tokens, cookies of browsers, tickets for one use."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Literal, cast

from dapp_ext.errors import AccountNotFound, LoginRefused, NotSignedIn, Throttled
from dapp_ext.schema.accounts import AccountRead, Actor, Door, LoginRequest, Role, TicketPurpose, TicketRead, TokenPair
from dapp_ext.schema.base import Subject, now
from dapp_ext.schema.events import UserEvent
from dapp_ext.services.context import Change, Context
from dapp_ext.services.passwords import Passwords
from dapp_ext.services.tokens import AccessTokens
from dapp_ext.store import accounts as store
from dapp_ext.store import audit
from dapp_ext.store.tables import Account, RefreshToken, SignIn, Ticket

REFRESH_IDLE = timedelta(hours=24)
REFRESH_GRACE = timedelta(seconds=10)  # a lost answer may be asked for again for so long
SEEN_EVERY = timedelta(minutes=1)
FREE_FAILURES = 5
FAILURES_FORGOTTEN = timedelta(hours=1)
CLIENT_FAILURES = 30
LONGEST_DELAY = 300
TICKET_LIFE: dict[TicketPurpose, timedelta] = {"websocket": timedelta(seconds=60), "dashboard": timedelta(minutes=15), "jupyterlab": timedelta(minutes=15)}
_PREFIX = {"refresh": "dapp_rt_", "ticket": "dapp_wt_", "cookie": "dapp_cs_"}


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _random(kind: Literal["refresh", "ticket", "cookie"]) -> str:
    return _PREFIX[kind] + secrets.token_urlsafe(32)


class Sessions:
    """Everything about being signed in. :class:`~dapp_ext.services.accounts.Accounts` adds the people."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._passwords = Passwords(context.secret("pepper"))
        self._refresh_key = context.secret("refresh")
        signing = context.keyring.signing_key()
        lifetime = context.settings.access_minutes * 60
        self._tokens = AccessTokens(signing.private_key, signing.public_key, signing.kid, f"dapp:{context.instance_id}", lifetime)

    # -- signing in ---------------------------------------------------------------------------------------------

    def login(self, request: LoginRequest, *, door: Door = "api", address: str = "", request_id: str = "") -> TokenPair:
        """Sign in with email and password.

        Raises
        ------
        LoginRefused
            Whatever is wrong: unknown, disabled, no password yet, wrong password.
        Throttled
            After five failures, for a growing time; ``details["retry_after"]`` in seconds.
        """
        account = self._verified(request, address, request_id)
        return self._start(account, door, address, request_id)

    def login_browser(self, request: LoginRequest, *, address: str = "", request_id: str = "") -> tuple[str, Actor]:
        """Sign in with email and password for a cookie."""
        account = self._verified(request, address, request_id)
        return self._start_browser(account, "dashboard", address, request_id)

    def sign_in_owner(self, *, door: Door = "jupyterlab", address: str = "") -> TokenPair:
        """Tokens for the owner, for a visitor that has checked Jupyter's own login on a one-person server."""
        with self._context.database.read() as session:
            account = store.owner(session)
        if account is None or account.disabled:
            raise NotSignedIn("The owner's account is disabled. Sign in with your email and password.")
        return self._start(account, door, address, "")

    def _verified(self, request: LoginRequest, address: str, request_id: str) -> Account:
        email = request.email.strip().casefold()
        keys = (f"account:{_digest(email)[:32]}|{address}", f"client:{address}")
        self._refuse_haste(keys)
        with self._context.database.read() as session:
            account = store.by_email(session, email)
        right = self._passwords.verify(account.password_hash if account else None, request.password)
        if account is None or not right or account.disabled:
            self._count_failure(keys, account, address, request_id)
            raise LoginRefused
        with self._context.database.write() as session:
            store.clear_failures(session, keys[0])
        return account

    def _refuse_haste(self, keys: tuple[str, str]) -> None:
        with self._context.database.read() as session:
            mine, client = store.failures(session, keys[0]), store.failures(session, keys[1])
        wait = 0.0
        if mine is not None and mine.count >= FREE_FAILURES:
            delay = min(LONGEST_DELAY, 2 ** min(mine.count - FREE_FAILURES, 20))
            wait = (mine.last_at + timedelta(seconds=delay) - now()).total_seconds()
        if client is not None and client.count >= CLIENT_FAILURES:
            wait = max(wait, (client.last_at + timedelta(minutes=1) - now()).total_seconds())
        if wait > 0:
            seconds = int(wait) + 1
            raise Throttled(f"Too many failed sign-ins. Try again in {seconds} seconds.", retry_after=seconds)

    def _count_failure(self, keys: tuple[str, str], account: Account | None, address: str, request_id: str) -> None:
        with self._context.database.write() as session:
            store.count_failure(session, keys[0], forget_before=now() - FAILURES_FORGOTTEN)
            store.count_failure(session, keys[1], forget_before=now() - timedelta(minutes=1))
        subject = Subject(kind="account", id=account.id) if account else None
        nobody = None if account is None else _actor(account, None, "api", address, request_id)
        self._context.note(nobody, "account.login", subject, "deny", {"address": address, "disabled": bool(account and account.disabled)})

    def _start(self, account: Account, door: Door, address: str, request_id: str) -> TokenPair:
        with self._context.change(None, None) as change:
            row = self._new_session(change, account, door, address, request_id)
            refresh = _random("refresh")
            change.session.add(RefreshToken(hash=_digest(refresh), session_id=row.id))
        return self._pair(account, row.id, refresh)

    def _start_browser(self, account: Account, door: Door, address: str, request_id: str) -> tuple[str, Actor]:
        cookie = _random("cookie")
        with self._context.change(None, None) as change:
            row = self._new_session(change, account, door, address, request_id)
            row.cookie_hash = _digest(cookie)
        return cookie, _actor(account, row.id, door, address, request_id)

    def _new_session(self, change: Change, account: Account, door: Door, address: str, request_id: str) -> SignIn:
        row = SignIn(account_id=account.id, door=door, address=address, expires_at=now() + timedelta(days=self._context.settings.session_days))
        change.session.add(row)
        change.session.flush()
        stored = change.session.get(Account, account.id)
        assert stored is not None
        stored.seen_at = now()
        change.session.add(stored)
        change.actor = _actor(account, row.id, door, address, request_id)
        subject = Subject(kind="account", id=account.id)
        self._context.record(change.session, audit.Entry(change.actor, "account.login", subject))
        change.tell("user.signed_in", subject, UserEvent(name=account.name, role=account.role))
        return row

    def _pair(self, account: Account, session_id: str, refresh: str) -> TokenPair:
        access = self._tokens.make(account.id, session_id)
        return TokenPair(access_token=access, refresh_token=refresh, expires_in=self._tokens.lifetime, account=account_read(account))

    # -- staying signed in --------------------------------------------------------------------------------------

    def authenticate(self, access_token: str, *, door: Door = "api", address: str = "", request_id: str = "") -> Actor:
        """Who holds this access token, as the database knows the account at this moment."""
        account_id, session_id = self._tokens.read(access_token)
        with self._context.database.read() as session:
            found = store.live_session(session, session_id)
        if found is None or found[1].id != account_id:
            raise NotSignedIn
        self._seen(found[0])
        return _actor(found[1], session_id, door, address, request_id)

    def browser_session(self, cookie: str, *, address: str = "", request_id: str = "") -> Actor:
        """Who holds this cookie."""
        with self._context.database.read() as session:
            found = store.session_of_cookie(session, _digest(cookie))
        if found is None:
            raise NotSignedIn
        self._seen(found[0])
        return _actor(found[1], found[0].id, cast(Door, found[0].door), address, request_id)

    def is_live(self, actor: Actor) -> bool:
        """Whether the session that the actor came with still counts."""
        if actor.session_id is None:
            return True
        with self._context.database.read() as session:
            return store.live_session(session, actor.session_id) is not None

    def _seen(self, row: SignIn) -> None:
        if now() - row.seen_at > SEEN_EVERY:
            with self._context.database.write() as session:
                stored = session.get(SignIn, row.id)
                if stored is not None:
                    stored.seen_at = now()
                    session.add(stored)

    def refresh(self, refresh_token: str, *, address: str = "") -> TokenPair:
        """A new pair for a refresh token, which is then used up.

        The successor is derived from the token, so the same answer can be given again for ten seconds, should the
        first have been lost. Any later use means that two parties hold the token: the whole session ends.
        """
        digest = _digest(refresh_token)
        with self._context.database.write() as session:
            row = session.get(RefreshToken, digest)
            found = store.live_session(session, row.session_id) if row is not None else None
            if row is None or found is None or row.issued_at < now() - REFRESH_IDLE:
                raise NotSignedIn
            successor = _PREFIX["refresh"] + hmac.new(self._refresh_key, f"{refresh_token}|{row.seq}".encode(), hashlib.sha256).hexdigest()
            used_at = row.used_at
            if store.win_refresh(session, digest):
                session.add(RefreshToken(hash=_digest(successor), session_id=row.session_id, seq=row.seq + 1))
                return self._pair(found[1], row.session_id, successor)
            following = session.get(RefreshToken, _digest(successor))
            if used_at is not None and following is not None and following.used_at is None and now() - used_at <= REFRESH_GRACE:
                return self._pair(found[1], row.session_id, successor)
            store.revoke(session, row.session_id)
            session_id, account = row.session_id, found[1]
        actor = _actor(account, session_id, "api", address, "")
        self._context.note(actor, "account.refresh_reuse", Subject(kind="account", id=account.id), "deny")
        raise NotSignedIn

    def logout(self, actor: Actor) -> None:
        """End the session that the actor came with."""
        if actor.session_id is None:
            return
        subject = Subject(kind="account", id=actor.account_id)
        with self._context.change(actor, "account.logout", subject) as change:
            store.revoke(change.session, actor.session_id)
            change.tell("user.signed_out", subject, UserEvent(name=actor.name))

    # -- tickets and cookies ------------------------------------------------------------------------------------

    def issue_ticket(self, actor: Actor, purpose: TicketPurpose) -> TicketRead:
        """A credential for one use: to open a WebSocket, or a page signed in."""
        return self._ticket(actor.account_id, actor.session_id, purpose)

    def signin_link(self, email: str | None, purpose: TicketPurpose) -> TicketRead:
        """A ticket for an account, by whoever rules this machine; the owner's when no email is given."""
        with self._context.database.read() as session:
            account = store.owner(session) if email is None else store.by_email(session, email.strip().casefold())
        if account is None or account.disabled:
            raise AccountNotFound
        return self._ticket(account.id, None, purpose)

    def redeem_ticket(self, ticket: str, purpose: TicketPurpose, *, address: str = "") -> Actor:
        """Use up a ticket.

        A ticket for a WebSocket continues the session that it was asked from; one for a page has none yet, the page
        opens its own.
        """
        with self._context.database.write() as session:
            row = store.win_ticket(session, _digest(ticket), purpose)
            account = session.get(Account, row.account_id) if row is not None else None
            if row is None or account is None or account.disabled:
                raise NotSignedIn("This sign-in link was used already, or is too old. Ask for a new one: jupyter dapp signin-link")
            if row.session_id is not None and store.live_session(session, row.session_id) is None:
                raise NotSignedIn
            session_id = row.session_id if purpose == "websocket" else None
        return _actor(account, session_id, "jupyterlab" if purpose == "jupyterlab" else "api" if purpose == "websocket" else "dashboard", address, "")

    def open_browser_session(self, actor: Actor, *, door: Door = "dashboard", address: str = "") -> str:
        """A cookie with a session of its own, for an actor who has just proved who it is."""
        with self._context.database.read() as session:
            account = session.get(Account, actor.account_id)
        if account is None or account.disabled:
            raise NotSignedIn
        return self._start_browser(account, door, address, actor.request_id)[0]

    def _ticket(self, account_id: str, session_id: str | None, purpose: TicketPurpose) -> TicketRead:
        ticket, expires = _random("ticket"), now() + TICKET_LIFE[purpose]
        with self._context.database.write() as session:
            session.add(Ticket(hash=_digest(ticket), account_id=account_id, session_id=session_id, purpose=purpose, expires_at=expires))
        return TicketRead(ticket=ticket, purpose=purpose, expires_at=expires)


def account_read(account: Account) -> AccountRead:
    """An account without what nobody may see."""
    return AccountRead(
        id=account.id,
        email=account.email,
        name=account.name,
        role=Role(account.role),
        disabled=account.disabled,
        has_password=account.password_hash is not None,
        created_at=account.created_at,
        last_seen_at=account.seen_at,
    )


def _actor(account: Account, session_id: str | None, door: Door, address: str, request_id: str) -> Actor:
    return Actor(
        account_id=account.id,
        email=account.email,
        name=account.name,
        role=Role(account.role),
        session_id=session_id,
        door=door,
        address=address,
        request_id=request_id,
    )


def forgotten_before(moment: datetime) -> datetime:
    """Tickets and ended sessions older than this are swept away."""
    return moment - timedelta(days=1)
