"""The chain of the audit: what was changed is named, whatever was changed."""

from __future__ import annotations

import csv
import io
import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from dapp_ext.errors import Broken, Denied, Invalid, Unavailable
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.audit import AuditFilter
from dapp_ext.schema.base import Subject, now
from dapp_ext.schema.datasets import DatasetRead, RowsRequest
from dapp_ext.services import Services
from dapp_ext.settings import Settings
from dapp_ext.store.database import Database


@pytest.fixture
def log(services: Services, owner: Actor) -> Services:
    for number in range(30):
        services.context.note(owner, "test.act", Subject(kind="thing", id=str(number)), "allow", {"number": number})
    return services


@pytest.fixture
def by_hand(settings: Settings) -> Iterator[Callable[..., None]]:
    def run(statement: str, *values: object) -> None:
        with sqlite3.connect(settings.home / "dapp.sqlite") as database:
            database.execute(statement, values)
        database.close()

    return run


def findings(services: Services, owner: Actor, **head: object) -> list[tuple[str, int, int]]:
    found = services.audit.verify(owner, **head)  # type: ignore[arg-type]
    assert found.ok == (not found.findings)
    return [(each.kind, each.row, each.last_row) for each in found.findings]


def test_a_log_that_nobody_touched_is_whole(log: Services, owner: Actor) -> None:
    assert findings(log, owner) == []
    again = log.audit.verify(owner)
    assert again.rows == again.head.seq  # verifying is in the log itself


COLUMNS = ["at", "actor_id", "actor_name", "door", "address", "action", "subject_kind", "subject_id", "outcome", "request_id", "details", "link", "mac"]


@pytest.mark.only_sqlite
@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_row_is_named_whichever_column(log: Services, owner: Actor, by_hand: Callable[..., None], column: str) -> None:
    values = {"at": "2001-01-01 00:00:00.000000", "details": '{"number": 99}', "link": bytes(32), "mac": bytes(32)}
    by_hand(f"UPDATE audit SET {column} = ? WHERE id = 7", values.get(column, "forged"))
    assert findings(log, owner) == [("changed", 7, 7)]


@pytest.mark.only_sqlite
def test_removed_rows_are_named(log: Services, owner: Actor, by_hand: Callable[..., None]) -> None:
    by_hand("DELETE FROM audit WHERE id IN (4, 5, 9)")
    assert findings(log, owner) == [("removed", 4, 5), ("removed", 9, 9)]


@pytest.mark.only_sqlite
def test_the_first_row_removed(log: Services, owner: Actor, by_hand: Callable[..., None]) -> None:
    by_hand("DELETE FROM audit WHERE id = 1")
    assert findings(log, owner) == [("removed", 1, 1)]


@pytest.mark.only_sqlite
def test_an_added_row_is_named(log: Services, owner: Actor, by_hand: Callable[..., None]) -> None:
    by_hand(
        "INSERT INTO audit SELECT id + 1000, at, actor_id, actor_name, door, address, action, subject_kind, subject_id, outcome, request_id, details, link, mac FROM audit WHERE id = 3"
    )
    assert ("added", 1003, 1003) in findings(log, owner)


@pytest.mark.only_sqlite
def test_a_row_put_in_between_is_named(log: Services, owner: Actor, by_hand: Callable[..., None]) -> None:
    by_hand("UPDATE audit SET id = -id WHERE id > 10")
    by_hand("UPDATE audit SET id = 1 - id WHERE id < 0")
    by_hand(
        "INSERT INTO audit SELECT 11, at, actor_id, actor_name, door, address, action, subject_kind, subject_id, outcome, request_id, details, link, mac FROM audit WHERE id = 3"
    )
    found = findings(log, owner)
    assert found[0] == ("changed", 11, 11)
    assert ("moved", 12) in [each[:2] for each in found]


