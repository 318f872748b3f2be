"""Buttons that do what the findings of a profile offer, and take the last of it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from dapp_ext.client import Dataset, DatasetProfile
from dapp_ext.errors import DappError
from dapp_ext.schema.fixes import FixCode
from dapp_ext.widgets.base import WRAP

_NAMES: dict[FixCode, str] = {
    "drop_duplicate_rows": "Drop the repeats",
    "drop_columns": "Leave it out",
    "drop_missing_rows": "Drop these rows",
    "fill_missing": "Fill the gaps",
    "mark_missing": "Mark as missing",
    "convert": "Convert",
    "clip_outliers": "Clip",
    "clear_infinite": "Clear",
    "log_scale": "Use the logarithm",
    "group_rare": "Group the rare",
    "cut_texts": "Cut the texts",
    "normalise_texts": "Make them equal",
    "parse_dates": "Read as dates",
    "fill_gaps": "Fill the gaps",
    "drop_header_rows": "Drop the headers",
    "drop_rows": "Drop these rows",
}
_MOST = 12


class Mending:
    """A button for each finding that offers a fix; ``undo`` shows while the latest version rests on one.

    Parameters
    ----------
    fail : callable
        Shows the sentence of a refusal.
    """

    def __init__(self, fail: Callable[[str], None]) -> None:
        self._fail = fail
        self._undoable = False
        self.undo = ipywidgets.Button(description="Undo the last fix", icon="undo", layout=ipywidgets.Layout(width="170px", display="none"))
        self.buttons = ipywidgets.HBox(layout=WRAP)
        self.root = ipywidgets.HBox([self.undo, self.buttons], layout=ipywidgets.Layout(flex_flow="row wrap", display="none"))
        self._dataset: Dataset | None = None
        self.undo.on_click(lambda _: self._take_back())

    def look(self, dataset: Dataset) -> None:
        """Find out whether the latest version rests on a fix; runs on a thread of its own."""
        latest = next((each for each in dataset.versions() if each.latest), None)
        self._undoable = latest is not None and latest.origin == "fix"

    def show(self, dataset: Dataset, profile: DatasetProfile | None) -> None:
        """Offer what the findings offer; nothing without a profile, or where the reader may not change the dataset."""
        self._dataset = dataset
        may = profile is not None and dataset.read.access in ("edit", "owner")
        offers = [each for each in profile.findings if each.fix] if may and profile is not None else []
        self.undo.layout.display = "flex" if may and self._undoable else "none"
        self.undo.disabled = False
        self.buttons.children = [self._button(each) for each in offers[:_MOST]]
        self.root.layout.display = "flex" if may and (offers or self._undoable) else "none"

    def _button(self, finding: Any) -> ipywidgets.Button:
        columns = ", ".join(finding.columns[:2]) + (" …" if len(finding.columns) > 2 else "")
        name = _NAMES.get(finding.fix.code, "Mend it")
        button = ipywidgets.Button(
            description=f"{name}: {columns}" if columns else name, tooltip=f"{finding.sentence} {finding.fix.sentence}", layout=ipywidgets.Layout(width="auto")
        )
        button.on_click(lambda _: self._mend(finding))
        return button

    def _mend(self, finding: Any) -> None:
        if self._dataset is not None:
            dataset, fix = self._dataset, finding.fix
            self._do(lambda: dataset.fix(fix.code, finding.columns, wait=False, **fix.options))

    def _take_back(self) -> None:
        if self._dataset is not None:
            self._do(self._dataset.undo_fix)

    def _do(self, work: Callable[[], object]) -> None:
        for button in (self.undo, *self.buttons.children):
            button.disabled = True
        try:
            work()
        except DappError as error:
            self._fail(error.message)
