"""Two machines with homes of their own: one PostgreSQL, one Redis, one S3, one workspace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event as Signal

import pytest

from dapp_ext.errors import Conflict, KeyWrong
from dapp_ext.schema.boards import BoardRequest
from dapp_ext.schema.datasets import DatasetRead, DatasetUpload, QueryRequest, RowsRequest
from dapp_ext.schema.events import Event
from dapp_ext.services import BackupKey, Services, open_services, restore_backup
from dapp_ext.services.doctor import examine
from dapp_ext.settings import Settings
from tests import servers
from tests.conftest import work_off

SECRETS = {"secret_key": "b7Qw0u5Zk2_nXy8Rt4Lm6Pv1Hs3Gd9Fj", "encryption_key": "Jf9dG3sH1vP6mL4tR8yXn2_kZ5u0wQ7b"}
TABLE = b"name,city,age\nZebulon Quackenbush,Xanadu-on-Sea,51\nAda,Berlin,36\nAlan,Paris,41\n"
ASKED = QueryRequest.model_validate({"group_by": [{"column": "city"}], "measures": [{"op": "count"}]})


@pytest.fixture
def shared(tmp_path: Path, postgres_url: str, redis_server: servers.Redis, s3_url: str) -> Settings:
    """The settings of a machine."""
    return Settings(home=tmp_path / "one", start_worker=False, database_url=postgres_url, redis_url=redis_server.url, storage_url=s3_url, **SECRETS)


@pytest.fixture
def two(shared: Settings, tmp_path: Path) -> Iterator[tuple[Services, Services]]:
    with open_services(shared) as one, open_services(replace(shared, home=tmp_path / "two")) as other:
        yield one, other


def upload(services: Services, data: bytes = TABLE) -> DatasetRead:
    incoming = services.datasets.begin_upload(services.system.shell_actor(), DatasetUpload(filename="people.csv", size=len(data)))
    incoming.write(data)
    return incoming.finish()


def hear(services: Services, wanted: str) -> tuple[Signal, Callable[[], None]]:
    heard = Signal()

    def deliver(event: Event) -> None:
        if event.type == wanted:
            heard.set()

    return heard, services.events.subscribe(services.system.shell_actor(), deliver).close


def test_what_one_machine_takes_in_another_works_on_and_all_hear_of(two: tuple[Services, Services], redis_server: servers.Redis) -> None:
    one, other = two
    assert one.instance_id == other.instance_id
    heard, close = hear(one, "dataset.ready")
    time.sleep(0.3)  # until it follows
    made = upload(one)
    work_off(other)
    assert heard.wait(0.5)  # the slow look comes every second
    owner = one.system.shell_actor()
    assert one.datasets.rows(owner, made.id, RowsRequest()) == other.datasets.rows(owner, made.id, RowsRequest())
    assert len(other.system.status(owner).workers) == 0 or other.system.status(owner).workers[0].host
    redis_server.kill()
    heard.clear()
    upload(other)
    work_off(one)
    assert heard.wait(3)  # a slower second, not an error
    pair = one.accounts.sign_in_owner(door="api", address="")
    assert other.accounts.authenticate(pair.access_token).account_id == owner.account_id
    close()


def test_an_answer_is_worked_out_once(two: tuple[Services, Services], redis_server: servers.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = two
    made = upload(one)
    work_off(one)
    owner = one.system.shell_actor()
    board = BoardRequest.model_validate({"figures": [{"op": "mean", "column": "age"}], "charts": []})
    answers = one.datasets.query_json(owner, made.id, ASKED), one.boards.answer(owner, made.id, board)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("worked out again")

    with monkeypatch.context() as patched:
        patched.setattr("dapp_ext.domain.queries.ask", refuse)
        patched.setattr(other.boards, "_make", refuse)
        assert (other.datasets.query_json(owner, made.id, ASKED), other.boards.answer(owner, made.id, board)) == answers
    kept = everything_in(redis_server)
    assert len(kept) >= 2
    assert not any(word in each for each in kept for word in (b"Xanadu", b"city", b"age", b"Berlin"))
    redis_server.kill()
    with open_services(replace(one.settings, home=one.settings.home.parent / "three")) as third:
        assert third.datasets.query_json(owner, made.id, ASKED) == answers[0]


def everything_in(server: servers.Redis) -> list[bytes]:
    """Names and values, as they lie there."""
    import redis

    with redis.Redis.from_url(server.url) as client:
        names = [name for name in client.scan_iter() if client.type(name) == b"string"]
        return [name + b" " + (client.get(name) or b"") for name in names]


def test_another_key_is_refused(two: tuple[Services, Services], shared: Settings, tmp_path: Path) -> None:
    with pytest.raises(KeyWrong):
        open_services(replace(shared, home=tmp_path / "three", encryption_key=SECRETS["encryption_key"][::-1] + "x"))


def test_the_doctor_looks_at_all_of_it(two: tuple[Services, Services], redis_server: servers.Redis) -> None:
    one, _ = two
    upload(one)
    work_off(one)
    found = {check.name: check for check in examine(one.settings).checks}
    assert "PostgreSQL" in found["database"].says
    assert (found["redis"].state, found["objects"].state, found["orphans"].state) == ("ok", "ok", "ok")
    redis_server.kill()
    found = {check.name: check for check in examine(one.settings).checks}
    assert found["redis"].state == "note"


def test_a_backup_moves_a_laptop_to_a_team(
    tmp_path: Path, postgres: servers.Postgres, s3_url: str, monkeypatch: pytest.MonkeyPatch, redis_server: servers.Redis
) -> None:
    monkeypatch.setattr("dapp_ext.store.backups.KDF", {"passes": 1, "memory": 64, "lanes": 1})
    key = BackupKey("a passphrase for backups")
    with open_services(Settings(home=tmp_path / "laptop", start_worker=False, **SECRETS)) as laptop:
        made = upload(laptop)
        work_off(laptop)
        rows = laptop.datasets.rows(laptop.system.shell_actor(), made.id, RowsRequest())
        laptop.backups.create(laptop.system.shell_actor(), tmp_path / "backup", key)
    name = postgres.new_database()
    team = Settings(home=tmp_path / "team", start_worker=False, database_url=postgres.address(name), redis_url=redis_server.url, storage_url=s3_url, **SECRETS)
    assert restore_backup(team, tmp_path / "backup", key).objects == 3
    with open_services(team) as services:
        owner = services.system.shell_actor()
        assert services.datasets.rows(owner, made.id, RowsRequest()) == rows
        assert services.audit.verify(owner).ok
        again = services.backups.create(owner, tmp_path / "again", key)
        assert (again.objects, again.damaged) == (3, [])
        assert services.backups.verify(owner, tmp_path / "again", key).opened == 3
    with pytest.raises(Conflict, match="already"):
        restore_backup(team, tmp_path / "backup", key)
    with open_services(replace(team, home=tmp_path / "another")) as services:  # everything comes from the storage
        assert services.datasets.rows(services.system.shell_actor(), made.id, RowsRequest()) == rows
    postgres.drop(name)
