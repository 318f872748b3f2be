"""Distances between what a model learned from and what it is asked."""

from __future__ import annotations

import math
import random
from datetime import date

import pyarrow as pa
import pytest

from dapp_ext.domain import drift


def _rows(seed: int, rows: int, shift: float = 0.0, third: float = 0.2) -> dict[str, list[object]]:
    dice = random.Random(seed)
    return {
        "age": [dice.gauss(40 + shift, 10) if dice.random() > 0.05 else None for _ in range(rows)],
        "city": [dice.choices(["Rome", "Paris", "Oslo"], [0.5, 0.5 - third, third])[0] for _ in range(rows)],
        "member": [dice.random() < 0.3 for _ in range(rows)],
    }


def _answers(rows: dict[str, list[object]]) -> list[float]:
    return [1 / (1 + math.exp(-(float(age or 0) - 40) / 10)) for age in rows["age"]]  # type: ignore[arg-type]


@pytest.fixture
def reference() -> drift.Reference:
    rows = _rows(0, 4000)
    found = drift.make_reference(pa.table(rows), list(rows), _answers(rows), {"age": 0.3, "city": 0.2, "member": 0.0})
    return drift.Reference.from_json(found.as_json())


def _levels(reference: drift.Reference, rows: dict[str, list[object]]) -> tuple[str, dict[str, str], str | None]:
    answer, columns = drift.drifts(reference, drift.count(reference, rows, _answers(rows)))
    return answer.level, {each.name: each.level for each in columns}, drift.verdict(answer, columns)[0]


@pytest.mark.parametrize("rows", [100, 150, 1000, 20_000])
def test_more_of_the_same_is_calm_however_few(reference: drift.Reference, rows: int) -> None:
    for seed in range(1, 6 if rows > 5000 else 12):
        answer, columns, code = _levels(reference, _rows(seed, rows))
        assert (answer, set(columns.values()), code) == ("calm", {"calm"}, None)


def test_a_shift_is_seen_and_told(reference: drift.Reference) -> None:
    answer, columns, code = _levels(reference, _rows(1, 1000, shift=12))
    assert (answer, columns["age"], columns["city"], code) == ("alert", "alert", "calm", "prediction_drift")
    answer, columns, code = _levels(reference, _rows(1, 1000, third=0.32))
    assert (answer, columns["city"], code) == ("calm", "watch", None)


def test_columns_that_nothing_hangs_on_raise_no_alarm(reference: drift.Reference) -> None:
    rows = _rows(1, 1000)
    rows["member"] = [True] * 1000
    assert _levels(reference, rows) == ("calm", {"age": "calm", "city": "calm", "member": "alert"}, None)
    rows["city"] = ["Bonn"] * 1000
    assert _levels(reference, rows)[2] is None
    found = drift.Reference.from_json(reference.as_json())
    found.columns["member"]["weight"] = 0.1
    assert _levels(found, rows)[2] == "input_drift"


def test_a_column_that_is_gone_counts_as_missing(reference: drift.Reference) -> None:
    rows = _rows(1, 500)
    answers = _answers(rows)
    del rows["city"]
    counts = drift.count(reference, rows, answers)
    assert counts["city"][-1] == 500
    assert drift.drifts(reference, counts)[1][0].name == "city"


def test_too_few_rows_say_nothing(reference: drift.Reference) -> None:
    answer, columns, code = _levels(reference, _rows(1, 40, shift=60))
    assert (answer, set(columns.values()), code) == ("unknown", {"unknown"}, None)


def test_counts_add_up(reference: drift.Reference) -> None:
    whole = _rows(3, 600)
    total: drift.Counts = {}
    for start in (0, 200, 400):
        part = {name: values[start : start + 200] for name, values in whole.items()}
        drift.add(total, drift.count(reference, part, _answers(part)))
    assert total == drift.count(reference, whole, _answers(whole))
    drift.add(total, {"age": [1, 2]})
    assert total == drift.count(reference, whole, _answers(whole))


def test_json_and_arrow_values_fall_into_the_same_bins() -> None:
    days = [date(2024, 1, 1 + number % 28) for number in range(280)]
    reference = drift.make_reference(pa.table({"day": days, "code": [str(number % 7) for number in range(280)]}), ["day", "code"], ["a"] * 280, {})
    assert drift.count_one(reference.columns["day"], days) == drift.count_one(reference.columns["day"], [each.isoformat() for each in days])
    assert drift.count_one(reference.columns["code"], ["3", 3, 3.0, None])[-1] == 1


def test_the_distance_is_that_of_the_definition() -> None:
    assert drift.jensen_shannon([0.5, 0.5], [0.5, 0.5]) == 0
    assert drift.jensen_shannon([1, 0], [0, 1]) == pytest.approx(1)
    assert drift.jensen_shannon([0.1, 0.9], [0.5, 0.5]) == pytest.approx(0.3831, abs=1e-3)
