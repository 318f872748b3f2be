"""What all widgets share: a client, a place on the screen, and the live feed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import ipywidgets

from dapp_ext.client import DAPPClient, Subscription
from dapp_ext.client.drawing import card, paragraph
from dapp_ext.schema.events import Event
from dapp_ext.widgets.refresher import Refresher
from dapp_ext.widgets.screen import Screen

T = TypeVar("T")
WRAP = ipywidgets.Layout(flex_flow="row wrap")


class ClientWidget:
    """A widget over a client. ``Widget(client).display()`` shows it; so does the object at the end of a cell.

    Parameters
    ----------
    client : DAPPClient
        Signed in.
    """

    def __init__(self, client: DAPPClient) -> None:
        self.client = client
        self.screen = Screen()
        self.root = ipywidgets.VBox(layout=ipywidgets.Layout(width="100%"))
        self._ends: list[Callable[[], None]] = []
        self._quiet = 0

    def display(self) -> None:
        """Show it here."""
        from IPython.display import display

        display(self.root)

    def close(self) -> None:
        """Stop following the workspace; what is shown stays as it is."""
        while self._ends:
            self._ends.pop()()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.root._repr_mimebundle_(**kwargs)

    def _follow(self, pattern: str, callback: Callable[[Event], None]) -> Subscription:
        subscription = self.client.on(pattern, callback)
        self._ends.append(subscription.close)
        return subscription

    def _refreshed(self, fetch: Callable[[], T], show: Callable[[T], None], area: ipywidgets.HTML) -> Refresher[T]:
        """Something that is fetched and shown again when asked; an error is shown in ``area``."""

        def fail(sentence: str) -> None:
            area.value = card("", paragraph(sentence))

        refresher = Refresher(self.screen, fetch, show, fail)
        self._ends.append(refresher.close)
        return refresher

    @contextmanager
    def _by_us(self) -> Iterator[None]:
        """Changes of controls that are ours, so that they do not count as choices of the reader."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    def _chosen(self, control: ipywidgets.Widget, then: Callable[[], None]) -> None:
        """Do something when the reader chooses another value."""

        def changed(_: Any) -> None:
            if not self._quiet:
                then()

        control.observe(changed, names="value")


def set_options(control: ipywidgets.Dropdown, options: list[tuple[str, str | None]], wanted: str | None = None) -> None:
    """Offer other choices and keep the present one where it is still among them."""
    values = [value for _, value in options]
    keep = wanted if wanted in values else control.value if control.value in values else values[0] if values else None
    if list(control.options) != options:
        control.options = options
    if control.value != keep:
        control.value = keep
