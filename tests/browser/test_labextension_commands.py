"""Every command of the extension in a real JupyterLab, in light and in dark; the page itself keeps the list of those that ran.

The short form is in ``test_labextension.py``, by menus and buttons and in one theme.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from dapp_ext.client import DAPPClient, Dataset, Model

from .contrast import CONTRAST
from .lab import TOKEN, TWO_CLASSES, Lab
from .page import begin, dress, line, panel, ready, run

pytestmark = [pytest.mark.browser, pytest.mark.story, pytest.mark.long]

NOTE_RUNS = "() => { window.ran = []; window.jupyterapp.commands.commandExecuted.connect((_, {id}) => window.ran.push(id)); }"
ALL = "() => window.jupyterapp.commands.listCommands().filter(id => id.startsWith('jupyter-dapp:'))"


@pytest.fixture(scope="module", params=["JupyterLab Light", "JupyterLab Dark"])
def page(request: pytest.FixtureRequest, lab: Lab, client: DAPPClient, browser: Browser) -> Iterator[Page]:
    found = browser.new_page(viewport={"width": 1440, "height": 900})
    found.goto(f"{lab.url}/lab/workspaces/{request.param.split()[-1].lower()}?token={TOKEN}")
    ready(found)
    found.evaluate(NOTE_RUNS)
    dress(found, request.param)
    yield found
    found.context.close()


@pytest.fixture(scope="module")
def data(page: Page, client: DAPPClient) -> Iterator[Dataset]:
    found = client.upload_file(TWO_CLASSES, name="walked")
    yield found
    for each in client.datasets():
        each.delete(force=True)


@pytest.fixture(scope="module")
def model(client: DAPPClient, data: Dataset) -> Iterator[Model]:
    found = client.train_model(data, "label", trials=2, families=["linear"], name="walker", wait=True)
    yield found
    for each in client.models():
        each.delete()


def _row(page: Page, name: str) -> Locator:
    return panel(page).locator("[data-dapp-kind]").filter(has=page.get_by_text(name, exact=True)).first


def _answer(page: Page, text: str) -> None:
    """Type into the dialog that asks."""
    page.locator(".jp-Dialog input").fill(text)
    page.locator(".jp-Dialog .jp-mod-accept").click()


def _choose(page: Page, beginning: str) -> None:
    """Choose in the dialog that asks."""
    option = page.locator(".jp-Dialog option").filter(has_text=re.compile(f"^{beginning}")).first
    option.wait_for(state="attached")
    option.locator("xpath=..").select_option(label=option.inner_text())
    page.locator(".jp-Dialog .jp-mod-accept").click()
    option.wait_for(state="detached")


def _accept(page: Page, button: str) -> None:
    page.locator(".jp-Dialog").get_by_role("button", name=button).click()


def test_files_come_in(page: Page, lab: Lab) -> None:
    with page.expect_file_chooser() as chooser:
        begin(page, "jupyter-dapp:upload-files")
    chooser.value.set_files(FilePayload(name="chosen.csv", mimeType="text/csv", buffer=b"a,b\n1,2\n3,4\n"))
    expect(_row(page, "chosen")).to_contain_text("2 rows", timeout=40_000)
    run(page, "jupyter-dapp:send-files", {"paths": ["from_browser.csv"]})
    expect(_row(page, "from_browser")).to_contain_text("344 rows", timeout=40_000)


def test_a_dataset_is_looked_at_and_changed(page: Page, data: Dataset, client: DAPPClient) -> None:
    asked = {"id": data.id}
    run(page, "jupyter-dapp:open-dataset", asked)
    expect(page.locator(".jp-Dapp-dataset:visible canvas").first).to_be_visible()
    expect(page.locator(".jp-Dapp-profile:visible")).to_contain_text("label", timeout=20_000)
    assert page.evaluate(CONTRAST) == []
    begin(page, "jupyter-dapp:rename-dataset", asked)
    _answer(page, "walked far")
    expect(page.locator(".jp-Dapp-dataset:visible h2")).to_have_text("walked far")
    run(page, "jupyter-dapp:share-dataset", asked)
    assert client.dataset(data.id).refresh().read.visibility == "private"
    begin(page, "jupyter-dapp:share-dataset-with-person", asked)
    _choose(page, "Vera")
    _choose(page, "May look at it")
    expect(page.get_by_text("Shared with Vera").first).to_be_visible()
    assert [str(each.level) for each in client.dataset(data.id).shared_with()] == ["read"]
    data.fix("fill_missing", "b", method="median")
    begin(page, "jupyter-dapp:show-dataset-versions", asked)
    _choose(page, "version 1")
    page.wait_for_function("() => document.querySelector('.jp-Dapp-dataset:not(.lm-mod-hidden)')?.textContent.includes('version 3')", timeout=20_000)
    run(page, "jupyter-dapp:open-lineage", asked)
    expect(page.get_by_role("region", name="Lineage").locator("li")).to_have_count(4)


def test_a_dataset_goes_after_it_was_asked_for(page: Page, client: DAPPClient) -> None:
    doomed = client.upload_file(b"a,b\n1,2\n", name="doomed")
    expect(_row(page, "doomed")).to_be_visible()
    begin(page, "jupyter-dapp:delete-dataset", {"id": doomed.id})
    _accept(page, "Delete")
    expect(panel(page).get_by_text("doomed", exact=True)).to_have_count(0)
    assert "doomed" not in [each.name for each in client.datasets()]


def test_a_training_is_started_steered_and_ended(page: Page, data: Dataset, client: DAPPClient) -> None:
    run(page, "jupyter-dapp:train-model", {"id": data.id})
    tab = page.locator(".jp-Dapp-page:visible")
    tab.get_by_label("Target").select_option("label")
    tab.get_by_role("button", name="Train", exact=True).click()
    expect(tab.get_by_role("button", name="More time")).to_be_visible(timeout=30_000)
    model = client.models()[0]
    run(page, "jupyter-dapp:extend-training", {"id": model.id, "seconds": 600})
    run(page, "jupyter-dapp:skip-family", {"id": model.id, "family": "neural"})
    assert client.model(model.id).refresh().read.skipped == ["neural"]
    job = next(each for each in client.jobs() if each.kind == "train")
    run(page, "jupyter-dapp:open-job", {"id": job.id})
    expect(tab.locator("h2")).to_have_text(model.name)
    expect(tab.get_by_role("button", name="Stop and keep the best")).to_be_enabled(timeout=60_000)
    run(page, "jupyter-dapp:stop-training", {"id": model.id})
    expect(tab.locator(".jp-Dapp-sentence")).to_be_visible(timeout=60_000)


def test_a_job_is_cancelled(page: Page, data: Dataset, client: DAPPClient) -> None:
    model = client.train_model(data, "label", time_budget=600, name="cancelled")
    expect(_row(page, "cancelled")).to_be_visible()
    job = next(each for each in client.jobs() if each.kind == "train" and str(each.status) in ("queued", "running"))
    run(page, "jupyter-dapp:cancel-job", {"id": job.id})
    expect(_row(page, "cancelled")).to_contain_text("Cancelled", timeout=30_000)
    assert client.model(model.id).refresh().status == "cancelled"


def test_a_model_is_named_shared_promoted_and_used(page: Page, data: Dataset, model: Model, client: DAPPClient) -> None:
    second = client.train_model(data, "label", trials=2, families=["linear"], name="walker", wait=True)
    asked = {"id": second.id}
    begin(page, "jupyter-dapp:promote-model", asked)
    _answer(page, "it is the newer one")
    begin(page, "jupyter-dapp:show-model-versions", asked)
    _choose(page, "version 2")
    expect(page.locator(".jp-Dapp-page:visible .jp-Dapp-head")).to_contain_text("champion", timeout=20_000)
    begin(page, "jupyter-dapp:rename-model", asked)
    _answer(page, "runner")
    expect(page.locator(".jp-Dapp-page:visible h2")).to_have_text("runner")
    run(page, "jupyter-dapp:share-model", asked)
    assert client.model(second.id).refresh().read.visibility == "team", "it was private, as its dataset is"
    begin(page, "jupyter-dapp:share-model-with-person", asked)
    _choose(page, "Vera")
    _choose(page, "May use it")
    expect(page.get_by_text("Shared with Vera").first).to_be_visible()
    begin(page, "jupyter-dapp:predict-dataset", asked)
    _choose(page, "walked far")
    expect(_row(page, "walked far predicted by runner")).to_contain_text("240 rows × 6 columns", timeout=40_000)
    run(page, "jupyter-dapp:open-training-notebook", asked)
    expect(page.locator(".jp-NotebookPanel:visible h1").first).to_be_visible(timeout=20_000)
    run(page, "jupyter-dapp:insert-code", {"kind": "results", "name": "runner"})
    expect(page.locator(".jp-NotebookPanel:visible")).to_contain_text('get_results("runner")')
    begin(page, "jupyter-dapp:insert-steps")
    _choose(page, "client.predict_dataset")
    expect(page.locator(".jp-NotebookPanel:visible")).to_contain_text('client.predict_dataset("runner@2", "walked far")')
    begin(page, "jupyter-dapp:delete-model", asked)
    _accept(page, "Delete")
    expect(panel(page).get_by_text("runner", exact=True)).to_have_count(0, timeout=20_000)


def test_a_score_is_made_again_with_a_fix(page: Page, client: DAPPClient) -> None:
    lines = TWO_CLASSES.decode().splitlines()
    leaky = "\n".join([f"{lines[0]},told", *(f"{each},{len(each.split(',')[2])}" for each in lines[1:])]).encode()
    data = client.upload_file(leaky, name="leaky")
    model = client.train_model(data, "label", trials=2, families=["linear"], name="told before", allow=["told"], wait=True)
    run(page, "jupyter-dapp:open-model", {"id": model.id})
    checks = page.locator(".jp-Dapp-page:visible").get_by_role("region", name="Checks")
    checks.get_by_role("button", name=re.compile("^Score with")).first.click()
    expect(checks.get_by_role("button", name="Scoring…")).to_be_visible()
    expect(checks.get_by_role("button", name="Scoring…")).to_have_count(0, timeout=60_000)
    second = client.get_results(model).read.second_scores[0]
    expect(checks.get_by_text(second.sentence)).to_be_visible(timeout=20_000)
    assert page.evaluate(CONTRAST) == []


def test_what_was_published_is_taken_back(page: Page, data: Dataset, client: DAPPClient) -> None:
    made = client.publish(data.head(), "A few rows")
    run(page, "jupyter-dapp:open-insights")
    card = page.get_by_role("article", name="A few rows")
    expect(card).to_be_visible()
    begin(page, "jupyter-dapp:delete-insight")
    _choose(page, "A few rows")
    _accept(page, "Take back")
    expect(card).to_have_count(0)
    assert made.id not in [each.id for each in client.insights()]


def test_the_panel_and_its_account(page: Page) -> None:
    run(page, "jupyter-dapp:show-notices")
    notices = panel(page).get_by_role("region", name="Notices")
    expect(notices).to_be_visible()
    run(page, "jupyter-dapp:mark-notices-read")
    expect(panel(page).locator(".jp-Dapp-bell-count")).to_have_count(0)
    run(page, "jupyter-dapp:open-activity")
    expect(page.locator(".jp-Dapp-page:visible h2")).to_have_text("Activity")
    run(page, "jupyter-dapp:create-workflow")
    expect(page.locator(".jp-NotebookPanel:visible")).to_contain_text("DAPP", timeout=20_000)
    with page.expect_response(re.compile("/api/v1/jobs")):
        run(page, "jupyter-dapp:refresh")
    assert page.evaluate(CONTRAST) == []


def test_the_dashboard_opens_signed_in(page: Page) -> None:
    with page.context.expect_page() as opened:
        begin(page, "jupyter-dapp:open-dashboard")
    dashboard = opened.value
    expect(dashboard.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
    expect(dashboard.get_by_label("Password", exact=True)).to_have_count(0)
    dashboard.get_by_role("link", name="Data", exact=True).first.click()
    expect(dashboard.get_by_text("walked far").first).to_be_visible()
    dashboard.close()


def test_who_signs_out_is_asked_to_sign_in(page: Page) -> None:
    run(page, "jupyter-dapp:sign-out")
    expect(panel(page).get_by_role("form", name="Sign in to DAPP")).to_be_visible()
    panel(page).get_by_role("button", name=re.compile("Jupyter.s own")).click()
    expect(line(page)).to_have_attribute("data-state", "connected")


def test_every_command_ran(page: Page) -> None:
    """The last one: what the page has noted since its first test."""
    run(page, "jupyter-dapp:show-panel")
    missing = set(page.evaluate(ALL)) - set(page.evaluate("() => window.ran"))
    assert missing == set()
