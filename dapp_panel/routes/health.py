"""Whether the process lives, and whether it can work."""

from __future__ import annotations

from dapp_ext.errors import Unavailable
from dapp_ext.schema.system import HealthRead
from dapp_panel.routes.base import DashboardHandler


class Live(DashboardHandler):
    """The process answers."""

    def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(HealthRead().model_dump_json())


class Ready(DashboardHandler):
    """The services answer."""

    async def get(self) -> None:
        if not await self.dashboard.crew.run(self.dashboard.services.system.ready):
            raise Unavailable
        self.set_header("Content-Type", "application/json")
        self.finish(HealthRead().model_dump_json())
