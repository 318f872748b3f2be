"""What pages ask, over real services, without a server; and the doors that it comes in by."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from dapp_ext.errors import Busy, DappError
from dapp_ext.handlers.wire import BODY_LIMIT, envelope
from dapp_ext.schema.accounts import AccountCreate, AccountUpdate, Actor, LoginRequest, Role
from dapp_ext.schema.base import new_id
from dapp_ext.schema.datasets import DatasetRead, ReadOptions
from dapp_ext.schema.grants import GrantPut
from dapp_ext.services import Services, open_services
from dapp_panel.auth import Cookie, Doorkeeper
from dapp_panel.calls import MOST_IN_FLIGHT, PACKED_FROM, Asked, Desk
from dapp_panel.crew import Crew
from dapp_panel.pages import CALLS, KEPT
from tests.conftest import PASSWORD
from tests.panel.visiting import Visit

TABLE = b"city,amount\nBonn,1\nKiel,2\nBonn,3\n"


class Page:
    """Somebody who asks."""

    def __init__(self, services: Services, crew: Crew, role: Role) -> None:
        name = f"{role.value}@example.org"
        services.accounts.create(services.system.shell_actor(), AccountCreate(email=name, role=role, password=PASSWORD))
        self.cookie, self.actor = services.accounts.login_browser(LoginRequest(email=name, password=PASSWORD))
        self.desk = Desk(services, Doorkeeper(services, crew, Cookie.of(services.settings)))

    def asked(self, name: str, /, **params: Any) -> Asked:
        return Asked(name, params, self.cookie, "127.0.0.1", new_id())

    def call(self, name: str, /, **params: Any) -> dict[str, Any]:
        try:
            return {"ok": json.loads(self.desk.answer(self.asked(name, **params))[0])}
        except DappError as error:
            found: dict[str, Any] = json.loads(envelope(error, "test"))
            return found


@pytest.fixture
def page(services: Services, crew: Crew) -> Callable[..., Page]:
    return lambda role=Role.analyst: Page(services, crew, role)


def test_a_dataset_from_upload_to_numbers(page: Callable[..., Page], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]) -> None:
    maya = page()
    dataset = upload(maya.actor, TABLE, "cities.csv")
    run_jobs()
    assert maya.call("datasets.list")["ok"]["items"][0]["id"] == dataset.id
    got = maya.call("datasets.get", ref=dataset.id)["ok"]
    assert [column["name"] for column in got["schema"]] == ["city", "amount"]
    assert maya.call("datasets.profile", ref=dataset.id)["ok"]["rows"] == 3
    rows = maya.call("datasets.rows", ref=dataset.id, limit=2, sort=[{"column": "amount", "descending": True}], columns=["amount"])["ok"]
    assert (rows["rows"], rows["total"]) == ([[3], [2]], 3)
    sums = maya.call("explore.board", ref=dataset.id, charts=[{"shape": "bar", "x": "city", "y": "amount", "measure": "sum"}])["ok"]["charts"][0]["data"]
    assert dict(zip(sums["names"], sums["values"], strict=True)) == {"Bonn": 4, "Kiel": 2}
    home = maya.call("home")["ok"]
    assert (len(home["datasets"]), home["models"], home["jobs"]) == (1, [], [])
    renamed = maya.call("datasets.update", ref=dataset.id, name="Towns", visibility="private")["ok"]
    assert (renamed["name"], renamed["visibility"]) == ("Towns", "private")
    assert maya.call("trash.put", kind="dataset", ref=dataset.id)["ok"]["name"] == "Towns"
    assert maya.call("datasets.get", ref=dataset.id)["error"]["code"] == "dataset_not_found"
    assert maya.call("trash.restore", ref=dataset.id)["ok"]["id"] == dataset.id
    assert maya.call("datasets.get", ref=dataset.id)["ok"]["name"] == "Towns"


READ = {
    "delimiter": ";", "quote": "'", "escape": "none", "encoding": "utf-8", "decimal": ",", "thousands": ".", "date_order": "day_first", "layout": "delimited",
    "header": True, "header_row": 1, "header_rows": 1, "comment": "none", "extra_cells": "drop", "extra_rows": "keep", "missing": ["?"],
    "types": {"city": "text"}, "format": "csv", "sheet": "a", "join_sheets": False, "table": 1, "merged_cells": "first",
}  # fmt: skip


def test_reading_again_takes_every_option_and_a_version_goes(
    page: Callable[..., Page], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], services: Services
) -> None:
    assert set(READ) == set(ReadOptions.model_fields)
    maya = page()
    dataset = upload(maya.actor, b"city;amount;at\n'A;B';1.000,5;01/02/2024\nKiel;?;13/02/2024\n", "cities.csv")
    run_jobs()
    assert maya.call("datasets.reread", ref=dataset.id, **READ)["ok"]["version"] == 2
    asked = services.versions.list(maya.actor, dataset.id).items[0].options
    assert asked is not None
    assert asked.model_dump() == READ
    run_jobs()
    rows = maya.call("datasets.rows", ref=dataset.id, version=2)["ok"]["rows"]
    assert rows == [["A;B", 1000.5, "2024-02-01"], ["Kiel", None, "2024-02-13"]]
    assert maya.call("datasets.dependents", ref=dataset.id, version=1)["ok"]["later"] == [2]
    assert maya.call("datasets.delete_version", ref=dataset.id, version=2)["error"]["code"] == "conflict"
    assert maya.call("datasets.delete_version", ref=dataset.id, version=1)["ok"] is None
    assert [each["version"] for each in maya.call("datasets.versions", ref=dataset.id)["ok"]["items"]] == [2]


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("nothing.such", {}, "invalid"),
        ("datasets.get", {}, "invalid"),
        ("datasets.get", {"ref": "x", "more": 1}, "invalid"),
        ("datasets.rows", {"ref": "x", "limit": 100_000}, "invalid"),
        ("models.get", {"ref": "x"}, "model_not_found"),
        ("accounts.list", {}, "denied"),
        ("audit.list", {}, "denied"),
    ],
)
def test_what_cannot_be_answered_is_said_in_words(name: str, params: dict[str, Any], code: str, page: Callable[..., Page]) -> None:
    error = page().call(name, **params)["error"]
    assert error["code"] == code
    assert len(error["message"]) > 10
    assert "Traceback" not in error["message"]


def test_what_a_page_hides_the_service_refuses(
    page: Callable[..., Page], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], owner: Actor
) -> None:
    dataset = upload(owner, TABLE)
    run_jobs()
    tom = page(Role.viewer)
    for name, params in (
        ("models.train", {"dataset": dataset.id, "target": "amount"}),
        ("datasets.update", {"ref": dataset.id, "name": "Mine"}),
        ("trash.put", {"kind": "dataset", "ref": dataset.id}),
        ("accounts.create", {"email": "new@example.org"}),
        ("accounts.update", {"ref": tom.actor.account_id, "role": "admin"}),
    ):
        assert tom.call(name, **params)["error"]["code"] == "denied", name
    assert tom.call("datasets.get", ref=dataset.id)["ok"]["name"] == dataset.name


def test_after_the_end_nothing_is_answered(page: Callable[..., Page], services: Services) -> None:
    maya = page()
    assert "ok" in maya.call("home")
    services.accounts.logout(maya.actor)
    assert maya.call("home")["error"]["code"] == "not_signed_in"


def test_a_wrong_present_password_does_not_end_the_sign_in(page: Callable[..., Page]) -> None:
    maya = page()
    error = maya.call("account.password", current_password="wrong", new_password="another plain sentence 8")["error"]
    assert error["code"] == "login_refused"
    assert "ok" in maya.call("home")


def test_too_much_at_once_is_said_and_a_place_comes_free(page: Callable[..., Page]) -> None:
    desk = page().desk
    with ExitStack() as seats:
        for _ in range(MOST_IN_FLIGHT):
            seats.enter_context(desk.seat("mine"))
        with pytest.raises(Busy), desk.seat("mine"):
            pass
        with desk.seat("of another"):
            pass
    with desk.seat("mine"):
        pass


@pytest.fixture
def board(page: Callable[..., Page], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], owner: Actor) -> tuple[Page, Asked, DatasetRead]:
    """Somebody with whom a table is shared, and a question about it that was answered."""
    tom = page(Role.viewer)
    dataset = upload(owner, TABLE, visibility="private")
    run_jobs()
    return tom, tom.asked("explore.board", ref=dataset.id, charts=[{"shape": "bar", "x": "city"}]), dataset


def test_what_is_kept_is_given_at_once_and_is_the_same(board: tuple[Page, Asked, DatasetRead], services: Services, owner: Actor) -> None:
    tom, asked, dataset = board
    services.sharing.put(owner, "dataset", dataset.id, tom.actor.email, GrantPut(level="read"))
    assert tom.desk.at_once(asked) is None, "nobody has asked before"
    answer, _ = tom.desk.answer(asked)
    assert tom.desk.at_once(asked) is None, "who looked at what was written down meanwhile, so all is looked up again"
    tom.desk.answer(asked)
    assert tom.desk.at_once(asked) == answer
    assert tom.desk.at_once(tom.asked("home")) is None
    assert tom.desk.at_once(tom.asked("explore.board", ref=dataset.id, charts=[{"shape": "bar", "x": "amount"}])) is None
    assert set(KEPT) <= set(CALLS)


@pytest.mark.parametrize("change", ["taken back", "signed out", "disabled", "deleted"])
def test_nothing_kept_is_given_after_a_change_by_another_process(change: str, board: tuple[Page, Asked, DatasetRead], services: Services, owner: Actor) -> None:
    tom, asked, dataset = board
    services.sharing.put(owner, "dataset", dataset.id, tom.actor.email, GrantPut(level="read"))
    for _ in range(2):
        tom.desk.answer(asked)
    assert tom.desk.at_once(asked) is not None
    with open_services(services.settings) as other:
        if change == "taken back":
            other.sharing.remove(owner, "dataset", dataset.id, tom.actor.account_id)
        elif change == "signed out":
            other.accounts.logout(tom.actor)
        elif change == "disabled":
            other.accounts.update(owner, tom.actor.account_id, AccountUpdate(disabled=True))
        else:
            other.trash.put(owner, "dataset", dataset.id)
    assert tom.desk.at_once(asked) is None
    with pytest.raises(DappError) as refused:
        tom.desk.answer(asked)
    assert refused.value.code == ("dataset_not_found" if change in ("taken back", "deleted") else "not_signed_in")


def test_what_is_kept_for_one_is_not_given_to_another(
    board: tuple[Page, Asked, DatasetRead], page: Callable[..., Page], services: Services, owner: Actor
) -> None:
    tom, asked, dataset = board
    services.sharing.put(owner, "dataset", dataset.id, tom.actor.email, GrantPut(level="read"))
    maya = page()
    for _ in range(2):
        tom.desk.answer(asked)
        assert maya.call("explore.board", **asked.given)["error"]["code"] == "dataset_not_found"
        assert maya.desk.at_once(maya.asked("explore.board", **asked.given)) is None


# -- the door -----------------------------------------------------------------------------------------------------


def test_other_types_than_json_are_refused(visit: Callable[..., Visit]) -> None:
    """A form of another site can send its text without being asked about it first, but not this type."""
    maya = visit("maya")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonp"):
        answer = maya.http.post("/call/home", content=b"--x--\r\n", headers=maya.headers(**{"Content-Type": kind}))
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "media_unsupported"), kind
    assert maya.http.post("/call/home", content=b"{}", headers=maya.headers(**{"Content-Type": "Application/JSON; charset=utf-8"})).status_code == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"null", b"{", b'{"a":NaN}', b'{"a":1,"a":2}', b"\xff", b'{"a":' + b"[" * 200 + b"]" * 200 + b"}"])
def test_a_body_that_no_page_would_send_is_refused(body: bytes, visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    answer = maya.http.post("/call/home", content=body, headers=maya.headers(**{"Content-Type": "application/json"}))
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["error"]["request_id"]


def test_a_body_beyond_the_bound_is_refused_in_words(visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    long = json.dumps({"ref": "x" * BODY_LIMIT}).encode()
    answer = maya.http.post("/call/datasets.get", content=long, headers=maya.headers(**{"Content-Type": "application/json"}))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert maya.call("datasets.get", ref="x" * 100_000)["error"]["code"] == "invalid"
    assert "ok" in maya.call("home")


def test_a_fault_of_ours_gives_nothing_away(visit: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a value from someone's data")

    monkeypatch.setitem(CALLS, "test.broken", broken)
    error = visit("maya").call("test.broken")["error"]
    assert error["code"] == "internal"
    assert "someone's data" not in json.dumps(error)
    assert error["request_id"] in caplog.text


def test_too_many_calls_of_one_sign_in_are_refused_and_of_others_not(visit: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Semaphore(0), threading.Event()

    def slow(*_: Any) -> None:
        begun.release()
        go.wait(20)

    monkeypatch.setitem(CALLS, "test.slow", slow)
    monkeypatch.setattr("dapp_panel.calls.MOST_IN_FLIGHT", 3)
    maya, tom = visit("maya"), visit("tom")
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(maya.call, "test.slow") for _ in range(3)]
        for _ in waiting:
            assert begun.acquire(timeout=20)
        assert maya.call("account.me")["error"]["code"] == "busy"
        assert "ok" in tom.call("account.me")
        go.set()
        assert [each.result() for each in waiting] == [{"ok": None}] * 3
    assert "ok" in maya.call("account.me")


def test_calls_are_counted_for_whoever_looks_after_the_platform(visit: Callable[..., Visit], services: Services, owner: Actor) -> None:
    maya = visit("maya")
    for _ in range(3):
        maya.call("home")
    deadline = time.monotonic() + 10
    while not (found := [each for each in services.system.status(owner).latency if each.door == "dashboard"]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found[0].answers >= 1
    assert 0 < found[0].p50_ms <= found[0].p95_ms <= found[0].slowest_ms


def test_a_new_role_counts_with_the_next_call(visit: Callable[..., Visit], services: Services, owner: Actor) -> None:
    maya = visit("maya", Role.viewer)
    assert maya.call("accounts.list")["error"]["code"] == "denied"
    services.accounts.update(owner, maya.actor.account_id, AccountUpdate(role=Role.admin))
    assert "ok" in maya.call("accounts.list")
    services.accounts.update(owner, maya.actor.account_id, AccountUpdate(role=Role.viewer))
    assert maya.call("accounts.list")["error"]["code"] == "denied"


def test_long_answers_are_compressed_for_who_is_far_away(page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALLS, "test.long", lambda *_: {"text": "x" * PACKED_FROM})
    maya = page()
    packed, is_packed = maya.desk.answer(maya.asked("test.long"), pack=True)
    assert is_packed
    assert json.loads(gzip.decompress(packed)) == maya.call("test.long")["ok"]
    assert maya.desk.answer(maya.asked("account.me"), pack=True)[1] is False
