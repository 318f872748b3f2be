"""A running dashboard over the home of a test, and visitors to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from dapp_ext.schema.accounts import AccountCreate, Actor, LoginRequest, Role
from dapp_ext.services import Services
from dapp_ext.settings import Settings
from dapp_panel.app import serve
from dapp_panel.crew import Crew
from tests.conftest import PASSWORD
from tests.panel.visiting import Visit


@pytest.fixture
def crew() -> Iterator[Crew]:
    made = Crew("test", hands=4)
    yield made
    made.close()


@pytest.fixture
def address(settings: Settings, services: Services) -> Iterator[str]:
    """The address of a dashboard that runs in a thread."""
    stop, ready = threading.Event(), threading.Event()
    found: list[str] = []
    failed: list[BaseException] = []

    def told(url: str) -> None:
        found.append(url)
        ready.set()

    def run() -> None:
        try:
            serve(settings, port=0, ready=told, stop=stop)
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="dashboard under test")
    thread.start()
    assert ready.wait(60)
    assert not failed, failed
    yield found[0]
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


@pytest.fixture
def visit(services: Services, owner: Actor, address: str) -> Iterator[Callable[..., Visit]]:
    """Makes an account and signs its browser in."""
    made: list[Visit] = []

    def make(name: str = "maya", role: Role = Role.analyst) -> Visit:
        email = f"{name}@example.org"
        if not any(each.email == email for each in services.accounts.list(owner)):
            services.accounts.create(owner, AccountCreate(email=email, name=name.title(), role=role, password=PASSWORD))
        cookie, actor = services.accounts.login_browser(LoginRequest(email=email, password=PASSWORD))
        made.append(Visit(address, services.settings, cookie, actor))
        return made[-1]

    yield make
    for each in made:
        each.close()
