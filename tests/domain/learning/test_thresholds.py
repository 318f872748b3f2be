"""Thresholds by value, by cost and by capacity, checked by counting."""

from __future__ import annotations

import numpy as np
import pytest

from dapp_ext.domain.learning.thresholds import choose_threshold, decisions
from dapp_ext.errors import Invalid
from dapp_ext.schema.models import DecisionRequest

Y = np.asarray([1, 1, 0, 1, 0, 0, 0, 0, 0, 0])
P = np.asarray([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1])


def test_counts_at_each_threshold() -> None:
    table = decisions(Y, P, "leaves")
    assert (table.positives, table.negatives) == (3, 7)
    assert table.thresholds[:4] == [0.9, 0.8, 0.7, 0.6]
    assert (table.true_positives[:4], table.false_positives[:4]) == ([1, 2, 2, 3], [0, 0, 1, 1])
    assert (table.true_positives[-1], table.false_positives[-1]) == (3, 7)


def test_by_cost_the_cheapest_is_taken() -> None:
    table = decisions(Y, P, "leaves")
    dear_misses = choose_threshold(table, DecisionRequest(cost_false_alarm=1, cost_missed=10))
    assert (dear_misses.threshold, dear_misses.cost) == (0.6, pytest.approx(100.0))
    dear_alarms = choose_threshold(table, DecisionRequest(cost_false_alarm=10, cost_missed=1))
    assert (dear_alarms.threshold, dear_alarms.right, dear_alarms.cost) == (0.8, pytest.approx(200.0), pytest.approx(100.0))
    nobody = choose_threshold(table, DecisionRequest(cost_false_alarm=1, cost_missed=0))
    assert nobody.named == 0
    assert "names no row" in nobody.sentence


def test_by_capacity_no_more_are_named_than_can_be_looked_at() -> None:
    found = choose_threshold(decisions(Y, P, "leaves"), DecisionRequest(capacity=0.35))
    assert (found.named, found.precision, found.recall) == (pytest.approx(300.0), pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert "about 67 of 100 of them really are" in found.sentence
    assert "picking at random would give 30" in found.sentence


def test_by_value() -> None:
    found = choose_threshold(decisions(Y, P, "leaves"), DecisionRequest(threshold=0.65))
    assert (found.threshold, found.named, found.missed) == (0.65, pytest.approx(300.0), pytest.approx(100.0))


@pytest.mark.parametrize("asked", [{}, {"threshold": 0.5, "capacity": 0.1}, {"cost_missed": 3.0}, {"cost_missed": 0.0, "cost_false_alarm": 0.0}])
def test_one_way_has_to_be_chosen(asked: dict[str, float]) -> None:
    with pytest.raises(Invalid):
        choose_threshold(decisions(Y, P, "leaves"), DecisionRequest(**asked))
