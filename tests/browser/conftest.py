"""A JupyterLab for the browser tests, and a script beside it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from dapp_ext.client import DAPPClient
from tests.conftest import PASSWORD
from tests.stories.conftest import free_port

from .lab import TOKEN, Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    found = Lab(tmp_path_factory.mktemp("lab"), free_port())
    found.prepare()
    found.start()
    yield found
    found.end(signal.SIGTERM)


@pytest.fixture(scope="module")
def client(lab: Lab) -> Iterator[DAPPClient]:
    """The owner, from a script; Vera, who may look, has an account too."""
    with DAPPClient(f"{lab.url}/?token={TOKEN}") as found:
        found.add_user("vera@example.org", "Vera", "viewer", password=PASSWORD)
        yield found