@pytest.mark.only_sqlite
def test_rows_that_changed_places_are_named(log: Services, owner: Actor, by_hand: Callable[..., None]) -> None:
    for statement in ("UPDATE audit SET id = -1 WHERE id = 12", "UPDATE audit SET id = 12 WHERE id = 20", "UPDATE audit SET id = 20 WHERE id = -1"):
        by_hand(statement)
    assert {row for _, row, _ in findings(log, owner)} >= {12, 20}


@pytest.mark.only_sqlite
def test_a_cut_end_is_found_by_the_head_inside(log: Services, owner: Actor, by_hand: Callable[..., None]) -> None:
    last = log.audit.head(owner).seq
    by_hand("DELETE FROM audit WHERE id > ?", last - 5)
    assert findings(log, owner) == [("removed", last - 4, last)]
    # Rows that are written afterwards do not heal it.
    assert ("removed", last - 4, last) in findings(log, owner)


@pytest.mark.only_sqlite
def test_a_cut_that_also_puts_back_an_older_head_needs_the_exported_one(log: Services, settings: Settings, owner: Actor) -> None:
    database = sqlite3.connect(settings.home / "dapp.sqlite")
    kept = database.execute("SELECT * FROM audit_head").fetchone()
    for _ in range(5):
        log.context.note(owner, "test.act", None, "allow")
    head = log.audit.head(owner)
    database.execute("DELETE FROM audit WHERE id > ?", (kept[1],))
    database.execute("UPDATE audit_head SET seq = ?, mac = ?, seal = ?", kept[1:])
    database.commit()
    database.close()
    assert findings(log, owner, seq=head.seq, mac=head.mac) == [("removed", kept[1] + 1, head.seq)]
    assert findings(log, owner) == []  # said plainly in SECURITY.md
    # Written anew over the cut: the number is there again, but it is another row.
    while log.audit.head(owner).seq <= head.seq:
        log.context.note(owner, "test.other", None, "allow")
    assert findings(log, owner, seq=head.seq, mac=head.mac) == [("changed", head.seq, head.seq)]


@pytest.mark.only_sqlite
def test_a_removed_or_changed_head_is_found(log: Services, settings: Settings, owner: Actor, by_hand: Callable[..., None]) -> None:
    by_hand("UPDATE audit_head SET seal = zeroblob(32)")
    assert findings(log, owner)
    last = log.audit.head(owner).seq
    by_hand("DELETE FROM audit_head")
    assert findings(log, owner) == [("removed", last, last)]
    with pytest.raises(Broken, match="end of the audit log was removed"):
        log.context.note(owner, "test.act", None, "allow")


@pytest.mark.only_sqlite
def test_a_hundred_random_edits_are_all_found(log: Services, settings: Settings, owner: Actor) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)  # noqa: T201
    chance = random.Random(seed)
    path = settings.home / "dapp.sqlite"
    from dapp_ext.store import audit as store

    database = Database(f"sqlite:///{path}")
    whole = sqlite3.connect(path)
    saved = whole.execute("SELECT * FROM audit").fetchall()
    for _ in range(100):
        row = chance.randrange(1, len(saved) + 1)
        kind = chance.choice(["change", "delete", "swap"])
        if kind == "delete":
            whole.execute("DELETE FROM audit WHERE id = ?", (row,))
        elif kind == "change":
            column = chance.choice(["action", "outcome", "actor_name", "request_id", "door"])
            whole.execute(f"UPDATE audit SET {column} = {column} || ' ' WHERE id = ?", (row,))
        else:
            other = row % len(saved) + 1
            for statement, values in (("id = -1 WHERE id = ?", (row,)), ("id = ? WHERE id = ?", (row, other)), ("id = ? WHERE id = -1", (other,))):
                whole.execute(f"UPDATE audit SET {statement}", values)
        whole.commit()
        with database.snapshot() as session:
            found = store.verify(session, log.context.audit_key)
        assert found.findings, (kind, row)
        assert min(each.row for each in found.findings) <= row <= max(each.last_row for each in found.findings) + 1, (kind, row, found.findings)
        whole.execute("DELETE FROM audit")
        whole.executemany(f"INSERT INTO audit VALUES ({','.join('?' * len(saved[0]))})", saved)
        whole.commit()
    whole.close()
    database.close()


