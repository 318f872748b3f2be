"""Widgets over a real server, driven as a front end drives them: by values, clicks and messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dapp_ext.client import DAPPClient, Dataset, sample_path
from dapp_ext.widgets import DataPreviewWidget, FileUploadWidget, ModelTrainingWidget, ResultsWidget, Workspace
from tests.client.test_drawing import checked

SECONDS = 60.0
PIECE = 1 << 20


def eventually(check: Callable[[], Any]) -> Any:
    """Wait until something is so; widgets fetch on threads of their own."""
    end = time.monotonic() + SECONDS
    while not (found := check()):
        assert time.monotonic() < end, "it did not become so"
        time.sleep(0.02)
    return found


@pytest.fixture
def birds(client: DAPPClient) -> Dataset:
    found = [each for each in client.datasets("widget birds") if each.name == "widget birds"]
    return found[0] if found else client.upload_file(sample_path("penguins"), name="widget birds")


@pytest.fixture
def closing() -> Iterator[Callable[[Any], Any]]:
    """Closes widgets at the end of a test."""
    made: list[Any] = []

    def keep(widget: Any) -> Any:
        made.append(widget)
        return widget

    yield keep
    for widget in made:
        widget.close()


class Browser:
    """The browser's half of an upload: sends pieces when it is asked for more."""

    def __init__(self, widget: FileUploadWidget, files: dict[str, bytes], *, stop_after: int | None = None) -> None:
        self.widget, self.files, self.stop_after = widget, files, stop_after
        self.sent: dict[str, int] = dict.fromkeys(files, 0)
        widget.zone.send = self.hear
        for name, data in files.items():
            self.tell({"kind": "begin", "id": name, "name": name, "size": len(data)})

    def tell(self, message: dict[str, Any], *buffers: memoryview) -> None:
        self.widget.zone._handle_custom_msg(message, list(buffers))

    def hear(self, message: dict[str, Any]) -> None:
        if message["kind"] != "more":
            return
        name = message["id"]
        pieces = []
        for _ in range(message["count"]):
            at = self.sent[name]
            if at < len(self.files[name]):
                self.sent[name] = min(at + PIECE, len(self.files[name]))
                pieces.append((at, memoryview(self.files[name])[at : self.sent[name]]))
        if self.stop_after is not None and self.sent[name] > self.stop_after:
            self.tell({"kind": "unreadable", "id": name})
            return
        for at, piece in reversed(pieces):  # the browser reads them at once: the last may be ready first
            self.tell({"kind": "piece", "id": name, "at": at}, piece)

    def row(self, name: str, *states: str) -> dict[str, Any]:
        """The row of a file once it is in one of the states."""
        found: list[dict[str, Any]] = eventually(lambda: [row for row in self.widget.zone.files if row["name"] == name and row["state"] in states])
        return found[0]


def test_dropped_files_become_datasets(client: DAPPClient, closing: Callable[[Any], Any]) -> None:
    widget = closing(FileUploadWidget(client))
    lines = b"".join(b"%d,word%d\n" % (at, at % 7) for at in range(400_000))
    browser = Browser(widget, {"large.csv": b"n,w\n" + lines, "small.csv": b"a,b\n1,x\n2,y\n"})
    assert "400,000 rows × 2 columns" in browser.row("large.csv", "ready", "failed")["text"]
    assert "2 rows × 2 columns" in browser.row("small.csv", "ready", "failed")["text"]
    eventually(lambda: len(widget.datasets) == 2)
    large = next(each for each in widget.datasets if each.rows == 400_000)
    assert client.get_processed_data(large, ["n"], "n >= 399999")["n"].tolist() == [399_999]


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 50])
def test_file_that_is_no_table_says_so_in_its_row(client: DAPPClient, closing: Callable[[Any], Any], content: bytes) -> None:
    browser = Browser(closing(FileUploadWidget(client)), {"odd.bin": content})
    assert len(browser.row("odd.bin", "failed", "ready")["text"]) > 20
    assert browser.row("odd.bin", "failed", "ready")["state"] == "failed"


