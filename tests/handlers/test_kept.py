"""Answers that are given again: as they were sent, to the same caller, until anything at all is committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dapp_ext.handlers import kept
from dapp_ext.schema.accounts import Role
from tests.handlers.serving import Caller


@pytest.fixture
def asked(services: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who asked the services for their datasets."""
    real, found = services.datasets.list, []

    def look(actor: Any, **given: Any) -> Any:
        found.append(actor.account_id)
        return real(actor, **given)

    monkeypatch.setattr(services.datasets, "list", look)
    return found


async def test_the_services_are_asked_once(owner: Caller, asked: list[str]) -> None:
    await owner("GET", "/auth/me")  # writes down that the session is used, which is a commit
    first, second = [await owner("GET", "/datasets") for _ in range(2)]
    assert first.status == second.status == 200
    assert first.body == second.body
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert len(asked) == 1
    await owner("GET", "/datasets?limit=3")
    assert len(asked) == 2, "another question"


async def test_what_was_just_done_is_seen_at_once(owner: Caller, asked: list[str]) -> None:
    await owner("GET", "/auth/me")
    assert (await owner("GET", "/datasets")).json["items"] == []
    made = await owner("POST", "/datasets?filename=a.csv&name=First", b"a,b\n1,2\n", headers={"Content-Type": "application/octet-stream"})
    assert made.status == 202
    assert [each["name"] for each in (await owner("GET", "/datasets")).json["items"]] == ["First"]
    assert (await owner("PATCH", "/datasets/First", {"name": "Second"})).status == 200
    assert [each["name"] for each in (await owner("GET", "/datasets")).json["items"]] == ["Second"]


async def test_an_answer_belongs_to_its_caller(owner: Caller, signed_in: Callable[[Role], Caller]) -> None:
    viewer = signed_in(Role.viewer)
    for _ in range(2):
        mine, other = (await owner("GET", "/auth/me")).json, (await viewer("GET", "/auth/me")).json
        assert (mine["role"], other["role"]) == ("admin", "viewer")
    assert (await owner("DELETE", f"/users/{other['id']}/sessions")).status == 204
    assert (await viewer("GET", "/auth/me")).status == 401
    assert (await owner("GET", "/auth/me")).status == 200


async def test_nothing_is_kept_for_long(owner: Caller, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT_SECONDS", -1.0)
    await owner("GET", "/auth/me")
    for _ in range(2):
        await owner("GET", "/datasets")
    assert len(asked) == 2


async def test_a_question_with_a_body_is_read(owner: Caller) -> None:
    await owner("GET", "/datasets")
    refused = await owner("GET", "/datasets", {"surprise": 1}, headers={"Content-Type": "application/json"})
    assert refused.status == 422


def test_large_answers_and_old_ones_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_KEPT", 2)
    answers = kept.KeptAnswers()
    questions = [kept.Question("one", f"/{number}", 1) for number in range(4)]
    for each in questions[:3]:
        answers.keep(each, 1e12, kept.Content("text/plain", b"x"))
    answers.keep(questions[3], 1e12, kept.Content("text/plain", b"x" * (kept.MOST_BYTES + 1)))
    assert [answers.find(each) is not None for each in questions] == [False, True, True, False]
