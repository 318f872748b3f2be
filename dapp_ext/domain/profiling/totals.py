"""A last row that sums up the ones above: told by its sums, or by a word such as Total beside numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from dapp_ext.domain.profiling.findings import Seen
from dapp_ext.domain.profiling.numbers import NumberColumn
from dapp_ext.schema.datasets import Finding

TOTALS = re.compile(r"(grand |sub ?)?totals?( ?: ?\w.*)?|sums?|summe|gesamt(summe)?|insgesamt|totaux|totale?s?|suma|overall|all", re.IGNORECASE)
"""What people write beside totals."""
_FEWEST = 4
_CLOSE = 1e-6


def totals_row(columns: Sequence[Seen], last: Sequence[Any], rows: int) -> list[Finding]:
    """The finding on a last row of totals.

    Parameters
    ----------
    last : sequence
        The values of the last row, in the order of the columns.
    """
    if rows < _FEWEST or len(last) != len(columns):
        return []
    texts = [value for seen, value in zip(columns, last, strict=True) if not isinstance(seen.evidence, NumberColumn)]
    amounts = [(seen, value) for seen, value in zip(columns, last, strict=True) if _is_amount(seen) and value is not None]
    said = any(isinstance(text, str) and TOTALS.fullmatch(text.strip(" :")) for text in texts)
    alone = bool(texts) and sum(text is not None for text in texts) == said
    sums = sum(_sums_up(seen, float(value), rows) for seen, value in amounts)
    if not amounts or not ((said and (alone or sums)) or (alone and sums)):
        return []
    why = "its numbers are the sums of those above" if sums else "its only text says so"
    sentence = f"The last row seems to hold totals ({why}); it counts as a row like the others."
    return [Finding(code="totals_row", severity="warning", sentence=sentence, columns=[], rows=[rows - 1], count=1)]


def _is_amount(seen: Seen) -> bool:
    evidence = seen.evidence
    return isinstance(evidence, NumberColumn) and evidence.is_number and not pa.types.is_boolean(evidence.type)


def _sums_up(seen: Seen, value: float, rows: int) -> bool:
    """Whether a value is the sum of all others of its column; a sum of a few equal or no values shows nothing."""
    moments = seen.evidence.moments if isinstance(seen.evidence, NumberColumn) else None
    if moments is None or moments.count < _FEWEST or not np.isfinite(moments.mean) or value == 0 or seen.profile.distinct < 3:
        return False
    above = moments.mean * moments.count - value
    return abs(above - value) <= _CLOSE * abs(value) + 1e-9
