"""From a table to a trained model: guards, a locked test part, the search, the final fit, scores and evidence."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sklearn
import skops
from threadpoolctl import threadpool_limits

from dapp_ext.domain.learning import explain
from dapp_ext.domain.learning.blending import as_pipeline, choose_blend
from dapp_ext.domain.learning.clock import Clock
from dapp_ext.domain.learning.families import KINDS, check_params
from dapp_ext.domain.learning.fitting import Finals, final_seconds
from dapp_ext.domain.learning.measures import MEASURES
from dapp_ext.domain.learning.metrics import Truth, scores
from dapp_ext.domain.learning.narrate import caveat, sentence
from dapp_ext.domain.learning.predictor import Predictor
from dapp_ext.domain.learning.recipe import Recipe, Watch
from dapp_ext.domain.learning.search import Checked, Ground, Search
from dapp_ext.domain.learning.sizing import Plan, plan_search
from dapp_ext.domain.learning.splits import cross_folds, sample_rows
from dapp_ext.domain.learning.staging import Stage, prepare_stage
from dapp_ext.domain.learning.storing import dump
from dapp_ext.schema.base import Named
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Results, Split, Trial

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Trained:
    """A trained model and all that is known about it."""

    predictor: Predictor
    facts: dict[str, Any]

    def results(self, model: Named, dataset: Named, dataset_version: int) -> Results:
        """The results, told of this model and dataset."""
        return Results(model=model, dataset=dataset, dataset_version=dataset_version, **self.facts)

    def dump(self) -> bytes:
        """The model as bytes for :func:`load_predictor`."""
        return dump(self.predictor)


def train(table: pa.Table, columns: list[Column], recipe: Recipe, watch: Watch, finished: Sequence[Trial] = ()) -> Trained:
    """Train a model.

    Parameters
    ----------
    table : pyarrow.Table
        The rows, with at least the given columns.
    columns : list of Column
        The columns as the dataset describes them.
    recipe : Recipe
        What is asked for.
    watch : Watch
        Told of guards, trials and progress; asked whether to stop.
    finished : sequence of Trial
        Trials of an earlier attempt: kept with their scores and not run again.

    Raises
    ------
    TargetUnusable, ColumnUnknown, Invalid
        What is asked for cannot be done with this table; the sentence says why.
    """
    clock = Clock(recipe.time_budget, watch.should_stop, watch.wishes)
    with threadpool_limits(limits=max(recipe.threads, 1)):
        watch.progress(0.01, "Checking the data")
        stage = prepare_stage(table, columns, recipe, clock)
        watch.began(stage.problem.task, stage.problem.metric)
        watch.guards(stage.guards)
        plan = plan_search(stage.X, stage.problem, recipe, stage.rows.order is not None)
        search = _search(stage, plan, recipe, clock, (watch, finished))
        watch.progress(0.9, "Fitting the final model")
        return _finish(stage, plan, recipe, search, watch)


def _search(stage: Stage, plan: Plan, recipe: Recipe, clock: Clock, outside: tuple[Watch, Sequence[Trial]]) -> Search:
    watch, finished = outside
    chosen = sample_rows(stage.rows, plan.rows, recipe.seed)
    folds = cross_folds(stage.rows.take(chosen), plan.folds, plan.repeats, recipe.seed)
    ground = Ground(stage.X.take(chosen) if len(chosen) < len(stage.y) else stage.X, stage.y[chosen], folds, stage.problem)

    def report(trial: Trial) -> None:
        watch.trial(trial, max(clock.left(), 0.0))
        spent = clock.spent() / max(recipe.time_budget, 1e-9)
        counted = trial.number / recipe.trials if recipe.trials else 0.0
        watch.progress(float(np.clip(max(spent, counted), 0.05, 0.9)), f"Tried {trial.number} candidates")

    families = [k.family for k in KINDS.values() if not recipe.families or k.family in recipe.families]
    search = Search(ground, clock, report, check_params(recipe.params, stage.problem), families)
    search.resume(finished)
    search.run(recipe.trials, lambda best: plan.explain_seconds + (final_seconds(best, plan, len(stage.y)) if best else 0.0))
    return search


def _finish(stage: Stage, plan: Plan, recipe: Recipe, search: Search, watch: Watch) -> Trained:
    clock, problem = search.clock, stage.problem
    finals = Finals(stage.X, stage.y, stage.rows, problem, plan, clock)
    best = search.best()
    blend = choose_blend(search.checked, search.ground.y, problem) if best and not clock.stopped() else None
    fitted = finals.fit(best, blend, search)
    pipeline = as_pipeline(stage.encoder, fitted.members, fitted.weights, problem.classes)
    predictor = Predictor(stage.target.name, problem.task, stage.features, stage.target.labels, stage.target.type, pipeline, _libraries())
    if fitted.trial not in [c.trial for c in search.checked]:
        search.checked.append(Checked(fitted.trial))
        watch.trial(fitted.trial, max(clock.left(), 0.0))
    watch.progress(0.95, "Scoring on the locked test part")
    out = predictor.outputs(stage.X_test)
    truth = Truth(problem.task, stage.y_test, out)
    guess = np.bincount(stage.y, minlength=problem.classes) / len(stage.y) if problem.classes else np.asarray([stage.y.mean()])
    facts = _facts(stage, search, truth, scores(truth, guess, recipe.seed))
    facts["sentence"] = sentence(truth, stage.target, facts["scores"], guess) + caveat(stage.guards, [c.name for c in stage.features])
    facts["split"] = _split(stage, plan, fitted.rows, recipe.seed)
    if recipe.trials and search.cut_short:
        ended = f"{facts['split'].sentence} The time ended the search after {len(search.checked)} candidates of {recipe.trials}."
        facts["split"] = facts["split"].model_copy(update={"sentence": ended})
    facts["best"] = fitted.trial
    facts["leaderboard"] = _leaderboard(search, fitted.trial)
    evidence = explain.Evidence(stage.encoder, stage.X_test, stage.y_test, problem.task, problem.metric, predictor.outputs, recipe.seed)
    order = sorted((c.name for c in stage.features), key=lambda n: (-stage.column_scores[n].mean if n in stage.column_scores else 0.0, n))
    late = clock.stopped() or clock.left() < -(0.05 * recipe.time_budget + 1.5)
    facts["importances"] = explain.importances(evidence, order, clock.allow(0.5 if late else plan.explain_seconds, heed_stop=False))
    facts["seconds"] = round(clock.spent(), 2)
    watch.progress(1.0, "Done")
    return Trained(predictor, facts)


def _facts(stage: Stage, search: Search, truth: Truth, made: list[Any]) -> dict[str, Any]:
    target, problem = stage.target, stage.problem
    headline = sorted(made, key=lambda s: s.name != problem.metric)
    return {
        "target": target.name,
        "task": target.task,
        "task_reason": target.reason,
        "metric": problem.metric,
        "scores": headline,
        "guards": stage.guards,
        "curves": explain.curves(truth, target.classes),
        "confusion": explain.confusion(truth, target.classes) if target.classes else None,
        "scatter": None if problem.classes else explain.scatter(truth, problem.seed),
        "classes": target.classes,
        "positive": target.positive,
        "features": stage.features,
        "libraries": _libraries(),
        "stopped_early": search.clock.stopped() or search.cut_short,
    }


def _leaderboard(search: Search, best: Trial) -> list[Trial]:
    sign = -1 if MEASURES[search.ground.problem.metric].greater_is_better else 1
    ranked = sorted((c.trial for c in search.checked), key=lambda t: (t.score is None, sign * (t.score or 0.0), t.number))
    return [t.model_copy(update={"is_best": t.number == best.number}) for t in ranked]


def _split(stage: Stage, plan: Plan, rows_used: int, seed: int) -> Split:
    test, learned = len(stage.y_test), len(stage.y)
    how = "The latest" if stage.way.validation == "time" else "At random,"
    parts = []
    if stage.target.sampled_from:
        parts.append(f"The time is too short for all {stage.target.sampled_from:,} rows, so a random sample of {test + learned:,} was used.")
    parts += [f"{how} {test:,} of {test + learned:,} rows were locked away before the search and used only for the scores."]
    base = f"all other {learned:,} rows" if plan.rows >= learned else f"a random sample of {plan.rows:,} of the other {learned:,} rows"
    if plan.folds == 1:
        parts.append(f"Candidates were compared on a fifth of {base} after learning from the rest of them.")
    else:
        times = f", {plan.repeats} times over" if plan.repeats > 1 else ""
        turn = "learning from earlier rows and checking on later ones" if stage.way.validation == "time" else "learning from the rest each time"
        parts.append(f"Candidates were compared on {base} in {plan.folds} parts{times}, {turn}.")
    used = f"all {learned:,}" if rows_used >= learned else f"{rows_used:,} of the {learned:,}"
    parts.append(f"The final model learned from {used} training rows.")
    return Split(
        validation=stage.way.validation,
        folds=plan.folds,
        rows_train=learned,
        rows_test=test,
        rows_left_out=len(stage.target.missing),
        seed=seed,
        sentence=" ".join(parts),
    )


def _libraries() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "lightgbm": lightgbm.__version__,
        "numpy": np.__version__,
        "pyarrow": pa.__version__,
        "skops": skops.__version__,
    }
