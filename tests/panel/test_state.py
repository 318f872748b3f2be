"""The state of a visit, without a browser and without Panel."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dapp_ext.schema.accounts import AccountRead, Actor, Role
from dapp_ext.schema.base import Subject, now
from dapp_ext.schema.events import Event
from dapp_panel.state import VisitState, rights_of


def _actor(role: Role) -> Actor:
    return Actor(account_id="a", email="a@example.org", name="A", role=role)


def _account(role: Role, name: str = "A") -> AccountRead:
    return AccountRead(id="a", email="a@example.org", name=name, role=role, created_at=now())


def _event(number: int, kind: str, subject: str) -> Event:
    return Event(id=f"e.{number}", type=kind, at=now(), subject=Subject(kind=kind.partition(".")[0], id=subject))


def test_rights_follow_the_role() -> None:
    viewer, analyst, admin = (rights_of(_actor(role)) for role in (Role.viewer, Role.analyst, Role.admin))
    assert viewer["dataset.create"] == 0
    assert viewer["model.train"] == 0
    assert viewer["model.predict"] == 2
    assert analyst["dataset.create"] == 3
    assert analyst["dataset.delete"] == 1
    assert admin["account.list"] == 3
    assert analyst["account.list"] == 0


def test_admit_tells_only_of_changes() -> None:
    state = VisitState()
    told: list[object] = []
    state.param.watch(lambda *events: told.append(events), ["account", "rights"])
    account = _account(Role.viewer)
    assert state.admit(_actor(Role.viewer), account)
    assert not state.admit(_actor(Role.viewer), account)
    assert len(told) == 1
    assert state.admit(_actor(Role.analyst), account)
    assert state.rights["dataset.create"] == 3


@pytest.mark.parametrize(
    ("place", "watched"),
    [("/", None), ("/datasets", None), ("/datasets/d1", "d1"), ("/models/m1/evidence?x=1", "m1"), ("/explore/d2?x=age", "d2"), ("javascript:alert(1)", None)],
)
def test_the_place_says_what_is_watched(place: str, watched: str | None) -> None:
    state = VisitState()
    state.go(place)
    assert state.watched == watched
    assert state.place.startswith("/")


def test_of_the_progress_of_a_job_only_the_last_is_kept() -> None:
    state = VisitState()
    events = [_event(1, "job.progress", "j1"), _event(2, "job.progress", "j2"), _event(3, "dataset.ready", "d"), _event(4, "job.progress", "j1")]
    assert [each.id for each in state.absorb(events)] == ["e.2", "e.3", "e.4"]
    assert state.cursor == "e.4"


def test_trials_go_to_the_page_that_shows_them() -> None:
    state = VisitState()
    trials = [_event(1, "model.trial", "m1"), _event(2, "model.trial", "m2"), _event(3, "model.trial", "m1")]
    assert state.absorb(trials) == []
    assert state.cursor == "e.3"
    state.go("/models/m1")
    assert [each.id for each in state.absorb(trials)] == ["e.1", "e.3"]


def test_the_state_needs_no_panel() -> None:
    code = "import sys, dapp_panel.state; sys.exit(any(name.split('.')[0] in ('panel', 'bokeh', 'tornado') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
