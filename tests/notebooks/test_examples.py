"""The examples run from top to bottom in a real kernel against a real server, and are kept with small outputs that hold no script."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from dapp_ext.client import DAPPClient
from tests.client.server import JupyterServer

from .test_template import ROOT, executed, shown

EXAMPLES = sorted((ROOT / "notebooks" / "examples").glob("*.ipynb"))
EACH = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
MOST_BYTES = 300_000


def read(name: str) -> nbformat.NotebookNode:
    (path,) = [each for each in EXAMPLES if each.stem.endswith(name)]
    return nbformat.read(path, as_version=4)


def test_there_are_at_least_five() -> None:
    assert [each.stem[:2] for each in EXAMPLES] == [f"{number:02}" for number in range(1, len(EXAMPLES) + 1)]
    assert len(EXAMPLES) >= 5


@EACH
def test_it_is_kept_as_it_ran(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    assert path.stat().st_size < MOST_BYTES
    kept = path.read_text("utf-8")
    assert "<script" not in kept
    assert not re.search(r"(?<![\w.])/(root|home|Users|work|tmp)/", kept)
    assert not re.search(r"token=\w|Bearer ", kept)


@EACH
def test_it_reads_as_a_tutorial(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].source.startswith("# ")
    assert len(cells[0].source) > 150
    texts = [cell for cell in cells if cell.cell_type == "markdown"]
    assert len(texts) >= sum(cell.cell_type == "code" for cell in cells) / 2
    assert any(output.get("data") for cell in cells if cell.cell_type == "code" for output in cell.outputs)


def test_teamwork(jupyter: JupyterServer, client: DAPPClient) -> None:
    notebook = executed(read("teamwork"), jupyter)
    assert "Mara" in shown(notebook, "team")
    assert "no such dataset" in shown(notebook, "private")
    assert "Schooling pays" in shown(notebook, "insight")
    assert "insight.publish" in shown(notebook, "log")
    assert client.model("Who earns more").status == "ready"
    (insight,) = [each for each in client.insights() if each.title == "Schooling pays"]
    assert insight.picture
    assert insight.read.note == client.model("Who earns more").sentence


@pytest.mark.long
def test_explore(jupyter: JupyterServer, client: DAPPClient) -> None:
    notebook = executed(read("explore"), jupyter)
    assert "Rentals by season" in shown(notebook, "all", "text/plain")
    found = {each.read.source: each for each in client.insights(client.dataset("Seoul bikes to explore"))}
    assert set(found) == {"matplotlib", "seaborn", "plotly", "holoviews", "table"}
    assert all(each.picture for source, each in found.items() if source != "table")


@pytest.mark.long
def test_train_and_understand(jupyter: JupyterServer, client: DAPPClient) -> None:
    notebook = executed(read("understand"), jupyter)
    assert "95 % interval" in shown(notebook, "results")
    assert "Female" in shown(notebook, "wrong")
    assert "probability_>50K" in shown(notebook, "what-if")
    assert client.model("Income, to understand").score is not None


@pytest.mark.long
def test_batch_and_monitoring(jupyter: JupyterServer, client: DAPPClient) -> None:
    notebook = executed(read("monitoring"), jupyter)
    assert "Gentoo" in shown(notebook, "batch")
    assert "body_mass_g" in shown(notebook, "watch")
    assert len(client.models("Penguins of")) == 2


@pytest.mark.long
def test_your_own_pipeline(jupyter: JupyterServer, client: DAPPClient) -> None:
    notebook = executed(read("pipeline"), jupyter)
    assert "better" in shown(notebook, "compare")
