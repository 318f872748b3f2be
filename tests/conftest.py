"""An empty home, the door over it, and people in each role."""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from dapp_ext.errors import DappError
from dapp_ext.schema.accounts import AccountCreate, Actor, LoginRequest, Role
from dapp_ext.schema.base import new_id
from dapp_ext.schema.datasets import DatasetRead, DatasetUpload
from dapp_ext.services import Services, open_services
from dapp_ext.services.scorers import Scorers
from dapp_ext.services.work import Progress, Wanted, perform
from dapp_ext.settings import Settings
from dapp_ext.store import migrations
from dapp_ext.store.database import Database
from dapp_ext.store.tables import Job
from tests import servers

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest_plugins = ["pytest_jupyter.jupyter_server", "tests.client.server"]
PASSWORD = "plain words of a test 7"

# The same examples every time and no clock; a machine may be busy.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.load_profile("steady")


# What starts browsers and whole products: where two run side by side these stay together on one, so that they do not starve each other.
TOGETHER = ("tests/browser/", "tests/stories/", "tests/panel/", "tests/torture/", "tests/widgets/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    items.sort(key=lambda item: not item.nodeid.startswith(TOGETHER))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal tests out by file, since what a module's tests share is made once; see ``TOGETHER``."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = lambda nodeid: "together" if nodeid.startswith(TOGETHER) else nodeid.partition("::")[0]
    return scheduler


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing that is set on this machine reaches a test, and nothing of a test reaches the machine's own home."""
    for name in list(os.environ):
        if name.startswith("DAPP_") or name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DAPP_HOME", str(tmp_path / "home"))
    # A password takes a fifth of a second on purpose; hundreds of them in tests need not.
    monkeypatch.setattr("dapp_ext.services.passwords.TIME_COST", 1)
    monkeypatch.setattr("dapp_ext.services.passwords.MEMORY_COST", 64)


class _KeptScorers(Scorers):
    """Lives as long as the tests do: loading the libraries takes seconds, and what it is asked names its files."""

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def kept_scorers() -> Iterator[Scorers]:
    scorers = _KeptScorers()
    yield scorers
    Scorers.close(scorers)


@pytest.fixture(autouse=True)
def _one_pool_of_scorers(monkeypatch: pytest.MonkeyPatch, kept_scorers: Scorers) -> None:
    monkeypatch.setattr("dapp_ext.services.opening.Scorers", lambda: kept_scorers)


@pytest.fixture(autouse=True)
def jp_asyncio_loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop | None]:
    """The loop that Jupyter's fixtures run on, only where there is a server: a browser brings one that nobody else may close."""
    if not {"jp_serverapp", "jp_configurable_serverapp", "jp_environ"} & set(request.fixturenames):
        yield None
        return
    from jupyter_core.utils import ensure_event_loop  # the loop that Jupyter itself will look for

    loop = ensure_event_loop(prefer_selector_loop=True)
    yield loop
    loop.close()


