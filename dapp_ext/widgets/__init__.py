"""Widgets for notebooks over the client; each ``Widget(client).display()``."""

from dapp_ext.widgets.preview import DataPreviewWidget
from dapp_ext.widgets.results import ResultsWidget
from dapp_ext.widgets.training import ModelTrainingWidget
from dapp_ext.widgets.upload import FileUploadWidget
from dapp_ext.widgets.workspace import Workspace

__all__ = ["DataPreviewWidget", "FileUploadWidget", "ModelTrainingWidget", "ResultsWidget", "Workspace"]