def test_file_that_vanishes_leaves_nothing_behind(client: DAPPClient, closing: Callable[[Any], Any]) -> None:
    before = len(client.datasets())
    browser = Browser(closing(FileUploadWidget(client)), {"vanishing.csv": b"a,b\n" + b"1,2\n" * 3_000_000}, stop_after=5 * PIECE)
    assert "could not read" in browser.row("vanishing.csv", "failed", "ready")["text"]
    assert len(client.datasets()) == before


def test_private_uploads_stay_private(client: DAPPClient, closing: Callable[[Any], Any]) -> None:
    widget = closing(FileUploadWidget(client, "private"))
    assert "only you" in widget.zone.hint
    Browser(widget, {"own.csv": b"a,b\n1,x\n2,y\n"}).row("own.csv", "ready")
    assert widget.datasets[0].read.visibility == "private"


def test_preview_pages_sorts_and_searches(client: DAPPClient, birds: Dataset, closing: Callable[[Any], Any]) -> None:
    widget = closing(DataPreviewWidget(client, birds))
    eventually(lambda: "1 to 10 of 344" in widget.place.value)
    assert widget.dataset.value == birds.id
    assert widget.previous.disabled
    assert "Torgersen" in checked(widget.area.value).text
    widget.next.click()
    eventually(lambda: "11 to 20 of 344" in widget.place.value)
    widget.previous.click()
    eventually(lambda: "1 to 10 of 344" in widget.place.value)
    widget.sort.value = "body_mass_g"
    widget.descending.value = True
    eventually(lambda: "6,300" in widget.area.value)
    widget.search.value = "chinstrap"
    eventually(lambda: "of 68" in widget.place.value)
    widget.search.value = "nothing has this"
    eventually(lambda: widget.place.value == "nothing found")
    widget.view.value = "Profile"
    eventually(lambda: "Profile of" in widget.area.value)
    widget.view.value = "Rows"
    widget.search.value = ""
    widget.size.value = 50
    eventually(lambda: "1 to 50 of 344" in widget.place.value)


def test_preview_hears_of_new_datasets(client: DAPPClient, birds: Dataset, closing: Callable[[Any], Any]) -> None:
    widget = closing(DataPreviewWidget(client, birds))
    eventually(lambda: widget.dataset.value == birds.id)
    made = client.upload_file(b"a,b\n1,x\n2,y\n")
    eventually(lambda: made.id in [value for _, value in widget.dataset.options])
    assert widget.dataset.value == birds.id
    widget.choose(made)
    eventually(lambda: "1 to 2 of 2" in widget.place.value)


def test_training_is_followed_and_its_result_appears(client: DAPPClient, birds: Dataset, closing: Callable[[Any], Any]) -> None:
    results = closing(ResultsWidget(client))
    widget = closing(ModelTrainingWidget(client, birds))
    eventually(lambda: not widget.train.disabled)
    assert widget.dataset.value == birds.id
    assert widget.target.value == birds.likely_target == "species"
    assert widget.stop.disabled
    widget.budget.value = 300
    widget.train.click()
    eventually(lambda: "Logistic regression" in widget.area.value)
    eventually(lambda: not widget.stop.disabled)
    widget.stop.click()
    eventually(lambda: ">ready<" in widget.area.value)
    model = widget.model
    assert model is not None
    eventually(lambda: model.id in [value for _, value in results.model.options])
    results.choose(model)
    eventually(lambda: results.results is not None and results.results.read.model.id == model.id)
    assert "95 % interval" in checked(results.area.value).text
    other = closing(ModelTrainingWidget(client))
    other.follow(model)
    eventually(lambda: ">ready<" in other.area.value)


def test_refused_training_says_why(client: DAPPClient, birds: Dataset, closing: Callable[[Any], Any]) -> None:
    widget = closing(ModelTrainingWidget(client, birds))
    eventually(lambda: not widget.train.disabled)
    widget.target.options = ["no such column"]
    widget.target.value = "no such column"
    widget.train.click()
    assert "no such column" in checked(widget.area.value).text


