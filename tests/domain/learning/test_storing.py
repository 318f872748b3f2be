"""A stored model answers as before, and nothing but a sound model of ours is ever read."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import skops.io
from sklearn.svm import SVC

from dapp_ext.domain.learning import load_predictor
from dapp_ext.domain.learning.storing import dump
from dapp_ext.errors import IntegrityFailed, Invalid
from tests.domain.learning.conftest import columns_of


def repacked(data: bytes, **changed: bytes) -> bytes:
    """The bundle with parts exchanged; dots in names are written as two underscores."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, changed.get(name.replace(".", "__"), old.read(name)))
    return out.getvalue()


@pytest.mark.parametrize("family", ["linear", "lightgbm", "forest"])
@pytest.mark.parametrize("target", ["stays", "plan", "months"])
def test_the_answers_are_the_same_after_storing(quick: Any, people: pa.Table, family: str, target: str) -> None:
    table = people.filter(people["months"].is_valid())
    trained = quick(table, target, families=[family])
    read = load_predictor(trained.dump())
    before, _ = trained.predictor.predict(table)
    after, _ = read.predict(table)
    assert after.equals(before)
    assert (read.task, read.classes, read.features) == (trained.predictor.task, trained.predictor.classes, trained.predictor.features)


def test_blends_texts_dates_and_many_categories_are_stored_too(quick: Any) -> None:
    rng = np.random.default_rng(8)
    n = 1400
    city = rng.integers(0, 300, n)
    X = rng.normal(size=(n, 3))
    table = pa.table(
        {
            "city": [f"town {c}" for c in city],
            "told": [f"a note about thing {i} and {'good' if x > 0 else 'bad'} weather" for i, x in enumerate(X[:, 2])],
            "at": pa.array(np.datetime64("2024-01-01T00:00", "us") + rng.integers(0, 10**7, n).astype("timedelta64[s]")),
            "x0": X[:, 0],
            "x1": X[:, 1],
            "y": 9 * X[:, 0] + 3 * (X[:, 1] > 0) * (X[:, 0] > 0) + city / 100 + (X[:, 2] > 0) + rng.normal(size=n),
        }
    )
    columns = [c.model_copy(update={"kind": "text" if c.name == "told" else c.kind}) for c in columns_of(table)]
    trained = quick(table, "y", columns=columns, trials=2, families=["linear", "lightgbm"], params={"lightgbm": {"rounds": 100}})
    assert trained.facts["best"].family == "ensemble"
    assert load_predictor(trained.dump()).predict(table)[0].equals(trained.predictor.predict(table)[0])


class Touch:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_pickles_are_never_read(quick: Any, people: pa.Table, tmp_path: Path) -> None:
    marker = tmp_path / "touched"
    evil = pickle.dumps(Touch(marker))
    data = quick(people, "stays").dump()
    for attempt in (evil, repacked(data, model__skops=evil), repacked(data, metadata__json=evil)):
        with pytest.raises(IntegrityFailed):
            load_predictor(attempt)
    assert not marker.exists()


def test_types_that_are_not_on_the_list_are_refused(quick: Any, people: pa.Table) -> None:
    data = quick(people, "stays").dump()
    foreign = skops.io.dumps({"learn": SVC(), "run": np.vectorize(len)})
    with pytest.raises(IntegrityFailed, match=r"not allowed|damaged"):
        load_predictor(repacked(data, model__skops=foreign))


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "no model", "other columns"])
def test_damaged_bytes_are_refused(quick: Any, people: pa.Table, damage: str) -> None:
    data = quick(people, "stays").dump()
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        metadata = json.loads(bundle.read("metadata.json"))
    metadata["features"][0]["name"] = "another"
    broken = {
        "empty": b"",
        "cut": data[: len(data) // 2],
        "noise": bytes(range(256)) * 20,
        "no model": repacked(data, model__skops=b""),
        "other columns": repacked(data, metadata__json=json.dumps(metadata).encode()),
    }[damage]
    with pytest.raises(IntegrityFailed):
        load_predictor(broken)


def test_a_tree_that_points_backwards_is_refused(quick: Any, people: pa.Table) -> None:
    trained = quick(people, "stays", families=["forest"])
    learned = trained.predictor.pipeline.named_steps["learn"]
    forest = getattr(learned, "model", learned)  # a calibrated one is inside
    forest.estimators_[1].tree_.children_left[0] = 0
    with pytest.raises(IntegrityFailed, match="tree"):
        load_predictor(dump(trained.predictor))


def test_boosted_trees_that_are_cut_are_refused(quick: Any, people: pa.Table) -> None:
    trained = quick(people, "stays", families=["lightgbm"])
    _, trees = trained.predictor.pipeline.named_steps["learn"].members[0]
    trees.text = trees.booster().model_to_string()[:2000]
    with pytest.raises(IntegrityFailed):
        load_predictor(dump(trained.predictor))


def test_a_model_of_another_release_is_refused_with_both_named(quick: Any, people: pa.Table) -> None:
    trained = quick(people, "stays")
    trained.predictor.libraries["scikit-learn"] = "2.7.0"
    with pytest.raises(Invalid, match=r"2\.7\.0"):
        load_predictor(trained.dump())
