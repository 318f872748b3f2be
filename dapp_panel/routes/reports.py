"""Results as pages of their own: for whoever is signed in, and for whoever holds a read-only link."""

from __future__ import annotations

import math
from datetime import UTC
from urllib.parse import quote

from dapp_ext.errors import DappError
from dapp_ext.handlers.wire import status_of
from dapp_ext.schema.base import now
from dapp_ext.schema.shares import SharedInsight
from dapp_panel.report import report, report_insight
from dapp_panel.routes.base import DashboardHandler

MOST_AHEAD = 20 * 86_400  # seconds; browsers count no further ahead than 24 days


class ReportHandler(DashboardHandler):
    """``GET /report/<model>`` shows the page; ``?download`` sends it as a file."""

    async def get(self, ref: str) -> None:
        self.check_not_cross_site()
        visitor = await self.signed_in()
        models = self.dashboard.services.models
        model = await self.dashboard.crew.run(models.get, visitor.actor, ref)
        results = await self.dashboard.crew.run(models.results, visitor.actor, ref)
        if self.get_query_argument("download", None) is not None:
            self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(f'{model.name} report.html', safe='')}")
        self.finish(report(model, results))


class SharedHandler(DashboardHandler):
    """``GET /shared/<token>``: no account is needed, and nothing but this one result or insight is reached."""

    leads_home = False

    async def get(self, token: str) -> None:
        self.set_header("Referrer-Policy", "no-referrer")  # the address is the credential
        self.set_header("X-Robots-Tag", "noindex")
        if self.request.headers.get("Sec-Purpose", "").startswith("prefetch"):
            self.set_status(204)
            return
        try:
            found = await self.dashboard.crew.run(self.dashboard.services.shares.open, token, address=self.request.remote_ip)
        except DappError as error:
            self.set_status(status_of(error))
            self.show(error, "This link is closed")
            return
        until = found.expires_at.astimezone(UTC).strftime("%d %B %Y, %H:%M UTC")
        left = (found.expires_at - now()).total_seconds()
        if left < MOST_AHEAD:  # a page that is open when the link ends goes with it
            self.set_header("Refresh", str(math.ceil(left) + 1))
        words = f"{found.by.name or 'Someone'} shared this with you, to read. The link works until {until}."
        self.finish(report_insight(found, shared=words) if isinstance(found, SharedInsight) else report(found.model, found.results, shared=words))
