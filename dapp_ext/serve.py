"""The service for a team: DAPP's extension in a server of its own, without kernels, terminals, files or Jupyter's login.

Whoever is here came with DAPP's own credential, and nobody can run code of their own, so this process can hold the keys.
It runs under an account of its own; each person's JupyterLab runs elsewhere and forwards to it (``DAPP_URL``).
"""

from __future__ import annotations

import logging
import secrets
import sys
from typing import Any
from urllib.parse import urlsplit

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import IdentityProvider
from jupyter_server.serverapp import ServerApp
from tornado.web import RedirectHandler
from traitlets.config import Config

from dapp_ext import logs
from dapp_ext.errors import DappError
from dapp_ext.handlers.base import NothingHere
from dapp_ext.settings import Settings, read_settings
from dapp_ext.store.folders import make_private

PACKAGE = "dapp_ext"
IDLE_SECONDS = 120.0  # a line on which no whole request comes is closed, be it slow or forgotten
_JSON_LOG = {"formatters": {"console": {"class": "dapp_ext.logs.JsonFormatter"}}}


class Nobody(IdentityProvider):
    """Jupyter's own login, which nobody can pass here: its token is told to nobody."""

    def get_user(self, handler: Any) -> None:
        return None


class ToDocs(RedirectHandler):
    """The reference at the short address."""

    @allow_unauthenticated
    def get(self, *path: Any) -> None:
        super().get(*path)


class NotServed(NothingHere):
    """Everything of Jupyter's: there are no kernels, files or logins here."""


class Service(ServerApp):
    """A server with nothing of Jupyter's but its plumbing; what this machine has configured for Jupyter does not count."""

    name = "dapp-serve"
    default_services = ()

    def load_config_file(self, *args: Any, **kwargs: Any) -> None:
        """Settings are DAPP's own."""

    def find_server_extensions(self) -> None:
        self.jpserver_extensions = {PACKAGE: True}

    def write_server_info_file(self) -> None:
        """Clients are told the address; there is no token for them to find."""

    def write_browser_open_files(self) -> None:
        """No browser is opened."""

    def running_server_info(self, kernel_count: bool = True) -> str:
        return f"DAPP is served at {self.connection_url}"

    def init_httpserver(self) -> None:
        super().init_httpserver()
        self._http_server.conn_params.header_timeout = IDLE_SECONDS

    def init_webapp(self) -> None:
        super().init_webapp()
        docs = {"url": "/dapp/docs", "permanent": False}
        # What is added here is asked before Jupyter's own routes.
        self.web_app.add_handlers(".*$", [("/", ToDocs, docs), ("/docs/?", ToDocs, docs), (r"(?!/dapp(?:/|$)).*", NotServed)])


def configure(settings: Settings, port: int) -> Config:
    """The server's configuration for our settings."""
    named = {"localhost", "127.0.0.1", "::1"} | {str(urlsplit(url).hostname) for url in (settings.public_url,) if url}
    make_private(settings.run_folder)
    return Config(
        {
            "ServerApp": {
                "ip": settings.host,
                "port": port,
                "port_retries": 0,
                "open_browser": False,
                "allow_root": True,  # nothing that comes from outside is ever run
                "root_dir": str(settings.run_folder),
                "default_url": "/dapp/docs",
                "identity_provider_class": Nobody,
                "local_hostnames": sorted(named),
                # The way into a container has another name from each side; a DAPP credential in a header is what counts.
                "allow_remote_access": settings.host not in named,
                "trust_xheaders": settings.behind_proxy,
                "allow_unauthenticated_access": False,
                "terminals_enabled": False,
                "log_level": getattr(logging, settings.log_level.upper(), logging.INFO),
            },
            **({"Application": {"logging_config": _JSON_LOG}} if settings.log_format == "json" else {}),
            "IdentityProvider": {"token": secrets.token_urlsafe(32)},
            "DappExtension": {"personal_server": False, "is_service": True},
        }
    )


def main() -> int:
    """``python -m dapp_ext.serve``: how the command line starts it."""
    try:
        settings = read_settings()
        if settings.url:
            sys.stderr.write("DAPP_URL names a service elsewhere, and this is to be one. Leave it out.\n")
            return 2
        logs.set_up(settings)
        Service.launch_instance(argv=[], config=configure(settings, settings.service_port))
    except DappError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
