"""Read-only links: what they open, for how long, and when they stop; the report they show."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from PIL import Image

from dapp_ext.errors import Denied, Invalid, NotReady, ShareNotFound
from dapp_ext.schema.accounts import AccountUpdate, Actor, Role
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.grants import GrantPut
from dapp_ext.schema.insights import InsightPublish, InsightUpdate, TableWrite
from dapp_ext.schema.models import ModelRead, ModelUpdate, TrainRequest
from dapp_ext.schema.shares import ShareCreate
from dapp_ext.services import Services
from tests.panel.visiting import Visit

PENGUINS = Path(__file__).parents[2] / "dapp_ext" / "samples" / "penguins.csv"


@pytest.fixture
def maya(person: Callable[[str, Role], Actor]) -> Actor:
    return person("maya", Role.analyst)


@pytest.fixture
def model(services: Services, maya: Actor, upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]) -> ModelRead:
    lines = PENGUINS.read_bytes().splitlines(keepends=True)
    dataset = upload(maya, b"".join(lines), '<b>penguins "&".csv')
    run_jobs()
    made = services.models.train(maya, TrainRequest(dataset=dataset.id, target="species", time_budget=5, trials=1, families=["linear"]))
    run_jobs()
    return services.models.get(maya, made.id)


def test_a_link_opens_one_result_until_it_ends(
    services: Services, owner: Actor, maya: Actor, model: ModelRead, address: str, visit: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = services.shares.create(maya, ShareCreate(model=model.id, days=3))
    assert made.token not in str(services.shares.list(maya).model_dump())

    page = httpx.get(f"{address}/shared/{made.token}")
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert services.models.results(maya, model.id).sentence in page.text
    assert "version 1" in page.text
    # One page: nothing is loaded, nothing runs, and no name became markup.
    assert not re.search(r"<script|<link|<img|src=|@import|<b>penguins", page.text)
    assert "&lt;b&gt;penguins" in page.text
    assert services.shares.list(maya, model=model.id).items[0].opened == 1
    # It is no sign-in.
    assert httpx.get(f"{address}/report/{model.id}").status_code == 401
    signed_in = visit("maya").http.get(f"/report/{model.id}?download")
    assert (signed_in.status_code, "attachment" in signed_in.headers["Content-Disposition"]) == (200, True)

    services.shares.withdraw(maya, made.id)
    gone = httpx.get(f"{address}/shared/{made.token}")
    assert (gone.status_code, "withdrawn" in gone.text) == (404, True)
    drawn = re.findall(r'(?:href|src)="([^"]+)"', gone.text)
    assert len(drawn) == 3
    assert all(httpx.get(httpx.URL(f"{address}/shared/{made.token}").join(each)).status_code == 200 for each in drawn)
    assert services.shares.list(maya).items == []

    other = services.shares.create(maya, ShareCreate(model=model.id))
    services.shares.open(other.token)
    later = services.shares.list(owner).items[0].expires_at + timedelta(seconds=1)
    with monkeypatch.context() as patch:
        patch.setattr("dapp_ext.services.shares.now", lambda: later)
        with pytest.raises(ShareNotFound):
            services.shares.open(other.token)


def test_a_link_ends_with_what_it_stands_on(services: Services, owner: Actor, maya: Actor, model: ModelRead, person: Callable[[str, Role], Actor]) -> None:
    ada = person("ada", Role.analyst)
    theirs = services.shares.create(ada, ShareCreate(model=model.id))
    own = services.shares.create(maya, ShareCreate(model=model.id))
    services.models.update(maya, model.id, ModelUpdate(visibility="private"))
    with pytest.raises(ShareNotFound):  # ada may not see it any more, so her link shows nothing either
        services.shares.open(theirs.token)
    assert services.shares.open(own.token).model.id == model.id
    services.accounts.update(owner, maya.account_id, AccountUpdate(disabled=True))
    with pytest.raises(ShareNotFound):
        services.shares.open(own.token)
    services.accounts.update(owner, maya.account_id, AccountUpdate(disabled=False))
    services.models.delete(maya, model.id)
    with pytest.raises(ShareNotFound):
        services.shares.open(own.token)


def test_a_link_to_an_insight(services: Services, owner: Actor, maya: Actor, address: str, person: Callable[[str, Role], Actor]) -> None:
    ada, tom = person("ada", Role.analyst), person("tom", Role.viewer)
    table = TableWrite(columns=["<b>town", "n"], rows=[["Bonn", 3], ["<script>x</script>", None]], total=9)
    made = services.insights.publish(maya, InsightPublish.model_construct(**_fields(title="Towns <i>", note="By size.", picture=_png(), table=table)))
    link = services.shares.create(maya, ShareCreate(insight=made.id, days=1))
    assert (link.model, link.insight and link.insight.name) == (None, "Towns <i>")
    page = httpx.get(f"{address}/shared/{link.token}")
    assert page.status_code == 200
    assert "data:image/png;base64," in page.text
    assert "2 of 9 rows" in page.text
    assert "By size." in page.text
    assert not re.search(r"<script|<link|<i>|<b>town|src=.http", page.text)
    assert [each.opened for each in services.shares.list(maya, insight=made.id).items] == [1]
    with pytest.raises(Denied):
        services.shares.create(tom, ShareCreate(insight=made.id))
    for wrong in (ShareCreate(), ShareCreate(model="x", insight=made.id)):
        with pytest.raises(Invalid):
            services.shares.create(maya, wrong)
    theirs = services.shares.create(ada, ShareCreate(insight=made.id))
    services.insights.update(maya, made.id, InsightUpdate(visibility="private"))
    assert httpx.get(f"{address}/shared/{theirs.token}").status_code == 404  # ada may not see it any more
    services.shares.withdraw(maya, link.id)
    assert httpx.get(f"{address}/shared/{link.token}").status_code == 404
    assert [each.insight and each.insight.id for each in services.shares.list(owner).items] == [made.id]


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(buffer, "PNG")
    return buffer.getvalue()


def _fields(**given: object) -> dict[str, object]:
    return dict.fromkeys(InsightPublish.model_fields) | given


def test_who_may_make_and_withdraw_links(
    services: Services, owner: Actor, maya: Actor, model: ModelRead, person: Callable[[str, Role], Actor], upload: Callable[..., DatasetRead]
) -> None:
    tom, ada = person("tom", Role.viewer), person("ada", Role.analyst)
    with pytest.raises(Denied):
        services.shares.create(tom, ShareCreate(model=model.id))
    made = services.shares.create(maya, ShareCreate(model=model.id))
    assert services.shares.list(ada).items == []
    with pytest.raises((ShareNotFound, Denied)):
        services.shares.withdraw(ada, made.id)
    services.shares.withdraw(owner, made.id)
    actions = [row.action for row in services.audit.list(owner).items]
    assert {"share.create", "share.withdraw"} <= set(actions)


def test_whom_a_private_result_is_shared_with_makes_no_link(services: Services, maya: Actor, model: ModelRead, person: Callable[[str, Role], Actor]) -> None:
    """It would open nothing: a link shows what its maker may show to anybody."""
    alan = person("alan", Role.analyst)
    services.models.update(maya, model.id, ModelUpdate(visibility="private"))
    services.sharing.put(maya, "model", model.id, alan.email, GrantPut(level="edit"))
    with pytest.raises(Denied):
        services.shares.create(alan, ShareCreate(model=model.id))
    assert services.shares.list(maya).items == []


@pytest.mark.parametrize("token", ["", "x", "dapp_sh_wrong", "dapp_sh_" + "a" * 500])
def test_a_link_that_nobody_made(services: Services, token: str) -> None:
    with pytest.raises(ShareNotFound):
        services.shares.open(token)


def test_without_a_result_there_is_no_link(services: Services, maya: Actor, upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]) -> None:
    dataset = upload(maya, PENGUINS.read_bytes(), "penguins.csv")
    run_jobs()
    waiting = services.models.train(maya, TrainRequest(dataset=dataset.id, target="species", time_budget=5))
    with pytest.raises(NotReady):
        services.shares.create(maya, ShareCreate(model=waiting.id))
