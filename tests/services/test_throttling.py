"""Guessing is slow, and strangers lock nobody out."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from dapp_ext.errors import LoginRefused, Throttled
from dapp_ext.schema.accounts import AccountUpdate, Actor, LoginRequest, PasswordChange, Role
from dapp_ext.schema.base import now
from dapp_ext.services import Services, throttling
from dapp_ext.services.passwords import Passwords
from dapp_ext.services.throttling import network
from tests.conftest import PASSWORD

Person = Callable[[str, Role], Actor]
RIGHT = LoginRequest(email="ada@example.org", password=PASSWORD)
WRONG = LoginRequest(email="ada@example.org", password="wrong")


def _fail(services: Services, times: int, address: str, request: LoginRequest = WRONG) -> None:
    for _ in range(times):
        with pytest.raises((LoginRefused, Throttled)):
            services.accounts.login(request, address=address)


@pytest.fixture
def besieged(services: Services, person: Person, monkeypatch: pytest.MonkeyPatch) -> Actor:
    """Ada, who signed in at home before a hundred strangers began to guess."""
    monkeypatch.setattr(throttling, "EVERYWHERE_FAILURES", 20)
    ada = person("ada", Role.analyst)
    services.accounts.login(RIGHT, address="192.0.2.1")
    for number in range(20):
        _fail(services, 1, f"198.51.100.{number}")
    return ada


def test_a_siege_leaves_known_places_open(services: Services, besieged: Actor) -> None:
    with pytest.raises(Throttled):
        services.accounts.login(RIGHT, address="203.0.113.9")
    assert services.accounts.login(RIGHT, address="192.0.2.1")
    assert services.accounts.login(RIGHT, address="203.0.113.9"), "a success ends the siege"


def test_a_siege_looks_alike_for_an_account_that_does_not_exist(services: Services, besieged: Actor) -> None:
    nobody = LoginRequest(email="nobody@example.org", password="wrong")
    for number in range(20):
        _fail(services, 1, f"198.51.100.{number}", nobody)
    told = []
    for request in (WRONG, nobody):
        with pytest.raises(Throttled) as slowed:
            services.accounts.login(request, address="203.0.113.10")
        told.append((slowed.value.message, slowed.value.details))
    assert told[0] == told[1]


def test_a_known_browser_gets_in_beside_a_stranger_at_the_same_address(services: Services, person: Person) -> None:
    mark = services.accounts.device_mark(person("ada", Role.analyst))
    _fail(services, 40, "192.0.2.1")
    with pytest.raises(Throttled):
        services.accounts.login_browser(RIGHT, address="192.0.2.1")
    assert services.accounts.login_browser(RIGHT, address="192.0.2.1", device=mark)


def test_a_known_browser_is_slowed_down_as_well_and_knows_one_account(services: Services, person: Person) -> None:
    mark = services.accounts.device_mark(person("ada", Role.analyst))
    person("alan", Role.analyst)
    for _ in range(5):
        with pytest.raises(LoginRefused):
            services.accounts.login_browser(WRONG, address="192.0.2.1", device=mark)
    with pytest.raises(Throttled):
        services.accounts.login_browser(RIGHT, address="192.0.2.1", device=mark)
    other = LoginRequest(email="alan@example.org", password="wrong")
    _fail(services, 5, "192.0.2.1", other)
    with pytest.raises(Throttled):
        services.accounts.login_browser(other, address="192.0.2.1", device=mark)


@pytest.mark.parametrize("mark", ["", "dapp_dm_", "dapp_dm_x.y", "x.y", "dapp_dm_" + "x" * 300, "dapp_dm_é.é"])
def test_a_forged_mark_is_no_mark(services: Services, person: Person, mark: str) -> None:
    person("ada", Role.analyst)
    _fail(services, 5, "192.0.2.1")
    with pytest.raises(Throttled):
        services.accounts.login_browser(RIGHT, address="192.0.2.1", device=mark)


def test_the_delay_grows_and_ends(services: Services, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person("ada", Role.analyst)
    waits = []
    moment = [now()]
    for module in ("dapp_ext.services.throttling.now", "dapp_ext.store.accounts.now"):
        monkeypatch.setattr(module, lambda: moment[0])
    _fail(services, 5, "192.0.2.1")
    for _ in range(12):
        with pytest.raises(Throttled) as slowed:
            services.accounts.login(RIGHT, address="192.0.2.1")
        waits.append(slowed.value.details["retry_after"])
        moment[0] += timedelta(seconds=waits[-1])
        _fail(services, 1, "192.0.2.1")
    assert waits == sorted(waits)
    assert waits[0] <= 2
    assert 300 <= waits[-1] <= 301
    moment[0] += timedelta(seconds=301)
    assert services.accounts.login(RIGHT, address="192.0.2.1")


def test_one_password_for_many_accounts_is_slowed_down(services: Services) -> None:
    answers = []
    for number in range(60):
        try:
            services.accounts.login(LoginRequest(email=f"u{number}@example.org", password=PASSWORD), address="192.0.2.1")
        except (LoginRefused, Throttled) as error:
            answers.append(error.code)
    assert answers.count("throttled") == 30


def test_one_place_that_goes_on_guessing_gets_three_hundred_in_an_hour(services: Services, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first hundreds one in twelve seconds, however many accounts it tries; and nobody elsewhere notices."""
    person("ada", Role.analyst)
    moment = [now()]
    for module in ("dapp_ext.services.throttling.now", "dapp_ext.store.accounts.now"):
        monkeypatch.setattr(module, lambda: moment[0])
    monkeypatch.setattr("dapp_ext.services.throttling.CLIENT_FAILURES_LONG", 40)
    monkeypatch.setattr("dapp_ext.services.passwords.Passwords.verify", lambda *_: False)
    began, failed = moment[0], []
    while (moment[0] - began).total_seconds() < 900:
        try:
            services.accounts.login(LoginRequest(email=f"p{len(failed)}@example.org", password="wrong"), address="192.0.2.1")
        except LoginRefused:
            failed.append((moment[0] - began).total_seconds())
        except Throttled as slowed:
            moment[0] += timedelta(seconds=slowed.details["retry_after"])
    assert len([each for each in failed if each < 60]) <= 31
    pauses = [after - before for before, after in itertools.pairwise(failed[40:])]
    assert len(pauses) > 20
    assert min(pauses) >= 12
    monkeypatch.undo()
    assert services.accounts.login(RIGHT, address="192.0.2.9")


