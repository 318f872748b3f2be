"""The description of the API after OpenAPI 3.1, made from the route table and the shapes; never written by hand."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dapp_ext import __version__
from dapp_ext.errors import every_error
from dapp_ext.handlers.operation import JSON, Call, Content, Nothing, Operation
from dapp_ext.handlers.wire import status_of
from dapp_ext.schema.base import ErrorAnswer
from dapp_ext.schema.events import PAYLOADS, Event

_REFERENCE = "#/components/schemas/{model}"
_FEED = "/events/ws"
FILE = "application/octet-stream"
Mode = Literal["validation", "serialization"]


def document(call: Call[Nothing, Nothing]) -> Content:
    base_url = call.backend.base_url
    return Content(JSON, json.dumps({**describe(), "servers": [{"url": f"{base_url.rstrip('/')}/dapp/api/v1"}]}, ensure_ascii=False).encode())


@cache
def describe() -> dict[str, Any]:
    """The document, with the address of a server at the root of its host."""
    from dapp_ext.handlers.routes import OPERATIONS  # the table lists this module's own address too

    shapes = sorted(_shapes(OPERATIONS), key=lambda each: (each[0].__name__, each[1]))
    references, components = models_json_schema(shapes, ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, references)
    paths[_FEED] = {"get": _feed()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "DAPP",
            "version": __version__,
            "description": "The Data Analysis and Prediction Platform. Every failure is one object: "
            + ", ".join(f"`{code}` ({status_of(cls())})" for code, cls in sorted(every_error().items()) if code != "error"),
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": "/dapp/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": components.get("$defs", {}),
            "securitySchemes": {
                "account": {"type": "http", "scheme": "bearer", "description": "DAPP's access token; also in X-DAPP-Authorization."},
                "jupyter": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`token …`, or Jupyter's cookie with X-XSRFToken."},
            },
            "responses": {"Failure": {"description": "Why it failed.", "content": {JSON: {"schema": references[(ErrorAnswer, "serialization")]}}}},
        },
    }


def operation_id(operation: Operation) -> str:
    """A name for generated clients: the verb and the words of the address."""
    words = [*re.findall(r"[a-z]+", operation.path.replace("{ref}", "one"))]
    return "_".join([operation.method.lower(), *words])


def _shapes(operations: tuple[Operation, ...]) -> set[tuple[type[BaseModel], Mode]]:
    shapes: set[tuple[type[BaseModel], Mode]] = {(ErrorAnswer, "serialization"), (Event, "serialization")}
    shapes |= {(payload, "serialization") for payload in PAYLOADS.values()}
    for operation in operations:
        if operation.answer is not None:
            shapes.add((operation.answer, "serialization"))
        if operation.body is not Nothing:
            shapes.add((operation.body, "validation"))
    return shapes


def _operation(operation: Operation, references: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation_id(operation),
        "summary": operation.sentence,
        "tags": [operation.tag],
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation)],
        "responses": {str(operation.status): _answer(operation, references), "default": {"$ref": "#/components/responses/Failure"}},
        "security": [] if operation.access == "public" else [{operation.access: []}],
    }
    if operation.body is not Nothing:
        reference = references[(operation.body, "validation")]
        needed = any(field.is_required() for field in operation.body.model_fields.values())
        described["requestBody"] = {"required": needed, "content": {JSON: {"schema": reference}}}
    elif operation.takes != JSON:
        described["requestBody"] = {"required": True, "content": {operation.takes: {}}}
    return described


def _answer(operation: Operation, references: Any) -> dict[str, Any]:
    if operation.status == 204:
        return {"description": "Done."}
    if operation.answer is not None:
        return {"description": operation.sentence, "content": {JSON: {"schema": references[(operation.answer, "serialization")]}}}
    # A file says itself of which kind it is: that of the upload, or of the format that was asked for.
    return {"description": operation.sentence, "content": {"*/*" if operation.gives == FILE else operation.gives: {}}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "description": "Id, or name where the thing has one.", "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    schema = operation.query.model_json_schema(ref_template=_REFERENCE)
    parameters = []
    for name, field in schema.get("properties", {}).items():
        kept = {key: value for key, value in field.items() if key not in ("title", "description")}
        described = {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": kept}
        if "description" in field:
            described["description"] = field["description"]
        parameters.append(described)
    return parameters


def _feed() -> dict[str, Any]:
    return {
        "operationId": "follow_events",
        "summary": "The feed as a WebSocket.",
        "description": "Frames are JSON: `hello` and `heartbeat` with a cursor, `event` with an Event, `reset` when everything is to be loaded anew. "
        "Browsers offer the subprotocols `dapp.v1` and `dapp.ticket.<ticket>`. "
        "Close codes: 4401 the sign-in has ended, 4408 the reader is too slow, 1012 come back with your cursor.",
        "tags": ["events"],
        "parameters": [{"name": "after", "in": "query", "required": False, "description": "Cursor to resume after.", "schema": {"type": "string"}}],
        "responses": {"101": {"description": "The line is open."}, "default": {"$ref": "#/components/responses/Failure"}},
        "security": [{"account": []}],
    }
