"""What a reader sees of an error."""

from __future__ import annotations

import inspect
import traceback

import pytest

from dapp_ext.client import DAPPClient
from dapp_ext.errors import Internal, Unavailable

from .scripted import envelope, scripted


def frames(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_error_of_the_asker_shows_their_line_and_the_sentence() -> None:
    client = DAPPClient("http://127.0.0.1:9")
    with pytest.raises(Unavailable) as caught:
        client.login("a@example.org", "words")
    assert frames(caught.value) == ["test_error_of_the_asker_shows_their_line_and_the_sentence", "call"]
    assert caught.value.__cause__ is None


def test_error_of_ours_keeps_everything() -> None:
    with scripted(lambda seen: envelope(500, "internal")) as server, pytest.raises(Internal) as caught:
        DAPPClient(server.url).login("a@example.org", "words")
    assert "_raise_for" in frames(caught.value)


def test_help_and_completion_know_the_methods() -> None:
    assert list(inspect.signature(DAPPClient.upload_file).parameters)[:4] == ["self", "path_or_frame", "name", "wait"]
    assert "time_budget" in inspect.signature(DAPPClient.train_model).parameters
    assert all(inspect.getdoc(value) for name, value in vars(DAPPClient).items() if not name.startswith("_"))
