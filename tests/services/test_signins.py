"""Sessions and personal access tokens: seen, used within their scope, ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from dapp_ext.errors import AccountNotFound, Conflict, Denied, NotSignedIn, SignInNotFound
from dapp_ext.schema.accounts import AccountCreate, AccountUpdate, Actor, LoginRequest, PasswordChange, ProfileChange, Role, TokenScope
from dapp_ext.schema.base import now
from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.schema.signins import TokenCreate
from dapp_ext.services import Services, signins
from tests.conftest import PASSWORD

Person = Callable[[str, Role], Actor]


@pytest.fixture
def by_token(services: Services) -> Callable[[Actor, TokenScope], Actor]:
    """Who comes back with a new token."""

    def make(actor: Actor, scope: TokenScope) -> Actor:
        return services.accounts.authenticate(services.signins.create_token(actor, TokenCreate(name="a script", scope=scope)).token)

    return make


def test_own_sessions_are_listed_and_ended(services: Services, person: Person) -> None:
    ada = person("ada", Role.analyst)
    cookie, elsewhere = services.accounts.login_browser(LoginRequest(email="ada@example.org", password=PASSWORD), address="10.1.2.3")
    found = {each.id: each for each in services.signins.sessions(ada).items}
    assert set(found) == {ada.session_id, elsewhere.session_id}
    assert [each.id for each in found.values() if each.is_current] == [ada.session_id]
    assert (found[str(elsewhere.session_id)].door, found[str(elsewhere.session_id)].address) == ("dashboard", "10.1.2.3")
    services.signins.end(ada, str(elsewhere.session_id))
    with pytest.raises(NotSignedIn):
        services.accounts.browser_session(cookie)
    assert services.accounts.is_live(ada)
    with pytest.raises(SignInNotFound):
        services.signins.end(ada, str(elsewhere.session_id))


def test_somebody_elses_session_looks_like_none(services: Services, person: Person) -> None:
    ada, alan = person("ada", Role.analyst), person("alan", Role.analyst)
    with pytest.raises(SignInNotFound) as foreign:
        services.signins.end(ada, str(alan.session_id))
    with pytest.raises(SignInNotFound) as absent:
        services.signins.end(ada, "no-such-session")
    assert foreign.value.message == absent.value.message
    with pytest.raises(AccountNotFound):
        services.signins.sessions(ada, alan.account_id)
    with pytest.raises(AccountNotFound):
        services.signins.end_all(ada, alan.account_id)
    assert services.accounts.is_live(alan)


def test_an_administrator_ends_anybodys(services: Services, owner: Actor, person: Person) -> None:
    ada = person("ada", Role.analyst)
    token = services.signins.create_token(ada, TokenCreate(name="nightly", scope="write")).token
    assert {each.token_name for each in services.signins.sessions(owner, ada.account_id).items} == {None, "nightly"}
    services.signins.end_all(owner, ada.account_id)
    assert not services.accounts.is_live(ada)
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(token)
    assert services.signins.sessions(owner, ada.account_id).items == []


def test_signing_out_everywhere_else_keeps_this_one(services: Services, person: Person) -> None:
    ada = person("ada", Role.analyst)
    other = services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD))
    services.signins.end_all(ada)
    assert services.accounts.is_live(ada)
    with pytest.raises(NotSignedIn):
        services.accounts.refresh(other.refresh_token)


def test_a_token_does_what_its_scope_says(services: Services, person: Person, by_token: Callable[[Actor, TokenScope], Actor]) -> None:
    ada = person("ada", Role.analyst)
    reader, writer = by_token(ada, "read"), by_token(ada, "write")
    assert services.datasets.list(reader).items == []
    with pytest.raises(Denied, match="scope read"):
        services.datasets.begin_upload(reader, DatasetUpload(filename="t.csv"))
    services.datasets.begin_upload(writer, DatasetUpload(filename="t.csv")).abort()
    with pytest.raises(Denied):
        services.accounts.list(by_token(ada, "admin"))  # no more than its person


def test_a_token_never_widens_itself(services: Services, owner: Actor, by_token: Callable[[Actor, TokenScope], Actor]) -> None:
    script = by_token(owner, "admin")
    assert services.accounts.list(script)
    for forbidden in (
        lambda: services.signins.create_token(script, TokenCreate(name="another", scope="admin")),
        lambda: services.signins.sessions(script),
        lambda: services.signins.end_all(script),
        lambda: services.accounts.set_password(script, PasswordChange(new_password="another password 77")),
        lambda: services.accounts.change_profile(script, ProfileChange(name="Robot")),
        lambda: services.accounts.issue_ticket(script, "dashboard"),
        lambda: services.accounts.issue_ticket(script, "jupyterlab"),
        lambda: services.accounts.logout(script),
    ):
        with pytest.raises(Denied):
            forbidden()


def test_a_ticket_for_a_socket_carries_the_scope_on(services: Services, owner: Actor, by_token: Callable[[Actor, TokenScope], Actor]) -> None:
    ticket = services.accounts.issue_ticket(by_token(owner, "read"), "websocket")
    assert services.accounts.redeem_ticket(ticket.ticket, "websocket").scope == "read"


def test_a_token_ends_with_its_time_its_end_and_its_account(services: Services, owner: Actor, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = person("ada", Role.analyst)
    made = {days: services.signins.create_token(ada, TokenCreate(name=f"for {days} days", days=days)) for days in (1, 30, 31)}
    assert {each.name for each in services.signins.tokens(ada).items} == {"for 1 days", "for 30 days", "for 31 days"}
    services.signins.end_token(ada, made[30].id)
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(made[30].token)
    with pytest.raises(SignInNotFound):
        services.signins.end_token(ada, str(ada.session_id))  # a session is no token
    with monkeypatch.context() as later:
        later.setattr("dapp_ext.store.accounts.now", lambda: now() + timedelta(days=2))
        with pytest.raises(NotSignedIn):
            services.accounts.authenticate(made[1].token)
        assert services.accounts.authenticate(made[31].token).email == "ada@example.org"
    services.accounts.update(owner, ada.account_id, AccountUpdate(disabled=True))
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(made[31].token)


def test_a_token_is_kept_nowhere_and_there_are_not_too_many(services: Services, owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    made = services.signins.create_token(owner, TokenCreate(name="first"))
    stored = b"".join(path.read_bytes() for path in Path(services.settings.home).rglob("*") if path.is_file())
    assert made.token.encode() not in stored
    monkeypatch.setattr(signins, "MOST_TOKENS", 1)
    with pytest.raises(Conflict):
        services.signins.create_token(owner, TokenCreate(name="second"))


def test_only_the_shell_acts_for_others(services: Services, owner: Actor, person: Person) -> None:
    ada, boss = person("ada", Role.viewer), person("boss", Role.admin)
    assert services.accounts.acting_as(owner, "ADA@example.org").role is Role.viewer
    for actor in (ada, boss):
        with pytest.raises(Denied):
            services.accounts.acting_as(actor, "ada@example.org")


def test_the_own_name_is_changed(services: Services, owner: Actor) -> None:
    services.accounts.create(owner, AccountCreate(email="ada@example.org", password=PASSWORD, role=Role.viewer))
    ada = services.accounts.authenticate(services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD)).access_token)
    assert services.accounts.change_profile(ada, ProfileChange(name="  Ada\u202e  Lovelace ")).name == "Ada Lovelace"
    assert services.accounts.me(ada).name == "Ada Lovelace"
