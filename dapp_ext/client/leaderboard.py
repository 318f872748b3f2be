"""The leaderboard while it fills: for a notebook and for a terminal."""

from __future__ import annotations

import math

from dapp_ext.client.drawing import BLUE, GREY, Html, amount, badge, bar, card, duration, escape, number, paragraph, table, with_spread
from dapp_ext.client.progress import Shown
from dapp_ext.schema.models import Leaderboard, ModelRead, Trial

_MOST_LINES = 12
_TONES = {"queued": "calm", "training": "busy", "ready": "good", "failed": "bad", "cancelled": "warn"}


def board_shown(model: ModelRead, board: Leaderboard) -> Shown:
    """What stands on the screen at this moment of a training."""
    return Shown(board_text(model, board), board_html(model, board))


def board_text(model: ModelRead, board: Leaderboard) -> str:
    """One line: how many trials, the best one, the time left."""
    if model.status in ("failed", "cancelled"):
        return f"{model.name}: {model.status}. {model.error or ''}".rstrip()
    if model.status == "ready":
        return f"{model.name}: trained. {model.sentence or ''}".rstrip()
    if model.status == "queued" or not board.trials:
        return f"{model.name}: {'waiting for its turn' if model.status == 'queued' else 'preparing'} …"
    parts = [f"{model.name}: {amount(len(board.trials), 'trial')}"]
    best = next((trial for trial in board.trials if trial.score is not None), None)
    if best is not None:
        parts.append(f"best {board.metric_label or board.metric or 'score'} {number(best.score)} ({best.label})")
    if board.seconds_left is not None:
        parts.append(f"{duration(board.seconds_left)} left")
    return " · ".join(parts)


def board_html(model: ModelRead, board: Leaderboard) -> str:
    """The table of trials, best first, with bars, under the state of the training."""
    words = {
        "queued": "Waiting for its turn.",
        "training": "Searching for the best model.",
        "ready": model.sentence or "Trained.",
        "failed": model.error or "Failed.",
        "cancelled": model.error or "Cancelled.",
    }
    parts = [paragraph(words[model.status], "lead")]
    if model.status == "training":
        left = "" if board.seconds_left is None else f", {duration(board.seconds_left)} left"
        parts.append(paragraph(f"{amount(len(board.trials), 'trial')}{left}", "soft"))
        share = 0.0 if board.seconds_left is None else 1 - board.seconds_left / max(board.time_budget, 1)
        parts.append(bar(share))
    parts.append(trials_html(board.trials, board.metric_label or board.metric or "score", greater_is_better=board.greater_is_better))
    title = model.name if model.target is None else f"{model.name} · predicts {model.target}"
    return card(title, *parts, badge=badge(model.status, _TONES[model.status]))


def _marked(trial: Trial) -> Html | str:
    """The learner, and whether it is as good as the best one or the simplest of those."""
    words = [("best", "good")] if trial.is_best else [("as good", "calm")] if trial.near_best else []
    words += [("advised", "busy")] if trial.recommended else []
    return Html(f"{escape(trial.label)} {' '.join(badge(*word) for word in words)}") if words else trial.label


def trials_html(trials: list[Trial], label: str, *, greater_is_better: bool = True) -> str:
    """Trials as a table with a bar for each score."""
    if not trials:
        return ""
    scores = [trial.score for trial in trials if trial.score is not None and math.isfinite(trial.score)]
    low, high = (min(scores), max(scores)) if scores else (0.0, 1.0)

    def share(score: float | None) -> Html | str:
        if score is None or not math.isfinite(score):
            return ""
        part = 1.0 if high == low else (score - low) / (high - low)
        return bar(0.15 + 0.85 * (part if greater_is_better else 1 - part), BLUE if score == (high if greater_is_better else low) else GREY)

    best = next((trial.std for trial in trials if trial.std is not None), None)
    lines = [
        (
            place,
            _marked(trial),
            with_spread(trial.score, trial.std, best),
            share(trial.score),
            duration(trial.seconds),
            "" if trial.status == "done" else trial.error or trial.status,
        )
        for place, trial in enumerate(trials[:_MOST_LINES], 1)
    ]
    more = paragraph(f"… and {amount(len(trials) - _MOST_LINES, 'more trial')}", "soft") if len(trials) > _MOST_LINES else ""
    return table(("#", "learner", label, "", "took", ""), lines, numeric=(0, 2, 4)) + more