@pytest.mark.only_sqlite
def test_a_row_of_another_course_of_things_is_found(log: Services, settings: Settings, owner: Actor) -> None:
    """It carries a code of DAPP's own and the right number: only what follows knows that another one stood there."""
    with sqlite3.connect(settings.home / "dapp.sqlite") as database:
        head = database.execute("SELECT seq, mac, seal FROM audit_head").fetchone()
        log.context.note(owner, "test.one", None, "allow")
        (number,) = database.execute("SELECT max(id) FROM audit").fetchone()
        kept = database.execute("SELECT * FROM audit WHERE id = ?", (number,)).fetchone()
        database.execute("DELETE FROM audit WHERE id = ?", (number,))
        database.execute("UPDATE audit_head SET seq = ?, mac = ?, seal = ?", head)
        database.commit()
        for action in ("test.other", "test.more"):
            log.context.note(owner, action, None, "allow")
        database.execute("DELETE FROM audit WHERE id = ?", (number,))
        database.execute(f"INSERT INTO audit VALUES ({','.join('?' * len(kept))})", kept)
    database.close()
    assert findings(log, owner) == [("changed", number, number)]


@pytest.mark.only_sqlite
@pytest.mark.parametrize(
    "statements",
    [
        ("DELETE FROM audit", "DELETE FROM audit_head"),
        ("UPDATE audit SET mac = NULL, link = NULL", "DELETE FROM audit_head"),
        ("UPDATE audit SET mac = NULL, link = NULL",),
        ("UPDATE audit SET mac = NULL, link = NULL", "UPDATE audit SET actor_name = 'Mallory' WHERE id = 3"),
        ("UPDATE audit SET mac = NULL, link = NULL WHERE id <= 10",),
        (
            "INSERT INTO audit (id, at, actor_name, door, address, action, outcome, request_id, details) SELECT 0, at, '', '', '', 'x', 'allow', '', '{}' FROM audit WHERE id = 1",
        ),
    ],
)
def test_a_log_cannot_be_begun_anew_or_stripped_of_its_codes(log: Services, owner: Actor, by_hand: Callable[..., None], statements: tuple[str, ...]) -> None:
    """Whoever can write the database but holds no key; the chain is as old as the workspace, so there are no rows without a code."""
    for statement in statements:
        by_hand(statement)
    assert findings(log, owner)


def test_the_chain_begins_with_the_workspace(services: Services, owner: Actor) -> None:
    assert findings(services, owner) == []
    assert services.audit.head(owner).seq == 1, "the check that was just made is the first row"


WRITER = """
import sys
from pathlib import Path
from dapp_ext.services import open_services
from dapp_ext.settings import Settings
with open_services(Settings(home=Path(sys.argv[1]), start_worker=False)) as services:
    owner = services.system.shell_actor()
    for number in range(25):
        services.context.note(owner, "test.act", None, "allow", {"number": number})
"""


def test_many_processes_write_one_chain(services: Services, settings: Settings, owner: Actor) -> None:
    before = services.audit.head(owner).seq
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(settings.home)], cwd=Path(__file__).parents[2]) for _ in range(2)]
    while any(writer.poll() is None for writer in writers):
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: services.context.note(owner, "test.act", None, "allow"), range(8)))
    assert [writer.returncode for writer in writers] == [0, 0]
    rows = services.audit.verify(owner)
    assert rows.ok
    assert rows.rows >= before + 50


