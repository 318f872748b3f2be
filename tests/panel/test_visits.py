"""Over real sockets: many visits leave nothing behind, and a message that no page would send is refused."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from bokeh.document import Document

from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead
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
        assert "ok" in line.call("home")
        line.leave()
    for _ in range(5):
        maya.open()  # opened, and never used
    deadline = time.monotonic() + 30
    while _documents() > before and time.monotonic() < deadline:
        time.sleep(0.5)
    assert _documents() <= before


def test_a_viewers_crafted_message_changes_nothing(visit: Callable[..., Visit], upload: Callable[..., DatasetRead], owner: Actor) -> None:
    dataset = upload(owner, b"a,b\n1,2\n")
    line = visit("tom", Role.viewer).channel()
    assert line.call("trash.put", kind="dataset", ref=dataset.id)["error"]["code"] == "denied"
    assert line.call("accounts.list")["error"]["code"] == "denied"
    assert line.call("datasets.get", ref=dataset.id)["ok"]["id"] == dataset.id


def test_two_visitors_have_nothing_in_common(visit: Callable[..., Visit], upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]) -> None:
    maya, tom = visit("maya"), visit("tom")
    dataset = upload(maya.actor, b"a,b\nmarker-of-maya,2\nx,3\n", visibility="private")
    run_jobs()
    hers, his = maya.channel(), tom.channel()
    assert "marker-of-maya" in str(hers.call("datasets.rows", ref=dataset.id))
    assert his.call("datasets.rows", ref=dataset.id)["error"]["code"] == "dataset_not_found"
    assert "marker-of-maya" not in str(his.call("datasets.list"))


def test_every_answer_arrives_when_many_are_asked_at_once(visit: Callable[..., Visit]) -> None:
    """Threads finish while the loop sends: nothing that was said may be lost, since the page would wait for ever."""
    line = visit("maya").channel()
    for burst in range(40):
        numbers = range(burst * 30, burst * 30 + 30)
        for number in numbers:
            line.send({"id": number, "call": "account.me", "params": {}})
        for number in numbers:
            assert "ok" in line.until(lambda item, number=number: item.get("id") == number)
