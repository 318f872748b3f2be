"""What is told of a trained model: scores with intervals, the worst finding, evidence on the locked test part, the split in words."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sklearn
import skops

from dapp_ext.domain.learning import explain
from dapp_ext.domain.learning.features import Encoded
from dapp_ext.domain.learning.fitting import Final
from dapp_ext.domain.learning.metrics import Truth, scores
from dapp_ext.domain.learning.narrate import amount, caveat, sentence
from dapp_ext.domain.learning.predictor import Predictor
from dapp_ext.domain.learning.reasoning import Asked, dependences
from dapp_ext.domain.learning.recipe import Recipe
from dapp_ext.domain.learning.search import Search
from dapp_ext.domain.learning.sizing import Plan
from dapp_ext.domain.learning.staging import Stage
from dapp_ext.domain.learning.standing import standings
from dapp_ext.domain.learning.thresholds import decisions
from dapp_ext.schema.models import Coverage, Guard, Split

Array = npt.NDArray[Any]
LEVEL = 0.9
SEVERITIES = ("alert", "warning", "info")
# Which finding is worst when several are equally severe: what makes a score untrue before what makes it uncertain.
ORDER = ("leakage", "groups", "time_order", "shift", "conflicting_labels", "duplicates", "few_rows", "rare_classes", "disguised_missing", "imbalance")


@dataclass(frozen=True)
class Made:
    """A finished training: what was settled before it, its plan, its search and its final model."""

    stage: Stage
    plan: Plan
    recipe: Recipe
    search: Search
    fitted: Final
    predictor: Predictor


def report(made: Made) -> dict[str, Any]:
    """The facts of :class:`~dapp_ext.schema.models.Results`, all but the model's and the dataset's names."""
    stage, problem, search, recipe = made.stage, made.stage.problem, made.search, made.recipe
    target = stage.target
    truth = Truth(problem.task, stage.y_test, made.predictor.outputs(stage.X_test))
    guess = np.bincount(stage.y, minlength=problem.classes) / len(stage.y) if problem.classes else np.asarray([stage.y.mean()])
    found = scores(truth, guess, recipe.seed, _validated(made))
    board, validated = standings(search.checked, search.ground.y, (problem.task, problem.metric), made.fitted.trial, recipe.seed)
    best = next((t for t in board if t.number == made.fitted.trial.number), made.fitted.trial)
    binary = problem.task == "binary"
    return {
        "target": target.name,
        "task": problem.task,
        "task_reason": target.reason,
        "question": target.guess if not target.guess.certain else None,
        "metric": problem.metric,
        "scores": sorted(found, key=lambda s: s.name != problem.metric),
        "sentence": sentence(truth, target, found, guess) + caveat(stage.guards, [c.name for c in stage.features]),
        "guards": stage.guards,
        "worst": worst(stage.guards),
        "curves": explain.curves(truth, target.classes),
        "confusion": explain.confusion(truth, target.classes) if target.classes else None,
        "scatter": None if problem.classes else explain.scatter(truth, problem.seed),
        "decisions": decisions(truth.y, truth.out[:, 1], str(target.positive)) if binary else None,
        "threshold": 0.5 if binary else None,
        "coverage": None if problem.classes else _coverage(made, truth),
        "classes": target.classes,
        "positive": target.positive,
        "features": stage.features,
        "libraries": libraries(),
        "stopped_early": search.clock.stopped() or search.cut_short,
        "split": _split(made),
        "best": best,
        "leaderboard": board,
        "recommended": next((t.number for t in board if t.recommended), best.number),
        "cross_validated": validated,
        "recipe": asdict(recipe),
    }


def evidence(made: Made, facts: dict[str, Any], outputs: Callable[[Encoded], Array]) -> None:
    """Add what takes time: which columns matter to the model that was scored, and how its answers depend on the first few."""
    stage, plan, clock, recipe = made.stage, made.plan, made.search.clock, made.recipe
    told = explain.Evidence(stage.encoder, stage.X_test, stage.y_test, stage.problem.task, stage.problem.metric, outputs, recipe.seed)
    order = sorted((c.name for c in stage.features), key=lambda n: (-stage.column_scores[n].mean if n in stage.column_scores else 0.0, n))
    room = 0.05 * recipe.time_budget + 1.5 + clock.left()
    seconds = 0.4 if clock.stopped() else float(np.clip(room, 0.4, plan.explain_seconds))
    facts["importances"] = explain.importances(told, order, clock.allow(0.75 * seconds, heed_stop=False))
    drivers = [i.column for i in facts["importances"] if i.value > 0][:5]
    classes = made.predictor.classes or []
    commonest = int(np.argmax(np.bincount(stage.y))) if len(classes) > 2 else 1
    asked = Asked(stage.encoder, outputs, classes, commonest if classes else 0)
    facts["dependence"] = dependences(asked, stage.X_test, drivers, clock.allow(0.25 * seconds, heed_stop=False))
    facts["seconds"] = round(clock.spent(), 2)


def worst(guards: Sequence[Guard]) -> Guard | None:
    """The worst finding that still stands."""
    standing = [g for g in guards if g.state == "alerted"]

    def rank(guard: Guard) -> tuple[int, int]:
        return SEVERITIES.index(guard.severity), ORDER.index(guard.code) if guard.code in ORDER else len(ORDER)

    return min(standing, key=rank, default=None)


def _out_of_fold(made: Made) -> Array | None:
    """What the final model's candidate said about validation rows, NaN where it was never asked."""
    outs = [c.out for c in made.search.checked if c.trial.number == made.fitted.trial.number and c.out is not None]
    return outs[0] if outs else next((c.out for c in [made.search.best()] if c is not None and c.out is not None), None)


