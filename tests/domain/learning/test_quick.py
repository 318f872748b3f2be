"""Rows that are as expected are answered without a table, exactly as with one; whatever is odd goes the long way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dapp_ext.domain.learning import Recipe, load_predictor, train
from dapp_ext.domain.learning.deciding import decide
from dapp_ext.domain.learning.predictor import Predictor
from dapp_ext.domain.learning.quick import QuickReader
from dapp_ext.domain.learning.registered import register
from dapp_ext.services.scoring import Question, answer, as_table
from tests.domain.learning.conftest import Notebook, columns_of


@pytest.fixture(scope="module")
def mixed() -> pa.Table:
    """All roles: numbers with gaps, a category, a flag, free text."""
    rng = np.random.default_rng(5)
    words = np.asarray(["late", "kind", "broken", "fast", "blue", "never", "again", "ship", "old", "paid"])
    texts = rng.choice([" ".join(rng.choice(words, 7)) for _ in range(250)], 600).tolist()
    member = [None if rng.random() < 0.05 else bool(rng.random() < 0.5) for _ in range(600)]
    age, plan = rng.integers(18, 80, 600), rng.choice(["basic", "plus", "pro"], 600)
    months = [None if rng.random() < 0.1 else float(m) for m in rng.gamma(2.0, 12.0, 600)]
    stays = np.where(age + 10 * (plan == "pro") + rng.normal(0, 9, 600) > 50, "yes", "no")
    return pa.table({"member": member, "said": texts, "age": age, "months": months, "plan": plan.tolist(), "stays": stays.tolist()})


@pytest.fixture(scope="module")
def predictors(mixed: pa.Table) -> dict[str, Predictor]:
    """A model of each family, trained once."""
    made = {}
    for family in ("linear", "lightgbm"):
        recipe = Recipe(target="stays", time_budget=60.0, trials=1, families=[family])  # type: ignore[list-item]
        made[family] = load_predictor(train(mixed, columns_of(mixed), recipe, Notebook()).dump())
    return made


def rows_of(table: pa.Table, count: int, target: str) -> list[dict[str, Any]]:
    return table.drop_columns([target]).slice(0, count).to_pylist()


@pytest.mark.parametrize("family", ["linear", "lightgbm"])
def test_the_same_answers_as_the_long_way(predictors: dict[str, Predictor], mixed: pa.Table, family: str) -> None:
    predictor = predictors[family]
    reader = QuickReader(predictor)
    rows = [*rows_of(mixed, 120, "stays"), dict.fromkeys(c.name for c in predictor.features)]
    for some in (rows, *([row] for row in rows[:10]), rows[-1:]):
        some = [{column.name: row[column.name] for column in predictor.features} for row in some]
        expected, notes = predictor.predict(as_table(some))
        found = reader.predict(some)
        assert notes == []
        assert found is not None
        assert found.equals(expected)


@pytest.mark.parametrize(
    "change",
    [
        {"age": "40"},
        {"age": True},
        {"age": 400},
        {"age": float("nan")},
        {"age": float("inf")},
        {"age": 10**30},
        {"age": 1e300},
        {"plan": "gold"},
        {"plan": 3},
        {"member": "yes"},
        {"member": 1},
        {"said": 5},
        {"phone": 1},
        {"age": [1]},
    ],
)
def test_what_is_odd_goes_the_long_way(predictors: dict[str, Predictor], mixed: pa.Table, change: dict[str, Any]) -> None:
    row = rows_of(mixed, 1, "stays")[0]
    reader = QuickReader(predictors["linear"])
    assert reader.predict([row]) is not None
    assert reader.predict([{**row, **change}]) is None
    assert reader.predict([row, {**row, **change}]) is None


def test_a_missing_column_goes_the_long_way_and_the_target_is_no_matter(predictors: dict[str, Predictor], mixed: pa.Table) -> None:
    reader = QuickReader(predictors["linear"])
    row = rows_of(mixed, 1, "stays")[0]
    assert reader.predict([{**row, "stays": "yes"}]) is not None
    assert reader.predict([{name: value for name, value in row.items() if name != "age"}]) is None


def test_a_pipeline_brought_along(people: pa.Table) -> None:
    frame = people.select(["age", "months", "noise", "stays"]).to_pandas()
    pipeline = make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=20, random_state=0)).fit(frame.drop(columns="stays"), frame.stays)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    predictor, _ = register(table, columns_of(table), skops.io.dumps(pipeline), {"target": "stays"})
    predictor = load_predictor(predictor.dump())  # type: ignore[assignment]
    rows = rows_of(table, 50, "stays")
    found = QuickReader(predictor).predict(rows)
    assert found is not None
    assert found.equals(predictor.predict(as_table(rows))[0])
    assert found.column("probability_yes").to_pylist() == pytest.approx(pipeline.predict_proba(pd.DataFrame(rows))[:, 1].tolist())
    assert QuickReader(predictor).predict([{**rows[0], "age": 4000}]) is None
    told = predictor.reasons(as_table(rows[:1]))
    assert {each.column for each in told.reasons} == {"age", "months", "noise"}
    assert sum(each.effect for each in told.reasons) == pytest.approx(told.output - told.base, abs=1e-6)
    assert told.output == pytest.approx(found.column("probability_yes")[0].as_py(), rel=1e-5)


def test_what_is_odd_is_said(quick: Any, people: pa.Table) -> None:
    predictor = quick(people, "stays").predictor
    row = {"age": 40, "months": 12.0, "plan": "plus", "noise": 0.1}
    for change, said in (
        ({"age": "40"}, "“age” came as text and was read as numbers"),
        ({"age": 150}, "beyond all that the model learned from (18 to 79)"),
        ({"age": True}, "came as yes and no and was read as 1 and 0"),
        ({"plan": "gold"}, "not there when the model learned"),
    ):
        assert said in " ".join(predictor.predict(as_table([{**row, **change}]))[1])
    renamed = {"Age ": 40, **{name: value for name, value in row.items() if name != "age"}}
    assert "Perhaps “Age ” is meant by “age”." in predictor.predict(as_table([renamed]))[1]
    assert predictor.predict(as_table([row]))[1] == []


@pytest.mark.parametrize("threshold", [None, 0.3, 0.8])
def test_an_answer_without_a_table_is_the_one_with_it(predictors: dict[str, Predictor], mixed: pa.Table, houses: pa.Table, threshold: float | None) -> None:
    """Reading rows, deciding by a threshold and naming classes: the same on both ways, for words, flags and amounts."""
    flags = mixed.set_column(5, "stays", pa.array([v == "yes" for v in mixed["stays"].to_pylist()]))
    amounts = Recipe(target="price", time_budget=60.0, trials=1, families=["linear"])
    cases = [
        (predictors["lightgbm"], mixed, "stays"),
        (train(flags, columns_of(flags), Recipe(target="stays", time_budget=60.0, trials=1, families=["linear"]), Notebook()).predictor, flags, "stays"),
        (train(houses, columns_of(houses), amounts, Notebook()).predictor, houses, "price"),
    ]
    for predictor, table, target in cases:
        rows = [{column.name: row[column.name] for column in predictor.features} for row in rows_of(table, 40, target)]
        found = answer(predictor, QuickReader(predictor), Question(None, rows, threshold))  # type: ignore[arg-type]
        expected = decide(predictor.predict(as_table(rows))[0], predictor.labels, threshold).to_pydict()
        assert found.values == expected.pop("prediction")
        assert {f"probability_{name}": chances for name, chances in found.probabilities.items()} == expected
        assert [type(each) for each in found.values[:1]] == [type(predictor.labels[0]) if predictor.labels else float]
