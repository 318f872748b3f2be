"""Every route, method, page and command, as everybody: each asks the policy what the table says, and abides by the answer."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import typer

from dapp_ext.cli.main import app
from dapp_ext.domain.access import POLICY
from dapp_ext.handlers.operation import Operation
from dapp_ext.handlers.routes import OPERATIONS
from dapp_ext.schema.accounts import Role
from dapp_ext.services import Services
from dapp_panel.pages import CALLS
from dapp_panel.routes import routes as dashboard_routes
from tests.handlers.serving import Caller
from tests.policy import table
from tests.policy.table import Act, Why
from tests.policy.walking import PLACES, Asked, Person, arguments, expected, person, sample

WHERE = "Add a line to tests/policy/table.py that says which verb it asks for, or why none."
KINDS = {"datasets": "dataset", "models": "model", "insights": "insight", "jobs": "job", "shares": "share", "trash": "trash", "users": "account"}
# Nothing in these addresses is somebody's: the question is asked before the thing is looked for.
NOBODYS = ("account.update", "share.list")


def _methods() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public method of every service."""
    for name, kind in typing.get_type_hints(Services).items():
        if inspect.isclass(kind) and kind.__module__.startswith("dapp_ext.services") and name != "context":
            for each in sorted(vars(kind) | {key: 0 for base in kind.__mro__[1:-1] for key in vars(base)}):
                found = inspect.getattr_static(kind, each)
                if not each.startswith("_") and inspect.isfunction(found):
                    yield f"{name}.{each}", found


def _commands() -> Iterator[str]:
    def walk(group: Any, before: tuple[str, ...]) -> Iterator[str]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(command, (*before, name))
            else:
                yield " ".join((*before, name))

    return walk(typer.main.get_command(app), ())


METHODS = dict(_methods())
COMMANDS = set(_commands())
DOORS = {pattern.replace(r"\/", "/") for pattern, *_ in dashboard_routes(None, {})}  # type: ignore[arg-type]
ACTS = {name: act for name, act in table.METHODS.items() if isinstance(act, Act)}
PAGE_VERBS = {**{act.page: act.verb for act in ACTS.values() if act.page in CALLS}, **table.CALLS}


# -- the table is whole -------------------------------------------------------------------------------------------


def test_every_method_has_a_line() -> None:
    assert set(METHODS) - set(table.METHODS) == set(), WHERE
    assert set(table.METHODS) - set(METHODS) == set(), "these methods do not exist any more"


def test_every_route_has_a_line() -> None:
    served = {f"{each.method} {each.path}" for each in OPERATIONS}
    assert served - set(table.ROUTES) == set(), WHERE
    assert set(table.ROUTES) - served == set(), "these routes do not exist any more"


def test_every_call_and_door_of_the_dashboard_has_a_line() -> None:
    assert set(CALLS) - set(PAGE_VERBS) == set(), WHERE
    assert set(table.CALLS) - set(CALLS) == set(), "these calls do not exist any more"
    assert set(table.DOORS) == DOORS, WHERE


def test_every_command_has_a_line() -> None:
    named = {act.shell for act in ACTS.values() if not isinstance(act.shell, Why)}
    assert COMMANDS - named - set(table.COMMANDS) == set(), WHERE
    assert (named | set(table.COMMANDS)) - COMMANDS == set(), "these commands do not exist any more"


def test_every_act_has_a_page_and_a_command_or_a_reason() -> None:
    for name, act in ACTS.items():
        assert isinstance(act.page, Why) or act.page in CALLS or act.page in DOORS, (name, act.page)
        assert isinstance(act.shell, Why) or act.shell in COMMANDS, (name, act.shell)


def test_every_reason_is_a_sentence() -> None:
    reasons: list[Any] = [*table.METHODS.values(), *table.ROUTES.values(), *table.CALLS.values(), *table.COMMANDS.values(), *table.DOORS.values()]
    reasons += [each for act in ACTS.values() for each in (act.page, act.shell)]
    assert all(len(each) > 20 and each.endswith(".") for each in reasons if isinstance(each, Why))


def test_every_verb_is_in_the_policy_and_used() -> None:
    asked = {act.verb for act in ACTS.values()} | {verb for verb in (*table.ROUTES.values(), *PAGE_VERBS.values()) if not isinstance(verb, Why)}
    assert asked - set(POLICY) == set()
    # Verbs that are asked for after another one, or by a worker.
    beside = {"dataset.use", "notification.read"}
    assert set(POLICY) - asked - beside == set()


def test_who_needs_no_question_gives_no_account() -> None:
    open_routes = {name for name, verb in table.ROUTES.items() if isinstance(verb, Why)}
    with_account = {f"{each.method} {each.path}" for each in OPERATIONS if each.access == "account"}
    assert open_routes & with_account == {"GET /system/template"}


