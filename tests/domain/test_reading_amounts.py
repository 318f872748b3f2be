"""Currencies, percent signs, brackets for minus and Indian grouping: read as numbers where one sign stands with all, and told; else kept as text."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.tables import read


def column(*texts: str, delimiter: str = "|") -> str:
    return f"who{delimiter}paid\n" + "".join(f"p{number}{delimiter}{text}\n" for number, text in enumerate(texts))


@pytest.mark.parametrize(
    ("texts", "values", "unit"),
    [
        (["$1,234.50", "$5", "-$3.20", "($7.00)"], [1234.5, 5.0, -3.2, -7.0], "$"),
        (["$-3", "+$4.5", "0", "$ 6"], [-3.0, 4.5, 0.0, 6.0], "$"),
        (["€ 1.234,50", "€ 5"], [1234.5, 5.0], "€"),
        (["1.234,50 €", "5,00 €", "-2 €"], [1234.5, 5.0, -2.0], "€"),
        (["1\u202f234,50 €", "12 €"], [1234.5, 12.0], "€"),
        (["CHF 1'234.50", "CHF 2.00"], [1234.5, 2.0], "CHF"),
        (["₹12,34,567.50", "₹1,234"], [1234567.5, 1234.0], "₹"),
        (["12.3%", "4%", "-0.5 %", "12.345%"], [12.3, 4.0, -0.5, 12.345], "%"),
        (["(1,234.5)", "50", "1,000"], [-1234.5, 50.0, 1000.0], None),
        (["7", "8", "(9)"], [7.0, 8.0, -9.0], None),
    ],
)
def test_amounts_of_one_unit_are_numbers(texts: list[str], values: list[float], unit: str | None) -> None:
    found = read(column(*texts))
    assert found.kinds["paid"] == "decimal"
    assert found.values("paid") == values
    assert found.read.columns[1].unit == unit
    assert '"paid" was read as numbers written like' in found.notes
    (reading,) = [each for each in found.read.report.columns if each.name == "paid"]
    assert str(reading.written).startswith("amounts as ")
    again = read(column(*texts), types={"paid": "text"})
    assert again.values("paid") == texts
    assert again.read.columns[1].unit is None


@pytest.mark.parametrize(
    "texts",
    [
        ["$5", "€5"],
        ["€ 1.234", "€ 5"],
        ["$5", "300"],
        ["(123)", "(456)"],
        ["$1,23", "$1.50"],
        ["(5", "6)"],
        ["$007", "$008"],
        ["$--5", "$6"],
        ["-(5)", "6"],
        ["5 kg", "6 kg"],
        ["$5 to $6", "$7"],
    ],
)
def test_what_may_mean_something_else_stays_text(texts: list[str]) -> None:
    found = read(column(*texts))
    assert found.kinds["paid"] in ("text", "category")
    assert found.values("paid") == texts


def test_a_later_value_decides_for_all() -> None:
    rows, filling = 60_000, "x" * 300
    many = "paid|filling\n" + "".join(f"$ {number}|{filling}\n" for number in range(rows))
    assert read(many + "$ 1,234.5|x\n").values("paid")[-2:] == [59_999.0, 1234.5]
    found = read(many + "€ 5|x\n")
    assert (found.values("paid")[-2:], found.starts) == (["$ 59999", "€ 5"], 2)
    found = read(many.replace("$ ", "") + "(5)|x\n")
    assert (found.values("paid")[-2:], found.starts) == ([59_999.0, -5.0], 2)


def test_a_kind_that_is_chosen_takes_them_too() -> None:
    found = read(column("$1,234.50", "5", "(6)", "x"), types={"paid": "decimal"})
    assert found.values("paid") == [1234.5, 5.0, -6.0, None]
    assert [finding.code for finding in found.read.findings] == ["not_converted"]


def test_percentages_as_names_are_a_header() -> None:
    found = read("10%;50%;90%\n1;2;3\n4;5;6\n")
    assert found.kinds == {"10%": "integer", "50%": "integer", "90%": "integer"}


@pytest.mark.parametrize(
    ("texts", "values"),
    [(["12,34,567", "1,234", "12"], [1234567.0, 1234.0, 12.0]), (["1,234", "-1,00,000.5", ".5"], [1234.0, -100000.5, 0.5])],
)
def test_indian_grouping(texts: list[str], values: list[float]) -> None:
    found = read(column(*texts))
    assert found.values("paid") == values
    assert "12,34,567.5" in found.notes
    assert read(column(*texts), thousands=",").values("paid") == values
    assert read(column("1,23,45", "2,34,56")).kinds["paid"] == "category"


@pytest.mark.parametrize("delimiter", ["~", "^", "\x01", "\x1f", "\x02"])
def test_rare_delimiters(delimiter: str) -> None:
    lines = [["id", "name", "when"], *[[str(number), f"n {number}, x", "2024-01-02"] for number in range(9)]]
    found = read("".join(delimiter.join(line) + "\n" for line in lines))
    assert found.kinds == {"id": "integer", "name": "text", "when": "date"}
    assert found.read.report.delimiter == delimiter
    assert found.values("name")[3] == "n 3, x"


@pytest.mark.parametrize(
    ("text", "options", "kinds"),
    [
        ("x,y\nab ~ c,3\nd ~ e,4\n", {}, ["category", "integer"]),
        ("note\na~b\nc~d\n", {}, ["category"]),
        ("mail\n~ab\n~cd\nef\ngh\n~ij\n", {}, ["text"]),
    ],
)
def test_rare_signs_in_texts_part_nothing(text: str, options: dict[str, Any], kinds: list[str]) -> None:
    assert list(read(text, **options).kinds.values()) == kinds
