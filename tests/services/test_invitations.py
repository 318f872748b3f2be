"""Links for one use: into a new account, or to a new password."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from dapp_ext.errors import DappError, Denied, Invalid, LoginRefused, NameTaken, NotFound, NotSignedIn, PasswordWeak
from dapp_ext.schema.accounts import AccountUpdate, Actor, LoginRequest, Role
from dapp_ext.schema.base import now
from dapp_ext.schema.signins import InvitationCreate, LinkAccept
from dapp_ext.services import Services
from dapp_ext.services.sessions import Entry
from tests.conftest import PASSWORD

Person = Callable[[str, Role], Actor]
HERE = Entry("dashboard", "10.0.0.1", "request-1")
NEW = "quite other words 99"


def test_an_invitation_becomes_an_account_once(services: Services, owner: Actor) -> None:
    made = services.invitations.create(owner, InvitationCreate(email="Ada@Example.org", role=Role.viewer))
    offer = services.invitations.offer(made.token)
    assert (offer.purpose, offer.email, offer.role) == ("invitation", "ada@example.org", Role.viewer)
    actor = services.invitations.accept(LinkAccept(token=made.token, password=PASSWORD, name="Ada L."), HERE)
    assert (actor.email, actor.name, actor.role) == ("ada@example.org", "Ada L.", Role.viewer)
    assert services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD))
    assert services.invitations.list(owner).items == []
    with pytest.raises(NotSignedIn):
        services.invitations.offer(made.token)
    with pytest.raises(NotSignedIn):
        services.invitations.accept(LinkAccept(token=made.token, password=NEW), HERE)
    assert [row.outcome for row in services.audit.list(owner, action="invitation.").items] == ["allow", "allow"]


def test_of_many_at_the_same_moment_one_gets_in(services: Services, owner: Actor) -> None:
    made = services.invitations.create(owner, InvitationCreate(email="ada@example.org"))

    def use(number: int) -> bool:
        try:
            services.invitations.accept(LinkAccept(token=made.token, password=PASSWORD, name=f"Ada {number}"), HERE)
        except DappError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1
    assert [each.email for each in services.accounts.list(owner)] == [owner.email, "ada@example.org"]


def test_a_weak_password_does_not_use_the_link_up(services: Services, owner: Actor) -> None:
    made = services.invitations.create(owner, InvitationCreate(email="ada@example.org"))
    with pytest.raises(PasswordWeak):
        services.invitations.accept(LinkAccept(token=made.token, password="short"), HERE)
    assert services.invitations.accept(LinkAccept(token=made.token, password=PASSWORD), HERE).name == "ada"


def test_a_link_ends_with_its_time_when_withdrawn_and_with_the_next_one(services: Services, owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    first = services.invitations.create(owner, InvitationCreate(email="ada@example.org"))
    second = services.invitations.create(owner, InvitationCreate(email="ada@example.org"))
    assert [each.id for each in services.invitations.list(owner).items] == [second.id]
    third = services.invitations.create(owner, InvitationCreate(email="alan@example.org", hours=1))
    services.invitations.withdraw(owner, second.id)
    monkeypatch.setattr("dapp_ext.store.accounts.now", lambda: now() + timedelta(hours=2))
    for link in (first, second, third):
        with pytest.raises(NotSignedIn):
            services.invitations.accept(LinkAccept(token=link.token, password=PASSWORD), HERE)
    with pytest.raises(NotFound):
        services.invitations.withdraw(owner, second.id)


def test_who_has_an_account_is_not_invited(services: Services, owner: Actor, person: Person) -> None:
    person("ada", Role.analyst)
    with pytest.raises(NameTaken):
        services.invitations.create(owner, InvitationCreate(email="ADA@example.org"))
    with pytest.raises(Invalid):
        services.invitations.create(owner, InvitationCreate(email="аda@example.org"))


def test_an_account_made_meanwhile_wins(services: Services, owner: Actor, person: Person) -> None:
    made = services.invitations.create(owner, InvitationCreate(email="ada@example.org"))
    person("ada", Role.viewer)
    with pytest.raises(NameTaken):
        services.invitations.accept(LinkAccept(token=made.token, password=NEW), HERE)
    assert services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD)).account.role is Role.viewer


@pytest.mark.parametrize("role", [Role.viewer, Role.analyst])
def test_only_administrators_invite_and_reset(services: Services, owner: Actor, person: Person, role: Role) -> None:
    somebody = person("ada", role)
    made = services.invitations.create(owner, InvitationCreate(email="alan@example.org"))
    for forbidden in (
        lambda: services.invitations.create(somebody, InvitationCreate(email="x@example.org")),
        lambda: services.invitations.list(somebody),
        lambda: services.invitations.withdraw(somebody, made.id),
        lambda: services.invitations.reset(somebody, owner.account_id),
    ):
        with pytest.raises(Denied):
            forbidden()
    assert services.invitations.offer(made.token)


def test_a_reset_ends_the_old_password_and_every_session(services: Services, owner: Actor, person: Person) -> None:
    ada = person("ada", Role.analyst)
    cookie, _ = services.accounts.login_browser(LoginRequest(email="ada@example.org", password=PASSWORD))
    link = services.invitations.reset(owner, ada.account_id)
    assert not services.accounts.is_live(ada)
    with pytest.raises(NotSignedIn):
        services.accounts.browser_session(cookie)
    with pytest.raises(LoginRefused):
        services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD))
    assert services.invitations.offer(link.token).purpose == "reset"
    back = services.invitations.accept(LinkAccept(token=link.token, password=NEW, name="Somebody Else"), HERE)
    assert (back.account_id, back.name, back.role) == (ada.account_id, "Ada", Role.analyst)
    assert services.accounts.login(LoginRequest(email="ada@example.org", password=NEW))


def test_a_reset_lets_no_disabled_account_in(services: Services, owner: Actor, person: Person) -> None:
    ada = person("ada", Role.analyst)
    services.accounts.update(owner, ada.account_id, AccountUpdate(disabled=True))
    link = services.invitations.reset(owner, ada.account_id)
    with pytest.raises(NotSignedIn, match="disabled"):
        services.invitations.accept(LinkAccept(token=link.token, password=NEW), HERE)


def test_an_administrator_does_not_reset_itself_by_mistake(services: Services, person: Person) -> None:
    boss = person("boss", Role.admin)
    with pytest.raises(Denied, match="Account page"):
        services.invitations.reset(boss, boss.account_id)


def test_the_link_is_kept_nowhere(services: Services, owner: Actor) -> None:
    made = services.invitations.create(owner, InvitationCreate(email="ada@example.org"))
    stored = b"".join(path.read_bytes() for path in Path(services.settings.home).rglob("*") if path.is_file())
    assert made.token.encode() not in stored


@pytest.mark.parametrize("change", [AccountUpdate(role=Role.analyst), AccountUpdate(disabled=True)])
def test_what_an_administrator_invited_to_ends_with_the_right_to_invite(services: Services, owner: Actor, person: Person, change: AccountUpdate) -> None:
    """Or whoever is to leave lets an administrator in first, or keeps a way into somebody else's account."""
    ada, alan = person("ada", Role.admin), person("alan", Role.viewer)
    invited = services.invitations.create(ada, InvitationCreate(email="mallory@example.org", role=Role.admin))
    kept = services.invitations.create(owner, InvitationCreate(email="grace@example.org"))
    reset = services.invitations.reset(ada, alan.account_id)
    services.accounts.update(owner, ada.account_id, AccountUpdate(name="Ada"))
    assert services.invitations.offer(invited.token)
    services.accounts.update(owner, ada.account_id, change)
    with pytest.raises(NotSignedIn):
        services.invitations.accept(LinkAccept(token=invited.token, password=PASSWORD), HERE)
    assert services.invitations.offer(kept.token).email == "grace@example.org"
    with pytest.raises(NotSignedIn):
        services.invitations.accept(LinkAccept(token=reset.token, password=PASSWORD), HERE)
