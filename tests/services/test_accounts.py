"""People, their roles and passwords."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dapp_ext.errors import Denied, Invalid, LastAdmin, LoginRefused, NameTaken, NotSignedIn, PasswordWeak
from dapp_ext.schema.accounts import AccountCreate, AccountUpdate, Actor, LoginRequest, PasswordChange, Role
from dapp_ext.services import Services, open_services
from dapp_ext.services.passwords import check_password
from dapp_ext.settings import Settings
from tests.conftest import PASSWORD

Person = Callable[[str, Role], Actor]


def test_first_start_makes_one_owner_and_only_one(settings: Settings) -> None:
    with open_services(settings) as first, open_services(settings) as second:
        accounts = second.accounts.list(second.system.shell_actor())
        assert [account.role for account in accounts] == [Role.admin]
        assert not accounts[0].has_password
        assert first.accounts.first_start().id == accounts[0].id


def test_only_an_admin_makes_accounts(services: Services, person: Person) -> None:
    for role in (Role.viewer, Role.analyst):
        with pytest.raises(Denied):
            services.accounts.create(person(role.value, role), AccountCreate(email="x@example.org"))
    made = services.accounts.create(person("boss", Role.admin), AccountCreate(email=" New@Example.org ", role=Role.viewer))
    assert (made.email, made.role, made.has_password) == ("new@example.org", Role.viewer, False)


def test_a_refusal_is_in_the_audit_log(services: Services, owner: Actor, person: Person) -> None:
    viewer = person("vera", Role.viewer)
    with pytest.raises(Denied):
        services.accounts.list(viewer)
    row = services.audit.list(owner).items[0]
    assert (row.actor_name, row.action, row.outcome) == ("Vera", "account.list", "deny")


@pytest.mark.parametrize("email", ["Ada@example.org", " ADA@EXAMPLE.ORG", "ada@example.org\t"])
def test_an_email_is_taken_in_every_spelling(services: Services, owner: Actor, person: Person, email: str) -> None:
    person("ada", Role.analyst)
    with pytest.raises(NameTaken):
        services.accounts.create(owner, AccountCreate(email=email))


@pytest.mark.parametrize("email", ["аda@example.org", "ada\u200b@example.org", "ada", "a b@example.org", "@example.org", "ada@", "ada\n@example.org"])
def test_an_email_that_could_mislead_is_refused(services: Services, owner: Actor, email: str) -> None:
    with pytest.raises(Invalid):
        services.accounts.create(owner, AccountCreate(email=email))


@pytest.mark.parametrize(
    "password", ["fourteen chars", "aaaaaaaaaaaaaaaaaaaa", "passwordpassword", "dapp-jupyter-2026", "ada@example.org1", "x" * 257, "0123456789012345"]
)
def test_weak_passwords_are_refused(services: Services, owner: Actor, password: str) -> None:
    with pytest.raises(PasswordWeak):
        services.accounts.create(owner, AccountCreate(email="ada@example.org", password=password))


def test_the_last_admin_stays(services: Services, owner: Actor, person: Person) -> None:
    boss = person("boss", Role.admin)
    services.accounts.update(boss, owner.account_id, AccountUpdate(role=Role.analyst))
    with pytest.raises(Denied):
        services.accounts.update(boss, boss.account_id, AccountUpdate(disabled=True))
    # The shell may change anybody, but not leave the place without an admin either.
    with pytest.raises(LastAdmin):
        services.accounts.update(owner.model_copy(update={"account_id": "shell"}), boss.account_id, AccountUpdate(role=Role.viewer))


def test_disabling_ends_the_sessions_at_once(services: Services, owner: Actor) -> None:
    account = services.accounts.create(owner, AccountCreate(email="ada@example.org", password=PASSWORD))
    pair = services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD))
    services.accounts.update(owner, account.id, AccountUpdate(disabled=True))
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(pair.access_token)
    with pytest.raises(NotSignedIn):
        services.accounts.refresh(pair.refresh_token)
    with pytest.raises(LoginRefused):
        services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD))


def test_a_new_role_counts_from_the_next_call(services: Services, owner: Actor) -> None:
    account = services.accounts.create(owner, AccountCreate(email="ada@example.org", password=PASSWORD, role=Role.viewer))
    pair = services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD))
    services.accounts.update(owner, account.id, AccountUpdate(role=Role.analyst))
    assert services.accounts.authenticate(pair.access_token).role is Role.analyst


def test_changing_the_password_ends_the_other_sessions(services: Services, person: Person) -> None:
    here = person("ada", Role.analyst)
    elsewhere = services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD))
    with pytest.raises(LoginRefused):
        services.accounts.set_password(here, PasswordChange(current_password="not this one", new_password="other plain words 8"))
    services.accounts.set_password(here, PasswordChange(current_password=PASSWORD, new_password="other plain words 8"))
    assert services.accounts.is_live(here)
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(elsewhere.access_token)
    assert services.accounts.login(LoginRequest(email="ada@example.org", password="other plain words 8"))


def test_the_owner_sets_a_first_password_without_an_old_one(services: Services, owner: Actor) -> None:
    services.accounts.set_password(owner, PasswordChange(new_password="the very first words"))
    assert services.accounts.login(LoginRequest(email=owner.email, password="the very first words")).account.id == owner.account_id


@pytest.mark.parametrize(
    "password",
    [
        "iloveyouiloveyou", "qwertyuiopasdfgh", "qwertyuiopasdfghjkl", "1qaz2wsx3edc4rfv", "1q2w3e4r5t6y7u8i9o0p", "qazwsxedcrfvtgb", "princessprincess",
        "passwordpassword1", "administrator123", "thequickbrownfox", "Ada@example.orgAda@example.org", "dapp-jupyter-2026", "tree7 rock tree7 rock ", "a" * 20,
    ],
)  # fmt: skip
def test_what_is_tried_first_is_no_password(password: str) -> None:
    with pytest.raises(PasswordWeak):
        check_password(password, "ada@example.org", "Ada")


@pytest.mark.parametrize("password", ["correct sunshine under bridges", "plain words of a test 7", "my princess eats nine olives", "äöü lange Wörter gehen"])
def test_a_few_unrelated_words_do_well(password: str) -> None:
    check_password(password, "ada@example.org", "Ada")
