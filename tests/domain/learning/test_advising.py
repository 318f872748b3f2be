"""What a training would do is said before it starts, and what cannot be done is one clear sentence, never a trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning import Recipe
from dapp_ext.domain.learning.advising import advise
from dapp_ext.errors import ColumnUnknown, DappError, Invalid, TargetUnusable
from tests.domain.learning.conftest import columns_of, results_of


def asked(table: pa.Table, target: str, **given: Any) -> Any:
    return advise(table, columns_of(table), Recipe(target=target, **given))


def test_a_number_with_few_values_is_asked_about_and_never_silently_classes(quick: Any, people: pa.Table) -> None:
    stars = people.append_column("stars", pa.array(np.random.default_rng(0).integers(1, 6, 600)))
    told = asked(stars, "stars")
    assert (told.task.task, told.task.certain, told.task.others) == ("regression", False, ["multiclass"])
    assert "only 5 different values" in told.task.reason
    assert "guessed" in told.sentence
    results = results_of(quick(stars, "stars"))
    assert results.task == "regression"
    assert results.question is not None
    answered = asked(stars, "stars", task="multiclass")
    assert (answered.task.task, answered.task.certain) == ("multiclass", True)
    assert asked(people, "stays").task.certain


def test_two_unusual_numbers_are_asked_about(people: pa.Table) -> None:
    codes = people.append_column("code", pa.array(np.random.default_rng(0).choice([17, 42], 600)))
    assert asked(codes, "code").task.model_dump(include={"task", "certain"}) == {"task": "binary", "certain": False}


def test_validation_is_suggested_with_its_reason(people: pa.Table) -> None:
    assert asked(people, "stays").validation.validation == "stratified"
    assert asked(people, "age").validation.validation == "random"
    days = people.append_column("day", pa.array(np.datetime64("2024-01-01") + np.arange(600).astype("timedelta64[D]")))
    told = asked(days, "stays").validation
    assert (told.validation, told.column) == ("time", "day")
    assert "latest" in told.reason
    persons = people.append_column("person_id", pa.array(np.repeat(np.arange(100), 6)))
    assert (asked(persons, "stays").validation.validation, asked(persons, "stays").validation.column) == ("group", "person_id")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"target": "nothing"}, ColumnUnknown),
        ({"target": "stays", "group": "nothing"}, ColumnUnknown),
        ({"target": "stays", "validation": "group"}, Invalid),
        ({"target": "stays", "validation": "time"}, Invalid),
        ({"target": "stays", "validation": "group", "group": "stays"}, Invalid),
        ({"target": "stays", "validation": "group", "group": "plan"}, Invalid),
        ({"target": "stays", "time_column": "plan"}, Invalid),
        ({"target": "stays", "metric": "magic"}, Invalid),
        ({"target": "stays", "params": {"forest": {"depth": 3}}}, Invalid),
        ({"target": "stays", "params": {"magic": {}}}, Invalid),
        ({"target": "stays", "families": ["magic"]}, Invalid),
        ({"target": "stays", "task": "regression"}, TargetUnusable),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_learned(people: pa.Table, given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        asked(people, **given)
    assert str(caught.value).endswith(".")


def bad(kind: str) -> pa.Table:
    rng = np.random.default_rng(1)
    n = 20 if kind == "20 rows" else 500
    x = rng.normal(size=n)
    targets: dict[str, Any] = {
        "one value": ["a"] * n,
        "no value": pa.nulls(n, pa.string()),
        "400 classes": [f"c{i % 400}" for i in range(n)],
        "dates": pa.array(np.datetime64("2024-01-01") + np.arange(n).astype("timedelta64[D]")),
        "all infinite": np.full(n, np.inf),
        "20 rows": [["a", "b"][i % 2] for i in range(n)],
        "one of each": [f"only {i}" for i in range(n)],
    }
    return pa.table({"x": x, "z": rng.normal(size=n), "y": targets[kind]})


@pytest.mark.parametrize("kind", ["one value", "no value", "400 classes", "dates", "all infinite", "20 rows", "one of each"])
def test_bad_targets_are_one_sentence(quick: Any, kind: str) -> None:
    table = bad(kind)
    for attempt in (lambda: asked(table, "y"), lambda: quick(table, "y")):
        with pytest.raises(DappError) as caught:
            attempt()
        assert str(caught.value).endswith(".")
        assert "Traceback" not in str(caught.value)


def test_awkward_columns_are_learned_from_or_left_out(quick: Any) -> None:
    rng = np.random.default_rng(2)
    n = 60
    y = rng.choice(["a", "b"], n)
    table = pa.table(
        {
            "huge": ["word " * 20_000 + str(i) for i in range(n)],
            "mixed": [str(i) if i % 3 else "x,y" for i in range(n)],
            "infinite": np.where(rng.random(n) < 0.5, np.inf, -np.inf),
            "empty": pa.nulls(n),
            "large": rng.normal(size=n) * 1e300,
            "x": rng.normal(size=n) + (y == "a"),
            "y": y.tolist(),
        }
    )
    results = results_of(quick(table, "y"))
    assert {c.name for c in results.features} >= {"x"}
    assert "empty" not in {c.name for c in results.features}
    assert "only 60 rows" in {g.code: g.sentence for g in results.guards}["few_rows"]
