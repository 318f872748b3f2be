"""The cores that are a program's own: all of them, and no more."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dapp_ext.services import allocation


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not tie programs to cores")
def test_a_program_tied_to_one_core_counts_one() -> None:
    program = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); from dapp_ext.services.allocation import cores; print(cores())"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split() == ["1"]


@pytest.mark.parametrize(("limit", "most"), [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1), ("what is this", None)])
def test_a_container_that_may_use_less_counts_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int | None) -> None:
    monkeypatch.setattr(allocation, "_CPU_MAX", tmp_path / "cpu.max")
    without = allocation.cores()
    (tmp_path / "cpu.max").write_text(limit + "\n")
    assert allocation.cores() == (most or without)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert allocation.cores_of_job() == 7


@pytest.mark.parametrize(("long", "frozen"), [(-1.0, True), (3600.0, False)])
def test_what_survives_a_long_look_for_garbage_is_left_out_of_the_next(monkeypatch: pytest.MonkeyPatch, long: float, frozen: bool) -> None:
    before = list(gc.callbacks)
    monkeypatch.setattr(allocation, "_LONG", long)
    gc.callbacks.clear()
    try:
        allocation.keep_settled()
        allocation.keep_settled()  # once is enough
        assert len(gc.callbacks) == 1
        assert gc.get_freeze_count() > 10_000
        later = [[number] for number in range(50_000)]
        count = gc.get_freeze_count()
        gc.collect()
        assert (gc.get_freeze_count() >= count + len(later)) is frozen
        for _ in range(10):
            gc.collect()
        assert gc.callbacks[-1].left >= 0
    finally:
        gc.callbacks[:] = before
        gc.unfreeze()
