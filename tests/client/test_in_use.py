"""Models in use over a real server: brought along, promoted, rolled back, compared, decided, watched, explained, taken away."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dapp_ext.client import DAPPClient, Dataset, Model
from dapp_ext.errors import ColumnUnknown, Conflict, Invalid, RowsMismatch

from .test_drawing import checked

FEATURES = ["a", "b"]


def _frame() -> pd.DataFrame:
    rows = [(n * 37 % 101, n * 7 % 13) for n in range(300)]
    return pd.DataFrame([{"a": a, "b": b, "y": "gone" if a + b > 60 else "stays"} for a, b in rows])


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return _frame()


@pytest.fixture
def people(client: DAPPClient, frame: pd.DataFrame) -> Dataset:
    found = [each for each in client.datasets("movers") if each.name == "movers"]
    return found[0] if found else client.upload_file(frame, name="movers")


@pytest.fixture
def movers(client: DAPPClient, people: Dataset, frame: pd.DataFrame) -> list[Model]:
    """Two versions of a name: one brought along, one searched for; made once for all tests."""
    found = [each for each in client.models("Movers") if each.name == "Movers"]
    if not found:
        pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame[FEATURES], frame.y)
        client.register(pipeline, name="Movers", dataset=people, target="y", unseen=True)
        client.train_model(people, "y", trials=2, families=["linear"], name="Movers", wait=True)
        found = [each for each in client.models("Movers") if each.name == "Movers"]
    return sorted(found, key=lambda each: each.version)


def test_promoted_rolled_back_and_compared(client: DAPPClient, movers: list[Model]) -> None:
    first, second = movers
    assert client.promote(first, "Known for long.").read.champion
    assert client.model("Movers") == first
    assert client.promote(second, "Better.").read.champion
    assert client.rollback("Movers", "Not better.") == first
    versions = client.versions("Movers")
    assert versions.champion == first
    assert [each.reason for each in versions.promotions[:2]] == ["Not better.", "Better."]
    assert "Movers" in checked(versions._repr_html_()).text
    compared = client.compare("Movers@1", "Movers@2")
    assert (compared.read.a.version, compared.read.b.version) == (1, 2)
    assert compared.sentence in checked(compared._repr_html_()).text
    assert len(compared.scores) >= 1


def test_decided_checked_and_watched(client: DAPPClient, movers: list[Model], frame: pd.DataFrame) -> None:
    model = movers[1]
    assert client.set_threshold(model, 0.9, reason="Few can be looked at.").threshold == 0.9
    assert client.set_threshold(model, capacity=0.2).by == "capacity"
    assert [each.by for each in client.thresholds(model)][:2] == ["capacity", "value"]
    with pytest.raises(Invalid):
        client.set_threshold(model, 1.4)
    fits = client.check(model, frame.rename(columns={"a": "A"}))
    assert (fits.missing, fits.renamed[0].perhaps) == (["a"], "A")
    assert client.predict(model, frame[FEATURES].head(3)).shape == (3, 3)
    watched = client.monitoring(model)
    assert watched.sentence
    assert checked(watched._repr_html_()).text
    assert client.prediction_log(model) is not None


def test_explained(client: DAPPClient, movers: list[Model]) -> None:
    for model in movers:
        (told,) = client.explain(model, {"a": 100, "b": 12})
        assert told.prediction == "gone"
        assert set(told.reasons["column"]) == {"a", "b"}
        assert told.reasons["effect"].sum() == pytest.approx(told.read.output - told.read.base, abs=1e-3)
        assert told.reasons.iloc[0]["column"] == "a"
        assert "Why gone" in checked(told._repr_html_()).text
        assert "a" in repr(told)
    assert len(client.explain(movers[0], [{"a": 1, "b": 1}, {"a": 90, "b": 1}])) == 2
    with pytest.raises(Invalid, match="20 rows"):
        client.explain(movers[0], [{"a": 1, "b": 1}] * 21)
    with pytest.raises(RowsMismatch):
        client.explain(movers[0], [])


def test_advised_before_training(client: DAPPClient, people: Dataset) -> None:
    told = client.advise(people, "y")
    assert (told.read.target, told.read.task.task, told.read.validation.validation) == ("y", "binary", "stratified")
    assert told.read.validation.reason in checked(told._repr_html_()).text
    assert "stratified" in repr(told)
    with pytest.raises(ColumnUnknown):
        client.advise(people, "nothing")
    with pytest.raises(Invalid):
        client.advise(people, "y", families=["magic"])


def test_taken_away(movers: list[Model], tmp_path: Path) -> None:
    model = movers[1]
    card = model.export(tmp_path / "card.html", "card").read_text("utf-8")
    assert "Movers" in card
    cells = json.loads(model.export(tmp_path / "made.ipynb", "notebook").read_text("utf-8"))["cells"]
    assert any(cell["cell_type"] == "code" for cell in cells)


def test_scored_again_without_a_column(movers: list[Model]) -> None:
    brought, searched = movers
    second = searched.score_again(without="a", time_budget=5)
    assert second.columns == ["a"]
    assert second.after < second.before
    assert second in searched.results().read.second_scores
    with pytest.raises(ColumnUnknown):
        searched.score_again(without=["nothing"])
    with pytest.raises(Conflict, match="trained elsewhere"):
        brought.score_again(without=["a"])
