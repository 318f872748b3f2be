"""Over real sockets: many visits leave nothing behind, and a message that no page would send is refused."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bokeh.document import Document

from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead, DatasetUpdate
from dapp_ext.services import Services
from tests.panel.visiting import Visit

VISITS = 100


def _documents() -> int:
    gc.collect()
    return sum(isinstance(each, Document) for each in gc.get_objects())


def test_no_document_outlives_its_visit(visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    before = _documents()
    for _ in range(VISITS):
        line = maya.channel()
        line.send({"follow": ""})
        assert line.until(lambda item: "following" in item)
        assert "ok" in maya.call("home")
        line.leave()
    for _ in range(5):
        maya.open()  # opened, and never used
    deadline = time.monotonic() + 30
    while _documents() > before and time.monotonic() < deadline:
        time.sleep(0.5)
    assert _documents() <= before


def test_a_viewers_crafted_call_changes_nothing(visit: Callable[..., Visit], upload: Callable[..., DatasetRead], owner: Actor) -> None:
    dataset = upload(owner, b"a,b\n1,2\n")
    tom = visit("tom", Role.viewer)
    assert tom.call("trash.put", kind="dataset", ref=dataset.id)["error"]["code"] == "denied"
    assert tom.call("accounts.list")["error"]["code"] == "denied"
    assert tom.call("datasets.get", ref=dataset.id)["ok"]["id"] == dataset.id


def test_two_visitors_have_nothing_in_common(visit: Callable[..., Visit], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]) -> None:
    maya, tom = visit("maya"), visit("tom")
    dataset = upload(maya.actor, b"a,b\nmarker-of-maya,2\nx,3\n", visibility="private")
    run_jobs()
    assert "marker-of-maya" in str(maya.call("datasets.rows", ref=dataset.id))
    assert tom.call("datasets.rows", ref=dataset.id)["error"]["code"] == "dataset_not_found"
    assert "marker-of-maya" not in str(tom.call("datasets.list"))


def test_every_answer_arrives_when_many_are_asked_at_once(visit: Callable[..., Visit]) -> None:
    maya = visit("maya")
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: maya.call("account.me"), range(600)))
    assert {each["ok"]["email"] for each in answers} == {"maya@example.org"}


def test_every_event_arrives_when_many_happen_at_once(visit: Callable[..., Visit], upload: Callable[..., DatasetRead], services: Services) -> None:
    """Threads tell while the loop sends: nothing that was said may be lost, since the page would never ask for it."""
    maya = visit("maya")
    line = maya.channel()
    line.send({"follow": ""})
    line.until(lambda item: "following" in item)
    dataset = upload(maya.actor, b"a,b\n1,2\n")
    for turn in range(60):
        services.datasets.update(maya.actor, dataset.id, DatasetUpdate(name=f"name {turn}"))
    seen: list[str] = []
    while len(seen) < 60:
        events = line.until(lambda item: "events" in item)["events"]
        seen += [each["data"]["name"] for each in events if each["type"] == "dataset.changed"]
    assert seen == [f"name {turn}" for turn in range(60)]
