"""``python -m dapp_panel``: settings, door, dashboard, until it is stopped."""

from __future__ import annotations

import sys

from dapp_ext import logs
from dapp_ext.errors import DappError
from dapp_ext.settings import hide_secrets, read_settings
from dapp_panel.app import serve


def main() -> int:
    """Serve the dashboard until it is stopped; 1 when it cannot start."""

    def ready(url: str) -> None:
        sys.stdout.write(f"Dashboard: {url}\n")
        sys.stdout.flush()

    try:
        settings = read_settings()
        hide_secrets()
        logs.set_up(settings)
        serve(settings, ready=ready)
    except DappError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
