"""Private, team, and named people: what each may do, hear and know of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dapp_ext.errors import AccountNotFound, DatasetNotFound, Denied, Invalid, JobNotFound, ModelNotFound, NameAmbiguous, NameTaken
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.datasets import DatasetRead, DatasetUpdate, RowsRequest
from dapp_ext.schema.grants import GrantLevel, GrantPut
from dapp_ext.schema.models import TrainRequest
from dapp_ext.schema.versions import VersionCreate
from dapp_ext.services import Services

Person = Callable[[str, Role], Actor]
Upload = Callable[..., DatasetRead]
Run = Callable[[], None]
ROWS = b"a,b,c\n" + b"\n".join(b"%d,%d,%s" % (n, n % 3, b"yes" if n % 2 else b"no") for n in range(40))


@pytest.fixture
def ada(person: Person) -> Actor:
    return person("ada", Role.analyst)


@pytest.fixture
def alan(person: Person) -> Actor:
    return person("alan", Role.analyst)


@pytest.fixture
def secret(upload: Upload, ada: Actor, run_jobs: Run) -> DatasetRead:
    made = upload(ada, ROWS, "secret.csv", visibility="private")
    run_jobs()
    return made


def _share(services: Services, by: Actor, dataset: DatasetRead, with_whom: Actor, level: GrantLevel) -> None:
    services.sharing.put(by, "dataset", dataset.id, with_whom.account_id, GrantPut(level=level))


def _acts(services: Services, actor: Actor, dataset: DatasetRead) -> set[str]:
    """What the actor may do, tried."""
    tries: dict[str, Callable[[], object]] = {
        "see": lambda: services.datasets.get(actor, dataset.id),
        "look": lambda: services.datasets.rows(actor, dataset.id, RowsRequest()),
        "download": lambda: services.datasets.export(actor, dataset.id, "csv"),
        "train": lambda: services.models.train(actor, TrainRequest(dataset=dataset.id, target="c", time_budget=5)),
        "rename": lambda: services.datasets.update(actor, dataset.id, DatasetUpdate(name=f"by {actor.name}")),
        "version": lambda: services.versions.read_again(actor, dataset.id, VersionCreate()),
        "open": lambda: services.datasets.update(actor, dataset.id, DatasetUpdate(visibility="team")),
        "share": lambda: services.sharing.list(actor, "dataset", dataset.id),
        "delete": lambda: services.datasets.delete(actor, dataset.id),
    }
    done = set()
    for name, act in tries.items():
        try:
            act()
        except (Denied, DatasetNotFound):
            continue
        done.add(name)
    return done


@pytest.mark.parametrize(
    ("level", "acts"),
    [
        (None, set()),
        ("read", {"see", "look"}),
        ("use", {"see", "look", "download", "train"}),
        ("edit", {"see", "look", "download", "train", "rename", "version"}),
    ],
)
def test_each_level(services: Services, ada: Actor, alan: Actor, secret: DatasetRead, level: GrantLevel | None, acts: set[str]) -> None:
    if level is not None:
        _share(services, ada, secret, alan, level)
        assert services.datasets.get(alan, secret.id).access == level
    assert _acts(services, alan, secret) == acts


def test_no_grant_gives_more_than_the_role(services: Services, ada: Actor, person: Person, secret: DatasetRead) -> None:
    vera = person("vera", Role.viewer)
    _share(services, ada, secret, vera, "edit")
    assert _acts(services, vera, secret) == {"see", "look"}


def test_lists_show_what_was_shared(services: Services, ada: Actor, alan: Actor, secret: DatasetRead) -> None:
    assert services.datasets.list(alan).items == []
    assert services.jobs.list(alan).items == []
    _share(services, ada, secret, alan, "use")
    (seen,) = services.datasets.list(alan).items
    assert (seen.name, seen.access, seen.shared_with) == ("secret", "use", None)
    assert services.datasets.get(alan, "secret").id == secret.id
    assert services.datasets.get(ada, secret.id).shared_with == 1
    (job,) = services.jobs.list(alan).items
    assert (job.subject.name, services.jobs.get(alan, job.id).id) == ("secret", job.id)
    (grant,) = services.sharing.list(ada, "dataset", secret.id).items
    assert (grant.person.name, grant.level, grant.granted_by and grant.granted_by.name) == ("Alan", "use", "Ada")
    services.sharing.remove(ada, "dataset", secret.id, "alan@example.org")
    with pytest.raises(DatasetNotFound):
        services.datasets.get(alan, secret.id)
    assert services.jobs.list(alan).items == []


def test_the_person_hears_of_it_at_once_and_of_what_follows(services: Services, ada: Actor, alan: Actor, owner: Actor, secret: DatasetRead) -> None:
    start = services.events.head()
    _share(services, ada, secret, alan, "read")
    services.datasets.update(ada, secret.id, DatasetUpdate(name="plans"))
    services.sharing.remove(ada, "dataset", secret.id, alan.account_id)
    services.datasets.update(ada, secret.id, DatasetUpdate(name="other plans"))
    heard = [(event.type, event.data.get("level"), event.data["name"]) for event in services.events.page(alan, start).items]
    assert heard == [("dataset.shared", "read", "secret"), ("dataset.changed", None, "plans"), ("dataset.shared", None, "plans")]
    assert services.events.page(owner, start).items == []


def test_an_administrator_sees_that_there_is_work_but_not_its_name(services: Services, owner: Actor, ada: Actor, secret: DatasetRead) -> None:
    (job,) = services.jobs.list(owner).items
    assert (job.subject.name, job.message, job.owner.name) == ("a private dataset", "", "Ada")
    assert services.jobs.get(owner, job.id).subject.name == "a private dataset"
    assert not [event for event in services.events.page(owner, None).items if "secret" in str(event.data)]
    services.datasets.update(ada, secret.id, DatasetUpdate(visibility="team"))
    assert services.jobs.list(owner).items[0].subject.name == "secret"
    services.datasets.update(ada, secret.id, DatasetUpdate(name="hidden", visibility="private"))
    assert services.jobs.list(owner).items[0].subject.name == "a private dataset"
    with pytest.raises(JobNotFound):
        services.jobs.get(_other(services, owner), job.id)


def _other(services: Services, owner: Actor) -> Actor:
    from dapp_ext.schema.accounts import AccountCreate

    made = services.accounts.create(owner, AccountCreate(email="eve@example.org", name="Eve", role=Role.analyst))
    return Actor(account_id=made.id, email=made.email, name=made.name, role=made.role)


def test_work_of_an_editor_belongs_to_the_owner_too(services: Services, ada: Actor, alan: Actor, secret: DatasetRead) -> None:
    _share(services, ada, secret, alan, "edit")
    start = services.events.head()
    made = services.versions.read_again(alan, secret.id, VersionCreate())
    assert services.jobs.list(ada).items[0].id == made.job_id
    assert {event.type for event in services.events.page(ada, start).items} == {"job.queued", "dataset.processing"}
    assert services.jobs.cancel(ada, made.job_id or "").status == "cancelled"


def test_names_of_what_one_may_not_see_are_free_and_not_found(services: Services, ada: Actor, alan: Actor, secret: DatasetRead, upload: Upload) -> None:
    assert upload(alan, ROWS, "secret.csv", visibility="private").name == "secret"
    with pytest.raises(NameTaken):
        upload(alan, ROWS, "x.csv", name="SECRET")
    assert services.datasets.get(alan, "secret").owner.name == "Alan"
    assert services.datasets.get(ada, "secret").id == secret.id


def test_own_names_come_first_and_others_must_be_clear(services: Services, ada: Actor, alan: Actor, person: Person, upload: Upload) -> None:
    made = {actor.name: upload(actor, ROWS, "plans.csv", visibility="private") for actor in (ada, alan)}
    bea = person("bea", Role.analyst)
    for actor in (ada, alan):
        _share(services, actor, made[actor.name], bea, "read")
    with pytest.raises(NameAmbiguous, match="Use its id"):
        services.datasets.get(bea, "plans")
    _share(services, ada, made["Ada"], alan, "read")
    assert services.datasets.get(alan, "plans").id == made["Alan"].id
    assert upload(bea, ROWS, "plans.csv").name == "plans (2)"


def test_models_are_shared_alike(services: Services, ada: Actor, alan: Actor, secret: DatasetRead) -> None:
    model = services.models.train(ada, TrainRequest(dataset=secret.id, target="c", time_budget=5))
    assert (model.visibility, model.access, model.shared_with) == ("private", "owner", 0)
    with pytest.raises(ModelNotFound):
        services.models.get(alan, model.id)
    services.sharing.put(ada, "model", model.id, alan.account_id, GrantPut(level="edit"))
    assert services.models.get(alan, model.name).access == "edit"
    assert [each.id for each in services.models.list(alan).items] == [model.id]
    assert services.jobs.list(alan).items[0].subject.id == model.id
    assert services.models.stop(alan, model.id).id == model.id
    with pytest.raises(Denied):
        services.models.delete(alan, model.id)
    assert services.sharing.remove(alan, "model", model.id, alan.account_id).items == []  # gives it up
    with pytest.raises(ModelNotFound):
        services.models.get(alan, model.id)


def test_with_whom_one_cannot_share(services: Services, ada: Actor, alan: Actor, secret: DatasetRead) -> None:
    with pytest.raises(AccountNotFound):
        services.sharing.put(ada, "dataset", secret.id, "nobody@example.org", GrantPut())
    with pytest.raises(Invalid, match="owner"):
        services.sharing.put(ada, "dataset", secret.id, ada.account_id, GrantPut())
    assert [person.name for person in services.sharing.people(ada).items] == ["Alan", "Owner"]
    assert [person.email for person in services.sharing.people(ada, "ALAN").items] == ["alan@example.org"]


def test_lineage_shows_what_one_may_see(services: Services, ada: Actor, alan: Actor, secret: DatasetRead, run_jobs: Run) -> None:
    services.versions.read_again(ada, secret.id, VersionCreate())
    run_jobs()
    model = services.models.train(ada, TrainRequest(dataset=secret.id, target="c", time_budget=5))
    drawn = services.lineage.of_dataset(ada, secret.id)
    assert [(node.kind, node.version) for node in drawn.nodes] == [("file", 1), ("version", 1), ("version", 2), ("model", 1)]
    names = {node.id: f"{node.kind} {node.version}" for node in drawn.nodes}
    assert {(names[edge.source], names[edge.target], edge.label) for edge in drawn.edges} == {
        ("file 1", "version 1", "uploaded"),
        ("version 1", "version 2", "read again"),
        ("version 2", "model 1", "trained"),
    }
    services.sharing.put(ada, "model", model.id, alan.account_id, GrantPut(level="read"))
    seen = services.lineage.of_model(alan, model.id)
    assert ([node.kind for node in seen.nodes], seen.edges) == (["model"], [])
    with pytest.raises(DatasetNotFound):
        services.lineage.of_dataset(alan, secret.id)
    _share(services, ada, secret, alan, "read")
    assert len(services.lineage.of_model(alan, model.id).nodes) == 4
