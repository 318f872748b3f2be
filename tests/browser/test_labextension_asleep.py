"""A server that stands still for longer than silence is believed: what the panel says, and what it has missed."""

from __future__ import annotations

import re
import signal
import threading

import pytest
from playwright.sync_api import Browser, expect

from dapp_ext.client import DAPPClient

from .lab import TOKEN, Lab
from .page import line, panel, ready

pytestmark = [pytest.mark.browser, pytest.mark.story, pytest.mark.long]
SILENT_SECONDS = 50


def test_a_server_that_stands_still_is_said_and_found_again(lab: Lab, client: DAPPClient, browser: Browser) -> None:
    assert lab.process is not None
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{lab.url}/lab?token={TOKEN}")
    ready(page)
    lab.process.send_signal(signal.SIGSTOP)
    awake = threading.Timer(SILENT_SECONDS, lab.process.send_signal, [signal.SIGCONT])
    awake.start()
    try:
        expect(line(page)).to_have_attribute("data-state", re.compile("reconnecting|offline"), timeout=SILENT_SECONDS * 1000)
    finally:
        awake.join()
    expect(line(page)).to_have_attribute("data-state", "connected", timeout=40_000)
    client.upload_file(b"a,b\n1,2\n", name="after the pause")
    expect(panel(page).get_by_text("after the pause", exact=True)).to_be_visible(timeout=5_000)
    page.context.close()
