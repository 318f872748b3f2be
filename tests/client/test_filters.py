"""The filter language of the client."""

from __future__ import annotations

from datetime import date

import pytest

from dapp_ext.client.filters import plain_filters, read_filters
from dapp_ext.errors import Invalid
from dapp_ext.schema.datasets import Filter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age > 30", [("age", "gt", 30)]),
        ("age > 30 and sex == 'Male'", [("age", "gt", 30), ("sex", "eq", "Male")]),
        ('(age >= 30) & (sex != "Male")', [("age", "ge", 30), ("sex", "ne", "Male")]),
        ("18 <= age < 65", [("age", "ge", 18), ("age", "lt", 65)]),
        ("5.5 < price", [("price", "gt", 5.5)]),
        ("t > -3", [("t", "gt", -3)]),
        ("`hours-per-week` >= 40", [("hours-per-week", "ge", 40)]),
        ("`a` < 1 and `b c` == 'with `ticks` in it'", [("a", "lt", 1), ("b c", "eq", "with `ticks` in it")]),
        ("sex in ['Male', 'Female']", [("sex", "in", ["Male", "Female"])]),
        ("n in (1, 2)", [("n", "in", [1, 2])]),
        ("'eng' in job", [("job", "contains", "eng")]),
        ("age is None", [("age", "is_null", None)]),
        ("age == None and sex is not None", [("age", "is_null", None), ("sex", "not_null", None)]),
        ("age != None", [("age", "not_null", None)]),
        ("smoker and not married", [("smoker", "eq", True), ("married", "eq", False)]),
        ("day >= '2024-01-31'", [("day", "ge", "2024-01-31")]),
        ("Größe < 2", [("Größe", "lt", 2)]),
        ("name == 'O\\'Neill'", [("name", "eq", "O'Neill")]),
    ],
)
def test_expression_becomes_filters(text: str, expected: list[tuple[str, str, object]]) -> None:
    assert [(each.column, each.op, each.value) for each in read_filters(text)] == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("age >", "cannot be read"),
        ("", "cannot be read"),
        ("age > 30 or sex == 'Male'", "or"),
        ("age not in [1]", "not in"),
        ("age > sex", "quotes"),
        ("3 > 2", "backticks"),
        ("__import__('os').system('true')", "compares"),
        ("age == __import__('os')", "values are"),
        ("age == [1, 2]", "“in”"),
        ("age in 5", "column in"),
        ("3 in age", "text"),
        ("age < None", "None"),
        ("age is 3", "=="),
        ("age == 1j", "values are"),
        ("age = 3", "cannot be read"),
        ("f'{1}' == age", "values are"),
        ("age > 3\x00", "cannot be read"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(text: str, hint: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_filters(text)
    assert hint in caught.value.message
    assert "An example" in caught.value.message


def test_filters_are_taken_as_they_are() -> None:
    one = Filter(column="a", op="eq", value=1)
    assert read_filters(one) == [one]
    assert read_filters([one, {"column": "b", "op": "is_null"}]) == [one, Filter(column="b", op="is_null")]  # type: ignore[list-item]
    assert read_filters(None) == []
    with pytest.raises(Invalid):
        read_filters([{"column": "a", "op": "or"}])  # type: ignore[list-item]


def test_filter_values_become_plain_json() -> None:
    given = [Filter(column="d", op="between", value=(date(2024, 1, 31), date(2024, 2, 1)))]
    assert plain_filters(given) == [{"column": "d", "op": "between", "value": ["2024-01-31", "2024-02-01"]}]
