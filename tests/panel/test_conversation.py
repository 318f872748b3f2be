"""What is live on one page, over real services, without Panel and without a server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dapp_ext.errors import Busy
from dapp_ext.schema.accounts import AccountCreate, Actor, LoginRequest, Role
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.services import Services
from dapp_panel.auth import Cookie, Doorkeeper, Visitor
from dapp_panel.conversation import Conversation
from dapp_panel.crew import Crew
from dapp_panel.dashboard import Dashboard
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


@pytest.fixture
def page(services: Services, crew: Crew) -> Iterator[Callable[[Role], Page]]:
    made: list[Page] = []

    def make(role: Role = Role.analyst) -> Page:
        made.append(Page(services, crew, role))
        return made[-1]

    yield make
    for each in made:
        each.talk.close()


@pytest.mark.parametrize("message", [None, 7, "text", [], {}, {"id": 1, "call": "home", "params": {}}, {"place": 3}, {"place": None}])
def test_noise_is_ignored(message: Any, page: Callable[..., Page]) -> None:
    maya = page()
    maya.talk.receive(message)
    assert maya.state.place == "/"
    maya.talk.receive({"follow": ""})
    maya.wait(lambda item: "following" in item)
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


def test_after_the_end_the_page_is_told(page: Callable[..., Page], services: Services) -> None:
    maya = page()
    services.accounts.logout(maya.actor)
    maya.talk.refresh()
    assert maya.wait(lambda item: "ended" in item)
    assert not maya.state.signed_in


def test_a_crew_without_a_place_is_asked_again(page: Callable[..., Page], crew: Crew) -> None:
    maya = page()
    crew.close()
    maya.talk.receive({"follow": ""})
    assert maya.items == [{"unfollowed": "The dashboard is being stopped. Try again in a moment."}]


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