def test_filters(log: Services, owner: Actor, person: Callable[[str, Role], Actor]) -> None:
    ann = person("ann", Role.analyst)
    with pytest.raises(Denied):
        log.audit.verify(ann)

    def numbers(**given: object) -> int:
        return len(log.audit.list(owner, limit=500, wanted=AuditFilter(**given)).items)  # type: ignore[arg-type]

    assert numbers(action="test") == 30
    assert numbers(action="test", subject="7") == 1
    assert numbers(actor=ann.account_id, outcome="deny") == numbers(actor="Ann", outcome="deny") == 1
    assert numbers(action="test", since=now() + timedelta(hours=1)) == 0
    assert numbers(action="test", until=now() + timedelta(hours=1)) == 30
    for call in (log.audit.list, log.audit.head, lambda who: log.audit.export(who, "csv", AuditFilter())):
        with pytest.raises(Denied):
            call(ann)
    with pytest.raises(Invalid):
        log.audit.verify(owner, seq=3)
    with pytest.raises(Invalid):
        log.audit.verify(owner, seq=3, mac="zz")


def test_exports_for_programs_and_spreadsheets(log: Services, owner: Actor) -> None:
    sly = owner.model_copy(update={"name": "=cmd|' /C calc'!A0", "request_id": "line\nbreak\x1b[31m"})
    log.context.note(sly, "test.sly", Subject(kind="thing", id="@x"), "allow", {"why": "+1\r\n"})
    lines = b"".join(log.audit.export(owner, "jsonl", AuditFilter(action="test")).chunks).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 32
    assert rows[-1]["head"] == log.audit.head(owner).model_dump(mode="json") | {"at": rows[-1]["head"]["at"]}
    assert rows[-2]["request_id"] == "line\nbreak\x1b[31m"
    assert all(char.isprintable() for line in lines for char in line)
    table = list(csv.reader(io.StringIO(b"".join(log.audit.export(owner, "csv", AuditFilter(action="test")).chunks).decode())))
    assert len(table) == 32
    assert table[-1][3].startswith("'=cmd")
    assert table[-1][8] == "'@x"
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in table for cell in row)


def test_looking_at_data_is_logged_once_for_a_while(services: Services, owner: Actor, add_dataset: Callable[..., DatasetRead]) -> None:
    dataset = add_dataset()

    def looks() -> list[dict[str, object]]:
        return [each.details for each in services.audit.list(owner, wanted=AuditFilter(action="dataset.look", subject=dataset.id)).items]

    for offset in range(5):
        services.datasets.rows(owner, dataset.id, RowsRequest(offset=offset, search="a value of the data"))
    services.datasets.profile(owner, dataset.id)
    assert looks() == [{"version": 1}]  # which thing and version, and nothing of what was in it or asked of it
    later = owner.model_copy(update={"session_id": "another"})
    services.datasets.rows(later, dataset.id, RowsRequest())
    assert len(looks()) == 2


def test_reading_goes_on_while_the_log_cannot_be_written(
    services: Services, owner: Actor, add_dataset: Callable[..., DatasetRead], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = add_dataset()
    with monkeypatch.context() as patch:

        def refuse() -> None:
            raise Unavailable("read-only")

        patch.setattr(services.context.database, "write", refuse)
        assert services.datasets.rows(owner, dataset.id, RowsRequest()).rows
    services.context.note_read(owner, "dataset.look", Subject(kind="dataset", id="another"))
    assert len(services.audit.list(owner, wanted=AuditFilter(action="dataset.look", subject=dataset.id)).items) == 1
    assert findings(services, owner) == []


@pytest.mark.only_sqlite
def test_a_change_whose_row_cannot_be_written_does_not_happen(
    services: Services, owner: Actor, by_hand: Callable[..., None], add_dataset: Callable[..., DatasetRead]
) -> None:
    dataset = add_dataset()
    by_hand("DELETE FROM audit_head")
    with pytest.raises(Exception, match="audit log"):
        services.datasets.delete(owner, dataset.id)
    assert services.datasets.get(owner, dataset.id).id == dataset.id


def test_what_is_long_is_cut(services: Services, owner: Actor) -> None:
    long = owner.model_copy(update={"name": "n" * 5000, "address": "a" * 5000})
    services.context.note(long, "test.long", None, "deny", {"reason": "r" * 100_000})
    (row,) = services.audit.list(owner, wanted=AuditFilter(action="test.long")).items
    assert len(row.model_dump_json()) < 2000
    assert findings(services, owner) == []
