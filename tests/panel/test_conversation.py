"""Calls and events of one page, over real services, without Panel and without a server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dapp_ext.errors import Busy
from dapp_ext.schema.accounts import AccountCreate, Actor, LoginRequest, Role
from dapp_ext.schema.datasets import DatasetRead, ReadOptions
from dapp_ext.services import Services
from dapp_panel.auth import Cookie, Doorkeeper, Visitor
from dapp_panel.conversation import MOST_IN_FLIGHT, Conversation
from dapp_panel.crew import Crew
from dapp_panel.dashboard import Dashboard
from dapp_panel.pages import CALLS
from dapp_panel.state import VisitState
from tests.conftest import PASSWORD

TABLE = b"city,amount\nBonn,1\nKiel,2\nBonn,3\n"


class Page:
    """The far end: keeps what it was sent."""

    def __init__(self, services: Services, crew: Crew, role: Role) -> None:
        name = f"{role.value}@example.org"
        services.accounts.create(services.system.shell_actor(), AccountCreate(email=name, role=role, password=PASSWORD))
        cookie, self.actor = services.accounts.login_browser(LoginRequest(email=name, password=PASSWORD))
        keeper = Doorkeeper(services, crew, Cookie.of(services.settings))
        desk = cast(Dashboard, SimpleNamespace(services=services, crew=crew, doorkeeper=keeper))
        self.messages: list[str] = []
        self.state = VisitState()
        self.talk = Conversation(desk, Visitor(cookie, "127.0.0.1", self.actor), self.state, to_page=lambda work: work(), send=self.messages.append)
        self._number = 0

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for message in list(self.messages) for item in json.loads(message)]

    def wait(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for item in self.items:
                if fits(item):
                    return item
            time.sleep(0.005)
        raise AssertionError(self.items)

    def call(self, name: str, /, **params: Any) -> dict[str, Any]:
        self._number += 1
        number = self._number
        self.talk.receive({"id": number, "call": name, "params": params})
        return self.wait(lambda item: item.get("id") == number)


@pytest.fixture
def crew() -> Iterator[Crew]:
    made = Crew("test", hands=4)
    yield made
    made.close()


@pytest.fixture
def page(services: Services, crew: Crew) -> Iterator[Callable[[Role], Page]]:
    made: list[Page] = []

    def make(role: Role = Role.analyst) -> Page:
        made.append(Page(services, crew, role))
        return made[-1]

    yield make
    for each in made:
        each.talk.close()


def test_a_dataset_from_upload_to_numbers(
    page: Callable[..., Page], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], services: Services
) -> None:
    maya = page()
    dataset = upload(maya.actor, TABLE, "cities.csv")
    run_jobs()
    assert maya.call("datasets.list")["ok"]["items"][0]["id"] == dataset.id
    got = maya.call("datasets.get", ref=dataset.id)["ok"]
    assert [column["name"] for column in got["schema"]] == ["city", "amount"]
    assert maya.call("datasets.profile", ref=dataset.id)["ok"]["rows"] == 3
    rows = maya.call("datasets.rows", ref=dataset.id, limit=2, sort=[{"column": "amount", "descending": True}], columns=["amount"])["ok"]
    assert (rows["rows"], rows["total"]) == ([[3], [2]], 3)
    sums = maya.call("explore.board", ref=dataset.id, charts=[{"shape": "bar", "x": "city", "y": "amount", "measure": "sum"}])["ok"]["charts"][0]["data"]
    assert dict(zip(sums["names"], sums["values"], strict=True)) == {"Bonn": 4, "Kiel": 2}
    home = maya.call("home")["ok"]
    assert (len(home["datasets"]), home["models"], home["jobs"]) == (1, [], [])
    renamed = maya.call("datasets.update", ref=dataset.id, name="Towns", visibility="private")["ok"]
    assert (renamed["name"], renamed["visibility"]) == ("Towns", "private")
    assert maya.call("trash.put", kind="dataset", ref=dataset.id)["ok"]["name"] == "Towns"
    assert maya.call("datasets.get", ref=dataset.id)["error"]["code"] == "dataset_not_found"
    assert maya.call("trash.restore", ref=dataset.id)["ok"]["id"] == dataset.id
    assert maya.call("datasets.get", ref=dataset.id)["ok"]["name"] == "Towns"
    door = next(each for each in services.system.status(maya.actor).latency if each.door == "dashboard")
    assert door.answers >= 1
    assert 0 < door.p50_ms <= door.p95_ms <= door.slowest_ms


READ = {
    "delimiter": ";", "quote": "'", "escape": "none", "encoding": "utf-8", "decimal": ",", "thousands": ".", "date_order": "day_first", "layout": "delimited",
    "header": True, "header_row": 1, "header_rows": 1, "comment": "none", "extra_cells": "drop", "extra_rows": "keep", "missing": ["?"],
    "types": {"city": "text"}, "format": "csv", "sheet": "a", "join_sheets": False, "table": 1, "merged_cells": "first",
}  # fmt: skip


def test_reading_again_takes_every_option_and_a_version_goes(
    page: Callable[..., Page], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], services: Services
) -> None:
    assert set(READ) == set(ReadOptions.model_fields)
    maya = page()
    dataset = upload(maya.actor, b"city;amount;at\n'A;B';1.000,5;01/02/2024\nKiel;?;13/02/2024\n", "cities.csv")
    run_jobs()
    assert maya.call("datasets.reread", ref=dataset.id, **READ)["ok"]["version"] == 2
    asked = services.versions.list(maya.actor, dataset.id).items[0].options
    assert asked is not None
    assert asked.model_dump() == READ
    run_jobs()
    rows = maya.call("datasets.rows", ref=dataset.id, version=2)["ok"]["rows"]
    assert rows == [["A;B", 1000.5, "2024-02-01"], ["Kiel", None, "2024-02-13"]]
    assert maya.call("datasets.dependents", ref=dataset.id, version=1)["ok"]["later"] == [2]
    assert maya.call("datasets.delete_version", ref=dataset.id, version=2)["error"]["code"] == "conflict"
    assert maya.call("datasets.delete_version", ref=dataset.id, version=1)["ok"] is None
    assert [each["version"] for each in maya.call("datasets.versions", ref=dataset.id)["ok"]["items"]] == [2]


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("nothing.such", {}, "invalid"),
        ("datasets.get", {}, "invalid"),
        ("datasets.get", {"ref": "x", "more": 1}, "invalid"),
        ("datasets.rows", {"ref": "x", "limit": 100_000}, "invalid"),
        ("models.get", {"ref": "x"}, "model_not_found"),
        ("accounts.list", {}, "denied"),
        ("audit.list", {}, "denied"),
    ],
)
def test_what_cannot_be_answered_is_said_in_words(name: str, params: dict[str, Any], code: str, page: Callable[..., Page]) -> None:
    error = page().call(name, **params)["error"]
    assert error["code"] == code
    assert len(error["message"]) > 10
    assert "Traceback" not in error["message"]


def test_what_a_page_hides_the_service_refuses(
    page: Callable[..., Page], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], owner: Actor
) -> None:
    dataset = upload(owner, TABLE)
    run_jobs()
    tom = page(Role.viewer)
    for name, params in (
        ("models.train", {"dataset": dataset.id, "target": "amount"}),
        ("datasets.update", {"ref": dataset.id, "name": "Mine"}),
        ("trash.put", {"kind": "dataset", "ref": dataset.id}),
        ("accounts.create", {"email": "new@example.org"}),
        ("accounts.update", {"ref": tom.actor.account_id, "role": "admin"}),
    ):
        assert tom.call(name, **params)["error"]["code"] == "denied", name
    assert tom.call("datasets.get", ref=dataset.id)["ok"]["name"] == dataset.name


@pytest.mark.parametrize("message", [None, 7, "text", [], {}, {"id": "1", "call": "home"}, {"id": 1}, {"id": 1, "call": "home", "params": [1]}])
def test_noise_is_ignored(message: Any, page: Callable[..., Page]) -> None:
    maya = page()
    maya.talk.receive(message)
    assert "ok" in maya.call("account.me")
    assert len(maya.items) == 1


def test_events_come_as_they_happen_and_again_from_a_cursor(page: Callable[..., Page], upload: Callable[..., DatasetRead], services: Services) -> None:
    maya = page()
    maya.talk.receive({"follow": ""})
    start = maya.wait(lambda item: "following" in item)["following"]
    dataset = upload(maya.actor, TABLE)
    told = maya.wait(lambda item: any(event["type"] == "dataset.uploaded" for event in item.get("events", [])))
    assert told["events"][0]["subject"] == {"kind": "dataset", "id": dataset.id}
    later = page(Role.admin)
    later.talk.receive({"follow": start})
    later.wait(lambda item: any(event["subject"]["id"] == dataset.id for event in item.get("events", [])))
    lost = page(Role.viewer)
    lost.talk.receive({"follow": "0" * len(services.events.head().partition(".")[0]) + ".1"})
    lost.wait(lambda item: item.get("reset") is True)


def test_an_event_that_one_may_not_see_is_not_sent(page: Callable[..., Page], upload: Callable[..., DatasetRead], owner: Actor) -> None:
    tom = page()
    tom.talk.receive({"follow": ""})
    tom.wait(lambda item: "following" in item)
    hidden = upload(owner, TABLE, "secret.csv", visibility="private")
    seen = upload(owner, TABLE, "open.csv")
    tom.wait(lambda item: any(event["subject"]["id"] == seen.id for event in item.get("events", [])))
    assert hidden.id not in json.dumps(tom.items)


def test_after_the_end_nothing_is_answered(page: Callable[..., Page], services: Services) -> None:
    maya = page()
    services.accounts.logout(maya.actor)
    assert maya.call("home")["error"]["code"] == "not_signed_in"
    assert any(item.get("ended") for item in maya.items)
    assert maya.call("datasets.list")["error"]["code"] == "not_signed_in"


def test_a_wrong_present_password_does_not_end_the_sign_in(page: Callable[..., Page]) -> None:
    maya = page()
    error = maya.call("account.password", current_password="wrong", new_password="another plain sentence 8")["error"]
    assert error["code"] == "login_refused"
    assert "ok" in maya.call("home")


def test_too_much_at_once_is_said(page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch) -> None:
    maya = page()
    monkeypatch.setitem(CALLS, "test.slow", lambda *_: time.sleep(0.5))
    for number in range(MOST_IN_FLIGHT + 1):
        maya.talk.receive({"id": 1000 + number, "call": "test.slow", "params": {}})
    assert maya.wait(lambda item: "error" in item)["error"]["code"] == "busy"


def test_a_fault_of_ours_gives_nothing_away(page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a value from someone's data")

    monkeypatch.setitem(CALLS, "test.broken", broken)
    error = page().call("test.broken")["error"]
    assert error["code"] == "internal"
    assert "someone's data" not in json.dumps(error)
    assert error["request_id"] in caplog.text


def test_a_full_crew_refuses_instead_of_waiting() -> None:
    crew = Crew("tiny", hands=1, waiting=1)
    first, second = crew.submit(time.sleep, 0.2), crew.submit(time.sleep, 0)
    with pytest.raises(Busy):
        crew.submit(time.sleep, 0)
    first.result()
    second.result()
    crew.submit(time.sleep, 0).result()
    crew.close()
    with pytest.raises(Busy):
        crew.submit(time.sleep, 0)
