"""From a table to a trained model: guards, a locked test part, the search, the final fit, scores and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from dapp_ext.domain.learning.blending import as_pipeline, choose_blend, pipeline_outputs
from dapp_ext.domain.learning.clock import Clock
from dapp_ext.domain.learning.cores import cores_engine
from dapp_ext.domain.learning.families import KINDS, check_params
from dapp_ext.domain.learning.features import Encoded
from dapp_ext.domain.learning.fitting import FITS_OF_A_BLEND, SLACK, Finals, final_seconds
from dapp_ext.domain.learning.predictor import Predictor
from dapp_ext.domain.learning.recipe import Recipe, Watch
from dapp_ext.domain.learning.reporting import Made, evidence, libraries, report, worst
from dapp_ext.domain.learning.rescoring import Again, second_scores, second_seconds
from dapp_ext.domain.learning.search import Checked, Ground, Search
from dapp_ext.domain.learning.sizing import READING_SHARE, Plan, at_once, plan_search, threads_of
from dapp_ext.domain.learning.splits import Rows, cross_folds, sample_rows
from dapp_ext.domain.learning.staging import Stage, prepare_stage
from dapp_ext.domain.learning.storing import dump
from dapp_ext.domain.learning.wide import run_wide
from dapp_ext.domain.machines import Engine
from dapp_ext.schema.base import Named
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Results, Trial

TYPICAL_ROWS = 60
# Kept for the importances even where learning from all rows takes the rest.
# The last learning from all rows may take this share of the budget at the most, and in any case what one fit takes.
LOOK_SECONDS, SHARE_OF_LAST = 1.0, 0.3
# Who stops wants an answer: a slow model is then asked about so many rows of the locked part as take this long, at least so many.
SCORING_SECONDS, FEWEST_SCORED = 0.7, 1000


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


def train(table: pa.Table, columns: list[Column], recipe: Recipe, watch: Watch, finished: Sequence[Trial] = (), engine: Engine | None = None) -> Trained:
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
    engine : Engine, optional
        Other machines that check candidates; without it they are checked on the cores of this one.

    Raises
    ------
    TargetUnusable, ColumnUnknown, Invalid
        What is asked for cannot be done with this table; the sentence says why.
    """
    clock = Clock(recipe.time_budget, watch.should_stop, watch.wishes)
    with threadpool_limits(limits=threads_of(recipe)):
        watch.progress(0.01, "Checking the data")
        stage = prepare_stage(table, columns, recipe, clock)
        watch.began(stage.problem.task, stage.problem.metric)
        watch.guards(stage.guards)
        # A slow machine has less left than is usual once the data is read; a number of candidates does not ask for the time.
        usable = recipe.time_budget if recipe.trials else min(recipe.time_budget, clock.left() / (1 - READING_SHARE))
        plan = plan_search(stage.X, stage.problem, replace(recipe, time_budget=max(usable, 1.0)), stage.rows.order is not None)
        search = _search(stage, plan, recipe, clock, (watch, finished, engine))
        plan = plan.with_folds(len(search.ground.folds))
        watch.progress(0.9, "Fitting the final model")
        return _finish(stage, plan, search, (table, columns, recipe, watch))


def _search(stage: Stage, plan: Plan, recipe: Recipe, clock: Clock, outside: tuple[Watch, Sequence[Trial], Engine | None]) -> Search:
    watch, finished, engine = outside
    chosen = sample_rows(stage.rows, plan.rows, recipe.seed)
    folds = cross_folds(stage.rows.take(chosen), plan.folds, plan.repeats, recipe.seed)
    ground = Ground(stage.X.take(chosen) if len(chosen) < len(stage.y) else stage.X, stage.y[chosen], folds, stage.problem)

    def report(trial: Trial) -> None:
        watch.trial(trial, max(clock.left(), 0.0))
        spent = clock.spent() / max(recipe.time_budget, 1e-9)
        counted = trial.number / recipe.trials if recipe.trials else 0.0
        watch.progress(float(np.clip(max(spent, counted), 0.05, 0.9)), f"Tried {trial.number} {'candidate' if trial.number == 1 else 'candidates'}")

    families = [k.family for k in KINDS.values() if not recipe.families or k.family in recipe.families]
    search = Search(ground, clock, report, check_params(recipe.params, stage.problem), families)
    search.resume(finished)

    kept = plan.explain_seconds + second_seconds(stage.guards, recipe)

    def reserve(best: Trial | None) -> float:
        now = plan.with_folds(len(search.ground.folds))
        once = final_seconds(best, now, len(stage.y)) if best else 0.0
        # Learning some times from all rows is worth more than another candidate.
        last = min(SLACK * FITS_OF_A_BLEND / at_once(recipe.threads)[0] * once, SHARE_OF_LAST * recipe.time_budget) if best else 0.0
        return kept + LOOK_SECONDS + (max(last, SLACK * once) if now.rows >= len(stage.y) else once)

    if engine is not None:
        run_wide(search, engine, recipe.trials, reserve)
    elif recipe.trials or recipe.threads == 1:
        # A number of candidates is the same search on a machine with more cores.
        search.run(recipe.trials, reserve)
    else:
        with cores_engine(recipe, clock) as cores:
            run_wide(search, cores, None, reserve)
    return search


