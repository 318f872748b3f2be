"""Strict JSON in, one envelope out."""

from __future__ import annotations

import json

import pytest
from pydantic import Field
from tornado.web import HTTPError

from dapp_ext.errors import DappError, Denied, Internal, Invalid, Malformed, MediaUnsupported, MethodNotAllowed, StorageFull, TooLarge, every_error
from dapp_ext.handlers.wire import as_dapp_error, check_json, envelope, read_body, read_query, status_of
from dapp_ext.logs import outline
from dapp_ext.schema.base import Request


class Shape(Request):
    name: str = "x"
    count: int | None = None
    columns: list[str] | None = Field(default=None)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'a': 1}",
        b'{"name": "a", "name": "b"}',
        b'{"count": NaN}',
        b'{"count": Infinity}',
        b'{"count": 1e999}',
        b'{"count": 9223372036854775808}',
        b'{"count": ' + b"9" * 5000 + b"}",
        b'{"name": "\xff"}',
        "{}".encode("utf-16"),
        b"[" * 40 + b"]" * 40,
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"",
    ],
)
def test_what_is_not_json_of_reasonable_size_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        check_json(body)


def test_brackets_within_texts_do_not_count() -> None:
    check_json(json.dumps({"text": "[" * 500 + '\\"' + "{" * 500}).encode())


@pytest.mark.parametrize(
    "body", [b'{"unknown": 1}', b'{"count": "1"}', b'{"count": 1.5}', b'{"count": true}', b'{"name": null}', b"[]", b'"text"', b'{"name": "\\ud800"}']
)
def test_a_body_that_does_not_fit_is_invalid_and_not_quoted(body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        read_body(Shape, body, "application/json")
    assert status_of(refused.value) == 422
    assert refused.value.details["fields"][0]["problem"]


def test_a_refused_value_is_not_in_the_answer() -> None:
    with pytest.raises(Invalid) as refused:
        read_body(Shape, b'{"count": "4711-secret"}', "application/json")
    assert b"4711-secret" not in envelope(refused.value, "r")


def test_no_body_is_an_empty_object() -> None:
    assert read_body(Shape, b"", "") == Shape()


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx"])
def test_a_body_must_say_that_it_is_json(kind: str) -> None:
    with pytest.raises(MediaUnsupported):
        read_body(Shape, b"{}", kind)


def test_the_charset_may_be_named() -> None:
    assert read_body(Shape, b'{"count": 3}', "Application/JSON; charset=utf-8").count == 3


def test_query_parameters_become_their_types() -> None:
    shape = read_query(Shape, {"name": [b"\xc3\xa4 b"], "count": [b"3"], "columns": [b"a", b""], "1700000000000": [b""]})
    assert shape == Shape(name="ä b", count=3, columns=["a", ""])


def test_an_empty_parameter_counts_as_left_out() -> None:
    assert read_query(Shape, {"name": [b""], "count": [b""]}) == Shape()
    for unknown in ("", "other"):
        with pytest.raises(Invalid):
            read_query(Shape, {unknown: [b""]})


@pytest.mark.parametrize("query", [{"other": [b"1"]}, {"name": [b"a", b"b"]}, {"count": [b"three"]}, {"count": [b"1.5"]}])
def test_parameters_that_do_not_fit_are_invalid(query: dict[str, list[bytes]]) -> None:
    with pytest.raises(Invalid):
        read_query(Shape, query)


def test_parameters_are_utf8() -> None:
    with pytest.raises(Malformed):
        read_query(Shape, {"name": [b"\xff"]})


def test_every_error_has_a_status_by_inheritance() -> None:
    assert all(400 <= status_of(cls()) < 600 for cls in every_error().values())
    assert status_of(TooLarge()) == 413
    assert status_of(StorageFull()) == 507

    class Special(StorageFull):
        code = "special"

    assert status_of(Special()) == 507


@pytest.mark.parametrize(("status", "cls"), [(403, Denied), (405, MethodNotAllowed), (400, Malformed), (418, Internal)])
def test_errors_of_tornado_become_ours(status: int, cls: type[DappError]) -> None:
    assert type(as_dapp_error(HTTPError(status, "secret text"))) is cls


def test_an_unforeseen_error_says_nothing() -> None:
    answer = json.loads(envelope(as_dapp_error(ValueError("value of somebody")), "the-id"))
    assert answer == {"error": {"code": "internal", "message": Internal.sentence, "details": {}, "request_id": "the-id"}}


def test_the_log_gets_places_but_no_texts_of_foreign_errors() -> None:
    try:
        try:
            int("4711-secret")
        except ValueError as error:
            raise RuntimeError("4711-secret") from error
    except RuntimeError as error:
        text = outline(error)
    assert "4711-secret" not in text
    assert "builtins.RuntimeError" in text
    assert "builtins.ValueError" in text
    assert "test_wire.py" in text
