"""“Score without this column”: asked for, made by a worker, kept beside the first score, seen at every door."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dapp_ext.errors import ColumnUnknown, Denied, Invalid, ModelNotFound
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.models import ModelRead, RescoreRequest, TrainRequest
from dapp_ext.services import Services

Upload = Callable[..., DatasetRead]
Run = Callable[[], None]


@pytest.fixture
def model(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> ModelRead:
    """A model that was trained with a leak held back, and stopped before anything was scored again."""
    rng = np.random.default_rng(1)
    x, z = rng.normal(size=(2, 300))
    gone = x + 2 * rng.normal(size=300) > 0
    lines = "\n".join(f"{x[i]:.4f},{z[i]:.4f},{'left' if gone[i] else 'here'},{'yes' if gone[i] else 'no'}" for i in range(300))
    data = upload(owner, f"x,z,closed,gone\n{lines}\n".encode(), "people.csv")
    run_jobs()
    made = services.models.train(owner, TrainRequest(dataset=data.id, target="gone", trials=1, families=["linear", "neighbours"], time_budget=5))
    run_jobs()
    return services.models.get(owner, made.id)


def test_the_score_without_a_column_is_kept_beside_the_first(services: Services, owner: Actor, model: ModelRead, run_jobs: Run) -> None:
    before = services.models.results(owner, model.id)
    assert next(guard for guard in before.guards if guard.code == "leakage").columns == ["closed"]
    cursor = services.events.head()
    job = services.rescoring.ask(owner, model.id, RescoreRequest(guard="leakage"))
    assert (job.kind, job.status, job.subject.id) == ("rescore", "queued", model.id)
    assert services.rescoring.ask(owner, model.id, RescoreRequest(guard="leakage")).id == job.id, "the same is not done twice"
    run_jobs()
    assert services.jobs.get(owner, job.id).status == "succeeded"
    after = services.models.results(owner, model.id)
    second = next(guard for guard in after.guards if guard.code == "leakage").second
    assert second is not None
    assert second.before > 0.99 > 0.9 > second.after > 0.5
    assert (second.guard, second.fix, second.columns) == ("leakage", "Train without “closed”", ["closed"])
    assert after.second_scores[-1] == second
    assert after.worst is not None
    assert after.worst.second == second
    assert after.scores == before.scores, "the model is what it was"
    assert services.models.get(owner, model.id).status == "ready"
    told = [(each.type, each.subject.kind) for each in services.events.page(owner, cursor).items]
    assert ("model.changed", "model") in told
    assert ("job.finished", "job") in told
    assert "closed" not in str([each.data for each in services.events.page(owner, cursor).items])
    assert [each.action for each in services.audit.list(owner, limit=20).items].count("model.rescore") == 2


def test_any_column_and_any_fix_can_be_tried(services: Services, owner: Actor, model: ModelRead, run_jobs: Run) -> None:
    services.rescoring.ask(owner, model.id, RescoreRequest(columns=["x"], time_budget=5))
    services.rescoring.ask(owner, model.id, RescoreRequest(guard="few_rows", time_budget=5))
    services.rescoring.ask(owner, model.id, RescoreRequest(guard="leakage", fix="keep_columns", time_budget=5))
    run_jobs()
    found = services.models.results(owner, model.id)
    without, *others = found.second_scores
    assert (without.guard, without.columns) == (None, ["x"])
    assert without.after < without.before
    by_guard = {each.guard: each for each in others}
    assert by_guard["leakage"].after > 0.99 > by_guard["leakage"].before
    services.rescoring.ask(owner, model.id, RescoreRequest(columns=["x"], time_budget=5))
    run_jobs()
    assert [each.columns for each in services.models.results(owner, model.id).second_scores].count(["x"]) == 1, "the newest of its kind is kept"


def test_what_cannot_be_tried_is_said_at_once(services: Services, owner: Actor, model: ModelRead, person: Callable[[str, Role], Actor]) -> None:
    with pytest.raises(Invalid, match="Findings with a fix: "):
        services.rescoring.ask(owner, model.id, RescoreRequest(guard="constant"))
    with pytest.raises(Invalid, match="Name the finding"):
        services.rescoring.ask(owner, model.id, RescoreRequest())
    for name in ("nothing", "gone"):
        with pytest.raises(ColumnUnknown, match="to leave out"):
            services.rescoring.ask(owner, model.id, RescoreRequest(columns=[name]))
    with pytest.raises(Invalid, match="not what was found"):
        services.rescoring.ask(owner, model.id, RescoreRequest(guard="leakage", columns=["x"]))
    with pytest.raises(Denied):
        services.rescoring.ask(person("Vera", Role.viewer), model.id, RescoreRequest(guard="leakage"))
    with pytest.raises(ModelNotFound):
        services.rescoring.ask(owner, "no such model", RescoreRequest(guard="leakage"))


def test_what_fails_leaves_the_model_as_it_was(services: Services, owner: Actor, model: ModelRead, run_jobs: Run) -> None:
    job = services.rescoring.ask(owner, model.id, RescoreRequest(columns=["x", "z", "closed"]))
    run_jobs()
    ended = services.jobs.get(owner, job.id)
    assert ended.status == "failed"
    assert "No column is left" in str(ended.error)
    assert services.models.get(owner, model.id).status == "ready"
    assert services.models.results(owner, model.id).second_scores == []
