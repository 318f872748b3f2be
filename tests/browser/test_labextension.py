"""The panel and the tabs in a real JupyterLab: every way in, every way out, and what survives a reload."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from dapp_ext.client import DAPPClient
from tests.conftest import PASSWORD

from .cable import Cable
from .contrast import CONTRAST
from .lab import TOKEN, TWO_CLASSES, Lab
from .page import dress, line, panel, ready, run

pytestmark = [pytest.mark.browser, pytest.mark.story]


@pytest.fixture(scope="module")
def page(lab: Lab, client: DAPPClient, browser: Browser) -> Page:
    found = browser.new_page(viewport={"width": 1440, "height": 900})
    found.goto(f"{lab.url}/lab?token={TOKEN}")
    ready(found)
    return found


def _another(page: Page) -> Page:
    """A page of somebody else's browser."""
    browser = page.context.browser
    assert browser is not None
    return browser.new_page(viewport={"width": 1440, "height": 900})


def _row(page: Page, name: str) -> Locator:
    return panel(page).locator('[data-dapp-kind="dataset"]').filter(has=page.get_by_text(name, exact=True))


def _menu(page: Page, name: str) -> Callable[[str], None]:
    _row(page, name).click(button="right")
    return lambda item: page.get_by_role("menuitem", name=re.compile(item)).click()


def _wait_for_menu(page: Page, name: str, item: str) -> None:
    """Open the menu of a row until it offers something: a menu is made when it opens, and does not change."""
    for _ in range(20):
        _row(page, name).click(button="right")
        is_there = page.get_by_role("menuitem", name=item).is_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".lm-Menu")).to_have_count(0)
        if is_there:
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"The menu of {name} does not offer {item}.")


def _cells(page: Page) -> list[str]:
    found: list[str] = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(cell => cell.getSource())")
    return found


def test_a_file_of_the_file_browser_is_sent_by_its_context_menu(page: Page) -> None:
    run(page, "filebrowser:activate")
    page.locator(".jp-DirListing-item", has_text="from_browser.csv").click(button="right")
    page.get_by_role("menuitem", name="Send to DAPP").click()
    run(page, "jupyter-dapp:show-panel")
    expect(_row(page, "from_browser")).to_contain_text("344 rows", timeout=60_000)
    expect(page.get_by_text("from_browser is ready: 344 rows", exact=False).first).to_be_visible()


def test_a_file_of_the_desktop_is_dropped_on_the_panel(page: Page) -> None:
    carried = page.evaluate_handle("() => { const d = new DataTransfer(); d.items.add(new File(['a,b\\n1,x\\n2,y\\n3,x\\n'], 'dropped.csv')); return d; }")
    page.dispatch_event("#jupyter-dapp-panel", "dragover", {"dataTransfer": carried})
    expect(panel(page)).to_have_class(re.compile("jp-mod-drop"))
    page.dispatch_event("#jupyter-dapp-panel", "drop", {"dataTransfer": carried})
    expect(panel(page)).not_to_have_class(re.compile("jp-mod-drop"))
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
    _wait_for_menu(page, "three rows", "Share with the Team")
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
    panel(page).locator('[data-command="jupyter-dapp:insert-steps"]').click()
    page.locator(".jp-Dialog option").filter(has_text="rename").first.wait_for(state="attached")
    page.locator(".jp-Dialog select").select_option(label='client.dataset("dropped").rename("three rows")')
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(page.locator(".jp-NotebookPanel .jp-CodeCell")).to_have_count(3)
    first, second, third = _cells(page)
    assert third == 'client.dataset("dropped").rename("three rows")'
    assert first.splitlines() == [
        "from dapp_ext.client import DAPPClient",
        "",
        "client = DAPPClient()",
        'df = client.get_processed_data("from_browser")',
        "df.head()",
    ]
    assert second.splitlines() == ['df = client.get_processed_data("from_browser")', "df.head()"]


def test_the_template_opens_from_the_launcher(page: Page, lab: Lab) -> None:
    run(page, "launcher:create")
    page.locator(".jp-LauncherCard:visible", has_text="Hybrid Workflow").click()
    expect(page.locator(".jp-NotebookPanel:visible h1").first).to_be_visible(timeout=20_000)
    assert (lab.folder / "hybrid_workflow.ipynb").is_file()
    assert any("DAPPClient()" in cell for cell in _cells(page))


