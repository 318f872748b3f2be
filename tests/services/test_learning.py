"""From a file to predictions behind the door, without the processes around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dapp_ext.errors import ColumnUnknown, Conflict, Denied, Invalid, ModelNotFound, NameTaken, NotReady, RowsMismatch, TargetUnusable
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead, Filter, Measure, QueryRequest, RowsRequest
from dapp_ext.schema.models import BatchPredictRequest, ModelRead, ModelUpdate, PredictRequest, TrainRequest
from dapp_ext.services import Services

SAMPLES = Path(__file__).parents[2] / "dapp_ext" / "samples"
Upload = Callable[..., DatasetRead]
Run = Callable[[], None]


@pytest.fixture
def penguins(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> DatasetRead:
    dataset = upload(owner, (SAMPLES / "penguins.csv").read_bytes(), "penguins.csv")
    run_jobs()
    return services.datasets.get(owner, dataset.id)


@pytest.fixture
def model(services: Services, owner: Actor, penguins: DatasetRead, run_jobs: Run) -> ModelRead:
    made = services.models.train(owner, TrainRequest(dataset=penguins.id, target="species", trials=1, families=["linear"]))
    run_jobs()
    return services.models.get(owner, made.id)


def test_a_file_becomes_a_table(services: Services, owner: Actor, penguins: DatasetRead) -> None:
    assert (penguins.status, penguins.rows, penguins.column_count, penguins.likely_target) == ("ready", 344, 8, "species")
    page = services.datasets.rows(owner, penguins.id, RowsRequest(offset=342, filters=[Filter(column="island", op="ne", value="nowhere")]))
    assert (page.total, len(page.rows)) == (344, 2)
    counts = services.datasets.query(owner, penguins.id, QueryRequest.model_validate({"group_by": [{"column": "species"}]}))
    assert {row[0]: row[1] for row in counts.rows} == {"Adelie": 152, "Gentoo": 124, "Chinstrap": 68}
    asked = QueryRequest.model_validate({"group_by": [{"column": "species"}]})
    assert services.datasets.query_json(owner, penguins.id, asked) is services.datasets.query_json(owner, "penguins", asked)
    with pytest.raises(ColumnUnknown):
        services.datasets.query(owner, penguins.id, QueryRequest(measures=[Measure(op="mean", column="wings")]))


def test_a_file_that_is_no_table_fails_with_a_sentence(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> None:
    dataset = upload(owner, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "table.csv")
    run_jobs()
    failed = services.datasets.get(owner, dataset.id)
    assert failed.status == "failed"
    assert failed.error
    assert "Traceback" not in failed.error
    with pytest.raises(NotReady, match="could not be read"):
        services.datasets.rows(owner, dataset.id, RowsRequest())
    assert services.jobs.get(owner, dataset.job_id or "").error == failed.error
    assert services.jobs.list(owner).items[0].error == failed.error
    assert [event.data["error"] for event in services.events.page(owner, None).items if event.type == "dataset.failed"] == ["file_unreadable"]


def test_a_model_is_trained_understood_and_asked(services: Services, owner: Actor, penguins: DatasetRead, model: ModelRead) -> None:
    assert (model.status, model.task, model.trials) == ("ready", "multiclass", 1)
    results = services.models.results(owner, model.id)
    assert results.classes == ["Adelie", "Chinstrap", "Gentoo"]
    assert next(score.value for score in results.scores if score.name == "accuracy") > 0.9
    board = services.models.leaderboard(owner, model.id)
    assert board.trials[0].is_best
    assert (board.metric, board.metric_label, board.greater_is_better) == ("log_loss", "Log loss", False)
    row = dict(zip([column.name for column in penguins.schema_], services.datasets.rows(owner, penguins.id, RowsRequest(limit=1)).rows[0], strict=True))
    answer = services.predictions.predict(owner, model.id, PredictRequest(rows=[row, {}])).predictions
    assert answer[0].prediction == "Adelie"
    assert answer[0].probabilities is not None
    assert sum(answer[0].probabilities.values()) == pytest.approx(1)


def test_a_whole_dataset_is_predicted(services: Services, owner: Actor, penguins: DatasetRead, model: ModelRead, run_jobs: Run) -> None:
    asked = services.predictions.predict_batch(owner, model.id, BatchPredictRequest(dataset=penguins.id, name="Scored"))
    assert services.datasets.get(owner, "Scored").status == "processing"
    run_jobs()
    scored = services.datasets.get(owner, asked.dataset_id)
    assert (scored.status, scored.rows) == ("ready", 344)
    assert scored.size > 0
    assert [column.name for column in scored.schema_][8:] == ["prediction", "probability_Adelie", "probability_Chinstrap", "probability_Gentoo"]
    assert "prediction.ready" in [event.type for event in services.events.page(owner, None).items]


def test_a_dataset_without_any_of_the_columns_is_refused_at_once(services: Services, owner: Actor, model: ModelRead, upload: Upload, run_jobs: Run) -> None:
    upload(owner, b"unrelated,columns\n1,2\n3,4\n", "other.csv")
    run_jobs()
    with pytest.raises(RowsMismatch, match="none of the columns"):
        services.predictions.predict_batch(owner, model.id, BatchPredictRequest(dataset="other"))
    assert len(services.datasets.list(owner).items) == 2


def test_a_leak_is_said_in_the_same_breath(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> None:
    rows = "\n".join(f"{number * 37 % 101 + 0.5},{number * 7 % 13},{(number * 37 % 101) * 3 + number % 2 / 100}" for number in range(300))
    dataset = upload(owner, f"copy,noise,price\n{rows}\n".encode(), "leaky.csv")
    run_jobs()
    made = services.models.train(owner, TrainRequest(dataset=dataset.id, target="price", trials=1, families=["linear"]))
    run_jobs()
    sentence = services.models.get(owner, made.id).sentence
    assert sentence is not None
    assert "“copy” alone nearly gives the answer away" in sentence


def test_what_cannot_be_trained_is_said_at_once(services: Services, owner: Actor, penguins: DatasetRead, upload: Upload, run_jobs: Run) -> None:
    with pytest.raises(ColumnUnknown, match="wings"):
        services.models.train(owner, TrainRequest(dataset=penguins.id, target="wings"))
    with pytest.raises(ColumnUnknown, match="wings"):
        services.models.train(owner, TrainRequest(dataset=penguins.id, target="species", exclude=["wings"]))
    with pytest.raises(Invalid, match="target"):
        services.models.train(owner, TrainRequest(dataset=penguins.id, target="species", exclude=["species"]))
    upload(owner, b"a,b\n" + b"1,same\n2,same\n" * 30, "constant.csv")
    run_jobs()
    with pytest.raises(TargetUnusable, match="only one value"):
        services.models.train(owner, TrainRequest(dataset="constant", target="b"))
    upload(owner, b"age,churned\n42,yes\n", "one row.csv")
    upload(owner, b"height\n" + b"".join(b"%d\n" % (150 + number % 47) for number in range(60)), "one column.csv")
    upload(owner, b"size,street\n" + b"".join(b"%d,%d Street\n" % (number, number % 400) for number in range(800)), "streets.csv")
    run_jobs()
    with pytest.raises(TargetUnusable, match="has 400 different values, too many to tell apart"):
        services.models.train(owner, TrainRequest(dataset="streets", target="street"))
    with pytest.raises(TargetUnusable, match=r"Only 1 row has .* At least 30 are needed"):
        services.models.train(owner, TrainRequest(dataset="one row", target="churned"))
    with pytest.raises(Invalid, match=r"at least one is needed. Add columns"):
        services.models.train(owner, TrainRequest(dataset="one column", target="height"))
    for wrong in ({"metric": "zzz"}, {"metric": "r2"}, {"task": "regression"}, {"params": {"bogus": {}}}):
        with pytest.raises(Invalid):
            services.models.train(owner, TrainRequest.model_validate({"dataset": penguins.id, "target": "species", **wrong}))
    assert services.models.list(owner).items == []
    unread = upload(owner, b"a,b\n1,2\n", "waiting.csv")
    with pytest.raises(NotReady):
        services.models.train(owner, TrainRequest(dataset=unread.id, target="b"))


def test_names_of_models(services: Services, owner: Actor, penguins: DatasetRead, model: ModelRead, person: Callable[[str, Role], Actor]) -> None:
    with pytest.raises(NameTaken):
        services.models.train(person("alan", Role.analyst), TrainRequest(dataset=penguins.id, target="species", name=model.name.upper()))
    other = services.models.train(owner, TrainRequest(dataset=penguins.id, target="species"))
    assert (other.name, other.version) == (f"{model.name} (2)", 1)
    assert services.models.update(owner, model.id, ModelUpdate(name="Birds")).name == "Birds"
    assert services.models.results(owner, "birds").model.name == "Birds"
    with pytest.raises(NameTaken):
        services.models.update(owner, other.id, ModelUpdate(name="birds"))


def test_a_search_that_ended_cannot_be_stopped(services: Services, owner: Actor, model: ModelRead) -> None:
    with pytest.raises(Conflict):
        services.models.stop(owner, model.id)


def test_roles_and_models(services: Services, owner: Actor, penguins: DatasetRead, model: ModelRead, person: Callable[[str, Role], Actor]) -> None:
    vera, alan = person("vera", Role.viewer), person("alan", Role.analyst)
    assert services.models.results(vera, model.id).sentence
    for refused in (
        lambda: services.models.train(vera, TrainRequest(dataset=penguins.id, target="species")),
        lambda: services.models.delete(alan, model.id),
        lambda: services.predictions.predict_batch(vera, model.id, BatchPredictRequest(dataset=penguins.id)),
        lambda: services.models.export(vera, model.id),
    ):
        with pytest.raises(Denied):
            refused()


def test_deleting_a_model_takes_everything_of_it(services: Services, owner: Actor, model: ModelRead) -> None:
    before = {path.name for path in services.settings.objects_folder.rglob("*.model")}
    services.models.delete(owner, model.id)
    assert before
    assert not {path.name for path in services.settings.objects_folder.rglob("*.model")}
    with pytest.raises(ModelNotFound):
        services.models.get(owner, model.id)


def test_the_target_is_not_in_the_clear(services: Services, model: ModelRead) -> None:
    stored = b"".join(path.read_bytes() for path in services.settings.home.rglob("*") if path.is_file())
    for word in (b"species", b"Gentoo", b"bill_length_mm", b"Torgersen"):
        assert word not in stored
