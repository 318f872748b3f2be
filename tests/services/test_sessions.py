"""Signing in and staying signed in."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dapp_ext.errors import LoginRefused, NotSignedIn, Throttled
from dapp_ext.schema.accounts import Actor, LoginRequest, Role, TokenPair
from dapp_ext.schema.base import now
from dapp_ext.services import Services, open_services, sessions
from dapp_ext.settings import Settings
from tests.conftest import PASSWORD

Person = Callable[[str, Role], Actor]


@pytest.fixture
def pair(services: Services, person: Person) -> TokenPair:
    person("ada", Role.analyst)
    return services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD))


def test_unknown_wrong_and_disabled_look_alike(services: Services, person: Person) -> None:
    person("ada", Role.analyst)
    with pytest.raises(LoginRefused) as wrong:
        services.accounts.login(LoginRequest(email="ada@example.org", password="wrong"), address="a")
    with pytest.raises(LoginRefused) as unknown:
        services.accounts.login(LoginRequest(email="nobody@example.org", password="wrong"), address="a")
    assert (wrong.value.message, wrong.value.details) == (unknown.value.message, unknown.value.details)


def test_failures_slow_down_their_client_and_nobody_else(services: Services, person: Person) -> None:
    person("ada", Role.analyst)
    for _ in range(5):
        with pytest.raises(LoginRefused):
            services.accounts.login(LoginRequest(email="ada@example.org", password="wrong"), address="10.0.0.1")
    with pytest.raises(Throttled) as slowed:
        services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD), address="10.0.0.1")
    assert slowed.value.details["retry_after"] >= 1
    assert services.accounts.login(LoginRequest(email="ada@example.org", password=PASSWORD), address="10.0.0.2")


def test_failures_are_remembered_over_a_restart(settings: Settings) -> None:
    with open_services(settings) as services:
        for _ in range(5):
            with pytest.raises(LoginRefused):
                services.accounts.login(LoginRequest(email="nobody@example.org", password="wrong"))
    with open_services(settings) as services, pytest.raises(Throttled):
        services.accounts.login(LoginRequest(email="nobody@example.org", password="wrong"))


def test_a_refresh_token_is_good_once_and_its_answer_may_be_asked_for_again(services: Services, pair: TokenPair) -> None:
    following = services.accounts.refresh(pair.refresh_token)
    assert services.accounts.refresh(pair.refresh_token).refresh_token == following.refresh_token
    assert services.accounts.authenticate(following.access_token).email == "ada@example.org"


def test_using_an_old_refresh_token_ends_the_session(services: Services, owner: Actor, pair: TokenPair, monkeypatch: pytest.MonkeyPatch) -> None:
    following = services.accounts.refresh(pair.refresh_token)
    monkeypatch.setattr(sessions, "now", lambda: now() + timedelta(seconds=11))
    with pytest.raises(NotSignedIn):
        services.accounts.refresh(pair.refresh_token)
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(following.access_token)
    assert services.audit.list(owner).items[0].action == "account.refresh_reuse"


def test_a_predecessor_is_not_honoured_once_its_successor_was_used(services: Services, pair: TokenPair) -> None:
    following = services.accounts.refresh(pair.refresh_token)
    services.accounts.refresh(following.refresh_token)
    with pytest.raises(NotSignedIn):
        services.accounts.refresh(pair.refresh_token)


def test_logout_ends_everything_of_the_session(services: Services, pair: TokenPair) -> None:
    services.accounts.logout(services.accounts.authenticate(pair.access_token))
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(pair.access_token)
    with pytest.raises(NotSignedIn):
        services.accounts.refresh(pair.refresh_token)


def test_tickets_are_good_once_and_for_one_purpose(services: Services, pair: TokenPair) -> None:
    actor = services.accounts.authenticate(pair.access_token)
    ticket = services.accounts.issue_ticket(actor, "websocket")
    with pytest.raises(NotSignedIn):
        services.accounts.redeem_ticket(ticket.ticket, "dashboard")
    assert services.accounts.redeem_ticket(ticket.ticket, "websocket").session_id == actor.session_id
    with pytest.raises(NotSignedIn):
        services.accounts.redeem_ticket(ticket.ticket, "websocket")


def test_a_ticket_ends_with_its_time_and_with_its_session(services: Services, pair: TokenPair, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = services.accounts.authenticate(pair.access_token)
    orphan = services.accounts.issue_ticket(actor, "websocket")
    services.accounts.logout(actor)
    with pytest.raises(NotSignedIn):
        services.accounts.redeem_ticket(orphan.ticket, "websocket")
    late = services.accounts.signin_link(None, "dashboard")
    monkeypatch.setattr("dapp_ext.store.accounts.now", lambda: now() + timedelta(minutes=16))
    with pytest.raises(NotSignedIn):
        services.accounts.redeem_ticket(late.ticket, "dashboard")


def test_a_browser_session_is_its_own(services: Services, pair: TokenPair) -> None:
    cookie, actor = services.accounts.login_browser(LoginRequest(email="ada@example.org", password=PASSWORD))
    assert services.accounts.browser_session(cookie).session_id == actor.session_id
    services.accounts.logout(services.accounts.browser_session(cookie))
    with pytest.raises(NotSignedIn):
        services.accounts.browser_session(cookie)
    assert services.accounts.authenticate(pair.access_token)


def test_credentials_are_not_in_the_database(settings: Settings, services: Services, pair: TokenPair) -> None:
    cookie, _ = services.accounts.login_browser(LoginRequest(email="ada@example.org", password=PASSWORD))
    ticket = services.accounts.signin_link(None, "dashboard").ticket
    stored = b"".join(path.read_bytes() for path in Path(settings.home).rglob("*") if path.is_file())
    for secret in (PASSWORD, cookie, ticket, pair.access_token, pair.refresh_token):
        assert secret.encode() not in stored


def _forged(services: Services, key: Any = None, headers: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token signed with the workspace's own key, that breaks one rule."""
    actor = services.system.shell_actor()
    cookie = services.accounts.open_browser_session(actor)
    session_id = services.accounts.browser_session(cookie).session_id
    tokens = services.accounts._tokens
    moment = int(time.time())
    good: dict[str, Any] = {"iss": tokens.issuer, "aud": "dapp-api", "sub": actor.account_id, "sid": session_id, "jti": "0" * 32}
    good |= {"iat": moment, "nbf": moment, "exp": moment + tokens.lifetime}
    good = {name: value for name, value in (good | claims).items() if value is not None}
    return jwt.encode(good, key or tokens.private_key, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": tokens.kid} | (headers or {}))


def test_a_well_made_token_passes(services: Services) -> None:
    assert services.accounts.authenticate(_forged(services)).role is Role.admin


MOMENT = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": MOMENT - 31},
        {"nbf": MOMENT + 1000},
        {"iat": MOMENT + 1000, "exp": MOMENT + 1100},
        {"exp": MOMENT + 10**9},
        {"exp": str(MOMENT + 60)},
        {"aud": "other"},
        {"aud": ["dapp-api", "other"]},
        {"aud": None},
        {"iss": "dapp:other"},
        {"iss": None},
        {"sub": "00000000-0000-7000-8000-000000000000"},
        {"sub": 7},
        {"sid": None},
        {"jti": None},
        {"more": "claims"},
    ],
    ids=str,
)
def test_tokens_that_break_a_rule_are_refused(services: Services, claims: dict[str, Any]) -> None:
    with pytest.raises((NotSignedIn, TypeError)) as refused:
        services.accounts.authenticate(_forged(services, **claims))
    # PyJWT itself refuses to sign a subject that is not a text; everything else must have reached our reader.
    assert refused.type is NotSignedIn or claims == {"sub": 7}


