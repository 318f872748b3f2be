"""Every finding has its fix: the rows that trigger it, what the fix makes of them, and whether the finding is gone."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapp_ext import domain
from dapp_ext.domain.fixes.amounts import read_amount
from dapp_ext.domain.fixes.offers import resolve, with_offers
from dapp_ext.domain.fixes.planning import plan
from dapp_ext.domain.profiling import Profiler
from dapp_ext.domain.profiling.findings import CODES
from dapp_ext.domain.reading.plans import READ_CODES
from dapp_ext.errors import ColumnUnknown, Invalid
from dapp_ext.schema.datasets import Column, Profile
from dapp_ext.schema.fixes import FixOptions, FixRequest
from tests.handlers.troubled import SHOWN, TROUBLED, WITHOUT_FIX

ROWS = 200


class InParts:
    """A table that is read a few rows at a time."""

    def __init__(self, table: pa.Table, step: int = 37) -> None:
        self._table, self._step = table, step
        self.schema, self.rows = table.schema, table.num_rows

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        return self._table.select(list(columns)) if columns is not None else self._table

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        chosen = self.read(columns)
        for start in range(0, self.rows, self._step):
            yield chosen.slice(start, self._step)


def kind_of(field: pa.Field) -> str:
    if pa.types.is_dictionary(field.type):
        return "category"
    if pa.types.is_timestamp(field.type):
        return "datetime"
    if pa.types.is_date(field.type):
        return "date"
    if pa.types.is_boolean(field.type):
        return "boolean"
    return "integer" if pa.types.is_integer(field.type) else "decimal" if pa.types.is_floating(field.type) else "text"


def profiled(table: pa.Table, kinds: dict[str, str] | None = None) -> tuple[list[Column], Profile]:
    columns = [Column.model_validate({"name": field.name, "kind": (kinds or {}).get(field.name, kind_of(field))}) for field in table.schema]
    profiler = Profiler(table.schema)
    for batch in table.combine_chunks().to_batches():
        profiler.update(batch)
    return columns, with_offers(profiler.finish(columns))


def mended(table: pa.Table, code: str, *names: str, **options: Any) -> tuple[pa.Table, str]:
    columns, profile = profiled(table)
    asked = resolve(FixRequest(code=code, columns=list(names), options=FixOptions(**options)), columns, profile)
    fix = plan(InParts(table), columns, profile, asked)
    parts = [fix.apply(part) for part in InParts(table).batches()] + list(fix.rest())
    made = pa.concat_tables([part.cast(fix.schema) for part in parts])
    assert [column.name for column in fix.columns] == made.column_names
    return made, fix.sentence()


def _dice() -> np.random.Generator:
    return np.random.default_rng(7)


def _usual() -> list[float]:
    return [float(value) for value in _dice().normal(50, 5, ROWS).round(2)]


def _with(values: list[Any], **places: Any) -> list[Any]:
    for place, value in places.items():
        values[int(place[1:])] = value
    return values


# For each code: a table that shows it, and what must be true of the mended one.
CASES: dict[str, tuple[dict[str, Any], Callable[[pa.Table], bool]]] = {
    "duplicate_rows": ({"a": [1, 2, 2, 3, 1], "b": ["x", "y", "y", "z", "w"]}, lambda made: made["a"].to_pylist() == [1, 2, 3, 1]),
    "missing_values": ({"a": [1.0, None, 3.0, 5.0], "b": [1, 2, 3, 4]}, lambda made: made["a"].to_pylist() == [1.0, 3.0, 3.0, 5.0]),
    "empty_column": ({"a": pa.nulls(4, pa.string()), "b": [1, 2, 3, 4]}, lambda made: made.column_names == ["b"]),
    "constant_column": ({"a": ["x"] * 4, "b": [1, 2, 3, 4]}, lambda made: made.column_names == ["b"]),
    "identifier_like": ({"key": [f"k{number}" for number in range(ROWS)], "b": [1, 2] * (ROWS // 2)}, lambda made: made.column_names == ["b"]),
    "disguised_missing": (
        {"a": [999 if number % 20 == 0 else number % 7 for number in range(ROWS)]},
        lambda made: made["a"].null_count == ROWS // 20 and 999 not in made["a"].to_pylist(),
    ),
    "mixed_types": (
        {"a": ["many" if number % 20 == 0 else str(number / 2) for number in range(ROWS)]},
        lambda made: made["a"].null_count == ROWS // 20 and made["a"][3].as_py() == 1.5,
    ),
    "numbers_as_text": ({"a": [f"${number:,}.50" for number in range(1, 2 * ROWS, 2)]}, lambda made: made["a"].to_pylist()[:2] == [1.5, 3.5]),
    "compact_dates": (
        {"a": [20240131, 20231201, None, 19991231]},
        lambda made: made["a"].to_pylist() == [date(2024, 1, 31), date(2023, 12, 1), None, date(1999, 12, 31)],
    ),
    "outliers": ({"a": _with(_usual(), _3=100_000.0)}, lambda made: 60 < made["a"][3].as_py() < 200 and made["a"][4].as_py() == _usual()[4]),
    "infinite_values": ({"a": _with(_usual(), _3=float("inf"), _9=float("-inf"))}, lambda made: made["a"].null_count == 2),
    "skewed": (
        {"a": [float(value) for value in np.exp(_dice().normal(0, 2.5, 2000))]},
        lambda made: made["a"][0].as_py() == pytest.approx(np.log1p(np.exp(_dice().normal(0, 2.5, 2000)[0]))),
    ),
    "high_cardinality": (
        {"a": [f"word {number if number > 40 else number % 7}" for number in range(ROWS)]},
        lambda made: len(made["a"].unique()) == 50 and "Other" in made["a"].to_pylist(),
    ),
    "totals_row": (
        {"a": [*range(5, 40), sum(range(5, 40))], "b": [*(f"place {number}" for number in range(35)), "Total"]},
        lambda made: made.num_rows == 35 and "Total" not in made["b"].to_pylist(),
    ),
    "mixed_dates": (
        {"a": ["later" if number == 3 else f"2024-01-{1 + number % 28:02d}" for number in range(ROWS)]},
        lambda made: made["a"].null_count == 1 and made["a"][0].as_py() == date(2024, 1, 1),
    ),
    "spelling_variants": (
        {"a": [("Oslo", "oslo ", "Oslo", "Lima")[number % 4] for number in range(ROWS)]},
        lambda made: set(made["a"].to_pylist()) == {"Oslo", "Lima"},
    ),
    "long_text": ({"a": ["x" * 30_000, "short"], "b": [1, 2]}, lambda made: [len(text) for text in made["a"].to_pylist()] == [20_000, 5]),
}


@pytest.mark.parametrize("code", sorted(CASES))
def test_every_finding_is_shown_and_mended(code: str) -> None:
    data, right = CASES[code]
    table = pa.table(data)
    _, profile = profiled(table)
    finding = next(each for each in profile.findings if each.code == code)
    assert finding.fix is not None
    assert finding.fix.sentence.endswith(".")
    made, sentence = mended(table, code)
    assert right(made), made
    assert sentence.endswith(".")
    by_fix, _ = mended(table, finding.fix.code, *finding.columns, **finding.fix.options)
    assert by_fix.equals(made)
    if code != "skewed":  # a logarithm may still be uneven
        assert code not in [each.code for each in profiled(made)[1].findings if each.columns == finding.columns]


def test_no_finding_is_forgotten() -> None:
    assert {*CODES, *READ_CODES} - WITHOUT_FIX == set(TROUBLED)
    assert {*CODES, *READ_CODES} & WITHOUT_FIX == set(SHOWN)


def test_the_codes_are_those_that_the_code_makes() -> None:
    """What is listed is what is made, so that no finding comes without the tests at every door, which go through the lists."""
    made = set()
    for path in Path(domain.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("Finding", "_finding"):
                given = [keyword.value for keyword in call.keywords if keyword.arg == "code"] or call.args[:1]
                made |= {each.value for each in given if isinstance(each, ast.Constant)}
    assert made == {*CODES, *READ_CODES}


@pytest.mark.parametrize("door", ["tests.handlers.test_fixes", "tests.client.test_versions", "tests.panel.test_fixes"])
def test_every_code_comes_through_every_door(door: str) -> None:
    module = importlib.import_module(door)
    asked: set[str] = set()
    for name, test in vars(module).items():
        for mark in getattr(test, "pytestmark", []) if name.startswith("test_") else []:
            if mark.name == "parametrize" and mark.args[0] in ("code", "codes"):
                values = [each.values[0] if hasattr(each, "values") else each for each in mark.args[1]]
                asked |= {code for value in values for code in ([value] if isinstance(value, str) else value)}
    assert asked == {*CODES, *READ_CODES}


def test_what_is_to_be_predicted_must_be_known() -> None:
    table = pa.table({"a": [1, 2, 3, 4, 5, 6] * 5, "target": ["yes", "no", None, "yes", "no", "no"] * 5})
    columns, profile = profiled(table)
    profile = with_offers(profile.model_copy(update={"likely_target": "target"}))
    finding = next(each for each in profile.findings if each.code == "missing_values")
    assert finding.fix is not None
    assert finding.fix.code == "drop_missing_rows"
    fix = plan(InParts(table), columns, profile, resolve(FixRequest(code="missing_values"), columns, profile))
    made = pa.concat_tables([fix.apply(part) for part in InParts(table).batches()])
    assert made.num_rows == 25
    assert made["target"].null_count == 0
    assert "Removed 5 rows" in fix.sentence()


@pytest.mark.parametrize(
    ("values", "method", "filled"),
    [
        ([1, None, 2, 9], "median", [1, 2, 2, 9]),
        ([1.0, None, 2.0, 9.0], "mean", [1.0, 4.0, 2.0, 9.0]),
        (["a", None, "b", "b"], "most_frequent", ["a", "b", "b", "b"]),
        ([None, date(2024, 1, 1), None, date(2024, 1, 3)], "previous", [None, date(2024, 1, 1), date(2024, 1, 1), date(2024, 1, 3)]),
        ([True, None, True], None, [True, True, True]),
    ],
)
def test_gaps_are_filled(values: list[Any], method: Any, filled: list[Any]) -> None:
    assert mended(pa.table({"a": values}), "fill_missing", "a", method=method)[0]["a"].to_pylist() == filled


def test_the_value_before_reaches_over_parts() -> None:
    values = [None, "a", *[None] * 100, "b", None]
    made, sentence = mended(pa.table({"a": values, "b": list(range(104))}), "fill_missing", "a", method="previous")
    assert made["a"].to_pylist() == [None, *["a"] * 101, "b", "b"]
    assert sentence == 'Filled 101 gaps in "a" with the value before. 1 gap before the first value stayed.'


@pytest.mark.parametrize(("value", "stored"), [("7", 7), (7, 7)])
def test_a_given_value_fills_gaps(value: Any, stored: int) -> None:
    assert mended(pa.table({"a": [1, None]}), "fill_missing", "a", method="value", value=value)[0]["a"].to_pylist() == [1, stored]


def test_marks_are_the_usual_ones_or_the_given_ones() -> None:
    table = pa.table({"a": ["ja", None, "ja", "unknown"], "n": [1.0, 2.0, None, 99.0]})
    assert mended(table, "mark_missing", "a")[0]["a"].to_pylist() == ["ja", None, "ja", None]
    assert mended(table, "mark_missing", "a", values=["ja"])[0]["a"].to_pylist() == [None, None, None, "unknown"]
    made, sentence = mended(table, "mark_missing", "n", "a", values=["99", "2", "ja"])
    assert made["n"].to_pylist() == [1.0, None, None, None]
    assert sentence == 'Made 4 values in "n", "a" missing.'


def test_spellings_become_one() -> None:
    made, sentence = mended(pa.table({"a": ["Berlin", " berlin", "Berlin ", "BERLIN", "Bonn", "Köln", "Ko\u0308ln", None]}), "normalise_texts", "a")
    assert made["a"].to_pylist() == ["Berlin"] * 4 + ["Bonn", "Köln", "Köln", None]
    assert sentence == 'Brought 4 values in "a" to one spelling.'


@pytest.mark.parametrize(("day_first", "month"), [(True, 2), (False, 1)])
def test_dates_are_read_in_the_chosen_order(day_first: bool, month: int) -> None:
    made, sentence = mended(pa.table({"a": ["01/02/2024", "03/04/2024", "soon", None]}), "parse_dates", "a", day_first=day_first)
    assert made["a"].to_pylist() == [date(2024, month, 3 - month), date(2024, 4 if day_first else 3, 3 if day_first else 4), None, None]
    assert "1 value that is no date became missing" in sentence


def test_day_and_month_are_swapped_and_swapped_back() -> None:
    table = pa.table({"a": pa.array([date(2024, 1, 2), date(2024, 12, 3), None]), "b": pa.array([datetime(2024, 1, 2, 5), None, None], pa.timestamp("us"))})
    once = mended(table, "parse_dates", "a", "b")[0]
    assert once["a"].to_pylist() == [date(2024, 2, 1), date(2024, 3, 12), None]
    assert mended(once, "parse_dates", "a", "b")[0].equals(table)


@pytest.mark.parametrize(
    ("days", "added"),
    [
        ([date(2024, 1, day) for day in (1, 2, 3, 6, 7, 8)], [date(2024, 1, 4), date(2024, 1, 5)]),
        ([date(2024, month, 1) for month in (1, 2, 3, 5, 6)], [date(2024, 4, 1)]),
        ([date(2024, 1, day) for day in (1, 8, 15, 29)], [date(2024, 1, 22)]),
    ],
)
def test_left_out_dates_get_rows(days: list[date], added: list[date]) -> None:
    made, _ = mended(pa.table({"day": days, "n": list(range(len(days)))}), "fill_gaps", "day")
    assert made["day"].to_pylist() == days + added
    assert made["n"].to_pylist()[-len(added) :] == [None] * len(added)


@pytest.mark.parametrize(
    ("text", "number"),
    [("$1,234.50", "1234.50"), ("12 %", "12"), ("(1,000)", "-1000"), ("3.5kg", "3.5"), ("-7", "-7"), ("€ 5", "5"), ("many", None), ("1,23,4", None),
     ("1e3", "1e3"), ("12:30", None), ("", None), ("5 m²", "5")],
)  # fmt: skip
def test_amounts(text: str, number: str | None) -> None:
    from decimal import Decimal

    assert read_amount(text) == (None if number is None else Decimal(number))
    assert read_amount("1.234,5 €", ",") == Decimal("1234.5")


def test_what_cannot_be_mended_is_said() -> None:
    table = pa.table({"a": [1, 2, 2], "b": ["x", "y", "y"]})
    columns, profile = profiled(table)
    for request, error, words in (
        (FixRequest(code="magic"), Invalid, "no fix"),
        (FixRequest(code="convert", columns=["a"]), Invalid, "integer values"),
        (FixRequest(code="convert", columns=["c"]), ColumnUnknown, "no column"),
        (FixRequest(code="drop_columns", columns=["a", "b"]), Invalid, "No column would be left"),
        (FixRequest(code="clip_outliers"), Invalid, "Name the columns"),
        (FixRequest(code="outliers"), Invalid, "no fix"),
    ):
        with pytest.raises(error, match=words):
            resolve(request, columns, profile)
    with pytest.raises(Invalid, match="No row would be left"):
        mended(pa.table({"a": pa.nulls(3, pa.int64()), "b": [1, 2, 3]}), "drop_missing_rows", "a")
    with pytest.raises(Invalid, match="is a number"):
        mended(pa.table({"a": ["x", "y"]}), "convert", "a")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None]), st.floats(0, 1) | st.none()), min_size=1, max_size=120))
def test_without_repeats_every_row_is_there_once(rows: list[tuple[int, str | None, float | None]]) -> None:
    names = ("n", "t", "f")
    table = pa.table(
        {
            name: pa.array([row[place] for row in rows], kind)
            for place, (name, kind) in enumerate(zip(names, (pa.int64(), pa.string(), pa.float64()), strict=True))
        }
    )
    made, _ = mended(table, "drop_duplicate_rows")
    assert [tuple(row.values()) for row in made.to_pylist()] == list(dict.fromkeys(rows))
