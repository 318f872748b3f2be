"""The search: candidates of the families, cross-validated inside the time or number allowed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from lightgbm.basic import LightGBMError

from dapp_ext.domain.learning.adjusting import Calibrated, adjusted, find_calibration
from dapp_ext.domain.learning.clock import Allowance, Clock
from dapp_ext.domain.learning.families import KINDS, Kind, Params, Shape, propose
from dapp_ext.domain.learning.features import Encoded
from dapp_ext.domain.learning.learners import Fitted, Material, Problem, outputs
from dapp_ext.domain.learning.measures import MEASURES
from dapp_ext.domain.learning.metrics import Truth, better, score_of
from dapp_ext.domain.learning.splits import Fold
from dapp_ext.schema.base import now
from dapp_ext.schema.models import Family, Trial

Array = npt.NDArray[Any]
MEMO_BYTES = 600_000_000
MOST_BAGGED_ROWS, MOST_BAGS = 60_000, 16
FEW_ROWS = 3000
# The share of the time that the first candidate may take, where no number of candidates is asked for.
FIRST_SHARE, FIRST_FOLD_SHARE = 0.45, 0.25
# A candidate is begun where this share of its family's usual time is left, since time that nobody uses is lost; a first linear
# model takes about this share of what others take.
WORTH_BEGINNING, LINEAR_SHARE = 0.8, 0.35
CHANGED_BY_TIME = frozenset({"rounds", "learning_rate", "trees", "epochs"})
BEHIND, BEHIND_BY = "Clearly behind the best on the first rows, so it was not tried on the others.", 0.02


@dataclass
class Memo:
    """Prepared folds, kept while they fit; several threads may ask, and what one prepares the others wait for."""

    parts: dict[tuple[str, int], tuple[Any, Material]] = field(default_factory=dict)
    taken: int = 0
    locks: dict[tuple[str, int], threading.Lock] = field(default_factory=dict)

    def get(self, key: tuple[str, int], make: Callable[[], tuple[Any, Material]]) -> tuple[Any, Material]:
        """The part of this key, made where there is none."""
        with self.locks.setdefault(key, threading.Lock()):
            if key in self.parts:
                return self.parts[key]
            made = make()
            size = sum(_bytes(part) for part in (made[1].X, made[1].X_valid) if part is not None)
            if self.taken + size <= MEMO_BYTES:
                self.parts[key] = made
                self.taken += size
            return made


@dataclass
class Ground:
    """What is searched on: encoded rows, their target, folds and the problem.

    ``memo`` holds prepared folds for all who search on them, ``own`` what a learner keeps between fits: libraries change
    that, so it belongs to one thread.
    """

    X: Encoded
    y: Array
    folds: list[Fold]
    problem: Problem
    memo: Memo = field(default_factory=Memo)
    own: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        """Rows that a fold learns from and columns."""
        return Shape(len(self.folds[0].train), self.X.shape[1])

    def prepared(self, kind: Kind, params: Params, number: int) -> tuple[Any, Material]:
        """The fitted preparation of a fold and its prepared rows."""
        key, fold = (kind.prepare_key(params), number), self.folds[number]

        def make() -> tuple[Any, Material]:
            step, material = prepare(kind, params, self.problem, (self.X.take(fold.train), self.y[fold.train]))
            material.X_valid, material.y_valid = step.transform(self.X.take(fold.valid)), self.y[fold.valid]
            return step, material

        step, material = self.memo.get(key, make)
        own = self.own.setdefault(key, {}) if key in self.memo.parts else {}
        return step, replace(material, memo=own)


def _bytes(X: Any) -> int:
    return int(X.nbytes) if hasattr(X, "nbytes") else int(X.data.nbytes + X.indices.nbytes)


def prepare(kind: Kind, params: Params, problem: Problem, rows: tuple[Encoded, Array]) -> tuple[Any, Material]:
    """Fit a family's preparation on rows (features and target) and prepare them."""
    step = kind.prepare(params, problem)
    X = step.fit_transform(*rows)
    return step, Material(X, rows[1], categorical=getattr(step, "categorical_", None))


