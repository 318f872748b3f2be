"""DAPP inside Jupyter Server: settings, door and routes; what starts with the server ends with it."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Int, TraitType, Unicode
from traitlets.config import Configurable

from dapp_ext.errors import DappError
from dapp_ext.handlers.backend import SETTING, Backend
from dapp_ext.handlers.forwarding import Service, forwarding_handlers
from dapp_ext.handlers.routes import handlers
from dapp_ext.handlers.unreadable import explain_unreadable
from dapp_ext.settings import Settings

if TYPE_CHECKING:
    from dapp_ext.services import Services, WorkerKeeper

# Jupyter has a setting named log_level, with another meaning.
_SETTINGS = {each.name: each for each in fields(Settings) if each.name != "log_level"}


def _trait(field: Any) -> TraitType:
    kind = {bool: Bool, int: Int}.get(type(field.default), Unicode)
    return kind(default_value=None, allow_none=True, help=field.metadata["help"]).tag(config=True)


# The settings as ``c.DappExtension.…``; None leaves a setting to the other sources.
SettingTraits: Any = type(Configurable)("SettingTraits", (Configurable,), {name: _trait(field) for name, field in _SETTINGS.items()})


class DappExtension(SettingTraits, ExtensionApp):
    """The server extension. ``jupyter dapp`` is not this class but the command line in ``dapp_ext.cli``."""

    name = "dapp"
    description = "DAPP, the Data Analysis and Prediction Platform"
    is_service = Bool(False, help="Whether this server is a service for a team; ``jupyter dapp serve`` sets it.").tag(config=True)
    personal_server = Bool(True, help="Whether this server is one person's, so that whoever holds its login is the workspace's owner.").tag(config=True)

    backend: Backend
    _keeper: WorkerKeeper | None = None
    _elsewhere: Service | None = None
    _busy = 0

    def initialize_settings(self) -> None:
        """Make what the handlers share; nothing heavy happens before the server runs."""
        given = {name: getattr(self, name) for name in _SETTINGS if getattr(self, name) is not None}
        self.backend = Backend(given, self.log, self._announce)
        self.backend.base_url = self.serverapp.base_url
        self.backend.personal = self.personal_server
        self.settings[SETTING] = self.backend
        self._announced = ExitStack()
        with suppress(DappError):  # told when the home is opened
            url = self.backend.settings().url  # now, before any kernel can start
            self._elsewhere = Service(url) if url else None

    def initialize_handlers(self) -> None:
        self.handlers.extend(handlers() if self._elsewhere is None else forwarding_handlers(self._elsewhere))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Open the home beside everything else, so that JupyterLab never waits for it; with a service elsewhere there is none."""
        with suppress(AttributeError):  # a server that is not listening yet, or is served by others
            explain_unreadable(serverapp.http_server)
        if self._elsewhere is None:
            self.backend.start()
        else:
            self.log.info("DAPP forwards to the service at %s", self._elsewhere.base)

    def _announce(self, services: Services) -> None:
        """Once the home is open: tell its other processes where this server answers, and start the worker."""
        from dapp_ext.services import WorkerKeeper

        url = self.serverapp.connection_url
        self._announced.enter_context(services.system.announce_address("api", url))
        if self.is_service:
            self._announced.enter_context(services.system.announce_address("service", url))
        lab = self.serverapp.extension_manager.extensions.get("jupyterlab")
        if lab is not None and lab.enabled:
            self._announced.enter_context(services.system.announce_address("jupyterlab", url))
        if services.settings.start_worker:
            self._keeper = WorkerKeeper(services.settings)
            self._keeper.start()

    def current_activity(self) -> int | None:
        """Jobs that run or wait, so that a server that is idle otherwise is not ended under them."""
        if self.backend.is_open:
            self.backend.spawn(self._count_jobs())
        return self._busy or None

    async def _count_jobs(self) -> None:
        """Look for the next time that somebody asks; a look takes a query, which has no place on the loop."""
        try:
            services = await self.backend.services()
            status = await self.backend.call(lambda: services.system.status(services.system.shell_actor()))
            self._busy = status.queued + status.running
        except DappError as error:
            self.log.warning("The jobs could not be counted: %s", error.message)

    async def stop_extension(self) -> None:
        """Give everything back: followers, worker, dashboard, address, services."""
        keeper, self._keeper = self._keeper, None
        await self.backend.close(keeper.close if keeper else None, self._announced.close)
        if self._elsewhere is not None:
            await self._elsewhere.client.aclose()
