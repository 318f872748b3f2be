"""Models in use: thresholds, checks, files scored in one call, the log, and the watch over drift."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dapp_ext.errors import Denied, Invalid, ModelNotFound, RowsMismatch
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead, DatasetUpload, RowsRequest
from dapp_ext.schema.models import BatchPredictRequest, ModelRead, PredictRequest, TrainRequest
from dapp_ext.schema.serving import CheckRequest, GivenColumn, ScoredFileQuery, ThresholdRequest
from dapp_ext.services import Services, monitoring, open_services
from dapp_ext.settings import Settings
from tests.conftest import work_off

Run = Callable[[], None]


def _rows(seed: int, count: int, shift: float = 0.0) -> list[dict[str, Any]]:
    dice = random.Random(seed)
    rows = []
    for _ in range(count):
        age, city, visits = dice.gauss(40 + shift, 10), dice.choice(["Rome", "Paris", "Oslo"]), dice.randrange(20)
        leaves = age + 2 * visits + (8 if city == "Oslo" else 0) + dice.gauss(0, 6) > 68
        rows.append({"age": round(age, 2), "city": city, "visits": visits, "leaves": "gone" if leaves else "stays"})
    return rows


def _csv(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A home with a table and a model of it, made once; each test works on a copy."""
    home = tmp_path_factory.mktemp("trained") / "home"
    home.mkdir(mode=0o700)
    shutil.copy(migrated, home / "dapp.sqlite")
    with open_services(Settings(home=home, start_worker=False)) as services:
        owner = services.system.shell_actor()
        incoming = services.datasets.begin_upload(owner, DatasetUpload(filename="people.csv"))
        incoming.write(_csv(_rows(0, 800)))
        incoming.finish()
        work_off(services)
        services.models.train(owner, TrainRequest(dataset="people", target="leaves", trials=1, families=["linear"], name="Leavers"))
        work_off(services)
    return home


@pytest.fixture
def settings(tmp_path: Path, trained_home: Path) -> Settings:
    shutil.copytree(trained_home, tmp_path / "home")
    return Settings(home=tmp_path / "home", start_worker=False)


@pytest.fixture
def people(services: Services, owner: Actor) -> DatasetRead:
    return services.datasets.get(owner, "people")


@pytest.fixture
def model(services: Services, owner: Actor) -> ModelRead:
    return services.models.get(owner, "Leavers")


def _features(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "leaves"} for row in rows]


def test_a_threshold_holds_at_every_door_and_each_answer_names_it(
    services: Services, owner: Actor, model: ModelRead, people: DatasetRead, run_jobs: Run
) -> None:
    rows = _features(_rows(1, 60))
    asked = PredictRequest(rows=rows)
    before = services.predictions.predict(owner, model.id, asked)
    assert before.policy is None
    saved = services.policies.set(owner, model.id, ThresholdRequest(by="value", value=0.9, reason="Calls are dear."))
    assert (saved.version, saved.threshold, saved.positive, saved.reason) == (1, 0.9, "gone", "Calls are dear.")
    after = services.predictions.predict(owner, model.id, asked)
    assert after.policy is not None
    assert (after.policy.version, after.policy.threshold, after.model_version) == (1, 0.9, 1)
    for one in after.predictions:
        assert one.probabilities is not None
        assert (one.prediction == "gone") == (one.probabilities["gone"] >= 0.9)
    assert [one.prediction for one in before.predictions] != [one.prediction for one in after.predictions]
    scored = services.predictions.predict_batch(owner, model.id, BatchPredictRequest(dataset=people.id, name="Scored"))
    services.policies.set(owner, model.id, ThresholdRequest(by="value", value=0.1))  # what was asked before keeps its policy
    run_jobs()
    page = services.datasets.rows(owner, scored.dataset_id, RowsRequest(limit=1000, columns=["prediction", "probability_gone"]))
    assert {(row[0] == "gone") == (row[1] >= 0.9) for row in page.rows} == {True}
    assert [policy.version for policy in services.policies.list(owner, model.id).items] == [2, 1]
    assert services.models.get(owner, model.id).policy_version == 2


def test_thresholds_that_cannot_be(
    services: Services, owner: Actor, model: ModelRead, people: DatasetRead, run_jobs: Run, person: Callable[[str, Role], Actor]
) -> None:
    with pytest.raises(Invalid, match="Give the value"):
        services.policies.set(owner, model.id, ThresholdRequest(by="value"))
    with pytest.raises(Denied):
        services.policies.set(person("alan", Role.analyst), model.id, ThresholdRequest(by="value", value=0.5))
    other = services.models.train(owner, TrainRequest(dataset=people.id, target="age", trials=1, families=["linear"]))
    run_jobs()
    with pytest.raises(Invalid, match="two classes"):
        services.policies.set(owner, other.id, ThresholdRequest(by="value", value=0.5))


