"""Versions of a model, its champion, comparisons, and one recipe over many datasets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dapp_ext.errors import Conflict, Denied, Invalid, ModelNotFound, NotReady
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.models import ModelRead, ModelUpdate, PredictRequest, TrainRequest
from dapp_ext.schema.registry import BatchTrainRequest, ReasonRequest
from dapp_ext.services import Services

SAMPLES = Path(__file__).parents[2] / "dapp_ext" / "samples"
Upload = Callable[..., DatasetRead]
Run = Callable[[], None]
Train = Callable[..., ModelRead]
WHY = ReasonRequest(reason="It errs less on Chinstrap.")


@pytest.fixture
def penguins(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> DatasetRead:
    dataset = upload(owner, (SAMPLES / "penguins.csv").read_bytes(), "penguins.csv")
    run_jobs()
    return services.datasets.get(owner, dataset.id)


@pytest.fixture
def train(services: Services, penguins: DatasetRead, run_jobs: Run) -> Train:
    def make(actor: Actor, **given: object) -> ModelRead:
        recipe = {"dataset": penguins.id, "target": "species", "trials": 1, "families": ["linear"], "name": "Birds", **given}
        made = services.models.train(actor, TrainRequest.model_validate(recipe))
        run_jobs()
        return services.models.get(actor, made.id)

    return make


def test_the_same_name_makes_the_next_version(services: Services, owner: Actor, train: Train, person: Callable[[str, Role], Actor]) -> None:
    first, second = train(owner), train(owner, seed=1)
    assert (first.version, second.version, second.name) == (1, 2, "Birds")
    found = services.registry.versions(owner, "birds")
    assert ([each.version for each in found.versions], found.champion, found.promotions) == ([2, 1], None, [])
    assert services.models.get(owner, "birds").version == 2
    assert services.models.get(owner, "Birds@1").id == first.id
    with pytest.raises(ModelNotFound):
        services.models.get(owner, "Birds@champion")
    with pytest.raises(ModelNotFound):
        services.models.get(owner, "Birds@9")
    services.models.delete(owner, second.id)
    assert services.models.get(owner, "birds").version == 1
    assert train(owner).version == 2


def test_predictions_by_name_go_to_the_champion(services: Services, owner: Actor, train: Train) -> None:
    first, second = train(owner), train(owner, seed=1)
    row = PredictRequest(rows=[{"island": "Dream", "bill_length_mm": 49.0}])
    assert services.predictions.predict(owner, "Birds", row).model_version == 2
    promoted = services.registry.promote(owner, first.id, WHY)
    assert promoted.champion
    assert services.predictions.predict(owner, "Birds", row).model_version == 1
    assert services.predictions.predict(owner, "Birds", row.model_copy(update={"version": 2})).model_version == 2
    assert services.predictions.predict(owner, second.id, row).model_version == 2
    with pytest.raises(ModelNotFound, match="no version 7"):
        services.predictions.predict(owner, "Birds", row.model_copy(update={"version": 7}))


def test_promoted_with_a_reason_and_rolled_back(services: Services, owner: Actor, train: Train) -> None:
    first, second, third = train(owner), train(owner, seed=1), train(owner, seed=2)
    with pytest.raises(Conflict, match="no champion"):
        services.registry.rollback(owner, "Birds", WHY)
    services.registry.promote(owner, first.id, WHY)
    with pytest.raises(Conflict, match="already"):
        services.registry.promote(owner, first.id, WHY)
    with pytest.raises(Conflict, match="no other champion"):
        services.registry.rollback(owner, "Birds", WHY)
    services.registry.promote(owner, second.id, WHY)
    services.registry.promote(owner, third.id, WHY)
    assert services.registry.rollback(owner, third.id, ReasonRequest(reason="It was slow.")).version == 2
    assert services.registry.rollback(owner, "Birds", ReasonRequest(reason="Worse still.")).version == 1
    found = services.registry.versions(owner, "Birds")
    assert found.champion == 1
    assert [(each.kind, each.version, each.reason) for each in found.promotions][:2] == [("rollback", 1, "Worse still."), ("rollback", 2, "It was slow.")]
    told = [event for event in services.events.page(owner, None).items if event.type == "model.promoted"]
    assert [event.data["version"] for event in told] == [1, 2, 3, 2, 1]
    assert [row.action for row in services.audit.list(owner).items][:2] == ["model.rollback", "model.rollback"]


def test_a_champion_that_was_deleted_is_passed_over(services: Services, owner: Actor, train: Train) -> None:
    first, second, third = train(owner), train(owner, seed=1), train(owner, seed=2)
    for each in (first, second, third):
        services.registry.promote(owner, each.id, WHY)
    services.models.delete(owner, second.id)
    assert services.registry.rollback(owner, "Birds", WHY).version == 1


def test_only_who_may_promotes(services: Services, owner: Actor, train: Train, person: Callable[[str, Role], Actor]) -> None:
    model = train(owner)
    for name, role in (("vera", Role.viewer), ("alan", Role.analyst)):
        actor = person(name, role)
        for refused in (services.registry.promote, services.registry.rollback):
            with pytest.raises(Denied):
                refused(actor, model.id, WHY)
    waiting = services.models.train(owner, TrainRequest(dataset="penguins", target="species", name="Birds"))
    with pytest.raises(NotReady):
        services.registry.promote(owner, waiting.id, WHY)


def test_notes_and_tags_belong_to_a_version_and_the_name_to_all(services: Services, owner: Actor, train: Train) -> None:
    first, second = train(owner), train(owner, seed=1)
    services.registry.promote(owner, first.id, WHY)
    noted = services.models.update(owner, first.id, ModelUpdate(notes="Good on Dream.", tags=["pilot", " pilot ", "2024"]))
    assert (noted.notes, noted.tags) == ("Good on Dream.", ["pilot", "2024"])
    assert services.models.get(owner, second.id).tags == []
    services.models.update(owner, second.id, ModelUpdate(name="Seabirds", visibility="private"))
    assert {services.models.get(owner, each.id).name for each in (first, second)} == {"Seabirds"}
    assert services.models.get(owner, first.id).visibility == "private"
    assert services.registry.versions(owner, "Seabirds").promotions[0].reason == WHY.reason
    services.models.update(owner, second.id, ModelUpdate(notes=""))
    assert services.models.get(owner, first.id).notes == "Good on Dream."


def test_two_models_side_by_side(services: Services, owner: Actor, train: Train) -> None:
    first = train(owner)
    second = train(owner, exclude=["bill_length_mm"])
    found = services.registry.compare(owner, "Birds@1", "Birds@2")
    assert found.same_rows
    assert (found.columns_only_a, found.columns_only_b, found.columns_both) == (["bill_length_mm"], [], 6)
    loss = next(pair for pair in found.scores if pair.name == "log_loss")
    assert (loss.better, loss.a is not None and loss.b is not None and loss.a < loss.b) == ("a", True)
    assert "version 1" in found.sentence
    assert {each.name: (each.a, each.b) for each in found.recipe} == {"left out": (None, ["bill_length_mm"])}
    third = train(owner, seed=3)
    other = services.registry.compare(owner, first.id, third.id)
    assert not other.same_rows
    assert "different rows" in other.sentence
    assert services.models.results(owner, second.id).test_looks == 1
    unlike = services.registry.compare(owner, first.id, train(owner, target="island", name="Places").id)
    assert "different questions" in unlike.sentence
    assert not any(pair.better or pair.apart for pair in unlike.scores)


def test_looks_at_the_test_part_are_counted(services: Services, owner: Actor, train: Train, person: Callable[[str, Role], Actor]) -> None:
    model = train(owner)
    assert [services.models.results(owner, model.id).test_looks for _ in range(3)] == [1, 1, 1]
    assert services.models.results(person("vera", Role.viewer), model.id).test_looks == 2


def test_one_recipe_over_many_datasets(services: Services, owner: Actor, penguins: DatasetRead, upload: Upload, run_jobs: Run) -> None:
    rows = "\n".join(f"{number * 37 % 101},{number * 7 % 13}" for number in range(100))
    other = upload(owner, f"a,b\n{rows}\n".encode(), "numbers.csv")
    run_jobs()
    asked = {"datasets": [penguins.id, other.id], "trials": 1, "families": ["linear"], "name": "Weekly"}
    with pytest.raises(Invalid, match="1 of 2") as refused:
        services.batches.train(owner, BatchTrainRequest.model_validate({**asked, "target": "species"}))
    assert [each["dataset"] for each in refused.value.details["datasets"]] == [other.id]
    assert services.models.list(owner).items == []
    services.datasets.get(owner, other.id)
    batch = services.batches.train(owner, BatchTrainRequest.model_validate({**asked, "datasets": [penguins.id, penguins.name]} | {"target": "species"}))
    assert (batch.kind, batch.status, len(batch.lines)) == ("batch", "running", 1)
    batch = services.batches.train(owner, BatchTrainRequest.model_validate({**asked, "datasets": [other.id, penguins.id], "target": None}))
    assert [line.status for line in batch.lines] == ["queued", "queued"]
    run_jobs()
    done = services.jobs.get(owner, batch.id)
    assert (done.status, done.progress, done.message) == ("succeeded", 1.0, "2 of 2 trained")
    assert [line.status for line in done.lines] == ["succeeded", "succeeded"]
    assert services.models.get(owner, done.lines[0].subject.id).status == "ready"
    assert services.jobs.get(owner, done.lines[0].job_id).parent_id == batch.id


def test_a_batch_is_cancelled_whole_and_its_models_say_so(services: Services, owner: Actor, penguins: DatasetRead) -> None:
    asked = BatchTrainRequest(datasets=[penguins.id], target="species")
    batch = services.batches.train(owner, asked)
    cancelled = services.jobs.cancel(owner, batch.id)
    assert (cancelled.status, cancelled.lines[0].status) == ("cancelled", "cancelled")
    model = services.models.get(owner, cancelled.lines[0].subject.id)
    assert model.status == "cancelled"
    assert "model.cancelled" in [event.type for event in services.events.page(owner, None).items]
    with pytest.raises(NotReady, match="cancelled"):
        services.models.results(owner, model.id)
