"""How much of the data a search can afford: sizes that depend on the table and the budget only, never on a measured time,
so that a search by number of trials is repeatable."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dapp_ext.domain.learning.features import Encoded
from dapp_ext.domain.learning.learners import Problem
from dapp_ext.domain.learning.recipe import Recipe
from dapp_ext.domain.learning.splits import folds_for

# Cells times rounds that boosting handles per second and thread; a careful figure for an ordinary server core.
SPEED = 80e6
ROUNDS = 200
CANDIDATES = 8
FEWEST_ROWS = 2000
# Cells per second that are read, checked and encoded, and the share of the budget that may go into it.
READING_SPEED = 4e6
READING_SHARE = 0.15
# More candidates at once need more memory than they are worth; where there are more cores, each gets several.
MOST_AT_ONCE = 4


@dataclass(frozen=True)
class Plan:
    """Rows that the search uses, its folds and repeats, seconds kept for the explanation, and the folds that time allowed (0: all)."""

    rows: int
    folds: int
    repeats: int
    explain_seconds: float
    allowed: int = 0

    @property
    def fits(self) -> int:
        """How often each candidate is fitted."""
        return self.allowed or max(self.folds * self.repeats, 1)

    def with_folds(self, number: int) -> Plan:
        """The plan of a search that came to so many folds."""
        return replace(self, allowed=number if number < self.folds * self.repeats else 0)


def at_once(cores: int) -> tuple[int, int]:
    """How many candidates are checked side by side on so many cores, and the threads of each."""
    width = max(1, min(cores, MOST_AT_ONCE))
    return width, max(1, cores // width)


def threads_of(recipe: Recipe) -> int:
    """The threads of one learner; a search by number gives the same on a machine with more cores."""
    return 1 if recipe.trials else at_once(recipe.threads)[1]


def most_rows(columns: int, budget: float) -> int:
    """Rows of a table of so many columns that can be checked and encoded in the budget's share for it."""
    return max(int(READING_SHARE * budget * READING_SPEED / max(columns, 1)), 50_000)


def filled_columns(X: Encoded) -> float:
    """Columns, each counted by the share of its values that are neither zero nor missing: what boosting really works on."""
    sample = X.numbers[:2000]
    dense = float(np.mean(np.nan_to_num(sample) != 0, axis=0).sum()) if sample.size else 0.0
    return max(dense + 2 * X.codes.shape[1] + 12 * X.texts.shape[1], 1.0)


def plan_search(X: Encoded, problem: Problem, recipe: Recipe, by_time: bool) -> Plan:
    """Choose folds by the number of rows, then fewer folds, then fewer rows until enough candidates fit the budget."""
    rows = len(X)
    folds, repeats = folds_for(rows)
    repeats = 1 if by_time else repeats
    explain = float(np.clip(0.06 * recipe.time_budget, 0.8, 20.0))
    width = filled_columns(X) * max(problem.classes - 1, 1)
    threads = 1 if recipe.trials else max(recipe.threads, 1)
    affordable = max(recipe.time_budget - explain - 2.0, 1.0) / CANDIDATES * SPEED * threads / (width * ROUNDS)
    if rows * folds * repeats > affordable:
        repeats = 1
    if rows * folds > affordable:
        folds = min(folds, 3)
    wanted = rows if rows * folds <= affordable else int(affordable / folds)
    if wanted < min(FEWEST_ROWS, rows) and folds > 1:
        folds, wanted = 1, int(affordable)
    return Plan(min(rows, max(wanted, FEWEST_ROWS)), folds, repeats, explain)
