"""Versions of models, their champions, and batches of trainings over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from dapp_ext.errors import Invalid
from dapp_ext.handlers.datasets import DatasetsHandler, FileSink
from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.handlers.queries import CompareQuery
from dapp_ext.handlers.wire import read_query
from dapp_ext.schema.jobs import JobRead
from dapp_ext.schema.models import ModelRead
from dapp_ext.schema.registry import BatchTrainRequest, Comparison, ReasonRequest, RegisterRequest, VersionsRead

if TYPE_CHECKING:
    from dapp_ext.schema.accounts import Actor
    from dapp_ext.services import Services


def versions(call: Call[Nothing, Nothing]) -> VersionsRead:
    return call.services.registry.versions(call.actor, call.ref)


def compare(call: Call[CompareQuery, Nothing]) -> Comparison:
    return call.services.registry.compare(call.actor, call.query.a, call.query.b)


def promote(call: Call[Nothing, ReasonRequest]) -> ModelRead:
    return call.services.registry.promote(call.actor, call.ref, call.body)


def rollback(call: Call[Nothing, ReasonRequest]) -> ModelRead:
    return call.services.registry.rollback(call.actor, call.ref, call.body)


def register(call: Call[RegisterRequest, Nothing]) -> ModelRead:
    """Never called: :class:`RegisterHandler` takes the body by pieces. Stands in the route table for its shape."""
    raise Invalid("Send the pipeline's bytes as the body.")


class RegisterHandler(DatasetsHandler):
    """The address that takes a pipeline."""

    def beginning(self, services: Services, account: Actor) -> Callable[[], FileSink]:
        return partial(services.registering.begin, account, read_query(RegisterRequest, self._query()), self.announced_size())


def batch(call: Call[Nothing, BatchTrainRequest]) -> JobRead:
    return call.services.batches.train(call.actor, call.body)
