"""The final fit: the best candidate, or a blend of several, on all training rows that the time left allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dapp_ext.domain.learning.adjusting import Calibrated
from dapp_ext.domain.learning.clock import Allowance, Clock
from dapp_ext.domain.learning.cores import each_on_a_core
from dapp_ext.domain.learning.families import KINDS, Params
from dapp_ext.domain.learning.features import Encoded
from dapp_ext.domain.learning.learners import Fitted, Material, Problem
from dapp_ext.domain.learning.metrics import Truth, score_of
from dapp_ext.domain.learning.search import Checked, Memo, Search, prepare
from dapp_ext.domain.learning.sizing import Plan
from dapp_ext.domain.learning.splits import Rows, sample_rows
from dapp_ext.schema.base import now
from dapp_ext.schema.models import Trial

Array = npt.NDArray[Any]
STOP_SECONDS = 1.5
# Learning again from all rows is begun where so many times its likely seconds are left.
SLACK = 1.3
# Learners that chance has a hand in learn from all rows so many times, since their mean is better than each; from so many on
# the models of the folds, which saw two thirds of the rows, no longer help. A blend likes to have so many fits in all.
FITS, FITS_ENOUGH, FITS_OF_A_BLEND = 4, 2, 6


@dataclass(frozen=True)
class Source:
    """One candidate in a final model: its weight, its fitted parts, and the seconds that they took for each row (``None``: not fitted again)."""

    checked: Checked
    weight: float
    parts: list[tuple[Any, Any]]
    pace: float | None = None


@dataclass(frozen=True)
class Final:
    """What was fitted: members with weights, the trial that it is, how many rows it learned from, and its validation outputs (a blend)."""

    members: list[Any]
    weights: list[float]
    trial: Trial
    rows: int
    out: Array | None = None
    sources: list[Source] = field(default_factory=list)


def final_seconds(trial: Trial, plan: Plan, rows: int) -> float:
    """How long the final fit of this candidate is likely to take on so many rows."""
    learned = plan.rows * (0.8 if plan.folds == 1 else 1 - 1 / plan.folds)
    return 1.25 * trial.seconds / plan.fits * max(rows / max(learned, 1.0), 1.0)


@dataclass(frozen=True)
class Finals:
    """The training rows, the time in which final models are fitted, and how many at once."""

    X: Encoded
    y: Array
    rows: Rows
    problem: Problem
    plan: Plan
    clock: Clock
    width: int = 1

    def fit(self, best: Checked | None, blend: tuple[list[Checked], list[float]] | None, search: Search) -> Final:
        """Fit the blend if there is one and time for it, else the best candidate; without any, something quick."""
        if best is None:
            return self._quick(search.next_number())
        if blend is not None:
            members, weights = blend
            each = [self._seconds(m) for m in members]
            if max(sum(each) / self.width, *each) <= self.clock.left() - self.plan.explain_seconds:
                return self._blend(members, weights, search)
        source, rows = self._source(best, 1.0)
        parts = source.parts
        return Final(parts, [1 / len(parts)] * len(parts), best.trial, rows, sources=[source])

    def everything(self, final: Final, seconds_kept: float) -> tuple[list[tuple[Any, Any]], list[float]] | None:
        """The same model learned from these rows, which are all there are: (parts, weights), or None where there is no time.

        Boosting and networks learn several times with other random numbers, as often as the time allows. Their models of
        folds count as one of these fits, and give way to two; all other learners give way to one fit of all rows.
        """
        members: list[tuple[Any, Any]] = []
        weights: list[float] = []
        prepared, paces = Memo(), {id(source): source.pace for source in final.sources}

        def again(asked: tuple[Source, int]) -> tuple[Any, Any] | None:
            source, number = asked
            began = time.monotonic()
            part = self._again(replace(source, pace=paces[id(source)]), number, prepared, seconds_kept)
            if part is not None:
                paces[id(source)] = (time.monotonic() - began) / len(self.y)
            return part

        # Each once before any of them twice, what counts most first.
        sources = sorted(final.sources, key=lambda source: -source.weight)
        asked = [(source, number) for number in range(FITS) for source in sources if number < (FITS if KINDS[source.checked.trial.family].bagged else 1)]
        made = self._each(again, asked)
        for source in final.sources:
            fits = [part for (each, _), part in zip(asked, made, strict=True) if each is source and part is not None]
            kept = source.parts if not fits or (len(source.parts) > 1 and len(fits) < FITS_ENOUGH) else []
            share = source.weight / (len(fits) + bool(kept))
            members += kept + fits
            weights += [share / max(len(kept), 1)] * len(kept) + [share] * len(fits)
        return (members, weights) if any(part is not None for part in made) else None

    def _each(self, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        return each_on_a_core(self.width, self.problem.threads, work, items)

    def _again(self, source: Source, number: int, prepared: Memo, seconds_kept: float) -> tuple[Any, Any] | None:
        """One candidate learned from all rows, where there is time; ``number`` says which of its fits it is."""
        left = self.clock.left() - seconds_kept
        # What it took a moment ago tells more than what its candidate took, which had rows to stop at and began cold.
        guessed = final_seconds(source.checked.trial, self.plan, len(self.y))
        needed = guessed if source.pace is None else min(guessed, 1.2 * source.pace * len(self.y))
        if self.clock.stopped() or SLACK * needed >= left:
            return None
        other = replace(self, problem=replace(self.problem, seed=self.problem.seed + number))
        step, fitted = other._fit_rows(source.checked.trial, np.arange(len(self.y)), self.clock.allow(left), prepared)
        return None if fitted.cut else (step, fitted.model)

    def _bagged(self, checked: Checked) -> bool:
        # The folds' models saw earlier rows only where validation goes forward in time, and few rows where a sample was searched.
        return bool(checked.bag) and self.rows.order is None and self.plan.rows >= len(self.y)

    def _seconds(self, checked: Checked) -> float:
        return 0.0 if self._bagged(checked) else final_seconds(checked.trial, self.plan, len(self.y))

    def _source(self, checked: Checked, weight: float) -> tuple[Source, int]:
        """A candidate fitted for good, and the rows that it learned from."""
        began = time.monotonic()
        parts, rows = self._one(checked)
        fresh = not self._bagged(checked) and parts != [checked.kept]
        return Source(checked, weight, parts, (time.monotonic() - began) / max(rows, 1) if fresh else None), rows

    def _one(self, checked: Checked) -> tuple[list[tuple[Any, Any]], int]:
        """The fitted parts of one candidate, of equal weight, and the rows that they learned from."""
        if self._bagged(checked):
            return checked.bag, len(self.y)
        needed = final_seconds(checked.trial, self.plan, len(self.y))
        stopped = self.clock.stopped()
        left = STOP_SECONDS if stopped else max(self.clock.left() - 0.5 * self.plan.explain_seconds, STOP_SECONDS)
        if checked.kept is not None and stopped and needed > left:
            return [checked.kept], self._kept_rows()
        share = min(1.0, left / max(needed, 1e-9))
        chosen = sample_rows(self.rows, max(int(len(self.y) * share), min(self.plan.rows, len(self.y))), self.problem.seed)
        allowance = self.clock.allow(left, heed_stop=not stopped)
        step, fitted = self._fit_rows(checked.trial, chosen, allowance)
        return [(step, fitted.model)], len(chosen)

    def _kept_rows(self) -> int:
        return int(self.plan.rows * (0.8 if self.plan.folds == 1 else 1 - 1 / self.plan.folds))

    def _fit_rows(self, trial: Trial, chosen: Array, allowance: Allowance, prepared: Memo | None = None) -> tuple[Any, Fitted]:
        kind = KINDS[trial.family]
        params: Params = dict(trial.params)
        held = np.empty(0, dtype=np.int64)
        if trial.family == "lightgbm":
            if len(chosen) > 1.5 * self.plan.rows:
                # More rows than the search saw carry more rounds; a slice that is not learned says when to end.
                part = np.random.default_rng([self.problem.seed, 21]).random(len(chosen)) < min(0.1, 20_000 / len(chosen))
                held, chosen = chosen[part], chosen[~part]
                params["rounds"] = max(4 * params["rounds"], 500)
            else:
                params["rounds"] = max(round(1.1 * params["rounds"]), 1)
        whole = len(chosen) == len(self.y)

        def make() -> tuple[Any, Material]:
            rows = (self.X if whole else self.X.take(chosen), self.y if whole else self.y[chosen])
            return prepare(kind, params, self.problem, rows)

        step, material = prepared.get((kind.prepare_key(params), 0), make) if prepared and whole else make()
        if len(held):
            material.X_valid, material.y_valid = step.transform(self.X.take(held)), self.y[held]
        fitted = kind.learn(material, params, self.problem, allowance)
        if "power" in params:
            shares = np.bincount(self.y, minlength=self.problem.classes) / len(self.y)
            fitted = replace(fitted, model=Calibrated(fitted.model, params["power"], params["pinch"], shares.tolist()))
        return step, fitted

    def _blend(self, members: list[Checked], weights: list[float], search: Search) -> Final:
        fitted = self._each(lambda asked: self._source(*asked), list(zip(members, weights, strict=True)))
        outs = [np.asarray(m.out) for m in members]
        mixed = sum(w * out for w, out in zip(weights, outs, strict=True))
        seen = np.isfinite(np.asarray(mixed)).all(axis=1)
        out = np.asarray(mixed)[seen]
        score = score_of(self.problem.metric, Truth(self.problem.task, search.ground.y[seen], out if self.problem.classes else out[:, 0]))
        trial = Trial(
            number=search.next_number(),
            family="ensemble",
            label=f"Blend of {len(members)} models",
            params={f"trial {m.trial.number}": round(w, 3) for m, w in zip(members, weights, strict=True)},
            score=score,
            seconds=round(sum(m.trial.seconds for m in members), 3),
            at=now(),
            is_best=True,
        )
        sources = [source for source, _ in fitted]
        parts = [(part, source.weight / len(source.parts)) for source in sources for part in source.parts]
        return Final([part for part, _ in parts], [weight for _, weight in parts], trial, min(rows for _, rows in fitted), np.asarray(mixed), sources)

    def _quick(self, number: int) -> Final:
        """Where no candidate came to a score: linear on a few rows, so that there is always a model."""
        kind = KINDS["linear"]
        chosen = sample_rows(self.rows, 2000, self.problem.seed)
        strong = 10.0 + self.X.shape[1]
        params = {"C": 1.0 / strong, "iterations": 100, "bins": 0} if self.problem.classes else {"alpha": strong, "bins": 0}
        step, material = prepare(kind, params, self.problem, (self.X.take(chosen), self.y[chosen]))
        fitted = kind.fit(material, params, self.problem, self.clock.allow(2.0, heed_stop=False))
        trial = Trial(number=number, family="linear", label=kind.label(params), params=params, at=now(), is_best=True)
        return Final([(step, fitted.model)], [1.0], trial, len(chosen))
