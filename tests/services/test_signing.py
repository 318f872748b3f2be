"""The key that signs tokens is rotated while everything runs: who is signed in stays signed in, unless it has to end now."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from sqlmodel import select

from dapp_ext.errors import Denied, NotSignedIn
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.base import now
from dapp_ext.services import Services, open_services
from dapp_ext.settings import Settings
from dapp_ext.store.tables import SigningKeyRow

ONE = "4ePw0nWb8xq1ZtGm6vRk3yHs9uJd2cLa5fQi7oTe"
OTHER = "Zk3uYt9vQm1xWb7nRe5cHs2pLd8fJg4aTo6iVy0w"


def kid_of(token: str) -> Any:
    return jwt.get_unverified_header(token)["kid"]


def sealed_rows(services: Services) -> list[str]:
    with services.context.database.read() as session:
        return [row.kid for row in session.exec(select(SigningKeyRow)) if row.sealed is not None]


def test_who_is_signed_in_stays_signed_in(services: Services, settings: Settings, owner: Actor) -> None:
    before = services.accounts.open_session(owner)
    first = services.keys.status(owner)
    assert [(key.kid, key.state) for key in first.signing_keys] == [(kid_of(before.access_token), "active")]
    with open_services(settings) as other:
        rotated = other.keys.rotate_signing(owner)
        after = services.accounts.open_session(owner)  # by the process that was not told
        assert kid_of(after.access_token) == rotated.signing_key != kid_of(before.access_token)
        for each in (services, other):
            for pair in (before, after):
                assert each.accounts.authenticate(pair.access_token).account_id == owner.account_id
        assert [(key.kid, key.state) for key in rotated.signing_keys] == [(rotated.signing_key, "active"), (first.signing_key, "old")]
    renewed = services.accounts.refresh(before.refresh_token)
    assert kid_of(renewed.access_token) == rotated.signing_key
    with open_services(settings) as restarted:
        assert restarted.accounts.authenticate(renewed.access_token).email == owner.email


def test_what_was_signed_before_is_good_until_it_ends(services: Services, owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    before = services.accounts.open_session(owner).access_token
    services.keys.rotate_signing(owner)
    after = services.accounts.open_session(owner).access_token
    old = services.keys.status(owner).signing_keys[1]
    assert old.accepted_until is not None
    left = (old.accepted_until - now()).total_seconds()
    assert services.settings.access_minutes * 60 < left <= services.settings.access_minutes * 60 + 30
    monkeypatch.setattr("dapp_ext.services.signing.now", lambda: now() + timedelta(seconds=left + 1))
    with pytest.raises(NotSignedIn):
        services.accounts.authenticate(before)
    assert services.accounts.authenticate(after).email == owner.email
    assert [key.state for key in services.keys.status(owner).signing_keys] == ["active", "retired"]


def test_at_once_ends_what_was_signed_before_and_nothing_else(services: Services, settings: Settings, owner: Actor) -> None:
    before, cookie = services.accounts.open_session(owner), services.accounts.open_browser_session(owner)
    with open_services(settings) as other:
        for each in (services, other):
            assert each.accounts.authenticate(before.access_token)
            assert each.accounts.recall(before.access_token, each.context.database.stamp()) is not None
        services.keys.rotate_signing(owner)
        services.keys.rotate_signing(owner, at_once=True)
        for each in (services, other):
            until = time.monotonic() + 1.5
            while each.accounts.recall(before.access_token, each.context.database.stamp()) is not None:
                assert time.monotonic() < until, "effective within a second"
                time.sleep(0.02)
            with pytest.raises(NotSignedIn):
                each.accounts.authenticate(before.access_token)
        assert other.accounts.browser_session(cookie).email == owner.email
        renewed = other.accounts.refresh(before.refresh_token)
        assert services.accounts.authenticate(renewed.access_token).email == owner.email
    assert [key.state for key in services.keys.status(owner).signing_keys] == ["active", "retired", "retired"]


def test_an_old_key_can_sign_no_more(services: Services, owner: Actor) -> None:
    for _ in range(3):
        found = services.keys.rotate_signing(owner)
        assert sealed_rows(services) == [found.signing_key]
    rows = services.audit.list(owner, limit=3).items
    assert [row.action for row in rows] == ["key.rotate_signing"] * 3
    assert rows[0].details["to"] == found.signing_key
    assert "seed" not in json.dumps([row.model_dump(mode="json") for row in rows]) + found.model_dump_json()


def test_another_secret_takes_the_place_of_them_all(settings: Settings) -> None:
    one, other = replace(settings, secret_key=ONE), replace(settings, secret_key=OTHER)
    with open_services(one) as services:
        owner = services.system.shell_actor()
        base = services.keys.status(owner).signing_key
        rotated = services.keys.rotate_signing(owner).signing_key
        token = services.accounts.open_session(owner).access_token
    with open_services(other) as services:
        changed = services.keys.status(owner)
        assert changed.signing_key not in (base, rotated)
        assert len(changed.signing_keys) == 1
        with pytest.raises(NotSignedIn):
            services.accounts.authenticate(token)
        services.keys.rotate_signing(owner)
    with open_services(one) as services:
        assert services.keys.status(owner).signing_key == rotated
        assert services.accounts.authenticate(token).email == owner.email


def test_it_outlives_a_rotation_of_the_root(services: Services, settings: Settings, owner: Actor) -> None:
    rotated = services.keys.rotate_signing(owner).signing_key
    old = services.keys.status(owner).active
    services.keys.rotate(owner)
    services.keys.retire(owner, old)
    with open_services(settings) as fresh:
        token = fresh.accounts.open_session(owner).access_token
        assert kid_of(token) == rotated
        assert services.accounts.authenticate(token).email == owner.email


def test_no_call_fails_while_keys_change(services: Services, settings: Settings, owner: Actor) -> None:
    failed: list[str] = []
    calls = 0
    ending = threading.Event()

    def visit() -> None:
        nonlocal calls
        with open_services(settings) as mine:
            pair = mine.accounts.open_session(owner)
            while not ending.is_set():
                try:
                    mine.accounts.authenticate(pair.access_token)
                    pair = mine.accounts.refresh(pair.refresh_token)
                    calls += 1
                except Exception as error:
                    failed.append(repr(error))
                    return

    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for each in visitors:
        each.start()
    for _ in range(8):
        before = calls
        services.keys.rotate_signing(owner)
        while calls < before + 3 and not failed:
            ending.wait(0.01)
    ending.set()
    for each in visitors:
        each.join()
    assert failed == []
    assert len(services.keys.status(owner).signing_keys) == 9


def test_only_administrators_rotate(services: Services, person: Callable[[str, Role], Actor]) -> None:
    for role in (Role.viewer, Role.analyst):
        with pytest.raises(Denied):
            services.keys.rotate_signing(person(role.value, role))