def _finish(stage: Stage, plan: Plan, search: Search, asked: tuple[pa.Table, list[Column], Recipe, Watch]) -> Trained:
    (table, columns, recipe, watch), clock, problem = asked, search.clock, stage.problem
    finals = Finals(stage.X, stage.y, stage.rows, problem, plan, clock, at_once(recipe.threads)[0])
    best = search.best()
    blend = choose_blend(search.checked, search.ground.y, problem) if best and not clock.stopped() else None
    fitted = finals.fit(best, blend, search)
    pipeline = as_pipeline(stage.encoder, fitted.members, fitted.weights, problem.classes)
    typical = stage.X.take(np.sort(np.random.default_rng([recipe.seed, 41]).permutation(len(stage.y))[:TYPICAL_ROWS]))
    predictor = Predictor(stage.target.name, problem.task, stage.features, stage.target.labels, stage.target.type, pipeline, libraries(), typical)
    if fitted.trial not in [c.trial for c in search.checked]:
        search.checked.append(Checked(fitted.trial, fitted.out))
        watch.trial(fitted.trial, max(clock.left(), 0.0))
    watch.progress(0.95, "Scoring on the locked test part")
    made = Made(_soon_scored(stage, best.trial, recipe) if best and clock.stopped() else stage, plan, recipe, search, fitted, predictor)
    facts = report(made)
    scored = predictor.pipeline
    kept = second_seconds(stage.guards, recipe)
    watch.progress(0.97, "Learning from all rows")
    _use_all_rows(made, facts, kept + LOOK_SECONDS)
    watch.progress(0.98, "Looking at what matters")
    evidence(made, facts, lambda X: pipeline_outputs(scored, X, problem.classes))
    best = search.best()
    if kept and best is not None:
        watch.progress(0.99, "Scoring again after the fixes")
        again = Again(table, columns, recipe, best.trial, clock)
        facts["guards"] = second_scores(again, stage.guards, min(kept, clock.left()))
        facts["worst"] = worst(facts["guards"])
    facts["seconds"] = round(clock.spent(), 2)
    facts["target_column"] = next((each for each in columns if each.name == stage.target.name), None)
    watch.progress(1.0, "Done")
    return Trained(predictor, facts)


def _soon_scored(stage: Stage, best: Trial, recipe: Recipe) -> Stage:
    """The stage with as many rows in its locked part as can be asked about soon."""
    rows, each = len(stage.y_test), (best.predict_seconds or 0.0) / 1000
    if rows * each <= SCORING_SECONDS or rows <= FEWEST_SCORED:
        return stage
    most = min(max(int(SCORING_SECONDS / each), FEWEST_SCORED), rows)
    chosen = np.sort(np.random.default_rng([recipe.seed, 43]).permutation(rows)[:most])
    return replace(stage, X_test=stage.X_test.take(chosen), y_test=stage.y_test[chosen], unasked=rows - most)


def _use_all_rows(made: Made, facts: dict[str, Any], kept: float) -> None:
    """Once scored, the model may learn from the locked test part too, where time is left: what is used is then better than what was scored."""
    stage, search, predictor = made.stage, made.search, made.predictor
    if search.clock.stopped():
        return
    X = Encoded.joined([stage.X, stage.X_test])
    y = np.concatenate([stage.y, stage.y_test])
    finals = Finals(X, y, Rows(np.zeros(len(y), dtype=np.int64), np.arange(len(y))), stage.problem, made.plan, search.clock, at_once(made.recipe.threads)[0])
    whole = finals.everything(made.fitted, kept)
    if whole is not None:
        predictor.pipeline = as_pipeline(stage.encoder, *whole, stage.problem.classes)
        told = f"{facts['split'].sentence} Once scored, it learned from all {len(y):,} rows, so what answers now has seen a little more than what was scored."
        facts["split"] = facts["split"].model_copy(update={"sentence": told})
