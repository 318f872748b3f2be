"""What Home tells: what needs a decision however much is newer, and every shared result to whoever only looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.models import ModelUpdate, TrainRequest
from dapp_ext.services import Services
from dapp_ext.store.tables import Model
from dapp_panel.pages import home
from dapp_panel.pages.asking import Nothing


def test_a_failed_file_waits_for_a_decision_behind_newer_ones(
    services: Services, person: Callable[[str, Role], Actor], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    maya = person("maya", Role.analyst)
    monkeypatch.setattr(home, "SHOWN", 2)
    failed = upload(maya, b"%PDF-1.4 no table", "minutes.pdf")
    for number in range(2):
        upload(maya, b"city,amount\nBonn,1\nKiel,2\n", f"cities {number}.csv")
    run_jobs()
    told = home.summary(services, maya, Nothing())
    assert failed.id not in [each.id for each in told.datasets]
    assert [each.id for each in told.needs.datasets] == [failed.id]


def test_the_newest_version_counts_unless_the_watch_alerts(
    services: Services, person: Callable[[str, Role], Actor], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever failed or alerts is found behind newer models, a mere doubt among the newest."""
    maya, tom = person("maya", Role.analyst), person("tom", Role.viewer)
    dataset = upload(maya, b"n,kind\n" + b"".join(b"%d,%s\n" % (row, b"ab"[row % 2 : row % 2 + 1]) for row in range(60)), "kinds.csv")
    run_jobs()

    def asked(name: str, version: int, **state: Any) -> str:
        made = services.models.train(maya, TrainRequest(dataset=dataset.id, target="kind", name=name, time_budget=5))
        assert made.version == version
        with services.models._context.database.write() as session:
            row = session.get(Model, made.id)
            for field, value in state.items():
                setattr(row, field, value)
        return made.id

    broken, drifted = asked("b", 1, status="failed"), asked("c", 1, status="ready", alert_code="drift")
    asked("d", 1, status="ready")
    monkeypatch.setattr(home, "LOOKED_THROUGH", 1)

    def needed(who: Actor) -> list[str]:
        return [each.id for each in home.summary(services, who, Nothing()).needs.models]

    assert needed(maya) == [drifted, broken]
    services.models.update(maya, broken, ModelUpdate(visibility="private"))
    assert needed(tom) == [drifted]
    asked("b", 2, status="ready")
    asked("c", 2, status="ready")
    assert needed(maya) == [drifted]


def test_a_model_that_leaks_is_a_concern_and_viewers_see_every_result(
    services: Services, person: Callable[[str, Role], Actor], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    maya, tom = person("maya", Role.analyst), person("tom", Role.viewer)
    rows = "".join(f"{row},{row % 3},{'yes' if row % 2 else 'no'},{'late' if row % 2 else 'early'}\n" for row in range(120))
    dataset = upload(maya, f"row,size,paid,arrived\n{rows}".encode(), "orders.csv")
    run_jobs()
    asked = TrainRequest(dataset=dataset.id, target="arrived", allow=["paid"], time_budget=5, trials=1, families=["linear"])
    made = services.models.train(maya, asked)
    run_jobs()
    [grave] = [each for each in services.models.results(maya, made.id).guards if each.state == "alerted" and each.severity == "alert"]
    assert services.models.get(maya, made.id).concern == grave.sentence
    monkeypatch.setattr(home, "SHOWN", 0)
    team, viewer = (home.summary(services, each, Nothing()) for each in (maya, tom))
    assert (team.models, [each.id for each in team.needs.models]) == ([], [made.id])
    assert [each.id for each in viewer.models] == [made.id]
