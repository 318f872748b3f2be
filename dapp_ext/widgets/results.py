"""The results of the workspace's models, with the newest at hand; why for one row, and where the model came from."""

from __future__ import annotations

import ipywidgets

from dapp_ext.client import DAPPClient, Model, Results
from dapp_ext.client.drawing import card, number, paragraph
from dapp_ext.errors import NotFound
from dapp_ext.schema.datasets import RowsRequest
from dapp_ext.schema.events import Event
from dapp_ext.widgets.base import WRAP, ClientWidget, set_options

_VIEWS = ("Results", "One row", "Lineage")


class ResultsWidget(ClientWidget):
    """What came out of a training; ``results`` is what is on the screen.

    Three views: the results; one row of the dataset with what the model says about it and why; what came from what.

    Parameters
    ----------
    client : DAPPClient
        Signed in.
    model : Model or str, optional
        The one to begin with; the newest when left out.
    """

    def __init__(self, client: DAPPClient, model: Model | str | None = None) -> None:
        super().__init__(client)
        self._wanted = client.model(model).id if model is not None else None
        self.results: Results | None = None
        self.model = ipywidgets.Dropdown(description="Model", layout=ipywidgets.Layout(width="420px"))
        self.view = ipywidgets.ToggleButtons(options=_VIEWS, style={"button_width": "90px"})
        self.row = ipywidgets.BoundedIntText(description="Row", min=0, max=0, layout=ipywidgets.Layout(width="200px", display="none"))
        self.area = ipywidgets.HTML(card("", paragraph("Loading …", "soft")))
        self.root.children = [ipywidgets.HBox([self.model, self.view, self.row], layout=WRAP), self.area]
        self._list = self._refreshed(client.models, self._show_list, self.area)
        self._content = self._refreshed(self._fetch, self._show, self.area)
        for control in (self.model, self.view, self.row):
            self._chosen(control, self._content.ask)
        self._follow("model.*", self._hear)
        self._list.ask()

    def choose(self, model: Model | str) -> None:
        """Show another model."""
        self._wanted = self.client.model(model).id
        self._list.ask()

    def _hear(self, event: Event) -> None:
        if event.type != "model.trial":
            self._list.ask()

    def _show_list(self, found: list[Model]) -> None:
        ready = [each for each in found if each.read.status == "ready"]
        before = self.model.value
        with self._by_us():
            set_options(self.model, [(f"{each.name} · {each.target}", each.id) for each in ready], self._wanted)
        if self._wanted == self.model.value:
            self._wanted = None
        if not ready:
            self.area.value = card("", paragraph("No trained model yet. Train one; it appears here by itself.", "soft"))
        elif self.model.value != before:
            self._content.ask()

    def _fetch(self) -> tuple[tuple[str, str], Results, str, int] | None:
        ref, view = self.model.value, self.view.value
        if ref is None:
            return None
        results = self.client.get_results(ref)
        if view == "Lineage":
            return (ref, view), results, self.client.model(ref).lineage()._repr_html_(), 0
        if view == "One row":
            drawn, rows = self._one_row(results, self.row.value)
            return (ref, view), results, drawn, rows
        return (ref, view), results, results._repr_html_(), 0

    def _one_row(self, results: Results, row: int) -> tuple[str, int]:
        """Why the model says what it says about a row of its dataset, and how many rows there are."""
        read = results.read
        try:
            dataset = self.client.dataset(read.dataset.id)
            page = dataset.page(RowsRequest(offset=row, limit=1, version=read.dataset_version))
        except NotFound:
            return card("", paragraph(f"The rows of {read.dataset.name} are gone, or not shared with you.", "soft")), 0
        if not page.rows:
            return card("", paragraph("There is no such row.", "soft")), page.total
        values = dict(zip((column.name for column in page.columns), page.rows[0], strict=True))
        actual = values.get(read.target)
        wanted = {feature.name: values.get(feature.name) for feature in read.features}
        why = self.client.explain(read.model.id, wanted)[0]
        return why._repr_html_() + paragraph(f"The table says {number(actual)}.", "soft"), page.total

    def _show(self, found: tuple[tuple[str, str], Results, str, int] | None) -> None:
        if found is None or found[0] != (self.model.value, self.view.value):
            return  # something else was chosen while this was on its way
        (_, view), self.results, self.area.value, rows = found
        self.row.layout.display = "flex" if view == "One row" else "none"
        if view == "One row":
            with self._by_us():
                self.row.max = max(0, rows - 1)
