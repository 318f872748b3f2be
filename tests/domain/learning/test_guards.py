"""Each guard finds what was planted for it, and passes where nothing was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.schema.models import Guard
from tests.domain.learning.conftest import Notebook

CODES = {"leakage", "constant", "identifier", "missing_target", "duplicates", "conflicting_labels", "few_rows", "time_order"}


def guards_of(quick: Any, table: pa.Table, target: str, **given: Any) -> dict[str, Guard]:
    watch = Notebook()
    quick(table, target, watch, **given)
    assert watch.told[0] == "guards", "the guards come before any score"
    assert watch.told.count("guards") == 1
    return {g.code: g for g in watch.guards_seen}


def planted(people: pa.Table, **columns: Any) -> pa.Table:
    for name, values in columns.items():
        people = people.append_column(name, pa.array(values))
    return people


def test_nothing_planted_nothing_found(quick: Any, people: pa.Table) -> None:
    found = guards_of(quick, people, "stays")
    assert set(found) >= CODES | {"rare_classes", "imbalance"}
    assert {c for c, g in found.items() if g.state != "passed"} == set()


def test_a_column_that_gives_the_target_away_alerts_and_is_named(quick: Any, people: pa.Table) -> None:
    closed = [1 if v == "no" else 0 for v in people["stays"].to_pylist()]
    found = guards_of(quick, planted(people, closed=closed), "stays")
    assert (found["leakage"].state, found["leakage"].severity, found["leakage"].columns) == ("alerted", "alert", ["closed"])
    assert "closed" in found["leakage"].sentence


def test_a_column_that_nearly_gives_the_target_away_warns(quick: Any, people: pa.Table) -> None:
    rng = np.random.default_rng(0)
    hint = [v if rng.random() > 0.05 else ("no" if v == "yes" else "yes") for v in people["stays"].to_pylist()]
    found = guards_of(quick, planted(people, hint=hint), "stays")
    assert (found["leakage"].state, found["leakage"].severity, found["leakage"].columns) == ("alerted", "warning", ["hint"])


def test_a_leak_is_found_for_numbers_too(quick: Any, houses: pa.Table) -> None:
    taxed = [0.19 * p + 3 for p in houses["price"].to_pylist()]
    found = guards_of(quick, planted(houses, tax=taxed), "price")
    assert found["leakage"].columns == ["tax"]
    assert found["leakage"].severity == "alert"


def test_an_excluded_leak_is_not_spoken_of(quick: Any, people: pa.Table) -> None:
    table = planted(people, closed=people["stays"].to_pylist())
    assert guards_of(quick, table, "stays", exclude=["closed"])["leakage"].state == "passed"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("row", list(range(600))),
        ("customer_id", np.random.default_rng(3).permutation(600).tolist()),
        ("code", [f"{i:x}-{i * 7919 % 9973}" for i in range(600)]),
    ],
)
def test_identifiers_are_left_out(quick: Any, people: pa.Table, name: str, values: list[Any]) -> None:
    watch = Notebook()
    trained = quick(planted(people, **{name: values}), "stays", watch)
    found = {g.code: g for g in watch.guards_seen}
    assert (found["identifier"].state, found["identifier"].columns) == ("done", [name])
    assert name not in [c.name for c in trained.predictor.features]


def test_an_amount_that_happens_to_be_unique_stays(quick: Any, people: pa.Table) -> None:
    salary = np.random.default_rng(4).permutation(10**6)[:600].tolist()
    assert guards_of(quick, planted(people, salary=salary), "stays")["identifier"].state == "passed"


def test_constants_are_left_out(quick: Any, people: pa.Table) -> None:
    found = guards_of(quick, planted(people, same=["x"] * 600, empty=[None] * 600), "stays")
    assert found["constant"].state == "done"
    assert set(found["constant"].columns) == {"same", "empty"}


def test_missing_targets_are_counted_with_their_rows(quick: Any, people: pa.Table) -> None:
    values = [None if i in (5, 17) else v for i, v in enumerate(people["stays"].to_pylist())]
    table = people.set_column(4, "stays", pa.array(values))
    found = guards_of(quick, table, "stays")
    assert (found["missing_target"].state, found["missing_target"].rows) == ("done", [5, 17])
    assert "2 rows" in found["missing_target"].sentence


def test_duplicates_are_found_and_never_cross_the_split(quick: Any, people: pa.Table) -> None:
    watch = Notebook()
    trained = quick(pa.concat_tables([people, people.slice(0, 300)]), "stays", watch)
    found = {g.code: g for g in watch.guards_seen}
    assert found["duplicates"].state == "done"
    assert "300" in found["duplicates"].sentence
    assert found["duplicates"].rows == list(range(600, 620))
    assert trained.facts["split"].rows_train + trained.facts["split"].rows_test == 900


def test_conflicting_labels_are_shown(quick: Any, people: pa.Table) -> None:
    flipped = people.slice(0, 20).set_column(4, "stays", pa.array(["no" if v == "yes" else "yes" for v in people["stays"].to_pylist()[:20]]))
    found = guards_of(quick, pa.concat_tables([people, flipped]), "stays")
    assert found["conflicting_labels"].state == "alerted"
    assert set(found["conflicting_labels"].rows) <= set(range(20)) | set(range(600, 620))


def test_rare_classes_are_named_and_can_still_be_predicted(quick: Any, people: pa.Table) -> None:
    plans = people["plan"].to_pylist()
    for i in (3, 77, 400):
        plans[i] = "gold"
    watch = Notebook()
    trained = quick(people.set_column(2, "plan", pa.array(plans)), "plan", watch)
    found = {g.code: g for g in watch.guards_seen}
    assert found["rare_classes"].state == "alerted"
    assert "gold" in found["rare_classes"].sentence
    assert found["rare_classes"].rows == [3, 77, 400]
    assert "gold" in trained.facts["classes"]


def test_imbalance_is_put_into_numbers(quick: Any, people: pa.Table) -> None:
    dead = ["yes" if i % 25 == 0 else "no" for i in range(600)]
    found = guards_of(quick, planted(people, dead=dead), "dead")
    assert (found["imbalance"].state, found["imbalance"].severity) == ("alerted", "warning")
    assert "4.0 %" in found["imbalance"].sentence
    assert "96 %" in found["imbalance"].sentence


def test_few_rows_warn(quick: Any, people: pa.Table) -> None:
    assert guards_of(quick, people.slice(0, 120), "stays")["few_rows"].state == "alerted"


def test_a_date_column_warns_unless_the_split_is_by_time(quick: Any, people: pa.Table) -> None:
    days = pa.array(np.datetime64("2024-01-01") + np.arange(600).astype("timedelta64[D]"))
    table = people.append_column("day", days)
    asked = guards_of(quick, table, "stays")["time_order"]
    assert (asked.state, asked.severity, asked.columns) == ("alerted", "warning", ["day"])
    assert guards_of(quick, table, "stays", validation="time")["time_order"].state == "done"
