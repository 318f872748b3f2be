"""Every page, light and dark, on a desktop and on a phone: readable, reachable, nothing cut; with axe-core's rules and our own measures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dapp_ext.schema.accounts import AccountCreate, Role
from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.schema.models import TrainRequest
from dapp_ext.services import open_services
from dapp_ext.settings import Settings
from tests.conftest import PASSWORD
from tests.panel.test_walk import SCREENS, SLOW, Running, running

__all__ = ["running"]
pytestmark = [pytest.mark.browser]
FRONTEND = Path(__file__).parents[2] / "dapp_panel" / "frontend"
SAMPLES = Path(__file__).parents[2] / "dapp_ext" / "samples"
PICTURES = Path(__file__).parents[2] / "build-output" / "pages"
AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}

# What a finger can hit: links inside sentences are as tall as their line, and what is only for screen readers has no size.
TARGETS = """() => [...document.querySelectorAll('a[href], button, input, select, summary, [role=button]')].filter((each) => {
  const box = each.getBoundingClientRect(); const style = getComputedStyle(each);
  if (box.width === 0 || box.height === 0 || style.visibility === 'hidden' || style.opacity === '0') return false;
  if (each.closest('.hush, .skip, .grid, .crumbs, p, dd, .page-head-lead') || each.classList.contains('hush') || each.classList.contains('skip')) return false;
  const label = each.closest('label'); const hit = label ? label.getBoundingClientRect() : box;
  return Math.round(Math.max(hit.height, box.height)) < 44 && !each.matches('.link-button, .more-link, .plain-link');
}).map((each) => each.outerHTML.slice(0, 120) + ' ' + Math.round(each.getBoundingClientRect().height))"""
TEXTS = """() => [...new Set([...document.querySelectorAll('body *')].filter((each) => {
  if (![...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) return false;
  const style = getComputedStyle(each);
  return each.getClientRects().length > 0 && style.visibility !== 'hidden' && parseFloat(style.fontSize) < 14 && !['SCRIPT', 'STYLE', 'OPTION', 'TITLE'].includes(each.tagName);
}).map((each) => each.tagName + '.' + each.className + ' ' + getComputedStyle(each).fontSize))]"""


@pytest.fixture(scope="module")
def places(running: Running) -> dict[str, str]:
    """A workspace with real data, a trained model and people; and the address of every page in it."""
    with open_services(Settings(home=running.home)) as services:
        shell = services.system.shell_actor()
        for name, role in (("ada", Role.admin), ("maya", Role.analyst), ("tom", Role.viewer)):
            services.accounts.create(shell, AccountCreate(email=f"{name}@example.org", name=name.title(), role=role, password=PASSWORD))
        owner = services.accounts.redeem_ticket(services.accounts.signin_link(None, "dashboard").ticket, "dashboard")
        upload = services.datasets.begin_upload(owner, DatasetUpload(filename="penguins.csv"))
        upload.write((SAMPLES / "penguins.csv").read_bytes())
        dataset = upload.finish()
        _wait(lambda: services.datasets.get(owner, dataset.id).status != "processing")
        model = services.models.train(owner, TrainRequest(dataset=dataset.id, target="sex", time_budget=5, trials=2, families=["linear"]))
        _wait(lambda: services.models.get(owner, model.id).status not in ("queued", "training"))
    data, result = f"/datasets/{dataset.id}", f"/models/{model.id}"
    return {
        "home": "/",
        "data": "/datasets",
        "dataset": data,
        "rows": f"{data}/rows",
        "versions": f"{data}/versions",
        "lineage": f"{data}/lineage",
        "explore": f"/explore/{dataset.id}",
        "train": f"/train?dataset={dataset.id}",
        "models": "/models",
        "result": result,
        "evidence": f"{result}/evidence",
        "tune": f"{result}/tune",
        "predict": f"{result}/predict",
        "monitoring": f"{result}/monitoring",
        "model versions": f"{result}/versions",
        "activity": "/activity",
        "account": "/account",
        "admin": "/admin",
        "audit": "/admin/audit",
        "notices": "/admin/notices",
        "keys": "/admin/keys",
        "system": "/admin/system",
    }


def _wait(done: Any, seconds: float = 90) -> None:
    import time

    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends
        time.sleep(0.2)


def _signed_in(running: Running, browser: Browser, who: str, screen: str, theme: str) -> Page:
    phone = screen == "phone"
    context = browser.new_context(viewport=SCREENS[screen], is_mobile=phone, has_touch=phone, color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    context.add_cookies([{"name": "dapp_theme", "value": theme, "url": running.address}])  # not every browser lets the system's choice be set
    page = context.new_page()
    page.set_default_timeout(SLOW / 3)
    page.goto(f"{running.address}/signin")
    page.get_by_label("Email").fill(f"{who}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def _settled(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("main .bone, main .thinking")).to_have_count(0, timeout=SLOW)  # an answer that is being replaced is dimmed
    page.wait_for_timeout(60)


@pytest.mark.parametrize(
    ("screen", "theme"),
    [("desktop", "light"), ("phone", "dark"), pytest.param("desktop", "dark", marks=pytest.mark.long), pytest.param("phone", "light", marks=pytest.mark.long)],
)
def test_every_page_passes_the_rules(screen: str, theme: str, running: Running, browser: Browser, places: dict[str, str]) -> None:
    """And is kept as a picture in ``build-output/pages``, to be looked at."""
    if not AXE.is_file():
        pytest.skip("axe-core is not here: cd dapp_panel/frontend && npm ci")
    page = _signed_in(running, browser, "ada", screen, theme)
    wrong: dict[str, Any] = {}
    for name, place in places.items():
        _settled(page, f"{running.address}/#{place}")
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("(rules) => axe.run(document, rules)", RULES)
        grave = [
            (each["id"], each["nodes"][0]["html"][:160], each["nodes"][0]["failureSummary"][:240])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        wide, inner = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        small = page.evaluate(TEXTS)
        targets = page.evaluate(TARGETS) if screen == "phone" else []
        page.screenshot(path=PICTURES / f"{screen}-{theme}" / f"{name.replace(' ', '-')}.png", full_page=True)
        if grave or wide > inner or small or targets:
            wrong[name] = {"axe": grave, "wide": wide > inner, "small text": small, "small targets": targets}
    page.context.close()
    assert wrong == {}, json.dumps(wrong, indent=1)


def test_the_bell_is_seen_whole(running: Running, browser: Browser, places: dict[str, str]) -> None:
    """The list hangs on a side bar that scrolls, which must not cut it off."""
    page = _signed_in(running, browser, "maya", "desktop", "light")
    _settled(page, f"{running.address}/#{places['data']}")
    page.get_by_role("button", name=re.compile("^Notifications")).click()
    panel = page.locator(".bell-panel")
    expect(panel).to_be_visible()
    box = panel.bounding_box()
    assert box is not None
    inside = "([x, y]) => Boolean(document.elementFromPoint(x, y)?.closest('.bell-panel'))"
    assert page.evaluate(inside, [box["x"] + box["width"] - 12, box["y"] + 20])
    page.context.close()


@pytest.mark.parametrize("who", ["tom", "maya"])
@pytest.mark.parametrize("screen", ["phone", pytest.param("desktop", marks=pytest.mark.long)])
def test_every_page_opens_for_every_role(who: str, screen: str, running: Running, browser: Browser, places: dict[str, str]) -> None:
    page = _signed_in(running, browser, who, screen, "light")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    for name, place in places.items():
        _settled(page, f"{running.address}/#{place}")
        page.screenshot(path=PICTURES / f"{screen}-{who}" / f"{name.replace(' ', '-')}.png", full_page=True)
        wide, inner = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= inner, place
    assert problems == []
    page.context.close()


def test_a_filter_moves_nothing_but_the_numbers(running: Running, browser: Browser, places: dict[str, str]) -> None:
    """After the first paint of a page nothing jumps: neither when charts come, nor when they change."""
    page = _signed_in(running, browser, "maya", "desktop", "light")
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => { for (const each of list.getEntries()) if (!each.hadRecentInput) window.shift += each.value; })"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    page.goto("about:blank")
    _settled(page, f"{running.address}/#{places['explore']}")
    page.wait_for_timeout(300)
    link = page.url
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_role("combobox", name="Column").fill("island")
    page.get_by_role("option", name="island").click()
    page.get_by_text("Dream", exact=True).click()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("[data-figure=rows]")).to_have_text("124")
    expect(page.get_by_text("island is one of Dream").first).to_be_visible()
    assert page.url != link
    assert page.evaluate("window.shift") < 0.1
    page.reload()
    expect(page.locator("[data-figure=rows]")).to_have_text("124")
    page.context.close()
