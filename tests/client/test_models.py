"""Models over a real server: trained, followed, understood, used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from dapp_ext.client import DAPPClient, Dataset, Model, sample_path
from dapp_ext.client import progress as progress_module
from dapp_ext.errors import ColumnUnknown, Invalid, ModelNotFound, NameTaken, NotReady, RowsMismatch, TargetUnusable, TimeExceeded

from .test_drawing import checked

SECONDS = 120


@pytest.fixture
def penguins(client: DAPPClient) -> Dataset:
    found = [each for each in client.datasets("birds") if each.name == "birds"]
    return found[0] if found else client.upload_file(sample_path("penguins"), name="birds")


@pytest.fixture
def species(client: DAPPClient, penguins: Dataset) -> Model:
    """A model of three classes, trained once for all tests."""
    found = [each for each in client.models("which species") if each.status == "ready"]
    if found:
        return found[0]
    return client.train_model(penguins, "species", trials=2, families=["linear"], name="which species", wait=True)


def test_training_gives_honest_results(client: DAPPClient, species: Model) -> None:
    assert (species.status, species.target, species.task) == ("ready", "species", "multiclass")
    assert species.score is not None
    assert species.sentence
    results = client.get_results(species)
    assert results.sentence == species.sentence
    accuracy = results.metrics.loc["accuracy"]
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    assert accuracy["value"] > 0.9 > 0.6 > accuracy["baseline"]
    assert len(results.leaderboard) == 2
    assert set(results.importances["column"]) <= set(client.dataset("birds").columns)
    assert results.confusion is not None
    assert results.confusion.to_numpy().sum() == results.read.split.rows_test
    assert "95 % interval" in checked(results._repr_html_()).text
    assert results.best.family == "linear"
    assert len(results.plot()) >= 2


def test_model_is_shown(client: DAPPClient, species: Model) -> None:
    assert "species" in checked(species._repr_html_()).text
    assert str(species) == species.id
    assert "which species" in repr(client.models())
    assert client.model(species.id) == species == client.model("which species")
    assert list(species.leaderboard()["family"]) == ["linear", "linear"]


def test_predictions_have_the_index_of_the_rows(client: DAPPClient, species: Model, penguins: Dataset) -> None:
    frame = client.get_processed_data(penguins).set_index(np.arange(1000, 1344)).iloc[[5, 300, 100]]
    answer = client.predict(species, frame)
    assert list(answer.index) == list(frame.index)
    assert list(answer.columns) == ["prediction", "probability_Adelie", "probability_Chinstrap", "probability_Gentoo"]
    assert answer["prediction"].tolist() == frame["species"].tolist()
    assert np.allclose(answer.filter(like="probability_").sum(axis=1), 1.0)
    for other in (pl.from_pandas(frame), frame.to_dict("records"), species):
        rows = frame if other is species else other
        assert client.predict("which species", rows)["prediction"].tolist() == answer["prediction"].tolist()


def test_one_row_in_every_form(client: DAPPClient, species: Model, penguins: Dataset) -> None:
    frame = client.get_processed_data(penguins)
    row = frame.iloc[10]
    expected = client.predict(species, frame.iloc[[10]])
    assert client.predict(species, row).index.tolist() == [10]
    for one in (row, row.to_dict(), [row.to_dict()]):
        assert client.predict(species, one)["prediction"].tolist() == expected["prediction"].tolist()


def test_many_rows_go_in_several_requests(client: DAPPClient, species: Model, penguins: Dataset) -> None:
    frame = client.get_processed_data(penguins)
    large = pd.concat([frame] * 13, ignore_index=True)  # 4,472 rows: three requests
    answer = client.predict(species, large)
    assert len(answer) == len(large)
    assert answer["prediction"].iloc[-344:].tolist() == client.predict(species, frame)["prediction"].tolist()


def test_rows_that_do_not_fit(client: DAPPClient, species: Model) -> None:
    with pytest.raises(RowsMismatch):
        client.predict(species, pd.DataFrame({"nothing": [1]}))
    with pytest.raises(RowsMismatch, match="no rows"):
        client.predict(species, [])
    with pytest.raises(Invalid):
        client.predict(species, [3])
    with pytest.raises(Invalid, match="set cannot be predicted"):
        client.predict(species, {"island": {1}})
    with pytest.raises(ModelNotFound):
        client.predict("no such model", {"island": "Dream"})


def test_whole_dataset_becomes_another(client: DAPPClient, species: Model, penguins: Dataset) -> None:
    scored = client.predict_dataset(species, penguins, name="birds scored")
    frame = client.get_processed_data(scored)
    assert len(frame) == 344
    expected = client.predict(species, client.get_processed_data(penguins))
    assert frame["prediction"].tolist() == expected["prediction"].tolist()
    with pytest.raises(NameTaken):
        client.predict_dataset(species, penguins, name="birds scored")


def test_likely_target_is_said_aloud(client: DAPPClient, capsys: pytest.CaptureFixture[str]) -> None:
    data = client.upload_file(sample_path("adult_income"))
    model = client.train_model(data, trials=1, families=["linear"])
    assert model.target == "income"
    assert "Predicting 'income'" in capsys.readouterr().out
    model.delete()
    with pytest.raises(ModelNotFound):
        client.model(model.id)


def test_doubtful_target_is_asked_for(client: DAPPClient) -> None:
    letters = pd.DataFrame({"id": np.arange(50), "note": [f"letter {at} about {at * 7} things that nobody counts" for at in range(50)]})
    data = client.upload_file(letters, name="letters")
    with pytest.raises(TargetUnusable, match="Which column"):
        client.train_model(data)


def test_impossible_wishes(client: DAPPClient, penguins: Dataset) -> None:
    with pytest.raises(ColumnUnknown):
        client.train_model(penguins, "no such column")
    with pytest.raises(Invalid, match="time_budget"):
        client.train_model(penguins, "species", time_budget=1)
    with pytest.raises(Invalid, match="families"):
        client.train_model(penguins, "species", families=["oracle"])  # type: ignore[list-item]
    with pytest.raises(Invalid, match="Which model"):
        client.get_results()


def test_stop_keeps_the_best_so_far(client: DAPPClient, penguins: Dataset) -> None:
    model = client.train_model(penguins, "species", time_budget=600, name="stopped")
    with pytest.raises(NotReady):
        model.results()
    with pytest.raises(TimeExceeded, match="goes on"):
        model.wait(timeout=0.05)
    while not model.board().trials:
        model.refresh()
    model.stop()
    assert model.wait(SECONDS).status == "ready"
    assert client.get_results().read.stopped_early
    assert model.rename("stopped early").share("private").read.visibility == "private"


def test_waiting_is_shown_in_a_terminal(client: DAPPClient, penguins: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress_module, "_PERIOD_SECONDS", 0.0)
    client.train_model(penguins, "sex", trials=1, families=["linear"], wait=True)
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "trained." in shown.rpartition("\r")[2]


def test_model_as_a_file(species: Model, tmp_path: Path) -> None:
    path = species.export(tmp_path / "model.skops")
    assert path.read_bytes()[:2] == b"PK"
    with pytest.raises(Invalid, match="cannot be written"):
        species.export(tmp_path / "no" / "folder")


def test_numbers_are_predicted_too(client: DAPPClient, penguins: Dataset) -> None:
    model = client.train_model(penguins, "body_mass_g", trials=1, families=["linear"], wait=True)
    assert model.task == "regression"
    answer: Any = client.predict(model, client.get_processed_data(penguins).head(4))
    assert list(answer.columns) == ["prediction"]
    assert answer["prediction"].between(2500, 6500).all()
    assert "predicted" in checked(client.get_results(model)._repr_html_()).text
