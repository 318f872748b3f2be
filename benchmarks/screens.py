"""The same pages in Chromium: how long until data shows, how long a change takes to reach the screen, what is loaded for it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

CHANGES = 40
VISITS = 3

# Does something, waits until a text is another one and the screen was painted after it; answers in milliseconds.
_CHANGE = """([find, act, given]) => new Promise((done, fail) => {
  const shown = () => document.querySelector(find)?.textContent;
  const before = shown();
  const began = performance.now();
  const late = setTimeout(() => fail(new Error(`nothing changed: ${before}`)), 20000);
  const look = () => {
    if (shown() !== before && shown()) {
      clearTimeout(late);
      requestAnimationFrame(() => { const seen = new MessageChannel(); seen.port1.onmessage = () => done(performance.now() - began); seen.port2.postMessage(0); });
    } else requestAnimationFrame(look);
  };
  new Function('given', act)(given);
  look();
})"""


@dataclass(frozen=True)
class Screen:
    """What was measured of one page; times in milliseconds."""

    first: float
    again: float
    p50: float
    p95: float
    kilobytes: float
    requests: int


@dataclass(frozen=True)
class Way:
    """How a page is opened and driven."""

    address: str
    figure: str
    act: str
    givens: list[Any]
    drawn: str
    cookies: list[dict[str, Any]]


def dashboard_way(address: str, dataset: str, cookie: tuple[str, str], charts: list[dict[str, Any]]) -> Way:
    """The Explore page; a change is a filter in its address, which is what a press on a chip writes."""
    place = f"#/explore/{dataset}?charts={quote(json.dumps(charts))}"
    filters = [[{"column": "origin", "op": "in", "value": [each]}] for each in ("EWR", "JFK", "LGA")]
    givens = [f"{place}&filters={quote(json.dumps(each))}" for each in filters]
    return Way(
        f"{address}/{place}", "[data-figure=rows]", "location.hash = given", givens, ".board canvas", [{"name": cookie[0], "value": cookie[1], "url": address}]
    )


def streamlit_way(port: int) -> Way:
    """The Streamlit page; a change is a press on another airport."""
    choices = "[data-testid=stRadioOption], [data-testid=stRadio] label"
    act = f"const found = [...document.querySelectorAll('{choices}')].find((each) => each.textContent.trim() === given); (found.querySelector('input') ?? found).click()"
    return Way(
        f"http://127.0.0.1:{port}/",
        "[data-testid=stMetricValue]",
        act,
        ["EWR", "JFK", "LGA"],
        "[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas",
        [],
    )


def measure(way: Way) -> Screen:
    """Open the page a few times in a browser that knows nothing, then change its filter many times."""
    with _browser() as new_page:
        first, again, loaded, page = [], [], (0.0, 0), None
        for _ in range(VISITS):
            page = new_page(way)
            weight = _weigh(page)
            first.append(_open(page, way))
            loaded = weight()
            again.append(_open(page, way, reload=True))
        assert page is not None
        page.wait_for_timeout(1500)
        taken = [page.evaluate(_CHANGE, [way.figure, way.act, way.givens[turn % len(way.givens)]]) for turn in range(CHANGES + 5)][5:]
    return Screen(median(first), median(again), median(taken), quantiles(taken, n=20)[18], loaded[0], loaded[1])


@contextmanager
def _browser() -> Iterator[Callable[[Way], Page]]:
    path = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-background-networking"])

        def new_page(way: Way) -> Page:
            context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
            context.add_cookies(way.cookies)  # type: ignore[arg-type]
            return context.new_page()

        yield new_page
        browser.close()


def _weigh(page: Page) -> Callable[[], tuple[float, int]]:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    return lambda: (sum(sizes) / 1000, len(sizes))


def _open(page: Page, way: Way, *, reload: bool = False) -> float:
    began = time.perf_counter()
    if reload:
        page.reload(wait_until="commit")
    else:
        page.goto(way.address, wait_until="commit")
    ready = "([figure, drawn]) => document.querySelectorAll(drawn).length > 0 && /\\d/.test(document.querySelector(figure)?.textContent ?? '')"
    page.wait_for_function(ready, arg=[way.figure, way.drawn], polling="raf", timeout=60_000)
    return (time.perf_counter() - began) * 1000
