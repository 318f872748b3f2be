"""Every code of the health report: a file that shows it, with the rows; and a file that is well."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from dapp_ext.domain.findings import EACH, SHOWN_ROWS
from dapp_ext.domain.fixes.offers import with_offers
from dapp_ext.domain.profiling.findings import CODES
from dapp_ext.domain.reading.plans import READ_CODES
from dapp_ext.schema.datasets import Finding
from tests.domain.tables import profiled

ROWS = 120
COLOURS = ("red", "green", "blue", "grey")


def clean() -> dict[str, list[Any]]:
    """Columns with nothing to find but what may be predicted."""
    random = np.random.default_rng(5)
    start = date(2021, 1, 1)
    return {
        "day": [(start + timedelta(days=number)).isoformat() for number in range(ROWS)],
        "height": [round(float(value), 1) for value in random.normal(170, 8, ROWS)],
        "rooms": [int(value) for value in random.integers(1, 9, ROWS)],
        "colour": [COLOURS[value] for value in random.integers(0, 4, ROWS)],
        "stay": ["yes" if value else "no" for value in random.integers(0, 2, ROWS)],
    }


def as_csv(columns: dict[str, list[Any]]) -> str:
    out = io.StringIO()
    out.write(";".join(columns) + "\n")
    for row in zip(*columns.values(), strict=True):
        out.write(";".join("" if cell is None else str(cell) for cell in row) + "\n")
    return out.getvalue()


@dataclass(frozen=True)
class Case:
    """What is planted into the clean table, and what the finding has to say of it."""

    plant: Callable[[dict[str, list[Any]]], object]
    columns: Sequence[str]
    rows: Sequence[int] | None
    count: int | None = None
    words: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def put(column: str, value: Any, *rows: int) -> Callable[[dict[str, list[Any]]], None]:
    def plant(table: dict[str, list[Any]]) -> None:
        for row in rows:
            table[column][row] = value

    return plant


def add(name: str, values: Sequence[Any]) -> Callable[[dict[str, list[Any]]], None]:
    return lambda table: table.update({name: list(values)})


def repeat(table: dict[str, list[Any]]) -> None:
    for column in table.values():
        column += [column[7], column[9]]


def totals(table: dict[str, list[Any]]) -> None:
    for name, column in table.items():
        column.append({"height": round(sum(table["height"]), 1), "rooms": sum(table["rooms"]), "colour": "Total"}.get(name))


def header_again(table: dict[str, list[Any]]) -> None:
    for name, column in table.items():
        column.insert(50, name)


def names_only(table: dict[str, list[Any]]) -> None:
    table.clear()
    table.update(name=["Ann", "name", "Bob", "Cy"], place=["Oslo", "place", "Lima", "Pune"])


def without(*rows: int) -> Callable[[dict[str, list[Any]]], None]:
    def plant(table: dict[str, list[Any]]) -> None:
        for column in table.values():
            for row in sorted(rows, reverse=True):
                del column[row]

    return plant


FIRST = list(range(SHOWN_ROWS))
GUESS = [f"{1 + number % 12:02d}/{1 + number % 11:02d}/2021" for number in range(ROWS)]
CASES: dict[str, Case] = {
    "likely_target": Case(add("churned", ["yes", "no", "no"] * 40), ["churned"], FIRST, words="predict"),
    "duplicate_rows": Case(repeat, [], [120, 121], 2, "repeat"),
    "missing_values": Case(put("height", None, 3, 50), ["height"], [3, 50], 2, "missing"),
    "empty_column": Case(add("fax", [None] * ROWS), ["fax"], FIRST, words="no values"),
    "constant_column": Case(add("land", ["NO"] * ROWS), ["land"], FIRST, words="constant"),
    "identifier_like": Case(add("code", [f"C{number:04d}" for number in range(ROWS)]), ["code"], FIRST, words="identifier"),
    "disguised_missing": Case(put("rooms", -999, 4, 8, 60), ["rooms"], [4, 8, 60], 3, "-999"),
    "mixed_types": Case(put("height", "tall", 11, 70), ["height"], [11, 70], 2, "not"),
    "numbers_as_text": Case(add("price", [f"{number}.50 kg" for number in range(ROWS)]), ["price"], FIRST, words="units"),
    "compact_dates": Case(add("booked", [20240100 + 1 + number % 28 for number in range(ROWS)]), ["booked"], FIRST, ROWS, words="dates"),
    "outliers": Case(put("height", 9000.5, 33), ["height"], [33], 1, "far from the rest"),
    "infinite_values": Case(put("height", "inf", 5), ["height"], [5], 1, "infinite"),
    "skewed": Case(put("height", 90000.5, 17), ["height"], [17], words="uneven"),
    "mostly_one_value": Case(add("fee", [0] * 119 + [7]), ["fee"], FIRST, 119, '"0"'),
    "date_gaps": Case(without(40, 41, 80), ["day"], [40, 78], 3, "one day after the other"),
    "high_cardinality": Case(add("remark", [f"remark number {number % 90}" for number in range(ROWS)]), ["remark"], FIRST, 90, "different"),
    "long_text": Case(put("colour", "x" * 30_000, 21), ["colour"], [21], words="long"),
    "totals_row": Case(totals, [], [ROWS], 1, "sums"),
    "left_out": Case(header_again, [], [], 1, "repeat the header"),
    "repeated_headers": Case(names_only, [], [1], 1, "header"),
    "mixed_zones": Case(
        add("at", [f"2021-03-01T{number % 24:02d}:00:00{'+02:00' if number in (4, 9) else 'Z'}" for number in range(ROWS)]), ["at"], [4, 9], 2, "offsets"
    ),
    "mixed_dates": Case(add("when", ["later" if number in (8, 30) else f"2021-03-{1 + number % 28:02d}" for number in range(ROWS)]), ["when"], [8, 30], 2, "not"),
    "spelling_variants": Case(put("colour", "RED", 5, 40), ["colour"], [5, 40], 2, '"red" / "RED"'),
    "ragged_rows": Case(put("stay", "no;more", 12), [], [12], 1, "cells"),
    "ambiguous_dates": Case(add("when", GUESS), ["when"], [row for row in range(ROWS) if row % 12 != row % 11][:SHOWN_ROWS], words="no value proves"),
    "not_converted": Case(put("height", "tall", 11), ["height"], [11], 1, "decimal", {"types": {"height": "decimal"}}),
    "missing_marks": Case(put("rooms", "?", 2, 90), ["rooms"], [2, 90], 2, '"?"'),
}  # fmt: skip


def findings(columns: dict[str, list[Any]], **options: Any) -> list[Finding]:
    return profiled(as_csv(columns), **options).findings


def test_every_code_has_a_case() -> None:
    # Texts beside real dates are in workbooks only: see the habits.
    assert set(CASES) | {"texts_as_dates"} == set(CODES) | set(READ_CODES)


def test_a_table_that_is_well_has_nothing_to_tell() -> None:
    assert [finding.code for finding in findings(clean()) if finding.code != "likely_target"] == []


def test_nothing_to_predict_among_dates_and_texts() -> None:
    table = {name: values for name, values in clean().items() if name == "day"}
    assert findings(table) == []


@pytest.mark.parametrize("code", CASES)
def test_what_is_planted_is_found_with_its_rows(code: str) -> None:
    case, table = CASES[code], clean()
    case.plant(table)
    found = [finding for finding in findings(table, **case.options) if finding.code == code]
    assert [finding.columns for finding in found] == [list(case.columns)]
    (finding,) = found
    assert finding.rows == case.rows
    assert case.words in finding.sentence
    assert finding.sentence.endswith(".")
    if case.count is not None:
        assert finding.count == case.count


def test_the_rows_are_bounded_and_many_columns_share_a_finding() -> None:
    table = {f"v{place}": [None if row % 2 else row * place for row in range(ROWS)] for place in range(1, EACH + 6)}
    found = [finding for finding in findings(table) if finding.code == "missing_values"]
    assert len(found) == EACH + 1
    assert all(len(finding.rows) == SHOWN_ROWS for finding in found)
    assert len(found[-1].columns) == 5
    assert "In 5 more columns" in found[-1].sentence


def test_a_chosen_order_of_day_and_month_is_no_longer_ambiguous() -> None:
    table = clean() | {"when": GUESS}
    chosen = profiled(as_csv(table), date_order="month_first")
    assert "ambiguous_dates" not in {finding.code for finding in chosen.findings}


@pytest.mark.parametrize(
    ("dates", "step", "missing"),
    [
        ([f"20{year:02d}-{month:02d}-01" for year in range(10, 14) for month in range(1, 13) if (year, month) != (12, 5)], "month", 1),
        ([day for day in np.arange("2021-01-04", "2021-03-30", dtype="M8[D]") if np.is_busday(day) and str(day) != "2021-02-10"], "working day", 1),
        ([f"2021-01-01 {hour:02d}:00:00" for hour in range(24) if hour not in (5, 6)], "hour", 2),
        ([f"2021-01-01 00:{minute:02d}:00" for minute in range(0, 60, 5) if minute != 30], "5 minutes", 1),
    ],
    ids=["months", "working days", "hours", "five minutes"],
)
def test_gaps_in_other_steps(dates: list[Any], step: str, missing: int) -> None:
    table = {"at": [str(each).replace("T", " ") for each in dates], "x": [number % 7 for number in range(len(dates))]}
    (gap,) = [finding for finding in findings(table) if finding.code == "date_gaps"]
    assert gap.count == missing
    assert f"one {step} after" in gap.sentence


def test_many_zeros_and_a_few_amounts_are_no_uneven_spread() -> None:
    rain = [0.0] * 80 + [round(float(value), 1) for value in np.random.default_rng(3).exponential(20, 40) ** 2]
    (finding,) = findings(clean() | {"rain": rain})[1:]
    assert (finding.code, finding.count, finding.fix) == ("mostly_one_value", 81, None)
    assert finding.sentence.startswith("68% of the values")


def test_the_long_tail_of_a_column_is_not_made_of_outliers() -> None:
    tail = np.random.default_rng(4).exponential(1.0, 2000) ** 1.5
    table = {"wait": [round(float(value), 3) for value in tail], "beside": [f"row {number}" for number in range(2000)]}
    assert {finding.code for finding in findings(table) if finding.columns == ["wait"]} <= {"skewed", "likely_target"}


def test_fences_are_told_where_values_lie_beyond_them() -> None:
    table = clean()
    table["height"][4] = 9000.5
    (finding,) = [finding for finding in findings(table) if finding.code == "outliers"]
    assert "above" in finding.sentence
    assert "below" not in finding.sentence


def test_nights_are_no_gaps_in_hours() -> None:
    hours = [f"2021-03-{day:02d} {hour:02d}:00:00" for day in range(1, 15) for hour in range(6, 23)]
    assert not [finding for finding in findings({"at": hours, "x": [number % 7 for number in range(len(hours))]}) if finding.code == "date_gaps"]


@pytest.mark.parametrize("word", ["none", "x", "-"])
def test_a_word_beside_one_or_two_others_is_a_level_of_its_own(word: str) -> None:
    table = clean() | {"belt": ["belted" if number % 4 else word for number in range(ROWS)]}
    assert "disguised_missing" not in {finding.code for finding in findings(table)}
    assert "disguised_missing" in {finding.code for finding in findings(table | {"belt": [f"b{number % 9}" if number % 9 else word for number in range(ROWS)]})}


def test_letters_alone_are_no_numbers_with_units() -> None:
    assert "numbers_as_text" not in {finding.code for finding in findings(clean() | {"segment": ["AB"[number % 2] for number in range(ROWS)]})}


def test_a_column_of_equal_values_has_no_repeated_rows_and_nothing_to_predict() -> None:
    assert findings({"height": [170 + number % 9 for number in range(ROWS)]}) == []


def test_a_single_value_beside_gaps_may_tell_something_by_being_there() -> None:
    (finding,) = [each for each in findings(clean() | {"closed": ["yes!" if number % 3 else None for number in range(ROWS)]}) if each.code == "constant_column"]
    assert finding.severity == "info"
    assert "whether it is there" in finding.sentence


def test_nearly_all_is_not_rounded_to_all() -> None:
    rows = 1000
    table = {"pool": [None] * (rows - 2) + ["good", "bad"], "beside": [number % 7 for number in range(rows)]}
    (finding,) = [each for each in findings(table) if each.code == "missing_values"]
    assert "(99.8%)" in finding.sentence


def test_numbers_below_zero_do_not_number_the_rows() -> None:
    codes = {finding.code for finding in findings(clean() | {"delta": list(range(-60, 60))})}
    assert "identifier_like" not in codes
    assert "identifier_like" in {finding.code for finding in findings(clean() | {"delta": list(range(ROWS))})}


def offered(columns: dict[str, list[Any]], code: str) -> tuple[str, dict[str, Any]] | None:
    """The fix of the one finding of this code."""
    (finding,) = [each for each in with_offers(profiled(as_csv(columns))).findings if each.code == code]
    return None if finding.fix is None else (finding.fix.code, finding.fix.options)


def test_gaps_are_filled_with_what_can_stand_in_them() -> None:
    half = [number if number % 5 == 0 else None for number in range(ROWS)]
    assert offered(clean() | {"late": half}, "missing_values") == ("drop_columns", {})
    rare = [COLOURS[number % 3] if number % 5 == 0 else None for number in range(ROWS)]
    assert offered(clean() | {"pool": rare}, "missing_values") == ("fill_missing", {"method": "value", "value": "missing"})
    titles = [f"job {number} of many" if number % 9 else None for number in range(ROWS)]
    assert offered(clean() | {"job": titles}, "missing_values") == ("fill_missing", {"method": "value", "value": "missing"})
    few = {"tone": [COLOURS[number % 3] if number % 9 else None for number in range(ROWS)]}
    assert offered(few | clean(), "missing_values") == ("fill_missing", {"method": "most_frequent"})


def test_dates_that_have_several_rows_get_no_rows_for_those_left_out() -> None:
    table = clean()
    without(40, 41, 80)(table)
    assert offered(table, "date_gaps") == ("fill_gaps", {})
    for column in table.values():
        column += [column[5]]
    assert offered(table, "date_gaps") is None


def test_names_of_orders_say_so() -> None:
    orders = [f"2015-{number // 2:06d}" for number in range(ROWS)]
    (finding,) = [each for each in findings(clean() | {"order_id": orders}) if each.code == "high_cardinality"]
    assert "orders or people" in finding.sentence
    assert offered(clean() | {"order_id": orders}, "high_cardinality") == ("drop_columns", {})


def test_the_finer_step_of_a_ladder_takes_the_hint_from_the_coarser() -> None:
    table = clean() | {"interest_rate": clean()["height"], "grade": ["ABC"[number % 3] for number in range(ROWS)]}
    assert profiled(as_csv(table)).likely_target == "grade"
    assert profiled(as_csv(table | {"sub_grade": [f"{'ABC'[number % 3]}{number % 2}" for number in range(ROWS)]})).likely_target == "interest_rate"


@pytest.mark.parametrize("step", [0, 1, 3])
def test_dates_without_a_rhythm_have_no_gaps(step: int) -> None:
    random = np.random.default_rng(step)
    days = np.datetime64("2021-01-01") + (np.arange(40) * step if step else random.integers(0, 4000, 40))
    table = {"at": [str(day) for day in days], "x": [number % 7 for number in range(40)]}
    assert not [finding for finding in findings(table) if finding.code == "date_gaps"]
