"""The extension as a JupyterHub serves it: under a path of the user's own, behind a proxy, with a server of another release."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from dapp_ext.client import DAPPClient
from tests.stories.conftest import free_port

from .lab import TOKEN, Lab
from .page import panel, ready, run
from .proxy import Proxy

pytestmark = [pytest.mark.browser, pytest.mark.story]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, Lab]]:
    lab = Lab(tmp_path_factory.mktemp("hub"), free_port(), base_url="/user/ada%40example.org", release="9.1.0")
    lab.prepare()
    lab.start()
    with Proxy(lab.port) as found:
        yield found, lab
    lab.end(signal.SIGTERM)


def test_everything_goes_through_the_proxy_live_and_another_release_is_said_once(proxy: tuple[Proxy, Lab], browser: Browser) -> None:
    between, lab = proxy
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    address = f"http://127.0.0.1:{between.port}{lab.base_url}"
    page.goto(f"{address}/lab?token={TOKEN}")
    ready(page)
    said = page.locator(".Toastify__toast").filter(has_text=re.compile("DAPP server is version 9.1.0, this extension"))
    expect(said).to_have_count(1)
    with DAPPClient(f"{address}/?token={TOKEN}") as client:
        data = client.upload_file(b"a,b\n1,2\n3,4\n", name="through")
        row = panel(page).locator('[data-dapp-kind="dataset"]').filter(has_text="through")
        expect(row).to_contain_text("2 rows")
        data.rename("quite through")
        expect(panel(page).get_by_text("quite through", exact=True)).to_be_visible(timeout=5_000)
        run(page, "jupyter-dapp:open-dataset", {"id": data.id})
        expect(page.locator(".jp-Dapp-dataset:visible canvas").first).to_be_visible()
    carried = page.evaluate_handle("() => { const d = new DataTransfer(); d.items.add(new File(['a,b\\n1,x\\n2,y\\n3,x\\n'], 'dropped.csv')); return d; }")
    page.dispatch_event("#jupyter-dapp-panel", "drop", {"dataTransfer": carried})
    expect(panel(page).locator('[data-dapp-kind="dataset"]').filter(has_text="dropped")).to_contain_text("3 rows", timeout=40_000)
    assert f"{lab.base_url}/dapp/api/v1/events/ws" in between.seen
    assert [path for path in between.seen if "/dapp/api/" in path and not path.startswith(f"{lab.base_url}/")] == []
    page.wait_for_timeout(2500)  # JupyterLab keeps what a plugin remembers a moment later
    page.reload()
    ready(page)
    page.wait_for_timeout(2500)
    expect(said).to_have_count(0)
    page.context.close()