def _same(one: Params, other: Params) -> bool:
    return all(one[name] == other.get(name) for name in one if name not in CHANGED_BY_TIME)


@dataclass
class Checked:
    """What one candidate left behind: its trial, its predictions of rows it had not seen, and the models of its folds.

    ``bag`` holds (preparation, model) of every fold where their mean makes a better final model than one fit of all rows,
    ``folds`` the score of each fold.
    """

    trial: Trial
    out: Array | None = None
    kept: tuple[Any, Any] | None = None
    bag: list[tuple[Any, Any]] = field(default_factory=list)
    folds: list[float] = field(default_factory=list)


@dataclass
class Search:
    """The state of a search."""

    ground: Ground
    clock: Clock
    report: Callable[[Trial], None]
    fixed: dict[str, Params]
    families: Sequence[Family]
    checked: list[Checked] = field(default_factory=list)
    cut_short: bool = False
    last_number: int = 0
    first_share: float = FIRST_SHARE
    guided: bool = False
    settles: bool = False
    # Tiny tables: after this many candidates another one no longer tells anything.
    most: int = 200

    def best(self) -> Checked | None:
        """The best candidate so far."""
        scored = [c for c in self.checked if c.trial.score is not None]
        sign = -1 if MEASURES[self.ground.problem.metric].greater_is_better else 1
        return min(scored, key=lambda c: (sign * (c.trial.score or 0.0), c.trial.number)) if scored else None

    def resume(self, finished: Sequence[Trial]) -> None:
        """Take over the trials of an earlier attempt; a blend is none of its own, but its number stays taken."""
        self.checked = [Checked(t.model_copy(update={"is_best": False})) for t in finished if t.family in self.families]
        self.last_number = max((t.number for t in finished), default=0)

    def next_number(self) -> int:
        """The number of the next trial."""
        self.last_number += 1
        return self.last_number

    def run(self, limit: int | None, reserve: Callable[[Trial | None], float]) -> None:
        """Try candidates one after the other until the limit, the time (less the reserve for the best so far) or a wish to stop ends it."""
        self.settles = limit is None
        while limit is None or len(self.checked) < limit:
            if self.clock.stopped():
                self.cut_short = True
                return
            if not self.open_families():
                return
            best = self.best()
            left = self.clock.left() - reserve(best.trial if best else None)
            number = self.next_number()
            drawn = self.fitting_candidate(number, left)
            if drawn is None:
                self.cut_short = limit is not None
                return
            allowance = self.clock.allow(max(left, 0.5 if best is None else 0.0))
            self.first_share = FIRST_SHARE if limit is None else 0.9
            self.record(self.attempt(self.blank(number, *drawn), allowance, best is None))
            if limit is None and self.is_enough():
                return

    def is_enough(self) -> bool:
        """Whether another candidate no longer tells anything."""
        return len(self.checked) >= self.most

    def fitting_candidate(self, number: int, left: float, under_way: Sequence[Trial] = ()) -> tuple[Family, Params] | None:
        """The next candidate, or a cheaper one where it does not fit into the seconds left; ``None`` where no other does."""
        family, params = self.next_candidate(number, under_way)
        if self.best() is None or left >= WORTH_BEGINNING * self.seconds_of(family):
            return family, params
        return self._cheaper(number, left, under_way)

    def open_families(self) -> list[Family]:
        """The families that may still be tried."""
        return [family for family in self.families if family not in self.clock.skipped]

    def next_candidate(self, number: int, under_way: Sequence[Trial] = ()) -> tuple[Family, Params]:
        """First the first settings of each family, then guided random ones, mostly of the best families."""
        known = [*(c.trial for c in self.checked), *under_way]
        for family, params in self.portfolio():
            if family not in self.clock.skipped and not any(_same(params, trial.params) for trial in known if trial.family == family):
                self.guided = False
                return family, params
        self.guided = True
        rng = np.random.default_rng([self.ground.problem.seed, 100, number])
        return self._guided(self._pick(rng), rng)

    def portfolio(self) -> list[tuple[Family, Params]]:
        """The settings that are tried before any guided ones: the first of each family, then the second of each, and so on."""
        # Few rows: a linear model is there at once, so that nothing can leave the search without one.
        first: list[Family] = ["linear"] if self.ground.shape.rows < FEW_ROWS and "linear" in self.families else []
        lists = [(f, KINDS[f].firsts(self.ground.problem, self.ground.shape)) for f in [*first, *(f for f in self.families if f not in first)]]
        deepest = max((len(settings) for _, settings in lists), default=0)
        return [(f, {**settings[i], **self.fixed.get(f, {})}) for i in range(deepest) for f, settings in lists if i < len(settings)]

    def _guided(self, family: Family, rng: np.random.Generator) -> tuple[Family, Params]:
        best = self._best_of(family)
        params: Params = {}
        for _ in range(10):
            drawn = propose(KINDS[family], self.ground.problem, self.ground.shape, best.params if best else None, rng)
            params = {**drawn, **self.fixed.get(family, {})}
            if not any(_same(params, c.trial.params) for c in self.checked if c.trial.family == family):
                break
        return family, params

    def _pick(self, rng: np.random.Generator) -> Family:
        ranked = self._ranked()
        weights = 0.45 ** np.arange(len(ranked))
        return ranked[int(rng.choice(len(ranked), p=weights / weights.sum()))]

    def _ranked(self) -> list[Family]:
        """The families that may still be tried, the best so far first."""
        sign = -1 if MEASURES[self.ground.problem.metric].greater_is_better else 1
        return sorted(self.open_families(), key=lambda f: sign * t.score if (t := self._best_of(f)) and t.score is not None else np.inf)

    def _best_of(self, family: str) -> Trial | None:
        sign = -1 if MEASURES[self.ground.problem.metric].greater_is_better else 1
        mine = [c.trial for c in self.checked if c.trial.family == family and c.trial.score is not None]
        return min(mine, key=lambda t: sign * (t.score or 0.0)) if mine else None

    def seconds_of(self, family: str) -> float:
        """How long candidates of a family have taken."""
        mine = [c.trial.seconds for c in self.checked if c.trial.family == family and c.trial.status == "done"]
        everyone = [c.trial.seconds for c in self.checked if c.trial.status == "done"]
        return float(np.mean(mine or everyone or [0.0]))

    def _cheaper(self, number: int, left: float, under_way: Sequence[Trial]) -> tuple[Family, Params] | None:
        # The family drawn does not fit any more; one of the two that lead may, or a linear model that everything else is measured against.
        family = next((f for f in self._ranked()[:2] if self._best_of(f) and WORTH_BEGINNING * self.seconds_of(f) <= left), None)
        self.guided = family is not None
        if family is not None:
            return self._guided(family, np.random.default_rng([self.ground.problem.seed, 100, number]))
        untried = "linear" in self.open_families() and not any(t.family == "linear" for t in (*(c.trial for c in self.checked), *under_way))
        if untried and LINEAR_SHARE * self.seconds_of("linear") <= left:
            return next((f, params) for f, params in self.portfolio() if f == "linear")
        return None

    @staticmethod
    def blank(number: int, family: Family, params: Params) -> Trial:
        """A candidate before anything is known of it."""
        return Trial(number=number, family=family, label=KINDS[family].label(params), params=params, at=now())

    def attempt(self, trial: Trial, allowance: Allowance, need_score: bool) -> Checked:
        """Cross-validate a candidate; a learner that gives up leaves a failed trial."""
        began = time.monotonic()
        self.clock.trying = trial.family
        try:
            done = self._cross_validate(trial, KINDS[trial.family], allowance, need_score)
        except (ValueError, FloatingPointError, np.linalg.LinAlgError, MemoryError, LightGBMError) as error:
            done = Checked(trial.model_copy(update={"status": "failed", "error": f"The learner gave up ({type(error).__name__})."}))
        finally:
            self.clock.trying = None
        done.trial = done.trial.model_copy(update={"seconds": round(time.monotonic() - began, 3)})
        return done

    def record(self, done: Checked) -> None:
        """Take a candidate that was checked into what is known, and tell of it."""
        best = self.best()
        score = done.trial.score
        is_best = score is not None and (best is None or better(self.ground.problem.metric, score, best.trial.score or 0.0))
        done.trial = done.trial.model_copy(update={"at": now(), "is_best": is_best})
        if is_best:
            for other in self.checked:
                other.kept = None
        else:
            done.kept = None
        self.checked.append(done)
        self._thin_bags()
        self.report(done.trial)

    def _thin_bags(self) -> None:
        # Models of folds are worth their memory only while their candidate may still become a part of the final model.
        sign = -1 if MEASURES[self.ground.problem.metric].greater_is_better else 1
        bagged = sorted((c for c in self.checked if c.bag), key=lambda c: sign * (c.trial.score or 0.0))
        for checked in bagged[MOST_BAGS:]:
            checked.bag = []

    def _cross_validate(self, trial: Trial, kind: Kind, allowance: Allowance, need_score: bool) -> Checked:
        ground, problem = self.ground, self.ground.problem
        width = max(problem.classes, 1)
        total, times = np.zeros((len(ground.y), width)), np.zeros(len(ground.y))
        tried = Tried()
        allowance.whole = not need_score
        given = allowance.left()
        for number, fold in enumerate(ground.folds):
            rest, allowance.pieces = len(ground.folds) - number, 1
            if number and allowance.hopeless(tried.spent() / number * rest):
                break
            part = self._part(allowance, given, rest) if need_score else allowance
            part.pieces, part.settles = (1 if need_score else rest), self.settles and number == 0
            step, material = ground.prepared(kind, trial.params, number)
            fitted: Fitted = kind.learn(material, trial.params, problem, part)
            if fitted.cut and not (need_score and (number == 0 or not self.clock.stopped())):
                break
            if fitted.settled:
                trial = trial.model_copy(update={"params": {**trial.params, **fitted.settled}})
            out = tried.ask(fitted.model, material, (fold, problem))
            total[fold.valid] += out.reshape(len(fold.valid), width)
            times[fold.valid] += 1
            tried.note(step, fitted, score_of(problem.metric, Truth(problem.task, ground.y[fold.valid], out)))
            if self._behind(tried.scored, number, len(ground.folds)):
                return Checked(trial.model_copy(update={"status": "stopped", "error": BEHIND}))
            if need_score and number == 0 and rest > 1:
                self._fewer_folds(tried.spent(), given)
            if number + 1 >= len(ground.folds) or (allowance.over() and (not need_score or self.clock.stopped())):
                break
        complete = len(tried.scored) == len(ground.folds)
        if not tried.scored or not (complete or need_score):
            return Checked(trial.model_copy(update={"status": "stopped"}))
        if not np.isfinite(tried.scored).all():
            return Checked(trial.model_copy(update={"status": "failed", "error": "Too few rows of a class to check this candidate."}))
        out_all = np.where(times[:, None] > 0, total / np.maximum(times, 1)[:, None], np.nan)
        whole = complete and kind.bagged and len(ground.folds) > 1 and len(ground.y) <= MOST_BAGGED_ROWS
        update = tried.told(trial.params, max(times.sum(), 1.0))
        kept = tried.bag[0]
        if complete and kind.calibrated and problem.metric == "log_loss":
            out_all, kept = self._calibrate(tried, out_all, update, kept)
        return Checked(trial.model_copy(update=update), out_all if complete else None, kept, tried.bag if whole else [], tried.scored)

    def _calibrate(self, tried: Tried, out: Array, update: dict[str, Any], kept: tuple[Any, Any]) -> tuple[Array, tuple[Any, Any]]:
        """Put probabilities right where that clearly helps on the rows held back; the candidate's figures are then those after it."""
        ground = self.ground
        seen = np.isfinite(out).all(axis=1)
        shares = np.bincount(ground.y, minlength=ground.problem.classes) / len(ground.y)
        found = find_calibration(out[seen], ground.y[seen], shares)
        if found is None:
            return out, kept
        tried.scored = [score_of("log_loss", Truth(ground.problem.task, ground.y[rows], adjusted(each, *found, shares))) for rows, each in tried.outs]
        update |= {"score": float(np.mean(tried.scored)), "std": float(np.std(tried.scored))}
        update["params"] = {**update["params"], "power": found[0], "pinch": found[1]}
        calibrated = np.full_like(out, np.nan)
        calibrated[seen] = adjusted(out[seen], *found, shares)
        return calibrated, (kept[0], Calibrated(kept[1], found[0], found[1], shares.tolist()))

    def _behind(self, scored: list[float], number: int, folds: int) -> bool:
        """Whether a guided candidate is so far behind the best of all on the same folds that it need not go on."""
        best = self.best()
        if not self.guided or best is None or number + 1 >= folds or len(best.folds) != folds:
            return False
        sign = -1 if MEASURES[self.ground.problem.metric].greater_is_better else 1
        theirs = float(np.mean(best.folds[: number + 1]))
        return bool(sign * (np.mean(scored) - theirs) > BEHIND_BY * abs(theirs))

    def _part(self, allowance: Allowance, given: float, rest: int) -> Allowance:
        """The time of the next fold of a candidate that is kept in any case."""
        if rest == len(self.ground.folds):
            share = max(self.first_share / rest, min(FIRST_FOLD_SHARE, self.first_share))
            return self.clock.allow(share * given)
        spent = given - allowance.left()
        return self.clock.allow(max(1.5 * self.first_share * given - spent, 0.1 * given) / rest)

    def _fewer_folds(self, seconds: float, given: float) -> None:
        """After the first fold: only as many folds as the time holds, since few good models tell more than many unfinished ones."""
        possible = int(self.first_share * given / max(seconds, 1e-6))
        if possible < len(self.ground.folds):
            self.ground.folds = self.ground.folds[: max(possible, 1)]


