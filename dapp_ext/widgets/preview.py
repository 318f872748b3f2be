"""Looking into datasets: pages of rows, sorted and searched on the server, and the profile."""

from __future__ import annotations

import ipywidgets

from dapp_ext.client import DAPPClient, Dataset, DatasetProfile
from dapp_ext.client.drawing import amount, badge, card, escape, labelled, number, paragraph, table
from dapp_ext.client.versions import DatasetLineage
from dapp_ext.schema.datasets import RowsRead, RowsRequest, Sort
from dapp_ext.schema.events import Event
from dapp_ext.widgets.base import WRAP, ClientWidget, set_options
from dapp_ext.widgets.mending import Mending

_NUMERIC = ("integer", "decimal")
_PAGE_SIZES = (10, 25, 50, 100)


class DataPreviewWidget(ClientWidget):
    """Rows and profile of a dataset; the list of datasets follows the workspace.

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
        self._offset = 0
        self._total = 0
        self.dataset = ipywidgets.Dropdown(description="Dataset", layout=ipywidgets.Layout(width="320px"))
        self.view = ipywidgets.ToggleButtons(options=["Rows", "Profile", "Lineage"], style={"button_width": "80px"})
        self.search = ipywidgets.Text(placeholder="Search in all columns", continuous_update=False, layout=ipywidgets.Layout(width="220px"))
        self.sort = ipywidgets.Dropdown(description="Sort by", options=[("as it came", None)], layout=ipywidgets.Layout(width="260px"))
        self.descending = ipywidgets.ToggleButton(description="Descending", layout=ipywidgets.Layout(width="110px"))
        self.size = ipywidgets.Dropdown(description="Rows", options=_PAGE_SIZES, value=_PAGE_SIZES[0], layout=ipywidgets.Layout(width="150px"))
        self.previous = ipywidgets.Button(description="Back", icon="chevron-left", layout=ipywidgets.Layout(width="90px"))
        self.next = ipywidgets.Button(description="On", icon="chevron-right", layout=ipywidgets.Layout(width="90px"))
        self.place = ipywidgets.Label()
        self.area = ipywidgets.HTML(card("", paragraph("Loading …", "soft")))
        self.mending = Mending(self._fail)
        self._rows_bar = ipywidgets.HBox([self.search, self.sort, self.descending], layout=WRAP)
        self._page_bar = ipywidgets.HBox([self.previous, self.next, self.place, self.size], layout=WRAP)
        self.root.children = [ipywidgets.HBox([self.dataset, self.view], layout=WRAP), self._rows_bar, self.mending.root, self.area, self._page_bar]
        self._list = self._refreshed(client.datasets, self._show_list, self.area)
        self._content = self._refreshed(self._fetch, self._show, self.area)
        self._listen()

    def choose(self, dataset: Dataset | str) -> None:
        """Show another dataset."""
        self._wanted = self.client.dataset(dataset).id
        self._list.ask()

    def _listen(self) -> None:
        self._chosen(self.dataset, self._other_dataset)
        for control in (self.search, self.sort, self.descending, self.size, self.view):
            self._chosen(control, self._from_start)
        self.previous.on_click(lambda _: self._turn(-1))
        self.next.on_click(lambda _: self._turn(1))
        self._follow("dataset.*", self._hear)
        self._list.ask()

    def _hear(self, event: Event) -> None:
        self._list.ask()
        if event.subject.id == self.dataset.value and event.type in ("dataset.ready", "dataset.failed", "dataset.changed"):
            self._content.ask()

    def _show_list(self, found: list[Dataset]) -> None:
        ready = [each for each in found if each.status == "ready"]
        before = self.dataset.value
        with self._by_us():
            set_options(self.dataset, [(each.name, each.id) for each in ready], self._wanted)
            self._wanted = None
        if not ready:
            self.area.value = card("", paragraph("No dataset yet. Upload one; it appears here by itself.", "soft"))
        elif self.dataset.value != before:
            self._other_dataset()

    def _other_dataset(self) -> None:
        with self._by_us():
            self.sort.options = [("as it came", None)]
            self.search.value = ""
        self._from_start()

    def _from_start(self) -> None:
        self._offset = 0
        self._content.ask()

    def _turn(self, pages: int) -> None:
        offset = self._offset + pages * self.size.value
        if 0 <= offset < max(self._total, 1):
            self._offset = offset
            self._content.ask()

    def _fail(self, sentence: str) -> None:
        self.area.value = card("", paragraph(sentence))

    def _fetch(self) -> tuple[Dataset, RowsRead | DatasetProfile | DatasetLineage] | None:
        ref = self.dataset.value
        if ref is None:
            return None
        dataset = self.client.dataset(ref)
        if self.view.value == "Profile":
            self.mending.look(dataset)
            return dataset, dataset.profile()
        if self.view.value == "Lineage":
            return dataset, dataset.lineage()
        sort = [Sort(column=self.sort.value, descending=self.descending.value)] if self.sort.value else []
        return dataset, dataset.page(RowsRequest(offset=self._offset, limit=self.size.value, sort=sort, search=self.search.value or None, text_limit=2000))

    def _show(self, found: tuple[Dataset, RowsRead | DatasetProfile | DatasetLineage] | None) -> None:
        if found is None or found[0].id != self.dataset.value:
            return  # another one was chosen while this one was on its way
        dataset, content = found
        self._rows_bar.layout.display = self._page_bar.layout.display = "flex" if isinstance(content, RowsRead) else "none"
        self.mending.show(dataset, content if isinstance(content, DatasetProfile) else None)
        if not isinstance(content, RowsRead):
            self.area.value = content._repr_html_()
            return
        with self._by_us():
            set_options(self.sort, [("as it came", None), *((column.name, column.name) for column in content.columns)])
        self._total = content.total
        self.area.value = _rows_html(dataset, content)
        last = min(content.offset + len(content.rows), content.total)
        self.place.value = f"{content.offset + 1:,} to {last:,} of {content.total:,}" if content.total else "nothing found"
        self.previous.disabled = content.offset == 0
        self.next.disabled = last >= content.total


def _rows_html(dataset: Dataset, page: RowsRead) -> str:
    numeric = [at + 1 for at, column in enumerate(page.columns) if column.kind in _NUMERIC]
    lines = [(f"{page.offset + at:,}", *(_cell(value) for value in row)) for at, row in enumerate(page.rows, 1)]
    body = table(("", *(labelled(column.name, column.unit) for column in page.columns)), lines, numeric=(0, *numeric), one_line=True)
    facts = f"{amount(dataset.rows, 'row')} × {amount(dataset.read.column_count, 'column')} · version {page.version}"
    return card(dataset.name, f'<p class="dapp-soft">{escape(facts)}</p>', body, badge=badge("ready", "good"))


def _cell(value: object) -> str:
    if value is None:
        return "–"
    text = number(value) if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else text[:79] + "…"
