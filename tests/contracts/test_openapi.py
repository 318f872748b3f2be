"""The description of the API is the route table, no more and no less."""

from __future__ import annotations

import inspect
import json
import re
import typing
from typing import Any

import pytest

from dapp_ext.handlers import routes
from dapp_ext.handlers.base import DappHandler
from dapp_ext.handlers.openapi import describe
from dapp_ext.handlers.operation import Call, Content, Encoded, Operation
from dapp_ext.handlers.routes import API, OPERATIONS, handlers, pattern
from dapp_ext.services.files import Download

EACH = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")


def test_every_route_is_described_and_nothing_else() -> None:
    described = {(verb.upper(), path) for path, verbs in describe()["paths"].items() for verb in verbs}
    assert described == {(each.method, each.path) for each in OPERATIONS} | {("GET", "/events/ws")}


def test_every_operation_is_served_by_a_handler_of_ours() -> None:
    served = {(verb, operation.path) for _, _, *given in handlers() for kwargs in given for verb, operation in kwargs["operations"].items()}
    assert served == {(each.method, each.path) for each in OPERATIONS}
    assert all(issubclass(handler, DappHandler) for _, handler, *_ in handlers())


def test_no_operation_is_given_twice() -> None:
    assert len({(each.method, each.path) for each in OPERATIONS}) == len(OPERATIONS)
    ids = [operation["operationId"] for verbs in describe()["paths"].values() for operation in verbs.values()]
    assert len(ids) == len(set(ids))


@EACH
def test_the_table_says_what_the_function_takes_and_gives(operation: Operation) -> None:
    module = inspect.getmodule(operation.run)
    assert module is not None
    hints = typing.get_type_hints(operation.run, {**vars(module), "Download": Download})
    (call,) = inspect.signature(operation.run).parameters
    assert hints[call] == Call[operation.query, operation.body]  # type: ignore[name-defined]
    expected: Any = operation.answer
    if expected is None and operation.status == 204:
        expected = type(None)
    elif expected is None:
        expected = hints["return"]
        assert expected in (Content, Download)
    kept = typing.get_args(hints["return"]) if typing.get_origin(hints["return"]) is Encoded else (hints["return"],)
    assert kept == (expected,)
    assert operation.sentence.endswith(".")


@EACH
def test_an_address_leads_to_one_pattern_only(operation: Operation) -> None:
    path = API + operation.path.replace("{ref}", "Sales%20of%202024")
    found = [regex for regex, handler, *_ in handlers() if re.fullmatch(regex, path) and handler is not routes.NothingHere]
    assert found == [API + pattern(operation.path)]


def test_all_references_lead_somewhere() -> None:
    document = json.dumps(describe())
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', document))
    assert names <= set(describe()["components"]["schemas"])
    assert {"DatasetRead", "TrainRequest", "Event", "DatasetEvent", "ErrorAnswer"} <= set(describe()["components"]["schemas"])


def test_only_these_routes_are_public() -> None:
    public = {each.path for each in OPERATIONS if each.access == "public"}
    assert public == {"/auth/login", "/auth/refresh", "/auth/resume", "/auth/accept", "/health/live", "/health/ready", "/openapi.json"}
    assert [each.path for each in OPERATIONS if each.access == "jupyter"] == ["/auth/jupyter"]


def test_names_on_the_wire_are_described() -> None:
    properties = describe()["components"]["schemas"]["DatasetRead"]["properties"]
    assert "schema" in properties
    assert "schema_" not in properties


def test_parameters_are_described() -> None:
    parameters = {each["name"]: each for each in describe()["paths"]["/datasets/{ref}/data"]["get"]["parameters"]}
    assert set(parameters) == {"ref", "format", "version", "columns", "filters"}
    assert parameters["ref"]["required"]
    assert parameters["format"]["schema"]["enum"] == ["arrow", "parquet", "csv", "xlsx"]
