"""The results of the workspace's models, with the newest at hand."""

from __future__ import annotations

import ipywidgets

from dapp_ext.client import DAPPClient, Model, Results
from dapp_ext.client.drawing import card, paragraph
from dapp_ext.schema.events import Event
from dapp_ext.widgets.base import ClientWidget, set_options


class ResultsWidget(ClientWidget):
    """What came out of a training; ``results`` is what is on the screen.

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
        self.area = ipywidgets.HTML(card("", paragraph("Loading …", "soft")))
        self.root.children = [self.model, self.area]
        self._list = self._refreshed(client.models, self._show_list, self.area)
        self._content = self._refreshed(self._fetch, self._show, self.area)
        self._chosen(self.model, self._content.ask)
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

    def _fetch(self) -> tuple[str, Results] | None:
        ref = self.model.value
        return None if ref is None else (ref, self.client.get_results(ref))

    def _show(self, found: tuple[str, Results] | None) -> None:
        if found is not None and found[0] == self.model.value:
            self.results = found[1]
            self.area.value = self.results._repr_html_()
