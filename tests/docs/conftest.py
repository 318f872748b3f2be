"""The documentation speaks to a new user, so its tests have a workspace of their own: no name is taken before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client.server import JupyterServer, start


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A running server over an empty home, for the pages alone."""
    yield from start(tmp_path_factory.mktemp("documented"))
