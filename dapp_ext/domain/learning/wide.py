"""A search whose candidates are checked side by side on other machines.

The next candidate is chosen by what is known, in the order of numbers: candidate *k* is drawn when all but the last
``width`` before it are known, whichever came back first. So the same seed on a cluster of the same width gives the same
search. What a machine does not bring back, because it was lost, is checked here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from threadpoolctl import threadpool_limits

from dapp_ext.domain.learning.clock import POLL_SECONDS, Clock
from dapp_ext.domain.learning.search import FIRST_SHARE, WORTH_BEGINNING, Checked, Ground, Search
from dapp_ext.domain.machines import Engine, Lost
from dapp_ext.schema.models import Trial

# What is on its way to a machine and back, besides the work itself.
WAY_SECONDS = 0.5
# How many candidates at the most, and the seconds that have to be left behind the best of them.
Bounds = tuple[int | None, Callable[[Trial | None], float]]


@dataclass(frozen=True)
class Terms:
    """On what terms a candidate is checked: its time, how many folds, whether it must come to a score, and whom it races against."""

    seconds: float
    need_score: bool
    folds: int
    first_share: float
    guided: bool
    leader: Checked | None


@dataclass(frozen=True)
class Asked:
    """A candidate on its way: what it is, and what it will bring."""

    trial: Trial
    terms: Terms
    future: Future[Any]


def check(ground: Ground, trial: Trial, terms: Terms, clock: Clock | None = None) -> Checked:
    """Cross-validate one candidate on another machine; all that it needs is given, and nothing is kept."""
    clock = clock or Clock(terms.seconds, lambda: False)
    problem = replace(ground.problem, threads=1)
    alone = replace(ground, problem=problem, folds=ground.folds[: terms.folds], memo={}, memo_bytes=0)
    there = Search(alone, clock, lambda _: None, {}, [], first_share=terms.first_share, guided=terms.guided)
    there.checked = [terms.leader] if terms.leader is not None else []
    with threadpool_limits(limits=1):
        return there.attempt(trial, clock.allow(terms.seconds), terms.need_score)


def score(model: bytes, rows: Any) -> tuple[Any, list[str]]:
    """Answers for some rows on another machine, and what was found about them; the model is read once by each process."""
    return _opened(model).predict(rows)


def score_wide(engine: Engine, model: bytes, batches: Iterable[Any], here: Callable[[Any], tuple[Any, list[str]]]) -> Iterator[tuple[Any, Any, list[str]]]:
    """Rows, answers and findings, batch by batch in their order; what no machine brings back is answered by ``here``."""
    kept = engine.keep(model)
    under_way: deque[tuple[Any, Future[Any]]] = deque()

    def take() -> tuple[Any, Any, list[str]]:
        rows, future = under_way.popleft()
        try:
            return (rows, *future.result())
        except Lost:
            return (rows, *here(rows))

    for rows in batches:
        under_way.append((rows, engine.submit(score, kept, rows)))
        if len(under_way) >= engine.width:
            yield take()
    while under_way:
        yield take()


@lru_cache(maxsize=2)
def _opened(model: bytes) -> Any:
    from dapp_ext.domain.learning.storing import load_predictor

    return load_predictor(model)


def run_wide(search: Search, engine: Engine, limit: int | None, reserve: Callable[[Trial | None], float]) -> None:
    """Try candidates on other machines until the limit, the time or a wish to stop ends it; see :meth:`Search.run`."""
    ground = engine.keep(replace(search.ground, memo={}, memo_bytes=0))
    under_way: deque[Asked] = deque()
    while True:
        if search.clock.stopped():
            search.cut_short = True
            break
        while len(under_way) < engine.width and (limit is None or len(search.checked) + len(under_way) < limit):
            asked = _next(search, engine, ground, under_way, (limit, reserve))
            if asked is None:
                break
            under_way.append(asked)
        if not under_way:
            search.cut_short = search.cut_short or (limit is not None and len(search.checked) < limit)
            return
        if _has_come(search, under_way[0]):
            _take(search, under_way.popleft())
        if limit is None and len(search.checked) >= search.most:
            break
    for each in under_way:
        each.future.cancel()


def _next(search: Search, engine: Engine, ground: Any, under_way: deque[Asked], bounds: Bounds) -> Asked | None:
    """Send the next candidate out, where there is time for it."""
    if not search.open_families():
        return None
    limit, reserve = bounds
    best = search.best()
    left = search.clock.left() - reserve(best.trial if best else None) - WAY_SECONDS
    number = search.next_number()
    family, params = search.next_candidate(number, [each.trial for each in under_way])
    if left <= 0.5 and (best is not None or under_way):
        return None
    if best is not None and left < WORTH_BEGINNING * search.seconds_of(family):
        return None
    leader = None if best is None else Checked(best.trial, folds=best.folds)
    share = FIRST_SHARE if limit is None else 0.9
    terms = Terms(max(left, 0.5), best is None, len(search.ground.folds), share, search.guided, leader)
    trial = search.blank(number, family, params)
    return Asked(trial, terms, engine.submit(check, ground, trial, terms))


def _has_come(search: Search, asked: Asked) -> bool:
    """Wait a moment for a candidate."""
    try:
        asked.future.exception(timeout=POLL_SECONDS)
    except TimeoutError:
        return False
    return True


def _take(search: Search, asked: Asked) -> None:
    """Write down what came back; what was lost is checked here."""
    try:
        done: Checked = asked.future.result()
    except Lost:
        done = check(search.ground, asked.trial, replace(asked.terms, seconds=max(search.clock.left(), 0.5)), search.clock)
    if asked.terms.need_score and done.trial.score is not None and len(done.folds) < len(search.ground.folds):
        search.ground.folds = search.ground.folds[: len(done.folds)]  # so many are what the time holds
    search.record(done)
