"""Columns that give the target away: how well each one predicts it alone, cross-validated.

After DataRobot's target-leakage check: the Gini norm (2 AUC - 1) or R² of a single column, 0.85 warns, 0.975 holds the
column back until somebody allows it. Numbers are cut into bins, categories taken as they are, the target's mean of each
is learned on four fifths of the rows and scored on the last fifth; missing values are a bin of their own, so that a
pattern of missing values tells as well. Of texts, the words are looked at.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dapp_ext.domain.learning.clock import Allowance
from dapp_ext.domain.learning.features import Encoded, TableEncoder
from dapp_ext.domain.learning.fixes import Asked, drop_columns, keep_columns
from dapp_ext.domain.learning.guards import guard, name_list
from dapp_ext.domain.learning.metrics import Truth, score_of
from dapp_ext.domain.learning.targets import Target
from dapp_ext.schema.models import Guard

Array = npt.NDArray[Any]
BLOCK, WARNING = 0.975, 0.85
BINS, FOLDS, SMOOTHING = 200, 5, 1.0
TEXT_ROWS, TEXT_WORDS = 4000, 2**12


@dataclass(frozen=True)
class Told:
    """How well a column alone tells the target, on average and for the class that it tells least; and whether by what is missing."""

    mean: float
    least: float
    by_missing: bool = False


def single_column_scores(encoder: TableEncoder, X: Encoded, target: Target, y: Array, allowance: Allowance) -> dict[str, Told]:
    """How well each column alone predicts the target: Gini norm for classes, R² for numbers.

    Parameters
    ----------
    X, y
        A sample of the rows and their target.
    """
    goals = _goals(target, y)
    part = np.random.default_rng(12345).permutation(len(y)) % FOLDS
    found: dict[str, Told] = {}
    for name, place in encoder.places.items():
        if allowance.over():
            break
        if place.array == "texts":
            found[name] = _text(X.texts[:, place.columns[0]], goals, part, target)
            continue
        values = X.numbers[:, place.columns] if place.array == "numbers" else X.codes[:, place.columns]
        codes = [_binned(values[:, i]) if place.array == "numbers" else values[:, i].astype(np.int64) + 2 for i in range(values.shape[1])]
        told = max((_told(c, goals, part, target) for c in codes), key=lambda t: t.mean, default=Told(0.0, 0.0))
        if target.task == "regression" and place.array == "numbers":
            straight = max(_straight(values[:, i], y) for i in range(values.shape[1]))
            told = max(told, Told(straight, straight), key=lambda t: t.mean)
        if told.mean >= WARNING:
            empty = np.isnan(values[:, 0]) if place.array == "numbers" else values[:, 0] < 0
            alone = _told(empty.astype(np.int64), goals, part, target) if empty.any() else Told(0.0, 0.0)
            told = Told(told.mean, told.least, alone.mean >= 0.97 * told.mean)
        found[name] = told
    return found


def _goals(target: Target, y: Array) -> list[Array]:
    if target.task != "multiclass":
        return [y.astype(np.float64)]
    counts = np.bincount(y, minlength=len(target.labels))
    common = np.argsort(-counts)[:6]
    return [(y == k).astype(np.float64) for k in common if counts[k] >= 2 * FOLDS]


def _told(codes: Array, goals: list[Array], part: Array, target: Target) -> Told:
    scored = [_score(codes, goal, part, target) for goal in goals]
    return Told(float(np.mean(scored)), min(scored)) if scored else Told(0.0, 0.0)


def _binned(values: Array) -> Array:
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(values), dtype=np.int64)
    distinct = np.unique(known)
    edges = distinct if len(distinct) <= BINS else np.unique(np.quantile(known, np.linspace(0, 1, min(BINS, max(len(known) // 10, 10)) + 1)[1:-1]))
    codes = np.searchsorted(edges, np.nan_to_num(values), side="left") + 1
    codes[np.isnan(values)] = 0
    return np.asarray(codes, dtype=np.int64)


def _score(codes: Array, goal: Array, part: Array, target: Target) -> float:
    width = int(codes.max()) + 1
    predicted = np.empty(len(goal))
    counts_all = np.bincount(codes, minlength=width).astype(np.float64)
    sums_all = np.bincount(codes, weights=goal, minlength=width)
    for k in range(FOLDS):
        held = part == k
        counts = counts_all - np.bincount(codes[held], minlength=width)
        sums = sums_all - np.bincount(codes[held], weights=goal[held], minlength=width)
        mean = sums.sum() / max(counts.sum(), 1.0)
        predicted[held] = ((sums + SMOOTHING * mean) / (counts + SMOOTHING))[codes[held]]
    return _strength(goal, predicted, target)


def _strength(goal: Array, predicted: Array, target: Target) -> float:
    if target.task == "regression":
        return score_of("r2", Truth("regression", goal, predicted))
    auc = score_of("roc_auc", Truth("binary", goal.astype(np.int64), np.column_stack([1 - predicted, predicted])))
    return abs(2 * auc - 1) if np.isfinite(auc) else 0.0


def _text(texts: Array, goals: list[Array], part: Array, target: Target) -> Told:
    """Words of a text by ridge regression on hashed counts."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import Ridge

    texts, part = texts[:TEXT_ROWS], part[:TEXT_ROWS]
    words = HashingVectorizer(n_features=TEXT_WORDS, alternate_sign=False, norm=None, binary=True).transform([t[:2000] for t in texts])
    scored = []
    for goal in (g[:TEXT_ROWS] for g in goals):
        predicted = np.full(len(goal), goal.mean())
        for k in range(FOLDS):
            held = part == k
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                predicted[held] = Ridge(alpha=1.0, solver="sparse_cg", max_iter=50).fit(words[~held], goal[~held]).predict(words[held])
        scored.append(_strength(goal, predicted, target))
    if not scored:
        return Told(0.0, 0.0)
    empty = _told(np.asarray([t == "" for t in texts], dtype=np.int64), [g[:TEXT_ROWS] for g in goals], part, target)
    return Told(max(float(np.mean(scored)), empty.mean), max(min(scored), empty.least), empty.mean >= 0.97 * float(np.mean(scored)))


