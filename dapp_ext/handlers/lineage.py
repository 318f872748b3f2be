"""Lineage over HTTP."""

from __future__ import annotations

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.schema.lineage import Lineage


def of_dataset(call: Call[Nothing, Nothing]) -> Lineage:
    return call.services.lineage.of_dataset(call.actor, call.ref)


def of_model(call: Call[Nothing, Nothing]) -> Lineage:
    return call.services.lineage.of_model(call.actor, call.ref)