def test_rows_are_filtered_by_column_and_the_code_says_so(page: Page) -> None:
    _row(page, "from_browser").locator("button").first.click()
    dataset = page.locator(".jp-Dapp-dataset:visible")
    dataset.get_by_label("Search the rows").fill("")
    dataset.get_by_role("button", name="Filter", exact=True).click()
    editor = dataset.get_by_role("form", name="New filter")
    editor.get_by_label("Column").select_option("body_mass_g")
    editor.get_by_label("Condition").select_option("gt")
    editor.get_by_label("Value").fill("heavy")
    expect(editor.get_by_role("button", name="Apply")).to_be_disabled()
    editor.get_by_label("Value").fill("5000")
    with page.expect_request(re.compile("/rows$")) as asked:
        editor.get_by_role("button", name="Apply").click()
    sent = asked.value.post_data_json
    assert sent is not None
    assert sent["filters"] == [{"column": "body_mass_g", "op": "gt", "value": 5000}]
    expect(page.get_by_text("61 rows", exact=True)).to_be_visible()
    dataset.locator(".jp-Dapp-column").filter(has_text="sex").get_by_role("button", name=re.compile("^male")).click()
    expect(page.get_by_text(re.compile(r"^\d+ rows$")).first).not_to_have_text("61 rows")
    dataset.get_by_role("button", name="Insert into notebook").click()
    expect(page.locator(".jp-NotebookPanel:visible")).to_be_visible(timeout=20_000)
    assert any("filter=\"body_mass_g > 5000 and sex == 'male'\"" in cell for cell in _cells(page))
    _row(page, "from_browser").locator("button").first.click()
    dataset.get_by_role("button", name="Show all rows").click()
    expect(dataset.locator(".jp-Dapp-filter")).to_have_count(0)


