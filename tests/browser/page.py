"""What every browser test of the extension does: wait for it, run its commands, find its panel."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect


def ready(page: Page) -> None:
    """Wait until JupyterLab is there, and open the panel until it is live."""
    page.wait_for_function("() => window.jupyterapp?.commands.hasCommand('jupyter-dapp:show-panel')", timeout=60_000)
    page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
    run(page, "jupyter-dapp:show-panel")
    expect(line(page)).to_have_attribute("data-state", "connected", timeout=20_000)


def run(page: Page, command: str, args: dict[str, Any] | None = None) -> None:
    """Run a command to its end."""
    page.evaluate("([id, args]) => window.jupyterapp.commands.execute(id, args).then(() => null)", [command, args or {}])


def dress(page: Page, theme: str) -> None:
    """Change the theme, and wait until JupyterLab has taken it: before that it ignores the way back."""
    run(page, "apputils:change-theme", {"theme": theme})
    page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)


def begin(page: Page, command: str, args: dict[str, Any] | None = None) -> None:
    """Run a command that asks something."""
    page.evaluate("([id, args]) => void window.jupyterapp.commands.execute(id, args)", [command, args or {}])


def panel(page: Page) -> Locator:
    return page.locator("#jupyter-dapp-panel")


def line(page: Page) -> Locator:
    """Whether the panel is connected."""
    return panel(page).locator(".jp-Dapp-line")
