"""The widgets in a real JupyterLab, in a real browser."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from dapp_ext.client import DAPPClient
from tests.client.server import JupyterServer

pytestmark = pytest.mark.browser
MILLISECONDS = 90_000.0
CELLS = [
    "from dapp_ext.client import DAPPClient\nfrom dapp_ext.widgets import FileUploadWidget, ModelTrainingWidget\nclient = DAPPClient()\nclient",
    "upload = FileUploadWidget(client)\nupload.display()",
    "training = ModelTrainingWidget(client, upload.datasets[-1])\ntraining.display()",
    "import time\nwhile True:\n    time.sleep(0.1)",
]


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """There is no server in this process that pytest-jupyter would have to clean up after."""


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1280, "height": 1000})
        opened.set_default_timeout(MILLISECONDS)
        yield opened
        browser.close()


def run(cells: Locator, number: int) -> Locator:
    """Run a cell as a person does, without waiting for its end."""
    cell = cells.nth(number)
    for _ in range(3):  # a page that has just opened may move the cursor elsewhere between the click and the key
        cell.locator(".cm-content").click()
        cell.page.keyboard.press("Control+Enter")
        with contextlib.suppress(AssertionError):
            expect(cell.locator(".jp-InputPrompt").first).not_to_have_text(re.compile(r"^\[ \]"), timeout=5000)
            break
    return cell


def test_drop_train_and_follow_while_a_cell_runs(jupyter: JupyterServer, client: DAPPClient, page: Page, tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, jupyter.folder / "widgets.ipynb")
    file = tmp_path / "in pieces.csv"
    file.write_text("n,half,word,kind\n" + "".join(f"{at},{at / 2},word {at % 7},{'ab'[at % 7 > 3]}\n" for at in range(250_000)))
    assert file.stat().st_size > 5 << 20  # more pieces than are under way at a time

    page.goto(f"{jupyter.url}lab/tree/widgets.ipynb?token={jupyter.token}", wait_until="domcontentloaded")
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    expect(cells).to_have_count(4, timeout=MILLISECONDS)
    expect(page.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute("data-status", "idle", timeout=MILLISECONDS)
    expect(run(cells, 0).locator(".jp-OutputArea")).to_contain_text("signed in as Owner", timeout=MILLISECONDS)
    upload = run(cells, 1)
    expect(upload.get_by_role("button", name="Drop files here")).to_be_visible(timeout=MILLISECONDS)
    upload.locator("input[type=file]").set_input_files(file)
    expect(upload.locator(".dapp-mod-ready")).to_contain_text("in pieces: 250,000 rows × 4 columns", timeout=MILLISECONDS)
    frame = client.get_processed_data("in pieces", ["n"])
    assert frame["n"].tolist() == list(range(250_000))

    training = run(cells, 2)
    expect(training.get_by_role("button", name="Train")).to_be_enabled(timeout=MILLISECONDS)
    training.get_by_role("button", name="Train").click()
    run(cells, 3)
    expect(cells.nth(3).locator(".jp-InputPrompt")).to_have_text("[*]:", timeout=MILLISECONDS)
    expect(training.locator(".jp-OutputArea")).to_contain_text(re.compile(r"\d+ trials?"), timeout=MILLISECONDS)
    expect(cells.nth(3).locator(".jp-InputPrompt")).to_have_text("[*]:")  # it still runs
    page.get_by_title("Interrupt the kernel").first.click()
    training.get_by_role("button", name="Stop, keep the best").click()
    expect(training.locator(".dapp-badge").first).to_have_text("ready", timeout=MILLISECONDS)
