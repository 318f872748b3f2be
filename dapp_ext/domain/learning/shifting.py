"""Shift between the part that is learned from and the part that is tested on, column by column.

By the population stability index of ten bins of equal counts (or the commonest categories); 0.25 counts as a large shift,
beyond what chance alone makes of parts of these sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dapp_ext.domain.learning.clock import Allowance
from dapp_ext.domain.learning.features import Encoded, TableEncoder
from dapp_ext.domain.learning.fixes import Asked, drop_columns
from dapp_ext.domain.learning.guards import guard, name_list
from dapp_ext.domain.learning.targets import Target
from dapp_ext.schema.models import Guard

Array = npt.NDArray[Any]
LARGE, BINS, SAMPLE, TINY = 0.25, 10, 20_000, 1e-4


def stability(one: Array, other: Array, categories: bool) -> float:
    """Population stability index of two samples of one column, less what chance makes of samples of these sizes."""
    if categories:
        values, counts = np.unique(one, return_counts=True)
        common = values[np.argsort(-counts)[:20]]
        places = [np.where(np.isin(v, common), np.searchsorted(np.sort(common), np.clip(v, common.min(), common.max())), len(common)) for v in (one, other)]
        width = len(common) + 1
    else:
        known = one[~np.isnan(one)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.empty(0)
        places = [np.where(np.isnan(v), len(edges) + 1, np.searchsorted(edges, np.nan_to_num(v), side="right")) for v in (one, other)]
        width = len(edges) + 2
    shares = [np.maximum(np.bincount(p.astype(np.int64), minlength=width) / max(len(p), 1), TINY) for p in places]
    index = float(np.sum((shares[0] - shares[1]) * np.log(shares[0] / shares[1])))
    by_chance = 2.0 * (width - 1) * (1 / max(len(one), 1) + 1 / max(len(other), 1))
    return index - by_chance


@dataclass(frozen=True)
class Parts:
    """The rows that are learned from and those that are tested on, as one encoder reads them."""

    encoder: TableEncoder
    learned: tuple[Encoded, Array]
    tested: tuple[Encoded, Array]


def check_shift(parts: Parts, target: Target, asked: Asked, allowance: Allowance) -> Guard:
    """Compare learned and tested rows; dates are not looked at, since going forward in time is what moves them."""
    encoder, ys = parts.encoder, (parts.learned[1], parts.tested[1])
    rng = np.random.default_rng(4711)
    sampled = [p.take(np.sort(rng.permutation(len(p))[:SAMPLE])) for p in (parts.learned[0], parts.tested[0])]
    shifts: dict[str, float] = {}
    for step in encoder.plan_:
        place = encoder.places[step["name"]]
        if place.array == "texts" or step["role"] == "moment":
            continue
        if allowance.over():
            break
        one, other = (getattr(p, place.array)[:, place.columns[0]] for p in sampled)
        shifts[step["name"]] = stability(one.astype(np.float64), other.astype(np.float64), place.array == "codes")
    moved = sorted((n for n, v in shifts.items() if v > LARGE), key=lambda n: -shifts[n])
    answer = stability(ys[0].astype(np.float64), ys[1].astype(np.float64), bool(target.labels))
    if not moved and answer <= LARGE:
        return guard("shift", "passed", "info", "The part that is tested on looks like the part that is learned from.")
    what = [name_list(moved)] if moved else []
    what += [f"“{target.name}” itself"] if answer > LARGE else []
    several = len(moved) + (answer > LARGE) > 1
    sentence = f"{' and '.join(what)} {'look' if several else 'looks'} different in the part that is tested on: the world has moved, and it may go on moving."
    fixes = [drop_columns(asked, moved)] if moved and len(moved) < len(shifts) else []
    return guard("shift", "alerted", "warning", sentence, columns=moved, values={n: round(shifts[n], 3) for n in moved}, fixes=fixes)