@dataclass
class Tried:
    """What the folds of one candidate have told so far."""

    scored: list[float] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    bag: list[tuple[Any, Any]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    outs: list[tuple[Array, Array]] = field(default_factory=list)
    predicting: float = 0.0

    def spent(self) -> float:
        """Seconds since the first fold began."""
        return time.monotonic() - self.began

    def ask(self, model: Any, material: Material, where: tuple[Fold, Problem]) -> Array:
        """What the model says about the rows held back."""
        asked = time.monotonic()
        out = outputs(model, material.X_valid, where[1])
        self.predicting += time.monotonic() - asked
        self.outs.append((where[0].valid, out))
        return out

    def note(self, step: Any, fitted: Fitted, score: float) -> None:
        """Keep what one fold told."""
        self.scored.append(score)
        self.rounds += [fitted.rounds] if fitted.rounds else []
        self.rates += [fitted.rate] if fitted.rate else []
        self.bag.append((step, fitted.model))

    def told(self, params: Params, answers: float) -> dict[str, Any]:
        """The trial's figures, with the rounds and the rate that were really used."""
        used = {**({"rounds": round(float(np.mean(self.rounds)))} if self.rounds else {}), **({"learning_rate": self._rate(params)} if self.rates else {})}
        return {
            "score": float(np.mean(self.scored)),
            "std": float(np.std(self.scored)),
            "params": {**params, **used},
            "fit_seconds": round((self.spent() - self.predicting) / len(self.scored), 4),
            "predict_seconds": round(1000 * self.predicting / answers, 5),
        }

    def _rate(self, params: Params) -> float:
        usual = [float(params["learning_rate"])] * (len(self.scored) - len(self.rates))
        return float(f"{np.mean([*self.rates, *usual]):.3g}")
