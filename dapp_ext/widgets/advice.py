"""What a training would do, said before it starts, with a button for each fix and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from dapp_ext.client.explaining import TrainingAdvice
from dapp_ext.schema.models import Fix
from dapp_ext.widgets.base import WRAP


class Wishes:
    """The advice, and what was changed because of it; ``recipe`` is what a training is asked for beyond its form.

    Parameters
    ----------
    ask : callable
        Asks for the advice anew, after a change.
    """

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self.recipe: dict[str, Any] = {}
        self._before: list[tuple[Fix, dict[str, Any]]] = []
        self.area = ipywidgets.HTML()
        self.buttons = ipywidgets.HBox(layout=WRAP)
        self.undo = ipywidgets.Button(icon="undo", layout=ipywidgets.Layout(width="auto", display="none"))
        self.undo.on_click(lambda _: self._take_back())
        self.root = ipywidgets.VBox([self.area, ipywidgets.HBox([self.undo, self.buttons], layout=WRAP)])

    def forget(self) -> None:
        """Begin anew, because something else is to be predicted."""
        self.recipe = {}
        self._before = []
        self.area.value = ""
        self.buttons.children = []
        self._offer_undo()

    def show(self, advice: TrainingAdvice) -> None:
        """Show what would be done, and a button for each fix."""
        self.area.value = advice._repr_html_()
        self.buttons.children = [self._button(fix) for guard in advice.read.guards if guard.state != "passed" for fix in guard.fixes]

    def _button(self, fix: Fix) -> ipywidgets.Button:
        button = ipywidgets.Button(description=fix.label, layout=ipywidgets.Layout(width="auto"))
        button.on_click(lambda _: self._apply(fix))
        return button

    def _apply(self, fix: Fix) -> None:
        self._before.append((fix, self.recipe))
        self._change(self.recipe | fix.change)

    def _take_back(self) -> None:
        if self._before:
            _, before = self._before.pop()
            self._change(before)

    def _change(self, recipe: dict[str, Any]) -> None:
        self.recipe = recipe
        for button in self.buttons.children:
            button.disabled = True
        self._offer_undo()
        self._ask()

    def _offer_undo(self) -> None:
        self.undo.layout.display = "flex" if self._before else "none"
        self.undo.description = f"Undo: {self._before[-1][0].label}" if self._before else ""
