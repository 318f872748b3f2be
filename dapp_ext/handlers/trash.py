"""What was deleted and can be brought back, over HTTP."""

from __future__ import annotations

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.schema.base import Page
from dapp_ext.schema.trash import TrashPut, TrashRead


def index(call: Call[Nothing, Nothing]) -> Page[TrashRead]:
    return call.services.trash.list(call.actor)


def put(call: Call[Nothing, TrashPut]) -> TrashRead:
    return call.services.trash.put(call.actor, call.body.kind, call.body.ref)


def restore(call: Call[Nothing, Nothing]) -> TrashRead:
    return call.services.trash.restore(call.actor, call.ref)


def delete(call: Call[Nothing, Nothing]) -> None:
    call.services.trash.delete(call.actor, call.ref)
