"""Serve the dashboard: settings, door, server, until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from tornado.ioloop import IOLoop

from dapp_ext.settings import Settings

if TYPE_CHECKING:
    from dapp_ext.services import Services

log = logging.getLogger(__name__)

IDLE_SECONDS = 120


def serve(settings: Settings, *, port: int | None = None, ready: Callable[[str], None] | None = None, stop: threading.Event | None = None) -> None:
    """Serve the dashboard until a signal or ``stop`` ends it.

    Parameters
    ----------
    settings : Settings
        What the platform was told.
    port : int, optional
        Wished port, 0 for any; ``settings.dashboard_port`` when left out. When it is taken, the next free one is used.
    ready : callable, optional
        Called with the address once pages are answered.
    stop : threading.Event, optional
        Ends the dashboard from another thread.

    Raises
    ------
    SettingInvalid
        When no port can be had.
    Unavailable
        When the pages are not built.
    """
    from dapp_ext.services import open_services

    logging.getLogger("bokeh").setLevel(logging.WARNING)
    logging.getLogger("tornado.access").setLevel(logging.WARNING)
    with open_services(settings) as services:
        asyncio.run(_serve(services, settings, settings.dashboard_port if port is None else port, ready, stop))


async def _serve(services: Services, settings: Settings, port: int, ready: Callable[[str], None] | None, stop: threading.Event | None) -> None:
    from panel.io.state import state

    from dapp_ext.handlers.unreadable import explain_unreadable
    from dapp_ext.handlers.wire import BODY_LIMIT
    from dapp_panel.dashboard import Dashboard
    from dapp_panel.routes.vendor import vendor_script
    from dapp_panel.server import DashboardTornado, PromptServer, listen

    sockets, port = listen(settings.host, port)
    url = settings.dashboard_url.rstrip("/") or f"http://{_name(settings.host)}:{port}"
    dashboard = Dashboard(services, settings, port)
    application = DashboardTornado(dashboard)
    application.initialize(IOLoop.current())
    # Uploads raise the bound for themselves. A line on which no request comes is closed, be it slow or forgotten.
    server = PromptServer(application, xheaders=settings.behind_proxy, max_body_size=BODY_LIMIT, idle_connection_timeout=IDLE_SECONDS)
    explain_unreadable(server)
    server.add_sockets(sockets)
    application.start()
    # Panel starts this task at the first message of the first page, and would keep that page's document with it for ever.
    state._schedule_busy_cleanup()
    watch = asyncio.create_task(dashboard.watch_sessions())
    dashboard.crew.submit(vendor_script)
    # A thread that computes keeps the lock so long before the event loop gets its turn; Python's own 5 ms add up over all threads.
    sys.setswitchinterval(min(sys.getswitchinterval(), 0.001))
    gc.collect()
    gc.freeze()  # what stays for good need not be looked through again by every collection
    try:
        with services.system.announce_address("dashboard", url):
            log.info("dashboard at %s", url)
            if ready is not None:
                ready(url)
            await _until_stopped(stop)
    finally:
        watch.cancel()
        server.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        application.stop()
        await asyncio.get_running_loop().run_in_executor(None, dashboard.close)
        await server.close_all_connections()


def _name(host: str) -> str:
    if host in ("", "0.0.0.0", "::", "127.0.0.1"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


async def _until_stopped(stop: threading.Event | None) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
    while not stopped.is_set():
        if stop is not None and stop.is_set():
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), 0.2 if stop is not None else None)
