"""Predictions under strain: reasons, advice before training, damaged files, odd rows, and changes in the same moment."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dapp_ext.errors import ColumnUnknown, DappError, IntegrityFailed, Invalid, ModelNotFound
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead, DatasetUpload
from dapp_ext.schema.models import ModelRead, PredictRequest, TrainRequest
from dapp_ext.schema.registry import ReasonRequest
from dapp_ext.services import Services, files, open_services
from dapp_ext.settings import Settings
from dapp_ext.store.tables import Model
from tests.conftest import work_off

Upload = Callable[..., DatasetRead]
Run = Callable[[], None]
TABLE = "a,b,städt,y\n" + "".join(
    f"{n * 37 % 101},{n * 7 % 13},{('Köln', 'Zürich', '東京')[n % 3]},{'gone' if n * 37 % 101 + n * 7 % 13 > 60 else 'stays'}\n" for n in range(300)
)
ROW = {"a": 40, "b": 3, "städt": "東京"}


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A home with a table and a model of it, made once; each test works on a copy."""
    home = tmp_path_factory.mktemp("trained") / "home"
    home.mkdir(mode=0o700)
    shutil.copy(migrated, home / "dapp.sqlite")
    with open_services(Settings(home=home, start_worker=False)) as services:
        owner = services.system.shell_actor()
        incoming = services.datasets.begin_upload(owner, DatasetUpload(filename="moves.csv"))
        incoming.write(TABLE.encode())
        incoming.finish()
        work_off(services)
        services.models.train(owner, TrainRequest(dataset="moves", target="y", trials=1, families=["linear"], name="Movers"))
        work_off(services)
    return home


@pytest.fixture
def settings(tmp_path: Path, trained_home: Path) -> Settings:
    shutil.copytree(trained_home, tmp_path / "home")
    return Settings(home=tmp_path / "home", start_worker=False)


@pytest.fixture
def model(services: Services, owner: Actor) -> ModelRead:
    return services.models.get(owner, "Movers")


def _artifact(services: Services, model: ModelRead) -> Path:
    with services.context.database.read() as session:
        row = session.get(Model, model.id)
        assert row is not None
        return files.stored_pass(services.context, session, row.artifact_id).path


def _ask(services: Services, actor: Actor, ref: str, *rows: dict[str, Any], **given: Any) -> Any:
    return services.predictions.predict(actor, ref, PredictRequest(rows=list(rows), **given))


def test_reasons_are_given_where_they_are_asked_for(services: Services, owner: Actor, model: ModelRead) -> None:
    plain = _ask(services, owner, model.id, ROW)
    told = _ask(services, owner, model.id, ROW, {**ROW, "a": 99}, explain=True)
    assert plain.predictions[0].reasons is None
    assert told.predictions[0].prediction == plain.predictions[0].prediction
    for answer in told.predictions:
        reasons = answer.reasons
        assert {each.column for each in reasons.reasons} == {"a", "b", "städt"}
        assert reasons.label == "Probability of “gone”"
        assert reasons.output == pytest.approx(answer.probabilities["gone"], abs=1e-4)
        assert sum(each.effect for each in reasons.reasons) == pytest.approx(reasons.output - reasons.base, abs=1e-3)
        assert reasons.reasons[0].column == "a"
    assert told.predictions[1].reasons.reasons[0].value == 99
    with pytest.raises(Invalid, match="20 rows at once"):
        _ask(services, owner, model.id, *[ROW] * 21, explain=True)


def test_advice_before_a_training(services: Services, owner: Actor, upload: Upload, run_jobs: Run, person: Callable[[str, Role], Actor]) -> None:
    lines = [f"{n % 30},2024-{1 + n % 12:02d}-{1 + n % 28:02d},{n % 5},{'gone' if n % 3 else 'stays'}" for n in range(300)]
    upload(owner, ("customer_id,day,stars,y\n" + "\n".join(lines)).encode(), "visits.csv")
    run_jobs()
    told = services.models.advise(owner, TrainRequest(dataset="visits", target="y"))
    assert (told.validation.validation, told.validation.column, told.task.task) == ("time", "day", "binary")
    raised = {guard.code: guard for guard in told.guards if guard.state == "alerted"}
    assert {fix.code for guard in raised.values() for fix in guard.fixes} >= {"group_by"}
    change = raised["groups"].fixes[0].change
    fixed = services.models.advise(owner, TrainRequest.model_validate({"dataset": "visits", "target": "y", **change}))
    assert {guard.code: guard.state for guard in fixed.guards}["groups"] == "done"
    assert not services.models.advise(owner, TrainRequest(dataset="visits", target="stars")).task.certain
    with pytest.raises(ColumnUnknown):
        services.models.advise(owner, TrainRequest(dataset="visits", target="nothing"))
    with pytest.raises(Invalid):
        services.models.advise(owner, TrainRequest(dataset="visits", target="y", validation="group"))
    with pytest.raises(DappError, match="role"):
        services.models.advise(person("vera", Role.viewer), TrainRequest(dataset="visits", target="y"))
    assert len(services.models.list(owner).items) == 1


