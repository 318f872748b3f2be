"""Signing in and staying signed in."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dapp_ext.errors import DappError, LoginRefused, NotSignedIn, Throttled
from dapp_ext.schema.accounts import AccountUpdate, Actor, LoginRequest, Role, TokenPair
from dapp_ext.schema.base import now
from dapp_ext.schema.signins import TokenCreate
from dapp_ext.services import Services, open_services, sessions
from dapp_ext.settings import Settings
from dapp_ext.store.keys import SigningKey
from dapp_ext.store.tables import RefreshToken
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


def test_a_refusal_is_told_with_the_door_that_it_happened_at(services: Services, person: Person) -> None:
    person("maya", Role.viewer)
    for email in ("maya@example.org", "nobody@example.org"):
        request = LoginRequest(email=email, password="not the right words")
        with pytest.raises(LoginRefused):
            services.accounts.login_browser(request, address="192.0.2.7", request_id="request-one")
        with pytest.raises(LoginRefused):
            services.accounts.login(request, address="192.0.2.8", request_id="request-two")
    rows = services.audit.list(services.system.shell_actor(), action="account.login").items
    told = [(row.door, row.address, row.request_id) for row in rows if row.outcome == "deny"]
    assert told == [("api", "192.0.2.8", "request-two"), ("dashboard", "192.0.2.7", "request-one")] * 2


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
    assert len(services.audit.list(owner, action="account.refresh_reuse").items) == 1


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


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _signed(header: dict[str, Any], payload: str, signature: Callable[[bytes], bytes]) -> str:
    """A token with any header, signed by any means; no library stands in the way of a wrong one."""
    made = signature(f"{_part(header)}.{payload}".encode())
    return f"{_part(header)}.{payload}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def _signer(services: Services) -> SigningKey:
    with services.context.database.read() as session:
        return services.accounts._signers.active(session)


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
    signer = _signer(services)
    header = {"alg": "EdDSA", "typ": "at+jwt", "kid": signer.kid} | (headers or {})
    return _signed(header, _part(good), (key or signer.private_key).sign)


def test_a_well_made_token_passes(services: Services) -> None:
    assert services.accounts.authenticate(_forged(services)).role is Role.admin


MOMENT = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": MOMENT - 31},
        {"iat": MOMENT - 700, "nbf": MOMENT - 700, "exp": MOMENT - 100},
        {"nbf": MOMENT + 100_000},
        {"exp": True},
        {"exp": MOMENT + 60.5},
        {"iat": MOMENT + 60, "exp": MOMENT + 30},
        {"iss": "dapp:"},
        {"iss": ["dapp"]},
        {"aud": ""},
        {"aud": "dapp-apiX"},
        {"sub": ""},
        {"sid": "'; DROP TABLE sessions; --"},
        {"sid": "\ud800"},
        {"sid": "a\x00b"},
        {"jti": ""},
        {"jti": 5},
        {"iat": MOMENT + 100_000, "exp": MOMENT + 100_100},
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
)
def test_tokens_that_break_a_rule_are_refused(services: Services, claims: dict[str, Any]) -> None:
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(_forged(services, **claims))


@pytest.mark.parametrize(
    "headers",
    [
        {"typ": ""},
        {"typ": "rt+jwt"},
        {"kid": ["a"]},
        {"kid": "k" * 3000},
        {"kid": ""},
        {"b64": True},
        {"zip": "DEF"},
        {"x5u": "https://example.org"},
        {"jwk": {"kty": "OKP"}},
        {"typ": "JWT"},
        {"typ": "AT+JWT"},
        {"kid": "../../etc/passwd"},
        {"kid": "' OR 1=1--"},
        {"jku": "https://example.org"},
        {"crit": ["exp"]},
    ],
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


def test_the_public_key_is_no_secret_to_sign_with(services: Services) -> None:
    signer = _signer(services)
    payload = _forged(services).split(".")[1]
    public = signer.public_key
    forms = (
        public.public_bytes(Encoding.Raw, PublicFormat.Raw),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        base64.urlsafe_b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)),
    )
    for algorithm in ("HS256", "HS512"):
        for secret in forms:
            header = {"alg": algorithm, "typ": "at+jwt", "kid": signer.kid}
            with pytest.raises(NotSignedIn):
                services.accounts.authenticate(_signed(header, payload, lambda data, key=secret, name=algorithm: hmac.digest(key, data, f"sha{name[2:]}")))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_key_of_another_kind_signs_nothing(services: Services, algorithm: str) -> None:
    key: Any = rsa.generate_private_key(65537, 2048) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())
    claims = jwt.decode(_forged(services), options={"verify_signature": False})
    for named in (algorithm, "EdDSA"):
        token = jwt.encode(claims, key, algorithm=algorithm, headers={"typ": "at+jwt", "kid": _signer(services).kid})
        head, payload, signature = token.split(".")
        if named == "EdDSA":
            head = _forged(services).split(".")[0]
        with pytest.raises(NotSignedIn):
            services.accounts.authenticate(f"{head}.{payload}.{signature}")


def test_clocks_may_differ_by_half_a_minute(services: Services) -> None:
    moment = int(time.time())
    for claims in ({"iat": moment - 500, "nbf": moment - 500, "exp": moment - 28}, {"nbf": moment + 28}, {"iat": moment + 28, "exp": moment + 600}):
        assert services.accounts.authenticate(_forged(services, **claims))


def test_a_second_spelling_of_the_same_bytes_is_refused(services: Services) -> None:
    token = _forged(services)
    for changed in (token + "=", token.replace(".", "=.", 1), f" {token}", f"{token} ", f"{token}\n", f"{token}.x", token.rpartition(".")[0]):
        with pytest.raises(NotSignedIn):
            services.accounts.authenticate(changed)


def test_each_kind_of_credential_opens_its_own_door_only(services: Services, pair: TokenPair) -> None:
    actor = services.accounts.authenticate(pair.access_token)
    cookie, _ = services.accounts.login_browser(LoginRequest(email="ada@example.org", password=PASSWORD))
    ticket = services.accounts.issue_ticket(actor, "websocket").ticket
    personal = services.signins.create_token(actor, TokenCreate(name="script")).token
    credentials = {"access": pair.access_token, "refresh": pair.refresh_token, "cookie": cookie, "ticket": ticket, "personal": personal}
    doors: dict[str, Callable[[str], Any]] = {
        "access": services.accounts.authenticate,
        "refresh": services.accounts.refresh,
        "cookie": services.accounts.browser_session,
        "ticket": lambda value: services.accounts.redeem_ticket(value, "websocket"),
        "link": services.invitations.offer,
    }
    for kind, credential in credentials.items():
        for door, enter in doors.items():
            if kind != door and (kind, door) != ("personal", "access"):
                with pytest.raises(NotSignedIn):
                    enter(credential)
    assert services.accounts.authenticate(personal).scope == "read"


def test_of_fifty_refreshes_at_the_same_moment_one_successor_lives(services: Services, pair: TokenPair) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: services.accounts.refresh(pair.refresh_token).refresh_token, range(50)))
    assert len(set(answers)) == 1
    assert services.accounts.refresh(answers[0]).refresh_token != answers[0]


def test_of_many_users_of_one_ticket_one_gets_in(services: Services, pair: TokenPair) -> None:
    ticket = services.accounts.issue_ticket(services.accounts.authenticate(pair.access_token), "websocket").ticket

    def enter(_: int) -> bool:
        try:
            services.accounts.redeem_ticket(ticket, "websocket")
        except NotSignedIn:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enter, range(20))) == 1


def test_a_session_has_an_end_however_often_it_is_refreshed(services: Services, pair: TokenPair, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [now()]
    for module in ("dapp_ext.services.sessions.now", "dapp_ext.store.accounts.now"):
        monkeypatch.setattr(module, lambda: moment[0])
    refresh = pair.refresh_token
    for _ in range(13):
        moment[0] += timedelta(hours=12)
        refresh = services.accounts.refresh(refresh).refresh_token
        # Tokens say when they were made by the machine's own clock.
        with services.context.database.write() as session:
            row = session.get(RefreshToken, sessions.digest(refresh))
            assert row is not None
            row.issued_at = moment[0]
            session.add(row)
    moment[0] += timedelta(hours=13)
    with pytest.raises(NotSignedIn):
        services.accounts.refresh(refresh)


def test_an_idle_session_is_not_refreshed(services: Services, pair: TokenPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapp_ext.services.sessions.now", lambda: now() + timedelta(hours=25))
    with pytest.raises(NotSignedIn):
        services.accounts.refresh(pair.refresh_token)


def test_the_last_admin_stays_also_when_two_go_at_once(services: Services, owner: Actor, person: Person) -> None:
    first, second = person("first", Role.admin), person("second", Role.admin)
    services.accounts.update(first, owner.account_id, AccountUpdate(disabled=True))

    def demote(pair: tuple[Actor, Actor]) -> bool:
        by, whom = pair
        try:
            services.accounts.update(by, whom.account_id, AccountUpdate(role=Role.viewer))
        except DappError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(demote, [(first, second), (second, first)]))
    assert done.count(True) == 1
    assert sum(each.role is Role.admin and not each.disabled for each in services.accounts.list(owner)) == 1


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


def test_a_credential_is_recalled_until_anything_changes(services: Services) -> None:
    pair = services.accounts.sign_in_owner()
    assert services.accounts.recall(pair.access_token, services.context.database.stamp()) is None
    actor = services.accounts.authenticate(pair.access_token, address="here", request_id="one")
    again = services.accounts.recall(pair.access_token, services.context.database.stamp(), address="there", request_id="two")
    assert again is not None
    assert again.model_copy(update={"address": "here", "request_id": "one"}) == actor
    assert (again.address, again.request_id) == ("there", "two")
    services.accounts.logout(actor)
    assert services.accounts.recall(pair.access_token, services.context.database.stamp()) is None
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(pair.access_token)
