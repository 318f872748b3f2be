"""Every address of the dashboard on one page."""

from __future__ import annotations

from typing import Any

from dapp_panel.dashboard import Dashboard
from dapp_panel.routes.accept import AcceptHandler
from dapp_panel.routes.assets import AssetHandler
from dapp_panel.routes.base import NotHere
from dapp_panel.routes.calls import CallHandler
from dapp_panel.routes.channel import ChannelHandler, ChannelSocket
from dapp_panel.routes.downloads import AuditDownload, DatasetDownload, InsightPicture, ModelDownload
from dapp_panel.routes.health import Live, Ready
from dapp_panel.routes.page import PageHandler
from dapp_panel.routes.reports import ReportHandler, SharedHandler
from dapp_panel.routes.signin import SignInHandler, SignOutHandler
from dapp_panel.routes.uploads import UploadHandler
from dapp_panel.routes.vendor import VendorHandler


def routes(dashboard: Dashboard, bokeh: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Pattern, handler, arguments.

    Parameters
    ----------
    dashboard : Dashboard
        What the handlers share.
    bokeh : dict
        Arguments of Bokeh's own handlers: the application's context and the path of its socket.
    """
    own = {"dashboard": dashboard}
    return [
        (r"/", PageHandler, own),
        (r"/call/([a-z_.]{1,80})", CallHandler, own),
        (r"/channel", ChannelHandler, bokeh),
        (r"/ws", ChannelSocket, bokeh),
        (r"/signin", SignInHandler, own),
        (r"/accept", AcceptHandler, own),
        (r"/signout", SignOutHandler, own),
        (r"/upload", UploadHandler, own),
        (r"/download/audit", AuditDownload, own),
        (r"/download/insights/([^/]+)", InsightPicture, own),
        (r"/download/models/([^/]+)", ModelDownload, own),
        (r"/download/([^/]+)", DatasetDownload, own),
        (r"/report/([^/]+)", ReportHandler, own),
        (r"/shared/([A-Za-z0-9_-]{1,200})", SharedHandler, own),
        (r"/assets/([A-Za-z0-9._-]+)", AssetHandler, own),
        (r"/vendor/channel\.js", VendorHandler, own),
        (r"/health/live", Live, own),
        (r"/health/ready", Ready, own),
        # Bokeh's own doors (pages, sessions by name, metadata, static files) stay shut.
        (r"/.*", NotHere, own),
    ]
