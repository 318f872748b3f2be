"""Deleting that can be undone: hidden at once, back as it was for a day, gone for good after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from dapp_ext.errors import DatasetNotFound, Denied, InsightNotFound, ModelNotFound, NotFound
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead, RowsRequest
from dapp_ext.schema.grants import GrantPut
from dapp_ext.schema.insights import InsightPublish, TableWrite
from dapp_ext.schema.shares import ShareCreate
from dapp_ext.services import Services
from dapp_ext.store.tables import DataKey, Model, StoredFile, TrialRow

TABLE = b"a,b\n1,x\n2,y\n"


@pytest.fixture
def maya(person: Callable[[str, Role], Actor]) -> Actor:
    return person("maya", Role.analyst)


def test_a_dataset_comes_back_as_it_was(
    services: Services, maya: Actor, upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], person: Callable[[str, Role], Actor]
) -> None:
    tom = person("tom", Role.viewer)
    made = upload(maya, TABLE, "t.csv", visibility="private")
    run_jobs()
    services.sharing.put(maya, "dataset", made.id, "tom@example.org", GrantPut(level="read"))
    before = services.datasets.get(maya, made.id)
    used = services.datasets.usage(maya).used
    put = services.trash.put(maya, "dataset", "t")
    assert (put.id, put.name, put.kind) == (made.id, "t", "dataset")
    for who in (maya, tom):
        with pytest.raises(DatasetNotFound):
            services.datasets.get(who, made.id)
    assert services.datasets.list(maya).items == []
    assert services.datasets.usage(maya).used == used  # its files are still there, and counted
    assert [each.name for each in services.trash.list(maya).items] == ["t"]

    assert services.trash.restore(maya, made.id).name == "t"
    assert services.trash.list(maya).items == []
    assert services.datasets.get(maya, made.id) == before.model_copy(update={"shared_with": 1})
    assert services.datasets.rows(tom, made.id, RowsRequest()).rows == [[1, "x"], [2, "y"]]
    types = [event.type for event in services.events.recent(maya, limit=2, without=())]
    assert set(types) == {"dataset.deleted", "dataset.changed"}
    actions = [row.action for row in services.audit.list(services.system.shell_actor()).items]
    assert actions.index("trash.restore") < actions.index("dataset.delete")


def test_a_name_that_was_given_away_meanwhile_gets_a_number(
    services: Services, maya: Actor, upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]
) -> None:
    first = upload(maya, TABLE, "t.csv")
    run_jobs()
    services.trash.put(maya, "dataset", first.id)
    second = upload(maya, b"c\n5\n", "t.csv")
    assert second.name == "t"
    assert services.trash.restore(maya, first.id).name == "t (2)"
    assert services.datasets.get(maya, "t").id == second.id


def test_work_on_it_ends_and_nothing_goes_on_by_itself(
    services: Services, maya: Actor, upload: Callable[..., DatasetRead], run_jobs: Callable[[], None]
) -> None:
    made = upload(maya, TABLE, "t.csv")
    services.trash.put(maya, "dataset", made.id)
    run_jobs()
    services.trash.restore(maya, made.id)
    found = services.datasets.get(maya, made.id)
    assert (found.status, "brought back" in (found.error or "")) == ("failed", True)


def test_a_model_comes_back_with_its_trials_and_links(services: Services, maya: Actor) -> None:
    model = _model(services, maya)
    with services.context.database.write() as session:
        session.add(TrialRow(model_id=model, number=1, sealed=services.context.seal(session, model, "trials", {"x": 1})))
    link = services.shares.create(maya, ShareCreate(model=model))
    services.trash.put(maya, "model", model)
    with pytest.raises(ModelNotFound):
        services.models.get(maya, model)
    assert services.shares.list(maya).items == []
    taker = _model(services, maya)  # the same name and number meanwhile, and the champion
    services.trash.restore(maya, model)
    with services.context.database.read() as session:
        back, other = session.get(Model, model), session.get(Model, taker)
        assert back is not None
        assert other is not None
        assert (back.version, other.version) == (2, 1)
        assert (back.champion, other.champion) == (False, True)
        assert session.get(TrialRow, (model, 1)) is not None
    assert [each.id for each in services.shares.list(maya).items] == [link.id]


def _model(services: Services, owner: Actor) -> str:
    model = Model(
        name="m",
        name_key="m",
        champion=True,
        owner_id=owner.account_id,
        status="ready",
        artifact_id="x",
        results_id="x",
        dataset_id="d",
        dataset_name="d",
        dataset_version=1,
        time_budget=5,
    )
    with services.context.database.write() as session:
        services.context.new_key(session, model.id)
        session.add(model)
        session.flush()
        return model.id


def test_an_insight_comes_back(services: Services, maya: Actor) -> None:
    made = services.insights.publish(maya, InsightPublish(title="Numbers", table=TableWrite(columns=["a"], rows=[[1]])))
    services.trash.put(maya, "insight", made.id)
    with pytest.raises(InsightNotFound):
        services.insights.get(maya, made.id)
    services.trash.restore(maya, made.id)
    assert services.insights.get(maya, made.id) == made
    assert services.insights.table(maya, made.id).rows == [[1]]


def test_after_its_day_it_is_gone_for_good(
    services: Services, maya: Actor, upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = upload(maya, TABLE, "t.csv")
    run_jobs()
    until = services.trash.put(maya, "dataset", made.id).until
    assert services.trash.purge() == 0
    with monkeypatch.context() as patch:
        patch.setattr("dapp_ext.services.trash.now", lambda: until + timedelta(seconds=1))
        with pytest.raises(NotFound, match="brought back any more"):
            services.trash.restore(maya, made.id)
        assert services.trash.purge() == 1
    _is_gone(services, made.id)


def test_for_good_at_once(services: Services, maya: Actor, owner: Actor, upload: Callable[..., DatasetRead], person: Callable[[str, Role], Actor]) -> None:
    ada = person("ada", Role.analyst)
    made = upload(maya, TABLE, "t.csv")
    with pytest.raises((Denied, DatasetNotFound)):
        services.trash.put(ada, "dataset", made.id)
    services.trash.put(maya, "dataset", made.id)
    assert services.trash.list(ada).items == []
    for act in (services.trash.restore, services.trash.delete):
        with pytest.raises((Denied, NotFound)):
            act(ada, made.id)
    assert [each.id for each in services.trash.list(owner).items] == [made.id]
    services.trash.delete(maya, made.id)
    _is_gone(services, made.id)
    with pytest.raises(NotFound):
        services.trash.restore(maya, made.id)


def _is_gone(services: Services, subject_id: str) -> None:
    with services.context.database.read() as session:
        from sqlmodel import select

        assert session.get(DataKey, subject_id) is None
        assert session.exec(select(StoredFile).where(StoredFile.subject_id == subject_id)).all() == []