@pytest.mark.parametrize(
    "headers", [{"typ": "JWT"}, {"typ": "AT+JWT"}, {"kid": "../../etc/passwd"}, {"kid": "' OR 1=1--"}, {"jku": "https://example.org"}, {"crit": ["exp"]}]
)
def test_tokens_with_another_header_are_refused(services: Services, headers: dict[str, Any]) -> None:
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(_forged(services, headers=headers))


def test_tokens_of_another_key_or_without_one_are_refused(services: Services) -> None:
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(_forged(services, key=Ed25519PrivateKey.generate()))
    header, payload, _ = _forged(services).split(".")
    for algorithm in ("none", "None", "HS256"):
        changed = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "at+jwt"}).encode()).rstrip(b"=").decode()
        for signature in ("", "AAAA"):
            with pytest.raises(NotSignedIn):
                services.accounts.authenticate(f"{changed}.{payload}.{signature}")
    assert header


def test_every_changed_character_is_noticed(services: Services) -> None:
    token = _forged(services)
    for position in range(0, len(token), 7):
        other = "A" if token[position] != "A" else "B"
        with pytest.raises(NotSignedIn):
            services.accounts.authenticate(token[:position] + other + token[position + 1 :])


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 5000, "..", "\u00e4.b.c", "a.b.c\n", "e30.e30.e30"])
def test_what_is_no_token_is_refused(services: Services, token: str) -> None:
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(token)


def test_a_token_of_another_workspace_is_refused(services: Services, tmp_path: Path) -> None:
    with open_services(Settings(home=tmp_path / "other")) as other, pytest.raises(NotSignedIn):
        other.accounts.authenticate(_forged(services))
