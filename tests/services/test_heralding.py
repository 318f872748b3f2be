"""What was set for a later time is told at that time: once, to everybody, at every door."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.base import now
from dapp_ext.schema.events import Event
from dapp_ext.schema.notices import AnnouncementCreate, MaintenanceStart
from dapp_ext.services import Services, open_services
from dapp_ext.settings import Settings

Person = Callable[[str, Role], Actor]
MODULES = ("heralding", "announcements", "notifications", "maintenance", "context")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Moves the clock of everything that looks at the time of notices."""

    def move(by: timedelta) -> None:
        for module in MODULES:
            monkeypatch.setattr(f"dapp_ext.services.{module}.now", lambda: now() + by)

    return move


def told(services: Services, actor: Actor, cursor: str) -> list[tuple[str, str, object]]:
    items = services.events.page(actor, cursor).items
    return [(each.type, each.data["message"], each.data.get("withdrawn") or each.data.get("state")) for each in items if each.type.startswith("system.")]


def rung(services: Services, actor: Actor) -> list[str]:
    return [each.title for each in services.notifications.list(actor).items]


def test_an_announcement_is_told_when_it_begins_and_when_it_is_over(
    services: Services, settings: Settings, owner: Actor, person: Person, later: Callable[[timedelta], None]
) -> None:
    vera, cursor, moment = person("vera", Role.viewer), services.events.head(), now()
    request = AnnouncementCreate(message="Cake", starts_at=moment + timedelta(hours=1), ends_at=moment + timedelta(hours=2))
    services.announcements.create(owner, request)
    services.herald.look()
    assert told(services, vera, cursor) == []
    assert told(services, owner, cursor) == [("system.scheduled", "Cake", None)], "the page of the administrators follows"
    assert (rung(services, vera), rung(services, owner)) == ([], [])
    later(timedelta(minutes=61))
    with open_services(settings) as other:  # every process looks; one tells
        for each in (services, other, services):
            each.herald.look()
    assert told(services, vera, cursor) == [("system.announcement", "Cake", None)]
    assert (rung(services, vera), rung(services, owner)) == (["Cake"], ["Cake"])
    line = services.notifications.list(vera).items[0]
    assert line.actor is not None
    assert line.actor.name == owner.name
    assert [each.message for each in services.announcements.list(vera).items] == ["Cake"]
    later(timedelta(minutes=121))
    services.herald.look()
    services.herald.look()
    assert told(services, vera, cursor)[1:] == [("system.announcement", "Cake", True)]
    assert rung(services, vera) == ["Cake"], "its end rings no bell"
    assert services.announcements.list(vera).items == []


def test_the_feed_brings_it_by_itself(services: Services, owner: Actor, person: Person) -> None:
    vera, begins = person("vera", Role.viewer), now() + timedelta(seconds=1.2)
    heard: list[tuple[Event, float]] = []
    subscription = services.events.subscribe(vera, lambda event: heard.append((event, (now() - begins).total_seconds())))
    services.announcements.create(owner, AnnouncementCreate(message="Soon", starts_at=begins))
    until = time.monotonic() + 10
    while not heard and time.monotonic() < until:
        time.sleep(0.02)
    subscription.close()
    assert [(event.type, event.data["message"]) for event, _ in heard] == [("system.announcement", "Soon")]
    assert 0 <= heard[0][1] < 3, "at its time, not before; a second later where nothing else keeps the machine busy"


def test_what_is_withdrawn_before_its_time_is_never_told(services: Services, owner: Actor, person: Person, later: Callable[[timedelta], None]) -> None:
    vera, cursor = person("vera", Role.viewer), services.events.head()
    made = services.announcements.create(owner, AnnouncementCreate(message="Never mind", starts_at=now() + timedelta(hours=1)))
    services.announcements.withdraw(owner, made.id)
    later(timedelta(hours=2))
    services.herald.look()
    assert (told(services, vera, cursor), rung(services, vera)) == ([], [])


def test_what_came_and_went_while_nothing_ran_is_not_told(services: Services, owner: Actor, person: Person, later: Callable[[timedelta], None]) -> None:
    vera, cursor, moment = person("vera", Role.viewer), services.events.head(), now()
    services.announcements.create(owner, AnnouncementCreate(message="Gone", starts_at=moment + timedelta(hours=1), ends_at=moment + timedelta(hours=2)))
    later(timedelta(hours=3))
    services.herald.look()
    services.herald.look()
    assert told(services, vera, cursor) == []


def test_maintenance_is_told_when_it_begins(services: Services, owner: Actor, person: Person, later: Callable[[timedelta], None]) -> None:
    vera, cursor = person("vera", Role.viewer), services.events.head()
    services.maintenance.start(owner, MaintenanceStart(message="New disks.", in_minutes=5))
    services.herald.look()
    assert told(services, vera, cursor) == [("system.maintenance", "Maintenance is announced: New disks.", "announced")]
    later(timedelta(minutes=6))
    services.herald.look()
    services.herald.look()
    assert told(services, vera, cursor)[1:] == [("system.maintenance", "Maintenance has begun: New disks.", "on")]
    assert rung(services, vera) == ["Maintenance has begun: New disks.", "Maintenance is announced: New disks."]
    services.maintenance.end(owner)
    services.maintenance.start(owner, MaintenanceStart(message="More disks."))
    services.herald.look()
    assert [state for _, _, state in told(services, vera, cursor)] == ["announced", "on", "off", "on"], "what begins at once is told once"
