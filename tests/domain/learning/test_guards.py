"""Each guard finds what was planted for it, and passes where nothing was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning import Recipe
from dapp_ext.domain.learning.clock import Clock
from dapp_ext.domain.learning.fixes import apply_fix
from dapp_ext.domain.learning.rescoring import second_score
from dapp_ext.domain.learning.staging import prepare_stage
from dapp_ext.schema.models import Guard, SecondScore, TrainRequest
from tests.domain.learning.conftest import Notebook, columns_of

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
    assert "Only 4% of" in found["imbalance"].sentence
    assert "96% of" in found["imbalance"].sentence


def test_few_rows_warn(quick: Any, people: pa.Table) -> None:
    assert guards_of(quick, people.slice(0, 120), "stays")["few_rows"].state == "alerted"


def test_a_date_column_warns_unless_the_split_is_by_time(quick: Any, people: pa.Table) -> None:
    days = pa.array(np.datetime64("2024-01-01") + np.arange(600).astype("timedelta64[D]"))
    table = people.append_column("day", days)
    asked = guards_of(quick, table, "stays")["time_order"]
    assert (asked.state, asked.severity, asked.columns) == ("alerted", "warning", ["day"])
    assert guards_of(quick, table, "stays", validation="time")["time_order"].state == "done"


def fixed(table: pa.Table, target: str, found: Guard, which: int = 0, **given: Any) -> tuple[dict[str, Guard], SecondScore]:
    """Apply a fix the way a click does, look at the guards again, and score again; the request as it was is the undo."""
    asked = TrainRequest(dataset="d", target=target, **given)
    changed = apply_fix(asked, found.fixes[which])
    assert changed != asked
    undo = TrainRequest.model_validate(asked.model_dump())
    assert undo == asked
    names = Recipe.__dataclass_fields__
    recipes = [Recipe(**{k: v for k, v in each.model_dump().items() if k in names}) for each in (undo, changed)]
    again = {g.code: g for g in prepare_stage(table, columns_of(table), recipes[1], Clock(30.0, lambda: False)).guards}
    back = {g.code: g for g in prepare_stage(table, columns_of(table), recipes[0], Clock(30.0, lambda: False)).guards}
    assert back[found.code] == found, "the undo brings the finding back"
    return again, second_score(table, columns_of(table), recipes[0], found.fixes[which].change, "linear")


def look(table: pa.Table, target: str, **given: Any) -> dict[str, Guard]:
    recipe = Recipe(target=target, time_budget=60.0, **given)
    return {g.code: g for g in prepare_stage(table, columns_of(table), recipe, Clock(60.0, lambda: False)).guards}


def test_a_leak_is_held_back_until_it_is_allowed(people: pa.Table) -> None:
    table = planted(people, closed=[1 if v == "no" else 0 for v in people["stays"].to_pylist()])
    found = look(table, "stays")["leakage"]
    assert "held back" in found.sentence
    assert found.values["closed"] > 0.975
    again, second = fixed(table, "stays", found)
    assert again["leakage"].state == "passed"
    assert second.before > 0.99 > 0.95 > second.after > 0.6
    assert "honest" in second.sentence
    kept = found.fixes[1].change
    allowed = prepare_stage(table, columns_of(table), Recipe(target="stays", **kept), Clock(60.0, lambda: False))
    assert "closed" in [c.name for c in allowed.features]
    assert {g.code: g.state for g in allowed.guards}["leakage"] == "alerted"


@pytest.mark.parametrize("kind", ["number", "category", "text", "missing"])
def test_leaks_of_every_kind_are_found(people: pa.Table, kind: str) -> None:
    rng = np.random.default_rng(7)
    stays = [v == "yes" for v in people["stays"].to_pylist()]
    words = ["order came late", "asked for a new price", "all is well here", "visited the shop", "called twice this week"]
    made: dict[str, list[Any]] = {
        "number": [float(s) + 0.1 * rng.random() for s in stays],
        "category": [str(rng.choice(["A", "B"] if s else ["C", "D"])) for s in stays],
        "text": [f"{rng.choice(words)} {'renewed the contract' if s else 'gave notice'} number {i}" for i, s in enumerate(stays)],
        "missing": [None if s else float(rng.normal()) for s in stays],
    }
    found = look(planted(people, told=made[kind]), "stays")["leakage"]
    assert (found.severity, found.columns) == ("alert", ["told"])
    assert ("what is missing that tells" in found.sentence) == (kind == "missing")


def test_a_class_that_one_column_tells_apart_is_no_leak_of_the_others(people: pa.Table) -> None:
    rng = np.random.default_rng(3)
    kinds = rng.choice(["a", "b", "c"], 600)
    width = np.where(kinds == "a", 0.0, 5.0) + rng.random(600)
    table = people.append_column("kind", pa.array(kinds.tolist())).append_column("width", pa.array(width))
    assert look(table, "kind")["leakage"].state == "passed"


def test_repeated_rows_can_be_left_out(people: pa.Table) -> None:
    table = pa.concat_tables([people, people.slice(0, 300)])
    found = look(table, "stays")["duplicates"]
    assert (found.rows_count, found.rows[0]) == (300, 600)
    again, second = fixed(table, "stays", found)
    assert (again["duplicates"].state, again["duplicates"].rows_count) == ("done", 300)
    assert "left out" in again["duplicates"].sentence
    assert 0.5 < second.after <= 1.0


def test_contradicting_rows_can_be_left_out(people: pa.Table) -> None:
    flipped = people.slice(0, 60).set_column(4, "stays", pa.array(["no" if v == "yes" else "yes" for v in people["stays"].to_pylist()[:60]]))
    table = pa.concat_tables([people, flipped])
    found = look(table, "stays")["conflicting_labels"]
    again, second = fixed(table, "stays", found)
    assert (again["conflicting_labels"].state, again["conflicting_labels"].rows_count) == ("done", 120)
    assert second.after > second.before


@pytest.mark.parametrize(("which", "classes"), [(0, 3), (1, 2)])
def test_rare_values_can_be_merged_or_left_out(people: pa.Table, which: int, classes: int) -> None:
    plans = ["gold" if i in (3, 77, 400) else "tin" if i in (5, 9) else "plus" if v == "plus" else "basic" for i, v in enumerate(people["plan"].to_pylist())]
    table = people.set_column(2, "plan", pa.array(plans))
    found = look(table, "plan")["rare_classes"]
    assert found.rows == [3, 5, 9, 77, 400]
    again, second = fixed(table, "plan", found, which)
    assert (again["rare_classes"].state, again["rare_classes"].rows) == ("done", [3, 5, 9, 77, 400])
    assert 0 < second.after <= 1
    recipe = Recipe(target="plan", clean=found.fixes[which].change["clean"])
    stage = prepare_stage(table, columns_of(table), recipe, Clock(60.0, lambda: False))
    assert stage.problem.classes == classes
    assert ("other" in stage.target.labels) == (which == 0)


def test_rows_of_one_person_can_be_kept_together(people: pa.Table) -> None:
    rng = np.random.default_rng(11)
    person = np.repeat(np.arange(120), 5)
    taste = rng.normal(size=120)[person]
    table = pa.table({"patient_id": person, "taste": taste, "noise": rng.normal(size=600), "ill": (rng.random(120)[person] > 0.5)})
    found = look(table, "ill")["groups"]
    assert (found.state, found.columns, found.rows_count) == ("alerted", ["patient_id"], 600)
    again, second = fixed(table, "ill", found)
    assert again["groups"].state == "done"
    assert second.greater_is_better
    stage = prepare_stage(table, columns_of(table), Recipe(target="ill", **found.fixes[0].change), Clock(60.0, lambda: False))
    assert "patient_id" not in [c.name for c in stage.features]
    learned, tested = set(stage.X.numbers[:, 0].tolist()), set(stage.X_test.numbers[:, 0].tolist())
    assert not learned & tested, "no person is on both sides"


def test_rows_with_dates_can_be_tested_on_the_latest(people: pa.Table) -> None:
    days = pa.array(np.datetime64("2024-01-01") + np.arange(600).astype("timedelta64[D]"))
    table = people.append_column("day", days)
    found = look(table, "stays")["time_order"]
    assert found.fixes[0].code == "forward_split"
    again, second = fixed(table, "stays", found)
    assert again["time_order"].state == "done"
    assert 0 < second.after <= 1


def test_values_that_stand_for_missing_are_found_and_can_be_read_so(people: pa.Table) -> None:
    rng = np.random.default_rng(5)
    hidden = rng.random(600) < 0.1
    ages = [999 if h else v for h, v in zip(hidden, people["age"].to_pylist(), strict=True)]
    shops = ["?" if h else str(rng.choice(["x", "y"])) for h in hidden]
    table = planted(people.set_column(0, "age", pa.array(ages)), shop=shops)
    found = look(table, "stays")["disguised_missing"]
    assert (found.state, found.columns, found.rows) == ("alerted", ["age", "shop"], np.flatnonzero(hidden)[:20].tolist())
    assert found.fixes[0].change == {"missing": {"age": [999.0], "shop": ["?"]}}
    again, second = fixed(table, "stays", found)
    assert again["disguised_missing"].state == "done"
    assert second.after > second.before


def test_a_part_that_looks_different_is_said(people: pa.Table) -> None:
    days = pa.array(np.datetime64("2024-01-01") + np.arange(600).astype("timedelta64[D]"))
    price = np.where(np.arange(600) < 440, 10.0, 14.0) + np.random.default_rng(0).random(600)
    table = people.append_column("day", days).append_column("price", pa.array(price))
    assert look(table, "stays")["shift"].state == "passed"
    found = look(table, "stays", validation="time")["shift"]
    assert (found.state, found.columns) == ("alerted", ["price"])
    again, second = fixed(table, "stays", found, validation="time")
    assert again["shift"].state == "passed"
    assert second.after > 0


def test_few_rows_and_imbalance_offer_a_way(people: pa.Table) -> None:
    few = people.slice(0, 120)
    asked = Recipe(target="stays", time_budget=20.0)
    again, _ = fixed(few, "stays", look(few, "stays")["few_rows"])
    assert again["few_rows"].fixes == []
    simple = second_score(few, columns_of(few), asked, {"families": ["linear"]}, "neighbours")
    linear = second_score(few, columns_of(few), asked, {"exclude": []}, "linear")
    assert simple.after == pytest.approx(linear.before), "the simplest learner, whatever did best"
    assert simple.before != simple.after
    table = planted(people, dead=["yes" if i % 25 == 0 else "no" for i in range(600)])
    found = look(table, "dead")["imbalance"]
    assert found.rows[:3] == [0, 25, 50]
    assert found.fixes[0].change == {"metric": "average_precision"}
    _, second = fixed(table, "dead", found)
    assert (second.metric, second.greater_is_better) == ("average_precision", True)
    assert "Average precision" in second.sentence


def test_an_identifier_can_be_used_anyway(people: pa.Table) -> None:
    table = planted(people, customer_id=np.random.default_rng(3).permutation(600).tolist())
    found = look(table, "stays")["identifier"]
    again, second = fixed(table, "stays", found)
    assert again["identifier"].state == "passed"
    assert second.before == pytest.approx(second.after, abs=0.1)


def test_a_training_scores_again_what_stands(quick: Any, people: pa.Table) -> None:
    table = planted(people, closed=[1 if v == "no" else 0 for v in people["stays"].to_pylist()])
    facts = quick(pa.concat_tables([table, table.slice(0, 60)]), "stays", time_budget=250.0).facts
    found = {g.code: g for g in facts["guards"]}
    leak = found["leakage"].second
    assert leak is not None
    assert leak.before > 0.99 > 0.95 > leak.after > 0.6
    assert facts["worst"].second == leak
    assert (leak.guard, leak.columns, leak.fix) == ("leakage", ["closed"], "Train without “closed”")
    assert found["duplicates"].second is not None
    assert found["constant"].second is None, "nothing was found, so nothing is scored again"


def test_a_wish_to_stop_ends_scoring_again(quick: Any, people: pa.Table) -> None:
    table = planted(people, closed=[1 if v == "no" else 0 for v in people["stays"].to_pylist()])
    facts = quick(table, "stays", Notebook(stop_after=1), time_budget=30.0, trials=5).facts
    assert {g.second for g in facts["guards"]} == {None}
