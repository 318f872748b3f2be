"""The cores that are a program's own: all of them, and no more."""

from __future__ import annotations

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