@pytest.fixture(autouse=True)
def jp_server_cleanup(jp_asyncio_loop: asyncio.AbstractEventLoop | None) -> Iterator[None]:
    """Ends the server of a test that had one."""
    yield
    if jp_asyncio_loop is not None:
        from jupyter_server.serverapp import ServerApp

        app = ServerApp.instance()
        jp_asyncio_loop.run_until_complete(app._cleanup())
        if hasattr(app, "kernel_manager"):
            app.kernel_manager.context.destroy()
        ServerApp.clear_instance()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest migration, made once: each test starts from a copy."""
    path = tmp_path_factory.mktemp("migrated") / "dapp.sqlite"
    database = Database(f"sqlite:///{path}")
    migrations.upgrade(database)
    database.close()
    return path


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The tests of store and services run on both databases; on PostgreSQL they count as long."""
    folder = metafunc.definition.path.parent.name
    if folder in ("store", "services") and "database_kind" in metafunc.fixturenames:
        kinds = ["sqlite"] if metafunc.definition.get_closest_marker("only_sqlite") else ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
        metafunc.parametrize("database_kind", kinds, indirect=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    """A real PostgreSQL, started with the first test that asks for it."""
    with servers.postgres() as running:
        yield running


@pytest.fixture(scope="session")
def postgres_template(postgres: servers.Postgres) -> Iterator[str]:
    """The name of an empty database at the newest migration."""
    name = postgres.new_database()
    database = Database(postgres.address(name))
    migrations.upgrade(database)
    database.close()
    yield name
    postgres.drop(name)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a real server that speaks S3, with a bucket named ``dapp``."""
    with servers.s3() as address:
        yield address


@pytest.fixture
def s3_url(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place of its own in it; credentials are in the environment, where the library looks for them."""
    for name, value in servers.s3_environment(s3_server).items():
        monkeypatch.setenv(name, value)
    return f"s3://dapp/{new_id()}"


@pytest.fixture
def redis_server() -> Iterator[servers.Redis]:
    """A real Redis of the test's own, so that it can be killed."""
    with servers.redis() as running:
        yield running


@pytest.fixture
def postgres_url(postgres: servers.Postgres, postgres_template: str) -> Iterator[str]:
    """The address of a database of its own, at the newest migration."""
    name = postgres.new_database(postgres_template)
    yield postgres.address(name)
    postgres.drop(name)


@pytest.fixture
def settings(tmp_path: Path, migrated: Path, database_kind: str, request: pytest.FixtureRequest) -> Settings:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    if database_kind == "postgresql":
        return Settings(home=home, start_worker=False, database_url=request.getfixturevalue("postgres_url"))
    shutil.copy(migrated, home / "dapp.sqlite")
    return Settings(home=home, start_worker=False)


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    with open_services(settings) as opened:
        yield opened


@pytest.fixture
def owner(services: Services) -> Actor:
    return services.system.shell_actor()


@pytest.fixture
def person(services: Services, owner: Actor) -> Callable[[str, Role], Actor]:
    """Makes an account and signs it in."""

    def make(name: str, role: Role) -> Actor:
        email = f"{name}@example.org"
        services.accounts.create(owner, AccountCreate(email=email, name=name.title(), role=role, password=PASSWORD))
        pair = services.accounts.login(LoginRequest(email=email, password=PASSWORD))
        return services.accounts.authenticate(pair.access_token)

    return make


@pytest.fixture
def upload(services: Services) -> Callable[..., DatasetRead]:
    """Sends bytes in as a file."""

    def send(actor: Actor, data: bytes, filename: str = "table.csv", **given: object) -> DatasetRead:
        incoming = services.datasets.begin_upload(actor, DatasetUpload.model_validate({"filename": filename, "size": len(data), **given}))
        incoming.write(data)
        return incoming.finish()

    return send


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; a test without one is skipped."""
    from playwright.sync_api import expect

    expect.set_options(timeout=20_000)  # a machine may be busy
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium on this machine: install it to run the browser tests")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A Chromium that asks nobody outside for anything."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-background-networking", "--disable-quic"])
        yield found
        found.close()


def _hear(services: Services, job: Job, message: object) -> None:
    if not isinstance(message, Progress):
        services.settling.hear(job, message)


def _wanted(services: Services, job: Job) -> Wanted:
    return services.jobs.wishes(job).wanted


def work_off(services: Services) -> None:
    """Do all waiting jobs here and now: everything that a worker does, but for the process of its own."""
    worker = services.jobs.enlist()
    while (job := services.jobs.claim(worker)) is not None:
        services.settling.begin(job)
        try:
            made = perform(services.settling.order(job), functools.partial(_hear, services, job), functools.partial(_wanted, services, job))
        except DappError as error:
            services.jobs.fail(job, error.code, error.message)
        else:
            services.settling.settle(job, made)


@pytest.fixture
def run_jobs(services: Services) -> Callable[[], None]:
    """Does all waiting jobs here and now."""
    return functools.partial(work_off, services)


@pytest.fixture
def add_dataset(upload: Callable[..., DatasetRead], run_jobs: Callable[[], None], services: Services, owner: Actor) -> Callable[..., DatasetRead]:
    """A small dataset of the owner that is ready."""

    def add(name: str = "people") -> DatasetRead:
        made = upload(owner, b"name,city,age\nZebulon Quackenbush,Xanadu-on-Sea,51\nAda,Berlin,36\nAlan,Paris,41\n", f"{name}.csv", name=name)
        run_jobs()
        return services.datasets.get(owner, made.id)

    return add