def test_what_a_notebook_publishes_appears_in_its_tab(page: Page, client: DAPPClient) -> None:
    from matplotlib.figure import Figure

    run(page, "jupyter-dapp:open-insights")
    expect(page.get_by_text("Nothing has been published yet")).to_be_visible(timeout=20_000)
    figure = Figure()
    figure.add_subplot().plot([1, 3, 2])
    made = client.publish(figure, "Ups and <b>downs</b>", dataset="from_browser")
    card = page.get_by_role("article", name="Ups and <b>downs</b>")
    expect(card.get_by_role("img")).to_be_visible(timeout=20_000)
    assert card.get_by_role("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    card.get_by_role("button", name=re.compile("^Take")).click()
    page.locator(".jp-Dialog").get_by_role("button", name="Take back").click()
    expect(card).to_have_count(0)
    assert made.id not in [each.id for each in client.insights()]


def test_the_activity_has_a_tab_that_is_narrowed(page: Page) -> None:
    run(page, "jupyter-dapp:open-activity")
    tab = page.locator(".jp-Dapp-page:visible")
    expect(tab.get_by_text("Owner published an insight about from_browser")).to_be_visible(timeout=20_000)
    tab.get_by_label("About").select_option("dataset")
    expect(tab.get_by_text(re.compile("published an insight"))).to_have_count(0)
    tab.get_by_label("Search the activity").fill("three rows")
    expect(tab.locator("li")).to_have_count(1)
    expect(tab.locator("li")).to_contain_text("deleted three rows")


def test_a_search_is_steered_and_seen_where_work_is_looked_for(page: Page, client: DAPPClient) -> None:
    model = client.train_model("from_browser", "species", time_budget=300, name="steered")
    run(page, "jupyter-dapp:open-model", {"id": model.id})
    tab = page.locator(".jp-Dapp-page:visible")
    expect(page.locator(".jp-Dapp-status")).to_contain_text("Training steered", timeout=20_000)
    run(page, "running:show-panel")
    expect(page.locator("#jp-running-sessions")).to_contain_text("Training steered")
    run(page, "jupyter-dapp:show-panel")
    skip = tab.get_by_role("button", name=re.compile("^Leave .* out$")).first
    expect(skip).to_be_visible(timeout=60_000)
    skip.click()
    expect(tab.get_by_text(re.compile("is left out")).first).to_be_visible(timeout=20_000)
    run(page, "jupyter-dapp:extend-training", {"id": model.id, "seconds": 60})
    page.wait_for_function("() => document.querySelector('.jp-Dapp-live')?.textContent.includes('left')", timeout=20_000)
    tab.get_by_role("button", name="Stop and keep the best").click()
    expect(tab.locator(".jp-Dapp-sentence")).to_be_visible(timeout=60_000)
    expect(page.locator(".jp-Dapp-status:visible")).to_have_count(0, timeout=20_000)


def test_the_result_says_why_for_one_row(page: Page) -> None:
    tab = page.locator(".jp-Dapp-page:visible")
    case = tab.get_by_role("region", name="Why does it say so?")
    expect(case.get_by_text("The table says Adelie.")).to_be_visible(timeout=90_000)  # a model that is asked first is loaded first
    expect(case.locator("tbody tr")).to_have_count(7)
    expect(case.locator(".jp-Dapp-case-track span").first).to_be_visible(timeout=60_000)
    expect(case.get_by_text(re.compile(r"^[+−][\d.]+ points$")).first).to_be_visible()
    before = case.locator(".jp-Dapp-hint").nth(1).inner_text()
    case.get_by_label("bill_length_mm").fill("50")
    case.get_by_label("flipper_length_mm").fill("225")
    expect(case.locator(".jp-Dapp-hint").nth(1)).not_to_have_text(before, timeout=20_000)
    expect(case.get_by_text("The row as it was is Adelie.")).to_be_visible()
    case.get_by_role("button", name="As it was").click()
    case.get_by_label("Row", exact=True).fill("343")
    expect(case.get_by_text("The table says Chinstrap.")).to_be_visible(timeout=20_000)


def test_two_classes_have_a_line_between_them_that_is_kept(page: Page, client: DAPPClient) -> None:
    data = client.upload_file(TWO_CLASSES, name="two classes")
    model = client.train_model(data, "label", trials=2, families=["linear"], name="late or not", wait=True)
    run(page, "jupyter-dapp:open-model", {"id": model.id})
    results = client.get_results(model)
    assert results.recommended is not None
    near, is_best = len(results.equally_good), results.read.best.label == results.recommended.label
    assert near > 1, "two linear models of the same rows differ by chance alone"
    note = page.locator(".jp-Dapp-page:visible").get_by_role("note")
    expect(note).to_contain_text(f"{near} candidates are {'equally good; this is the simplest of them' if is_best else 'not clearly worse'}")
    card = page.get_by_role("region", name=re.compile("^When is it"))
    card.get_by_label("A missed case costs").fill("not a number")
    expect(card.get_by_role("button", name="Decide like this from now on")).to_be_disabled()
    card.get_by_text("By capacity").click()
    card.get_by_label("Of 100 cases").fill("30")
    said = card.locator(".jp-Dapp-verdict p").inner_text()
    card.get_by_role("button", name="Decide like this from now on").click()
    expect(card.get_by_text(re.compile("^Now it is decided from .* on, by Owner"))).to_be_visible()
    kept = client.thresholds(model)[0]
    assert kept.by == "capacity"
    assert kept.named is not None
    assert kept.named <= 300
    expect(card.get_by_text(kept.sentence)).to_be_visible()
    assert f"it names {kept.named:,.0f}:" in said, "what is shown before is what is kept"
    client.set_threshold(model, 0.77)
    expect(card.get_by_text(re.compile("^Now it is decided from 77 % on"))).to_be_visible()
    card.get_by_role("button", name="Insert into notebook").click()
    expect(page.locator(".jp-NotebookPanel:visible")).to_contain_text("capacity=0.3", timeout=20_000)
    model.delete()
    data.delete()


def test_a_finding_is_mended_and_taken_back(page: Page, client: DAPPClient) -> None:
    frame = client.get_processed_data("from_browser").assign(number=range(344))
    data = client.upload_file(frame, name="numbered")
    run(page, "jupyter-dapp:open-dataset", {"id": data.id})
    profile = page.locator(".jp-Dapp-profile:visible")
    profile.get_by_role("button", name="Fill the gaps").first.click()
    expect(profile.get_by_role("button", name="Undo")).to_be_visible(timeout=40_000)
    assert client.dataset(data.id).version == 2
    page.locator(".jp-Dapp-dataset:visible").get_by_role("button", name="Lineage").click()
    picture = page.get_by_role("region", name="Lineage")
    expect(picture.locator("li")).to_have_count(3, timeout=20_000)
    picture.get_by_role("button", name=re.compile("Version 2")).click()
    profile.get_by_role("button", name="Undo").click()
    expect(profile.get_by_role("button", name="Undo")).to_have_count(0, timeout=40_000)
    expect(profile.get_by_text("Making a new version…")).to_have_count(0, timeout=40_000)
    assert client.dataset(data.id).version == 3


def test_a_training_says_before_it_starts_what_should_be_looked_at(page: Page) -> None:
    _menu(page, "numbered")("Train a Model")
    form = page.locator(".jp-Dapp-form:visible")
    advice = form.get_by_role("region", name="Before it starts")
    fix = advice.get_by_role("button", name=re.compile("number"))
    expect(fix.first).to_be_visible(timeout=30_000)
    label = fix.first.inner_text()
    fix.first.click()
    expect(advice.get_by_role("button", name=f"Undo: {label}")).to_be_visible()
    with page.expect_request(re.compile("/models/advice$")) as asked:
        advice.get_by_role("button", name=f"Undo: {label}").click()
    assert asked.value.post_data_json is not None
    expect(fix.first).to_be_visible(timeout=30_000)


def test_the_bell_tells_what_concerns_the_reader_and_knows_what_was_read(page: Page, client: DAPPClient) -> None:
    bell = panel(page).locator(".jp-Dapp-bell")
    expect(bell.locator(".jp-Dapp-bell-count")).to_be_visible(timeout=20_000)
    bell.click()
    notices = panel(page).get_by_role("region", name="Notices")
    expect(notices.get_by_role("button", name=re.compile("numbered.* is ready")).first).to_be_visible()
    notices.get_by_role("button", name=re.compile("steered")).first.click()
    expect(page.locator(".jp-Dapp-head:visible h2")).to_have_text("steered")
    notices.get_by_role("button", name="All read").click()
    expect(bell.locator(".jp-Dapp-bell-count")).to_have_count(0, timeout=20_000)
    assert list(client.notifications(unread=True)) == []
    notices.press("Escape")
    expect(notices).to_have_count(0)
    expect(bell).to_be_focused()


def test_tabs_come_back_after_a_reload(page: Page, client: DAPPClient) -> None:
    _row(page, "from_browser").locator("button").first.click()
    expect(page.locator(".jp-Dapp-dataset:visible")).to_be_visible()
    page.wait_for_timeout(1500)  # JupyterLab keeps its layout a second after the last change
    client.dataset("numbered").delete()
    page.reload()
    ready(page)
    expect(page.locator(".lm-TabBar-tabLabel", has_text="from_browser").first).to_be_visible(timeout=20_000)
    expect(page.locator(".jp-Dapp-dataset:visible canvas").first).to_be_visible(timeout=20_000)
    for name in ("DAPP Activity", "DAPP Insights", "steered", "Train: numbered"):
        expect(page.locator(".lm-TabBar-tabLabel", has_text=name).first).to_be_visible(timeout=20_000)
    page.locator(".lm-TabBar-tabLabel", has_text=re.compile("^numbered$")).click()
    expect(page.get_by_text("This dataset is gone")).to_be_visible(timeout=20_000)


def test_the_keyboard_reaches_everything(page: Page) -> None:
    first = panel(page).locator(".jp-Dapp-row-main").first
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(_row(page, "from_browser").locator("button").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".jp-Dapp-dataset:visible h2")).to_have_text("from_browser")


