"""Pipelines fitted in a notebook: taken as skops, checked, scored, asked; what is not allowed is named."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from dapp_ext.domain.learning import load_predictor
from dapp_ext.domain.learning.registered import read_pipeline
from dapp_ext.errors import ColumnUnknown, Denied, IntegrityFailed, Invalid, ModelTypeRefused
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.models import BatchPredictRequest, ModelRead, PredictRequest, TrainRequest
from dapp_ext.schema.registry import RegisterRequest
from dapp_ext.services import Services, files

Upload = Callable[..., DatasetRead]
Run = Callable[[], None]


def _frame(seed: int, rows: int) -> pd.DataFrame:
    dice = random.Random(seed)
    table = pd.DataFrame({"a": [dice.gauss(0, 1) for _ in range(rows)], "b": [dice.gauss(0, 1) for _ in range(rows)]})
    table["c"] = [dice.choice(["u", "v", "w"]) for _ in range(rows)]
    table["y"] = np.where(table.a + table.b + (table.c == "w") + [dice.gauss(0, 0.5) for _ in range(rows)] > 0.8, "gone", "stays")
    return table


@pytest.fixture
def dataset(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> DatasetRead:
    made = upload(owner, _frame(1, 300).to_csv(index=False).encode(), "fresh.csv")
    run_jobs()
    return services.datasets.get(owner, made.id)


@pytest.fixture
def register(services: Services, run_jobs: Run) -> Callable[..., ModelRead]:
    def send(actor: Actor, pipeline: Any, **given: Any) -> ModelRead:
        incoming = services.registering.begin(actor, RegisterRequest.model_validate({"name": "Mine", "dataset": "fresh", "target": "y", **given}))
        incoming.write(pipeline if isinstance(pipeline, bytes) else skops.io.dumps(pipeline))
        made = incoming.finish()
        run_jobs()
        return services.models.get(actor, made.id)

    return send


def _mixed() -> Any:
    known = _frame(0, 400)
    prepare = make_column_transformer((StandardScaler(), ["a", "b"]), (OneHotEncoder(handle_unknown="ignore"), ["c"]))
    return make_pipeline(prepare, LogisticRegression()).fit(known[["a", "b", "c"]], known.y)


def test_a_pipeline_gets_the_same_pages_and_answers(
    services: Services, owner: Actor, dataset: DatasetRead, register: Callable[..., ModelRead], run_jobs: Run
) -> None:
    pipeline = _mixed()
    model = register(owner, pipeline, unseen=True)
    assert (model.status, model.origin, model.version, model.target, model.task) == ("ready", "registered", 1, "y", "binary"), model.error
    results = services.models.results(owner, model.id)
    table = _frame(1, 300)
    accuracy = next(score for score in results.scores if score.name == "accuracy")
    assert accuracy.value == pytest.approx((pipeline.predict(table[["a", "b", "c"]]) == table.y).mean())
    assert accuracy.low < accuracy.value < accuracy.high
    assert accuracy.value > accuracy.baseline
    assert {curve.kind for curve in results.curves} >= {"roc", "precision_recall"}
    assert results.importances[0].value > 0
    assert [guard.state for guard in results.guards] == ["passed"]
    rows = table[["a", "b", "c"]].head(20)
    answer = services.predictions.predict(owner, "Mine", PredictRequest(rows=rows.to_dict("records")))
    assert [one.prediction for one in answer.predictions] == pipeline.predict(rows).tolist()
    chances = [one.probabilities["gone"] for one in answer.predictions if one.probabilities]
    assert chances == pytest.approx(pipeline.predict_proba(rows)[:, 0].tolist())
    asked = services.predictions.predict_batch(owner, model.id, BatchPredictRequest(dataset=dataset.id))
    run_jobs()
    assert services.datasets.get(owner, asked.dataset_id).rows == 300
    second = services.models.train(owner, TrainRequest(dataset=dataset.id, target="y", name="Mine", trials=1, families=["linear"]))
    assert second.version == 2


def test_rows_that_were_perhaps_learned_from_carry_a_warning(
    services: Services, owner: Actor, dataset: DatasetRead, register: Callable[..., ModelRead]
) -> None:
    results = services.models.results(owner, register(owner, _mixed()).id)
    assert results.guards[0].state == "alerted"
    assert "may have learned" in results.sentence


def test_numbers_alone_are_asked_as_arrays(services: Services, owner: Actor, dataset: DatasetRead, register: Callable[..., ModelRead]) -> None:
    known = _frame(0, 400)
    pipeline = make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=20)).fit(known[["a", "b"]], known.y)
    model = register(owner, pipeline, target="y")
    row = {"a": 0.4, "b": None}
    answer = services.predictions.predict(owner, model.id, PredictRequest(rows=[row])).predictions[0]
    assert answer.probabilities is not None
    assert answer.probabilities["gone"] == pytest.approx(pipeline.predict_proba(pd.DataFrame([row], dtype=float))[0][0])
    with services.context.database.read() as session:
        stored = services.models.find(owner, session, model.id, "model.read")
        assert load_predictor(files.read_stored(services.context, session, stored.artifact_id)).arrays  # type: ignore[attr-defined]


def test_amounts(services: Services, owner: Actor, dataset: DatasetRead, register: Callable[..., ModelRead]) -> None:
    known = _frame(0, 200)
    model = register(owner, RandomForestRegressor(5).fit(known[["b"]], known.a), target="a")
    assert (model.status, model.task) == ("ready", "regression"), model.error
    assert isinstance(services.predictions.predict(owner, model.id, PredictRequest(rows=[{"b": 1.0}])).predictions[0].prediction, float)


def _nested(depth: int) -> bytes:
    """A list in a list in a list, as skops would write it, deeper than anybody reads."""
    within: dict[str, Any] = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [], "__id__": 1}
    for _ in range(depth):
        within = {**within, "content": [within]}
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("schema.json", json.dumps({**within, "protocol": 2, "_skops_version": "0.13"}))
    return body.getvalue()


def test_what_is_not_allowed_is_named_and_nothing_is_kept(
    services: Services, owner: Actor, dataset: DatasetRead, register: Callable[..., ModelRead], person: Callable[[str, Role], Actor]
) -> None:
    known = _frame(0, 100)
    foreign = make_pipeline(FunctionTransformer(pd.DataFrame.abs), LogisticRegression()).fit(known[["a"]], known.y)
    with pytest.raises(ModelTypeRefused, match="pandas") as refused:
        register(owner, foreign)
    assert any("pandas" in name for name in refused.value.details["types"])
    for wrong, said in (
        (b"no pipeline", "no pipeline that skops can read"),
        (_nested(400), "no pipeline that skops can read"),
        (skops.io.dumps({"a": 1}), "cannot predict"),
        (b"", "no pipeline in the body"),
    ):
        with pytest.raises(Invalid, match=said):
            register(owner, wrong)
    with pytest.raises(ColumnUnknown):
        register(owner, _mixed(), target="zzz")
    with pytest.raises(Denied):
        register(person("vera", Role.viewer), _mixed())
    assert services.models.list(owner).items == []
    assert not [path for path in (services.settings.objects_folder).rglob("*") if path.is_file() and "pipeline" in path.name]


def test_a_pipeline_that_does_not_fit_the_data_says_why(services: Services, owner: Actor, dataset: DatasetRead, register: Callable[..., ModelRead]) -> None:
    known = _frame(0, 100)
    missing = register(owner, LogisticRegression().fit(known[["a"]].rename(columns={"a": "zzz"}), known.y))
    assert (missing.status, "zzz" in (missing.error or "")) == ("failed", True)
    other = register(owner, LogisticRegression().fit(known[["a"]], np.where(known.y == "gone", "left", "kept")))
    assert "not those of the pipeline" in (other.error or "")


def test_a_damaged_tree_is_not_used() -> None:
    known = _frame(0, 100)
    data = skops.io.dumps(RandomForestRegressor(1, max_depth=2).fit(known[["b"]], known.a))
    read_pipeline(data)
    model = skops.io.loads(data, trusted=["numpy.dtype", "sklearn.tree._tree.Tree"])
    model.estimators_[0].tree_.children_left[0] = 0
    with pytest.raises(IntegrityFailed, match="damaged"):
        read_pipeline(skops.io.dumps(model))
    cut = io.BytesIO()
    with zipfile.ZipFile(cut, "w") as bundle:
        bundle.writestr("schema.json", "{}")
    with pytest.raises(Invalid):
        read_pipeline(cut.getvalue())
