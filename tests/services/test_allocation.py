"""A job takes the cores that are its own: all of them, and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dapp_ext.domain.learning import load_predictor
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.models import TrainRequest
from dapp_ext.services import Services, allocation, files
from dapp_ext.store.tables import Model

SAMPLES = Path(__file__).parents[2] / "dapp_ext" / "samples"


def test_a_training_uses_the_cores_of_its_job(
    services: Services, owner: Actor, upload: Callable[..., Any], run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    dataset = upload(owner, (SAMPLES / "penguins.csv").read_bytes(), "penguins.csv")
    run_jobs()
    made = services.models.train(owner, TrainRequest(dataset=dataset.id, target="species", trials=1, families=["lightgbm"]))
    run_jobs()
    with services.context.database.read() as session:
        row = session.get(Model, made.id)
        assert row is not None
        predictor = load_predictor(files.read_stored(services.context, session, row.artifact_id or ""))
    assert {model.threads for _, model in predictor.pipeline.steps[-1][1].members} == {3}


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
