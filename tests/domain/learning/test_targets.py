"""The task is guessed with a reason, labels come back as they were, and useless targets are refused in a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning.targets import read_target
from dapp_ext.errors import TargetUnusable
from dapp_ext.schema.datasets import Column


def read(values: list[Any], kind: str = "category", task: Any = None, type_: Any = None) -> Any:
    return read_target(Column(name="t", kind=kind), pa.chunked_array([pa.array(values, type=type_)]), task)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "kind", "task", "labels", "type_"),
    [
        (["no", "yes"] * 20, "category", "binary", ["no", "yes"], "string"),
        ([True, False, False] * 20, "boolean", "binary", [False, True], "bool"),
        ([1, 2, 2] * 20, "integer", "binary", [2, 1], "int64"),
        ([0, 1, 1] * 20, "integer", "binary", [0, 1], "int64"),
        ([0.5, 1.5, 1.5] * 20, "decimal", "binary", [1.5, 0.5], "double"),
        (["b", "a", "c"] * 20, "category", "multiclass", ["a", "b", "c"], "string"),
        (["10-20", "1-9", "100"] * 20, "category", "multiclass", ["1-9", "10-20", "100"], "string"),
    ],
)
def test_classes_keep_their_values(values: list[Any], kind: str, task: str, labels: list[Any], type_: str) -> None:
    target = read(values, kind)
    assert (target.task, target.labels, target.type) == (task, labels, type_)
    assert [target.labels[code] for code in target.y] == values


def test_the_rarer_of_two_is_positive_unless_a_word_says_otherwise() -> None:
    assert read(["stay"] * 40 + ["leave"] * 20).positive == "leave"
    assert read(["no"] * 20 + ["yes"] * 40).positive == "yes"
    assert read(["No Holiday"] * 20 + ["yes"] * 40).positive == "yes"


def test_a_number_with_few_values_is_an_amount_and_says_so() -> None:
    target = read([1, 2, 3, 4] * 20, "integer")
    assert target.task == "regression"
    assert "4 different values" in target.reason
    assert read([1, 2, 3, 4] * 20, "integer", "multiclass").labels == [1, 2, 3, 4]
    assert "You asked" in read([1, 2, 3, 4] * 20, "integer", "multiclass").reason


def test_rows_without_a_target_are_left_out_and_known() -> None:
    target = read(["a", None, "b"] * 20)
    assert len(target.rows) == 40
    assert target.missing.tolist() == list(range(1, 60, 3))
    infinite = read([1.0, float("inf"), 3.0, float("nan")] * 20, "decimal", "regression")
    assert np.isfinite(infinite.y).all()
    assert len(infinite.missing) == 40


@pytest.mark.parametrize(
    ("values", "kind", "task", "words"),
    [
        ([None] * 50, "category", None, "no value in any row"),
        (["a"] * 50, "category", None, "same value in every row"),
        (["a", "b"] * 10, "category", None, "Only 20 rows"),
        ([f"v{i}" for i in range(150)], "text", None, "too many to tell apart"),
        (["a", "b"] * 30, "category", "regression", "holds words"),
        (["a", "b", "c"] * 30, "category", "binary", "not two"),
        (["a"] * 90 + ["b"] * 4, "category", None, "no other value occurs 10 times"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(values: list[Any], kind: str, task: Any, words: str) -> None:
    with pytest.raises(TargetUnusable, match=words):
        read(values, kind, task, pa.string() if values[0] is None else None)


def test_dates_cannot_be_predicted() -> None:
    with pytest.raises(TargetUnusable, match="dates"):
        read([1, 2] * 30, "date", None, pa.date32())
