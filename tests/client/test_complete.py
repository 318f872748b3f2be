"""The client can do whatever the API can: every operation is reached by a request somewhere in the client, or says here why not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import dapp_ext.client
from dapp_ext.handlers.openapi import describe

# Operations that no method of the client stands for, each with its reason.
WITHOUT = {
    ("GET", "/datasets/{ref}/rows"): "POST /datasets/{ref}/rows takes the same and more",
    ("POST", "/datasets/{ref}/board"): "the dashboard's charts; Dataset.aggregate() gives the numbers",
    ("GET", "/notifications/unread"): "client.notifications(unread=True) has them",
    ("POST", "/auth/resume"): "a browser keeps its sign-in so; a script keeps its tokens itself",
    ("DELETE", "/auth/resume"): "a browser keeps its sign-in so; a script keeps its tokens itself",
    ("POST", "/auth/accept"): "whoever gets a link opens its page",
    ("GET", "/system/template"): "the launcher's card in JupyterLab opens it",
    ("GET", "/health/live"): "for supervisors and load balancers",
    ("GET", "/health/ready"): "for supervisors and load balancers",
    ("GET", "/metrics"): "for Prometheus",
    ("GET", "/openapi.json"): "for generators of other clients",
    ("GET", "/events/ws"): "dapp_ext.client.live follows it over a WebSocket of its own",
}
_VERBS = {
    "get": "GET",
    "pages": "GET",
    "download": "GET",
    "post": "POST",
    "upload": "POST",
    "_exchange": "POST",
    "patch": "PATCH",
    "put": "PUT",
    "delete": "DELETE",
}


def _path(node: ast.expr) -> str | None:
    """The path below the API that an expression gives, with the variable parts as ``{ref}``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{ref}" for part in node.values)
    return None


def _paths(node: ast.expr) -> list[str]:
    """All paths that an expression can give: both of a choice, and both kinds where the kind is variable."""
    if isinstance(node, ast.IfExp):
        return [*_paths(node.body), *_paths(node.orelse)]
    path = _path(node)
    if path is None:
        return []
    first, _, rest = path.partition("/")
    both = "{ref}" in first and rest.count("/") > 0
    return [f"{kind}/{rest}" for kind in ("datasets", "models")] if both else [path]


def _requests(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            yield from _requests_of(function)


def _requests_of(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    named = {each.id: node.value for node in ast.walk(function) if isinstance(node, ast.Assign) for each in node.targets if isinstance(each, ast.Name)}
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        texts = [path for each in node.args for path in _paths(named.get(each.id, each) if isinstance(each, ast.Name) else each)]
        if name == "call" and len(texts) == 2:
            yield texts[0], f"/{texts[1]}"
        elif name in _VERBS:
            yield from ((_VERBS[name], f"/{text}") for text in texts)


def _reached() -> set[tuple[str, str]]:
    files = Path(dapp_ext.client.__path__[0]).glob("*.py")
    return {request for file in files for request in _requests(ast.parse(file.read_text("utf-8")))}


def _operations() -> set[tuple[str, str]]:
    return {(verb.upper(), path) for path, verbs in describe()["paths"].items() for verb in verbs}


def _plain(operation: tuple[str, str]) -> tuple[str, str]:
    """With the names of the variable parts left out."""
    verb, path = operation
    return verb, "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def test_every_operation_has_a_method_or_a_reason() -> None:
    reached = {_plain(each) for each in _reached()}
    missing = sorted(each for each in _operations() - set(WITHOUT) if _plain(each) not in reached)
    assert missing == []


def test_no_reason_is_given_for_what_is_there() -> None:
    reached = {_plain(each) for each in _reached()}
    assert set(WITHOUT) <= _operations()
    assert [each for each in WITHOUT if _plain(each) in reached] == []


def test_the_client_asks_for_nothing_that_is_not_there() -> None:
    operations = {_plain(each) for each in _operations()}
    asked = {_plain(each) for each in _reached() if each[1].split("/")[1] in {path.split("/")[1] for _, path in _operations()}}
    assert asked <= operations
    assert len(asked) > 25