def test_the_tools_stand_in_one_line(page: Page) -> None:
    """A second line would lie under the first section, at the width that JupyterLab gives a sidebar."""
    tools = panel(page).locator(".jp-SidePanel-toolbar .jp-Toolbar-item:not(.jp-Toolbar-spacer)")
    boxes = [box for each in tools.all() if (box := each.bounding_box()) is not None]
    assert len(boxes) == 4
    assert len({round(box["y"]) for box in boxes}) == 1
    frame = panel(page).bounding_box()
    assert frame is not None
    assert max(box["x"] + box["width"] for box in boxes) <= frame["x"] + frame["width"]


def test_it_follows_the_theme(page: Page) -> None:
    def colour() -> str:
        return str(page.evaluate("() => getComputedStyle(document.querySelector('#jupyter-dapp-panel')).backgroundColor"))

    light = colour()
    dress(page, "JupyterLab Dark")
    page.wait_for_function("before => getComputedStyle(document.querySelector('#jupyter-dapp-panel')).backgroundColor !== before", arg=light)
    dress(page, "JupyterLab Light")
    page.wait_for_function("before => getComputedStyle(document.querySelector('#jupyter-dapp-panel')).backgroundColor === before", arg=light)


def test_every_command_is_in_the_palette_with_words_and_arguments(page: Page) -> None:
    found: dict[str, Any] = page.evaluate(
        """async () => {
          const { commands } = window.jupyterapp;
          const ids = commands.listCommands().filter(id => id.startsWith('jupyter-dapp:'));
          const said = {};
          for (const id of ids) {
            said[id] = { label: commands.label(id), described: Boolean((await commands.describedBy(id)).args) };
          }
          return said;
        }"""
    )
    assert len(found) >= 28
    assert [name for name, each in found.items() if not each["label"] or not each["described"]] == []
    run(page, "apputils:activate-command-palette")
    page.locator("#modal-command-palette input").fill("DAPP")
    expect(page.locator("#modal-command-palette .lm-CommandPalette-itemLabel", has_text="DAPP Activity")).to_be_visible()  # it filters a moment later
    shown = set(page.locator("#modal-command-palette .lm-CommandPalette-itemLabel").all_inner_texts())
    page.keyboard.press("Escape")
    assert {each["label"] for name, each in found.items() if name != "jupyter-dapp:open-job"} <= shown


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Dark High Contrast", "JupyterLab Light"])
def test_every_theme_can_be_read(page: Page, theme: str) -> None:
    dress(page, theme)
    page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
    page.wait_for_timeout(300)
    assert page.evaluate(CONTRAST) == []


