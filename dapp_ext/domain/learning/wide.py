"""A search whose candidates are checked side by side, on other machines or on this one's cores.

A search by number draws candidate *k* when all but the last ``width`` before it are known, whichever came back first. So
the same seed on a cluster of the same width gives the same search. A search by time takes what comes first. What a
machine does not bring back, because it was lost, is checked here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from threadpoolctl import threadpool_limits

from dapp_ext.domain.learning.clock import POLL_SECONDS, Clock
from dapp_ext.domain.learning.preparation import load_libraries
from dapp_ext.domain.learning.search import FIRST_SHARE, Checked, Ground, Memo, Search
from dapp_ext.domain.machines import Engine, Lost
from dapp_ext.schema.models import Trial

# How many candidates at the most, and the seconds that have to be left behind the best of them.
Bounds = tuple[int | None, Callable[[Trial | None], float]]


@dataclass(frozen=True)
class Terms:
    """On what terms a candidate is checked: its time, how many folds, whether it must come to a score or may do with less,
    and whom it races against."""

    seconds: float
    need_score: bool
    folds: int
    first_share: float
    guided: bool
    settles: bool
    leader: Checked | None


@dataclass(frozen=True)
class Asked:
    """A candidate on its way: what it is, and what it will bring."""

    trial: Trial
    terms: Terms
    future: Future[Any]


def check(ground: Ground, trial: Trial, terms: Terms, clock: Clock | None = None) -> Checked:
    """Cross-validate one candidate; ``clock`` is the search's own where this is its process.

    On another machine all that it needs is given, and nothing is kept.
    """
    load_libraries(ground.X)
    if clock is None:
        with threadpool_limits(limits=1):
            alone = replace(ground, problem=replace(ground.problem, threads=1), memo=Memo(), own={})
            return check(alone, trial, terms, Clock(terms.seconds, lambda: False))
    there = Search(replace(ground, folds=ground.folds[: terms.folds]), clock, lambda _: None, {}, [])
    there.first_share, there.guided, there.settles = terms.first_share, terms.guided, terms.settles
    there.checked = [terms.leader] if terms.leader is not None else []
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
    """Try candidates side by side until the limit, the time or a wish to stop ends it; see :meth:`Search.run`."""
    search.settles = limit is None
    ground = engine.keep(replace(search.ground, memo=Memo(), own={}))
    under_way: deque[Asked] = deque()
    while True:
        if search.clock.stopped():
            search.cut_short = True
            break
        enough = limit is None and search.is_enough()
        while not enough and len(under_way) < engine.width and (limit is None or len(search.checked) + len(under_way) < limit):
            asked = _next(search, engine, ground, under_way, (limit, reserve))
            if asked is None:
                break
            under_way.append(asked)
        if not under_way:
            search.cut_short = search.cut_short or (limit is not None and len(search.checked) < limit)
            return
        come = _come(under_way, limit is not None)
        if come is not None:
            under_way.remove(come)
            _take(search, come)
    for each in under_way:
        each.future.cancel()


def _next(search: Search, engine: Engine, ground: Any, under_way: deque[Asked], bounds: Bounds) -> Asked | None:
    """Send the next candidate out, where there is time for it."""
    if not search.open_families():
        return None
    limit, reserve = bounds
    best = search.best()
    left = search.clock.left() - reserve(best.trial if best else None) - engine.way
    if left <= 0.5 and (best is not None or under_way):
        return None
    number = search.last_number + 1
    drawn = search.fitting_candidate(number, left, [each.trial for each in under_way])
    if drawn is None:
        return None
    search.last_number = number
    leader = None if best is None else Checked(best.trial, folds=best.folds)
    share = FIRST_SHARE if limit is None else 0.9
    terms = Terms(max(left, 0.5), best is None, len(search.ground.folds), share, search.guided, search.settles, leader)
    trial = search.blank(number, *drawn)
    return Asked(trial, terms, engine.submit(check, ground, trial, terms))


def _come(under_way: deque[Asked], in_order: bool) -> Asked | None:
    """Wait a moment for a candidate: the one with the lowest number, or any."""
    awaited = [under_way[0]] if in_order else list(under_way)
    done, _ = wait([each.future for each in awaited], POLL_SECONDS, FIRST_COMPLETED)
    return next((each for each in awaited if each.future in done), None)


def _take(search: Search, asked: Asked) -> None:
    """Write down what came back; what was lost is checked here."""
    try:
        done: Checked = asked.future.result()
    except Lost:
        alone = replace(search.ground, problem=replace(search.ground.problem, threads=1), memo=Memo(), own={})
        with threadpool_limits(limits=1):
            done = check(alone, asked.trial, replace(asked.terms, seconds=max(search.clock.left(), 0.5)), search.clock)
    if asked.terms.need_score and done.trial.score is not None and len(done.folds) < len(search.ground.folds):
        search.ground.folds = search.ground.folds[: len(done.folds)]  # so many are what the time holds
    search.record(done)
