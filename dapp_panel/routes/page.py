"""The page: a light shell that shows at once; what it shows is asked for by calls, and what is live comes over the channel."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from dapp_ext import __version__
from dapp_ext.errors import DappError
from dapp_ext.schema.accounts import AccountRead
from dapp_panel.auth import Visitor
from dapp_panel.calls import as_json
from dapp_panel.pages import CALLS
from dapp_panel.routes.base import DashboardHandler
from dapp_panel.routes.vendor import vendor_url
from dapp_panel.state import rights_of

THEME_COOKIE = "dapp_theme"
# What stands in the frame around every page, exactly as `shell/` asks for it: four requests fewer before the first picture.
FRAME: tuple[tuple[str, dict[str, Any]], ...] = (
    ("notifications.count", {}),
    ("announcements.list", {}),
    ("maintenance.read", {}),
    ("jobs.list", {"status": "running", "limit": 20}),
)


class PageHandler(DashboardHandler):
    """The shell for whoever is signed in; the sign-in page for everyone else."""

    async def get(self) -> None:
        visitor = await self.visitor()
        if visitor is not None:
            await self._shell(visitor)
        elif self.request.headers.get("Sec-Fetch-Site") == "cross-site":
            # A link on another site does not carry our strict cookie; the page comes again by itself, and then it does.
            self.render("again.html")
        else:
            self.redirect("/signin")

    async def _shell(self, visitor: Visitor) -> None:
        account, cursor, first = await self.dashboard.crew.run(self._known_of, visitor)
        boot = {
            "account": json.loads(account.model_dump_json()),
            "cursor": cursor,
            "rights": rights_of(visitor.actor),
            "version": __version__,
            "uploadLimit": self.dashboard.settings.upload_limit,
            "first": first,
        }
        self.render("page.html", boot=for_script(boot), assets=self.dashboard.assets, vendor=vendor_url(), theme=self.theme())

    def _known_of(self, visitor: Visitor) -> tuple[AccountRead, str, list[tuple[str, dict[str, Any], Any]]]:
        """Who looks, the newest event, and what the frame asks first.

        Whatever comes after that event, the page hears of when its channel is there.
        """
        services = self.dashboard.services
        cursor = services.events.head()
        first = []
        for name, given in FRAME:
            with contextlib.suppress(DappError):  # then the page asks itself, and tells why not
                first.append((name, given, json.loads(as_json(CALLS[name](services, visitor.actor, given)))))
        return services.accounts.me(visitor.actor), cursor, first

    def theme(self) -> str:
        """Light or dark as the visitor chose; empty to follow the system."""
        chosen = self.get_cookie(THEME_COOKIE, "")
        return chosen if chosen in ("light", "dark") else ""


def for_script(value: Any) -> str:
    """JSON that is safe inside a script element."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
