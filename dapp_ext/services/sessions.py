"""Signing in and staying signed in: sessions, access and refresh tokens, cookies of browsers, tickets for one use."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from functools import partial
from typing import Literal, cast

from dapp_ext.errors import AccountNotFound, LoginRefused, NotSignedIn
from dapp_ext.schema.accounts import AccountRead, Actor, Door, LoginRequest, Role, TicketPurpose, TicketRead, TokenPair
from dapp_ext.schema.base import Subject, now
from dapp_ext.schema.events import UserEvent
from dapp_ext.services.context import Change, Context
from dapp_ext.services.known_tokens import Entry, KnownTokens
from dapp_ext.services.passwords import Passwords
from dapp_ext.services.signing import Signers
from dapp_ext.services.throttling import Throttle
from dapp_ext.services.tokens import AccessTokens
from dapp_ext.store import accounts as store
from dapp_ext.store import audit
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Account, RefreshToken, SignIn, Ticket

REFRESH_IDLE = timedelta(hours=24)
REFRESH_GRACE = timedelta(seconds=10)  # a lost answer may be asked for again for so long
SEEN_EVERY = timedelta(minutes=1)
TICKET_LIFE: dict[TicketPurpose, timedelta] = {"websocket": timedelta(seconds=60), "dashboard": timedelta(minutes=15), "jupyterlab": timedelta(minutes=15)}
TOKEN_PREFIX = "dapp_pat_"
_PREFIX = {"refresh": "dapp_rt_", "ticket": "dapp_wt_", "cookie": "dapp_cs_"}


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _by_cookie(cookie: str) -> str:
    """The name that a cookie is kept by among the credentials; no access token begins so."""
    return f"cookie {cookie}"


def _random(kind: Literal["refresh", "ticket", "cookie"]) -> str:
    return _PREFIX[kind] + secrets.token_urlsafe(32)


class Sessions:
    """Everything about being signed in. :class:`~dapp_ext.services.accounts.Accounts` adds the people."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._passwords = Passwords(context.secret("pepper"))
        self._throttle = Throttle(context)
        self._refresh_key = context.secret("refresh")
        self._signers = Signers(context)
        self._known = KnownTokens(context, SEEN_EVERY)
        self._tokens = AccessTokens(f"dapp:{context.instance_id}", context.settings.access_minutes * 60)

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
        account = self._verified(request, audit.Origin(door, address, request_id))
        return self._start(account, door, address, request_id)

    def login_browser(self, request: LoginRequest, *, address: str = "", request_id: str = "", device: str = "") -> tuple[str, Actor]:
        """Sign in with email and password for a cookie. ``device`` is the mark of a browser that has signed in before."""
        account = self._verified(request, audit.Origin("dashboard", address, request_id), device)
        return self._start_browser(account, "dashboard", address, request_id)

    def sign_in_owner(self, *, door: Door = "jupyterlab", address: str = "") -> TokenPair:
        """Tokens for the owner, for a visitor that has checked Jupyter's own login on a one-person server."""
        with self._context.database.read() as session:
            account = store.owner(session)
        if account is None or account.disabled:
            raise NotSignedIn("The owner's account is disabled. Sign in with your email and password.")
        return self._start(account, door, address, "")

    def _verified(self, request: LoginRequest, origin: audit.Origin, device: str = "") -> Account:
        email = request.email.strip().casefold()
        self._throttle.look(email, origin.address, device)
        with self._passwords.turn():
            attempt = self._throttle.attempt(email, origin.address, device)
            with self._context.database.read() as session:
                account = store.by_email(session, email)
            right = self._passwords.verify(account.password_hash if account else None, request.password)
        if account is None or not right or account.disabled:
            subject = Subject(kind="account", id=account.id) if account else None
            named = None if account is None else _actor(account, None, cast(Door, origin.door), origin.address, origin.request_id)
            details = {"address": origin.address, "disabled": bool(account and account.disabled)}
            with self._context.database.write() as session:
                self._context.record(session, audit.Entry(named, "account.login", subject, "deny", details, origin))
            raise LoginRefused
        self._throttle.succeeded(attempt)
        self._renew_hash(account, request.password)
        return account

    def _renew_hash(self, account: Account, password: str) -> None:
        """Make a hash of older parameters again; now is the only moment when the password is known."""
        old = account.password_hash
        if old is not None and self._passwords.is_outdated(old):
            fresh = self._passwords.hash(password)
            with self._context.database.write() as session:
                store.replace_hash(session, account.id, old, fresh)
            account.password_hash = fresh

    def _start(self, account: Account, door: Door, address: str, request_id: str) -> TokenPair:
        with self._context.change(None, None) as change:
            row = self._new_session(change, account, door, address, request_id)
            refresh = _random("refresh")
            change.session.add(RefreshToken(hash=digest(refresh), session_id=row.id))
            return self._pair(change.session, account, row.id, refresh)

    def _start_browser(self, account: Account, door: Door, address: str, request_id: str) -> tuple[str, Actor]:
        cookie = _random("cookie")
        with self._context.change(None, None) as change:
            row = self._new_session(change, account, door, address, request_id)
            row.cookie_hash = digest(cookie)
        return cookie, _actor(account, row.id, door, address, request_id)

    def _new_session(self, change: Change, account: Account, door: Door, address: str, request_id: str) -> SignIn:
        stored = change.session.get(Account, account.id)
        if stored is None or stored.disabled or stored.password_hash != account.password_hash:
            raise LoginRefused  # changed while the password was looked at; whoever changed it has ended all sessions
        row = SignIn(account_id=account.id, door=door, address=address, expires_at=now() + timedelta(days=self._context.settings.session_days))
        change.session.add(row)
        change.session.flush()
        stored.seen_at = now()
        change.session.add(stored)
        change.actor = _actor(account, row.id, door, address, request_id)
        subject = Subject(kind="account", id=account.id)
        self._context.record(change.session, audit.Entry(change.actor, "account.login", subject))
        change.tell("user.signed_in", subject, UserEvent(name=account.name, role=account.role))
        return row

    def _pair(self, session: Session, account: Account, session_id: str, refresh: str) -> TokenPair:
        access = self._tokens.make(self._signers.active(session), account.id, session_id)
        return TokenPair(access_token=access, refresh_token=refresh, expires_in=self._tokens.lifetime, account=account_read(account))

    # -- staying signed in --------------------------------------------------------------------------------------

    def authenticate(self, access_token: str, *, door: Door = "api", address: str = "", request_id: str = "") -> Actor:
        """Who holds this access token, or personal access token, as the database knows the account at this moment."""
        asked = self._known.ask()
        if access_token.startswith(TOKEN_PREFIX):
            with self._context.database.read() as session:
                found = store.session_of_token(session, digest(access_token))
            if found is None:
                raise NotSignedIn
        else:
            with self._context.database.read() as session:
                account_id, session_id = self._tokens.read(access_token, partial(self._signers.accepted, session))
                found = store.live_session(session, session_id)
            if found is None or found[1].id != account_id or found[0].token_hash is not None:
                raise NotSignedIn
        self._seen(found[0])
        actor = _session_actor(found, door, address, request_id)
        self._known.keep(access_token, actor, found[0], asked)
        return actor

    def recall(self, access_token: str, stamp: int | None, *, door: Door = "api", address: str = "", request_id: str = "") -> Actor | None:
        """The same as :meth:`authenticate` where it was asked less than a second ago and nothing has changed since.

        Waits for nothing, so that an event loop may ask. On SQLite any commit by anybody counts as a change, told by the
        database's stamp of this moment; elsewhere the feed tells of changes to accounts.
        """
        return self._known.recall(access_token, stamp, Entry(door, address, request_id))

    def recall_browser(self, cookie: str, stamp: int | None, *, address: str = "", request_id: str = "") -> Actor | None:
        """The same as :meth:`browser_session` where it was asked less than a second ago and nothing has changed since; waits for nothing."""
        return self._known.recall(_by_cookie(cookie), stamp, Entry(address=address, request_id=request_id))

    def browser_session(self, cookie: str, *, address: str = "", request_id: str = "") -> Actor:
        """Who holds this cookie; a stream of calls asks the database once, as long as nothing was committed since."""
        asked, name = self._known.ask(), _by_cookie(cookie)
        known = self._known.recall(name, asked.stamp, Entry(address=address, request_id=request_id))
        if known is not None:
            return known
        with self._context.database.read() as session:
            found = store.session_of_cookie(session, digest(cookie))
        if found is None:
            raise NotSignedIn
        self._seen(found[0])
        actor = _session_actor(found, cast(Door, found[0].door), address, request_id)
        self._known.keep(name, actor, found[0], asked)
        return actor

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
        presented = digest(refresh_token)
        with self._context.database.write() as session:
            row = session.get(RefreshToken, presented)
            found = store.live_session(session, row.session_id) if row is not None else None
            if row is None or found is None or row.issued_at < now() - REFRESH_IDLE:
                raise NotSignedIn
            successor = _PREFIX["refresh"] + hmac.new(self._refresh_key, f"{refresh_token}|{row.seq}".encode(), hashlib.sha256).hexdigest()
            used_at = row.used_at
            if store.win_refresh(session, presented):
                session.add(RefreshToken(hash=digest(successor), session_id=row.session_id, seq=row.seq + 1))
                return self._pair(session, found[1], row.session_id, successor)
            following = session.get(RefreshToken, digest(successor))
            if used_at is not None and following is not None and following.used_at is None and abs(now() - used_at) <= REFRESH_GRACE:
                return self._pair(session, found[1], row.session_id, successor)
            store.revoke(session, row.session_id)
            session_id, account = row.session_id, found[1]
        actor = _actor(account, session_id, "api", address, "")
        self._context.note(actor, "account.refresh_reuse", Subject(kind="account", id=account.id), "deny")
        raise NotSignedIn

    def logout(self, actor: Actor) -> None:
        """End the session that the actor came with."""
        if actor.session_id is None:
            return
        self._context.permit(actor, "account.change_self")
        subject = Subject(kind="account", id=actor.account_id)
        with self._context.change(actor, "account.logout", subject) as change:
            store.revoke(change.session, actor.session_id)
            change.tell("user.signed_out", subject, UserEvent(name=actor.name))

    # -- tickets and cookies ------------------------------------------------------------------------------------

    def issue_ticket(self, actor: Actor, purpose: TicketPurpose) -> TicketRead:
        """A credential for one use: to open a WebSocket, or a page signed in.

        Raises
        ------
        Denied
            When a personal access token asks for a page: a page can do all that its person can.
        """
        self._context.permit(actor, "event.read" if purpose == "websocket" else "system.dashboard" if purpose == "dashboard" else "account.change_self")
        with self._context.database.write() as session:
            return self._ticket(session, actor.account_id, actor.session_id, purpose)

    def signin_link(self, email: str | None, purpose: TicketPurpose) -> TicketRead:
        """A ticket for an account, by whoever rules this machine; the owner's when no email is given."""
        with self._context.database.write() as session:
            account = store.owner(session) if email is None else store.by_email(session, email.strip().casefold())
            if account is None or account.disabled:
                raise AccountNotFound
            return self._ticket(session, account.id, None, purpose)

    def redeem_ticket(self, ticket: str, purpose: TicketPurpose, *, address: str = "") -> Actor:
        """Use up a ticket.

        A ticket for a WebSocket continues the session that it was asked from; one for a page has none yet, the page
        opens its own.
        """
        with self._context.database.write() as session:
            account, found = self._redeem(session, ticket, purpose)
        if purpose == "websocket":
            return _session_actor(found, "api", address, "") if found else _actor(account, None, "api", address, "")
        return _actor(account, None, purpose, address, "")

    def enter_browser(self, ticket: str, *, present: str = "", address: str = "", request_id: str = "") -> tuple[str, Actor]:
        """Use up a ticket for the dashboard: the cookie of a session, and whose it is.

        Both in one change, so that nothing that ends sessions and tickets falls between the two. A browser whose
        ``present`` cookie is of the same account goes on with its session; its other pages stay as they are.
        """
        with self._context.change(None, None) as change:
            account, _ = self._redeem(change.session, ticket, "dashboard")
            held = store.session_of_cookie(change.session, digest(present)) if present else None
            if held is not None and held[1].id == account.id:
                actor = _session_actor(held, "dashboard", address, request_id)
                self._context.record(change.session, audit.Entry(actor, "account.login", Subject(kind="account", id=account.id), "allow", {"again": True}))
                return present, actor
            cookie = _random("cookie")
            row = self._new_session(change, account, "dashboard", address, request_id)
            row.cookie_hash = digest(cookie)
        return cookie, _actor(account, row.id, "dashboard", address, request_id)

    def leave_browser(self, cookie: str, *, address: str = "", request_id: str = "") -> None:
        """End the session of a cookie that a browser gives up for another, if it still counts."""
        try:
            actor = self.browser_session(cookie, address=address, request_id=request_id)
        except NotSignedIn:
            return
        self.logout(actor)

    def _redeem(self, session: Session, ticket: str, purpose: TicketPurpose) -> tuple[Account, tuple[SignIn, Account] | None]:
        """Whose ticket it was, and the session that it was asked from."""
        row = store.win_ticket(session, digest(ticket), purpose)
        account = session.get(Account, row.account_id) if row is not None else None
        if row is None or account is None or account.disabled:
            raise NotSignedIn("This sign-in link was used already, is too old or was ended. Ask for a new one: jupyter dapp signin-link")
        found = store.live_session(session, row.session_id) if row.session_id is not None else None
        if row.session_id is not None and found is None:
            raise NotSignedIn
        return account, found

    def open_browser_session(self, actor: Actor, *, door: Door = "dashboard", address: str = "") -> str:
        """A cookie with a session of its own, for an actor who has just proved who it is."""
        with self._context.database.read() as session:
            account = session.get(Account, actor.account_id)
        if account is None or account.disabled:
            raise NotSignedIn
        return self._start_browser(account, door, address, actor.request_id)[0]

    def open_session(self, actor: Actor) -> TokenPair:
        """Tokens with a session of their own, for an actor who has just proved who it is."""
        with self._context.database.read() as session:
            account = session.get(Account, actor.account_id)
        if account is None or account.disabled:
            raise NotSignedIn
        return self._start(account, actor.door, actor.address, actor.request_id)

    def record_acceptance(self, change: Change, account: Account, entry: Entry, action: str) -> Actor:
        """Write down that somebody used a link, in the change that it makes; who that is."""
        actor = _actor(account, None, entry.door or "api", entry.address, entry.request_id)
        self._context.record(change.session, audit.Entry(actor, action, Subject(kind="account", id=account.id), "allow", {"role": account.role}))
        return actor

    def device_mark(self, actor: Actor) -> str:
        """What the browser of somebody who has just signed in keeps, so that it is known the next time."""
        return self._throttle.device_mark(actor.email)

    def _ticket(self, session: Session, account_id: str, session_id: str | None, purpose: TicketPurpose) -> TicketRead:
        ticket, expires = _random("ticket"), now() + TICKET_LIFE[purpose]
        session.add(Ticket(hash=digest(ticket), account_id=account_id, session_id=session_id, purpose=purpose, expires_at=expires))
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


def _session_actor(found: tuple[SignIn, Account], door: Door, address: str, request_id: str) -> Actor:
    row, account = found
    actor = _actor(account, row.id, door, address, request_id)
    return actor.model_copy(update={"scope": row.token_scope}) if row.token_hash is not None else actor


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