def _straight(values: Array, y: Array) -> float:
    known = ~np.isnan(values)
    if known.sum() < 30:
        return 0.0
    x = values[known].astype(np.float64)
    if x.std() == 0 or y[known].std() == 0:
        return 0.0
    return float(np.corrcoef(x, y[known])[0, 1] ** 2) * float(known.mean())


def held_back(scores: dict[str, Told], columns: list[str], asked: Asked) -> list[str]:
    """Columns that are not used because they give the target away and nobody has allowed them; never all that there are."""
    names = [n for n, told in scores.items() if told.least >= BLOCK and n not in asked.allow]
    return names if len(names) < len(columns) else []


def check_leakage(scores: dict[str, Told], columns: list[str], target: Target, asked: Asked) -> list[Guard]:
    """A guard for columns held back, one for columns that give much away and are used, or one that has passed.

    ``columns`` are all that there are; where time was too short to look at all of them, the sentence says so.
    """
    ranked = sorted(scores, key=lambda n: -scores[n].mean)
    blocked = [n for n in ranked if n in held_back(scores, columns, asked)]
    used = [n for n in ranked if n not in blocked and scores[n].least >= BLOCK]
    warned = [n for n in ranked if n not in blocked and n not in used and scores[n].mean >= WARNING]
    made = []
    for names, make in ((blocked, _blocked), (used, _used), (warned, _warned)):
        if names:
            strengths = {n: round(scores[n].mean, 4) for n in names}
            made.append(make(names, target, asked).model_copy(update={"values": strengths}))
    looked = "" if len(scores) >= len(columns) else f" ({len(scores):,} of {len(columns):,} columns could be looked at in the time)"
    if made and any(scores[n].by_missing for n in (*blocked, *used, *warned)):
        where = name_list([n for n in (*blocked, *used, *warned) if scores[n].by_missing])
        made[0] = made[0].model_copy(update={"sentence": f"{made[0].sentence} In {where} it is what is missing that tells."})
    return made or [guard("leakage", "passed", "info", f"No single column gives “{target.name}” away{looked}.")]


def _blocked(names: list[str], target: Target, asked: Asked) -> Guard:
    one = len(names) == 1
    sentence = (
        f"{name_list(names)} alone {'gives' if one else 'give'} “{target.name}” away almost completely and {'was' if one else 'were'} held back: "
        f"with {'it' if one else 'them'} the model would look far better than it will be. "
        f"If {'it is' if one else 'they are'} known before the answer is, use {'it' if one else 'them'} anyway."
    )
    return guard("leakage", "alerted", "alert", sentence, columns=names, fixes=[drop_columns(asked, names), keep_columns(asked, names)])


def _used(names: list[str], target: Target, asked: Asked) -> Guard:
    one = len(names) == 1
    sentence = (
        f"{name_list(names)} alone {'gives' if one else 'give'} “{target.name}” away almost completely. "
        f"If {'it is' if one else 'they are'} not known before the answer is, leave {'it' if one else 'them'} out: "
        "the model would look far better than it will be."
    )
    return guard("leakage", "alerted", "alert", sentence, columns=names, fixes=[drop_columns(asked, names)])


def _warned(names: list[str], target: Target, asked: Asked) -> Guard:
    one = len(names) == 1
    sentence = (
        f"{name_list(names)} alone {'predicts' if one else 'predict'} “{target.name}” very well. "
        f"Make sure that {'it is' if one else 'they are'} known before the answer is."
    )
    return guard("leakage", "alerted", "warning", sentence, columns=names, fixes=[drop_columns(asked, names)])
