"""What Home tells: what needs a decision however much is newer, and every shared result to whoever only looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.base import Named
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.models import ModelRead, TrainRequest
from dapp_ext.services import Services
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


def test_the_newest_version_counts_unless_the_watch_alerts() -> None:
    def model(name: str, version: int, *, status: str = "ready", alert: str | None = None, concern: str | None = None) -> ModelRead:
        fields: dict[str, Any] = {"name": name, "version": version, "status": status, "owner": Named(id="1", name="Maya"), "alert": alert, "concern": concern}
        return ModelRead.model_construct(**fields)

    leaky, broken, drifted = model("a", 1, concern="It leaks."), model("b", 1, status="failed"), model("c", 1, alert="drift")
    assert home._needs([], [leaky, broken, drifted]).models == [leaky, broken, drifted]
    assert home._needs([], [model("a", 2), model("b", 2), model("c", 2), leaky, broken, drifted]).models == [drifted]


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
