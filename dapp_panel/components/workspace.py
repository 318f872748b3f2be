"""The one rich component: the whole dashboard, compiled from ``frontend/``, over one message channel.

The browser keeps the page; Panel keeps the channel. A message from the page is a call or a change of place, a message to
the page is a batch of answers and events (:mod:`dapp_panel.conversation`).
"""

from __future__ import annotations

from typing import Any, ClassVar

import panel as pn
from panel.models.esm import ESMEvent

from dapp_panel.assets import FOLDER, Assets
from dapp_panel.conversation import Conversation


class Workspace(pn.custom.JSComponent):
    """Carries messages between one page and its conversation."""

    # The compiled module is loaded by address; the page has loaded it already, so the browser runs it once.
    _bundle = FOLDER / "manifest.json"
    _assets: ClassVar[Assets | None] = None

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._conversation: Conversation | None = None

    def attach(self, conversation: Conversation) -> None:
        """Hand the messages of the page to this conversation from now on."""
        self._conversation = conversation

    def send(self, text: str) -> None:
        """One message to the page; on its event loop, with its document locked.

        Straight to the document's callbacks, since Panel's way holds the document for a moment and schedules anew what it held.
        """
        for model, _ in list(self._models.values()):
            if model.document is not None:
                model.document.callbacks.send_event(ESMEvent(model=model, data=text))

    def _handle_msg(self, data: Any) -> None:
        if self._conversation is not None:
            self._conversation.receive(data)

    def _get_properties(self, doc: Any) -> dict[str, Any]:
        return {**super()._get_properties(doc), "stylesheets": []}

    def _preprocess(self, root: Any, changed: Any = None, old_models: Any = None) -> None:
        """Without Panel's design: its stylesheets come from a foreign host, and the page has its own look."""

    @classmethod
    def _render_esm(cls, compiled: Any = True, server: bool = False) -> str:
        if cls._assets is None:
            cls._assets = Assets.load()
        return cls._assets.url("app.js")
