"""Versions of models, their champions, and batches of trainings over HTTP."""

from __future__ import annotations

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.handlers.queries import CompareQuery
from dapp_ext.schema.jobs import JobRead
from dapp_ext.schema.models import ModelRead
from dapp_ext.schema.registry import BatchTrainRequest, Comparison, ReasonRequest, VersionsRead


def versions(call: Call[Nothing, Nothing]) -> VersionsRead:
    return call.services.registry.versions(call.actor, call.ref)


def compare(call: Call[CompareQuery, Nothing]) -> Comparison:
    return call.services.registry.compare(call.actor, call.query.a, call.query.b)


def promote(call: Call[Nothing, ReasonRequest]) -> ModelRead:
    return call.services.registry.promote(call.actor, call.ref, call.body)


def rollback(call: Call[Nothing, ReasonRequest]) -> ModelRead:
    return call.services.registry.rollback(call.actor, call.ref, call.body)


def batch(call: Call[Nothing, BatchTrainRequest]) -> JobRead:
    return call.services.batches.train(call.actor, call.body)