def test_a_cut_network_is_said_and_nothing_is_missed(page: Page, lab: Lab, client: DAPPClient) -> None:
    with Cable(lab.port) as cable:
        other = _another(page)
        other.goto(f"http://127.0.0.1:{cable.port}/lab/workspaces/cut?token={TOKEN}")
        ready(other)
        cable.cut()
        expect(line(other)).to_have_attribute("data-state", re.compile("reconnecting|offline"), timeout=20_000)
        client.upload_file(b"a,b\n1,2\n3,4\n", name="made in the dark")
        cable.mend()
        expect(line(other)).to_have_attribute("data-state", "connected", timeout=40_000)
        expect(_row(other, "made in the dark")).to_contain_text("2 rows", timeout=10_000)
        other.context.close()
    client.dataset("made in the dark").delete()


def test_a_page_that_slept_catches_up(page: Page, client: DAPPClient) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    client.upload_file(b"a,b\n1,2\n3,4\n", name="while it slept")
    session.send("Page.setWebLifecycleState", {"state": "active"})
    expect(_row(page, "while it slept")).to_contain_text("2 rows", timeout=20_000)
    expect(line(page)).to_have_attribute("data-state", "connected")
    client.dataset("while it slept").delete()
    expect(_row(page, "while it slept")).to_have_count(0)