def _validated(made: Made) -> Truth | None:
    out, problem = _out_of_fold(made), made.stage.problem
    if out is None:
        return None
    seen = np.isfinite(out).all(axis=1)
    return Truth(problem.task, made.search.ground.y[seen], out[seen] if problem.classes else out[seen, 0]) if seen.any() else None


def _coverage(made: Made, truth: Truth) -> Coverage | None:
    """The half width that held LEVEL of the validation errors (split conformal, Vovk et al. 2005), and how it does on the test part."""
    y = made.search.ground.y
    out = _out_of_fold(made)
    if out is None:
        return None
    errors = np.abs(y - out[:, 0])
    errors = errors[np.isfinite(errors)]
    if len(errors) < 20:
        return None
    half = float(np.quantile(errors, min(LEVEL * (1 + 1 / len(errors)), 1.0)))
    reached = float((np.abs(truth.y - truth.out) <= half).mean())
    told = (
        f"Told as ±{amount(half)}, the true amount lay inside for {100 * reached:.0f} of 100 rows that the search never saw ({100 * LEVEL:.0f} were promised)."
    )
    return Coverage(level=LEVEL, reached=reached, half_width=half, sentence=told)


def _split(made: Made) -> Split:
    stage, plan, way = made.stage, made.plan, made.stage.way
    test, learned = len(stage.y_test) + stage.unasked, len(stage.y)
    how = {"time": "The latest", "group": f"Together by “{way.column}”,"}.get(way.validation, "At random,")
    parts = []
    if stage.target.sampled_from:
        parts.append(f"The time is too short for all {stage.target.sampled_from:,} rows, so a random sample of {test + learned:,} was used.")
    parts += [f"{how} {test:,} of {test + learned:,} rows were locked away before the search and used only for the scores."]
    if stage.unasked:
        parts.append(f"Since the search was stopped and this model answers slowly, the scores come from {len(stage.y_test):,} of them, drawn at random.")
    base = f"all other {learned:,} rows" if plan.rows >= learned else f"a random sample of {plan.rows:,} of the other {learned:,} rows"
    if plan.folds == 1:
        parts.append(f"Candidates were compared on a fifth of {base} after learning from the rest of them.")
    else:
        times = f", {plan.repeats} times over" if plan.repeats > 1 else ""
        turn = "learning from earlier rows and checking on later ones" if way.validation == "time" else "learning from the rest each time"
        short = f" (the time allowed {plan.allowed} of the {plan.folds * plan.repeats} turns)" if plan.allowed else ""
        parts.append(f"Candidates were compared on {base} in {plan.folds} parts{times}, {turn}{short}.")
    used = f"all {learned:,}" if made.fitted.rows >= learned else f"{made.fitted.rows:,} of the {learned:,}"
    parts.append(f"The final model learned from {used} training rows.")
    if made.recipe.trials and made.search.cut_short:
        parts.append(f"The time ended the search after {len(made.search.checked)} candidates of {made.recipe.trials}.")
    return Split(
        validation=way.validation,
        column=way.column,
        reason=way.advised.reason if way.advised.validation == way.validation else None,
        folds=plan.folds,
        repeats=plan.repeats,
        rows_train=learned,
        rows_test=test,
        rows_left_out=len(stage.target.missing),
        seed=made.recipe.seed,
        sentence=" ".join(parts),
    )


def libraries() -> dict[str, str]:
    """Releases of what a model was made with."""
    return {
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "lightgbm": lightgbm.__version__,
        "numpy": np.__version__,
        "pyarrow": pa.__version__,
        "skops": skops.__version__,
    }
