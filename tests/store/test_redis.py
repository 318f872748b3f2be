"""Redis: nudges, answers and counts, and that nothing is lost with it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dapp_ext.errors import SettingInvalid, Throttled
from dapp_ext.handlers.rates import Rate
from dapp_ext.store.bell import Bells
from dapp_ext.store.redis import LARGEST_ANSWER, Redis, RedisWire
from tests import servers


def test_answers_are_shared_within_a_workspace_only(redis_server: servers.Redis) -> None:
    one, same, other = Redis(redis_server.url, "w"), Redis(redis_server.url, "w"), Redis(redis_server.url, "v")
    one.put("question", b"answer")
    assert (same.get("question"), other.get("question")) == (b"answer", None)
    one.put("large", bytes(LARGEST_ANSWER + 1))
    assert same.get("large") is None
    for each in (one, same, other):
        each.close()


def test_a_lost_server_is_no_error_and_asked_again_later(
    redis_server: servers.Redis, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dapp_ext.store.redis.AGAIN_SECONDS", 0.3)
    redis = Redis(redis_server.url, "w")
    redis.put("question", b"answer")
    assert redis.answers
    redis_server.kill()
    began = time.monotonic()
    assert [redis.get("question") for _ in range(100)] == [None] * 100
    redis.put("question", b"answer")
    assert redis.exchange("rate", {"me": 3}) == {}
    assert not redis.answers
    assert time.monotonic() - began < 10  # nobody waits half a second a hundred times
    assert 1 <= len(caplog.records) <= 10
    redis_server.start()
    time.sleep(0.35)
    redis.put("question", b"again")
    assert redis.get("question") == b"again"
    redis.close()


def test_a_nudge_reaches_another_machine_and_comes_back_after_a_loss(redis_server: servers.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapp_ext.store.redis.AGAIN_SECONDS", 0.1)
    here, there = Bells(tmp_path / "here", RedisWire(redis_server.url, "w")), Bells(tmp_path / "there", RedisWire(redis_server.url, "w"))
    bell = there.listen()
    assert bell.wait(5)
    here.ring()
    assert bell.wait(5)
    redis_server.kill()
    here.ring()  # nobody hears it, and nobody fails
    redis_server.start()
    assert bell.wait(10)  # follows again, and looks for what it missed
    time.sleep(0.15)
    here.ring()
    assert bell.wait(5)
    bell.close()
    for bells in (here, there):
        bells.close()


def test_what_others_have_counted_counts_here(redis_server: servers.Redis) -> None:
    one, two = Redis(redis_server.url, "w"), Redis(redis_server.url, "w")
    here, there = Rate(burst=10, per_second=0.001), Rate(burst=10, per_second=0.001)
    assert (here.counted(), there.counted()) == ({}, {})  # from now on both count
    here.take("me")
    there.take("me")
    for redis, rate in ((one, here), (two, there)):
        rate.heard(redis.exchange("rate", rate.counted()))
    for _ in range(8):
        here.take("me")
    one.exchange("rate", here.counted())
    there.take("me")
    there.heard(two.exchange("rate", there.counted()))
    with pytest.raises(Throttled):
        there.take("me")
    there.take("somebody else")
    for each in (one, two):
        each.close()


def test_a_wrong_address_is_one_sentence() -> None:
    with pytest.raises(SettingInvalid, match="REDIS_URL"):
        Redis("http://nowhere", "w")