# -- and it is what happens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_every_method_asks_and_abides(services: Services, monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    somebody = person(services, role)
    asked = Asked(monkeypatch)
    wrong = []
    for name, act in ACTS.items():
        for place in PLACES if act.kind else PLACES[:1]:
            given, thing = _given(somebody, act.kind, place)
            service = getattr(services, name.partition(".")[0])
            values = arguments(METHODS[name], somebody.actor, given)
            found = asked.of((act.verb,), partial(METHODS[name], service, **values))
            wanted = expected(somebody.actor, (act.verb,), thing)
            if found != wanted:
                wrong.append(f"{name} of {place}: {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", list(Role))
def test_every_call_of_a_page_asks_and_abides(services: Services, monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    somebody = person(services, role)
    asked = Asked(monkeypatch)
    wrong = []
    for name, verb in PAGE_VERBS.items():
        if isinstance(verb, Why):
            continue
        shape = inspect.getclosurevars(CALLS[name]).nonlocals["shape"]
        kind = _kind_of_call(name, verb) if "ref" in shape.model_fields else ""
        for place in PLACES if kind else PLACES[:1]:
            given, thing = _given(somebody, kind, place)
            found = asked.of((verb,), partial(CALLS[name], services, somebody.actor, sample(shape, given)))
            wanted = expected(somebody.actor, (verb,), thing)
            if found != wanted:
                wrong.append(f"{name} of {place}: {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)


def _kind_of_call(name: str, verb: str) -> str:
    if verb in NOBODYS or verb.startswith(("invitation.", "announcement.")):
        return ""
    if name.startswith("accounts."):
        return "account"
    return verb.partition(".")[0]


def _given(somebody: Person, kind: str, place: str) -> tuple[dict[str, Any], Any]:
    """Values that name things of a place, and the thing itself as the policy sees it."""
    things = {each: somebody.things[each, place] for each in ("dataset", "model", "insight", "job", "share", "trash", "account", "session", "token")}
    given = {f"{each}_id": found for each, found in things.items()} | {"dataset": things["dataset"], "model": things["model"]}
    given |= {"a": things["model"], "b": things["model"], "email": f"{somebody.actor.role.value}@example.org", "person": "nobody@example.org"}
    if not kind:
        return given | {"ref": things["dataset"], "account_id": somebody.actor.account_id}, None
    ref, thing = somebody.thing(kind, place)
    if kind in ("account", "session", "token") and place != "own":
        thing = type(thing)(thing.owner_id, "private")  # there is no sharing of what is somebody's own
    return given | {"ref": ref}, thing


@pytest.mark.parametrize("role", list(Role))
async def test_every_route_asks_and_abides(services: Services, nobody: Caller, monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    somebody = person(services, role)
    caller = Caller(nobody.fetch, somebody.token)
    asked = Asked(monkeypatch)
    wrong = []
    for operation in OPERATIONS:
        verb = table.ROUTES.get(f"{operation.method} {operation.path}")
        if verb is None or isinstance(verb, Why):  # one without a line is told of above
            continue
        kind = _kind_of_route(operation, verb)
        for place in PLACES if kind else PLACES[:1]:
            given, thing = _given(somebody, kind, place)
            asked.verbs, asked.wanted = [], (verb,)
            answer = await _send(caller, operation, given)
            found = {403: "denied", 404: "hidden"}.get(answer.status, f"{answer.status} {answer.body[:200]!r}")
            if answer.status == 500 and asked.verbs[-1:] == [verb]:
                found = "reached"
            wanted = expected(somebody.actor, (verb,), thing)
            if found != wanted or verb not in asked.verbs:
                wrong.append(f"{operation.method} {operation.path} of {place}: {found}, not {wanted}; asked {asked.verbs}")
    assert not wrong, "\n".join(wrong)


def _kind_of_route(operation: Operation, verb: str) -> str:
    first = operation.path.split("/")[1]
    if "{ref}" not in operation.path:
        return "model" if operation.path == "/models/compare" else ""
    if verb in NOBODYS or first not in (*KINDS, "auth"):
        return ""
    return verb.partition(".")[0] if first == "auth" else KINDS[first]


async def _send(caller: Caller, operation: Operation, given: dict[str, Any]) -> Any:
    path = operation.path.replace("{ref}", str(given["ref"])).replace("{account}", "nobody@example.org").replace("{number}", "1")
    query = {name: value for name, value in sample(operation.query, given).items() if value is not None}
    if operation.takes != "application/json":
        return await caller(operation.method, path, b"a,b\n1,2\n", **query)
    body = sample(operation.body, given) if operation.method != "GET" and operation.body.model_fields else None
    return await caller(operation.method, path, body, **query)
