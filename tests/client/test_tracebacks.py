"""What a reader sees of an error."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dapp_ext.client import DAPPClient
from dapp_ext.client.connection import Connection
from dapp_ext.client.registry import register
from dapp_ext.errors import Internal, Invalid, Unavailable
from dapp_ext.schema.registry import RegisterRequest

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


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda client: client.add_user("a@example.org", role="boss"), "'role' cannot be used: "),
        (lambda client: client.invite("a@example.org", role="boss"), "'role' cannot be used: "),
        (lambda client: client.publish(pd.DataFrame({"a": [1]}), "t" * 500), "'title' cannot be used: "),
    ],
)
def test_what_was_given_and_cannot_be_used_is_said_in_the_one_way(ask: Callable[[DAPPClient], object], said: str) -> None:
    with scripted(lambda seen: (200, {})) as server, pytest.raises(Invalid, match=said):
        ask(DAPPClient(server.url, token="t"))
    assert server.seen == []


@pytest.mark.parametrize("url", ["http://[::1", "http://host:port"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(Invalid, match="is not the address of a server"):
        DAPPClient(url)


def test_a_pipeline_that_has_not_learned_is_not_sent() -> None:
    with pytest.raises(Invalid, match=r"has not learned anything yet\. Call its fit\(\) first\."):
        register(
            Connection("http://127.0.0.1:9", "t"), make_pipeline(StandardScaler(), LogisticRegression()), RegisterRequest(name="n", dataset="d", target="t")
        )
