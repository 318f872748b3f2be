"""JSON records and JSON lines."""

from __future__ import annotations

import gzip
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapp_ext.domain.reading.missing import MARKS
from dapp_ext.errors import FileUnreadable
from tests.domain.tables import read

RECORDS: list[dict[str, Any]] = [{"id": 1, "x": 0.5, "ok": True, "name": "a"}, {"id": 2, "x": 1.0, "ok": None, "name": "0012"}]


def test_records_and_lines_read_the_same() -> None:
    expected = {"id": [1, 2], "x": [0.5, 1.0], "ok": [True, None], "name": ["a", "0012"]}
    array = read(json.dumps(RECORDS), "t.json")
    lines = read("\n".join(json.dumps(record) for record in RECORDS) + "\n", "t.jsonl")
    pretty = read(json.dumps(RECORDS, indent=2).encode("utf-16"), "t.json")
    packed = read(gzip.compress(json.dumps(RECORDS).encode()), "t.json.gz")
    for found in (array, lines, pretty, packed):
        assert found.table.to_pydict() == expected
    assert array.read.report.format == "json"
    assert lines.read.report.format == "jsonl"


@pytest.mark.parametrize(
    "document",
    [
        {"data": RECORDS, "total": 2},
        {"result": {"items": RECORDS}},
        {"id": [1, 2], "x": [0.5, 1.0], "ok": [True, None], "name": ["a", "0012"]},
        {"columns": ["id", "x", "ok", "name"], "index": [0, 1], "data": [[1, 0.5, True, "a"], [2, 1.0, None, "0012"]]},
        {name: {"0": RECORDS[0][name], "1": RECORDS[1][name]} for name in RECORDS[0]},
        [["id", "x", "ok", "name"], [1, 0.5, True, "a"], [2, 1.0, None, "0012"]],
    ],
)
def test_other_layouts(document: Any) -> None:
    assert read(json.dumps(document), "t.json").table.to_pydict() == {"id": [1, 2], "x": [0.5, 1.0], "ok": [True, None], "name": ["a", "0012"]}


def test_nested_objects_are_flattened_and_lists_kept_as_json() -> None:
    records = [{"id": n, "user": {"name": f"u{n}", "address": {"zip": f"{n:04d}"}}, "tags": ["a", "ü"][:n]} for n in range(3)]
    found = read(json.dumps(records), "t.json")
    assert found.table.column_names == ["id", "user.name", "user.address.zip", "tags"]
    assert found.values("user.address.zip") == ["0000", "0001", "0002"]
    assert [json.loads(text) for text in found.values("tags")] == [[], ["a"], ["a", "ü"]]
    assert "flattened" in found.notes
    assert "JSON text" in found.notes


def test_a_dotted_name_and_a_nested_one_stay_apart() -> None:
    found = read('[{"a.b": 1, "a": {"b": 2}}]', "t.json")
    assert found.table.to_pydict() == {"a.b": [1], "a.b_2": [2]}


def test_keys_that_come_late_or_change_their_type() -> None:
    records: list[dict[str, Any]] = [{"id": n, "a": n} for n in range(30_000)]
    records += [{"id": 30_000, "a": "text", "late": True}, {"id": 30_001, "a": 1.5}]
    found = read("\n".join(map(json.dumps, records)), "t.jsonl")
    assert found.starts == 2
    assert found.values("late")[-2:] == [True, None]
    assert found.values("a")[0] == "0"
    assert found.values("a")[-2:] == ["text", "1.5"]
    assert "mixed" in found.notes
    assert "Not every record" in found.notes


def test_large_integers_keep_their_digits() -> None:
    found = read('[{"a": 12345678901234567890, "b": 1}, {"a": 1, "b": 2.5}]', "t.json")
    assert found.values("a") == [Decimal("12345678901234567890"), Decimal(1)]
    assert found.values("b") == [1.0, 2.5]


def test_dates_are_read_and_words_are_not_changed() -> None:
    found = read('[{"d": "2021-01-05", "w": "yes", "n": "NA"}, {"d": "2021-01-06", "w": "no", "n": "x"}]', "t.json")
    assert found.table.to_pydict() == {"d": [date(2021, 1, 5), date(2021, 1, 6)], "w": ["yes", "no"], "n": ["NA", "x"]}


def test_a_broken_line_is_named() -> None:
    with pytest.raises(FileUnreadable, match="Line 3 "):
        read('{"a": 1}\n{"a": 2}\n{"a": \n{"a": 4}\n', "t.jsonl")


def test_a_header_in_brackets_is_no_json() -> None:
    assert read("[id],[name]\n1,a\n2,b\n").table.to_pydict() == {"[id]": [1, 2], "[name]": ["a", "b"]}


VALUES = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=6))


@settings(max_examples=150, deadline=None)
@given(column=st.lists(VALUES, min_size=1, max_size=8), lines=st.booleans())
def test_no_value_is_lost(column: list[Any], lines: bool) -> None:
    records = [{"row": n, "x": value} for n, value in enumerate(column)]
    text = "\n".join(map(json.dumps, records)) + "\n" if lines else json.dumps(records)
    result = read(text, "t.json", format="jsonl" if lines else "json")
    for value, back in zip(column, result.values("x"), strict=True):
        if value is None or (isinstance(value, str) and not value.strip()):
            assert back is None
        elif isinstance(value, str) and value.strip() in MARKS and back is None:
            assert "Read as missing" in result.notes
        elif isinstance(back, str) and not isinstance(value, str):
            assert back == ("true" if value else "false") if isinstance(value, bool) else type(value)(back) == value
        elif not isinstance(back, date):
            assert back == value
            assert isinstance(back, bool) == isinstance(value, bool)


def test_a_large_number_beside_an_empty_text() -> None:
    found = read('[{"a": 9223372036854775808}, {"a": ""}]')
    assert [None if value is None else int(value) for value in found.values("a")] == [2**63, None]


def test_numbers_that_python_does_not_read_are_kept_as_texts() -> None:
    assert read(f'[{{"a": {"9" * 5000}}}, {{"a": 1}}]').values("a") == ["9" * 5000, "1"]


def test_half_a_letter_is_replaced_and_told() -> None:
    found = read('[{"a": "x\\ud800"}, {"a": "\\ud83d\\ude00"}]')
    assert found.values("a") == ["x\ufffd", "\U0001f600"]
    assert "half of a letter" in found.notes
