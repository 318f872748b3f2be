"""From probabilities to decisions: what each threshold does to the cases, and which one to take by cost or by capacity."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dapp_ext.domain.learning.narrate import amount
from dapp_ext.errors import Invalid
from dapp_ext.schema.models import Decision, DecisionRequest, Decisions

Array = npt.NDArray[Any]
POINTS = 200


def decisions(y: Array, probability: Array, positive: str) -> Decisions:
    """What thresholds would do on rows with truth ``y`` (0 or 1) and the positive class's probability."""
    order = np.argsort(-probability, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))
    right = np.cumsum(y[order] == 1)[ends]
    wrong = ends + 1 - right
    keep = np.unique(np.linspace(0, len(ends) - 1, min(len(ends), POINTS)).round().astype(int))
    return Decisions(
        positive=positive,
        thresholds=[float(v) for v in probability[order][ends][keep]],
        true_positives=[int(v) for v in right[keep]],
        false_positives=[int(v) for v in wrong[keep]],
        positives=int((y == 1).sum()),
        negatives=int((y != 1).sum()),
    )


def choose_threshold(table: Decisions, request: DecisionRequest) -> Decision:
    """The threshold that is asked for, the cheapest one, or the one that names as many cases as can be looked at.

    Raises
    ------
    Invalid
        Nothing or more than one thing is asked for.
    """
    by_cost = request.cost_false_alarm is not None or request.cost_missed is not None
    if (request.threshold is not None) + by_cost + (request.capacity is not None) != 1:
        raise Invalid("Choose a threshold by one of three: its value, the costs of the two errors, or the share of rows that can be looked at.")
    total = max(table.positives + table.negatives, 1)
    right, wrong = (np.concatenate([[0], np.asarray(v)]).astype(float) for v in (table.true_positives, table.false_positives))
    thresholds = np.concatenate([[1.0 if not table.thresholds else max(1.0, table.thresholds[0] + 1e-9)], np.asarray(table.thresholds)])
    costs = None
    if by_cost:
        if request.cost_false_alarm is None or request.cost_missed is None or request.cost_false_alarm + request.cost_missed == 0:
            raise Invalid("Give both costs: of naming a case that is none, and of missing a case.")
        costs = request.cost_false_alarm * wrong + request.cost_missed * (table.positives - right)
        place = int(np.argmin(costs))
    elif request.capacity is not None:
        able = np.flatnonzero(right + wrong <= request.capacity * total)
        place = int(able[-1])
    else:
        named = np.flatnonzero(thresholds >= float(request.threshold or 0.0) - 1e-12)
        place = int(named[-1]) if len(named) else 0
    threshold = float(request.threshold) if request.threshold is not None else float(np.clip(thresholds[place], 0.0, 1.0))
    return _decision(table, (threshold, float(right[place]), float(wrong[place])), None if costs is None else float(costs[place]))


def _decision(table: Decisions, found: tuple[float, float, float], cost: float | None) -> Decision:
    threshold, right, wrong = found
    total = max(table.positives + table.negatives, 1)
    named, missed = right + wrong, table.positives - right
    precision = right / named if named else 0.0
    recall = right / table.positives if table.positives else 0.0
    base = 100 * table.positives / total
    if named:
        sentence = (
            f"Of 1,000 rows it names about {_cases(1000 * named / total)} as “{table.positive}”; about {_cases(100 * precision)} of 100 of them really are, "
            f"where picking at random would give {_cases(base)}. It misses about {_cases(1000 * missed / total)} cases in 1,000 rows."
        )
    else:
        sentence = f"It names no row as “{table.positive}”, and misses about {_cases(1000 * missed / total)} cases in 1,000 rows."
    if cost is not None:
        nothing = f"It costs about {amount(1000 * cost / total)} in 1,000 rows."
        sentence = f"{sentence} {nothing}"
    per = 1000 / total
    return Decision(
        threshold=threshold,
        named=named * per,
        right=right * per,
        missed=missed * per,
        precision=precision,
        recall=recall,
        cost=None if cost is None else cost * per,
        sentence=sentence,
    )


def _cases(value: float) -> str:
    return "fewer than 1" if 0 < value < 0.5 else f"{value:,.0f}"
