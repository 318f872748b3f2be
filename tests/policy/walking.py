"""Calls anything as anybody, and stops at the question that the policy is asked, so that nothing is done."""

from __future__ import annotations

import enum
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from dapp_ext.domain import access
from dapp_ext.errors import Denied, NotFound
from dapp_ext.schema.accounts import AccountCreate, Actor, LoginRequest, Role
from dapp_ext.schema.base import new_id
from dapp_ext.services import Services
from dapp_ext.services.context import Context
from dapp_ext.store.tables import Dataset, DatasetVersion, Insight, Job, Model, Share, Trashed
from tests.conftest import PASSWORD

PLACES = ("own", "team", "private")
NAMED: dict[str, Any] = {
    "email": "new@example.org",
    "password": "quite other words 99",
    "new_password": "quite other words 99",
    "passphrase": "quite other words 99",
    "filename": "t.csv",
    "purpose": "dashboard",
    "kind": "dataset",
    "format": "csv",
    "person": "nobody@example.org",
    "path": Path("/nonexistent/backup.dapp"),
    "days": 7,
    "kid": "0" * 16,
}


class Reached(Exception):
    """The policy let the call through; whatever it would have done was not done."""


class Asked:
    """What the policy was asked, question by question. The last of ``wanted`` ends the call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.verbs: list[str] = []
        self.wanted: tuple[str, ...] = ()
        original = Context.permit

        def permit(context: Context, actor: Actor, verb: str, thing: access.Thing | None = None, unseen: type[NotFound] = NotFound) -> None:
            self.verbs.append(verb)
            original(context, actor, verb, thing, unseen)
            if not self.wanted or tuple(self.verbs[-len(self.wanted) :]) == self.wanted:
                raise Reached(verb)

        monkeypatch.setattr(Context, "permit", permit)

    def of(self, wanted: tuple[str, ...], call: Callable[[], Any]) -> str:
        """How the policy answers a call: ``reached``, ``denied``, ``hidden``, or what went wrong before it was asked."""
        self.verbs, self.wanted = [], wanted
        try:
            answer = call()
        except Reached:
            return "reached"
        except Denied:
            return "denied"
        except NotFound:
            return "hidden" if self.verbs else "not asked (not found)"
        except Exception as error:
            return f"not asked ({type(error).__name__}: {error}) after {self.verbs}"
        return f"not asked, answered {type(answer).__name__} after {self.verbs}"


def expected(actor: Actor, verbs: tuple[str, ...], thing: access.Thing | None) -> str:
    """What the policy's table says of asking for some verbs in turn."""
    for verb in verbs:
        if not access.allowed(actor, verb, thing):
            kind = verb.partition(".")[0]
            hidden = thing is not None and thing.owner_id != actor.account_id and not access.allowed(actor, f"{kind}.read", thing)
            return "hidden" if hidden else "denied"
    return "reached"


@dataclass(frozen=True)
class Person:
    """Somebody in a role, with things of each kind at each place: own, a teammate's shared, a teammate's private."""

    actor: Actor
    token: str
    things: Mapping[tuple[str, str], str]
    others_id: str

    def thing(self, kind: str, place: str) -> tuple[str, access.Thing]:
        own = place == "own"
        return self.things[kind, place], access.Thing(self.actor.account_id if own else self.others_id, "team" if place == "team" else "private")


def person(services: Services, role: Role) -> Person:
    """Make somebody, a teammate, and their things; rows alone, since nothing is ever done with them."""
    shell = services.system.shell_actor()
    other = services.accounts.create(shell, AccountCreate(email=f"other-of-{role.value}@example.org", role=Role.analyst, password=PASSWORD))
    email = f"{role.value}@example.org"
    services.accounts.create(shell, AccountCreate(email=email, role=role, password=PASSWORD))
    token = services.accounts.login(LoginRequest(email=email, password=PASSWORD)).access_token
    actor = services.accounts.authenticate(token)
    theirs = services.accounts.authenticate(services.accounts.login(LoginRequest(email=other.email, password=PASSWORD)).access_token)
    things: dict[tuple[str, str], str] = {}
    for place in PLACES:
        owner = actor.account_id if place == "own" else other.id
        things |= {(kind, place): found for kind, found in _rows(services, owner, place).items()}
        things["account", place] = owner
        things["session", place] = str((actor if place == "own" else theirs).session_id)
    for place, whose in (("own", actor), ("private", theirs), ("team", theirs)):
        things["token", place] = _token(services, whose)
    return Person(actor, token, things, other.id)


