"""The sentence is right, in plain numbers, and honest when there is nothing to tell."""

from __future__ import annotations

import numpy as np

from dapp_ext.domain.learning.metrics import Truth, scores
from dapp_ext.domain.learning.narrate import amount, sentence
from dapp_ext.domain.learning.targets import Target


def binary(y: np.ndarray, p: np.ndarray) -> str:
    truth = Truth("binary", y, np.column_stack([1 - p, p]))
    guess = np.array([1 - y.mean(), y.mean()])
    return sentence(truth, Target("t", "binary", "", np.arange(len(y)), y, ["stay", "leave"], "string"), scores(truth, guess, 0), guess)


def test_two_classes_count_in_a_hundred() -> None:
    y = np.repeat([1, 0, 1, 0], [60, 20, 40, 280])
    p = np.repeat([0.9, 0.9, 0.1, 0.1], [60, 20, 40, 280])
    assert binary(y, p) == "Of 100 rows that it calls “leave”, about 75 are; picking at random would give 25."


def test_where_nothing_is_named_the_likeliest_tenth_is_told_of() -> None:
    y = np.repeat([1, 0, 1, 0], [30, 70, 20, 880])
    p = np.repeat([0.3, 0.3, 0.02, 0.02], [30, 70, 20, 880])
    assert binary(y, p).startswith("Of 100 rows among the tenth that it finds most likely to be “leave”, about 30 are; picking at random would give 5")


def test_no_better_than_guessing() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    assert "not better than guessing" in binary(y, rng.uniform(0.3, 0.7, 300))


def test_numbers_tell_the_typical_error() -> None:
    y = np.tile([0.0, 100.0], 100)
    truth = Truth("regression", y, y + np.tile([5.0, -5.0], 100))
    guess = np.array([50.0])
    told = sentence(truth, Target("t", "regression", "", np.arange(200), y), scores(truth, guess, 0), guess)
    assert told == "It is typically off by ±5.00; always guessing the average would be off by ±50.0."


def test_amounts_have_few_digits() -> None:
    assert [amount(v) for v in (14689.6, 84.99, 2.7285, 0.0, 0.0123)] == ["14,690", "85.0", "2.73", "0.00", "0.012"]


def test_what_is_better_but_not_surely_so_is_not_called_guessing() -> None:
    """Skewed amounts: one very large row decides, so the interval reaches beyond guessing though the error is a third."""
    rng = np.random.default_rng(3)
    y = np.concatenate([np.exp(rng.normal(size=58)) * 1000, [4e6, 9e5]])
    truth = Truth("regression", y, np.where(y > 5e5, y * 0.4, y * 0.9))
    guess = np.array([25_000.0])
    found = scores(truth, guess, 0)
    mae = next(score for score in found if score.name == "mae")
    assert mae.value < 0.8 * mae.baseline, "the fixture is what it says"
    assert mae.baseline < mae.high, "the fixture is what it says"
    told = sentence(truth, Target("t", "regression", "", np.arange(len(y)), y), found, guess)
    assert told.startswith("It looks better than guessing, but the rows held back are too few to be sure: it is off by ±")
    assert f"to ±{amount(mae.high)}" in told
    assert "not better" not in told
