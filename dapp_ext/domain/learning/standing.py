"""How the candidates stand to each other: intervals of their validated scores, those as good as the best, the simplest of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dapp_ext.domain.learning.measures import MEASURES
from dapp_ext.domain.learning.metrics import Truth, scorer
from dapp_ext.domain.learning.search import Checked
from dapp_ext.schema.models import Score, Task, Trial

Array = npt.NDArray[Any]
COMPARED, WORK, LEAST, MOST = 15, 2e7, 40, 200
# Simple first: what people can follow and what answers at once.
SIMPLICITY = ("linear", "neighbours", "forest", "lightgbm", "histgb", "neural", "ensemble")


def standings(checked: Sequence[Checked], y: Array, problem: tuple[Task, str], best: Trial, seed: int) -> tuple[list[Trial], Score | None]:
    """The trials, best first, with intervals, those not clearly worse than the best and the one advised; and the best one's score.

    Resamples of rows are the same for all candidates (a paired bootstrap), so that their differences are judged and not
    the luck of the rows.

    Parameters
    ----------
    checked
        Candidates with their predictions of validation rows (n, classes) or (n, 1), NaN where a row was never checked.
    problem
        Task and metric.
    """
    task, metric = problem
    facts = MEASURES[metric]
    sign = -1 if facts.greater_is_better else 1
    ranked = sorted(checked, key=lambda c: (c.trial.score is None, sign * (c.trial.score or 0.0), c.trial.number))
    able = [c for c in ranked if c.out is not None and c.trial.score is not None and np.isfinite(c.out).any()][:COMPARED]
    leader = next((c for c in able if c.trial.number == best.number), able[0] if able else None)
    trials = {c.trial.number: c.trial.model_copy(update={"is_best": c.trial.number == best.number}) for c in ranked}
    if leader is None:
        return list(trials.values()), None
    rows = np.all([np.isfinite(c.out).all(axis=1) for c in able if c.out is not None], axis=0)
    if rows.sum() < 20:
        return list(trials.values()), None
    drawn = _resampled(able, (y[rows], rows), (task, metric), seed)
    place = able.index(leader)
    for i, each in enumerate(able):
        worse = sign * (drawn[:, i] - drawn[:, place])
        middle = float(np.median(drawn[:, i]))
        shift = (each.trial.score or 0.0) - middle
        low, high = (float(v) + shift for v in np.quantile(drawn[:, i], [0.025, 0.975]))
        update = {"low": low, "high": high, "near_best": bool(np.quantile(worse, 0.025) <= 0)}
        trials[each.trial.number] = trials[each.trial.number].model_copy(update=update)
    near = [t for t in trials.values() if t.near_best]
    advised = min(near, key=lambda t: (SIMPLICITY.index(t.family) if t.family in SIMPLICITY else len(SIMPLICITY), t.seconds, t.number), default=None)
    if advised is not None:
        trials[advised.number] = advised.model_copy(update={"recommended": True})
    first = trials[leader.trial.number]
    score = Score(
        name=metric,
        label=facts.label,
        value=float(first.score or 0.0),
        low=float(first.low or 0.0),
        high=float(first.high or 0.0),
        baseline=_guess(y[rows], task, metric),
        greater_is_better=facts.greater_is_better,
    )
    return list(trials.values()), score


def _resampled(able: Sequence[Checked], rows: tuple[Array, Array], problem: tuple[Task, str], seed: int) -> Array:
    """Scores of each candidate (columns) on the same resamples (rows of the result)."""
    (y, where), (task, metric) = rows, problem
    outs = [np.asarray(c.out)[where] for c in able]
    measured = [scorer(metric, Truth(task, y, out if task != "regression" else out[:, 0])) for out in outs]
    rng = np.random.default_rng([seed, 17])
    times = int(np.clip(WORK / max(len(y) * len(able), 1), LEAST, MOST))
    drawn = np.empty((times, len(able)))
    for row in drawn:
        weights = np.bincount(rng.integers(0, len(y), len(y)), minlength=len(y)).astype(np.float64)
        row[:] = [of(weights) for of in measured]
    return np.where(np.isfinite(drawn), drawn, np.nanmean(drawn) if np.isfinite(drawn).any() else 0.0)


def _guess(y: Array, task: Task, metric: str) -> float:
    out = np.full(len(y), y.mean()) if task == "regression" else np.tile(np.bincount(y) / len(y), (len(y), 1))
    value = scorer(metric, Truth(task, y, out))(np.ones(len(y)))
    return float(value) if np.isfinite(value) else 0.0
