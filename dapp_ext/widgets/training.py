"""Training by pointing: choose, press Train, watch the leaderboard fill."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from dapp_ext.client import DAPPClient, Dataset, Model
from dapp_ext.client.drawing import card, paragraph
from dapp_ext.client.explaining import TrainingAdvice
from dapp_ext.client.leaderboard import board_html
from dapp_ext.errors import DappError
from dapp_ext.schema.events import Event
from dapp_ext.schema.models import BUDGETS, Leaderboard, ModelRead
from dapp_ext.widgets.advice import Wishes
from dapp_ext.widgets.base import WRAP, ClientWidget, set_options

_BUDGETS = [
    (f"Quick ({BUDGETS['quick']} seconds)", BUDGETS["quick"]),
    ("One minute", 60),
    (f"Standard ({BUDGETS['standard'] // 60} minutes)", BUDGETS["standard"]),
    (f"Thorough ({BUDGETS['thorough'] // 60} minutes)", BUDGETS["thorough"]),
]
_MORE = [("a minute", 60), ("5 minutes", 300), ("10 minutes", 600), ("an hour", 3600)]
_FAMILIES: list[tuple[str, str | None]] = [
    ("leave out …", None),
    ("linear models", "linear"),
    ("LightGBM", "lightgbm"),
    ("forests", "forest"),
    ("neighbours", "neighbours"),
    ("neural networks", "neural"),
]


class ModelTrainingWidget(ClientWidget):
    """Trains a model and shows the search live; ``model`` is the one on the screen.

    Before it starts it says what the training would do, with a button for each fix; while it goes on it can be stopped, given
    more time, and told to leave a kind of model out.

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
        self.more = ipywidgets.Dropdown(options=_MORE, value=300, layout=ipywidgets.Layout(width="110px"))
        self.extend = ipywidgets.Button(description="More time", icon="plus", layout=ipywidgets.Layout(width="110px"))
        self.skip = ipywidgets.Dropdown(options=_FAMILIES, layout=ipywidgets.Layout(width="150px"))
        self.steering = ipywidgets.HBox([self.extend, self.more, self.skip], layout=ipywidgets.Layout(flex_flow="row wrap", display="none"))
        self.area = ipywidgets.HTML(card("", paragraph("Choose what to predict and press Train.", "soft")))
        self.wishes = Wishes(self._ask_advice)
        self.root.children = [
            ipywidgets.HBox([self.dataset, self.target, self.budget], layout=WRAP),
            self.wishes.root,
            ipywidgets.HBox([self.train, self.stop, self.steering], layout=WRAP),
            self.area,
        ]
        self._list = self._refreshed(client.datasets, self._show_list, self.area)
        self._board = self._refreshed(self._fetch, self._show, self.area)
        self._advice = self._refreshed(self._fetch_advice, self._show_advice, self.wishes.area)
        self._chosen(self.dataset, self._other_dataset)
        self._chosen(self.target, self._other_target)
        self._chosen(self.skip, self._skip)
        self.extend.on_click(lambda _: self._steer(lambda model: model.extend(self.more.value)))
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
            with self._by_us():
                set_options(self.target, [(name, name) for name in dataset.columns], dataset.likely_target or dataset.columns[-1])
            self._other_target()

    def _other_target(self) -> None:
        self.wishes.forget()
        self._ask_advice()

    def _ask_advice(self) -> None:
        self._advice.ask()

    def _fetch_advice(self) -> tuple[tuple[str | None, str | None], TrainingAdvice] | None:
        chosen = self.dataset.value, self.target.value
        return (chosen, self.client.advise(*chosen, **self.wishes.recipe)) if all(chosen) else None

    def _show_advice(self, found: tuple[tuple[str | None, str | None], TrainingAdvice] | None) -> None:
        if found is not None and found[0] == (self.dataset.value, self.target.value):
            self.wishes.show(found[1])

    def _train(self) -> None:
        try:
            self.model = self.client.train_model(self.dataset.value, self.target.value, time_budget=self.budget.value, **self.wishes.recipe)
        except DappError as error:
            self.area.value = card("", paragraph(error.message))
            return
        self._board.ask()

    def _stop(self) -> None:
        self.stop.disabled = True
        self._steer(Model.stop)

    def _skip(self) -> None:
        family = self.skip.value
        with self._by_us():
            self.skip.value = None
        if family is not None:
            self._steer(lambda model: model.skip(family))

    def _steer(self, act: Callable[[Model], object]) -> None:
        if self.model is None:
            return
        try:
            act(self.model)
        except DappError as error:
            self.area.value = card("", paragraph(error.message))
        else:
            self._board.ask()

    def _hear(self, event: Event) -> None:
        if self.model is not None and event.subject.id == self.model.id:
            self._board.ask()

    def _fetch(self) -> tuple[ModelRead, Leaderboard] | None:
        model = self.model
        return None if model is None else (model.refresh().read, model.board())

    def _show(self, found: tuple[ModelRead, Leaderboard] | None) -> None:
        if found is None or self.model is None or found[0].id != self.model.id:
            return
        model, board = found
        left_out = [name for name, family in _FAMILIES if family in model.skipped]
        self.area.value = board_html(model, board) + (paragraph(f"Left out: {', '.join(left_out)}.", "soft") if left_out else "")
        self.stop.disabled = model.status != "training"
        goes_on = model.status in ("queued", "training")
        self.steering.layout.display = "flex" if goes_on else "none"
        with self._by_us():
            left = [(name, family) for name, family in _FAMILIES if family is None or family not in model.skipped]
            if list(self.skip.options) != left:
                self.skip.options = left
                self.skip.value = None
