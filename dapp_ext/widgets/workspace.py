"""All widgets in one place."""

from __future__ import annotations

import ipywidgets

from dapp_ext.client import DAPPClient
from dapp_ext.client.drawing import escape
from dapp_ext.widgets.base import ClientWidget
from dapp_ext.widgets.preview import DataPreviewWidget
from dapp_ext.widgets.results import ResultsWidget
from dapp_ext.widgets.training import ModelTrainingWidget
from dapp_ext.widgets.upload import FileUploadWidget


class Workspace(ClientWidget):
    """Upload, data, training and results as tabs; what is made in one is offered in the next.

    Parameters
    ----------
    client : DAPPClient
        Signed in.
    """

    def __init__(self, client: DAPPClient) -> None:
        super().__init__(client)
        self.upload = FileUploadWidget(client)
        self.preview = DataPreviewWidget(client)
        self.training = ModelTrainingWidget(client)
        self.results = ResultsWidget(client)
        parts = [self.upload, self.preview, self.training, self.results]
        self._ends += [part.close for part in parts]
        account = client.whoami()
        head = ipywidgets.HTML(f"<b>DAPP</b> <span style='opacity:.72'>{escape(account.name or account.email)} ({escape(account.role)})</span>")
        tabs = ipywidgets.Tab([part.root for part in parts])
        tabs.titles = ("Upload", "Data", "Train", "Results")
        self.root.children = [head, tabs]
