"""The bell: what is behind it for whom, and that reading it counts at every door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from dapp_ext.domain.access import Thing
from dapp_ext.errors import CursorInvalid, NotFound
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.base import Subject, now
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.events import ModelEvent, SystemEvent
from dapp_ext.schema.notices import AnnouncementCreate
from dapp_ext.services import Services

Person = Callable[[str, Role], Actor]
CSV = b"a,b\n1,2\n3,4\n"


def _titles(services: Services, actor: Actor) -> list[str]:
    return [each.title for each in services.notifications.list(actor).items]


def test_the_owner_hears_of_the_end_and_the_team_of_the_upload(
    services: Services, person: Person, upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]
) -> None:
    ada, vera = person("ada", Role.analyst), person("vera", Role.viewer)
    dataset = upload(ada, CSV, name="Numbers")
    upload(ada, CSV, name="Secrets", visibility="private")
    upload(ada, b"\x00\x01\x02", name="Broken")
    run_jobs()
    assert _titles(services, ada) == ["“Broken” could not be read", "“Secrets” is ready: 2 rows × 2 columns", "“Numbers” is ready: 2 rows × 2 columns"]
    assert _titles(services, vera) == ["Ada uploaded “Numbers”: 2 rows × 2 columns"]
    line = services.notifications.list(vera).items[0]
    assert line.link == Subject(kind="dataset", id=dataset.id)
    assert line.actor is not None
    assert (line.actor.name, line.severity, line.is_read) == ("Ada", "info", False)


def test_a_training_is_its_owners_business(services: Services, person: Person) -> None:
    ada, alan = person("ada", Role.analyst), person("alan", Role.analyst)
    with services.context.change(ada, None) as change:
        for type in ("model.trained", "model.failed"):
            change.tell(type, Subject(kind="model", id="m1"), ModelEvent(name="Churn", status="x"), Thing(ada.account_id, "team"))
    assert _titles(services, ada) == ["“Churn” could not be trained", "“Churn” is trained"]
    assert _titles(services, alan) == []


def test_an_alert_of_the_system_is_for_administrators(services: Services, owner: Actor, person: Person) -> None:
    vera = person("vera", Role.viewer)
    with services.context.change(None, None) as change:
        change.tell("system.alert", Subject(kind="system", id="1"), SystemEvent(message="The disk is nearly full", severity="alert"))
    assert [(each.title, each.severity) for each in services.notifications.list(owner).items] == [("The disk is nearly full", "alert")]
    assert _titles(services, vera) == []


def test_reading_counts_at_every_door_and_is_told(services: Services, owner: Actor, person: Person) -> None:
    vera, alan = person("vera", Role.viewer), person("alan", Role.analyst)
    for number in range(3):
        services.announcements.create(owner, AnnouncementCreate(message=f"News {number}"))
    page = services.notifications.list(vera)
    assert (page.unread, len(page.items)) == (3, 3)
    cursor = services.events.head()
    assert services.notifications.mark(vera, page.items[1].id).unread == 2
    assert [each.is_read for each in services.notifications.list(vera).items] == [False, True, False]
    assert [each.title for each in services.notifications.list(vera, unread=True).items] == ["News 2", "News 0"]
    assert services.notifications.mark(vera, page.items[1].id).unread == 2, "twice is once"
    assert services.notifications.mark(vera).unread == 0
    assert services.notifications.count(alan).unread == 3
    told = [(each.type, each.data["unread"]) for each in services.events.page(vera, cursor).items]
    assert told == [("notification.read", 2), ("notification.read", 2), ("notification.read", 0)]
    assert services.events.page(alan, cursor).items == []
    assert services.events.page(owner, cursor).items == []
    services.announcements.create(owner, AnnouncementCreate(message="News 3"))
    assert services.notifications.list(vera).unread == 1


def test_it_goes_on_page_by_page(services: Services, owner: Actor, person: Person) -> None:
    vera = person("vera", Role.viewer)
    for number in range(7):
        services.announcements.create(owner, AnnouncementCreate(message=f"News {number}"))
    found, cursor = [], None
    while True:
        page = services.notifications.list(vera, limit=3, cursor=cursor)
        found += [each.title for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == [f"News {number}" for number in reversed(range(7))]


def test_what_happened_before_one_came_or_long_ago_is_not_told(services: Services, owner: Actor, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    services.announcements.create(owner, AnnouncementCreate(message="Before"))
    vera = person("vera", Role.viewer)
    services.announcements.create(owner, AnnouncementCreate(message="After"))
    assert _titles(services, vera) == ["After"]
    monkeypatch.setattr("dapp_ext.services.notifications.now", lambda: now() + timedelta(days=31))
    assert _titles(services, vera) == []


def test_only_own_lines_are_marked(services: Services, owner: Actor, person: Person) -> None:
    vera = person("vera", Role.viewer)
    with services.context.change(None, None) as change:
        change.tell("system.alert", Subject(kind="system", id="1"), SystemEvent(message="For administrators"))
    hidden = services.notifications.list(owner).items[0].id
    with pytest.raises(NotFound):
        services.notifications.mark(vera, hidden)
    with pytest.raises(CursorInvalid):
        services.notifications.mark(vera, "no cursor")
    with pytest.raises(CursorInvalid):
        services.notifications.list(vera, cursor="000000000000.5")