def test_columns_are_checked_before_it_runs(services: Services, owner: Actor, model: ModelRead, people: DatasetRead) -> None:
    fine = services.predictions.check(owner, model.id, CheckRequest(dataset=people.id))
    assert (fine.usable, fine.missing, fine.new, fine.retyped) == (True, [], [], [])
    columns = [GivenColumn(name="Age", kind="decimal"), GivenColumn(name="visits", kind="category"), GivenColumn(name="phone")]
    found = services.predictions.check(owner, model.id, CheckRequest(columns=columns))
    assert (found.usable, found.missing, found.new, found.matched) == (True, ["age", "city"], ["Age", "phone"], ["visits"])
    assert [(each.missing, each.perhaps) for each in found.renamed] == [("age", "Age")]
    assert [(each.column, each.expected, each.given) for each in found.retyped] == [("visits", "integer", "category")]
    assert "'Age' is meant by 'age'" in found.sentence
    none = services.predictions.check(owner, model.id, CheckRequest(columns=[GivenColumn(name="phone")]))
    assert (none.usable, "None of the columns" in none.sentence) == (False, True)
    with pytest.raises(Invalid):
        services.predictions.check(owner, model.id, CheckRequest())


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{}], "rows are empty"),
        ([{"phone": 3}], "None of the columns"),
        ([{"age": [1, 2]}], "a list or an object"),
        ([{"age": {"a": 1}}], "a list or an object"),
    ],
)
def test_rows_that_cannot_be_answered(services: Services, owner: Actor, model: ModelRead, rows: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(RowsMismatch, match=said):
        services.predictions.predict(owner, model.id, PredictRequest(rows=rows))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"age": "forty", "city": "Rome", "visits": 3}, "not a number"),
        ({"age": 40, "city": "Bonn", "visits": 3}, "not there when the model learned"),
        ({"age": 40, "city": "Rome"}, "counted as missing"),
        ({"age": 40, "city": "Rome", "visits": 3, "phone": 1}, "not used"),
        ({"age": 1e300, "city": "Rome", "visits": 3}, "not a number"),
        ({}, "1 row is empty"),
    ],
)
def test_what_is_odd_about_rows_is_said(services: Services, owner: Actor, model: ModelRead, row: dict[str, Any], said: str) -> None:
    good = {"age": 40.0, "city": "Rome", "visits": 3}
    answer = services.predictions.predict(owner, model.id, PredictRequest(rows=[good, row] if row == {} else [row]))
    assert said in " ".join(answer.notes)


def test_calls_at_the_same_moment_are_answered_as_if_alone(services: Services, owner: Actor, model: ModelRead) -> None:
    import threading

    rows = [*_features(_rows(3, 24)), {"age": "forty", "city": "Rome", "visits": 3}, {"phone": 1}, {"age": 30}]
    alone: list[Any] = []
    for row in rows:
        try:
            alone.append(services.predictions.predict(owner, model.id, PredictRequest(rows=[row])))
        except RowsMismatch as error:
            alone.append(error.message)
    together: dict[int, Any] = {}

    def ask(place: int) -> None:
        try:
            together[place] = services.predictions.predict(owner, model.id, PredictRequest(rows=[rows[place]]))
        except RowsMismatch as error:
            together[place] = error.message

    for _ in range(3):
        threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(rows))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for place, expected in enumerate(alone):
            if isinstance(expected, str):
                assert together[place] == expected
                continue
            assert together[place].notes == expected.notes
            assert together[place].predictions[0].prediction == expected.predictions[0].prediction
            assert together[place].predictions[0].probabilities == pytest.approx(expected.predictions[0].probabilities, abs=1e-6)