def test_guessing_the_present_password_counts_too(services: Services, person: Person) -> None:
    ada = person("ada", Role.analyst)
    for _ in range(5):
        with pytest.raises(LoginRefused):
            services.accounts.set_password(ada, PasswordChange(current_password="wrong", new_password="other plain words 8"))
    with pytest.raises(Throttled):
        services.accounts.set_password(ada, PasswordChange(current_password=PASSWORD, new_password="other plain words 8"))


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_places(address: str, place: str) -> None:
    assert network(address) == place


def test_a_hash_of_older_parameters_is_made_again(services: Services, person: Person) -> None:
    from argon2 import PasswordHasher
    from sqlmodel import select

    from dapp_ext.store.tables import Account

    person("ada", Role.analyst)
    old = PasswordHasher(2, 32, 1).hash(services.accounts._passwords._peppered(PASSWORD))
    with services.context.database.write() as session:
        row = session.exec(select(Account).where(Account.email == "ada@example.org")).one()
        row.password_hash = old
        session.add(row)
    services.accounts.login(RIGHT)
    with services.context.database.read() as session:
        fresh = session.exec(select(Account.password_hash).where(Account.email == "ada@example.org")).one()
    assert fresh not in (None, old)
    assert services.accounts.login(RIGHT)


def test_many_guesses_at_the_same_moment_gain_nothing(services: Services, person: Person) -> None:
    person("ada", Role.analyst)

    def guess(number: int) -> str:
        try:
            services.accounts.login(LoginRequest(email="ada@example.org", password=f"guess {number}"), address="192.0.2.7")
        except (LoginRefused, Throttled) as error:
            return error.code
        return "in"

    with ThreadPoolExecutor(20) as crew:
        told = list(crew.map(guess, range(20)))
    assert told.count("login_refused") == throttling.FREE_FAILURES
    assert told.count("throttled") == 20 - throttling.FREE_FAILURES


def test_many_right_passwords_at_the_same_moment_all_get_in(services: Services, person: Person) -> None:
    person("ada", Role.analyst)
    with ThreadPoolExecutor(20) as crew:
        assert all(crew.map(lambda _: services.accounts.login(RIGHT, address="192.0.2.7"), range(40)))
    _fail(services, throttling.FREE_FAILURES, "192.0.2.7")  # nothing of that was left to count


def test_a_clock_that_was_put_back_slows_nobody_down(services: Services, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person("ada", Role.analyst)
    _fail(services, throttling.CLIENT_FAILURES, "192.0.2.7")
    with pytest.raises(Throttled):
        services.accounts.login(RIGHT, address="192.0.2.7")
    monkeypatch.setattr(throttling, "now", lambda: now() - timedelta(hours=5))
    assert services.accounts.login(RIGHT, address="192.0.2.7")


@pytest.mark.parametrize("change", ["password", "disabled"])
def test_a_sign_in_does_not_outrun_a_change_of_its_account(
    services: Services, person: Person, owner: Actor, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The password takes a moment to be looked at; what changes in it has ended all sessions, and this one must not begin after."""
    ada = person("ada", Role.analyst)
    real = Passwords.verify

    def slowly(self: Passwords, stored: str | None, password: str) -> bool:
        right = real(self, stored, password)
        if change == "password":
            with services.context.change(owner, "test") as made:
                services.accounts.replace_password(made, ada.account_id, "another hash")
        else:
            services.accounts.update(owner, ada.account_id, AccountUpdate(disabled=True))
        return right

    monkeypatch.setattr(Passwords, "verify", slowly)
    with pytest.raises(LoginRefused):
        services.accounts.login(RIGHT, address="192.0.2.7")
    with pytest.raises((LoginRefused, Throttled)):
        services.accounts.login_browser(RIGHT, address="192.0.2.8")
    assert services.signins.sessions(owner, ada.account_id).items == []
