"""What notebooks publish: sealed, seen by whom it is for, gone when it is taken back."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image

from dapp_ext.errors import Denied, InsightNotFound, Invalid, NotFound
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.insights import InsightPublish, InsightUpdate, TableWrite
from dapp_ext.services import Services


def picture(color: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(buffer, "PNG")
    return buffer.getvalue()


def request(**given: object) -> InsightPublish:
    fields = {"title": "Survival by cabin", "picture": picture(), **given}
    return InsightPublish.model_construct(**dict.fromkeys(InsightPublish.model_fields) | fields)


TABLE = TableWrite(columns=["cabin", "share"], rows=[["first", 0.63], ["third", None]], total=7)


def test_a_picture_and_a_table_come_back(services: Services, owner: Actor) -> None:
    made = services.insights.publish(owner, request(table=TABLE, note="Look.", source="seaborn"))
    assert (made.title, made.note, made.source, made.width, made.height, made.rows) == ("Survival by cabin", "Look.", "seaborn", 40, 30, 7)
    assert made.visibility == "team"
    download = services.insights.picture(owner, made.id)
    assert download.media_type == "image/png"
    assert Image.open(io.BytesIO(b"".join(download.chunks))).getpixel((3, 3)) == (255, 0, 0)
    table = services.insights.table(owner, made.id)
    assert (table.columns, table.rows, table.total) == (TABLE.columns, TABLE.rows, 7)
    assert services.insights.list(owner).items == [made]


def test_nothing_of_it_is_readable_on_disk(services: Services, owner: Actor) -> None:
    services.insights.publish(owner, request(title="Longitudinal cabin survival", table=TABLE))
    for path in services.settings.home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"abin surviv" not in data, path
            assert b'"share"' not in data, path
            assert b"IDAT" not in data, path
    assert all("abin" not in str(row) for row in services.audit.list(owner).items)


def test_who_sees_it(services: Services, owner: Actor, person: Callable[[str, Role], Actor]) -> None:
    ada, ben, vera = person("ada", Role.analyst), person("ben", Role.analyst), person("vera", Role.viewer)
    own = services.insights.publish(ada, request(visibility="private"))
    shared = services.insights.publish(ada, request())
    assert [each.id for each in services.insights.list(vera).items] == [shared.id]
    with pytest.raises(InsightNotFound):
        services.insights.get(ben, own.id)
    with pytest.raises(InsightNotFound):
        services.insights.picture(ben, own.id)
    with pytest.raises(Denied):
        services.insights.delete(ben, shared.id)
    with pytest.raises(Denied):
        services.insights.publish(vera, request())
    with pytest.raises(Denied):
        services.insights.update(vera, shared.id, InsightUpdate(title="mine"))
    services.insights.update(ada, own.id, InsightUpdate(visibility="team", title="Open now"))
    assert services.insights.get(vera, own.id).title == "Open now"
    page = services.events.page(vera, None)
    assert [event.type for event in page.items if event.subject.kind == "insight"] == ["insight.published", "insight.changed"]
    assert all("title" not in event.data and "name" not in event.data for event in page.items if event.subject.kind == "insight")


def test_it_belongs_to_what_it_shows(
    services: Services, owner: Actor, upload: Callable[..., DatasetRead], person: Callable[[str, Role], Actor], run_jobs: Callable[[], None]
) -> None:
    ada, ben = person("ada", Role.analyst), person("ben", Role.analyst)
    secret = upload(ada, b"a,b\n1,2\n3,4\n", visibility="private")
    run_jobs()
    made = services.insights.publish(ada, request(dataset=secret.id))
    assert made.visibility == "private"
    assert made.dataset is not None
    assert (made.dataset.name, made.dataset_version) == (secret.name, 1)
    with pytest.raises(NotFound):
        services.insights.publish(ben, request(dataset=secret.id))
    services.insights.publish(ada, request())
    assert [each.id for each in services.insights.list(ada, about=secret.id).items] == [made.id]


def test_taken_back_it_is_gone(services: Services, owner: Actor) -> None:
    made = services.insights.publish(owner, request(table=TABLE))
    services.insights.delete(owner, made.id)
    with pytest.raises(InsightNotFound):
        services.insights.get(owner, made.id)
    assert list(services.settings.objects_folder.rglob("*.picture")) == []
    assert {row.action for row in services.audit.list(owner, action="insight").items} == {"insight.publish", "insight.delete"}


def test_what_is_none_of_it_is_refused(services: Services, owner: Actor) -> None:
    with pytest.raises(Invalid, match="nothing to publish"):
        services.insights.publish(owner, request(picture=None))
    with pytest.raises(Invalid, match="Only PNG"):
        services.insights.publish(owner, request(picture=b"<svg onload='alert(1)'/>"))
    with pytest.raises(Invalid, match="cells"):
        services.insights.publish(owner, request(table=TableWrite(columns=["a"], rows=[[1, 2]])))
    made = services.insights.publish(owner, request())
    with pytest.raises(NotFound, match="no table"):
        services.insights.table(owner, made.id)
    assert services.insights.list(owner).items == [made]


def test_pages_of_a_list(services: Services, owner: Actor) -> None:
    made = [services.insights.publish(owner, request(title=f"number {at}")).id for at in range(5)]
    first = services.insights.list(owner, limit=2)
    second = services.insights.list(owner, limit=2, cursor=first.next)
    last = services.insights.list(owner, limit=2, cursor=second.next)
    assert [each.id for page in (first, second, last) for each in page.items] == made[::-1]
    assert last.next is None