def _token(services: Services, actor: Actor) -> str:
    from dapp_ext.schema.signins import TokenCreate

    return services.signins.create_token(actor, TokenCreate(name="script")).id


def _rows(services: Services, owner: str, place: str) -> dict[str, str]:
    visibility = "team" if place == "team" else "private"
    name = f"{place} of {owner}"
    dataset = Dataset(name=name, name_key=name, owner_id=owner, visibility=visibility, status="ready")
    version = DatasetVersion(dataset_id=dataset.id, version=1, filename="t.csv", rows=1, column_count=1, table_id="x", profile_id="x", original_id="x")
    model = Model(
        name=name,
        name_key=name,
        owner_id=owner,
        visibility=visibility,
        status="ready",
        dataset_id=dataset.id,
        dataset_name=name,
        dataset_version=1,
        time_budget=30,
    )
    job = Job(kind="train", subject_kind="model", subject_id=model.id, subject_name=name, owner_id=owner, visibility=visibility, status="running")
    insight = Insight(owner_id=owner, visibility=visibility, dataset_id=dataset.id, dataset_name=name, picture_id="x", table_id="x")
    share = Share(token_hash=f"hash of {name}", model_id=model.id, owner_id=owner, expires_at=datetime(2099, 1, 1, tzinfo=UTC))
    trashed = Trashed(id=new_id(), kind="dataset", owner_id=owner, by_id=owner, until=datetime(2099, 1, 1, tzinfo=UTC))
    with services.context.database.write() as session:
        for row in (dataset, model, insight, share, trashed):
            session.add(row)
        session.flush()
        session.add(version)
        session.add(job)
        for subject in (dataset.id, model.id, insight.id):
            services.context.new_key(session, subject)
    return {"dataset": dataset.id, "model": model.id, "job": job.id, "insight": insight.id, "share": share.id, "trash": trashed.id}


# -- values for whatever is asked ---------------------------------------------------------------------------------


def sample(shape: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """The least that a shape takes, with these values where it has such fields."""
    values = {}
    for python_name, field in shape.model_fields.items():
        name = field.alias or python_name
        if name in given and str in (field.annotation, *typing.get_args(field.annotation)):
            values[name] = given[name]
        elif field.default is PydanticUndefined and field.default_factory is None:
            values[name] = NAMED.get(name, _value(field.annotation, given))
    return values


def _value(kind: Any, given: Mapping[str, Any]) -> Any:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        return None if type(None) in parts else _value(parts[0], given)
    if origin is typing.Annotated:
        return _value(parts[0], given)
    if origin is typing.Literal:
        return parts[0]
    if origin in (list, tuple, set) or kind is list:
        return [_value(parts[0], given)] if parts else []
    if origin is dict or kind is dict:
        return {}
    if inspect.isclass(kind) and issubclass(kind, enum.Enum):
        return next(iter(kind)).value
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return sample(kind, given)
    return {str: "x", int: 1, float: 1.0, bool: False}.get(kind, "x")


def arguments(method: Callable[..., Any], actor: Actor, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the parameters of a service's method that have no default, and for those that are given."""
    module = inspect.getmodule(method)
    hints = typing.get_type_hints(method, {**vars(module), **_late(module)}) if module else {}
    values: dict[str, Any] = {}
    for name, parameter in list(inspect.signature(method).parameters.items())[1:]:
        kind = hints.get(name)
        if kind is Actor:
            values[name] = actor
        elif name in given:
            values[name] = given[name]
        elif parameter.default is inspect.Parameter.empty:
            if inspect.isclass(kind) and issubclass(kind, BaseModel):
                values[name] = kind.model_validate(sample(kind, given))
            else:
                values[name] = NAMED.get(name, _value(kind, given))
    return values


def _late(module: Any) -> dict[str, Any]:
    """Names that a module imports for type checkers alone."""
    from dapp_ext.services.files import Download
    from dapp_ext.store.database import Session

    return {"Download": Download, "Session": Session}
