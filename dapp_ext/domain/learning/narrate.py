"""One honest sentence about a result, in numbers that people understand, beside what guessing gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dapp_ext.domain.learning.metrics import Truth
from dapp_ext.domain.learning.targets import Target
from dapp_ext.schema.models import Guard, Score

Array = npt.NDArray[Any]
CLEARLY_LESS = 0.9


def beats_guessing(score: Score) -> bool:
    """Whether the whole interval of the score is better than what guessing reaches."""
    return score.low > score.baseline if score.greater_is_better else score.high < score.baseline


_BEFORE = "$€£¥₹₩₽₺₪฿"
_LARGE = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def error(value: float, unit: str | None) -> str:
    """How far off an amount is, with its unit: ``$1,250``, ``12.5 kg``; of per cents in points, which are no share of the amount."""
    if unit == "%":
        return f"{amount(value)} percentage points"
    if unit is None or unit == "":
        return amount(value)
    return f"{unit}{amount(value)}" if unit[-1] in _BEFORE else f"{amount(value)} {unit}"


def amount(value: float) -> str:
    """A number with at most two decimals, fewer when it is large; very small ones keep two digits that count."""
    size = abs(value)
    for least, word in _LARGE:
        if least <= size < 1000 * least:
            return f"{value / least:.4g} {word}"
    if size >= 1e15:
        return f"{value:.3g}"
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:,.1f}"
    if size >= 0.1 or size == 0:
        return f"{value:.2f}"
    return f"{value:.2g}"


def sentence(truth: Truth, target: Target, scores: list[Score], guess: Array) -> str:
    """The result for anyone.

    Parameters
    ----------
    truth
        The locked test part with the model's outputs.
    scores
        Scores on it; the default metric's interval says whether the model is better than guessing at all.
    guess
        Class shares or mean of the training part.
    """
    by_name = {s.name: s for s in scores}
    if truth.task == "regression":
        return _regression(by_name, target.unit)
    useful = beats_guessing(by_name["log_loss"]) or (truth.task == "binary" and beats_guessing(by_name["roc_auc"]))
    if truth.task == "multiclass":
        return _multiclass(truth, target, guess, useful or beats_guessing(by_name["accuracy"]))
    return _binary(truth, target, useful)


def caveat(guards: Sequence[Guard], used: Sequence[str]) -> str:
    """What must be said in the same breath: a score that a column gives away is worth nothing if that column comes too late."""
    told = [n for guard in guards if guard.code == "leakage" and guard.severity == "alert" for n in guard.columns]
    still, back = [n for n in told if n in used], [n for n in told if n not in used]
    if still:
        one = len(still) == 1
        return f" But {_listed(still)} alone nearly {'gives' if one else 'give'} the answer away: if that is not known beforehand, do not trust this."
    if back:
        one = len(back) == 1
        return f" {_listed(back)} alone nearly {'gives' if one else 'give'} the answer away and {'was' if one else 'were'} not used."
    return ""


def _listed(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{quoted[0]} and {len(quoted) - 1} more" if len(quoted) > 2 else " and ".join(quoted)


def _of_100(share: float) -> str:
    value = 100 * share
    if 0 < value < 1:
        return "fewer than 1"
    if 99 < value < 100:
        return "more than 99"
    return f"{value:.0f}"


def _about(share: float) -> str:
    words = _of_100(share)
    return words if words.startswith(("fewer", "more")) else f"about {words}"


def _binary(truth: Truth, target: Target, useful: bool) -> str:
    name = target.positive
    hit = truth.y == 1
    named = truth.out.argmax(axis=1) == 1
    share = float(hit.mean())
    if not useful:
        return f"It is not better than guessing: the columns tell too little about which rows are “{name}” ({_of_100(share)} of 100 are)."
    if named.sum() >= max(20, 0.2 * hit.sum()):
        return f"Of 100 rows that it calls “{name}”, {_about(float(hit[named].mean()))} are; picking at random would give {_of_100(share)}."
    tenth = np.argsort(-truth.out[:, 1], kind="stable")[: max(len(hit) // 10, 1)]
    return (
        f"Of 100 rows among the tenth that it finds most likely to be “{name}”, {_about(float(hit[tenth].mean()))} are; "
        f"picking at random would give {_of_100(share)}."
    )


def _multiclass(truth: Truth, target: Target, guess: Array, useful: bool) -> str:
    right = float((truth.out.argmax(axis=1) == truth.y).mean())
    most = int(np.argmax(guess))
    always = float((truth.y == most).mean())
    name = (target.classes or [])[most]
    if not useful:
        return f"It is not better than guessing: it is right for {_about(right)} of 100 rows, and always saying “{name}” is right for {_of_100(always)}."
    return f"Of 100 rows, it names the right “{target.name}” for {_about(right)}; always saying “{name}” would be right for {_of_100(always)}."


def _regression(by_name: dict[str, Score], unit: str | None) -> str:
    mae = by_name["mae"]
    ours, guessed, low, high = (f"±{error(value, unit)}" for value in (mae.value, mae.baseline, mae.low, mae.high))
    if beats_guessing(mae) or beats_guessing(by_name["rmse"]):
        return f"It is typically off by {ours}; always guessing the average would be off by {guessed}."
    if mae.value < CLEARLY_LESS * mae.baseline:  # a few very large amounts decide, and they may fall either way
        return (
            f"It looks better than guessing, but the rows held back are too few to be sure: it is off by {ours} on average, "
            f"anywhere from {low} to {high}; always guessing the average is off by {guessed}."
        )
    return f"It is not better than guessing: it is off by {ours} on average, and always guessing the average is off by {guessed}."
