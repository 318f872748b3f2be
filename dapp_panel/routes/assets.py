"""The built files: named by their content, so browsers keep them for good."""

from __future__ import annotations

import mimetypes

from dapp_ext.errors import RouteNotFound
from dapp_panel.routes.base import DashboardHandler

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


class AssetHandler(DashboardHandler):
    """One file of the build, compressed when the browser takes it so."""

    def get(self, name: str) -> None:
        path = self.dashboard.assets.folder / name
        if path.suffix not in _TYPES or not path.is_file():
            raise RouteNotFound("There is nothing at this address.")
        self.set_header("Content-Type", _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        small = path.with_name(f"{name}.gz")
        if small.is_file():
            self.set_header("Vary", "Accept-Encoding")
            if "gzip" in self.request.headers.get("Accept-Encoding", ""):
                self.set_header("Content-Encoding", "gzip")
                path = small
        self.finish(path.read_bytes())
