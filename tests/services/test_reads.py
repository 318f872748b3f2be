"""A health report with its offers is what reading and writing all of it would give, whatever the names and texts in it."""

from __future__ import annotations

import pytest

from dapp_ext.domain.fixes.offers import with_offers
from dapp_ext.schema.datasets import ColumnProfile, Finding, Profile, ValueCount
from dapp_ext.services.reports import Parts, concerned, offering

NASTY = ['],"findings":[', '{"name":', ',{"name":', '"columns":[', ',"kind":', 'a\\"b', "\\", "ä\u2028", "plain"]


def report(names: list[str]) -> Profile:
    columns = [
        ColumnProfile(name=name, kind="text" if number % 2 else "integer", missing=1, distinct=2, maximum=9999, top=[ValueCount(value=name, count=1)])
        for number, name in enumerate(names)
    ]
    codes = ("missing_values", "disguised_missing", "outliers")
    findings = [
        Finding(code=codes[number % 3], severity="info", sentence=f"about {name}", columns=[name], rows=[0]) for number, name in enumerate(names) if number % 4
    ]
    every = Finding(code="missing_values", severity="info", sentence="In more columns", columns=names)
    return Profile(rows=3, columns=columns, findings=[*findings, every, Finding(code="totals_row", severity="info", sentence="last", rows=[2])])


@pytest.mark.parametrize("names", [NASTY, NASTY[::-1], ["one"], []])
def test_a_report_taken_apart_is_the_whole_report(names: list[str]) -> None:
    made = report(names)
    expected = with_offers(made).model_copy(update={"version": 7})
    assert Profile.model_validate_json(offering(made.model_dump_json(by_alias=True).encode(), 7)) == expected


def test_columns_without_findings_are_not_even_looked_at() -> None:
    made = report(["one"]).model_copy(update={"findings": []}).model_dump_json().encode()
    spoiled = made.replace(b'"kind":"integer"', b'"kind":"no kind"')
    assert b"no kind" in offering(spoiled, 1)


@pytest.mark.parametrize("names", [NASTY, NASTY[::-1], ["one"], []])
def test_columns_read_one_by_one_are_the_whole_report(names: list[str]) -> None:
    made = report(names)
    stored = made.model_dump_json(by_alias=True).encode()
    assert [ColumnProfile.model_validate_json(each) for each in Parts.of(stored).stored().values()] == made.columns
    asked = concerned(Parts.of(stored), names[:1])
    flagged = {name for finding in made.findings for name in finding.columns} | set(names[:1])
    assert asked == made.model_copy(update={"columns": [column for column in made.columns if column.name in flagged]})


def test_only_the_columns_that_are_asked_for_are_read() -> None:
    made = report(["one", "two"]).model_copy(update={"findings": []}).model_dump_json().encode()
    spoiled = made.replace(b'"kind":"integer"', b'"kind":"no kind"')
    assert [column.name for column in concerned(Parts.of(spoiled), ["two"]).columns] == ["two"]
    with pytest.raises(ValueError, match="no kind"):
        concerned(Parts.of(spoiled), ["one"])
