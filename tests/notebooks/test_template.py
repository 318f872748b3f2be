"""The template runs from top to bottom in a real kernel against a real server."""

from __future__ import annotations

import copy
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from dapp_ext.client import DAPPClient
from tests.client.server import JupyterServer

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "notebooks" / "templates" / "hybrid_workflow_template.ipynb"
SECONDS = 240


def executed(notebook: nbformat.NotebookNode, jupyter: JupyterServer) -> nbformat.NotebookNode:
    """The notebook after a run in a kernel that has the environment of the server's own kernels."""
    notebook = copy.deepcopy(notebook)
    runner = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(jupyter.folder)}})
    runner.execute(env=jupyter.environment)
    return notebook


def shown(notebook: nbformat.NotebookNode, cell: str, kind: str = "text/plain") -> str:
    """What a cell shows, all of it."""
    (found,) = [each for each in notebook.cells if each.id == cell]
    return "\n".join(str(output.get("data", {}).get(kind, output.get("text", ""))) for output in found.outputs)


def test_template_is_clean() -> None:
    notebook = nbformat.read(TEMPLATE, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")
    headings = [cell.source.splitlines()[0] for cell in notebook.cells if cell.cell_type == "markdown" and cell.source.startswith("#")]
    assert headings[1:] == [
        "## 1. Connect",
        "## 2. Upload",
        "## 3. Look",
        "## 4. Train",
        "## 5. Understand",
        "## 6. Predict",
        "## 7. What your team sees",
        "## 8. The same by pointing",
        "## 9. Write rows back",
    ]


def test_template_runs_and_writes_its_rows_back(jupyter: JupyterServer, client: DAPPClient) -> None:
    notebook = executed(nbformat.read(TEMPLATE, as_version=4), jupyter)
    assert "signed in as Owner" in shown(notebook, "connect")
    assert "3,000 rows" in shown(notebook, "upload", "text/html")
    assert "workclass" in shown(notebook, "profile")
    assert "ready" in shown(notebook, "train", "text/html")
    assert "95 % interval" in shown(notebook, "results", "text/html")
    assert "<svg" in shown(notebook, "results", "text/html")
    assert "probability_>50K" in shown(notebook, "predict")
    assert "Doctorate" in shown(notebook, "what-if")
    assert "dataset.ready" in shown(notebook, "events")
    assert shown(notebook, "pointing", "application/vnd.jupyter.widget-view+json")
    (written,) = client.datasets("Surprising incomes")
    rows = client.get_processed_data(written)
    assert len(rows) == 25
    assert rows["surprise"].is_monotonic_decreasing
    assert set(rows["prediction"]) <= {"<=50K", ">50K"}


LIVE = [
    "from dapp_ext.client import DAPPClient, sample_path\n"
    "from dapp_ext.widgets import ModelTrainingWidget\n"
    "client = DAPPClient()\n"
    "data = client.upload_file(sample_path('penguins'))\n"
    "widget = ModelTrainingWidget(client, data)\n"
    "widget.display()\n"
    "widget.follow(client.train_model(data, 'species', time_budget=300))",
    # The cell holds the kernel's loop: only a change that does not wait for the loop can be seen before its end.
    "import time\n"
    "end = time.monotonic() + 60\n"
    "while 'Logistic regression' not in widget.area.value and time.monotonic() < end:\n"
    "    time.sleep(0.1)\n"
    "print('Logistic regression' in widget.area.value)",
    "widget.model.stop().wait()\nclient.close()",
]


def test_widget_is_live_while_a_cell_runs(jupyter: JupyterServer) -> None:
    notebook = executed(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in LIVE]), jupyter)
    assert notebook.cells[1].outputs[0]["text"].strip() == "True"
