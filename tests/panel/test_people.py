"""People come, are looked after and go, in real browsers: invited on a phone, signed out, demoted and disabled with a page open."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import PASSWORD
from tests.panel.test_walk import Running, fits, running

__all__ = ["running"]
pytestmark = [pytest.mark.browser]
WITHIN = 5_000  # an ended sign-in is told by then


def _open(running: Running, browser: Browser, url: str, *, phone: bool = False) -> Page:
    size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
    page = browser.new_context(viewport=size, color_scheme="dark" if phone else "light").new_page()  # type: ignore[arg-type]
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: running.problems.append(str(error)))
    page.goto(url)
    return page


def _is_told_to_sign_in(page: Page) -> None:
    expect(page.get_by_text("Your sign-in has ended")).to_be_visible(timeout=WITHIN)


def _menu(admin: Page, item: str) -> None:
    admin.get_by_role("button", name="More to do with Ines").click()
    chosen = admin.get_by_role("menuitem", name=item)
    assert chosen.evaluate(
        "each => { const { left, bottom } = each.getBoundingClientRect(); return each.contains(document.elementFromPoint(left + 9, bottom - 9)); }"
    )
    chosen.click()


def test_a_person_comes_and_goes(running: Running, browser: Browser) -> None:
    admin = running.page(browser, "desktop")
    admin.goto(f"{running.address}/#/admin")
    admin.get_by_role("button", name="Invite").click()
    dialog = admin.get_by_role("dialog")
    dialog.get_by_label("Email").fill("ines@example.org")
    dialog.get_by_role("button", name="Make the link").click()
    link = dialog.locator("code").inner_text()
    expect(dialog).to_contain_text("It can be used until")
    dialog.get_by_role("button", name="Done").click()

    phone = _open(running, browser, link, phone=True)
    fits(phone)
    make = phone.get_by_role("button", name="Make my account")
    assert make.evaluate("each => getComputedStyle(each).backgroundColor") == phone.evaluate(
        "(() => { const made = document.createElement('i'); made.style.color = 'var(--accent)'; document.body.append(made); return getComputedStyle(made).color; })()"
    )
    phone.get_by_label("Your name").fill("Ines Moreau")
    phone.get_by_label("Password, at least").fill(PASSWORD)
    phone.get_by_label("The same password again").fill(PASSWORD)
    make.click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text("Ines")
    used = _open(running, browser, link)
    expect(used.get_by_role("heading", name="This link opens nothing")).to_be_visible()

    desk = _open(running, browser, f"{running.address}/signin#/datasets")
    desk.get_by_label("Email").fill("ines@example.org")
    desk.get_by_label("Password", exact=True).fill(PASSWORD)
    desk.get_by_role("button", name="Sign in").click()
    expect(desk.get_by_label("Choose files to upload")).to_have_count(1)

    admin.reload()
    admin.get_by_label("Role of Ines Moreau").select_option("viewer")
    expect(desk.get_by_label("Choose files to upload")).to_have_count(0)
    _menu(admin, "Where they are signed in")
    places = admin.get_by_role("dialog", name="Where Ines Moreau is signed in").get_by_role("listitem")
    expect(places).to_have_count(2)
    places.first.get_by_role("button").click()
    expect(places).to_have_count(1)
    admin.keyboard.press("Escape")
    _is_told_to_sign_in(desk)  # the one that was used last stands first
    _menu(admin, "Disable")
    admin.get_by_role("dialog").get_by_role("button", name="Disable").click()
    _is_told_to_sign_in(phone)
    expect(admin.get_by_text("Disabled", exact=True)).to_be_visible()
    for page in (phone, used, desk, admin):
        page.context.close()


def test_the_log_is_looked_through_and_taken_away(running: Running, browser: Browser) -> None:
    page = running.page(browser, "desktop")
    page.goto(f"{running.address}/#/admin/audit?action=account")
    row = page.get_by_role("row").filter(has_text="account.login").first
    row.get_by_role("button").click()
    closer = page.get_by_role("dialog")
    expect(closer).to_contain_text("On what")
    whole = re.search(r"account ([0-9a-f-]{36})", closer.inner_text())
    assert whole is not None
    closer.get_by_role("button", name="All that was done to it").click()
    expect(page.get_by_text("Only what was done to")).to_be_visible()
    page.get_by_label("When", exact=True).select_option("day")
    page.get_by_role("button", name="Take the log away").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="As CSV").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert rows
    assert {each["subject_id"] for each in rows} == {whole[1]}
    assert all(each["action"].startswith("account") for each in rows)
    page.context.close()
