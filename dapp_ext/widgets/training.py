"""Training by pointing: choose, press Train, watch the leaderboard fill."""

from __future__ import annotations

import ipywidgets

from dapp_ext.client import DAPPClient, Dataset, Model
from dapp_ext.client.drawing import card, paragraph
from dapp_ext.client.leaderboard import board_html
from dapp_ext.errors import DappError
from dapp_ext.schema.events import Event
from dapp_ext.schema.models import BUDGETS, Leaderboard, ModelRead
from dapp_ext.widgets.base import ClientWidget, set_options

_BUDGETS = [
    (f"Quick ({BUDGETS['quick']} seconds)", BUDGETS["quick"]),
    ("One minute", 60),
    (f"Standard ({BUDGETS['standard'] // 60} minutes)", BUDGETS["standard"]),
    (f"Thorough ({BUDGETS['thorough'] // 60} minutes)", BUDGETS["thorough"]),
]


class ModelTrainingWidget(ClientWidget):
    """Trains a model and shows the search live; ``model`` is the one on the screen.

    Parameters
    ----------
    client : DAPPClient
        Signed in.
    dataset : Dataset or str, optional
        The one to begin with; the newest when left out.
    """

    def __init__(self, client: DAPPClient, dataset: Dataset | str | None = None) -> None:
        super().__init__(client)
        self._wanted = client.dataset(dataset).id if dataset is not None else None
        self._datasets: dict[str, Dataset] = {}
        self.model: Model | None = None
        wide = ipywidgets.Layout(width="320px")
        self.dataset = ipywidgets.Dropdown(description="Dataset", layout=wide)
        self.target = ipywidgets.Dropdown(description="Predict", layout=wide)
        self.budget = ipywidgets.Dropdown(description="Time", options=_BUDGETS, value=60, layout=wide)
        self.train = ipywidgets.Button(description="Train", icon="play", button_style="primary", disabled=True)
        self.stop = ipywidgets.Button(description="Stop, keep the best", icon="stop", disabled=True, layout=ipywidgets.Layout(width="180px"))
        self.area = ipywidgets.HTML(card("", paragraph("Choose what to predict and press Train.", "soft")))
        wrap = ipywidgets.Layout(flex_flow="row wrap")
        self.root.children = [
            ipywidgets.HBox([self.dataset, self.target, self.budget], layout=wrap),
            ipywidgets.HBox([self.train, self.stop], layout=wrap),
            self.area,
        ]
        self._list = self._refreshed(client.datasets, self._show_list, self.area)
        self._board = self._refreshed(self._fetch, self._show, self.area)
        self._chosen(self.dataset, self._other_dataset)
        self.train.on_click(lambda _: self._train())
        self.stop.on_click(lambda _: self._stop())
        self._follow("dataset.*", lambda event: self._list.ask())
        self._follow("model.*", self._hear)
        self._list.ask()

    def follow(self, model: Model | str) -> None:
        """Show the search of a model that is being trained already."""
        self.model = self.client.model(model)
        self._board.ask()

    def _show_list(self, found: list[Dataset]) -> None:
        self._datasets = {each.id: each for each in found if each.status == "ready"}
        before = self.dataset.value
        with self._by_us():
            set_options(self.dataset, [(each.name, each.id) for each in self._datasets.values()], self._wanted)
            self._wanted = None
        if self.dataset.value != before:
            self._other_dataset()
        self.train.disabled = self.dataset.value is None

    def _other_dataset(self) -> None:
        dataset = self._datasets.get(self.dataset.value)
        if dataset is not None:
            set_options(self.target, [(name, name) for name in dataset.columns], dataset.likely_target or dataset.columns[-1])

    def _train(self) -> None:
        try:
            self.model = self.client.train_model(self.dataset.value, self.target.value, time_budget=self.budget.value)
        except DappError as error:
            self.area.value = card("", paragraph(error.message))
            return
        self._board.ask()

    def _stop(self) -> None:
        if self.model is None:
            return
        self.stop.disabled = True
        try:
            self.model.stop()
        except DappError as error:
            self.area.value = card("", paragraph(error.message))

    def _hear(self, event: Event) -> None:
        if self.model is not None and event.subject.id == self.model.id:
            self._board.ask()

    def _fetch(self) -> tuple[ModelRead, Leaderboard] | None:
        model = self.model
        return None if model is None else (model.refresh().read, model.board())

    def _show(self, found: tuple[ModelRead, Leaderboard] | None) -> None:
        if found is None or self.model is None or found[0].id != self.model.id:
            return
        self.area.value = board_html(*found)
        self.stop.disabled = found[0].status != "training"
