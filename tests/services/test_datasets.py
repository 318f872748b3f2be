"""Datasets as far as no worker is needed: coming in, names, who sees what, going away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dapp_ext.errors import CursorInvalid, DatasetNotFound, Denied, FileUnreadable, NameTaken, NotReady, TooLarge
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead, DatasetUpdate, DatasetUpload, RowsRequest
from dapp_ext.services import Services, open_services
from dapp_ext.settings import Settings

Person = Callable[[str, Role], Actor]
Upload = Callable[..., DatasetRead]
SECRET = b"name,city\nZebulon Quackenbush,Xanadu-on-Sea\n"


def _files(settings: Settings) -> list[Path]:
    return [path for path in settings.objects_folder.rglob("*") if path.is_file()]


def test_an_upload_is_known_sealed_and_queued(services: Services, settings: Settings, owner: Actor, upload: Upload) -> None:
    dataset = upload(owner, SECRET, "people.csv")
    assert (dataset.name, dataset.status, dataset.size) == ("people", "processing", len(SECRET))
    assert services.jobs.get(owner, dataset.job_id or "").status == "queued"
    stored = b"".join(path.read_bytes() for path in settings.home.rglob("*") if path.is_file())
    assert b"Quackenbush" not in stored
    assert b"Xanadu" not in stored
    assert b"".join(services.datasets.original(owner, dataset.id).chunks) == SECRET


def test_an_aborted_upload_leaves_nothing(services: Services, settings: Settings, owner: Actor) -> None:
    incoming = services.datasets.begin_upload(owner, DatasetUpload(filename="people.csv"))
    incoming.write(SECRET)
    incoming.abort()
    assert _files(settings) == []
    assert services.datasets.list(owner).items == []


def test_too_many_bytes_are_refused_by_announcement_and_by_count(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, upload_limit=10)
    with open_services(settings) as services:
        actor = services.system.shell_actor()
        with pytest.raises(TooLarge):
            services.datasets.begin_upload(actor, DatasetUpload(filename="x.csv", size=11))
        incoming = services.datasets.begin_upload(actor, DatasetUpload(filename="x.csv"))
        incoming.write(b"0123456789")
        with pytest.raises(TooLarge):
            incoming.write(b"0")
        assert _files(settings) == []


def test_an_empty_file_is_refused(services: Services, settings: Settings, owner: Actor) -> None:
    with pytest.raises(FileUnreadable, match="empty"):
        services.datasets.begin_upload(owner, DatasetUpload(filename="x.csv")).finish()
    assert _files(settings) == []


def test_a_given_name_must_be_free_and_a_guessed_one_becomes_free(services: Services, owner: Actor, upload: Upload) -> None:
    assert [upload(owner, SECRET, "people.csv").name for _ in range(3)] == ["people", "people (2)", "people (3)"]
    with pytest.raises(NameTaken):
        services.datasets.begin_upload(owner, DatasetUpload(filename="x.csv", name=" PEOPLE"))


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\table.xlsx", "table"),
        ("a\nb\x00.csv", "a b"),
        ("\u202egnp.csv", "gnp"),
        ("<img src=x onerror=alert(1)>.csv", "<img src=x onerror=alert(1)>"),
        (".csv", ".csv"),
        ("data.tar.csv.gz", "data.tar"),
        ("🦄.json", "🦄"),
        ("two\nlines\u200b.csv", "two lines"),
    ],
)
def test_file_names_are_shown_and_never_used(owner: Actor, upload: Upload, filename: str, name: str) -> None:
    assert upload(owner, SECRET, filename).name == name


def test_private_is_private(services: Services, person: Person, upload: Upload) -> None:
    ada, alan = person("ada", Role.analyst), person("alan", Role.analyst)
    secret = upload(ada, SECRET, visibility="private")
    assert services.datasets.get(ada, secret.id).id == secret.id
    for look in (
        lambda: services.datasets.get(alan, secret.id),
        lambda: services.datasets.delete(alan, secret.id),
        lambda: services.datasets.original(alan, secret.name),
    ):
        with pytest.raises(DatasetNotFound):
            look()
    assert services.datasets.list(alan).items == []
    assert services.jobs.list(alan).items == []
    services.datasets.update(ada, secret.id, DatasetUpdate(visibility="team"))
    assert services.datasets.get(alan, secret.id).id == secret.id


def test_viewers_look_but_do_not_change(services: Services, owner: Actor, person: Person, upload: Upload) -> None:
    vera, dataset = person("vera", Role.viewer), upload(owner, SECRET)
    with pytest.raises(Denied):
        upload(vera, SECRET)
    with pytest.raises(Denied):
        services.datasets.delete(vera, dataset.id)
    with pytest.raises(Denied):
        services.datasets.original(vera, dataset.id)
    assert services.datasets.get(vera, dataset.id).id == dataset.id


def test_nothing_to_look_at_before_it_is_ready(services: Services, owner: Actor, upload: Upload) -> None:
    dataset = upload(owner, SECRET)
    for look in (lambda: services.datasets.profile(owner, dataset.id), lambda: services.datasets.rows(owner, dataset.id, RowsRequest())):
        with pytest.raises(NotReady, match="still being processed"):
            look()


def test_delete_takes_files_key_and_jobs(services: Services, settings: Settings, owner: Actor, upload: Upload) -> None:
    dataset = upload(owner, SECRET)
    services.datasets.delete(owner, dataset.id)
    assert _files(settings) == []
    assert services.jobs.get(owner, dataset.job_id or "").status == "cancelled"
    with pytest.raises(DatasetNotFound):
        services.datasets.get(owner, dataset.id)


def test_pages_of_a_list_hold_everything_once(services: Services, owner: Actor, upload: Upload) -> None:
    made = [upload(owner, SECRET).id for _ in range(5)]
    first = services.datasets.list(owner, limit=2)
    second = services.datasets.list(owner, limit=2, cursor=first.next)
    third = services.datasets.list(owner, limit=2, cursor=second.next)
    assert [item.id for page in (first, second, third) for item in page.items] == made[::-1]
    assert third.next is None
    with pytest.raises(CursorInvalid):
        services.datasets.list(owner, cursor="1; drop table datasets")


def test_search_takes_signs_as_they_are(services: Services, owner: Actor, upload: Upload) -> None:
    upload(owner, SECRET, "100%.csv")
    upload(owner, SECRET, "1000.csv")
    assert [item.name for item in services.datasets.list(owner, search="100%").items] == ["100%"]
