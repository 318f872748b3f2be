"""DAPP, the Data Analysis and Prediction Platform: Jupyter entry points and the version, nothing heavy."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-dapp"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    # Imported here so that the client and the command line do not load the server.
    from dapp_ext.app import DappExtension

    return [{"module": "dapp_ext", "app": DappExtension}]
