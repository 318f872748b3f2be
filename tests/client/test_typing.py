"""The types of the client as a user's own script meets them, under mypy's strictest rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
from pathlib import Path

import pandas as pd

from dapp_ext.client import DAPPClient, Dataset, Model, Results


def score(path: Path) -> pd.DataFrame:
    with DAPPClient("http://127.0.0.1:8000", token="a token") as client:
        data: Dataset = client.upload_file(path, name="sales")
        model: Model = client.train_model(data, "won", time_budget=60, families=["linear"])
        results: Results = client.get_results(model.wait())
        print(results.sentence, results.equally_good[0].label)
        frame = client.get_processed_data(data, filter="amount > 3")
        policy = client.set_threshold(model, cost_false_alarm=1.0, cost_missed=5.0)
        assert 0 <= policy.threshold <= 1
        return client.predict(model, frame)


wrong: int = DAPPClient().get_results("sales").sentence
"""


@pytest.mark.long
def test_a_script_is_checked_strictly_and_only_its_mistake_is_told(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--cache-dir", str(tmp_path / "cache"), "script.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    lines = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(lines) == 1, done.stdout + done.stderr
    assert 'expression has type "str", variable has type "int"' in lines[0]
