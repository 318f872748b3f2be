"""What reading and profiling both do with findings: where many columns show the same, they share one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from dapp_ext.schema.datasets import Finding

EACH = 15
"""Columns that get a finding of their own under one code; the rest share one."""
SHOWN_ROWS = 20
"""Row numbers that a finding gives."""
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ID_WORDS = re.compile(r"(^|[^a-z])(id|ids|uuid|guid|key|pid|no|nr|num|number|code|index|order|rowid|hash|token|invoice)([^a-z]|$)")
_THINGS = re.compile(
    r"(^|[^a-z])(ids?|uuid|guid)([^a-z]|$)"
    r"|(case|customer|client|user|order|product|item|account|person|patient|student|member|session|device|store|series|record|transaction)_?(id|no|nr)$"
)


def is_identifier_name(name: str) -> bool:
    """Whether a column is called as those are that number the rows."""
    return _ID_WORDS.search(_CASE.sub(" ", name).lower()) is not None


def names_things(name: str) -> bool:
    """Whether a column is called as those are that name orders, people and other things, which may have several rows."""
    return _THINGS.search(_CASE.sub(" ", name).lower()) is not None


def ordered(findings: Iterable[Finding], codes: Mapping[str, str]) -> list[Finding]:
    """Findings in the order of their codes, those of many columns put together.

    Parameters
    ----------
    codes : mapping of str to str
        The codes in their order, and what a shared finding says of "In 12 more columns ...".
    """
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    return [finding for code, what in codes.items() for finding in _shared(by_code.get(code, []), what)]


def _shared(findings: Sequence[Finding], what: str) -> Iterable[Finding]:
    if len(findings) <= EACH:
        return findings
    findings = sorted(findings, key=lambda finding: -(finding.count or 0))
    rest = findings[EACH:]
    names = [name for finding in rest for name in finding.columns]
    rows = sorted({row for finding in rest for row in finding.rows[:SHOWN_ROWS]})[:SHOWN_ROWS]
    sentence = f"In {len(rest):,} more columns {what}."
    return [*findings[:EACH], Finding(code=rest[0].code, severity=rest[0].severity, sentence=sentence, columns=names, rows=rows, count=len(rest))]