def test_a_damaged_model_is_one_sentence_and_never_an_answer(services: Services, owner: Actor, model: ModelRead, run_jobs: Run) -> None:
    # A model that nobody has asked yet: one that a process holds already is answered from memory.
    asked = TrainRequest(dataset="moves", target="y", trials=1, families=["linear"], name="Fresh")
    fresh = services.models.train(owner, asked)
    run_jobs()
    path = _artifact(services, fresh)
    whole = path.read_bytes()
    middle = len(whole) // 2
    for damaged in (whole[:middle], whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], b"", _artifact(services, model).read_bytes(), None):
        path.unlink()
        if damaged is not None:
            path.write_bytes(damaged)
        else:
            path.with_name("elsewhere").write_bytes(whole)
        with pytest.raises(IntegrityFailed) as caught:
            _ask(services, owner, fresh.id, ROW)
        assert caught.value.message.count(".") <= 3
        assert str(path.parent) not in caught.value.message
        if damaged is None:
            path.with_name("elsewhere").rename(path)
    assert _ask(services, owner, fresh.id, ROW).predictions[0].prediction in ("gone", "stays")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**ROW, "a": "40"}, "came as text"),
        ({**ROW, "a": 10_000}, "beyond all that the model learned from (0 to 100)"),
        ({**ROW, "a": True}, "came as yes and no"),
        ({**ROW, "a": float("nan")}, None),
        ({**ROW, "städt": "Bonn"}, "not there when the model learned"),
        ({**ROW, "städt": 5}, "not there when the model learned"),
        ({**ROW, "städt": None}, None),
        ({"A": 40, "b": 3, "städt": "Köln"}, "Perhaps “A” is meant by “a”"),
        ({**ROW, "𝔘nicode\u202e": 1}, "not used by the model"),
    ],
)
def test_what_is_odd_about_a_case_is_said(services: Services, owner: Actor, model: ModelRead, row: dict[str, Any], said: str | None) -> None:
    answer = _ask(services, owner, model.id, row)
    assert answer.predictions[0].prediction in ("gone", "stays")
    assert (said in " ".join(answer.notes)) if said else answer.notes == []


def test_ten_thousand_rows_at_once_are_the_same_as_one_by_one(services: Services, owner: Actor, model: ModelRead) -> None:
    rows = [{"a": n % 101, "b": n % 13, "städt": ("Köln", "Zürich", "東京")[n % 3]} for n in range(10_000)]
    many = _ask(services, owner, model.id, *rows)
    assert len(many.predictions) == 10_000
    for place in (0, 77, 9_999):
        one = _ask(services, owner, model.id, rows[place]).predictions[0]
        assert many.predictions[place].prediction == one.prediction
        assert many.predictions[place].probabilities == pytest.approx(one.probabilities, abs=1e-6)


def test_promoted_rolled_back_and_deleted_while_it_is_asked(services: Services, owner: Actor, model: ModelRead, run_jobs: Run) -> None:
    recipe = TrainRequest(dataset="moves", target="y", trials=1, families=["lightgbm"], name="Movers", seed=1)
    second = services.models.train(owner, recipe)
    run_jobs()
    alone = {version: _ask(services, owner, "Movers", ROW, version=version).predictions[0].probabilities for version in (1, 2)}
    assert alone[1] != pytest.approx(alone[2], abs=1e-6)
    with pytest.raises(ModelNotFound):
        _ask(services, owner, "Movers", ROW, version=3)
    wrong: list[Any] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                answer = _ask(services, owner, "Movers", ROW)
            except ModelNotFound:
                continue
            except DappError as error:
                wrong.append(error)
                return
            if answer.predictions[0].probabilities != pytest.approx(alone[answer.model_version], abs=1e-6):
                wrong.append(answer)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(6):
            services.registry.promote(owner, f"Movers@{1 + turn % 2}", ReasonRequest(reason="A turn."))
            assert _ask(services, owner, "Movers", ROW).model_version == 1 + turn % 2
        services.registry.rollback(owner, "Movers", ReasonRequest(reason="Back."))
        assert _ask(services, owner, "Movers", ROW).model_version == 1
        services.models.delete(owner, second.id)
        assert _ask(services, owner, "Movers", ROW).model_version == 1
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert wrong == []
