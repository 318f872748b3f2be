"""The process of a job steps back behind what people wait for."""

from __future__ import annotations

import gc
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from dapp_ext.services.allocation import keep_loaded
from dapp_ext.services.children import step_back

GROUPS = Path("/proc/sys/kernel/sched_autogroup_enabled")


def _levels(pipe: Any) -> None:
    os.setsid()
    before = os.nice(0)
    step_back(5)
    policy = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None
    group = Path("/proc/self/autogroup").read_text() if GROUPS.exists() else ""
    pipe.send((os.nice(0) - before, policy, group))


def test_a_job_steps_back_behind_all_else() -> None:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_levels, args=(there,))
    process.start()
    stepped, policy, group = here.recv()
    process.join()
    assert stepped == min(5, 19 - os.nice(0))
    if policy is not None:
        assert policy == os.SCHED_BATCH
    if GROUPS.exists() and GROUPS.read_text().strip() == "1":
        assert group.strip().endswith(f"nice {os.nice(0) + stepped}"), "its session steps back too, not only the process within it"


def _frozen(pipe: Any) -> None:
    keep_loaded()
    pipe.send((gc.get_freeze_count(), len(gc.get_objects())))


def test_what_was_loaded_is_not_looked_through_in_the_process_of_a_job() -> None:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_frozen, args=(there,))
    process.start()
    kept, looked_through = here.recv()
    process.join()
    assert looked_through < kept / 100


@pytest.mark.parametrize("rows", [1, 300])
def test_few_rows_are_answered_by_one_thread_the_same(rows: int) -> None:
    import numpy as np

    from dapp_ext.domain.learning.clock import Clock
    from dapp_ext.domain.learning.learners import Material, Problem, fit_boosted

    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4)).astype(np.float32)
    fitted = fit_boosted(
        Material(X, X[:, 0] * X[:, 1]),
        {"rounds": 20, "learning_rate": 0.1, "num_leaves": 7},
        Problem("regression", 0, "rmse", 2, 0),
        Clock(30.0, lambda: False).allow(30.0),
    )
    booster = fitted.model.booster()
    for threads in (1, 2):
        np.testing.assert_array_equal(fitted.model.raw(X[:rows]), booster.predict(X[:rows], num_threads=threads))
