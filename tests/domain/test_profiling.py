"""Profiles against pandas, findings with the rows that show them, and estimates where data is large."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapp_ext.domain.profiling import Profiler
from dapp_ext.domain.profiling.sketches import Bins, Distinct, EqualRows, RowSample, Tally
from dapp_ext.domain.reading.kinds import kind_of
from dapp_ext.schema.datasets import Column, Finding, Profile
from tests.domain.tables import profiled


def profile(frame: dict[str, Any] | pa.Table, pieces: int = 3, **kinds: Any) -> Profile:
    """The profile of a table that comes in several batches."""
    table = frame if isinstance(frame, pa.Table) else pa.table(frame)
    profiler = Profiler(table.schema)
    step = max(1, table.num_rows // pieces)
    for batch in table.to_batches(max_chunksize=step):
        profiler.update(batch)
    columns = [Column(name=field.name, kind=kinds.get(field.name, kind_of(field.type))) for field in table.schema]
    found = profiler.finish(columns)
    json.loads(found.model_dump_json(), parse_constant=pytest.fail)
    return found


def found(of: Profile, code: str) -> list[Finding]:
    return [finding for finding in of.findings if finding.code == code]


def columns_of(findings: Iterable[Finding]) -> set[str]:
    return {name for finding in findings for name in finding.columns}


def test_numbers_against_pandas() -> None:
    random = np.random.default_rng(0)
    values = pd.Series(random.normal(10, 3, 5000).round(2))
    values[random.random(5000) < 0.1] = np.nan
    whole = pd.Series(random.integers(0, 8, 5000))
    of = profile({"x": pa.array(values, from_pandas=True), "n": pa.array(whole)})
    x, n = of.columns
    assert of.rows == 5000
    assert (x.missing, x.distinct, x.distinct_exact) == (values.isna().sum(), values.nunique(), True)
    assert (x.minimum, x.maximum) == (values.min(), values.max())
    assert x.mean == pytest.approx(values.mean())
    assert x.std == pytest.approx(values.std())
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert x.quantiles[str(share)] == pytest.approx(values.quantile(share))
    assert x.histogram is not None
    assert len(x.histogram.counts) == 20
    assert len(x.histogram.edges) == 21
    assert x.histogram.counts == np.histogram(values.dropna(), 20)[0].tolist()
    assert {int(entry.value): entry.count for entry in n.top} == whole.value_counts().to_dict()
    assert n.histogram is not None
    assert n.histogram.counts == whole.value_counts().sort_index().tolist()


def test_texts_against_pandas() -> None:
    words = pd.Series(["oak", "elm", None, "birch", "oak"] * 100)
    (x,) = profile({"x": pa.array(words, from_pandas=True)}, x="category").columns
    assert (x.missing, x.distinct) == (100, 3)
    assert [(entry.value, entry.count) for entry in x.top] == [("oak", 200), ("elm", 100), ("birch", 100)]
    assert x.mean_length == pytest.approx(words.str.len().mean())


def test_dates_and_times_are_iso_texts_and_durations_seconds() -> None:
    days = pd.date_range("2021-01-01", periods=101)
    of = profile(
        {
            "day": pa.array(days.date, pa.date32()),
            "moment": pa.array(days, pa.timestamp("us", "UTC")),
            "hour": pa.array([60_000_000 * n for n in range(101)], pa.time64("us")),
            "span": pa.array([1_000_000 * n for n in range(101)], pa.duration("us")),
        }
    )
    day, moment, hour, span = of.columns
    assert (day.minimum, day.quantiles["0.5"], day.maximum) == ("2021-01-01", "2021-02-20", "2021-04-11")
    assert moment.minimum == "2021-01-01T00:00:00+00:00"
    assert (hour.minimum, hour.maximum) == ("00:00:00", "01:40:00")
    assert (span.maximum, span.mean) == (100.0, 50.0)
    assert day.mean is None
    assert day.histogram is not None
    assert day.histogram.edges[0] == "2021-01-01"
    assert sum(day.histogram.counts) == 101


def test_booleans_large_integers_and_nothing() -> None:
    of = profile(
        {
            "flag": pa.array([True, False, None, True]),
            "big": pa.array([10**30, 1, 2, 3], pa.decimal128(38, 0)),
            "id": pa.array([2**60 + n for n in range(4)]),
            "none": pa.nulls(4, pa.string()),
        }
    )
    flag, big, id_, none = of.columns
    assert [(entry.value, entry.count) for entry in flag.top] == [("true", 2), ("false", 1)]
    assert big.maximum == str(10**30)
    assert id_.maximum == str(2**60 + 3)
    assert (none.missing, none.distinct, none.mean_length) == (4, 0, None)
    assert profile({"x": pa.array([], pa.int64())}).rows == 0


def test_infinite_values_are_left_out_of_the_figures() -> None:
    of = profile({"x": pa.array([1.0, 2.0, 3.0, float("inf"), float("-inf"), 1e308, -1e308])})
    (x,) = of.columns
    assert (x.minimum, x.maximum) == (-1e308, 1e308)
    assert found(of, "infinite_values")[0].rows == [3, 4]


def test_missing_and_empty_and_constant_columns() -> None:
    of = profile({"a": pa.array([1, None, 3, None]), "b": pa.nulls(4, pa.string()), "c": pa.array(["x"] * 4), "d": pa.array([1, 2, 3, 4])})
    missing = found(of, "missing_values")
    assert [(finding.columns, finding.rows, finding.count) for finding in missing] == [(["a"], [1, 3], 2)]
    assert "2 values" in missing[0].sentence
    assert columns_of(found(of, "empty_column")) == {"b"}
    assert columns_of(found(of, "constant_column")) == {"c"}


def test_duplicate_rows_are_counted_as_pandas_does() -> None:
    frame = pd.DataFrame({"a": [1, 2, 1, 1, 3, None], "b": ["x", "y", "x", "z", "z", None]})
    frame = pd.concat([frame, frame.iloc[[5]]], ignore_index=True)
    of = profile(pa.Table.from_pandas(frame, preserve_index=False))
    expected = frame.duplicated()
    assert of.duplicate_rows == expected.sum()
    assert found(of, "duplicate_rows")[0].rows == list(expected[expected].index)


def test_identifiers_are_pointed_out_and_measurements_are_not() -> None:
    random = np.random.default_rng(1)
    n = 400
    of = profile(
        {
            "customer_id": [f"C{number:05d}" for number in range(n)],
            "uuid": [f"{number:032x}" for number in range(n)],
            "running": np.arange(n),
            "invoice": random.permutation(10_000_000)[:n],
            "area": random.permutation(np.arange(50, 50 + 3 * n))[:n],
            "length": random.normal(size=n),
            "price": [f"${number}.50" for number in range(n)],
            "comment": [f"this is remark {number}" for number in range(n)],
        }
    )
    assert columns_of(found(of, "identifier_like")) == {"customer_id", "uuid", "running", "invoice"}
    assert columns_of(found(of, "numbers_as_text")) == {"price"}
    assert "comment" in columns_of(found(of, "high_cardinality"))


def test_disguised_missing_values() -> None:
    random = np.random.default_rng(2)
    income = random.integers(1000, 5000, 500)
    income[[3, 77, 200]] = -999
    age = random.integers(18, 90, 500)
    city = np.array(["Oslo", "Lima"] * 250, dtype=object)
    city[[5, 6]] = "unknown"
    of = profile({"income": income, "age": age, "city": list(city)})
    disguised = {finding.columns[0]: finding for finding in found(of, "disguised_missing")}
    assert set(disguised) == {"income", "city"}
    assert disguised["income"].rows == [3, 77, 200]
    assert disguised["income"].count == 3
    assert disguised["city"].rows == [5, 6]


def test_mixed_columns_name_the_odd_rows() -> None:
    of = profile({"x": [*[str(number) for number in range(70)], "n/k", "12 kg", "about 5"]})
    mixed = found(of, "mixed_types")[0]
    assert (mixed.count, mixed.rows) == (3, [70, 71, 72])
    assert not found(of, "identifier_like")


def test_outliers_and_skew() -> None:
    random = np.random.default_rng(3)
    calm = random.normal(size=1000)
    calm[[10, 20]] = [50, -60]
    of = profile({"calm": calm, "steep": random.pareto(1.2, 1000), "even": random.random(1000)})
    outliers = {finding.columns[0]: finding for finding in found(of, "outliers")}
    assert outliers["calm"].rows == [10, 20]
    assert outliers["calm"].count == 2
    assert "even" not in outliers
    assert "steep" in columns_of(found(of, "skewed"))
    assert "even" not in columns_of(found(of, "skewed"))


def test_a_long_text_is_told() -> None:
    of = profile({"x": ["short", "y" * 100_000]})
    assert found(of, "long_text")
    assert max(len(entry.value) for entry in of.columns[0].top) <= 501


def test_many_columns_share_a_finding() -> None:
    of = profile({f"c{number}": pa.array([1, None, 2]) for number in range(100)})
    missing = found(of, "missing_values")
    assert len(missing) == 16
    assert len(missing[-1].columns) == 85


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("age,city,churned", "churned"),
        ("target,age,city", "target"),
        ("age,income,city", "income"),
        ("age,weight,species", "species"),
        ("a,b,c", "c"),
        ("y,x1,x2", "y"),
        ("price,x,y", "price"),
    ],
)
def test_the_likely_target(header: str, expected: str) -> None:
    random = np.random.default_rng(4)
    rows = "".join(f"{random.integers(3)},{random.integers(40)},{'xyz'[random.integers(3)]}\n" for _ in range(200))
    of = profiled(f"{header}\n{rows}")
    assert of.likely_target == expected
    assert of.likely_target_reason


def test_a_remark_is_no_target_and_a_question_answered_by_yes_or_no_is_a_likely_one() -> None:
    rows = "".join(f"{40 + row % 9},{'Yes' if row % 4 else 'No'},{'good' if row % 3 else ''}\n" for row in range(60))
    for last in ("Comment", "Extra"):  # the other one is mostly there for some only
        made = profiled(f"pay,Left?,{last}\n{rows}")
        assert (made.likely_target, made.likely_target_reason) == ("Left?", "it is answered by yes or no")


def test_an_identifier_or_a_date_is_no_target() -> None:
    rows = "".join(f"{number % 3},2021-01-{number % 28 + 1:02d},{number}\n" for number in range(200))
    assert profiled(f"group,day,outcome_id\n{rows}").likely_target is None


def test_a_large_table_is_estimated_within_the_stated_error() -> None:
    random = np.random.default_rng(5)
    n = 400_000
    values = random.normal(size=n)
    table = pa.table({"id": np.arange(n), "x": values, "few": random.integers(0, 5, n), "word": [f"w{number % 30_000}" for number in range(n)]})
    of = profile(table, pieces=12)
    id_, x, few, word = of.columns
    assert not id_.distinct_exact
    assert id_.distinct == pytest.approx(n, rel=0.04)
    assert not word.distinct_exact
    assert word.distinct == pytest.approx(30_000, rel=0.04)
    assert few.distinct_exact
    assert few.distinct == 5
    assert sum(entry.count for entry in few.top) == n
    assert x.mean == pytest.approx(values.mean())
    assert x.std == pytest.approx(values.std(ddof=1))
    assert (x.minimum, x.maximum) == (values.min(), values.max())
    assert x.quantiles["0.5"] == pytest.approx(np.median(values), abs=0.02)
    assert x.histogram is not None
    assert sum(x.histogram.counts) == n
    assert np.abs(np.array(x.histogram.counts) - np.histogram(values, 20)[0]).max() < 0.01 * n
    assert columns_of(found(of, "identifier_like")) == {"id"}
    assert of.duplicate_rows == 0


def test_a_wide_table_is_profiled_whole() -> None:
    random = np.random.default_rng(6)
    of = profile({f"c{number}": random.integers(0, 9, 500) for number in range(1500)}, pieces=2)
    assert len(of.columns) == 1500
    assert all(column.distinct == 9 for column in of.columns)


def test_equal_rows_beyond_the_bound_are_estimated() -> None:
    random = np.random.default_rng(7)
    hashes = random.integers(0, 2**63, 60_000, dtype=np.uint64)
    equal = EqualRows(bound=8_000)
    equal.add(hashes, 0)
    equal.add(hashes[:30_000], 60_000)
    count, rows = equal.repeats(20)
    assert count == pytest.approx(30_000, rel=0.1)
    assert len(rows) == 20
    assert min(rows) >= 60_000


def test_distinct_estimate() -> None:
    random = np.random.default_rng(8)
    sketch = Distinct(k=1024)
    hashes = random.integers(0, 2**64, 200_000, dtype=np.uint64)
    for start in range(0, 200_000, 10_000):
        sketch.add(hashes[start : start + 20_000])
    assert sketch.count() == pytest.approx(200_000, rel=0.1)
    few = Distinct(k=1024)
    few.add(hashes[:1000])
    few.add(hashes[:1000])
    assert few.count() == 1000


def test_frequent_values_survive_an_overflow() -> None:
    tally = Tally(limit=50)
    for start in range(0, 5000, 500):
        tally.add(pa.array([-1, -1, -1, *range(start, start + 500)]))
    assert not tally.exact
    assert tally.top(1) == [(-1, 30)]
    assert tally.distinct == pytest.approx(5001, rel=0.05)


def test_the_sample_of_rows_is_even() -> None:
    sample = RowSample(size=1000)
    for _ in range(100):
        sample.pick(1000)
        sample.compress()
    assert 1000 <= len(sample.rows) <= 2000
    assert not sample.complete
    assert np.all(np.diff(sample.rows) > 0)
    assert np.mean(sample.rows) == pytest.approx(50_000, rel=0.1)


@settings(max_examples=80, deadline=None)
@given(batches=st.lists(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20), min_size=1, max_size=6))
def test_bins_hold_every_value_whatever_the_range(batches: list[list[float]]) -> None:
    bins = Bins()
    for batch in batches:
        bins.add(np.array(batch))
    values = np.concatenate([np.array(batch) for batch in batches])
    edges = np.linspace(values.min() - 1, values.max() + 1, 5)
    if np.all(np.diff(edges) > 0):
        assert sum(bins.over(edges)) == len(values)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.sampled_from(["a", "b", None])), min_size=1, max_size=40), pieces=st.integers(1, 5))
def test_facts_do_not_depend_on_the_batches(rows: list[tuple[int | None, str | None]], pieces: int) -> None:
    table = pa.table({"n": pa.array([row[0] for row in rows], pa.int64()), "w": pa.array([row[1] for row in rows], pa.string())})
    whole, cut = profile(table, pieces=1), profile(table, pieces=pieces)
    assert whole.model_dump(exclude={"findings"}) == cut.model_dump(exclude={"findings"})
    frame = pd.DataFrame(rows, columns=["n", "w"])
    assert whole.duplicate_rows == frame.duplicated().sum()
    assert [column.missing for column in whole.columns] == frame.isna().sum().tolist()


def test_a_date_column_of_one_day() -> None:
    (x,) = profile({"x": pa.array([date(2021, 1, 5)] * 3)}).columns
    assert x.histogram is None
    assert x.minimum == x.maximum == "2021-01-05"


def test_a_dictionary_changes_nothing_in_the_profile() -> None:
    random = np.random.default_rng(3)
    words = [f"Town {number}" for number in range(40)] + ["unknown", None]
    plain = pa.array([words[place] for place in random.integers(0, len(words), 4000)], pa.string())
    number = pa.array(np.arange(4000) % 7)
    schema = pa.schema([("town", pa.string()), ("number", pa.int64())])
    profiles = []
    for encoded in (False, True):
        profiler = Profiler(schema)
        for start in range(0, 4000, 1000):
            texts = plain[start : start + 1000]
            # One batch of four without a dictionary: readers mix them.
            texts = texts.dictionary_encode() if encoded and start != 2000 else texts
            profiler.update(pa.RecordBatch.from_arrays([texts, number[start : start + 1000]], names=schema.names))
        profiles.append(profiler.finish([Column(name="town", kind="category"), Column(name="number", kind="integer")]))
    assert profiles[0].duplicate_rows > 3000
    tops = [{(entry.value, entry.count) for entry in profile.columns[0].top[:5]} for profile in profiles]
    assert tops[0] == tops[1]
    plain_profile, encoded_profile = (profile.model_dump() for profile in profiles)
    for profile in (plain_profile, encoded_profile):
        profile["columns"][0].pop("top")  # equal counts may stand in another order
    assert plain_profile == encoded_profile


def test_frequent_values_of_many_are_counted_exactly() -> None:
    random = np.random.default_rng(4)
    tally = Tally(limit=1000)
    for _ in range(6):
        values = np.concatenate([random.integers(0, 10**12, 40_000), np.full(900, -999), np.full(300, 77)])
        random.shuffle(values)
        tally.add(pa.array(values))
    assert not tally.exact
    assert tally.top(2) == [(-999, 5400), (77, 1800)]
    assert tally.distinct == pytest.approx(240_002, rel=0.05)
