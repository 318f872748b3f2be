"""Takes the documentation's pictures from the running product: a demo home, real processes, Chromium. Run it when a page looks different.

Usage: ``python docs/take_pictures.py``; needs Playwright's Python package and a Chromium.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from queue import Queue
from threading import Thread

from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=60_000)
PICTURES = Path(__file__).parent / "pictures"
SIZE = {"width": 1440, "height": 900}


def main() -> None:
    """Make a home, start the product, take every picture, end it."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("No Chromium on this machine: install one first.")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dapp_ext.cli", "--home", folder]
        subprocess.run([*command, "demo"], check=True)
        own = os.environ | {"JUPYTERLAB_WORKSPACES_DIR": f"{folder}/tabs", "JUPYTERLAB_SETTINGS_DIR": f"{folder}/settings"}
        product = subprocess.Popen([*command, "start"], stdout=subprocess.PIPE, text=True, env=own)
        try:
            links = _links(product)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
                _dashboard(browser, links["Dashboard"])
                _jupyterlab(browser, links["JupyterLab"])
                browser.close()
        finally:
            product.send_signal(signal.SIGINT)
            product.wait(60)


def _links(product: subprocess.Popen[str]) -> dict[str, str]:
    """The links that sign in once, as they are printed."""
    lines: Queue[str] = Queue()
    assert product.stdout is not None
    Thread(target=lambda: [lines.put(line) for line in product.stdout or ()], daemon=True).start()
    links: dict[str, str] = {}
    face = ""
    while len(links) < 2:
        line = lines.get(timeout=120)
        face = next((each for each in ("JupyterLab", "Dashboard") if line.strip().startswith(each)), face)
        if ticket := re.search(r"\S+ticket=\S+", line):
            links[face] = ticket.group()
    return links


def _dashboard(browser: Browser, link: str) -> None:
    page = browser.new_context(viewport=SIZE).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(60_000)
    page.goto(link)
    page.get_by_role("link", name="Data", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Data")
    _take(page, "data")
    page.get_by_role("link", name="Adult income").first.click()
    expect(page.get_by_role("heading", name="Health")).to_be_visible()
    _take(page, "health")
    here = page.url
    page.goto(here.replace("/datasets/", "/explore/") + "?x=education&y=hours-per-week")
    expect(page.get_by_text("Average hours-per-week by education").first).to_be_visible()
    _take(page, "explore")
    page.goto(here.replace("/datasets/", "/train?dataset="))
    expect(page.get_by_label("Target column")).to_have_value("income")
    _take(page, "train")
    page.get_by_role("link", name="Models", exact=True).first.click()
    page.get_by_role("link", name="Who earns more").first.click()
    expect(page.get_by_text("Better than guessing?")).to_be_visible()
    _take(page, "dashboard")
    page.get_by_role("link", name="Predict", exact=True).first.click()
    expect(page.get_by_text("The case")).to_be_visible()
    expect(page.get_by_text("%").first).to_be_visible()
    _take(page, "predict")


def _jupyterlab(browser: Browser, link: str) -> None:
    page = browser.new_context(viewport=SIZE).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(60_000)
    page.goto(link)
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.locator('.jp-SideBar [data-id^="jupyter-dapp"], .jp-SideBar [title*="DAPP"]').first.click()
    page.get_by_role("button", name="No", exact=True).click()  # JupyterLab's own question about its news
    page.locator('#jp-left-stack [data-dapp-kind="model"]').filter(has_text="Who earns more").first.dblclick()
    expect(page.locator("#jp-main-dock-panel .jp-Dapp-sentence").first).to_be_visible()
    _take(page, "jupyterlab")


def _take(page: Page, name: str) -> None:
    page.wait_for_timeout(1500)  # until nothing moves any more
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
