"""BokehJS and Panel's models as one script: what carries the channel in the browser, served from here and kept for good."""

from __future__ import annotations

import functools
import gzip
from pathlib import Path

import bokeh
import panel as pn
from bokeh.settings import settings as bokeh_settings

from dapp_panel.routes.base import DashboardHandler

# Panel's models are built on the widgets and tables of Bokeh, so these come along; mathjax and WebGL do not.
_BOKEH_PARTS = ("bokeh.min.js", "bokeh-widgets.min.js", "bokeh-tables.min.js")


def vendor_url() -> str:
    """Where a page finds the script."""
    return f"vendor/channel.js?v={bokeh.__version__}-{pn.__version__}"


@functools.cache
def vendor_script() -> tuple[bytes, bytes]:
    """The script, plain and compressed."""
    folder = Path(bokeh_settings.bokehjs_path()) / "js"
    parts = [(folder / name).read_bytes() for name in _BOKEH_PARTS]
    parts.append((Path(pn.__file__).parent / "dist" / "panel.min.js").read_bytes())
    plain = b"\n;\n".join(part.replace(b"//# sourceMappingURL=", b"// ") for part in parts)
    return plain, gzip.compress(plain, 6)


class VendorHandler(DashboardHandler):
    """The script, compressed when the browser takes it so."""

    async def get(self) -> None:
        plain, small = await self.dashboard.crew.run(vendor_script)
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.finish(small)
        else:
            self.finish(plain)