def test_notebook_7_has_it_too(page: Page, lab: Lab, client: DAPPClient) -> None:
    pytest.importorskip("notebook", reason="Notebook 7 is not installed")
    other = _another(page)
    errors: list[str] = []
    # Notebook 7 has an error of its own at its start: its shortcuts are looked up before they are loaded.
    other.on("pageerror", lambda error: errors.append(str(error.stack)) if "jupyter-dapp" in str(error.stack) else None)
    (lab.folder / "seven.ipynb").write_text(
        '{"cells": [], "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}}, "nbformat": 4, "nbformat_minor": 5}', "utf-8"
    )
    other.goto(f"{lab.url}/notebooks/seven.ipynb?token={TOKEN}")
    other.wait_for_function("() => window.jupyterapp?.commands.hasCommand('jupyter-dapp:show-panel')", timeout=60_000)
    run(other, "jupyter-dapp:show-panel")
    expect(line(other)).to_have_attribute("data-state", "connected", timeout=20_000)
    _row(other, "from_browser").locator("button").first.click()
    expect(other.locator(".jp-Dapp-dataset:visible canvas").first).to_be_visible(timeout=20_000)
    other.locator(".jp-Dapp-dataset:visible").get_by_role("button", name="Train a model").click()
    form = other.locator(".jp-Dapp-form:visible")
    form.get_by_label("Target").select_option("species")
    expect(form.get_by_role("region", name="Before it starts")).to_contain_text("rows", timeout=20_000)
    expect(form.get_by_role("button", name="Train", exact=True)).to_be_in_viewport()
    model = next(each for each in client.models() if each.name == "steered")
    run(other, "jupyter-dapp:open-model", {"id": model.id})
    results = other.locator(".jp-Dapp-page:visible")
    expect(results.locator(".jp-Dapp-sentence")).to_be_in_viewport(timeout=20_000)
    results.get_by_role("button", name="Insert into notebook").first.click()
    expect(other.locator(".jp-Notebook .jp-CodeCell")).to_contain_text('get_results("steered")')
    run(other, "jupyter-dapp:open-activity")
    expect(other.locator(".jp-Dapp-page:visible h2")).to_have_text("Activity")
    assert errors == []
    other.context.close()


def test_another_account_signs_in_inside_the_panel(page: Page) -> None:
    panel(page).get_by_role("button", name="Sign out").click()
    form = panel(page).get_by_role("form", name="Sign in to DAPP")
    form.get_by_label("Email").fill("vera@example.org")
    form.get_by_label("Password").fill("certainly not this one")
    form.get_by_role("button", name="Sign in", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("not right", timeout=20_000)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Sign in", exact=True).click()
    expect(panel(page).locator(".jp-Dapp-account")).to_contain_text("Vera", timeout=20_000)
    expect(_row(page, "from_browser")).to_be_visible(timeout=20_000)
    _row(page, "from_browser").click(button="right")
    expect(page.get_by_role("menuitem", name=re.compile("Delete"))).to_have_class(re.compile("lm-mod-disabled"))
    page.keyboard.press("Escape")
    page.reload()
    ready(page)
    expect(panel(page).locator(".jp-Dapp-account")).to_contain_text("Vera", timeout=20_000)
    kept = [each for each in page.context.cookies(f"{page.url.partition('/lab')[0]}/dapp/api/v1/auth/resume") if "dapp_kept" in each["name"]]
    assert [(each["httpOnly"], each["sameSite"]) for each in kept] == [(True, "Strict")]
    assert "dapp" not in page.evaluate("() => document.cookie + Object.values(localStorage).filter(each => /dapp_(rt|cs)_|eyJ/.test(each)).join()")
    panel(page).get_by_role("button", name="Sign out").click()
    panel(page).get_by_role("button", name=re.compile("Jupyter.s own")).click()
    expect(panel(page).locator(".jp-Dapp-account")).to_contain_text("Owner", timeout=20_000)
    page.reload()
    ready(page)
    expect(panel(page).locator(".jp-Dapp-account")).to_contain_text("Owner", timeout=20_000)


def test_a_lost_server_is_said_and_found_again(page: Page, lab: Lab) -> None:
    """The last one: JupyterLab shows dialogs of its own about the loss."""
    lab.end(signal.SIGKILL)
    expect(line(page)).to_have_attribute("data-state", re.compile("reconnecting|offline"), timeout=10_000)
    lab.start()
    expect(line(page)).to_have_attribute("data-state", "connected", timeout=40_000)
    names = panel(page).locator('[data-dapp-kind="dataset"] .jp-Dapp-row-title')
    expect(names).to_have_text(["odd", "from_browser"])
