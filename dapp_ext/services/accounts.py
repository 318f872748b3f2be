"""The people: who has an account, in which role, and their passwords."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

from dapp_ext.errors import AccountNotFound, Denied, Invalid, LastAdmin, LoginRefused, NameTaken
from dapp_ext.schema.accounts import AccountCreate, AccountRead, AccountUpdate, Actor, PasswordChange, ProfileChange, QuotaRead, Role
from dapp_ext.schema.base import Named, Page, Subject, now
from dapp_ext.schema.events import UserEvent
from dapp_ext.services import quotas
from dapp_ext.services.context import Change
from dapp_ext.services.passwords import check_password
from dapp_ext.services.sessions import Sessions, account_read
from dapp_ext.store import accounts as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Account

OWNER_EMAIL = "owner@localhost"
# Letters of one script, digits and the signs that addresses have: no look-alikes, no invisible characters.
_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)


class Accounts(Sessions):
    """Accounts and all about signing in."""

    def first_start(self) -> AccountRead:
        """The owner's account; made when the workspace has none yet."""
        with self._context.change(None, None) as change:
            owner = store.owner(change.session)
            store.sweep(change.session, now() - timedelta(days=1))
            if owner is None:
                owner = Account(email=OWNER_EMAIL, name="Owner", role=Role.admin.value, is_owner=True)
                change.session.add(owner)
                change.session.flush()
                self._tell(change, "user.created", owner)
        return account_read(owner)

    def me(self, actor: Actor) -> AccountRead:
        """The account behind a call."""
        self._context.permit(actor, "account.read_self")
        with self._context.database.read() as session:
            return account_read(_account(session, actor.account_id))

    def list(self, actor: Actor) -> list[AccountRead]:
        """Everybody, oldest first."""
        self._context.permit(actor, "account.list")
        with self._context.database.read() as session:
            return [account_read(account) for account in store.everyone(session)]

    def create(self, actor: Actor, request: AccountCreate) -> AccountRead:
        """Make an account; without a password its person signs in by a link first."""
        self._context.permit(actor, "account.create")
        email = plain_email(request.email)
        name = display_name(request.name or email.partition("@")[0])
        password_hash = None
        if request.password is not None:
            check_password(request.password, email, name)
            password_hash = self._passwords.hash(request.password)
        with self._context.change(actor, "account.create") as change:
            account = self.add(change, Account(email=email, name=name, role=request.role.value, password_hash=password_hash))
        return account_read(account)

    def add(self, change: Change, account: Account) -> Account:
        """Put a new account into a change, and tell of it."""
        if store.by_email(change.session, account.email) is not None:
            raise NameTaken("There is an account with this email already.")
        change.session.add(account)
        change.session.flush()
        change.subject = Subject(kind="account", id=account.id)
        change.details["role"] = account.role
        self._tell(change, "user.created", account)
        return account

    def update(self, actor: Actor, account_id: str, request: AccountUpdate) -> AccountRead:
        """Change name, role or whether the account may sign in. Takes effect at once, everywhere."""
        self._context.permit(actor, "account.update")
        with self._context.change(actor, "account.update", Subject(kind="account", id=account_id)) as change:
            account = _account(change.session, account_id)
            if account.id == actor.account_id and (request.role not in (None, account.role) or request.disabled):
                raise Denied("You cannot change your own role or disable yourself. Ask another administrator.")
            loses_admin = account.role == "admin" and not account.disabled and (request.disabled or request.role not in (None, Role.admin))
            if loses_admin and store.enabled_admins(change.session) <= 1:
                raise LastAdmin
            if request.name is not None:
                account.name = display_name(request.name)
            if loses_admin:
                store.withdraw_invitations_of(change.session, account.id)
            if request.role not in (None, account.role) or request.disabled:
                store.end_links(change.session, account.id)
            if request.role is not None:
                account.role = request.role.value
            if request.disabled is not None:
                account.disabled = request.disabled
                if request.disabled:
                    store.revoke_all(change.session, account.id)
            if "quota" in request.model_fields_set:
                account.quota = request.quota
            change.session.add(account)
            change.details.update(request.model_dump(mode="json", exclude_unset=True, exclude={"name"}))
            self._tell(change, "user.changed", account)
        return account_read(account)

    def quotas(self, actor: Actor) -> Page[QuotaRead]:
        """What everybody stores and may store, for administrators."""
        self._context.permit(actor, "account.list")
        with self._context.database.read() as session:
            items = []
            for account in store.everyone(session):
                found = quotas.usage(self._context, session, account.id)
                who = Named(id=account.id, name=account.name)
                items.append(QuotaRead(account=who, email=account.email, used=found.used, quota=found.quota, free=found.free, is_own=account.quota is not None))
        return Page(items=items, total=len(items))

    def change_profile(self, actor: Actor, request: ProfileChange) -> AccountRead:
        """Change the own name."""
        self._context.permit(actor, "account.change_self")
        with self._context.change(actor, "account.profile", Subject(kind="account", id=actor.account_id)) as change:
            account = _account(change.session, actor.account_id)
            account.name = display_name(request.name)
            change.session.add(account)
            self._tell(change, "user.changed", account)
        return account_read(account)

    def set_password(self, actor: Actor, request: PasswordChange) -> None:
        """Change the own password; every other session of the account ends. A wrong present one counts as a failed sign-in."""
        self._context.permit(actor, "account.change_self")
        with self._context.database.read() as session:
            account = _account(session, actor.account_id)
        if account.password_hash is not None and not self._knows(account, request.current_password or "", actor.address):
            self._context.note(actor, "account.password", Subject(kind="account", id=account.id), "deny")
            raise LoginRefused("The present password is not right.")
        self._store_password(actor, account, request.new_password)

    def _knows(self, account: Account, password: str, address: str) -> bool:
        """Whether this is the account's password; a wrong one counts as a failed sign-in."""
        self._throttle.look(account.email, address)
        with self._passwords.turn():
            attempt = self._throttle.attempt(account.email, address)
            right = self._passwords.verify(account.password_hash, password)
        if right:
            self._throttle.succeeded(attempt)
        return right

    def reset_password(self, actor: Actor, email: str, new_password: str) -> None:
        """Set somebody's password from the machine's own shell."""
        self._context.permit(actor, "account.update")
        with self._context.database.read() as session:
            account = store.by_email(session, email.strip().casefold())
        if account is None:
            raise AccountNotFound
        self._store_password(actor, account, new_password)

    def find(self, actor: Actor, email: str) -> AccountRead:
        """An account by its email."""
        self._context.permit(actor, "account.list")
        with self._context.database.read() as session:
            account = store.by_email(session, email.strip().casefold())
        if account is None:
            raise AccountNotFound
        return account_read(account)

    def _store_password(self, actor: Actor, account: Account, password: str) -> None:
        password_hash = self.hash_password(password, account.email, account.name)
        with self._context.change(actor, "account.password", Subject(kind="account", id=account.id)) as change:
            self.replace_password(change, account.id, password_hash, but=actor.session_id)

    def hash_password(self, password: str, email: str, name: str) -> str:
        """Check a new password and make its hash."""
        check_password(password, email, name)
        return self._passwords.hash(password)

    def replace_password(self, change: Change, account_id: str, password_hash: str | None, but: str | None = None) -> Account:
        """Put another password in a change, or none; every session ends, except one, and every link into the account."""
        account = _account(change.session, account_id)
        account.password_hash = password_hash
        change.session.add(account)
        store.revoke_all(change.session, account_id, but=but)
        store.end_links(change.session, account_id)
        self._tell(change, "user.changed", account)
        return account

    def acting_as(self, actor: Actor, email: str) -> Actor:
        """The account that the machine's own shell acts for. Nobody else may: its role would be borrowed.

        Raises
        ------
        Denied, AccountNotFound
        """
        self._context.permit(actor, "account.update")
        if actor.door != "cli":
            raise Denied("Only the machine's own shell acts for other accounts.")
        found = self.find(actor, email)
        return Actor(account_id=found.id, email=found.email, name=found.name, role=found.role, door="cli")

    def _tell(self, change: Change, type: str, account: Account) -> None:
        subject = Subject(kind="account", id=account.id)
        change.tell(type, subject, UserEvent(name=account.name, role=account.role), None)


def _account(session: Session, account_id: str) -> Account:
    account = session.get(Account, account_id)
    if account is None:
        raise AccountNotFound
    return account


def plain_email(text: str) -> str:
    """An email as it is stored, or :class:`Invalid`."""
    email = text.strip().casefold()
    if not _EMAIL.fullmatch(email):
        raise Invalid("This is not an email address that can be used here. Write it like name@example.org.")
    return email


def display_name(name: str, empty: str = "The name is empty. Give a name that others recognise.") -> str:
    """A name or one-line message without control characters and doubled blanks; ``empty`` is said when nothing is left."""
    clean = "".join(char for char in unicodedata.normalize("NFC", " ".join(name.split())) if unicodedata.category(char)[0] != "C")
    clean = " ".join(clean.split())
    if not clean:
        raise Invalid(empty)
    return clean
