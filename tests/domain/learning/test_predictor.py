"""Rows to predict may miss columns, bring new ones, or come in other types; the answer says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning import load_predictor
from dapp_ext.errors import RowsMismatch


@pytest.fixture
def predictor(quick: Any, people: pa.Table) -> Any:
    return load_predictor(quick(people, "stays", families=["lightgbm"]).dump())


def test_answers_are_in_the_targets_type_with_probabilities(predictor: Any, people: pa.Table) -> None:
    answer, notes = predictor.predict(people)
    assert answer.column_names == ["prediction", "probability_no", "probability_yes"]
    assert answer["prediction"].type == pa.string()
    total = np.asarray(answer["probability_no"]) + np.asarray(answer["probability_yes"])
    assert np.allclose(total, 1)
    named = np.where(np.asarray(answer["probability_yes"]) > 0.5, "yes", "no")
    assert answer["prediction"].to_pylist() == named.tolist()
    assert notes == []


@pytest.mark.parametrize(
    ("values", "type_", "names"),
    [
        ([True, False], pa.bool_(), ["probability_False", "probability_True"]),
        ([3, 7], pa.int64(), ["probability_3", "probability_7"]),
        ([0.5, 2.0], pa.float64(), ["probability_0.5", "probability_2"]),
    ],
)
def test_labels_of_other_types_come_back_exactly(quick: Any, people: pa.Table, values: list[Any], type_: pa.DataType, names: list[str]) -> None:
    goal = [values[1] if v == "yes" else values[0] for v in people["stays"].to_pylist()]
    trained = quick(people.set_column(4, "stays", pa.array(goal)), "stays")
    answer, _ = load_predictor(trained.dump()).predict(people.slice(0, 50))
    assert answer["prediction"].type == type_
    assert set(answer["prediction"].to_pylist()) <= set(values)
    assert sorted(answer.column_names[1:]) == names


def test_the_order_of_columns_and_rows_does_not_matter(predictor: Any, people: pa.Table) -> None:
    straight, _ = predictor.predict(people.slice(10, 3))
    turned, _ = predictor.predict(people.select(["noise", "plan", "months", "age"]).slice(10, 3))
    assert turned.equals(straight)
    alone, _ = predictor.predict(people.slice(11, 1))
    assert alone.equals(straight.slice(1, 1))


def test_a_missing_column_counts_as_missing_and_is_named(predictor: Any, people: pa.Table) -> None:
    answer, notes = predictor.predict(people.drop_columns(["months"]).slice(0, 5))
    assert answer.num_rows == 5
    assert any("“months” is not in the rows" in n for n in notes)


def test_an_extra_column_is_named_and_ignored(predictor: Any, people: pa.Table) -> None:
    answer, notes = predictor.predict(people.append_column("shoe", pa.array([42] * 600)))
    assert answer.equals(predictor.predict(people)[0])
    assert notes == ["“shoe” is not used by the model."]


def test_an_unseen_category_is_counted(predictor: Any, people: pa.Table) -> None:
    plans = ["platinum", "platinum", *people["plan"].to_pylist()[2:]]
    answer, notes = predictor.predict(people.set_column(2, "plan", pa.array(plans)))
    assert answer.num_rows == 600
    assert len(notes) == 1
    assert "“plan”" in notes[0]
    assert "2 rows" in notes[0]


def test_numbers_written_as_text_are_read_and_words_are_counted(predictor: Any, people: pa.Table) -> None:
    as_text = people.set_column(0, "age", pa.array([str(v) for v in people["age"].to_pylist()]))
    answer, notes = predictor.predict(as_text)
    assert answer.equals(predictor.predict(people)[0])
    assert notes == ["Column “age” came as text and was read as numbers."]
    words = people.set_column(0, "age", pa.array(["old", *[str(v) for v in people["age"].to_pylist()[1:]]]))
    assert "1 row has a value that is not a number" in predictor.predict(words)[1][0]


def test_rows_without_any_known_column_are_refused(predictor: Any) -> None:
    with pytest.raises(RowsMismatch, match="None of the columns"):
        predictor.predict(pa.table({"shoe": [1, 2]}))


def test_a_column_given_twice_is_refused(predictor: Any) -> None:
    with pytest.raises(RowsMismatch, match="twice"):
        predictor.predict(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["age", "age"]))


def test_no_rows_give_no_answers(predictor: Any, people: pa.Table) -> None:
    answer, _ = predictor.predict(people.slice(0, 0))
    assert (answer.num_rows, answer.column_names[0]) == (0, "prediction")


def test_rows_of_nulls_and_extremes_get_an_answer(predictor: Any) -> None:
    rows = pa.table(
        {"age": pa.array([None, 2**62], type=pa.int64()), "months": [float("inf"), float("nan")], "plan": pa.array([None, ""]), "noise": [1e308, -1e308]}
    )
    answer, _ = predictor.predict(rows)
    assert np.isfinite(np.asarray(answer["probability_yes"])).all()


def test_dates_as_text_are_read(quick: Any, houses: pa.Table) -> None:
    days = np.datetime64("2023-01-01T00:00", "us") + np.arange(500).astype("timedelta64[D]")
    table = houses.append_column("sold", pa.array(days))
    predictor = quick(table, "price", families=["lightgbm"]).predictor
    rows = table.slice(0, 3)
    texts = rows.set_column(4, "sold", pa.array([d.isoformat() for d in rows["sold"].to_pylist()]))
    assert predictor.predict(texts)[0].equals(predictor.predict(rows)[0])
    wrong = rows.set_column(4, "sold", pa.array(["soon", "later", "never"]))
    assert "3 rows have a value that is not a date" in predictor.predict(wrong)[1][0]
