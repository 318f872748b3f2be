"""JupyterLab with the extension: what its start costs, how soon changes show, large tables, many events, the bundle.

Usage::

    python benchmarks/jupyterlab.py [--only start sidebar table events bundle] [--rows 10000000] [--events 20000] [--runs 3] [--json]

A real JupyterLab is started over an empty home and looked at with a headless Chromium. Times are in milliseconds.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dapp_ext.client import DAPPClient
from tests.browser.lab import ROOT, TOKEN, Lab
from tests.stories.conftest import free_port

READY = "() => window.jupyterapp && window.jupyterapp.restored.then(() => !document.querySelector('#jupyterlab-splash'))"
SIDEBAR_CHANGES = 60


@dataclass(frozen=True)
class Line:
    """One figure beside its target; ``ok`` is left open where only the difference of two counts."""

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def ok(self) -> bool | None:
        return None if self.target is None else self.value <= self.target


@contextmanager
def running(*, with_extension: bool = True) -> Iterator[tuple[Lab, float]]:
    """A JupyterLab, and after how many milliseconds its server answered."""
    lab = Lab(Path(tempfile.mkdtemp(prefix="dapp-bench-")), free_port())
    lab.prepare()
    config = Path(lab.environ["JUPYTER_CONFIG_DIR"])
    if not with_extension:
        (config / "jupyter_server_config.d" / "dapp_ext.json").write_text('{"ServerApp": {"jpserver_extensions": {"dapp_ext": false}}}')
        page = config / "labconfig"
        page.mkdir(parents=True, exist_ok=True)
        (page / "page_config.json").write_text('{"disabledExtensions": {"jupyter-dapp": true}}')
    try:
        begun = time.perf_counter()
        lab.launch()
        while True:
            try:
                if httpx.get(f"{lab.url}/api", timeout=2).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.01)
        yield lab, 1000 * (time.perf_counter() - begun)
    finally:
        lab.end(signal.SIGTERM)
        shutil.rmtree(lab.base, ignore_errors=True)


@contextmanager
def opened(lab: Lab) -> Iterator[tuple[Page, float]]:
    """The page, and after how many milliseconds it was ready."""
    path = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--enable-precise-memory-info"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{lab.url}/api?token={TOKEN}")  # so that a cold browser is not part of the time
        begun = time.perf_counter()
        page.goto(f"{lab.url}/lab?token={TOKEN}")
        page.wait_for_function(READY, timeout=120_000)
        yield page, 1000 * (time.perf_counter() - begun)
        browser.close()


def start(runs: int) -> list[Line]:
    """With the extension against without, in turns, so that both meet the same machine."""
    found: dict[tuple[bool, str], list[float]] = {}
    for _ in range(runs):
        for with_extension in (False, True):
            with running(with_extension=with_extension) as (lab, server):
                # On a machine with other work the processor's time tells more than the clock.
                assert lab.process is not None
                used = psutil.Process(lab.process.pid).cpu_times()
                found.setdefault((with_extension, "server's processor time"), []).append(1000 * (used.user + used.system))
                with opened(lab) as (_page, page):
                    pass
                found.setdefault((with_extension, "server"), []).append(server)
                found.setdefault((with_extension, "page"), []).append(page)
    lines = []
    for part in ("server", "page", "server's processor time"):
        target = 150 if part in ("server", "page") else None
        without, with_it = (statistics.median(found[each, part]) for each in (False, True))
        lines += [Line(f"{part} ready without the extension", without, "ms"), Line(f"{part} ready with it: more", with_it - without, "ms", target)]
    return lines


def command(page: Page, name: str, args: dict[str, Any] | None = None) -> None:
    page.evaluate("([id, args]) => window.jupyterapp.commands.execute(id, args).then(() => null)", [f"jupyter-dapp:{name}", args or {}])


def followed(page: Page) -> None:
    """Open the panel and wait until it is live."""
    page.wait_for_function("() => window.jupyterapp.commands.hasCommand('jupyter-dapp:show-panel')")
    command(page, "show-panel")
    page.locator("#jupyter-dapp-panel .jp-Dapp-line[data-state=connected]").wait_for(timeout=60_000)


def sidebar(page: Page, client: DAPPClient) -> list[Line]:
    """From the call that changes something to the changed text in the panel, the call included."""
    data = client.upload_file(b"a,b\n1,2\n3,4\n", name="name 0")
    page.get_by_text("name 0", exact=True).first.wait_for(timeout=30_000)
    page.evaluate(
        """() => { window.seen = {}; new MutationObserver(() => {
             for (const each of document.querySelectorAll('#jupyter-dapp-panel .jp-Dapp-row-title')) window.seen[each.textContent] ??= Date.now();
           }).observe(document.querySelector('#jupyter-dapp-panel'), {subtree: true, childList: true, characterData: true}); }"""
    )
    taken = []
    for number in range(1, SIDEBAR_CHANGES + 1):
        begun = time.time()
        data.rename(f"name {number}")
        page.wait_for_function("name => window.seen[name]", arg=f"name {number}", timeout=10_000, polling=20)
        taken.append(page.evaluate("name => window.seen[name]", f"name {number}") - 1000 * begun)
        time.sleep(0.15)
    taken.sort()
    return [Line("change to sidebar, median", statistics.median(taken), "ms"), Line("change to sidebar, p95", taken[int(0.95 * len(taken))], "ms", 300)]


# A cell that is asked for again and again would put off its own fetching: what arrives is heard of instead.
WATCH = """async ([row, jump]) => {
  const grid = () => [...window.jupyterapp.shell.widgets('main')].map(each => each.content?.grid).find(each => each);
  const begun = performance.now();
  while (!grid() || grid().dataModel.rowCount('body') === 0) {
    await new Promise(next => setTimeout(next, 4));
    if (performance.now() - begun > 60000) return -1;
  }
  if (jump) {
    await new Promise(done => {
      grid().dataModel.changed.connect((_, change) => {
        if (change.type === 'cells-changed' && change.row <= row && row < change.row + change.rowSpan) done();
      });
      setTimeout(done, 60000);
      grid().scrollToRow(row);
    });
  }
  if (grid().dataModel.data('body', row, 0) === undefined) return -1;
  // What has arrived is drawn before the next frame, and seen with the one after.
  await new Promise(seen => requestAnimationFrame(() => requestAnimationFrame(seen)));
  return performance.now() - begun;
}"""


def table(page: Page, client: DAPPClient, rows: int) -> list[Line]:
    """First rows of a large dataset, and rows in its middle, where nothing was looked at before."""
    import numpy as np
    import pyarrow as pa

    rng = np.random.default_rng(7)
    columns = {f"number {at}": rng.normal(size=rows).round(3) for at in range(6)}
    columns["kind"] = pa.DictionaryArray.from_arrays(rng.integers(0, 5, rows), ["red", "green", "blue", "white", "black"])
    data = client.upload_file(pa.table(columns), name="many rows")
    first, jumps = [], []
    for round_ in range(3):
        page.evaluate("id => void window.jupyterapp.commands.execute('jupyter-dapp:open-dataset', {id})", data.id)
        first.append(page.evaluate(WATCH, [0, False]))
        for place in (0.5, 0.31, 0.77):
            page.wait_for_timeout(300)
            jumps.append(page.evaluate(WATCH, [int(rows * place) + 999 * round_, True]))
        page.evaluate("() => [...window.jupyterapp.shell.widgets('main')].filter(each => each.content?.grid).forEach(each => each.dispose())")
    return [
        Line(f"first rows of {rows:,}, first visit", first[0], "ms", 500),
        Line(f"first rows of {rows:,}, median", statistics.median(first), "ms", 500),
        Line("jump to the middle, first", jumps[0], "ms", 300),
        Line("jump elsewhere, median", statistics.median(jumps), "ms", 300),
    ]


# Frames are told by their distance; a task of the page's own thread that takes long is told by the browser.
FRAMES = """() => {
  window.longest = 0; window.tasks = [];
  let last = performance.now();
  const tick = () => { const now = performance.now(); window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  new PerformanceObserver(list => window.tasks.push(...list.getEntries().map(each => each.duration))).observe({type: 'longtask'});
}"""
FORGET = "() => { const found = window.longest; window.longest = 0; window.tasks = []; return found; }"


@contextmanager
def flood(page: Page, lab: Lab, count: int) -> Iterator[Callable[[int], None]]:
    """What sends so many events of four kinds, as a hundred in one change each; ``count`` are all there will be."""
    from dapp_ext.schema.base import Subject
    from dapp_ext.schema.events import DatasetEvent, JobEvent, TrialEvent
    from dapp_ext.services import open_services
    from dapp_ext.services.things import thing_of
    from dapp_ext.settings import read_settings
    from dapp_ext.store.tables import Dataset

    with open_services(read_settings({"home": lab.base / "home"})) as services:
        actor = services.system.shell_actor()
        with services.context.database.read() as found:
            dataset = found.get(Dataset, services.datasets.list(actor, limit=1).items[0].id)
            assert dataset is not None
            thing = thing_of(dataset)
        subject, job, model = (Subject(kind=kind, id=id_) for kind, id_ in (("dataset", dataset.id), ("job", "j"), ("model", "m")))

        def tell(change: Any, at: int) -> None:
            progress = JobEvent(kind="train", status="running", progress=at / count, subject=subject)
            kinds = [
                ("dataset.changed", subject, DatasetEvent(name="name", status="ready")),
                ("job.progress", job, progress),
                ("model.trial", model, TrialEvent(name="m", number=at, family="linear", score=0.5, is_best=False)),
                ("dataset.ready", subject, DatasetEvent(name="name", status="ready", rows=at)),
            ]
            change.tell(*kinds[at % len(kinds)], thing)

        def send(amount: int) -> None:
            for begin in range(0, amount, 100):
                with services.context.change(actor, None) as change:
                    for at in range(begin, min(begin + 100, amount)):
                        tell(change, at)
                page.wait_for_timeout(5)

        yield send


def events(page: Page, lab: Lab, count: int) -> list[Line]:
    """A flood into an open panel: memory after it, and the longest frame during it."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def heap() -> float:
        session.send("HeapProfiler.collectGarbage")
        return float(next(each["value"] for each in session.send("Performance.getMetrics")["metrics"] if each["name"] == "JSHeapUsedSize")) / 1e6

    with flood(page, lab, count) as send:
        send(2000)  # what is kept of the past is full after this
        page.wait_for_timeout(2000)
        before = heap()
        page.evaluate(FRAMES)
        page.wait_for_timeout(5000)
        still = page.evaluate(FORGET)
        send(count)
        page.wait_for_timeout(3000)
        longest, tasks = page.evaluate("() => [window.longest, window.tasks]")  # before the garbage is collected once more
    return [
        Line(f"memory after {count:,} events: more", heap() - before, "MB", 20),
        Line("longest frame meanwhile", longest, "ms", 100),
        Line("longest task of the page's thread", max(tasks, default=0), "ms"),
        Line("tasks of more than 100 ms", sum(each > 100 for each in tasks), ""),
        Line("longest frame while nothing happened", still, "ms"),
    ]


def bundle() -> list[Line]:
    """All the JavaScript of the extension, compressed as a server sends it."""
    files = (ROOT / "dapp_ext" / "labextension" / "static").glob("*.js")
    return [Line("bundle, compressed", sum(len(gzip.compress(each.read_bytes())) for each in files) / 1000, "kB", 400)]


def main() -> None:
    """Measure what is asked for, and print each figure beside its target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parts = ("start", "sidebar", "table", "events", "bundle")
    parser.add_argument("--only", nargs="*", choices=parts, default=parts)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    lines = bundle() if "bundle" in given.only else []
    if "start" in given.only:
        lines += start(given.runs)
    if {"sidebar", "table", "events"} & set(given.only):
        with running() as (lab, _), opened(lab) as (page, _ready), DAPPClient(f"{lab.url}/?token={TOKEN}") as client:
            followed(page)
            lines += sidebar(page, client) if {"sidebar", "events"} & set(given.only) else []
            lines += table(page, client, given.rows) if "table" in given.only else []
            lines += events(page, lab, given.events) if "events" in given.only else []
    if given.json:
        print(json.dumps([asdict(line) | {"ok": line.ok} for line in lines], indent=1))
        return
    for line in lines:
        target = "" if line.target is None else f"   target {line.target:,.0f} {line.unit}   {'reached' if line.ok else 'MISSED'}"
        print(f"{line.name:<44} {line.value:>9,.1f} {line.unit}{target}")


if __name__ == "__main__":
    main()
