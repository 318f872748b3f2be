"""Maintenance and announcements: what waits, what goes on, what is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from dapp_ext.errors import Conflict, Denied, Invalid, MaintenanceOn, NotFound
from dapp_ext.schema.accounts import AccountCreate, Actor, Role
from dapp_ext.schema.base import now
from dapp_ext.schema.datasets import DatasetRead, DatasetUpdate, DatasetUpload
from dapp_ext.schema.notices import AnnouncementCreate, MaintenanceStart
from dapp_ext.services import Services, open_services
from dapp_ext.settings import Settings

Person = Callable[[str, Role], Actor]
CSV = b"a,b\n1,2\n3,4\n"


def test_changes_wait_and_looking_goes_on(services: Services, owner: Actor, person: Person, upload: Callable[..., DatasetRead]) -> None:
    ada = person("ada", Role.analyst)
    dataset = upload(ada, CSV, name="numbers")
    state = services.maintenance.start(owner, MaintenanceStart(message="New disks", minutes=10))
    assert (state.state, state.ends_in) == ("on", 599)
    for actor in (ada, owner):
        with pytest.raises(MaintenanceOn, match="New disks") as refused:
            services.datasets.begin_upload(actor, DatasetUpload(filename="t.csv"))
        assert 30 <= refused.value.details["retry_after"] <= 600
    with pytest.raises(MaintenanceOn):
        services.datasets.update(ada, dataset.id, DatasetUpdate(name="other"))
    with pytest.raises(MaintenanceOn):
        services.datasets.delete(ada, dataset.id)
    assert services.datasets.get(ada, dataset.id).name == "numbers"
    assert services.accounts.create(owner, AccountCreate(email="new@example.org")), "administering goes on"
    services.maintenance.end(owner)
    assert services.datasets.update(ada, dataset.id, DatasetUpdate(name="other")).name == "other"
    with pytest.raises(Conflict):
        services.maintenance.end(owner)


def test_new_jobs_wait_and_go_on_after(services: Services, owner: Actor, upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]) -> None:
    worker = services.jobs.enlist()
    first = upload(owner, CSV, name="first")
    running = services.jobs.claim(worker)
    assert running is not None
    second = upload(owner, CSV, name="second")
    state = services.maintenance.start(owner, MaintenanceStart())
    assert state.running_jobs == 1
    assert services.jobs.claim(worker) is None
    assert services.jobs.beat(running).held, "what runs is not disturbed"
    services.jobs.release(running)
    run_jobs()
    assert {services.datasets.get(owner, each.id).status for each in (first, second)} == {"processing"}
    services.maintenance.end(owner)
    run_jobs()
    assert {services.datasets.get(owner, each.id).status for each in (first, second)} == {"ready"}


def test_an_announced_maintenance_counts_down_and_begins_by_itself(services: Services, owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    state = services.maintenance.start(owner, MaintenanceStart(in_minutes=5, minutes=30))
    assert state.state == "announced"
    assert state.starts_in is not None
    assert 295 <= state.starts_in <= 300
    services.datasets.begin_upload(owner, DatasetUpload(filename="t.csv")).abort()
    assert services.system.status(owner).maintenance.state == "announced"
    for module in ("maintenance", "context", "jobs"):
        monkeypatch.setattr(f"dapp_ext.services.{module}.now", lambda: now() + timedelta(minutes=6))
    assert services.maintenance.read(owner).state == "on"
    with pytest.raises(MaintenanceOn):
        services.datasets.begin_upload(owner, DatasetUpload(filename="t.csv"))


def test_maintenance_outlives_a_restart(settings: Settings) -> None:
    with open_services(settings) as services:
        services.maintenance.start(services.system.shell_actor(), MaintenanceStart(message="Moving house"))
    with open_services(settings) as services:
        owner = services.system.shell_actor()
        assert services.maintenance.read(owner).message == "Moving house"
        with pytest.raises(MaintenanceOn):
            services.datasets.begin_upload(owner, DatasetUpload(filename="t.csv"))


def test_everybody_is_told(services: Services, owner: Actor, person: Person) -> None:
    viewer = person("vera", Role.viewer)
    cursor = services.events.head()
    services.maintenance.start(owner, MaintenanceStart(in_minutes=1))
    services.maintenance.end(owner)
    made = services.announcements.create(owner, AnnouncementCreate(message="Cake\nin the kitchen", severity="alert"))
    told = services.events.page(viewer, cursor).items
    assert [(each.type, each.data.get("state")) for each in told] == [
        ("system.maintenance", "announced"),
        ("system.maintenance", "off"),
        ("system.announcement", None),
    ]
    assert made.message == "Cake in the kitchen"
    assert services.maintenance.read(viewer).state == "off"


def test_announcements_have_a_time(services: Services, owner: Actor, person: Person) -> None:
    viewer, moment = person("vera", Role.viewer), now()
    current = services.announcements.create(owner, AnnouncementCreate(message="Now", ends_at=moment + timedelta(hours=1)))
    later = services.announcements.create(owner, AnnouncementCreate(message="Later", starts_at=moment + timedelta(hours=1)))
    assert [each.message for each in services.announcements.list(viewer).items] == ["Now"]
    assert {each.message: each.is_current for each in services.announcements.history(owner).items} == {"Now": True, "Later": False}
    services.announcements.withdraw(owner, current.id)
    assert services.announcements.list(viewer).items == []
    with pytest.raises(NotFound):
        services.announcements.withdraw(owner, current.id)
    assert services.notifications.list(viewer).items == [], "neither what was withdrawn nor what is to come"
    assert later.starts_at > moment
    with pytest.raises(Invalid):
        services.announcements.create(owner, AnnouncementCreate(message="Never", ends_at=moment - timedelta(hours=1)))
    with pytest.raises(Invalid, match="message is empty"):
        services.announcements.create(owner, AnnouncementCreate(message=" \u200b "))


@pytest.mark.parametrize("role", [Role.viewer, Role.analyst])
def test_only_administrators_announce_and_maintain(services: Services, person: Person, role: Role) -> None:
    somebody = person("ada", role)
    for forbidden in (
        lambda: services.announcements.create(somebody, AnnouncementCreate(message="x")),
        lambda: services.announcements.withdraw(somebody, "x"),
        lambda: services.announcements.history(somebody),
        lambda: services.maintenance.start(somebody, MaintenanceStart()),
        lambda: services.maintenance.end(somebody),
    ):
        with pytest.raises(Denied):
            forbidden()
    assert services.maintenance.read(somebody).state == "off"
