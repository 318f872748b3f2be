"""Versions: read again, sent anew, compared, brought back; what hangs on a dataset; how much may be stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select

from dapp_ext.errors import Conflict, DatasetNotFound, Denied, Invalid, NotReady, QuotaExceeded
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead, DatasetUpload, QueryRequest, ReadOptions, RowsRequest
from dapp_ext.schema.fixes import FixRequest
from dapp_ext.schema.models import TrainRequest
from dapp_ext.schema.versions import RestoreRequest, VersionCreate
from dapp_ext.services import Services, open_services
from dapp_ext.settings import Settings
from dapp_ext.store import datasets as store
from dapp_ext.store.tables import Account, DataKey

Person = Callable[[str, Role], Actor]
Upload = Callable[..., DatasetRead]
Run = Callable[[], None]
PLAIN = b"city;people\nBerlin;3,7\nParis;2,1\nRome;2,8\n"
MORE = b"city;people;mayor\nBerlin;3,7;A\nParis;2,1;B\nRome;2,8;C\nOslo;0,7;D\n"


def _files(settings: Settings) -> list[Path]:
    return [path for path in settings.objects_folder.rglob("*") if path.is_file()]


@pytest.fixture
def cities(owner: Actor, upload: Upload, run_jobs: Run, services: Services) -> DatasetRead:
    made = upload(owner, PLAIN, "cities.csv")
    run_jobs()
    return services.datasets.get(owner, made.id)


def test_reading_again_makes_a_version_and_the_first_one_stays(services: Services, owner: Actor, cities: DatasetRead, run_jobs: Run) -> None:
    made = services.versions.read_again(owner, "cities", VersionCreate(options=ReadOptions(header=False)))
    assert (made.version, made.status, made.latest, made.origin) == (2, "processing", 1, "reread")
    assert services.jobs.get(owner, made.job_id or "").kind == "ingest"
    now = services.datasets.get(owner, cities.id)
    assert (now.version, now.status, now.rows) == (1, "ready", 3)
    assert now.pending is not None
    assert (now.pending.version, now.pending.status, now.pending.job_id) == (2, "processing", made.job_id)
    assert services.datasets.rows(owner, cities.id, RowsRequest()).version == 1
    run_jobs()
    now = services.datasets.get(owner, cities.id)
    assert (now.version, now.latest, now.rows, now.pending) == (2, 2, 4, None)
    assert services.datasets.rows(owner, cities.id, RowsRequest()).total == 4
    assert services.datasets.rows(owner, cities.id, RowsRequest(version=1)).total == 3
    assert [services.datasets.profile(owner, cities.id, number).version for number in (1, 2, None)] == [1, 2, 2]
    assert services.datasets.query(owner, cities.id, QueryRequest(version=1)).rows == [[3]]
    assert services.datasets.query(owner, cities.id, QueryRequest()).rows == [[4]]
    listed = services.versions.list(owner, cities.id).items
    assert [(each.version, each.origin, each.from_version, each.latest, each.rows) for each in listed] == [
        (2, "reread", 1, True, 4),
        (1, "upload", None, False, 3),
    ]
    assert listed[0].options == ReadOptions(header=False)
    assert "header False" in listed[0].sentence
    assert listed[1].sentence == "Uploaded cities.csv"


def test_a_version_that_fails_leaves_the_latest_in_use(services: Services, owner: Actor, cities: DatasetRead, run_jobs: Run) -> None:
    services.versions.read_again(owner, cities.id, VersionCreate(options=ReadOptions(format="json")))
    run_jobs()
    now = services.datasets.get(owner, cities.id)
    assert (now.version, now.status) == (1, "ready")
    assert now.pending is not None
    assert now.pending.status == "failed"
    assert now.pending.error
    assert services.versions.list(owner, cities.id).items[0].error == now.pending.error
    with pytest.raises(NotReady):
        services.datasets.rows(owner, cities.id, RowsRequest(version=2))
    failed = [event for event in services.events.page(owner, None).items if event.type == "dataset.failed"]
    assert [(event.data["version"], event.data["status"]) for event in failed] == [(2, "ready")]


def test_a_file_that_could_not_be_read_can_be_read_otherwise(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> None:
    made = upload(owner, PLAIN, "cities.csv", options={"format": "json"})
    run_jobs()
    assert services.datasets.get(owner, made.id).status == "failed"
    services.versions.read_again(owner, made.id, VersionCreate())
    run_jobs()
    now = services.datasets.get(owner, made.id)
    assert (now.status, now.version, now.rows) == ("ready", 2, 3)


def test_another_file_becomes_the_next_version(services: Services, owner: Actor, cities: DatasetRead, upload: Upload, run_jobs: Run) -> None:
    made = upload(owner, MORE, "cities 2025.csv", version_of="cities")
    assert (made.id, made.version, made.name, made.filename) == (cities.id, 2, "cities", "cities 2025.csv")
    run_jobs()
    assert services.datasets.get(owner, cities.id).column_count == 3
    assert b"".join(services.datasets.original(owner, cities.id).chunks) == MORE
    older = services.datasets.original(owner, cities.id, 1)
    assert (b"".join(older.chunks), older.version) == (PLAIN, 1)
    compared = services.versions.compare(owner, cities.id, 1)
    assert (compared.from_version, compared.to_version, compared.rows_before, compared.rows_after) == (1, 2, 3, 4)
    by_name = {column.name: column for column in compared.columns}
    assert by_name["mayor"].change == "added"
    assert by_name["people"].change == "changed"
    assert by_name["people"].distribution is not None
    assert (sum(by_name["people"].distribution.before), sum(by_name["people"].distribution.after)) == (3, 4)
    assert "1 row more: 3 before, 4 after." in compared.sentences
    same = services.versions.compare(owner, cities.id, 2, 2)
    assert {column.change for column in same.columns} == {"same"}


def test_a_version_that_is_broken_off_leaves_nothing(services: Services, settings: Settings, owner: Actor, cities: DatasetRead) -> None:
    before = _files(settings)
    incoming = services.datasets.begin_upload(owner, DatasetUpload(filename="more.csv", version_of=cities.id))
    incoming.write(MORE)
    assert len(_files(settings)) == len(before) + 1
    incoming.abort()
    assert _files(settings) == before
    assert len(services.versions.list(owner, cities.id).items) == 1
    # Deleted while its next version comes in: the file goes too.
    late = services.datasets.begin_upload(owner, DatasetUpload(filename="more.csv", version_of=cities.id))
    late.write(MORE)
    services.datasets.delete(owner, cities.id)
    with pytest.raises(DatasetNotFound):
        late.finish()
    assert _files(settings) == []


def test_an_older_version_comes_back_without_a_copy(
    services: Services, settings: Settings, owner: Actor, cities: DatasetRead, upload: Upload, run_jobs: Run
) -> None:
    upload(owner, MORE, "cities.csv", version_of=cities.id)
    run_jobs()
    before = len(_files(settings))
    restored = services.versions.restore(owner, cities.id, RestoreRequest(version=1))
    assert (restored.version, restored.status, restored.rows, restored.origin) == (3, "ready", 3, "restore")
    assert len(_files(settings)) == before
    assert services.datasets.rows(owner, cities.id, RowsRequest()).rows == services.datasets.rows(owner, cities.id, RowsRequest(version=1)).rows
    with pytest.raises(Conflict, match="latest"):
        services.versions.restore(owner, cities.id, RestoreRequest(version=3))
    with pytest.raises(DatasetNotFound, match="no version 9"):
        services.versions.restore(owner, cities.id, RestoreRequest(version=9))
    ready = [event.data["version"] for event in services.events.page(owner, None).items if event.type == "dataset.ready"]
    assert ready == [1, 2, 3]
    services.datasets.delete(owner, cities.id)
    assert _files(settings) == []


def test_only_who_may_edit_makes_versions(services: Services, person: Person, cities: DatasetRead, upload: Upload) -> None:
    vera, alan = person("vera", Role.viewer), person("alan", Role.analyst)
    for actor in (vera, alan):
        with pytest.raises(Denied):
            services.versions.read_again(actor, cities.id, VersionCreate())
        with pytest.raises(Denied):
            services.versions.restore(actor, cities.id, RestoreRequest(version=1))
        with pytest.raises(Denied):
            upload(actor, MORE, "x.csv", version_of=cities.id)
        assert len(services.versions.list(actor, cities.id).items) == 1


def test_what_depends_on_a_dataset_is_told_before_it_goes(services: Services, owner: Actor, person: Person, upload: Upload, run_jobs: Run) -> None:
    rows = "\n".join(f"{number},{number % 2},{'yes' if number % 2 else 'no'}" for number in range(60))
    table = upload(owner, f"a,b,c\n{rows}\n".encode(), "t.csv")
    run_jobs()
    assert services.versions.dependents(owner, table.id).model_dump(exclude={"bytes"}) == {
        "models": [], "predictions": [], "unseen": 0, "jobs": 0, "versions": 1, "people": 0, "later": [],
    }  # fmt: skip
    model = services.models.train(owner, TrainRequest(dataset=table.id, target="c", time_budget=5))
    alan = person("alan", Role.analyst)
    private = services.models.train(alan, TrainRequest(dataset=table.id, target="c", time_budget=5))
    from dapp_ext.schema.models import ModelUpdate

    services.models.update(alan, private.id, ModelUpdate(visibility="private"))
    found = services.versions.dependents(owner, table.id)
    assert [each.id for each in found.models] == [model.id]
    assert (found.unseen, found.jobs) == (1, 0)
    assert found.bytes > 0


def test_how_much_may_be_stored(tmp_path: Path, migrated: Path) -> None:
    settings = Settings(home=tmp_path / "home", quota=2000)
    with open_services(settings) as services:
        actor = services.system.shell_actor()
        assert services.datasets.usage(actor).model_dump() == {
            "used": 0, "datasets": 0, "models": 0, "quota": 2000, "free": 2000, "upload_limit": settings.upload_limit,
        }  # fmt: skip
        with pytest.raises(QuotaExceeded) as told:
            services.datasets.begin_upload(actor, DatasetUpload(filename="x.csv", size=2001))
        assert told.value.details == {"free": 2000}
        incoming = services.datasets.begin_upload(actor, DatasetUpload(filename="x.csv"))
        incoming.write(b"x" * 1500)
        with pytest.raises(QuotaExceeded):
            incoming.write(b"x" * 1500)
        # Each of two fits, both together do not: who ends last is told, and nothing of it stays.
        one, other = (services.datasets.begin_upload(actor, DatasetUpload(filename="x.csv", size=1200)) for _ in range(2))
        for each in (one, other):
            each.write(b"x" * 1200)
        one.finish()
        with pytest.raises(QuotaExceeded):
            other.finish()
        assert len(_files(settings)) == 1
        assert services.datasets.usage(actor).free == 2000 - services.datasets.usage(actor).used < 800
        with services.context.database.write() as session:
            account = session.get(Account, actor.account_id)
            assert account is not None
            account.quota = 0
            session.add(account)
        assert services.datasets.usage(actor).quota is None
        services.datasets.begin_upload(actor, DatasetUpload(filename="x.csv", size=5000)).abort()


def test_a_file_without_an_original_cannot_be_read_again(services: Services, owner: Actor, cities: DatasetRead) -> None:
    with services.context.database.write() as session:
        from dapp_ext.store.datasets import version_of

        row = version_of(session, cities.id, 1)
        assert row is not None
        row.original_id = None
        session.add(row)
    with pytest.raises(Invalid, match="made inside the workspace"):
        services.versions.read_again(owner, cities.id, VersionCreate())


def test_one_version_is_deleted_with_its_key(services: Services, settings: Settings, owner: Actor, cities: DatasetRead, upload: Upload, run_jobs: Run) -> None:
    services.versions.read_again(owner, cities.id, VersionCreate(options=ReadOptions(header=False)))
    upload(owner, MORE, "more.csv", version_of=cities.id)
    run_jobs()
    with services.context.database.read() as session:
        rows = {row.version: row for row in store.versions(session, cities.id)}
        keys = {row.subject_id for row in session.exec(select(DataKey))}
    assert {rows[1].original_id, rows[1].table_id, rows[2].table_id, rows[2].profile_id} <= keys
    assert rows[2].original_id == rows[1].original_id
    before = len(_files(settings))
    told = services.versions.dependents(owner, cities.id, 1)
    assert (told.versions, told.later, told.models) == (1, [2], [])
    assert 0 < told.bytes < services.versions.dependents(owner, cities.id).bytes
    services.versions.delete(owner, cities.id, 1)
    assert [each.version for each in services.versions.list(owner, cities.id).items] == [3, 2]
    with services.context.database.read() as session:
        keys = {row.subject_id for row in session.exec(select(DataKey))}
    # The uploaded file is still needed by version 2; the table and the profile are gone, with their keys.
    assert {rows[1].table_id, rows[1].profile_id} & keys == set()
    assert rows[1].original_id in keys
    assert len(_files(settings)) == before - 2
    with pytest.raises(DatasetNotFound):
        services.datasets.rows(owner, cities.id, RowsRequest(version=1))
    assert services.datasets.rows(owner, cities.id, RowsRequest(version=2)).total == 4
    assert services.datasets.rows(owner, cities.id, RowsRequest()).total == 4
    services.versions.delete(owner, cities.id, 2)
    with services.context.database.read() as session:
        assert rows[1].original_id not in {row.subject_id for row in session.exec(select(DataKey))}
    assert len(services.audit.list(owner, action="dataset.version_delete").items) == 2
    services.datasets.delete(owner, cities.id)
    with services.context.database.read() as session:
        assert {row.subject_id for row in session.exec(select(DataKey))} & {rows[3].table_id, rows[3].original_id, cities.id} == set()


def test_which_versions_stay(services: Services, owner: Actor, person: Person, upload: Upload, run_jobs: Run) -> None:
    cities = upload(owner, b"a,b\n" + b"".join(b"%d,%d\n" % (number, number % 7) for number in range(60)), "cities.csv")
    run_jobs()
    with pytest.raises(Conflict, match="in use"):
        services.versions.delete(owner, cities.id, 1)
    services.versions.read_again(owner, cities.id, VersionCreate(options=ReadOptions(types={"a": "decimal"})))
    with pytest.raises(Conflict, match="worked with"):
        services.versions.delete(owner, cities.id, 2)
    run_jobs()
    with pytest.raises(DatasetNotFound):
        services.versions.delete(owner, cities.id, 9)
    with pytest.raises(Denied):
        services.versions.delete(person("vera", Role.viewer), cities.id, 1)
    services.models.train(owner, TrainRequest(dataset=cities.id, target="b"))
    services.versions.restore(owner, cities.id, RestoreRequest(version=1))
    with pytest.raises(Conflict, match="worked with"):
        services.versions.delete(owner, cities.id, 2)
    assert services.versions.dependents(owner, cities.id, 2).models[0].name
    assert services.versions.dependents(owner, cities.id, 1).models == []


def test_a_fix_whose_source_is_deleted_cannot_be_taken_back(services: Services, owner: Actor, upload: Upload, run_jobs: Run) -> None:
    made = upload(owner, b"a,b\n1,x\n1,x\n2,y\n", "t.csv")
    run_jobs()
    services.fixes.apply(owner, made.id, FixRequest(code="drop_duplicate_rows"))
    run_jobs()
    services.versions.delete(owner, made.id, 1)
    with pytest.raises(Conflict, match="is deleted"):
        services.fixes.undo(owner, made.id)
    assert services.datasets.original(owner, made.id).size == 16
    assert services.datasets.rows(owner, made.id, RowsRequest()).total == 2
