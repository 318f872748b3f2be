"""The panel and the tabs in a real JupyterLab: every way in, every way out, and what survives a reload."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.conftest import PASSWORD
from tests.stories.conftest import environment, free_port

pytestmark = [pytest.mark.browser, pytest.mark.story]
ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "dapp_ext" / "samples"
TOKEN = "a token for a test"
READY_SECONDS = 90


@dataclass
class Lab:
    """A JupyterLab of its own over an empty home, which can be killed and started again."""

    base: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def folder(self) -> Path:
        return self.base / "work"

    @property
    def environ(self) -> dict[str, str]:
        return environment(self.base / "home")

    def prepare(self) -> None:
        """The extension as it is built in this tree, whether the package is installed or not."""
        built = ROOT / "dapp_ext" / "labextension"
        assert (built / "package.json").is_file(), "The labextension is not built. Run: make"
        extensions, config = Path(self.environ["JUPYTER_DATA_DIR"]) / "labextensions", Path(self.environ["JUPYTER_CONFIG_DIR"])
        extensions.mkdir(parents=True)
        (extensions / "jupyter-dapp").symlink_to(built)
        shutil.copytree(ROOT / "jupyter_config" / "jupyter_server_config.d", config / "jupyter_server_config.d")
        settings = config / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}', "utf-8")
        self.folder.mkdir()
        shutil.copy(SAMPLES / "penguins.csv", self.folder / "from_browser.csv")

    def start(self) -> None:
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"]
        command += [f"--IdentityProvider.token={TOKEN}", "--expose-app-in-browser", *(["--allow-root"] if os.geteuid() == 0 else [])]
        with open(self.base / "lab.log", "ab") as log:
            self.process = subprocess.Popen(command, env=self.environ | {"PYTHONPATH": str(ROOT)}, cwd=self.folder, stdout=log, stderr=log)
        until = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.2)

    def end(self, how: signal.Signals) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(40)

    def log(self) -> str:
        return (self.base / "lab.log").read_text("utf-8", "replace")[-4000:]

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/dapp/api/v1/health/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    found = Lab(tmp_path_factory.mktemp("lab"), free_port())
    found.prepare()
    found.start()
    command = [sys.executable, "-m", "dapp_ext.cli", "users", "add", "vera@example.org", "--name", "Vera", "--role", "viewer", "--password-stdin"]
    subprocess.run(
        command, env=found.environ | {"PYTHONPATH": str(ROOT)}, cwd=ROOT, input=f"{PASSWORD}\n".encode(), check=True, capture_output=True, timeout=60
    )
    yield found
    found.end(signal.SIGTERM)


@pytest.fixture(scope="module")
def page(lab: Lab, chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"])
        found = browser.new_page(viewport={"width": 1440, "height": 900})
        found.goto(f"{lab.url}/lab?token={TOKEN}")
        _ready(found)
        yield found
        browser.close()


def _ready(page: Page) -> None:
    page.wait_for_function("() => window.jupyterapp?.commands.hasCommand('jupyter-dapp:show-panel')", timeout=60_000)
    page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
    _run(page, "jupyter-dapp:show-panel")
    expect(_line(page)).to_have_attribute("data-state", "connected", timeout=20_000)


def _run(page: Page, command: str, args: dict[str, Any] | None = None) -> None:
    page.evaluate("([id, args]) => window.jupyterapp.commands.execute(id, args).then(() => null)", [command, args or {}])


def _panel(page: Page) -> Locator:
    return page.locator("#jupyter-dapp-panel")


def _line(page: Page) -> Locator:
    return _panel(page).locator(".jp-Dapp-line")


def _row(page: Page, name: str) -> Locator:
    return _panel(page).locator('[data-dapp-kind="dataset"]').filter(has=page.get_by_text(name, exact=True))


def _menu(page: Page, name: str) -> Callable[[str], None]:
    _row(page, name).click(button="right")
    return lambda item: page.get_by_role("menuitem", name=re.compile(item)).click()


def _cells(page: Page) -> list[str]:
    found: list[str] = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(cell => cell.getSource())")
    return found


def test_a_file_of_the_file_browser_is_sent_by_its_context_menu(page: Page) -> None:
    _run(page, "filebrowser:activate")
    page.locator(".jp-DirListing-item", has_text="from_browser.csv").click(button="right")
    page.get_by_role("menuitem", name="Send to DAPP").click()
    _run(page, "jupyter-dapp:show-panel")
    expect(_row(page, "from_browser")).to_contain_text("344 rows", timeout=60_000)
    expect(page.get_by_text("from_browser is ready: 344 rows", exact=False).first).to_be_visible()


def test_a_file_of_the_desktop_is_dropped_on_the_panel(page: Page) -> None:
    carried = page.evaluate_handle("() => { const d = new DataTransfer(); d.items.add(new File(['a,b\\n1,x\\n2,y\\n3,x\\n'], 'dropped.csv')); return d; }")
    page.dispatch_event("#jupyter-dapp-panel", "dragover", {"dataTransfer": carried})
    expect(_panel(page)).to_have_class(re.compile("jp-mod-drop"))
    page.dispatch_event("#jupyter-dapp-panel", "drop", {"dataTransfer": carried})
    expect(_panel(page)).not_to_have_class(re.compile("jp-mod-drop"))
    expect(_row(page, "dropped")).to_contain_text("3 rows", timeout=40_000)


def test_a_file_that_is_no_table_says_why(page: Page) -> None:
    carried = page.evaluate_handle("() => { const d = new DataTransfer(); d.items.add(new File(['PK not a workbook'], 'odd.xlsx')); return d; }")
    page.dispatch_event("#jupyter-dapp-panel", "drop", {"dataTransfer": carried})
    expect(_row(page, "odd")).to_have_class(re.compile("jp-mod-bad"), timeout=40_000)
    _row(page, "odd").locator("button").first.click()
    expect(page.get_by_text("This file could not be read")).to_be_visible()


def test_things_are_renamed_made_private_and_deleted_by_their_context_menu(page: Page) -> None:
    _menu(page, "dropped")("Rename")
    page.locator(".jp-Dialog input").fill("three rows")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(_row(page, "three rows")).to_be_visible()
    _menu(page, "three rows")("Make Private")
    _row(page, "three rows").click(button="right")
    expect(page.get_by_role("menuitem", name="Share with the Team")).to_be_visible()
    page.keyboard.press("Escape")
    _menu(page, "three rows")("Delete")
    page.locator(".jp-Dialog").get_by_role("button", name="Delete").click()
    expect(_row(page, "three rows")).to_have_count(0)


def test_rows_are_sorted_and_searched_on_the_server(page: Page) -> None:
    _row(page, "from_browser").locator("button").first.click()
    grid = page.locator(".jp-Dapp-grid:visible")
    box = grid.bounding_box()
    assert box is not None
    with page.expect_request(re.compile("/rows$")) as asked:
        page.mouse.click(box["x"] + 80, box["y"] + 14)
    sent = asked.value.post_data_json
    assert sent is not None
    assert sent["sort"] == [{"column": "species", "descending": False}]
    page.get_by_label("Search the rows").fill("Gentoo")
    expect(page.get_by_text("124 rows", exact=True)).to_be_visible()
    expect(page.locator(".jp-Dapp-column").first).to_contain_text("species")


def test_the_lines_that_open_it_go_into_a_notebook(page: Page) -> None:
    page.locator(".jp-Dapp-dataset:visible").get_by_role("button", name="Insert into notebook").click()
    page.locator(".jp-NotebookPanel").wait_for()
    expect(page.locator(".jp-NotebookPanel .jp-Cell")).to_contain_text("get_processed_data")
    _menu(page, "from_browser")("Insert into Notebook")
    expect(page.locator(".jp-NotebookPanel .jp-CodeCell")).to_have_count(2)
    first, second = _cells(page)
    assert first.splitlines() == [
        "from dapp_ext.client import DAPPClient",
        "",
        "client = DAPPClient()",
        'df = client.get_processed_data("from_browser")',
        "df.head()",
    ]
    assert second.splitlines() == ['df = client.get_processed_data("from_browser")', "df.head()"]


def test_the_template_opens_from_the_launcher(page: Page, lab: Lab) -> None:
    _run(page, "launcher:create")
    page.locator(".jp-LauncherCard:visible", has_text="Hybrid Workflow").click()
    expect(page.locator(".jp-NotebookPanel:visible h1").first).to_be_visible(timeout=20_000)
    assert (lab.folder / "hybrid_workflow.ipynb").is_file()
    assert any("DAPPClient()" in cell for cell in _cells(page))


def test_tabs_come_back_after_a_reload(page: Page) -> None:
    _row(page, "from_browser").locator("button").first.click()
    expect(page.locator(".jp-Dapp-dataset:visible")).to_be_visible()
    page.wait_for_timeout(1500)  # JupyterLab keeps its layout a second after the last change
    page.reload()
    _ready(page)
    expect(page.locator(".lm-TabBar-tabLabel", has_text="from_browser").first).to_be_visible(timeout=20_000)
    expect(page.locator(".jp-Dapp-dataset:visible canvas").first).to_be_visible(timeout=20_000)


def test_the_keyboard_reaches_everything(page: Page) -> None:
    first = _panel(page).locator(".jp-Dapp-row-main").first
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(_row(page, "from_browser").locator("button").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".jp-Dapp-dataset:visible h2")).to_have_text("from_browser")


def test_it_follows_the_theme(page: Page) -> None:
    def colour() -> str:
        return str(page.evaluate("() => getComputedStyle(document.querySelector('#jupyter-dapp-panel')).backgroundColor"))

    light = colour()
    _run(page, "apputils:change-theme", {"theme": "JupyterLab Dark"})
    page.wait_for_function("before => getComputedStyle(document.querySelector('#jupyter-dapp-panel')).backgroundColor !== before", arg=light)
    _run(page, "apputils:change-theme", {"theme": "JupyterLab Light"})
    page.wait_for_function("before => getComputedStyle(document.querySelector('#jupyter-dapp-panel')).backgroundColor === before", arg=light)


def test_another_account_signs_in_inside_the_panel(page: Page) -> None:
    _panel(page).get_by_role("button", name="Sign out").click()
    form = _panel(page).get_by_role("form", name="Sign in to DAPP")
    form.get_by_label("Email").fill("vera@example.org")
    form.get_by_label("Password").fill("certainly not this one")
    form.get_by_role("button", name="Sign in", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("not right", timeout=20_000)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Sign in", exact=True).click()
    expect(_panel(page).locator(".jp-Dapp-account")).to_contain_text("Vera", timeout=20_000)
    expect(_row(page, "from_browser")).to_be_visible()
    _row(page, "from_browser").click(button="right")
    expect(page.get_by_role("menuitem", name=re.compile("Delete"))).to_have_class(re.compile("lm-mod-disabled"))
    page.keyboard.press("Escape")
    _panel(page).get_by_role("button", name="Sign out").click()
    _panel(page).get_by_role("button", name=re.compile("Jupyter.s own")).click()
    expect(_panel(page).locator(".jp-Dapp-account")).to_contain_text("Owner", timeout=20_000)


def test_a_lost_server_is_said_and_found_again(page: Page, lab: Lab) -> None:
    """The last one: JupyterLab shows dialogs of its own about the loss."""
    lab.end(signal.SIGKILL)
    expect(_line(page)).to_have_attribute("data-state", re.compile("reconnecting|offline"), timeout=10_000)
    lab.start()
    expect(_line(page)).to_have_attribute("data-state", "connected", timeout=40_000)
    names = _panel(page).locator('[data-dapp-kind="dataset"] .jp-Dapp-row-title')
    expect(names).to_have_text(["odd", "from_browser"])