def test_workspace_holds_them_all(client: DAPPClient, birds: Dataset, closing: Callable[[Any], Any]) -> None:
    widget = closing(Workspace(client))
    eventually(lambda: widget.preview.dataset.value is not None and widget.training.dataset.value is not None)
    assert "application/vnd.jupyter.widget-view+json" in widget._repr_mimebundle_()
    assert len(widget.root.children[1].children) == 4


def test_ended_sign_in_is_shown(client: DAPPClient, birds: Dataset, closing: Callable[[Any], Any]) -> None:
    widget = closing(DataPreviewWidget(client, birds))
    eventually(lambda: "1 to 10 of 344" in widget.place.value)
    client.connection.transport.sign_in.forget()
    widget.next.click()
    eventually(lambda: "not signed in" in widget.area.value)


def test_findings_are_mended_by_a_press_and_taken_back(client: DAPPClient, closing: Callable[[Any], Any]) -> None:
    rows = b"a,b,c\n" + b"".join(b"%d,%d,x\n" % (at, at * 7 % 13) for at in range(40))
    data = client.upload_file(rows + b"39,0,x\n39,0,x\n", name="widget repeats")
    widget = closing(DataPreviewWidget(client, data))
    widget.view.value = "Profile"
    eventually(lambda: widget.mending.buttons.children)
    assert widget.mending.undo.layout.display == "none"
    repeats = next(each for each in widget.mending.buttons.children if each.description.startswith("Drop the repeats"))
    repeats.click()
    eventually(lambda: widget.mending.undo.layout.display == "flex")
    assert client.dataset(data.id).rows == 40
    widget.mending.undo.click()
    eventually(lambda: widget.mending.undo.layout.display == "none")
    assert client.dataset(data.id).rows == 42
    widget.view.value = "Lineage"
    eventually(lambda: "Lineage" in widget.area.value)
    assert "version 2" in checked(widget.area.value).text


def test_a_search_is_advised_given_time_and_narrowed(client: DAPPClient, birds: Dataset, closing: Callable[[Any], Any]) -> None:
    marked = client.get_processed_data(birds).assign(number=range(344))
    data = client.upload_file(marked, name="widget numbered birds")
    widget = closing(ModelTrainingWidget(client, data))
    eventually(lambda: "A model of species" in widget.wishes.area.value)
    fix = next(each for each in widget.wishes.buttons.children if "number" in each.description)
    fix.click()
    eventually(lambda: widget.wishes.undo.layout.display == "flex" and not any(each.disabled for each in widget.wishes.buttons.children))
    assert widget.wishes.recipe
    widget.wishes.undo.click()
    assert widget.wishes.recipe == {}
    assert widget.wishes.undo.layout.display == "none"
    assert widget.steering.layout.display == "none"
    widget.budget.value = 30
    widget.train.click()
    eventually(lambda: widget.steering.layout.display == "flex")
    widget.skip.value = "neural"
    eventually(lambda: "Left out: neural networks" in widget.area.value)
    assert "neural" not in [family for _, family in widget.skip.options]
    model = widget.model
    assert model is not None
    before = model.refresh().read.time_budget
    widget.more.value = 60
    widget.extend.click()
    assert model.refresh().read.time_budget == before + 60
    eventually(lambda: not widget.stop.disabled and "Logistic regression" in widget.area.value)
    widget.stop.click()
    eventually(lambda: ">ready<" in widget.area.value)
    assert widget.steering.layout.display == "none"
    _why_of_a_row(client, model, closing(ResultsWidget(client, model)))


def _why_of_a_row(client: DAPPClient, model: Any, widget: ResultsWidget) -> None:
    eventually(lambda: widget.results is not None)
    widget.view.value = "One row"
    eventually(lambda: "Why " in widget.area.value)
    assert widget.row.max == 343
    assert "The table says Adelie" in checked(widget.area.value).text
    widget.row.value = 343
    eventually(lambda: "The table says Adelie" not in widget.area.value and "The table says" in widget.area.value)
    widget.view.value = "Lineage"
    eventually(lambda: "widget numbered birds" in widget.area.value)
    assert widget.row.layout.display == "none"
