"""The whole job by pointing, in a real browser on a desktop and on a phone, over the real processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from dapp_ext.schema.accounts import AccountCreate, Role
from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.services import open_services
from dapp_ext.settings import Settings
from dapp_panel.auth import Cookie
from tests.conftest import PASSWORD
from tests.handlers.troubled import TROUBLED

pytestmark = [pytest.mark.browser]
PENGUINS = Path(__file__).parents[2] / "dapp_ext" / "samples" / "penguins.csv"
SCREENS = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
SLOW = 60_000

# As names, cells, file name: none may become markup anywhere.
HOSTILE = ['<img src=x onerror="alert(1)">', "<script>alert(2)</script>", '"><svg onload=alert(3)>', "{{7*7}}", "javascript:alert(4)", "=cmd|'/c calc'!A0"]


@dataclass
class Running:
    """A dashboard and a worker over a home of their own."""

    address: str
    home: Path
    problems: list[str] = field(default_factory=list)

    def link(self) -> str:
        with open_services(Settings(home=self.home)) as services:
            return f"{self.address}/signin?ticket={services.accounts.signin_link(None, 'dashboard').ticket}"

    def page(self, browser: Browser, screen: str) -> Page:
        """A signed-in page that takes down whatever goes wrong on it."""
        phone = screen == "phone"
        page = browser.new_context(viewport=SCREENS[screen], is_mobile=phone, has_touch=phone).new_page()  # type: ignore[arg-type]
        page.set_default_timeout(15_000)
        page.on("console", lambda message: self.problems.append(f"{message.text} {message.location.get('url', '')}") if message.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self._check(request.url))
        page.goto(self.link())
        return page

    def _check(self, url: str) -> None:
        if urlsplit(url).scheme in ("http", "https") and not url.startswith(self.address):
            self.problems.append(f"foreign host: {url}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("walk") / "home"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAPP_")}
    environment |= {"DAPP_HOME": str(home), "DAPP_DASHBOARD_PORT": "0"}
    log = (home.parent / "log.txt").open("w")
    dashboard = subprocess.Popen([sys.executable, "-m", "dapp_panel"], env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    watch = threading.Timer(SLOW / 1000, dashboard.kill)
    watch.start()
    assert dashboard.stdout is not None
    line = dashboard.stdout.readline()
    watch.cancel()
    assert line.startswith("Dashboard: http://"), (home.parent / "log.txt").read_text()
    worker = subprocess.Popen([sys.executable, "-m", "dapp_ext.worker"], env=environment, stdout=log, stderr=log)
    yield Running(line.split()[1], home)
    for process in (dashboard, worker):
        process.terminate()
    codes = [process.wait(30) for process in (dashboard, worker)]
    dashboard.stdout.close()
    log.close()
    assert codes[0] == 0, (home.parent / "log.txt").read_text()


@pytest.fixture(autouse=True)
def _nothing_went_wrong(running: Running) -> Iterator[None]:
    running.problems.clear()
    yield
    assert running.problems == []


def live(page: Page) -> None:
    """The channel is there, which opens after the first data."""
    expect(page.locator("#channel > div > *")).to_have_count(1)


def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= screen, page.url


@pytest.mark.parametrize("screen", SCREENS)
def test_the_main_job_by_pointing(screen: str, running: Running, browser: Browser, tmp_path: Path) -> None:
    page = running.page(browser, screen)
    name = f"penguins {screen}"
    file = tmp_path / f"{name}.csv"
    file.write_bytes(PENGUINS.read_bytes())

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Data", exact=True).click()
    page.get_by_label("Choose files to upload").set_input_files(file)
    # One file alone is gone to; while it is read its page says so.
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    fits(page)
    expect(page.get_by_role("heading", name="Health")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("344", exact=True).first).to_be_visible()
    fits(page)
    page.get_by_role("link", name="Rows", exact=True).click()
    expect(page.get_by_role("cell", name="Torgersen").first).to_be_visible()
    page.get_by_label("Search in all columns").fill("Chinstrap")
    expect(page.get_by_text("68 rows fit of 344")).to_be_visible()
    fits(page)
    page.reload()
    expect(page.get_by_text("68 rows fit of 344")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Health")).to_be_visible()

    page.get_by_role("link", name="Train", exact=True).click()
    expect(page.get_by_role("combobox", name="Target column")).to_have_value("species")
    page.get_by_text("Other", exact=True).click()
    page.get_by_role("textbox", name="Minutes").fill("0.1")
    fits(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("heading", name="Leaderboard")).to_be_visible()
    expect(page.get_by_role("heading", name="Better than guessing?")).to_be_visible(timeout=2 * SLOW)
    expect(page.locator(".verdict-sentence")).to_contain_text("Of 100 rows")
    fits(page)
    page.get_by_role("link", name="Evidence", exact=True).click()
    expect(page.get_by_role("heading", name="Where it is right and wrong")).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()
    fits(page)

    page.get_by_role("link", name="Predict", exact=True).last.click()
    outcome = page.locator(".outcome")
    expect(outcome).to_have_text(re.compile("^(Adelie|Chinstrap|Gentoo)$"), timeout=SLOW)
    page.get_by_label("flipper_length_mm").fill("not a number")
    expect(page.get_by_text("This is not a number")).to_be_visible()
    fits(page)

    page.get_by_text("A whole file").click()
    page.get_by_role("combobox", name="A dataset that is here").fill(name)
    page.get_by_role("option", name=name).first.click()
    page.get_by_role("button", name="Predict 344 rows").click()
    expect(page.get_by_role("link", name="See all rows")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("columnheader", name="prediction", exact=True)).to_be_visible()
    fits(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
        page.get_by_role("menuitem", name="CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == 345
    assert "prediction" in lines[0]
    page.context.close()


def test_every_page_opens_by_its_link_on_a_phone(running: Running, browser: Browser) -> None:
    page = running.page(browser, "phone")
    pages = {
        "#/datasets": "Data",
        "#/explore": "Explore",
        "#/train": "Train a model",
        "#/models": "Models",
        "#/activity": "Activity",
        "#/account": "Account",
        "#/admin": "Admin",
        "#/admin/audit": "Admin",
        "#/admin/notices": "Admin",
        "#/admin/keys": "Admin",
        "#/admin/system": "Admin",
        "#/nowhere/at-all": "Nothing here",
        "#/datasets/no-such-thing": "Dataset",
        "#/models/no-such-thing": "Model",
    }
    for place, title in pages.items():
        page.goto(f"{running.address}/{place}")
        expect(page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
        fits(page)
    expect(page.get_by_role("alert")).to_contain_text("no such model")
    # The browser itself takes down what was refused: the two things that there are not, and nothing else.
    assert all(re.search(r"404 .*/call/(datasets|models)\.", each) for each in running.problems), running.problems
    running.problems.clear()
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("navigation", name="More").get_by_role("link", name="Account").click()
    page.get_by_text("Dark", exact=True).click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.context.close()


def test_nothing_from_data_becomes_markup(running: Running, browser: Browser) -> None:
    header = ",".join('"' + each.replace('"', '""') + '"' for each in HOSTILE)
    table = "\n".join([header, *[",".join('"' + each.replace('"', '""') + str(row % 3) + '"' for each in HOSTILE) for row in range(60)]])
    with open_services(Settings(home=running.home)) as services:
        owner = services.accounts.redeem_ticket(services.accounts.signin_link(None, "dashboard").ticket, "dashboard")
        upload = services.datasets.begin_upload(owner, DatasetUpload(filename='<img src=x onerror="alert(5)">.csv', name=HOSTILE[0]))
        upload.write(table.encode())
        dataset = upload.finish()
    page = running.page(browser, "desktop")
    page.goto(f"{running.address}/#/datasets/{dataset.id}")
    expect(page.get_by_role("heading", level=1, name=HOSTILE[0])).to_be_visible()
    expect(page.get_by_role("heading", name="Columns")).to_be_visible(timeout=SLOW)
    for place in (f"#/datasets/{dataset.id}/rows", f"#/explore/{dataset.id}", f"#/train?dataset={dataset.id}", "#/datasets", "#/activity", "#/"):
        page.goto(f"{running.address}/{place}")
        expect(page.get_by_role("main")).to_contain_text("<img src=x")
        page.wait_for_timeout(400)
        assert page.locator("img[src=x], svg[onload], main script, main iframe").count() == 0, place
    chart = page.goto(f"{running.address}/#/explore/{dataset.id}")
    assert chart is None or chart.ok
    page.locator("canvas").first.hover(position={"x": 250, "y": 150})
    expect(page.locator(".tip")).to_be_visible()
    assert page.locator(".tip img, .tip svg").count() == 0
    page.context.close()


def test_the_file_is_read_again_and_the_old_version_deleted(running: Running, browser: Browser) -> None:
    with open_services(Settings(home=running.home)) as services:
        owner = services.accounts.redeem_ticket(services.accounts.signin_link(None, "dashboard").ticket, "dashboard")
        upload = services.datasets.begin_upload(owner, DatasetUpload(filename="again.csv", name="Read again"))
        upload.write(b'id,said\n1,"a \\"word\\", and 007"\n2,"b"\nid,said\n')
        dataset = upload.finish()
    page = running.page(browser, "desktop")
    page.goto(f"{running.address}/#/datasets/{dataset.id}")
    expect(page.get_by_role("heading", name="Columns")).to_be_visible(timeout=SLOW)
    page.goto(f"{running.address}/#/datasets/{dataset.id}/versions")
    page.get_by_role("button", name="Read the file again").click()
    dialog = page.get_by_role("dialog", name="Read the file again")
    expect(dialog.get_by_label("Table on the sheet")).to_have_count(0)
    dialog.get_by_label("Totals, notes and repeated headers").select_option("keep")
    dialog.get_by_text("More ways to read it").click()
    assert "As found" in dialog.get_by_label("Quotes inside cells").inner_text()
    dialog.get_by_label("Quotes inside cells").select_option("backslash")
    dialog.get_by_text("Kinds of columns").click()
    dialog.get_by_label("id", exact=True).select_option("text")
    dialog.get_by_role("button", name="Read", exact=True).click()
    line = page.locator(".version-line").filter(has_text="extra rows")
    expect(line.get_by_text("Latest")).to_be_visible(timeout=SLOW)
    expect(line).to_contain_text("3 rows")
    page.get_by_role("button", name="Delete version 1").click()
    expect(page.get_by_text("Version 2 came from it and stays.")).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("button", name="Delete version 1")).to_have_count(0)
    expect(page.locator(".version-line")).to_have_count(1)
    with open_services(Settings(home=running.home)) as services:
        assert [each.version for each in services.versions.list(owner, dataset.id).items] == [2]
    page.context.close()


def test_findings_are_mended_by_one_press_and_taken_back(running: Running, browser: Browser) -> None:
    presses = {"duplicate_rows": "Drop the repeats", "constant_column": "Leave it out", "mixed_types": "Convert"}
    with open_services(Settings(home=running.home)) as services:
        owner = services.accounts.redeem_ticket(services.accounts.signin_link(None, "dashboard").ticket, "dashboard")
        made = {}
        for code in presses:
            upload = services.datasets.begin_upload(owner, DatasetUpload(filename=f"{code}.csv", name=f"Mend {code}"))
            upload.write(TROUBLED[code])
            made[code] = upload.finish().id
    page = running.page(browser, "desktop")
    for code, words in presses.items():
        page.goto(f"{running.address}/#/datasets/{made[code]}")
        press = page.locator(".finding").get_by_role("button", name=words)
        press.first.click(timeout=SLOW)
        undo = page.get_by_role("status").get_by_role("button", name="Undo")
        undo.wait_for(timeout=SLOW)  # once there is something to take back
        expect(press).to_have_count(0, timeout=SLOW)
        undo.first.click()
        expect(page.get_by_text("Taken back").first).to_be_visible()
        expect(press.first).to_be_visible(timeout=SLOW)
        page.get_by_role("button", name="Dismiss").first.click()
    with open_services(Settings(home=running.home)) as services:
        for ref in made.values():
            assert [each.origin for each in services.versions.list(owner, ref).items] == ["undo", "fix", "upload"]
    page.context.close()


def test_a_viewer_sees_what_a_viewer_may_do(running: Running, browser: Browser) -> None:
    settings = Settings(home=running.home)
    with open_services(settings) as services:
        services.accounts.create(services.system.shell_actor(), AccountCreate(email="tom@example.org", name="Tom", role=Role.viewer, password=PASSWORD))
    page = browser.new_context(viewport=SCREENS["desktop"]).new_page()  # type: ignore[arg-type]
    page.goto(f"{running.address}/#/datasets")
    page.get_by_label("Email").fill("tom@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    # The place that the link led to is kept over the sign-in.
    expect(page.get_by_role("heading", level=1, name="Data")).to_be_visible()
    expect(page.get_by_label("Choose files to upload")).to_have_count(0)
    page.goto(f"{running.address}/#/train")
    expect(page.get_by_text("Your role does not train models")).to_be_visible()
    page.goto(f"{running.address}/#/admin")
    expect(page.get_by_text("This page is for administrators")).to_be_visible()


def test_keys_and_an_announcement_for_later_by_pointing(running: Running, browser: Browser) -> None:
    page = running.page(browser, "desktop")

    def change(button: str, yes: str) -> None:
        page.get_by_role("button", name=button, exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name=yes, exact=True).click()
        expect(page.get_by_role("dialog")).to_have_count(0)

    page.goto(f"{running.address}/#/admin/keys")
    change("Change it now", "Change it now")
    expect(page.get_by_text("Refused", exact=True)).to_have_count(1)
    change("Change the signing key", "Change it")
    expect(page.get_by_text("Still accepted", exact=True)).to_have_count(1)
    change("Change the key", "Change it")
    change("Retire", "Give it up")
    expect(page.get_by_text("Given up", exact=True)).to_have_count(1)
    page.goto(f"{running.address}/#/admin/notices")
    page.get_by_label("Message").fill("A happy new century")
    page.get_by_label("Begins").first.fill("2099-12-31T10:00")
    page.get_by_role("button", name="Announce", exact=True).click()
    coming = page.get_by_role("listitem").filter(has_text="A happy new century")
    expect(coming).to_contain_text("2099")
    assert page.locator(".told").count() == 0, "nobody is told before"
    coming.get_by_role("button", name="Withdraw").click()
    expect(coming.get_by_role("button", name="Withdraw")).to_have_count(0)
    page.context.close()


def _end_sign_in(running: Running, page: Page) -> None:
    """What signing out on another device, or an administrator, does."""
    settings = Settings(home=running.home)
    cookie = next(each["value"] for each in page.context.cookies() if each["name"] == Cookie.of(settings).name)
    with open_services(settings) as services:
        services.accounts.logout(services.accounts.browser_session(cookie))


def test_a_page_ends_with_its_sign_in(running: Running, browser: Browser) -> None:
    page = running.page(browser, "desktop")
    page.goto(f"{running.address}/#/admin/audit")
    expect(page.get_by_role("main").get_by_role("row").nth(1)).to_be_visible()
    live(page)
    _end_sign_in(running, page)
    expect(page.get_by_role("heading", name="Your sign-in has ended")).to_be_visible(timeout=12_000)
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    # Whichever came first, the word of the channel or the refusal of a call: the browser takes the second down.
    assert all(" 401 " in each for each in running.problems), running.problems
    running.problems.clear()
    page.context.close()


def test_a_lost_line_is_said_and_caught_up_with(running: Running, browser: Browser) -> None:
    """What reads waits and is asked again; what changes something is not, and the person is told that its fate is unknown."""
    page = running.page(browser, "desktop")
    page.goto(f"{running.address}/#/admin/notices")
    expect(page.get_by_label("Message")).to_be_visible()
    live(page)
    banner = page.get_by_text("The connection is lost.")
    expect(banner).to_have_count(0)
    asked: list[str] = []

    def cut(route: Route) -> None:
        asked.append(urlsplit(route.request.url).path)
        route.abort("connectionreset")

    for place in ("**/call/**", "**/health/live"):
        page.route(place, cut)
    page.get_by_label("Message").fill("Said into nothing")
    page.get_by_role("button", name="Announce", exact=True).click()
    expect(page.get_by_text("The connection was lost before an answer came.")).to_be_visible()
    expect(banner).to_be_visible()
    page.goto(f"{running.address}/#/models")
    expect(page.get_by_role("heading", level=1, name="Models")).to_be_visible()
    for place in ("**/call/**", "**/health/live"):
        page.unroute(place)
    expect(page.locator("main .bone")).to_have_count(0)
    expect(banner).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert asked.count("/call/announcements.create") == 1
    page.goto(f"{running.address}/#/admin/notices")
    expect(page.get_by_label("Message")).to_be_visible()
    expect(page.locator("main .bone")).to_have_count(0)
    expect(page.get_by_role("listitem").filter(has_text="Said into nothing")).to_have_count(0)
    assert all("ERR_CONNECTION_RESET" in each for each in running.problems), running.problems
    running.problems.clear()
    page.context.close()


def test_a_sign_in_that_ends_while_the_line_is_opened(running: Running, browser: Browser) -> None:
    page = running.page(browser, "desktop")
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    def ended_meanwhile(route: Route) -> None:
        answer = route.fetch()
        _end_sign_in(running, page)
        route.fulfill(response=answer)

    page.route("**/channel", ended_meanwhile, times=1)
    page.reload()
    expect(page.get_by_role("heading", name="Your sign-in has ended")).to_be_visible(timeout=12_000)
    # The browser itself takes down the refused socket and the refused second try.
    assert running.problems
    assert all(re.search("websocket|session|401", each, re.IGNORECASE) for each in running.problems), running.problems
    running.problems.clear()
    page.context.close()