def test_a_file_is_scored_in_one_call(services: Services, owner: Actor, model: ModelRead, run_jobs: Run) -> None:
    incoming = services.predictions.begin_file(owner, "Leavers", ScoredFileQuery(filename="new.csv", name="New people scored"))
    incoming.write(_csv(_features(_rows(5, 50))))
    asked = incoming.finish()
    run_jobs()
    scored = services.datasets.get(owner, asked.dataset_id)
    assert (scored.name, scored.status, scored.rows) == ("New people scored", "ready", 50)
    incoming = services.predictions.begin_file(owner, "Leavers", ScoredFileQuery(filename="picture.csv"))
    incoming.write(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    asked = incoming.finish()
    run_jobs()
    failed = services.datasets.get(owner, asked.dataset_id)
    assert failed.status == "failed"
    assert failed.error is not None
    assert "could not be read" in failed.error
    with pytest.raises(ModelNotFound):
        services.predictions.begin_file(owner, "nothing", ScoredFileQuery(filename="new.csv"))


def test_predictions_are_logged_sealed_and_read_back(services: Services, owner: Actor, model: ModelRead, person: Callable[[str, Role], Actor]) -> None:
    vera = person("vera", Role.viewer)
    answer = services.predictions.predict(vera, model.id, PredictRequest(rows=[{"age": 41.5, "city": "Oslo", "visits": 7}]))
    with pytest.raises(RowsMismatch):
        services.predictions.predict(owner, model.id, PredictRequest(rows=[{"phone": "0815-unlisted"}]))
    services.predictions.flush_log()
    found = services.monitoring.log(owner, model.id)
    assert [call.error for call in found.items] == ["rows_mismatch", None]
    call = found.items[1]
    assert (call.id, call.by and call.by.name, call.model_version, call.rows) == (answer.id, "Vera", 1, 1)
    assert call.inputs == [{"age": 41.5, "city": "Oslo", "visits": 7}]
    assert call.predictions == [answer.predictions[0].prediction]
    with pytest.raises(Denied):
        services.monitoring.log(vera, model.id)
    assert [row.action for row in services.audit.list(owner).items].count("model.predict") == 2
    for path in services.settings.home.rglob("*"):
        assert not path.is_file() or b"0815-unlisted" not in path.read_bytes(), path


def test_nothing_is_kept_of_the_rows_without_retention(services: Services, owner: Actor, model: ModelRead) -> None:
    object.__setattr__(services.settings, "prediction_log_days", 0)
    services.predictions.predict(owner, model.id, PredictRequest(rows=_features(_rows(1, 5))))
    services.predictions.flush_log()
    assert services.monitoring.log(owner, model.id).items == []
    assert services.monitoring.read(owner, model.id).rows == 5


def test_drift_is_seen_told_once_and_over_when_it_is_over(services: Services, owner: Actor, model: ModelRead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "LOOK_EVERY_SECONDS", 0.0)

    def ask(seed: int, shift: float, count: int) -> None:
        services.predictions.predict(owner, model.id, PredictRequest(rows=_features(_rows(seed, count, shift))))
        services.predictions.flush_log()

    ask(10, 0, 300)
    calm = services.monitoring.read(owner, model.id)
    assert (calm.code, calm.calls, calm.rows, calm.prediction_drift and calm.prediction_drift.level) == (None, 1, 300, "calm")
    assert "looks like what it learned from" in calm.sentence
    ask(11, 25, 300)
    ask(12, 25, 300)
    found = services.monitoring.read(owner, model.id)
    assert found.code == "prediction_drift"
    assert {each.column: each.level for each in found.columns}["age"] == "alert"
    assert found.columns[0].column == "age"
    assert found.p50 is not None
    assert found.series[0].calls == 3
    told = [event for event in services.events.page(owner, None).items if event.type == "monitor.alert"]
    assert [(event.data["code"], event.data["version"]) for event in told] == [("prediction_drift", 1)]
    assert "age" not in json.dumps([event.data for event in told])
    assert services.models.get(owner, model.id).alert == "prediction_drift"
    for seed in range(20, 24):
        ask(seed, 0, 1000)
    assert services.models.get(owner, model.id).alert is None


def test_a_scored_dataset_is_watched_too(services: Services, owner: Actor, model: ModelRead, people: DatasetRead, run_jobs: Run) -> None:
    asked = services.predictions.predict_batch(owner, model.id, BatchPredictRequest(dataset=people.id))
    run_jobs()
    found = services.monitoring.read(owner, model.id)
    assert (found.calls, found.rows, found.code) == (1, 800, None)
    call = services.monitoring.log(owner, model.id).items[0]
    assert (call.rows, call.inputs, call.dataset and call.dataset.id) == (800, [], asked.dataset_id)
    profile, before = services.datasets.profile(owner, asked.dataset_id), services.datasets.profile(owner, people.id)
    assert [column.name for column in profile.columns] == ["age", "city", "visits", "leaves", "prediction", "probability_stays", "probability_gone"]
    assert profile.columns[:4] == before.columns
    assert (profile.rows, profile.columns[4].distinct) == (800, 2)


def test_thresholds_by_cost_and_by_capacity(services: Services, owner: Actor, model: ModelRead) -> None:
    dear = services.policies.set(owner, model.id, ThresholdRequest(by="cost", cost_false_alarm=10, cost_missed=1))
    cheap = services.policies.set(owner, model.id, ThresholdRequest(by="cost", cost_false_alarm=1, cost_missed=10))
    assert dear.threshold > cheap.threshold
    assert cheap.named is not None
    assert dear.named is not None
    assert cheap.named > dear.named
    few = services.policies.set(owner, model.id, ThresholdRequest(by="capacity", capacity=0.1))
    assert few.named is not None
    assert few.named <= 100
    assert "1,000" in few.sentence
    for missing in (ThresholdRequest(by="cost", cost_missed=1), ThresholdRequest(by="capacity")):
        with pytest.raises(Invalid, match="Give"):
            services.policies.set(owner, model.id, missing)


def test_a_model_is_taken_away_as_notebook_and_card(services: Services, owner: Actor, model: ModelRead) -> None:
    notebook = services.models.export(owner, model.id, "notebook")
    assert notebook.filename == "Leavers.ipynb"
    assert json.loads(b"".join(notebook.chunks))["nbformat"] == 4
    card = services.models.export(owner, model.id, "card")
    assert card.filename == "Leavers.html"
    assert b"Leavers" in b"".join(card.chunks)
    with pytest.raises(Invalid, match="skops, notebook or card"):
        services.models.export(owner, model.id, "pickle")
